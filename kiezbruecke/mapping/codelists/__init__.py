"""Code lists: translations in CSV, a standard's codes in YAML."""
