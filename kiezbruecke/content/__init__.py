"""What IT operations writes: where it lies, and how routes, processes and areas are read from it."""

from kiezbruecke.content.folder import VARIABLE, find_content, find_state

__all__ = ["VARIABLE", "find_content", "find_state"]
