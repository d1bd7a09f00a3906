"""ZIP files, both ways: the same content gives the same bytes, and nothing that comes in is trusted.

A name from outside never becomes a path here: entries are returned by name, nothing touches the disk.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from kiezbruecke.errors import RecordError

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that ZIP knows
_UNIX = 3
_ENCRYPTED = 0x1
_MEGABYTE = 1024 * 1024
_CHUNK = 64 * 1024


@dataclass(frozen=True)
class Limits:
    """How much a foreign ZIP may hold before it counts as a bomb."""

    entries: int = 100
    size: int = 200 * _MEGABYTE
    ratio: int = 200
    ratio_from: int = _MEGABYTE  # small files may be compressed as well as they can
    folders: bool = False
    lenient: bool = False  # names as Windows writes them, and the leavings of archivers


def write(files: Iterable[tuple[str, bytes]]) -> bytes:
    """A ZIP in the given order with fixed times, permissions and system: same files, same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, content in files:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = _UNIX
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            entry.compress_type = zipfile.ZIP_STORED  # zlib's bytes differ from build to build
            target.writestr(entry, content)
    return buffer.getvalue()


def read(data: bytes, what: str = "ZIP", limits: Limits | None = None) -> Mapping[str, bytes]:
    """The files of a foreign ZIP by name, in its order; raises RecordError (German) if it looks wrong."""
    limits = limits or Limits()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as source:
            entries = _checked(source.infolist(), what, limits)
            return _contents(source, entries, what, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OverflowError, ValueError):
        raise RecordError("ist kein lesbares ZIP oder ist beschädigt", where=what) from None


def read_lenient(data: bytes, what: str = "ZIP", limits: Limits | None = None) -> Mapping[str, bytes]:
    """The same for what other programs have packed: folders, backslashes, and what archivers leave are harmless."""
    return read(data, what, replace(limits or Limits(), folders=True, lenient=True))


def _checked(entries: list[zipfile.ZipInfo], what: str, limits: Limits) -> list[zipfile.ZipInfo]:
    if len(entries) > limits.entries:
        raise RecordError(
            f"enthält {len(entries)} Einträge", where=what, expected=f"höchstens {limits.entries} Einträge"
        )
    if sum(entry.file_size for entry in entries) > limits.size:
        raise _too_large(what, limits)
    if limits.lenient:
        entries = [entry for entry in map(_as_posix, entries) if not _is_left(entry)]
    files = [entry for entry in entries if not (limits.folders and entry.is_dir())]
    for number, entry in enumerate(files, start=1):
        _check_entry(entry, f"{what}, Eintrag {number}", limits)
    folded = [entry.filename.casefold() for entry in files]
    if len(set(folded)) != len(folded):
        raise RecordError("enthält zwei Einträge mit demselben Namen", where=what)
    return files


def _as_posix(entry: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """Some packers of Windows write backslashes between folders (APPNOTE 4.4.17 wants slashes)."""
    entry.filename = entry.filename.replace("\\", "/")  # its original name stays: by that it is found
    return entry


def _is_left(entry: zipfile.ZipInfo) -> bool:
    """What the archivers of macOS and Windows put beside the files."""
    parts = PurePosixPath(entry.filename).parts
    return "__MACOSX" in parts[:1] or (bool(parts) and parts[-1] in (".DS_Store", "Thumbs.db", "desktop.ini"))


def _check_entry(entry: zipfile.ZipInfo, where: str, limits: Limits) -> None:
    if not _plain(entry, limits):
        raise RecordError(
            "hat einen Namen, der in einen anderen Ordner führt oder kein Dateiname ist",
            where=where,
            expected="einen einfachen Dateinamen",
        )
    if entry.flag_bits & _ENCRYPTED:
        raise RecordError("ist verschlüsselt", where=where, expected="ein ZIP ohne Kennwort")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise RecordError("ist auf unübliche Weise gepackt", where=where, expected="gespeichert oder Deflate")
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
        raise RecordError("ist keine gewöhnliche Datei", where=where)
    if entry.file_size > limits.ratio_from and entry.file_size > limits.ratio * max(entry.compress_size, 1):
        raise RecordError(
            f"ist mehr als {limits.ratio}-fach gepackt",
            where=where,
            helps="Das sieht nach einer ZIP-Bombe aus",
        )


def _plain(entry: zipfile.ZipInfo, limits: Limits) -> bool:
    """True for a plain name. `orig_filename` is asked too: Python cuts the other at a zero byte."""
    name = entry.orig_filename.replace("\\", "/") if limits.lenient else entry.orig_filename
    if not name or name != entry.filename or any(ord(char) < 32 or char in "\\:\x7f" for char in name):
        return False
    parts = PurePosixPath(name).parts
    if name.startswith("/") or name.endswith("/") or ".." in parts or name != "/".join(parts):
        return False
    return limits.folders or len(parts) == 1


def _contents(source: zipfile.ZipFile, entries: list[zipfile.ZipInfo], what: str, limits: Limits) -> dict[str, bytes]:
    contents: dict[str, bytes] = {}
    room = limits.size
    for entry in entries:
        content = _content(source, entry, room)
        if len(content) > room:
            raise _too_large(what, limits)
        room -= len(content)
        contents[entry.filename] = content
    return contents


def _content(source: zipfile.ZipFile, entry: zipfile.ZipInfo, room: int) -> bytes:
    """Read in small steps: the size that the ZIP claims is only a claim."""
    parts = bytearray()
    with source.open(entry) as handle:
        while len(parts) <= room and (chunk := handle.read(_CHUNK)):
            parts += chunk
    return bytes(parts)


def _too_large(what: str, limits: Limits) -> RecordError:
    return RecordError("ist ausgepackt zu groß", where=what, expected=f"höchstens {limits.size // _MEGABYTE} MB")
