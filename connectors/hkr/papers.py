"""What arrives at the sandbox and how it answers, read and written with its own eyes: nothing of it is the client's.

Who checks himself finds no mistake: amounts, sums, duties, IBAN and marks are judged here a second time.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

from lxml import etree

NAMESPACE = "urn:x-kiezbruecke:hkr:anordnung:1.0"
PREFIXES = {"hkr": NAMESPACE}
FOLDER = Path("schemas") / "hkr" / "1.0"
COMMITS, PAYS, CLAIMS = "FESTLEGUNG", "AUSZAHLUNG", "ANNAHME"
CANCELS = "_AUFHEBUNG"

_MARKS = ("SachlichRichtig", "RechnerischRichtig", "Angeordnet")
_DUTIES = {  # rule 8
    "FESTLEGUNG": ("Beschluss",),
    "FESTLEGUNG_AENDERUNG": ("BezugFremdkennzeichen", "Beschluss"),
    "FESTLEGUNG_AUFHEBUNG": ("BezugFremdkennzeichen", "Beschluss"),
    "AUSZAHLUNG": ("BezugFremdkennzeichen", "Faelligkeit", "Empfaenger", *_MARKS),
    "AUSZAHLUNG_AUFHEBUNG": ("BezugFremdkennzeichen", *_MARKS),
    "ANNAHME": ("Faelligkeit", *_MARKS),
    "ANNAHME_AUFHEBUNG": ("BezugFremdkennzeichen", *_MARKS),
}
_ELEMENT = re.compile(r"Element '(?:\{[^}]*\})?(\w+)'")
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


class NoRequest(Exception):
    """What arrived is no request; its text quotes nothing of it."""


@dataclass(frozen=True)
class Verdict:
    """Why an order or a batch is not taken; `code` is empty where it is."""

    code: str = ""
    text: str = ""


TAKEN = Verdict()


@dataclass(frozen=True)
class Place:
    """Where in the budget an order stands."""

    year: str
    chapter: str
    title: str
    area: str


@dataclass(frozen=True)
class Arrived:
    """One Anordnung; `account` is the mark of its IBAN, empty where it has none."""

    reference: str
    kind: str
    cents: int
    related: str
    voucher: str
    place: Place
    due_on: str
    account: str
    element: etree._Element = field(repr=False, compare=False)

    @classmethod
    def of(cls, element: etree._Element) -> Arrived:
        """From an element that the schema has found valid."""
        iban = text(element, "Empfaenger/IBAN")
        return cls(
            text(element, "Fremdkennzeichen"),
            text(element, "Art"),
            cents(text(element, "Betrag")),
            text(element, "BezugFremdkennzeichen"),
            text(element, "Belegnummer"),
            Place(
                *(
                    text(element, f"Buchungsstelle/{name}")
                    for name in ("Haushaltsjahr", "Kapitel", "Titel", "Unterkonto")
                )
            ),
            text(element, "Faelligkeit"),
            mark(iban) if iban else "",
            element,
        )

    @property
    def digest(self) -> str:
        """What makes it this order and no other: all but the marks (rule 2)."""
        bare = deepcopy(self.element)
        for name in _MARKS:
            for child in bare.findall(tag(name)):
                bare.remove(child)
        return digest(bare)


def head_refusal(root: etree._Element, orders: Sequence[Arrived]) -> Verdict:
    """Why a batch is refused as a whole: its head does not say what it holds."""
    if text(root, "Kopf/Anzahl") != str(len(orders)):
        return Verdict("ANZAHL", "Die Anzahl im Kopf ist nicht die der Anordnungen")
    for direction, name in ((PAYS, "Auszahlung"), (CLAIMS, "Annahme"), (COMMITS, "Festlegung")):
        total = sum(order.cents for order in orders if order.kind.partition("_")[0] == direction)
        if cents(text(root, f"Kopf/Summe{name}")) != total:
            return Verdict("SUMME", "Eine Summe im Kopf ist nicht die der Anordnungen")
    if len({order.reference for order in orders}) != len(orders):
        return Verdict("FREMDKENNZEICHEN", "Ein Fremdkennzeichen steht zweimal im Stapel")
    return TAKEN


def missing(order: Arrived, year: str) -> Verdict:
    """Why an order is refused that lacks what its kind must carry, or is of another year than its batch."""
    for name in _DUTIES[order.kind]:
        if order.element.find(tag(name)) is None:
            return Verdict("PFLICHTFELD", f"{name} fehlt")
    if order.place.year != year:
        return Verdict("HAUSHALTSJAHR", "Die Anordnung gehört nicht in das Haushaltsjahr des Stapels")
    return TAKEN


def wrong(order: Arrived, today: date, cutoff: date | None) -> Verdict:
    """Why an order is refused whose words cannot be: the orderer has certified, no such IBAN, no such day."""
    certifiers = {text(order.element, f"{name}/Person").casefold() for name in _MARKS[:2]}
    if text(order.element, "Angeordnet/Person").casefold() in certifiers - {""}:
        return Verdict("VERMERK", "Wer anordnet, darf nicht selbst festgestellt haben")
    if order.account and not iban_holds(text(order.element, "Empfaenger/IBAN")):
        return Verdict("IBAN", "Die Prüfziffern der IBAN stimmen nicht")
    if order.kind == PAYS and order.due_on[:4] != order.place.year:
        return Verdict("FAELLIGKEIT", "Die Fälligkeit liegt nicht im Haushaltsjahr")
    last = max(today, date.fromisoformat(order.due_on)) if order.kind == PAYS else today
    if order.kind in (PAYS, CLAIMS) and cutoff is not None and last > cutoff:
        return Verdict("ANNAHMESCHLUSS", "Nach dem Annahmeschluss der Kasse gekommen oder fällig")
    return TAKEN


def iban_holds(iban: str) -> bool:
    """Check digits by ISO 13616 (mod 97), and the length where it is a German one."""
    if iban.startswith("DE") and len(iban) != 22:
        return False
    return int("".join(str(int(letter, 36)) for letter in iban[4:] + iban[:4])) % 97 == 1


def mark(word: str) -> str:
    """How an IBAN is known here without being kept; a Fremdkennzeichen is marked alike."""
    return hashlib.sha256(word.encode()).hexdigest()


# -- XML and amounts -----------------------------------------------------------------------------------------


def read(document: bytes) -> etree._Element:
    """The root of a document; raises NoRequest."""
    try:
        root = etree.fromstring(document, _PARSER)
    except etree.XMLSyntaxError:
        raise NoRequest("Die Anfrage ist kein XML") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise NoRequest("Die Anfrage hat einen Dokumenttyp")
    return root


def schema(content: Path) -> etree.XMLSchema:
    """The contract."""
    return etree.XMLSchema(etree.parse(content / FOLDER / "profile.xsd"))


def violation(contract: etree.XMLSchema, root: etree._Element) -> str:
    """Which element breaks the contract, never with what value; empty where none does."""
    if contract.validate(root):
        return ""
    named = _ELEMENT.match(contract.error_log[0].message)
    return named[1] if named else "Dokument"


def digest(element: etree._Element) -> str:
    """The same for the same content, however it is written."""
    return hashlib.sha256(etree.tostring(element, method="c14n", exclusive=True)).hexdigest()


def cents(euro: str) -> int:
    """Euros as the schema allows them, in cents; raises ValueError for more than two places."""
    amount = Decimal(euro) * 100
    if amount != int(amount):
        raise ValueError("more than two places")
    return int(amount)


def euros(amount: int) -> str:
    """Cents as the schema wants them."""
    return f"{Decimal(amount) / 100:.2f}"


def tag(name: str) -> str:
    """A name of the contract in lxml's form."""
    return f"{{{NAMESPACE}}}{name}"


def text(parent: etree._Element, path: str) -> str:
    """The text of a child ('Kopf/StapelId'); empty where there is none."""
    return (parent.findtext("/".join(map(tag, path.split("/")))) or "").strip()


def document(name: str) -> etree._Element:
    """The root of an answer."""
    return etree.Element(tag(name), nsmap=PREFIXES)


def fill(parent: etree._Element, fields: Iterable[tuple[str, str]]) -> None:
    """Append simple children."""
    for name, value in fields:
        etree.SubElement(parent, tag(name)).text = value


def add(parent: etree._Element, name: str, fields: Iterable[tuple[str, str]] = ()) -> etree._Element:
    """Append a child with simple children."""
    element = etree.SubElement(parent, tag(name))
    fill(element, fields)
    return element
