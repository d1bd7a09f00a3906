"""The one door for foreign XML: no document type, no entity, no network, no endless depth or text.

Every file that comes from outside is read with `parse`. A parser with other settings would be a second door.
"""

from __future__ import annotations

from xml.parsers import expat

from lxml import etree

from kiezbruecke.errors import RecordError

_OURS = b"<?xml version='1.0' encoding='UTF-8'?>"
_PARSER = etree.XMLParser(  # one for all: threads wait for each other in it
    resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=False
)


class _Started(Exception):
    """The root element begins, the prolog was clean."""


class _Declared(Exception):
    """The document declares a document type."""


def parse(data: bytes, what: str = "XML") -> etree._Element:
    """The root element of foreign XML; raises RecordError (German, no values) if it is not plain XML."""
    if not data.startswith(_OURS) or b"<!DOCTYPE" in data:  # in UTF-8 it can be spelled in this way only
        _refuse_doctype(data, what)
    try:
        return etree.fromstring(data, _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise RecordError(
            "ist kein lesbares XML",
            where=f"{what}, Zeile {line}",
            expected="wohlgeformtes XML ohne Übergröße",
        ) from None


def _refuse_doctype(data: bytes, what: str) -> None:
    """Read only the prolog, with expat, which knows every encoding's way to spell `<!DOCTYPE`."""
    reader = expat.ParserCreate()
    reader.StartDoctypeDeclHandler = _declared
    reader.StartElementHandler = _started
    try:
        reader.Parse(data, True)
    except _Declared:
        raise RecordError(
            "enthält eine Dokumenttyp-Deklaration (DOCTYPE)",
            where=what,
            expected="XML ohne DOCTYPE",
            helps="Die Datei wurde nicht gelesen; bitte den Absender fragen",
        ) from None
    except (_Started, expat.ExpatError):
        return  # the prolog is clean, or the text is broken: lxml says where


def _declared(*_: object) -> None:
    raise _Declared


def _started(*_: object) -> None:
    raise _Started
