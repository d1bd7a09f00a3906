"""What belongs together, what is due, where it stands: derived from records, never stored."""
