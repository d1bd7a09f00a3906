"""What we write is for our own account: every entry point says so first; `status` warns where others can read.

What lies in folders that people share is the exception: there a file may be read by whoever may read its folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

_OTHERS = 0o077  # group and everybody
_READ, _ENTER = 0o044, 0o011


def keep_private() -> None:
    """From here on this process, and what it starts, makes folders of 0700 and files of 0600."""
    os.umask(_OTHERS)


def make_private(file: Path) -> None:
    """An empty file of 0600 where there is none, in a folder of 0700 where there is none; what is there stays."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):  # a file that is there is not opened: to close it would end this process's locks
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))


def open_to_others(folder: Path, files: Iterable[Path]) -> list[Path]:
    """What other accounts of this machine can read: the state folder, and these files with what SQLite puts beside."""
    return [*_exposed_folder(folder), *(one for file in files for one in _exposed(file))]


def _exposed_folder(folder: Path) -> Iterator[Path]:
    if folder.is_dir() and folder.stat().st_mode & _READ:
        yield folder


def _exposed(file: Path) -> Iterator[Path]:
    """A file that may be read is out of reach where its folder may not be entered."""
    if not file.parent.is_dir() or not file.parent.stat().st_mode & _ENTER:
        return
    for one in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))):
        if one.is_file() and one.stat().st_mode & _READ:
            yield one
