"""One payment: read from the bytes that the mapping wrote, and the rules that banks keep beyond the schema.

Everything that is told names the Fremdkennzeichen and no value: name, account and sum are a person's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

from lxml import etree
from schwifty import BIC, IBAN
from schwifty.exceptions import SchwiftyException

from connectors.bank.characters import Characters, written
from kiezbruecke.errors import RecordError
from kiezbruecke.mapping.values import Unusable
from kiezbruecke.standards.store import parse

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
MOST_CENTS = 99_999_999_999
LONGEST_NAME, LONGEST_PURPOSE, LONGEST_TOWN = 70, 140, 35

ID = re.compile(r"(?=.{1,35}\Z)[A-Za-z0-9\-?:().,'+]+(?:/[A-Za-z0-9\-?:().,'+]+)*")
_COUNTRY = re.compile(r"[A-Z]{2}")
_AMOUNT = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,2})?")
_IN = {"p": NAMESPACE}


@dataclass(frozen=True, slots=True)
class Payment:
    """What one credit transfer says; the sum in cents. `town` and `country` are both given or both empty."""

    reference: str  # Fremdkennzeichen, the EndToEndId
    due_on: date
    cents: int
    name: str = field(repr=False)
    iban: str = field(repr=False)
    purpose: str = ""
    town: str = field(default="", repr=False)
    country: str = field(default="", repr=False)


def read_payment(payload: bytes, reference: str) -> Payment:
    """The payment in the bytes of a message (`PmtInf` of our profile); raises RecordError without quoting them."""
    where = f"Zahlung {reference}"
    root = parse(payload, where)
    if root.tag != f"{{{NAMESPACE}}}PmtInf":
        raise RecordError("ist keine Zahlung", where=where, expected="PmtInf nach dem Profil pain 001.001.09")
    if root.find(".//p:AdrLine", _IN) is not None:
        raise RecordError("hat eine Anschrift in Zeilen", where=where, expected="keine Anschrift, oder Ort und Land")
    transfer = "p:CdtTrfTxInf/p:"
    return Payment(
        reference=_same(_text(root, f"{transfer}PmtId/p:EndToEndId"), reference, where),
        due_on=_day(_text(root, "p:ReqdExctnDt/p:Dt"), where),
        cents=_cents(root, where),
        name=_text(root, f"{transfer}Cdtr/p:Nm"),
        iban=_text(root, f"{transfer}CdtrAcct/p:Id/p:IBAN"),
        purpose=_text(root, f"{transfer}RmtInf/p:Ustrd"),
        town=_text(root, f"{transfer}Cdtr/p:PstlAdr/p:TwnNm"),
        country=_text(root, f"{transfer}Cdtr/p:PstlAdr/p:Ctry"),
    )


@dataclass(frozen=True, slots=True)
class Words:
    """A payment's texts in the characters of the bank."""

    name: str = field(repr=False)
    purpose: str = field(repr=False)
    town: str = field(repr=False)


def checked(payment: Payment, characters: Characters) -> Words:
    """The payment's words as the file holds them; raises RecordError with every rule that is broken, in one line."""
    broken = list(_broken_rules(payment))
    try:
        words = _words(payment, characters)
    except Unusable as error:
        broken.append(f"Name, Verwendungszweck oder Ort: {error}")
    if broken:
        raise RecordError("; ".join(broken), where=f"Zahlung {payment.reference}", helps="nichts wurde übergeben")
    return words


def _words(payment: Payment, characters: Characters) -> Words:
    name = written(payment.name, characters, LONGEST_NAME)
    town = written(payment.town, characters, LONGEST_TOWN) if payment.town else ""
    return Words(name, written(payment.purpose, characters, LONGEST_PURPOSE), town)


def _broken_rules(payment: Payment) -> Iterator[str]:
    """In German, what a bank would refuse of a payment that is valid by the schema."""
    if not ID.fullmatch(payment.reference):
        yield "das Fremdkennzeichen taugt nicht als Ende-zu-Ende-Kennung"
    if not 0 < payment.cents <= MOST_CENTS:
        yield "der Betrag liegt nicht zwischen 0,01 und 999.999.999,99 Euro"
    if not is_iban(payment.iban):
        yield "die IBAN ist ungültig (Länge, Prüfziffern oder Form des Landes)"
    if bool(payment.town) != bool(payment.country) or (payment.country and not _COUNTRY.fullmatch(payment.country)):
        yield "die Anschrift ist unvollständig; nötig sind Ort und Land, oder gar keine Anschrift"


def is_iban(text: str) -> bool:
    """By length, check digits and the form of its country's accounts; written as the file must hold it."""
    try:
        return IBAN(text).compact == text
    except SchwiftyException:
        return False


def is_bic(text: str) -> bool:
    try:
        return BIC(text).compact == text
    except SchwiftyException:
        return False


def _text(root: etree._Element, path: str) -> str:
    return root.findtext(path, default="", namespaces=_IN).strip()


def _same(found: str, reference: str, where: str) -> str:
    if found != reference:
        raise RecordError("die Ende-zu-Ende-Kennung ist nicht das Fremdkennzeichen der Nachricht", where=where)
    return found


def _day(text: str, where: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RecordError("der Ausführungstag ist kein Datum", where=where, expected="wie 2026-11-30") from None


def _cents(root: etree._Element, where: str) -> int:
    amount = root.find("p:CdtTrfTxInf/p:Amt/p:InstdAmt", _IN)
    text = "" if amount is None else (amount.text or "").strip()
    if amount is None or amount.get("Ccy") != "EUR" or not _AMOUNT.fullmatch(text):
        raise RecordError("der Betrag ist kein Eurobetrag mit zwei Nachkommastellen", where=where)
    return cents(text)


def cents(text: str) -> int:
    """Euro with at most two places as whole cents; raises ValueError for anything else."""
    try:
        exact = Decimal(text) * 100
        if exact != exact.to_integral_value():
            raise ValueError("a part of a cent")
        return int(exact)
    except (InvalidOperation, OverflowError):
        raise ValueError("no sum of money") from None


def euros(amount: int) -> str:
    """Cents as a payment file writes them: `850.00`."""
    return f"{amount // 100}.{amount % 100:02d}"
