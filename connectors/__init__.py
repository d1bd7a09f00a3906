"""The systems Kiezbrücke speaks to, one folder each."""
