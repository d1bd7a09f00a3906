"""A word in every form in which a program can keep it, and a search that opens what is packed.

word ─▶ spellings (NFC, NFD, upper, escaped for JSON, HTML, addresses, mail …) ─▶ charsets ─▶ base64, hex
bytes ─▶ as they are, and what a ZIP, a PDF, a gzip or zlib stream, or a text in base64 holds
"""

from __future__ import annotations

import base64
import binascii
import html
import io
import json
import quopri
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from urllib.parse import quote, quote_plus

from tests.pdf_words import objects_of, stream_of, words_of

CHARSETS = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "latin-1", "cp437")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")
_SOFT = re.compile(rb"=\r?\n")
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_PACKED = (b"PK\x03\x04", b"%PDF", b"\x1f\x8b")
_DEEPEST = 4
Beginnings = tuple[tuple[bytes, tuple[bytes, ...]], ...]


def hits(body: bytes, words: Iterable[str]) -> set[str]:
    """Which of the words stand in these bytes, in whatever form, also inside what is packed."""
    known = tuple(words)
    return {word for part in opened(body) for word in known if _stands(part, part.lower(), word)}


def hits_in_file(file: Path, words: Iterable[str]) -> set[str]:
    """The same for a file: its name, and its bytes as they lie on the disk (a database's free pages, too)."""
    known = tuple(words)
    return hits(file.name.encode("utf-8", "surrogateescape"), known) | hits(file.read_bytes(), known)


def files_of(folder: Path) -> list[Path]:
    """Every file below a folder; one that vanishes meanwhile is none."""
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _stands(body: bytes, folded: bytes, word: str) -> bool:
    plain, exact = forms(word)
    return _any(folded, plain) or _any(body, exact)


def _any(body: bytes, beginnings: Beginnings) -> bool:
    """Hundreds of forms begin in a few ways, and most bodies hold none of these."""
    return any(begin in body and any(form in body for form in found) for begin, found in beginnings)


@cache
def forms(word: str) -> tuple[Beginnings, Beginnings]:
    """All forms of a word, by how they begin: those in which ASCII's case means nothing (folded), and the others."""
    texts = {form for spelled in _spellings(word) for form in _escaped(spelled)}
    plain = {text.encode(code) for text in texts for code in CHARSETS if _fits(text, code)}
    raw = {text.encode(code) for text in _spellings(word) for code in CHARSETS if _fits(text, code)}
    plain |= {_printed(one, blanks) for one in raw if b"\x00" not in one for blanks in (True, False)}
    plain |= {binascii.hexlify(one) for one in raw}
    return _by_beginning({one.lower() for one in plain}), _by_beginning(
        {form for one in raw for form in _in_base64(one)}
    )


def _by_beginning(found: set[bytes]) -> Beginnings:
    grouped: dict[bytes, list[bytes]] = {}
    for form in found:
        grouped.setdefault(form[:6], []).append(form)
    return tuple((begin, tuple(rest)) for begin, rest in grouped.items())


def _printed(raw: bytes, blanks: bool) -> bytes:
    """Quoted-printable, in one line; `opened` takes the soft ends of lines out."""
    return _SOFT.sub(b"", quopri.encodestring(raw, quotetabs=blanks))


def _spellings(word: str) -> set[str]:
    cases = {word, word.upper(), word.lower(), word.casefold(), word.title()}
    return {unicodedata.normalize(form, case) for case in cases for form in ("NFC", "NFD")}


def _escaped(text: str) -> set[str]:
    """As JSON (once and twice), HTML, an address, Python's repr, YAML and Alembic-like logs write it."""
    in_json = json.dumps(text)[1:-1]
    entities = {
        text.encode("ascii", "xmlcharrefreplace").decode(),
        "".join(f"&#x{ord(one):x};" if ord(one) > 127 else one for one in text),
        html.escape(text),
        "".join(f"&{_ENTITIES[ord(one)]};" if ord(one) in _ENTITIES else one for one in text),
    }
    latin = {quote(text, encoding="latin-1"), quote_plus(text, encoding="latin-1")} if _fits(text, "latin-1") else set()
    mangled = {text.encode().decode("latin-1"), repr(text.encode())[2:-1]}  # UTF-8 taken for something else
    return {
        *(text, in_json, json.dumps(in_json)[1:-1], text.encode("unicode_escape").decode()),
        *(quote(text), quote(text, safe=""), quote_plus(text), quote(quote(text))),
        *(entities | latin | mangled),
    }


_ENTITIES = {code: name for code, name in html.entities.codepoint2name.items() if code > 127}


def _fits(text: str, code: str) -> bool:
    try:
        text.encode(code)
    except UnicodeEncodeError:
        return False
    return True


def _in_base64(raw: bytes) -> Iterator[bytes]:
    """What of it is the same wherever it begins: three alignments, without the signs that neighbours share."""
    for shift, shared in enumerate((0, 2, 3)):
        coded = base64.b64encode(b"\0" * shift + raw)
        whole = (shift + len(raw)) // 3 * 4
        for one in (coded, base64.urlsafe_b64encode(b"\0" * shift + raw)):
            yield one[shared:whole]


def opened(body: bytes, depth: int = 0) -> Iterator[bytes]:
    """The bytes, and what is packed in them."""
    yield body
    if depth < _DEEPEST:
        for part in _inside(body):
            yield from opened(part, depth + 1)


def _inside(body: bytes) -> Iterator[bytes]:
    if body.startswith(b"PK\x03\x04"):
        yield from _unzipped(body)
    elif body.startswith(b"%PDF"):
        yield from _streams(body)
    elif body.startswith(b"\x1f\x8b"):
        yield from _inflated(body, zlib.MAX_WBITS | 16)
    else:
        yield from _embedded(body)


def _embedded(body: bytes) -> Iterator[bytes]:
    """Packed things in the middle of others: a blob in a database's page, a document in SOAP."""
    if _SOFT.search(body):
        yield _SOFT.sub(b"", body)
    for found in _ZLIB.finditer(body):
        yield from _inflated(memoryview(body)[found.start() :], zlib.MAX_WBITS)
    for start in _PACKED:
        place = body.find(start)
        if start == b"PK\x03\x04" and place >= 0:
            yield from _entries(body)
        elif place > 0:
            yield from _inside(body[place:])
    for found in _BASE64.finditer(body):
        decoded = _decoded(found[0])
        if decoded.startswith(_PACKED) or decoded[:1] == b"\x78":
            yield decoded


def _entries(body: bytes) -> Iterator[bytes]:
    """Each entry of ZIPs that lie anywhere in these bytes, even where their directory is torn."""
    for found in re.finditer(rb"PK\x03\x04", body):
        at = found.start()
        name, extra = (int.from_bytes(body[at + place : at + place + 2], "little") for place in (26, 28))
        begin = at + 30 + name + extra
        yield body[at + 30 : at + 30 + name]
        if body[at + 8 : at + 10] == b"\x08\x00":
            yield from _inflated(memoryview(body)[begin:], -zlib.MAX_WBITS)


def _unzipped(body: bytes) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            for name in packed.namelist():
                yield name.encode("utf-8", "surrogatepass")
                yield packed.read(name)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError, OSError):
        yield from _entries(body)  # half of one, as a broken server sends it, or one whose places lie outside it


def _inflated(body: bytes | memoryview, how: int) -> Iterator[bytes]:
    unpacking = zlib.decompressobj(how)
    try:
        content = unpacking.decompress(body, 64 * 1024 * 1024)
    except zlib.error:
        return
    if content:
        yield content


def _decoded(text: bytes) -> bytes:
    text = text.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    return base64.b64decode(text[: len(text) // 4 * 4])


def _streams(body: bytes) -> Iterator[bytes]:
    """A PDF's objects and streams, unpacked, and its words."""
    try:
        yield from (part for found in objects_of(body).values() for part in (found, stream_of(found)))
        yield words_of(body).encode()
    except (ValueError, LookupError, zlib.error):  # a torn one
        for found in _ZLIB.finditer(body):
            yield from _inflated(memoryview(body)[found.start() :], zlib.MAX_WBITS)
