"""What targets and sources look like: XSDs, records, tables as one tree of nodes."""
