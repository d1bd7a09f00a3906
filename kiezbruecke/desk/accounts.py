"""Whose account a case's money goes to, in full: for whoever has the right, says why, and is in the case's evidence."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from kiezbruecke.desk import words
from kiezbruecke.desk.view import DeskView
from kiezbruecke.errors import InputError
from kiezbruecke.house import House
from kiezbruecke.ledger.accounts import note_account, payees
from kiezbruecke.ledger.people import Person, signed
from kiezbruecke.ledger.reading import StoredCase, find_case


class AccountView(DeskView):
    """An account of a case in full; personal data."""

    holder: str = Field(repr=False)
    iban: str = Field(repr=False)
    bic: str = Field(repr=False)
    """Empty where the sheet names none"""
    named_in: tuple[str, ...]
    """`antraege.csv, Zeile 3`; `Auszahlung KK26-090416-00001-Z1: ausgezahlt`"""


def show_accounts(house: House, case_id: UUID, person: Person, reason: str) -> tuple[AccountView, ...]:
    """All accounts of a case. That this person is shown them, and why, is in the case's evidence before they are.

    Raises InputError without a reason and where the case has no account, ConfigurationError without the vault's keys.
    """
    (case,) = find_case(house.ledger, str(case_id))
    by = signed(person, reason, case.reference)
    named = _named(case)
    with house.ledger.read() as connection:
        known = payees(connection, named)
    if not known:
        raise InputError("Zu diesem Fall ist kein Konto bekannt", where=case.reference)
    note_account(house.ledger, case.id, list(known), by)
    return tuple(
        AccountView(**known[mark].model_dump(), named_in=tuple(places))
        for mark, places in named.items()
        if mark in known
    )


def _named(case: StoredCase) -> dict[str, list[str]]:
    """By mark where it is named: the lines in the order in which they became known, then the orders."""
    found: dict[str, list[str]] = {}
    for line in case.applications:
        if line.account:
            found.setdefault(line.account, []).append(f"{line.sheet}, Zeile {line.row}")
    for order in case.orders:
        if order.account:
            told = f"{words.ORDER_KINDS[order.kind]} {order.reference}: {words.ORDERS[order.state]}"
            found.setdefault(order.account, []).append(told)
    return found
