"""An XLSX file as a package of XML parts, read part by part as a stream: nothing is unpacked or built as a whole.

    bytes ──looked at (kind, size, macros)──▶ package ──parse(part)──▶ start, text, end … to a reader

openpyxl, which writes our templates, builds every row, style and text as objects before anybody can count them.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from typing import Protocol
from xml.parsers import expat

from connectors._tables.cells import SheetProblem
from connectors._tables.limits import Meter, TableLimits

BROKEN = "Die Datei ist beschädigt oder keine Excel-Datei; bitte neu speichern (XLSX) oder als CSV ablegen."
LOCKED = "Die Datei ist mit einem Kennwort geschützt; bitte ohne Kennwort speichern."
_MACROS = "Die Datei enthält Makros; bitte ohne Makros als XLSX speichern."
_SWOLLEN = "Die Datei ist entpackt zu groß."
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # the container of encrypted and of old Excel files
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_ENTRY = b"PK\x01\x02"  # begins each entry of a ZIP's directory
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # all that OPC allows; others cannot be unpacked bit by bit
_ENCODINGS = ("utf-8", "utf-16", "us-ascii")
_CHUNK = 64 * 1024
# What broken or hostile files raise below us; their texts may quote cells and are dropped.
UNREADABLE = (
    zipfile.BadZipFile, zlib.error, expat.ExpatError, OSError, EOFError, ValueError, LookupError, ArithmeticError,
    RuntimeError, NotImplementedError, MemoryError,
)  # fmt: skip


class Reader(Protocol):
    """What hears of one part. Names are local names: an XLSX means the same in both of its namespaces."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, text: str) -> None:
        """Text within an element, maybe in pieces."""


class Package:
    """The parts of one XLSX file; raises SheetProblem for whatever is no harmless workbook."""

    def __init__(self, raw: bytes, limits: TableLimits) -> None:
        self.limits = limits
        self.meter = Meter(limits)
        self._left, self._elements = limits.unpacked, 0
        _check_kind(raw, limits)
        self._zip = zipfile.ZipFile(io.BytesIO(raw))
        self._parts = {part.filename.lower(): part for part in self._zip.infolist()}
        _check_parts(self._zip.infolist(), self._parts, limits)
        self.parse("[Content_Types].xml", _ContentTypes())

    def has(self, part: str) -> bool:
        """Whether there is such a part."""
        return part.lower() in self._parts

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """Of a part: id → kind (the last word of its type) and the part that it leads to."""
        folder, name = posixpath.split(part)
        place = f"{folder}/_rels/{name}.rels" if folder else f"_rels/{name}.rels"
        found = _Relations(folder, self.limits.relations)
        if self.has(place):
            self.parse(place, found)
        return found.targets

    def parse(self, part: str, reader: Reader) -> None:
        """Tell the reader of a part, within the limits."""
        stream = _Stream(reader, self)
        with self._zip.open(self._parts[part.lower()]) as packed:
            while chunk := packed.read(_CHUNK):
                self._left -= len(chunk)
                if self._left < 0:
                    raise SheetProblem(_SWOLLEN)
                self.meter.tick()
                stream.feed(chunk)
        stream.close()

    def element(self) -> None:
        """Count one more element."""
        self._elements += 1
        if self._elements > self.limits.elements:
            raise SheetProblem(
                "Die Datei hat zu viele Zellen, auch leere; bitte nur die Tabelle in eine neue Datei kopieren."
            )


def _check_kind(raw: bytes, limits: TableLimits) -> None:
    if raw.startswith(_OLE):
        if _ENCRYPTED in raw:
            raise SheetProblem(LOCKED)
        raise SheetProblem("Die Datei hat das alte Excel-Format (XLS); bitte als XLSX speichern.")
    if raw.count(_ENTRY) > limits.parts:
        raise SheetProblem(_SWOLLEN)


def _check_parts(listed: Sequence[zipfile.ZipInfo], parts: Mapping[str, zipfile.ZipInfo], limits: TableLimits) -> None:
    if sum(part.file_size for part in listed) > limits.unpacked:
        raise SheetProblem(_SWOLLEN)
    if any(part.flag_bits & 0x1 for part in listed):
        raise SheetProblem(LOCKED)
    if any(name.endswith("vbaproject.bin") for name in parts):
        raise SheetProblem(_MACROS)
    if "xl/workbook.bin" in parts:
        raise SheetProblem("Die Datei ist eine Binär-Arbeitsmappe (XLSB); bitte als XLSX speichern.")
    if "content.xml" in parts and "mimetype" in parts:
        raise SheetProblem("Die Datei ist eine OpenDocument-Tabelle (ODS); bitte als XLSX speichern.")
    if len(parts) < len(listed) or any(part.compress_type not in _METHODS for part in listed):
        raise SheetProblem(BROKEN)


class _Stream:
    """Feeds one part to expat and its events to a reader."""

    def __init__(self, reader: Reader, package: Package) -> None:
        self._reader, self._package = reader, package
        self._limits = package.limits
        self._fed = self._depth = 0
        self._names: dict[str, str] = {}
        self._expat = expat.ParserCreate(namespace_separator=" ", intern=self._names)
        self._expat.buffer_text = True
        self._expat.XmlDeclHandler = _check_declaration
        self._expat.StartDoctypeDeclHandler = _refuse_document_type
        self._expat.StartElementHandler = self._start
        self._expat.EndElementHandler = self._end
        self._expat.CharacterDataHandler = reader.text

    def feed(self, chunk: bytes) -> None:
        """The next bytes; what expat has not understood yet is one sign of XML, and no sign is that long."""
        self._fed += len(chunk)
        self._expat.Parse(chunk, False)
        if self._fed - self._expat.CurrentByteIndex > self._limits.part + len(chunk):
            raise SheetProblem(BROKEN)

    def close(self) -> None:
        """No more bytes."""
        self._expat.Parse(b"", True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._package.element()
        if self._depth > self._limits.depth or len(self._names) > self._limits.names:
            raise SheetProblem(BROKEN)
        self._reader.start(_local(name), attributes)

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._reader.end(_local(name))


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _check_declaration(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding and encoding.lower() not in _ENCODINGS:
        raise SheetProblem(BROKEN)


def _refuse_document_type(*_: object) -> None:
    """An XLSX needs none, an attack does."""
    raise SheetProblem(BROKEN)


class Silent:
    """A reader that hears nothing yet."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, text: str) -> None:
        """Text within an element."""


class _ContentTypes(Silent):
    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        del name
        if "macroenabled" in attributes.get("ContentType", "").lower():
            raise SheetProblem(_MACROS)


class _Relations(Silent):
    def __init__(self, folder: str, most: int) -> None:
        self.targets: dict[str, tuple[str, str]] = {}
        self._folder, self._most = folder, most

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name != "Relationship" or attributes.get("TargetMode") == "External":
            return
        target = attributes.get("Target", "")
        place = target[1:] if target.startswith("/") else posixpath.join(self._folder, target)
        kind = attributes.get("Type", "").rpartition("/")[2]
        self.targets[attributes.get("Id", "")] = (kind, posixpath.normpath(place))
        if len(self.targets) > self._most:
            raise SheetProblem(BROKEN)
