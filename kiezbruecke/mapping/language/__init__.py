"""What a mapping file says: paths, rules, findings, and the reader that knows every position."""
