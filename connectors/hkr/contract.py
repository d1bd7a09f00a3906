"""The contract hkr 1.1 in Python's terms: one order, one batch, sums in cents. The sandbox has its own (papers.py).

Anordnung (bytes, from the mapping) ──▶ Order ◀── marks of people, where its kind needs them
                     BatchHead + Order… ──▶ UebermittleAnordnungen (bytes, posted as they are)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from lxml import etree

from kiezbruecke.connector import BatchHead, Mark, MarkKind
from kiezbruecke.errors import RecordError
from kiezbruecke.standards.store import parse, validator

NAMESPACE = "urn:x-kiezbruecke:hkr:anordnung:1.0"
BINDING = "{urn:x-kiezbruecke:hkr:dienst:1.0}HkrSoap"
PREFIXES = {"hkr": NAMESPACE}
FOLDER = Path("schemas") / "hkr" / "1.0"

_AMOUNT = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,2})?")
_THREE = "eine Zahlung trägt drei Vermerke: sachlich, rechnerisch, angeordnet – der letzte von einer anderen Person"
_TOTALS = ("AUSZAHLUNG", "ANNAHME", "FESTLEGUNG")
_MARKS = {  # in the order of the schema
    MarkKind.FACTUAL: "SachlichRichtig",
    MarkKind.ARITHMETICAL: "RechnerischRichtig",
    MarkKind.ORDERED: "Angeordnet",
}


@dataclass(frozen=True)
class Order:
    """One Anordnung: what this connector must know of it, and the element itself."""

    reference: str
    kind: str
    cents: int
    element: etree._Element = field(repr=False, compare=False)

    @classmethod
    def parse(cls, payload: bytes, where: str) -> Order:
        """Read the bytes of one `Anordnung`; raises RecordError without quoting them."""
        element = parse(payload, where)
        if element.tag != tag("Anordnung"):
            raise RecordError("ist keine Anordnung", where=where, expected="Anordnung nach hkr 1.1")
        return cls.of(element, where)

    @classmethod
    def of(cls, element: etree._Element, where: str = "Anordnung") -> Order:
        """An order from its element; raises RecordError."""
        try:
            amount = cents(text(element, "Betrag"))
        except ValueError:
            raise RecordError("der Betrag ist kein Eurobetrag mit zwei Stellen", where=where) from None
        return cls(text(element, "Fremdkennzeichen"), text(element, "Art"), amount, element)

    @property
    def moves_money(self) -> bool:
        """Whether it pays or claims, or takes such an order back: that needs the marks of people, and hkr 1.1."""
        return self.kind.startswith(("AUSZAHLUNG", "ANNAHME"))


@dataclass(frozen=True)
class Totals:
    """The control sums of a batch's head, in cents."""

    count: int
    payments: int
    receipts: int
    commitments: int


def write_batch(head: BatchHead, orders: Sequence[Order], *, dienststelle: str, vorverfahren: str) -> bytes:
    """The whole body of `UebermittleAnordnungen`; the same arguments give the same bytes."""
    root = etree.Element(tag("UebermittleAnordnungen"), nsmap=PREFIXES)
    sums = totals(orders)
    fields = [
        ("StapelId", head.id),
        ("Dienststelle", dienststelle),
        ("Vorverfahren", vorverfahren),
        ("ErstelltAm", moment(head.created_at)),
        ("Haushaltsjahr", str(head.fiscal_year)),
        *([("Test", "true")] if head.test else []),
        ("Anzahl", str(sums.count)),
        ("SummeAuszahlung", euros(sums.payments)),
        ("SummeAnnahme", euros(sums.receipts)),
        ("SummeFestlegung", euros(sums.commitments)),
    ]
    add(root, "Kopf", fields)
    root.extend(deepcopy(order.element) for order in orders)
    etree.cleanup_namespaces(root, top_nsmap=PREFIXES)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def add_marks(order: Order, marks: Sequence[Mark]) -> None:
    """Write the three marks into an order; raises RecordError unless each stands there once, by the right people."""
    where = f"Anordnung {order.reference}"
    by_kind = {mark.kind: mark for mark in marks}
    for kind in _MARKS:
        if kind not in by_kind:
            raise RecordError(f"der Vermerk „{kind.value}“ fehlt", where=where, helps=_THREE)
    if len(marks) != len(by_kind):
        raise RecordError("ein Vermerk steht zweimal da", where=where, helps=_THREE)
    orderer = by_kind.pop(MarkKind.ORDERED).account.casefold()
    if orderer in {mark.account.casefold() for mark in by_kind.values()}:
        raise RecordError("wer anordnet, hat auch festgestellt", where=where, helps=_THREE)
    for mark in sorted(marks, key=lambda mark: list(_MARKS).index(mark.kind)):
        fields = [("Person", mark.account), ("Zeit", moment(mark.at)), ("Verfahren", mark.how)]
        add(order.element, _MARKS[mark.kind], fields)


def read_batch(body: bytes) -> dict[str, Order]:
    """The orders in the bytes of a batch, by Fremdkennzeichen, in their order."""
    root = parse(body, "Stapel")
    found = [Order.of(element) for element in root.findall(tag("Anordnung"))]
    return {order.reference: order for order in found}


def totals(orders: Sequence[Order]) -> Totals:
    """Count and sums per direction, in cents: exact, whatever the amounts."""
    sums = {name: sum(order.cents for order in orders if order.kind.startswith(name)) for name in _TOTALS}
    return Totals(len(orders), sums["AUSZAHLUNG"], sums["ANNAHME"], sums["FESTLEGUNG"])


def missing_duty(order: Order) -> str | None:
    """The element that this kind of order must have beyond the schema and lacks (marks aside); None if complete."""
    return next((name for name in _duties(order.kind) if order.element.find(tag(name)) is None), None)


def _duties(kind: str) -> tuple[str, ...]:
    related = () if kind in ("FESTLEGUNG", "ANNAHME") else ("BezugFremdkennzeichen",)
    decision = ("Beschluss",) if kind.startswith("FESTLEGUNG") else ()
    due = ("Faelligkeit",) if kind in ("AUSZAHLUNG", "ANNAHME") else ()
    payee = ("Empfaenger",) if kind == "AUSZAHLUNG" else ()
    return (*related, *decision, *due, *payee)


def first_violation(content: Path, root: etree._Element) -> str | None:
    """Where a document breaks the contract (order, element and rule, never a value); None if it is valid."""
    checker = validator(content, "hkr", "1.0")
    assert checker is not None  # a profile always gives one
    problem = next(iter(checker.problems(root)), None)
    if problem is None:
        return None
    path, _, rule = problem.partition(", Zeile ")
    return f"{_name_place(root, path)}: {rule.partition(': ')[2]}"


def _name_place(root: etree._Element, path: str) -> str:
    """`/*/*[2]/*[4]` in words: libxml2 gives no names where a namespace has no prefix."""
    if not path.startswith("/"):
        return "Dokument"
    known = {prefix: uri for element in root.iter() for prefix, uri in element.nsmap.items() if prefix}
    found = root.xpath(f"{path}/ancestor-or-self::*", namespaces=known)
    chain: list[etree._Element] = cast("Any", found)
    names = "/".join(etree.QName(element).localname for element in chain)
    orders = [element for element in chain if element.tag == tag("Anordnung")]
    return f"{names} ({text(orders[0], 'Fremdkennzeichen')})" if orders else names


def cents(amount: str) -> int:
    """Euros as text in integer cents; raises ValueError for anything but digits with at most two places."""
    if not _AMOUNT.fullmatch(amount):
        raise ValueError("not an amount in euros")
    return int(Decimal(amount).scaleb(2))


def euros(amount: int) -> str:
    """Integer cents as euros with two places."""
    return f"{amount // 100}.{amount % 100:02d}"


def money(amount: int) -> Decimal:
    """Integer cents as Decimal euros with two places."""
    return Decimal(amount).scaleb(-2)


def moment(value: datetime) -> str:
    """A moment as this contract writes it: UTC, whole milliseconds."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def tag(name: str) -> str:
    """A name of this contract in lxml's form."""
    return f"{{{NAMESPACE}}}{name}"


def text(parent: etree._Element, name: str) -> str:
    """The text of a child, or of a child's child ('Kopf/StapelId'); empty where there is none."""
    path = "/".join(tag(step) for step in name.split("/"))
    return (parent.findtext(path) or "").strip()


def add(parent: etree._Element, name: str, fields: Sequence[tuple[str, str]]) -> etree._Element:
    """Append an element with the given simple children."""
    element = etree.SubElement(parent, tag(name))
    for child, value in fields:
        etree.SubElement(element, tag(child)).text = value
    return element
