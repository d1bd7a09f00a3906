"""Where files lie: a folder of this machine, or one on an SFTP server. The same few operations on both.

A name never holds a path. What is not there raises FileNotFoundError, what cannot be had any other OSError.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from connectors import _files as files
from kiezbruecke.errors import NotSent
from kiezbruecke.troubles import Cause, Trouble

PART = ".part"


class Place(Protocol):
    """One folder. Its files are looked at by their content, never by their times."""

    def names(self) -> list[str]:
        """The names in it, sorted."""

    def read(self, name: str, most: int) -> bytes:
        """The first bytes of a file."""

    def write(self, name: str, body: bytes) -> None:
        """Write a file durably; what lay under this name is replaced. Only for names that end with `.part`."""

    def rename(self, name: str, new_name: str, to: Place | None = None) -> None:
        """Give a file another name, here or in another folder of the same place; never over one that is there."""

    def remove(self, name: str) -> None:
        """Take a file away; one that is not there is fine."""

    def close(self) -> None:
        """Give back what is held; a later call opens anew."""


class LocalFolder:
    """A folder of this machine; it must be there: a missing one may be a share that is not mounted."""

    def __init__(self, path: Path, where: str) -> None:
        self._path, self._where = path, where

    def names(self) -> list[str]:
        """The names in it, sorted."""
        return sorted(os.listdir(self.there()))  # noqa: PTH208 - names, not paths

    def read(self, name: str, most: int) -> bytes:
        """The first bytes of a regular file."""
        with files.OpenFolder.open(self.there()) as folder:
            return folder.read(name, most)[0]

    def write(self, name: str, body: bytes) -> None:
        """Write a file whole; an older one is replaced."""
        files.replace(self.there() / name, body)

    def rename(self, name: str, new_name: str, to: Place | None = None) -> None:
        """A second name, then one less: a rename of the system would put it over a file that is there."""
        assert to is None or isinstance(to, LocalFolder)
        target = to.there() if to else self.there()
        os.link(self.there() / name, target / new_name, follow_symlinks=False)
        (self.there() / name).unlink()
        files.sync_folder(target)

    def remove(self, name: str) -> None:
        """Take a file away."""
        (self.there() / name).unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing is held."""

    def there(self) -> Path:
        """The folder; raises NotSent where it is missing."""
        if not self._path.is_dir():
            trouble = Trouble(Cause.FOLDER)
            raise NotSent("the folder is missing", where=self._where, expected=str(self._path), trouble=trouble)
        return self._path


def present(read: Callable[[], bytes]) -> bytes | None:
    """What is read; None where it is not there."""
    try:
        return read()
    except FileNotFoundError:
        return None
