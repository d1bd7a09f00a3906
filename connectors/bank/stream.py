"""The door for the bank's XML that may be larger than memory: as strict as `standards/parse.py`, element by element.

No document type, no entity, no network, UTF-8 only (ISO 20022 asks for it), one of three known messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from lxml import etree

from kiezbruecke.errors import RecordError

ISO = "urn:iso:std:iso:20022:tech:xsd:"
_PROLOG = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?P<declared><\?xml\s[^>]{0,200}\?>)?\s*(?:<!--.{0,2000}?-->\s*)*"
    rb"<(?:[\w.-]+:)?Document[\s>]",
    re.DOTALL,
)
_ENCODING = re.compile(rb"""encoding\s*=\s*["']([^"']*)["']""")
_NAMESPACE = re.compile(rb"""=\s*["']urn:iso:std:iso:20022:tech:xsd:([a-z]{4}\.\d{3}\.\d{3}\.\d{2})["']""")
_LOOKED_AT = 16 * 1024


def message_of(file: BinaryIO, where: str) -> str:
    """`camt.053.001.08`: which message a file is, by its beginning, and back to it; raises RecordError."""
    head = file.read(_LOOKED_AT)
    file.seek(0)
    prolog = _PROLOG.match(head)
    if prolog is None:
        raise RecordError("ist keine Nachricht nach ISO 20022", where=where, expected="Document ohne DOCTYPE, als XML")
    said = _ENCODING.search(prolog["declared"] or b"")
    if said and said[1].lower() not in (b"utf-8", b"utf8"):
        raise RecordError("ist nicht in UTF-8 geschrieben", where=where)
    named = _NAMESPACE.search(head, prolog.end() - 1)
    return named[1].decode() if named else ""


def elements(file: BinaryIO, message: str, names: tuple[str, ...], where: str) -> Iterator[tuple[str, etree._Element]]:
    """Every element of these names when it is complete, with its name; what was read is let go. Raises RecordError.

    An element is empty once the next one is asked for, and its parent has lost it.
    """
    space = f"{{{ISO}{message}}}"
    try:
        reading = etree.iterparse(
            file,
            tag=[f"{space}{name}" for name in names],
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        for _, element in reading:
            yield str(element.tag).removeprefix(space), element
            _let_go(element)
        root = reading.root
    except (etree.XMLSyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise RecordError(
            "ist kein vollständiges XML", where=f"{where}, Zeile {line}", expected="wohlgeformtes XML ohne Übergröße"
        ) from None
    if root is None or root.tag != f"{space}Document":
        raise RecordError("ist keine Nachricht nach ISO 20022", where=where)


def _let_go(element: etree._Element) -> None:
    parent = element.getparent()
    element.clear(keep_tail=False)
    if parent is not None:
        parent.remove(element)
