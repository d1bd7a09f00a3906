"""The folder where files are put: each appears whole under a name that is its own, then its `.ok` says so.

    x.json ──written beside──▶ renamed ──▶ x.json.ok     readers take a file only when its .ok is there

The same bytes again are harmless; other bytes under a name that is taken are refused.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from connectors import _files as files
from kiezbruecke.connector import CannotTell, NotThere
from kiezbruecke.errors import AlreadyUsed, NotSent, Rejected
from kiezbruecke.troubles import Cause, Trouble, trouble_of

MARKER = ".ok"
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.[A-Za-z0-9]{1,8}")


class Outbox:
    """The folder of one connection."""

    def __init__(self, folder: Path, connection_id: str) -> None:
        self._folder = folder
        self._connection_id = connection_id

    def put(self, name: str, payload: bytes, note: Callable[[], None] = lambda: None) -> datetime:
        """Put the file there, then its `.ok`; since when it lies there. Raises NotSent, Rejected or AlreadyUsed.

        `note` is called between the two: the file lies there whole, and nobody may have taken it yet.
        """
        final = self._place(name)
        if not _is_there(final, payload):
            _write(final, payload)
        since = _put_at(final)  # once its .ok is there, a reader may take it away
        note()
        marker = _marker(final)
        if not files.is_file(marker):
            files.replace(marker, _marker_text(final, payload))
        return since

    def find(self, name: str, payload: bytes) -> datetime | NotThere | CannotTell:
        """Since when it lies there with its `.ok`. Without it nobody reads it yet: sending again completes it."""
        try:
            final = self._place(name)
            if not (files.is_file(final) and files.is_file(_marker(final))):
                return NotThere()
            if files.sha256(final) != _digest(payload):
                return CannotTell("the name is taken by another content")
            return _put_at(final)
        except (OSError, NotSent) as error:
            return CannotTell(type(error).__name__)

    def _place(self, name: str) -> Path:
        """Where a file belongs."""
        if not _FILE_NAME.fullmatch(name) or name.endswith(MARKER):
            raise Rejected(
                "the file name cannot be used",
                where=name,
                expected=f"letters, digits, . _ - and an ending other than {MARKER}",
            )
        return folder_of(self._folder, self._connection_id) / name


def folder_of(folder: Path, connection_id: str) -> Path:
    """The folder, which must be there. A missing one is not made: it may be a share that is not mounted."""
    if not folder.is_dir():
        where = f"connection {connection_id}"
        raise NotSent("the folder is missing", where=where, expected=str(folder), trouble=Trouble(Cause.FOLDER))
    return folder


def _is_there(final: Path, payload: bytes) -> bool:
    if not os.path.lexists(final):
        return False
    if not files.is_file(final) or files.sha256(final) != _digest(payload):
        raise AlreadyUsed(
            "a file with this name and another content lies there",
            where=final.name,
            expected="a new name",
        )
    return True


def _write(final: Path, payload: bytes) -> None:
    """Until the rename nothing is there, so a failure is certain; after it only the disk knows."""
    part: Path | None = None
    try:
        part = files.write_part(final, payload)
        part.rename(final)
    except OSError as error:
        if part:
            files.discard(part)
        why = error.strerror or type(error).__name__
        raise NotSent("the file cannot be written", where=final.name, helps=why, trouble=trouble_of(error)) from None
    files.sync_folder(final.parent)


def _put_at(final: Path) -> datetime:
    return datetime.fromtimestamp(final.stat().st_mtime, UTC)


def _marker(final: Path) -> Path:
    return final.with_name(f"{final.name}{MARKER}")


def _marker_text(final: Path, payload: bytes) -> bytes:
    """The form that `sha256sum -c` reads."""
    return f"{_digest(payload)}  {final.name}\n".encode()


def _digest(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()
