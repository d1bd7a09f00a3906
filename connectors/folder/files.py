"""Files that appear whole or not at all, and are never overwritten by another content."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from secrets import token_hex


def sha256(path: Path) -> str:
    """SHA-256 (hex) of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def write_part(final: Path, body: bytes) -> Path:
    """Write `body` durably beside `final`, under a hidden name that no reader takes."""
    part = final.with_name(f".{token_hex(8)}.part")
    try:
        with part.open("xb") as handle:
            with suppress(PermissionError):  # some shares know no rights
                os.fchmod(handle.fileno(), final.parent.stat().st_mode & 0o666)  # for whoever may read the folder
            handle.write(body)
            handle.flush()
            os.fsync(handle.fileno())
    except OSError:
        discard(part)
        raise
    return part


def replace(final: Path, body: bytes) -> None:
    """Write a file atomically; an older one of the same name is replaced."""
    part = write_part(final, body)
    try:
        part.replace(final)
    except OSError:
        discard(part)
        raise
    sync_folder(final.parent)


def sync_folder(folder: Path) -> None:
    """Make names durable, not only contents."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """A folder for the same people as the one it lies in, whatever this process keeps for itself."""
    try:
        folder.mkdir()
    except FileExistsError:
        return
    with suppress(PermissionError):  # some shares know no rights
        folder.chmod(folder.parent.stat().st_mode & 0o777 | folder.stat().st_mode & 0o7000)


def discard(part: Path) -> None:
    """Remove an unfinished file; if even that fails, it stays hidden and harmless."""
    try:
        part.unlink(missing_ok=True)
    except OSError:
        return
