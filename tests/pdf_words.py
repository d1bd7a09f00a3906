"""Reads our PDFs with plain means: objects, streams, and the words of each page through the font's own table."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

_OBJECT = re.compile(rb"\n(\d+) 0 obj\n(.*?)\nendobj", re.DOTALL)
_TOKEN = re.compile(
    rb"<<(?P<marks>.*?)>>\s*BDC|(?P<text>\()|/(?P<font>f\d+) [\d.]+ Tf|\b(?P<line>BT)\b|\b(?P<end>EMC)\b",
    re.DOTALL,
)
_INSTEAD = re.compile(rb"/ActualText\s*(?:<FEFF(?P<wide>[0-9A-F]*)>|\((?P<plain>(?:\\.|[^\\()])*)\))", re.DOTALL)
_PARENTHESIS = re.compile(rb"\\.|[()]", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def objects_of(pdf: bytes) -> dict[int, bytes]:
    """The objects by number, streams still packed."""
    return {int(number): body for number, body in _OBJECT.findall(pdf)}


def streams_of(pdf: bytes) -> list[bytes]:
    """All streams, unpacked."""
    return [stream for body in objects_of(pdf).values() for stream in [stream_of(body)] if stream]


def stream_of(body: bytes) -> bytes:
    """The stream of an object, unpacked; empty where it has none."""
    head, found, rest = body.partition(b"stream\n")
    raw = rest.rpartition(b"\nendstream")[0]
    return zlib.decompress(raw) if found and b"/FlateDecode" in head else raw


def pages_of(pdf: bytes) -> list[str]:
    """The text of each page; a new line wherever the page begins a new piece of text."""
    objects = objects_of(pdf)
    pages = [body for body in objects.values() if b"/Type/Page/" in body]
    return ["".join(_words(page, objects)) for page in pages]


def words_of(pdf: bytes) -> str:
    """The text of all pages, without the blanks of no width that let long words break."""
    return "\n".join(pages_of(pdf)).replace("\u200b", "")


def metadata_of(pdf: bytes) -> str:
    """The XMP packet."""
    return next(body for body in objects_of(pdf).values() if b"/Type/Metadata" in body).decode("utf-8", "ignore")


def _words(page: bytes, objects: dict[int, bytes]) -> Iterator[str]:
    resources = objects[int(re.search(rb"/Resources (\d+)", page)[1])]  # type: ignore[index]
    fonts = dict(re.findall(rb"/(f\d+) (\d+) 0 R", resources))
    letters = {name: _letters(objects[int(number)], objects) for name, number in fonts.items()}
    content = stream_of(objects[int(re.search(rb"/Contents (\d+)", page)[1])])  # type: ignore[index]
    known: dict[int, str] = {}
    instead = False  # the marks have said the text already
    at = 0
    while token := _TOKEN.search(content, at):
        at = token.end()
        if token["line"]:
            yield "\n"
        elif token["font"]:
            known = letters[token["font"]]
        elif token["end"]:
            instead = False
        elif token["marks"] is not None:
            said = _INSTEAD.search(token["marks"])
            instead = said is not None
            yield _actual(said) if said else ""
        else:
            at = _end_of_text(content, at)
            raw = b"" if instead else _plain(content[token.end() : at - 1])
            yield "".join(known[int.from_bytes(raw[i : i + 2], "big")] for i in range(0, len(raw), 2))


def _end_of_text(content: bytes, at: int) -> int:
    """Behind the parenthesis that closes: those in pairs stand unescaped in a text."""
    depth = 1
    for found in _PARENTHESIS.finditer(content, at):
        depth += {b"(": 1, b")": -1}.get(found[0], 0)
        if not depth:
            return found.end()
    raise ValueError("a text without end")


def _actual(said: re.Match[bytes]) -> str:
    if said["wide"] is not None:
        return bytes.fromhex(said["wide"].decode()).decode("utf-16-be")
    return _plain(said["plain"]).decode("latin-1")


def _plain(raw: bytes) -> bytes:
    def meant(found: re.Match[bytes]) -> bytes:
        octal = found[1]
        return bytes([int(octal, 8)]) if octal[:1].isdigit() else _ESCAPED.get(octal, octal)

    return re.sub(rb"\\([0-7]{1,3}|.)", meant, raw, flags=re.DOTALL)


def _letters(font: bytes, objects: dict[int, bytes]) -> dict[int, str]:
    table = stream_of(objects[int(re.search(rb"/ToUnicode (\d+)", font)[1])])  # type: ignore[index]
    pairs = re.findall(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]+)>\n", table)
    return {int(code, 16): bytes.fromhex(letter.decode()).decode("utf-16-be") for code, letter in pairs}
