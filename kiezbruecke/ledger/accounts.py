"""Account data in the ledger: applications keep a mark, the vault keeps the account, and nothing else holds one.

    Application + Account of one line ──keep_accounts──▶ Application with mark and hint   (records)
                                                    └──▶ the account, sealed              (accounts)

Bytes that hold account data – a payment's payload and carrier, a line that no mapping could read – are sealed as they
are written and opened as they are read: `sealed`, `opened` are the only two that do so. Digests are of the plain bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger, now, vault_of
from kiezbruecke.ledger.effects import booked
from kiezbruecke.ledger.events import SHOWN, append_event, touch
from kiezbruecke.ledger.people import Signed
from kiezbruecke.ledger.seals import ACCOUNT
from kiezbruecke.ledger.sets import among, rows_among, write_all
from kiezbruecke.records import Account, Application, Record, Settlement
from kiezbruecke.records.views import PayeeView
from kiezbruecke.vault import Vault, key_of, masked

Records = tuple[Record, ...]  # that one line of a sheet became

_IN_TEXT = re.compile(r"\b([A-Z]{2}\d{2})[ -]?[A-Z0-9]{4}(?:[ -]?\d[A-Z0-9]{0,3}){2,8}\b", re.IGNORECASE)
_TEXTS = ("reason", "applicant_name", "recorded_by")  # where a clerk writes what comes to mind

_a = t.accounts.c
_KNOWN = select(_a.mark).where(among(_a.mark))
_ACCOUNTS = select(_a.mark, _a.sealed).where(among(_a.mark))
_ADD = insert(t.accounts)


def sealed(connection: Connection, plain: bytes, about: str) -> bytes:
    """Bytes that hold account data, as they are stored for the row that `about` names."""
    return vault_of(connection).seal(plain, about)


def opened(connection: Connection, stored: bytes, about: str) -> bytes:
    """The plain bytes of this row, whether they are sealed or not."""
    return vault_of(connection).open(bytes(stored), about)


def as_stored(connection: Connection, effect: str, payload: bytes, about: str) -> bytes:
    """A payload as it is stored: sealed where its effect says that it is confidential."""
    return sealed(connection, payload, about) if booked(effect).confidential else payload


def about_message(key: UUID) -> str:
    """The row that a message's bytes are sealed for."""
    return f"message:{key}"


def about_carrier(batch: str) -> str:
    """The row that a carrier's bytes are sealed for."""
    return f"batch:{batch}"


def about_preview(route: str, case: UUID) -> str:
    """The row that the bytes of a dry run are sealed for."""
    return f"preview:{route}:{case}"


def about_account(mark: str) -> str:
    """The row that an account is sealed for."""
    return f"account:{mark}"


def about_unread(subject: str) -> str:
    """The row that a line which no mapping could read is sealed for."""
    return f"unread:{subject}"


def keep_accounts(connection: Connection, lines: Sequence[Records]) -> list[Records]:
    """Put accounts into the vault; what is left of each line's records are the others, applications with a mark.

    An IBAN that a clerk has written into a text beside it (`war DE89 3704 …`) becomes `DE89…` there.
    """
    accounts, vault = _accounts(lines), vault_of(connection)
    if accounts:
        _add(connection, vault, {vault.mark(one.iban, one.holder): one for one in accounts.values()})
    return with_marks(vault, lines)


def with_marks(vault: Vault, lines: Sequence[Records]) -> list[Records]:
    """The same records as `keep_accounts` leaves, for who only looks ahead: nothing is kept."""
    lines = [tuple(map(_without_ibans, records)) for records in lines]
    accounts = _accounts(lines)
    marks = {origin: vault.mark(one.iban, one.holder) for origin, one in accounts.items()}
    return [tuple(_without_accounts(records, accounts, marks)) for records in lines]


def _accounts(lines: Sequence[Records]) -> dict[str, Account]:
    return {one.origin: one for records in lines for one in records if isinstance(one, Account)}


def payees(connection: Connection, marks: Iterable[str]) -> dict[str, PayeeView]:
    """Whose accounts these marks name, for the messages that need them. Raises ConfigurationError without the key.

    A mark that the vault does not know is not among them.
    """
    vault = vault_of(connection)
    rows = rows_among(connection, _ACCOUNTS, marks)
    opened_ = ((row.mark, vault.open(bytes(row.sealed), about_account(row.mark))) for row in rows)
    return {mark: PayeeView.model_validate_json(plain) for mark, plain in opened_}


def note_account(ledger: Ledger, case_id: UUID, marks: Sequence[str], by: Signed) -> None:
    """Write down that a person is shown these accounts of a case, and why; before they are shown."""
    told = {"accounts": list(marks), "note": _without_iban(by.reason), **by.person.told}
    with ledger.write() as connection:
        append_event(connection, case_id, SHOWN, told)


def _without_accounts(records: Records, accounts: Mapping[str, Account], marks: Mapping[str, str]) -> Iterator[Record]:
    """The records but for accounts; an application of the same line says by its mark which one is meant."""
    for one in records:
        if isinstance(one, Application) and (own := accounts.get(one.origin)):
            yield one.model_copy(update={"account": marks[own.origin], "account_hint": masked(own.iban)})
        elif not isinstance(one, Account):
            yield one


def _without_ibans(one: Record) -> Record:
    """A line of money with no IBAN in its texts; whether its check digits are right does not matter."""
    if not isinstance(one, Application | Settlement):
        return one
    said = {name: text for name in _TEXTS if (text := getattr(one, name, ""))}
    masked_ = {name: _without_iban(text) for name, text in said.items()}
    return one if masked_ == said else one.model_copy(update=masked_)


def _without_iban(text: str) -> str:
    return _IN_TEXT.sub(r"\1…", text)


def _add(connection: Connection, vault: Vault, accounts: Mapping[str, Account]) -> None:
    known = {row.mark for row in rows_among(connection, _KNOWN, accounts)}
    rows = [_row(vault, mark, one) for mark, one in accounts.items() if mark not in known]
    write_all(connection, _ADD, rows)
    for row in rows:
        touch(connection, ACCOUNT, row["mark"])


def _row(vault: Vault, mark: str, one: Account) -> dict[str, Any]:
    said = json.dumps({"holder": one.holder, "iban": one.iban, "bic": one.bic}, ensure_ascii=False)
    closed = vault.seal(said.encode(), about_account(mark))
    return {"mark": mark, "key_id": key_of(closed), "sealed": closed, "hint": masked(one.iban), "at": now()}
