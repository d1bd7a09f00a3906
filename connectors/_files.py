"""Files that appear whole or not at all, are never overwritten by another content, and are what they were looked at.

Others may write into our folders. So a folder is held open by its descriptor, a name in it never leads elsewhere
(`O_NOFOLLOW`), nothing that is no file is waited for (`O_NONBLOCK`), and what was opened is looked at, not its name.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO, Self

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class NoFileError(OSError):
    """A name leads to no regular file: to a link, a folder, a pipe."""


class OpenFolder:
    """A folder that is held open: nobody can exchange it, or what a name in it means, while we work."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[Self]:
        """The folder of an operator, who may have made it a link."""
        with cls._held(os.open(path, _FOLDER)) as folder:
            yield folder

    @contextmanager
    def sub(self, name: str, *, make: bool = False) -> Iterator[Self]:
        """A folder in this one, which is no link; made for us alone, and for the group that may write into this one."""
        if make:
            self._make(name)
        try:
            descriptor = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=self._descriptor)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                raise NotADirectoryError(errno.ENOTDIR, "it is a link or a file; expected a folder") from None
            raise
        with self._held(descriptor) as folder:
            yield folder

    def names(self) -> list[str]:
        """Everything that lies here."""
        return sorted(os.listdir(self._descriptor))  # noqa: PTH208 - of a descriptor

    def look(self, name: str) -> os.stat_result | None:
        """What is known of a regular file; None for everything else."""
        try:
            seen = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except OSError:
            return None
        return seen if stat.S_ISREG(seen.st_mode) else None

    def is_taken(self, name: str) -> bool:
        """Whether anything has this name."""
        try:
            os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def read(self, name: str, most: int) -> tuple[bytes, os.stat_result]:
        """The first bytes of a regular file, and what is known of exactly that file; raises OSError."""
        with self.stream(name) as (handle, seen):
            return handle.read(most), seen

    @contextmanager
    def stream(self, name: str) -> Iterator[tuple[BinaryIO, os.stat_result]]:
        """A regular file to be read piece by piece, and what is known of exactly that file; raises OSError."""
        descriptor = self._open(name)
        with os.fdopen(descriptor, "rb") as handle:
            seen = os.fstat(descriptor)
            if not stat.S_ISREG(seen.st_mode):
                raise NoFileError(name)
            yield handle, seen

    def replace(self, name: str, body: bytes) -> None:
        """Write a file of ours atomically; an older one of the same name is replaced."""
        part = _write_part(body, self._descriptor, self._mode())
        try:
            os.replace(part, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
        except OSError:
            _discard(part, self._descriptor)
            raise
        self.sync()

    def add(self, name: str, body: bytes) -> None:
        """Write a file of ours whole and durably, or raise FileExistsError: of two at once one has written it."""
        part = _write_part(body, self._descriptor, self._mode())
        try:
            here = self._descriptor
            os.link(part, name, src_dir_fd=here, dst_dir_fd=here, follow_symlinks=False)
        finally:
            _discard(part, self._descriptor)
        self.sync()

    def move(self, name: str, to: OpenFolder, new_name: str, expected: os.stat_result) -> None:
        """Move exactly the file that was looked at; another that has taken its name goes back. Raises OSError."""
        os.rename(name, new_name, src_dir_fd=self._descriptor, dst_dir_fd=to._descriptor)
        moved = os.stat(new_name, dir_fd=to._descriptor, follow_symlinks=False)
        if (moved.st_dev, moved.st_ino) != (expected.st_dev, expected.st_ino):
            os.rename(new_name, name, src_dir_fd=to._descriptor, dst_dir_fd=self._descriptor)
            raise NoFileError(name)
        to._keep_private(new_name)
        to.sync()

    def remove(self, name: str, expected: os.stat_result) -> None:
        """Remove exactly the file that was looked at, if it is still there; another that has its name stays."""
        aside = f".{token_hex(8)}.part"
        with contextlib.suppress(FileNotFoundError, NoFileError):
            self.move(name, self, aside, expected)
            os.unlink(aside, dir_fd=self._descriptor)

    def sync(self) -> None:
        """Make names durable, not only contents."""
        os.fsync(self._descriptor)

    @classmethod
    @contextmanager
    def _held(cls, descriptor: int) -> Iterator[Self]:
        try:
            yield cls(descriptor)
        finally:
            os.close(descriptor)

    def _open(self, name: str) -> int:
        try:
            return os.open(name, _READ, dir_fd=self._descriptor)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise NoFileError(name) from None
            raise

    def _make(self, name: str) -> None:
        try:
            os.mkdir(name, 0o700, dir_fd=self._descriptor)
        except FileExistsError:
            return
        if self._is_shared():
            with self.sub(name) as made:
                made.let_group_read()

    def let_group_read(self) -> None:
        """Open this folder to its group; what the system has inherited (the group itself) stays."""
        inherited = stat.S_IMODE(os.fstat(self._descriptor).st_mode) & 0o7000
        os.fchmod(self._descriptor, inherited | 0o750)

    def _is_shared(self) -> bool:
        return bool(os.fstat(self._descriptor).st_mode & stat.S_IWGRP)

    def _mode(self) -> int:
        """A file of ours is read by the group that may enter its folder, and by nobody else."""
        return 0o640 if os.fstat(self._descriptor).st_mode & stat.S_IXGRP else 0o600

    def _keep_private(self, name: str) -> None:
        """A clerk's file keeps its owner's mode where it is not ours to change."""
        with contextlib.suppress(OSError):
            descriptor = os.open(name, _READ, dir_fd=self._descriptor)
            try:
                os.fchmod(descriptor, self._mode())
            finally:
                os.close(descriptor)


def sha256(path: Path) -> str:
    """SHA-256 (hex) of a regular file; raises OSError for a link, a pipe or a folder."""
    descriptor = os.open(path, _READ)
    with os.fdopen(descriptor, "rb") as handle:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NoFileError(path.name)
        return hashlib.file_digest(handle, "sha256").hexdigest()


def is_file(path: Path) -> bool:
    """Whether a regular file lies there, and no link to one."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def write_part(final: Path, body: bytes) -> Path:
    """Write `body` durably beside `final`, under a hidden name that no reader takes."""
    with _descriptor(final.parent) as folder:
        return final.with_name(_write_part(body, folder, os.fstat(folder).st_mode & 0o666))  # for its readers


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
    with _descriptor(folder) as descriptor:
        os.fsync(descriptor)


def discard(part: Path) -> None:
    """Remove an unfinished file; if even that fails, it stays hidden and harmless."""
    with contextlib.suppress(OSError):
        part.unlink(missing_ok=True)


@contextmanager
def _descriptor(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, _FOLDER)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _write_part(body: bytes, folder: int, mode: int) -> str:
    part = f".{token_hex(8)}.part"
    try:
        with os.fdopen(os.open(part, _WRITE, 0o600, dir_fd=folder), "wb") as handle:
            with contextlib.suppress(PermissionError):  # some shares know no rights
                os.fchmod(handle.fileno(), mode)  # whatever this process keeps for itself
            handle.write(body)
            handle.flush()
            os.fsync(handle.fileno())
    except OSError:
        _discard(part, folder)
        raise
    return part


def _discard(part: str, folder: int) -> None:
    with contextlib.suppress(OSError):
        os.unlink(part, dir_fd=folder)
