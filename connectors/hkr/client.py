"""Speaks hkr 1.1 with an HKR system: six calls, each returns our types or says what is known of its failure.

NotSent: nothing left. Rejected: read and refused as a whole, nothing happened. Contradiction and everything
else: nobody knows, ask with `batch_status`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from lxml import etree

from connectors import _soap
from connectors.hkr import contract
from connectors.hkr.settings import Settings
from kiezbruecke.errors import Rejected, SourceError

UNCLEAR = _soap.CALL_FAILED
"""What a question may fail with: no answer that can be used. A question changes nothing, so none is doubt."""


class Contradiction(Exception):
    """An answer that contradicts itself or the question. It proves nothing."""


def describe(error: BaseException) -> str:
    """What a question has failed with, in one line without a word of theirs."""
    return str(error) if isinstance(error, Contradiction) else _soap.describe(error)


@dataclass(frozen=True)
class OrderOutcome:
    """What became of one order when its batch was taken; `code` is empty where it was accepted."""

    reference: str
    code: str = ""
    text: str = field(default="", repr=False)


@dataclass(frozen=True)
class Taken:
    """Their word on a batch: status, the orders they name, and the sums of what they accepted."""

    batch_id: str
    status: str
    remote_id: str
    count: int
    cents: int
    lines: tuple[OrderOutcome, ...]
    reason: OrderOutcome | None = None  # a message about the batch as a whole


@dataclass(frozen=True)
class Rueckmeldung:
    """One answer of their bookkeeping, with its bytes."""

    number: int
    cents: int
    body: dict[str, str] = field(repr=False)
    raw: bytes = field(repr=False)


@dataclass(frozen=True)
class Page:
    """One answer of HoleRueckmeldungen, its control sums already checked."""

    more: bool
    highest: int  # the highest number they have given so far
    answers: tuple[Rueckmeldung, ...]


@dataclass(frozen=True)
class Balance:
    """What their own books say about one area, up to which day: the total of its commitments, of these what is paid
    (without what came back), and what was paid back to them."""

    area: str
    chapter: str
    title: str
    committed: Decimal
    paid: Decimal
    refunded: Decimal
    day: date


@dataclass(frozen=True)
class KnownOrder:
    """What they have under one Fremdkennzeichen: the order, and what became of it."""

    reference: str
    batch_id: str
    voucher: str
    kind: str
    related: str
    year: int
    area: str
    cents: int
    accepted: bool
    test: bool = False
    code: str = ""
    answer: Rueckmeldung | None = None
    raw: bytes = field(default=b"", repr=False)


class Hkr:
    """One HKR system."""

    def __init__(self, settings: Settings, content: Path) -> None:
        self.settings = settings
        self._line = _soap.Line(settings.wire)
        self._port = _soap.Port(content / contract.FOLDER / "service.wsdl", contract.BINDING, settings.url, self._line)

    def close(self) -> None:
        """Give the connection back."""
        self._line.close()

    def submit(self, body: bytes) -> Taken:
        """UebermittleAnordnungen with exactly these bytes as the SOAP body."""
        try:
            answer = self._port.post_body("UebermittleAnordnungen", body)
        except _soap.Fault as fault:
            if fault.role == "Client.SCHEMA":
                raise Rejected(
                    "Das HKR-Verfahren hat den Stapel als vertragswidrig abgewiesen",
                    receipt_code="HKR SCHEMA",
                    where=self.settings.url,
                ) from fault
            raise
        root = _body(answer.body, "UebermittleAnordnungenAntwort")
        messages = [_line(element) for element in root.findall(contract.tag("Meldung"))]
        return _taken(
            root,
            lines=tuple(line for line in messages if line.reference),
            reason=next((line for line in messages if not line.reference), None),
        )

    def batch_status(self, batch_id: str) -> Taken:
        """FrageStapelStatus: the same word as at the first time, with a line per order."""
        root = self._ask("FrageStapelStatus", StapelId=batch_id)
        return _taken(root, lines=tuple(_zeile(element) for element in root.findall(contract.tag("Zeile"))))

    def answers_after(self, number: int) -> Page:
        """HoleRueckmeldungen: a page after a running number; raises Contradiction if its sums are wrong."""
        root = self._ask("HoleRueckmeldungen", NachLaufenderNummer=number, HoechstAnzahl=self.settings.poll_size)
        found = tuple(_rueckmeldung(element) for element in root.findall(contract.tag("Rueckmeldung")))
        if _integer(root, "Anzahl") != len(found):
            raise Contradiction(f"Anzahl says {_integer(root, 'Anzahl')}, the answer holds {len(found)}")
        if _cents(root, "Summe") != sum(answer.cents for answer in found):
            raise Contradiction("Summe is not the sum of the amounts in the answer")
        return Page(_boolean(root, "Weitere"), _integer(root, "LetzteNummer"), found)

    def balances(self, fiscal_year: int) -> tuple[Balance, ...]:
        """HoleSalden: what their own books say of a year; raises SourceError where it cannot be read whole."""
        try:
            return self._balances(fiscal_year)
        except (*UNCLEAR, Contradiction) as error:
            raise SourceError(
                "HKR's own sums cannot be read", where=self.settings.url, helps=describe(error)
            ) from error

    def stand(self) -> tuple[str, int]:
        """HoleStand: our last batch they have (empty: none), and the highest number of their answers."""
        root = self._ask("HoleStand", Vorverfahren=self.settings.vorverfahren)
        return contract.text(root, "LetzteStapelId"), _integer(root, "LetzteNummer")

    def orders(self, beginnings: Sequence[str]) -> tuple[KnownOrder, ...]:
        """FrageAnordnungen, at most 500 questions; raises Contradiction where a question has no answer."""
        root = self._ask("FrageAnordnungen", Anfang=list(beginnings))
        found = tuple(_known_order(element) for element in root.findall(contract.tag("Vorhanden")))
        if _integer(root, "Anzahl") != len(found):
            raise Contradiction(f"Anzahl says {_integer(root, 'Anzahl')}, the answer holds {len(found)}")
        if _cents(root, "Summe") != sum(order.cents for order in found):
            raise Contradiction("Summe is not the sum of the amounts in the answer")
        unknown = {(element.text or "").strip() for element in root.findall(contract.tag("Unbekannt"))}
        for beginning in beginnings:
            known = any(order.reference.startswith(beginning) for order in found)
            if known == (beginning in unknown):
                raise Contradiction("a question about a Fremdkennzeichen has no answer, or two")
        return found

    def _balances(self, fiscal_year: int) -> tuple[Balance, ...]:
        root = self._ask("HoleSalden", Haushaltsjahr=fiscal_year)
        if _integer(root, "Haushaltsjahr") != fiscal_year:
            raise Contradiction("the balances are those of another year")
        return tuple(_balance(element) for element in root.findall(contract.tag("Saldo")))

    def _ask(self, operation: str, **fields: Any) -> etree._Element:
        answer = self._port.call(operation, **fields)
        return _body(answer.body, f"{operation}Antwort")


# -- reading, leniently: known paths, ids and sums mandatory, anything beside them ignored -------------------


def _body(body: etree._Element | None, name: str) -> etree._Element:
    if body is None or body.tag != contract.tag(name):
        raise Contradiction(f"the answer is no {name}")
    return body


def _taken(root: etree._Element, *, lines: Sequence[OrderOutcome], reason: OrderOutcome | None = None) -> Taken:
    return Taken(
        batch_id=_required(root, "StapelId"),
        status=_required(root, "Status"),
        remote_id=contract.text(root, "EmpfangsId"),
        count=_integer(root, "AnzahlAngenommen"),
        cents=_cents(root, "SummeAngenommen"),
        lines=tuple(lines),
        reason=reason,
    )


def _line(element: etree._Element) -> OrderOutcome:
    return OrderOutcome(
        contract.text(element, "Fremdkennzeichen"),
        _required(element, "Code"),
        contract.text(element, "Text"),
    )


def _zeile(element: etree._Element) -> OrderOutcome:
    reference, result = _required(element, "Fremdkennzeichen"), _required(element, "Ergebnis")
    if result == "ANGENOMMEN":
        if contract.text(element, "Code"):
            raise Contradiction("a line of the batch is accepted and tells of an error")
        return OrderOutcome(reference)
    if result == "ABGEWIESEN":
        return OrderOutcome(reference, contract.text(element, "Code") or result, contract.text(element, "Text"))
    raise Contradiction("a line of the batch has an unknown Ergebnis")


def _rueckmeldung(element: etree._Element) -> Rueckmeldung:
    body = {
        etree.QName(child).localname: (child.text or "").strip()
        for child in element.iterchildren("*")
        if len(child) == 0
    }
    # what else it lacks the mapping says of this one answer: a page must not wait for it
    raw = etree.tostring(element, method="c14n", exclusive=True)
    return Rueckmeldung(_integer(element, "LaufendeNummer"), _cents(element, "Betrag"), body, raw)


def _known_order(element: etree._Element) -> KnownOrder:
    result = _required(element, "Ergebnis")
    if result not in ("ANGENOMMEN", "ABGEWIESEN"):
        raise Contradiction("an order has an unknown Ergebnis")
    answer = element.find(contract.tag("Rueckmeldung"))
    return KnownOrder(
        reference=_required(element, "Fremdkennzeichen"),
        batch_id=_required(element, "StapelId"),
        voucher=_required(element, "Belegnummer"),
        kind=_required(element, "Art"),
        related=contract.text(element, "BezugFremdkennzeichen"),
        year=_integer(element, "Buchungsstelle/Haushaltsjahr"),
        area=_required(element, "Buchungsstelle/Unterkonto"),
        cents=_cents(element, "Betrag"),
        accepted=result == "ANGENOMMEN",
        test=contract.text(element, "Test") in ("true", "1"),
        code=contract.text(element, "Code"),
        answer=None if answer is None else _rueckmeldung(answer),
        raw=etree.tostring(element, method="c14n", exclusive=True),
    )


def _balance(element: etree._Element) -> Balance:
    try:
        day = date.fromisoformat(_required(element, "Tag")[:10])
    except ValueError:
        raise Contradiction("Tag is no date") from None
    paid = _cents(element, "Ausgezahlt")
    knows_claims = element.find(contract.tag("Vereinnahmt")) is not None  # since 1.1
    return Balance(
        area=_required(element, "Buchungsstelle/Unterkonto"),
        chapter=_required(element, "Buchungsstelle/Kapitel"),
        title=_required(element, "Buchungsstelle/Titel"),
        committed=contract.money(_cents(element, "Festgelegt") + paid),
        paid=contract.money(paid),
        refunded=contract.money(_cents(element, "Vereinnahmt") if knows_claims else 0),
        day=day,
    )


def _required(element: etree._Element, name: str) -> str:
    if not (value := contract.text(element, name)):
        raise Contradiction(f"the answer lacks {name}")
    return value


def _integer(element: etree._Element, name: str) -> int:
    value = _required(element, name)
    if not (value.isascii() and value.isdigit()):
        raise Contradiction(f"{name} is no number")
    return int(value)


def _cents(element: etree._Element, name: str) -> int:
    try:
        return contract.cents(_required(element, name))
    except ValueError:
        raise Contradiction(f"{name} is no amount") from None


def _boolean(element: etree._Element, name: str) -> bool:
    value = _required(element, name)
    if value not in ("true", "false", "1", "0"):
        raise Contradiction(f"{name} is neither true nor false")
    return value in ("true", "1")
