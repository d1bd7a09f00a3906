"""Which code this is: while it stays the same, what was read and judged by it need not be read and judged again."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from kiezbruecke import plugins


@cache
def code_digest() -> str:
    """SHA-256 over the engine's files and all effects', once per process: a version does not tell a `git pull`."""
    folders = {Path(__file__).parent, *map(Path, plugins.effect_folders())}
    files = sorted({file for folder in folders for file in folder.rglob("*.py")})
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()
