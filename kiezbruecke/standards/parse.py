"""The one door for foreign XML: no document type, no entity, no network, no endless depth or text, no odd charset.

Every file that comes from outside is read with `parse`. A parser with other settings would be a second door; where one
is needed (huge texts in a SOAP answer) it gets what `in_utf8` lets through.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain
from xml.parsers import expat

from lxml import etree

from kiezbruecke.errors import RecordError

_OURS = b"<?xml version='1.0' encoding='UTF-8'?>"
_CODECS: Mapping[str, str] = {  # a closed list: libxml2 and Python know hundreds, UTF-7 and idna among them
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "iso-8859-1": "iso-8859-1",
    "iso8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "iso-8859-15": "iso-8859-15",
    "iso8859-15": "iso-8859-15",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
}
_READ = "UTF-8, UTF-16, ISO-8859-1, ISO-8859-15 oder Windows-1252"
_MARKS = (  # the longer first: UTF-32's begins like UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16le"),
    (codecs.BOM_UTF16_BE, "utf-16be"),
)
_UNMARKED = ((b"<\0?\0", "utf-16le"), (b"\0<\0?", "utf-16be"))  # XML 1.0, appendix F
_DECLARED = re.compile(rb"""^(<\?xml\s[^>]{0,100}?)\s+encoding\s*=\s*["']([^"'>]{0,60})["']""")
_BLANKS = b" \t\r\n"
_PARSER = etree.XMLParser(  # one for all: threads wait for each other in it
    resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=False
)
_LONGEST_DECLARATION = 1_000  # bytes, in any encoding


class _Started(Exception):
    """The root element begins, the prolog was clean."""


class _TypeDeclared(Exception):
    """The document declares a document type."""


def parse(data: bytes, what: str = "XML") -> etree._Element:
    """The root element of foreign XML; raises RecordError (German, no values) if it is not plain XML."""
    try:
        data = in_utf8(data)
    except LookupError:
        raise _unknown_encoding(what) from None
    except UnicodeDecodeError as error:
        raise _unreadable(what, data.count(b"\n", 0, error.start) + 1) from None
    if b"<!DOCTYPE" in data:
        _refuse_doctype(data, what)
    try:
        return tree(data)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _unreadable(what, getattr(error, "lineno", None) or 1) from None


def tree(data: bytes) -> etree._Element:
    """The root element of a text that `in_utf8` and one of the two below have let through; raises as lxml does."""
    return etree.fromstring(data, _PARSER)


def without_doctype(data: bytes) -> bytes:
    """A schema without its document type, every line where it was: official ones declare what only DTDs need.

    What it declares is ignored, so the text that uses an entity is no XML. Raises ValueError with the names of an
    element and an attribute that would get a value by it: that would be another schema.
    """
    reader, span, given = expat.ParserCreate("UTF-8"), [0, 0], list[str]()

    def begins(*_: object) -> None:
        span[0] = data.rfind(b"<!DOCTYPE", 0, reader.CurrentByteIndex)

    def ends() -> None:
        span[1] = reader.CurrentByteIndex + 1
        raise _Started  # before the root's attributes, whose entities expat would expand

    def attribute(element: str, name: str, _kind: str, default: str | None, _required: bool) -> None:
        if default is not None and not name.startswith("xmlns"):
            given.append(f"{element}/@{name}")

    reader.StartDoctypeDeclHandler, reader.EndDoctypeDeclHandler = begins, ends
    reader.AttlistDeclHandler, reader.StartElementHandler = attribute, _started
    if b"<!DOCTYPE" in data:
        with suppress(_Started, expat.ExpatError):  # no entity is ever opened; of a broken text lxml says where
            reader.Parse(data, True)
    if given:
        raise ValueError(given[0])
    first, last = span
    return data[:first] + b"\n" * data.count(b"\n", first, last) + data[last:]


def parse_each(pieces: Iterable[bytes], name: str = "", what: str = "XML") -> Iterator[etree._Element]:
    """The elements of this local name in foreign XML, outermost only – without a name those right below the root.

    The document is read piece by piece, and what was handed out is forgotten: take from an element what is needed
    before the next one. Raises RecordError as `parse` does, and where there are others and none of this name.
    """
    parser = etree.XMLPullParser(
        events=("end",),
        tag=f"{{*}}{name}" if name else None,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
    )
    found = False
    try:
        for piece in _prolog_checked(_pieces_in_utf8(pieces), what):
            parser.feed(piece)
            for element in _whole_ones(parser, name):
                found = True
                yield element
        root = parser.close()
    except LookupError:
        raise _unknown_encoding(what) from None
    except UnicodeDecodeError:
        raise _unreadable(what) from None
    except etree.XMLSyntaxError as error:
        raise _unreadable(what, error.lineno or 1) from None
    if name and not found and next(root.iterchildren(etree.Element), None) is not None:  # an empty list is none
        raise RecordError(f"hat andere Elemente, aber keines mit dem Namen „{name}“", where=what)


def _whole_ones(parser: etree.XMLPullParser, name: str) -> Iterator[etree._Element]:
    for _, element in parser.read_events():
        above = element.getparent()
        if not name and (above is None or above.getparent() is not None):
            continue
        if name and next(element.iterancestors(f"{{*}}{name}"), None) is not None:
            continue
        yield element
        _forget(element)


def _forget(element: etree._Element) -> None:
    """Empty an element, and take away all that stands before it."""
    element.clear()
    for one in chain((element,), element.iterancestors()):
        above = one.getparent()
        while above is not None and one.getprevious() is not None:
            del above[0]


def _pieces_in_utf8(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """As `in_utf8`, for a document in pieces."""
    rest, head = iter(pieces), b""
    while len(head) < _LONGEST_DECLARATION and (piece := next(rest, b"")):
        head = (head + piece).lstrip(_BLANKS)
    mark, codec = _encoding(head, None)
    if codec == "utf-8":
        yield _DECLARED.sub(rb"\1", head[len(mark) :], count=1)
        yield from rest
        return
    decoder = codecs.getincrementaldecoder(codec)()
    yield _DECLARED.sub(rb"\1", decoder.decode(head[len(mark) :]).encode(), count=1)
    for piece in rest:
        yield decoder.decode(piece).encode()
    decoder.decode(b"", final=True)


def _prolog_checked(pieces: Iterable[bytes], what: str) -> Iterator[bytes]:
    """The pieces, refused where a document type is declared: nothing of it is fed to the parser before."""
    reader: expat.XMLParserType | None = _prolog_reader()
    for piece in pieces:
        if reader is not None:
            reader = _still_in_prolog(reader, piece, what)
        yield piece


def in_utf8(data: bytes, charset: str | None = None) -> bytes:
    """The document in UTF-8 and without a declared encoding; `charset` is that of its Content-Type, where it has one.

    A byte order mark counts before the charset, and that before the document's own declaration (RFC 7303, section 3).
    Raises LookupError for an encoding that is not read here, UnicodeDecodeError where the bytes are not in it.
    """
    if not charset and data.startswith(_OURS):
        return data
    data = data.lstrip(_BLANKS)  # some servers begin with a line break: no XML, and nothing is lost
    mark, codec = _encoding(data, charset)
    data = data[len(mark) :]
    if codec != "utf-8":
        data = data.decode(codec).encode()
    return _DECLARED.sub(rb"\1", data, count=1)


def _encoding(data: bytes, charset: str | None) -> tuple[bytes, str]:
    """The byte order mark and the codec of a document; raises LookupError."""
    mark, named = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", ""))
    codec = _CODECS[(named or charset or _said(data)).strip().lower()]
    if codec == "utf-16":  # without a mark: the first sign of XML tells
        codec = "utf-16-be" if data.startswith(b"\0", len(mark)) else "utf-16-le"
    return mark, codec


def _said(data: bytes) -> str:
    """The encoding that the document itself shows or declares."""
    shown = next((name for signs, name in _UNMARKED if data.startswith(signs)), "")
    declared = _DECLARED.match(data)
    if shown or declared is None:
        return shown or "utf-8"
    name = declared[2].decode("latin-1")
    return "utf-8" if name.lower().startswith("utf-16") else name  # it is none: else nobody could read that it says so


def _unreadable(what: str, line: int | None = None) -> RecordError:
    where = what if line is None else f"{what}, Zeile {line}"
    return RecordError("ist kein lesbares XML", where=where, expected="wohlgeformtes XML ohne Übergröße")


def _unknown_encoding(what: str) -> RecordError:
    problem = "ist in einer Zeichenkodierung geschrieben, die hier nicht gelesen wird"
    return RecordError(problem, where=what, expected=_READ)


def _refuse_doctype(data: bytes, what: str) -> None:
    """Read only the prolog, with expat: elsewhere the word is content."""
    _still_in_prolog(_prolog_reader(), data, what)


def _prolog_reader() -> expat.XMLParserType:
    reader = expat.ParserCreate("UTF-8")
    reader.StartDoctypeDeclHandler = _declared
    reader.StartElementHandler = _started
    return reader


def _still_in_prolog(reader: expat.XMLParserType, piece: bytes, what: str) -> expat.XMLParserType | None:
    """The reader, or None behind the prolog: it is clean, or the text is broken and lxml says where."""
    try:
        reader.Parse(piece, False)
    except _TypeDeclared:
        raise RecordError(
            "enthält eine Dokumenttyp-Deklaration (DOCTYPE)",
            where=what,
            expected="XML ohne DOCTYPE",
            helps="Die Datei wurde nicht gelesen; bitte den Absender fragen",
        ) from None
    except (_Started, expat.ExpatError):
        return None
    return reader


def _declared(*_: object) -> None:
    raise _TypeDeclared


def _started(*_: object) -> None:
    raise _Started
