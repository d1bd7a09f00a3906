"""Reads camt.053.001.08 and camt.054.001.08: what moved on our account, booked entry by booked entry.

The same movement stands in both messages, and in both again when they are repeated: its id is made of what the bank
calls it, of EndToEndId, sum and direction. Entries of others keep neither name nor account nor purpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from lxml import etree

from connectors.bank.payment import cents, euros
from connectors.bank.stream import ISO, elements
from connectors.bank.words import MOVEMENT, BankWord, code, named_in, ours, word
from kiezbruecke.errors import RecordError

MESSAGES = ("camt.053.001.08", "camt.054.001.08")
RETURN, REVERSAL, ODD = "-RTRINF", "-RVSLIND", "WIDERSPRUCH"
_OPEN = ("PDNG", "INFO", "FUTR")  # not booked: the entry comes again when it is
_SIGN = {"CRDT": 1, "DBIT": -1}


@dataclass
class _Statement:
    """What is counted of one statement until its end."""

    account: str = ""
    entries: int = 0
    moved: int = 0
    opened: int | None = None
    closed: int | None = None
    announced: int | None = None


def read(file: BinaryIO, message: str, account: str, where: str) -> Iterator[BankWord]:
    """Every booked movement on `account`; raises RecordError where the file is no whole statement of that account."""
    s, known = f"{{{ISO}{message}}}", _Statement()
    for name, element in elements(file, message, ("Acct", "Bal", "TxsSummry", "Ntry", "Stmt", "Ntfctn"), where):
        if name == "Acct":
            known.account = element.findtext(f"{s}Id/{s}IBAN", "").strip()
            _refuse_foreign(known.account, account, where)
        elif name == "Bal":
            _note_balance(known, element, s, where)
        elif name == "TxsSummry":
            total = element.findtext(f"{s}TtlNtries/{s}NbOfNtries", "").strip()
            known.announced = int(total) if total.isascii() and total.isdigit() else None
        elif name == "Ntry":
            _refuse_foreign(known.account, account, where)
            known.entries += 1
            status = element.findtext(f"{s}Sts/{s}Cd", "").strip()
            if status == "BOOK":
                known.moved += _signed(element, s, where)
            if status not in _OPEN:
                yield from _movements(element, s, booked=status == "BOOK")
        else:
            _add_up(known, where)
            known = _Statement()


def _refuse_foreign(found: str, account: str, where: str) -> None:
    if found != account:
        raise RecordError(
            "betrifft ein anderes Konto als das der Verbindung", where=where, helps="nichts wurde gelesen"
        )


def _note_balance(known: _Statement, element: etree._Element, s: str, where: str) -> None:
    kind = element.findtext(f"{s}Tp/{s}CdOrPrtry/{s}Cd", "").strip()
    if kind in ("OPBD", "PRCD") and known.opened is None:
        known.opened = _signed(element, s, where)
    elif kind == "CLBD":
        known.closed = _signed(element, s, where)


def _add_up(known: _Statement, where: str) -> None:
    """A line too many, too few or another sum: then nothing of the file is believed."""
    if known.announced is not None and known.announced != known.entries:
        raise RecordError("enthält nicht so viele Umsätze, wie angegeben", where=where)
    if known.opened is not None and known.closed is not None and known.opened + known.moved != known.closed:
        raise RecordError("geht nicht auf: Anfangssaldo und Umsätze ergeben nicht den Endsaldo", where=where)


def _signed(element: etree._Element, s: str, where: str) -> int:
    try:
        return _SIGN[element.findtext(f"{s}CdtDbtInd", "").strip()] * cents(element.findtext(f"{s}Amt", "").strip())
    except (KeyError, ValueError):
        raise RecordError("enthält einen Betrag ohne Richtung oder keinen Eurobetrag", where=where) from None


def _movements(entry: etree._Element, s: str, *, booked: bool) -> Iterator[BankWord]:
    """One word per transaction of an entry; of a sum without transactions one about the sum."""
    details = entry.findall(f"{s}NtryDtls/{s}TxDtls")
    odd = not booked or not _agree(entry, details, s)
    yield from (_movement(entry, one, s, number, odd=odd) for number, one in enumerate(details or [entry]))


def _agree(entry: etree._Element, details: list[etree._Element], s: str) -> bool:
    """Whether the transactions of an entry, where each has its sum, are together the entry."""
    if len(details) < 2 and (not details or details[0].find(f"{s}Amt") is None):
        return True
    try:
        total = cents(entry.findtext(f"{s}Amt", "").strip())
        return all(one.find(f"{s}Amt") is not None for one in details) and total == sum(
            cents(one.findtext(f"{s}Amt", "").strip()) for one in details
        )
    except ValueError:
        return False


def _movement(entry: etree._Element, details: etree._Element, s: str, number: int, *, odd: bool) -> BankWord:
    amount = details.find(f"{s}Amt")
    amount = entry.find(f"{s}Amt") if amount is None else amount
    direction = code(details.findtext(f"{s}CdtDbtInd") or entry.findtext(f"{s}CdtDbtInd"))
    reason = code(details.findtext(f"{s}RtrInf/{s}Rsn/{s}Cd"))
    kind = direction + _special(entry, details, s)
    reference = ours(details.findtext(f"{s}Refs/{s}EndToEndId"))
    if not reference and kind == "CRDT":  # who pays back writes it into the purpose
        reference = named_in([one.text or "" for one in details.iterfind(f"{s}RmtInf/{s}Ustrd")])
    theirs = entry.findtext(f"{s}AcctSvcrRef") or details.findtext(f"{s}Refs/{s}AcctSvcrRef") or ""
    total = _euros(amount)
    odd = odd or not total
    day = entry.findtext(f"{s}BookgDt/{s}Dt", "").strip() or entry.findtext(f"{s}BookgDt/{s}DtTm", "").strip()[:10]
    about = (theirs, reference, total, kind, *(() if reference else (day, str(number))))
    return word(
        MOVEMENT,
        about,
        EndToEndId=reference,
        Art=ODD if odd else kind,
        Betrag="" if odd else total,
        Buchungstag=day,
        Grundcode=reason,
        Bankreferenz=code(theirs),
    )


def _special(entry: etree._Element, details: etree._Element, s: str) -> str:
    if details.find(f"{s}RtrInf") is not None:
        return RETURN
    return REVERSAL if entry.findtext(f"{s}RvslInd", "").strip() in ("true", "1") else ""


def _euros(amount: etree._Element | None) -> str:
    """The sum in euros; nothing where it is in another currency, or none."""
    try:
        return euros(cents((amount.text or "").strip())) if amount is not None and amount.get("Ccy") == "EUR" else ""
    except ValueError:
        return ""
