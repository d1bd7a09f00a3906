"""The machine around us: files that appear whole or not at all, and what it refuses, in one line.

A full disk, a folder that is a file, a name that no terminal can show: everybody meets them everywhere. So they are
worded here once, and whoever calls us asks `refusal` before calling anything unexpected.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from kiezbruecke.errors import ConfigurationError, KiezbrueckeError, MachineError

MAX_BYTES = 20_000_000  # of a file that people write; sheets and messages have limits of their own
_HELPS = {
    errno.ENOSPC: "free space there, then call again",
    errno.EDQUOT: "free space there, then call again",
    errno.EFBIG: "raise the limit of this account (ulimit -f), then call again",
    errno.EACCES: "give this account the right, or name another place",
    errno.EPERM: "give this account the right, or name another place",
    errno.EROFS: "name a place that can be written",
    errno.ENAMETOOLONG: "a shorter name",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}


def write_file(file: Path, content: str | bytes, *, folders: bool = True) -> None:
    """Write a file whole or not at all, with the folders above it; raises MachineError.

    Without `folders` they must be there: a path that a person has typed may be mistyped.
    What is behind a symbolic link is written, and the link stays. A file that is replaced keeps its mode.
    """
    above = [folder for folder in file.parents if not folder.exists()]
    try:
        if folders:
            file.parent.mkdir(parents=True, exist_ok=True)
        _replace(file.resolve(), content.encode() if isinstance(content, str) else content)
    except OSError as error:
        with suppress(OSError):
            for folder in above if folders else ():
                folder.rmdir()
        raise _worded(error, file) from None


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """One at a time on this machine reads a file, or a folder, in the block and writes it anew; raises MachineError.

    Who waits goes on when the other has ended or was killed. The lock is a file beside it, which stays.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = file.with_name(f"{file.name}.lock").open("a")
    except OSError as error:
        raise _worded(error, file) from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def growing_file(file: Path) -> Iterator[BinaryIO]:
    """A file that is written piece by piece in the block, and is there whole behind it or not at all; as `write_file`.

    The folders above it must be there.
    """
    target = file.resolve()
    part = target.with_name(f".{token_hex(8)}.part")
    try:
        with part.open("xb") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        _take_place(part, target)
    except OSError as error:
        raise _worded(error, error.filename or file) from None
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def growing_folder(folder: Path) -> Iterator[Path]:
    """A folder that is filled in the block, under another name until it is whole; it must be new, or empty.

    The folders above it must be there.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError("is there already", where=str(folder), expected="a new folder, or an empty one")
    target = folder.resolve()
    part = target.with_name(f".{token_hex(8)}.part")
    try:
        part.mkdir()
        yield part
        part.replace(target)
    except OSError as error:
        raise _worded(error, folder if error.filename in {str(part), part} else error.filename or folder) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def whole_folder(folder: Path) -> Iterator[None]:
    """A new folder that is filled in the block, or is not there: whatever stops the block takes it away again."""
    was_there = folder.exists()
    try:
        yield
    except BaseException:
        if not was_there:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def open_file(file: Path, *, what: str = "the file") -> BufferedReader:
    """A regular file of any size, to be read piece by piece; raises ConfigurationError."""
    try:
        _refuse_endless(file, file.stat(), what)
        return file.open("rb")
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{what} cannot be read: {_reason(error)}", where=str(file)) from None


def _refuse_endless(file: Path, state: os.stat_result, what: str) -> None:
    """A pipe or a device would be read for ever."""
    if not stat.S_ISREG(state.st_mode):
        raise ConfigurationError(f"{what} is no file", where=str(file), expected="a file")


def read_file(file: Path, *, what: str = "the file") -> bytes:
    """The bytes of a regular file of a sane size; raises FileNotFoundError, and ConfigurationError for the rest."""
    try:
        state = file.stat()
        _refuse_endless(file, state, what)
        if state.st_size > MAX_BYTES:
            raise ConfigurationError(f"{what} is too large", where=str(file), expected=f"at most {MAX_BYTES} bytes")
        return file.read_bytes()
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:  # a name with a zero in it is a ValueError
        raise ConfigurationError(f"{what} cannot be read: {_reason(error)}", where=str(file)) from None


def read_text(file: Path, *, what: str = "the file") -> str:
    """The text of a file in UTF-8, with or without a byte order mark, line ends as `\\n`; raises as `read_file`."""
    try:
        text = read_file(file, what=what).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigurationError(f"{what} is not UTF-8", where=f"{file}:{line}", expected="UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def refusal(error: BaseException) -> KiezbrueckeError | None:
    """What the machine refuses, as an error of ours; None for everything that only a programmer can explain."""
    match error:
        case OSError():
            return _worded(error, error.filename)
        case MemoryError():
            return MachineError("there is not enough memory", helps="give more, or less to do at once")
        case RecursionError():
            return ConfigurationError("an input is nested too deeply", expected="fewer levels")
        case UnicodeEncodeError():
            return ConfigurationError("a word or file name is no text", expected="names in UTF-8")
    return None


def _worded(error: OSError, file: object) -> MachineError:
    where = os.fsdecode(file) if isinstance(file, bytes) else "" if file is None else str(file)
    return MachineError(_reason(error), where=where, helps=_HELPS.get(error.errno or 0, ""))


def _reason(error: Exception) -> str:
    """The system's own words for a number, never the text of an exception."""
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number).lower() if number else "the system refuses"


def _replace(file: Path, content: bytes) -> None:
    part = file.with_name(f".{token_hex(8)}.part")
    try:
        with part.open("xb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        _take_place(part, file)
    finally:
        part.unlink(missing_ok=True)


def _take_place(part: Path, file: Path) -> None:
    if file.exists():
        if not file.is_file():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(file))
        part.chmod(stat.S_IMODE(file.stat().st_mode))
    part.replace(file)
