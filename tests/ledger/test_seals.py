"""Every column of every table is sealed, or named as free with the reason; whatever acts cannot be changed unseen."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Date,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
    Uuid,
    create_engine,
    delete,
    insert,
    select,
    update,
)

from kiezbruecke.connector import Item, MarkKind, Ticket
from kiezbruecke.errors import LedgerError
from kiezbruecke.ledger import (
    Ledger,
    MessageState,
    areas,
    changes,
    claims,
    evidence,
    history,
    money,
    recoveries,
    releases,
    seals,
)
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.anchors import drop_anchor
from kiezbruecke.ledger.database import make_engine
from kiezbruecke.ledger.drafts import add_baseline, add_messages
from kiezbruecke.ledger.history import Taken
from kiezbruecke.ledger.lineage import MappingVersion
from kiezbruecke.ledger.pauses import set_paused
from kiezbruecke.ledger.people import How, Person, signed
from kiezbruecke.ledger.reset import reset_destination
from kiezbruecke.ledger.seals import FREE
from kiezbruecke.ledger.tables import Moment
from kiezbruecke.ledger.witness import Tally
from kiezbruecke.records import Account, ReceiptOutcome
from tests.builders import by

from .conftest import FILES, HKR, MONEY, PROCESS, VAULT, YEAR, Desk, Fresh, draft, receipt

SEALED = [table for table in t.metadata.sorted_tables if table.name not in FREE]
COLUMNS = [column for table in SEALED for column in table.columns if f"{table.name}.{column.name}" not in FREE]


class _Sum:
    area, committed, paid, refunded = "090416", money.euros(100), money.euros(0), money.euros(0)


@pytest.fixture(scope="module")
def full(fresh_sqlite: Fresh) -> Path:
    """A ledger with a row in every table."""
    url = fresh_sqlite()
    with closing(Ledger(make_engine(url), VAULT)) as ledger:
        desk = Desk(ledger)
        desk.grant("10000")
        first, second = desk.decide("P-1", 1), desk.decide("P-2", 2)
        filed, booked = draft(first), draft(second, "commitment.book", 1, "850")
        version = MappingVersion("d" * 64, "efile", 1, [{"rule": 1}])
        add_messages(ledger, desk.run(FILES), [filed], "spk-tk", version)
        desk.prepare(booked)
        run = desk.run(FILES)
        claims.claim(ledger, run)
        claims.keep_tickets(ledger, run, {filed.identity.key: Ticket("ours")})
        claims.begin_sending(ledger, run, [filed.identity.key])
        run = desk.run(MONEY)
        claims.claim_batch(ledger, run, lambda *_: ("f", b"x"), year=YEAR, test=False, full_list=False)
        claims.begin_sending(ledger, run, [booked.identity.key])
        desk.answer(booked, ReceiptOutcome.CONFIRMED)
        desk.pay(second, "850")
        _release_one(desk)
        desk.hear(receipt(booked, ReceiptOutcome.NOTED, external_id="strange", key=None, reference="UNKNOWN"))
        origin = history.Origin("box", PROCESS, "spk-tk", keeps_unread=True)
        letter = Taken(Item("letter", "1", b"?", raw=b"?"), problem="unlesbar")
        history.store(ledger, desk.run("box|collect", "box"), origin, [letter], "7")
        money.store_theirs(ledger, desk.run(MONEY), HKR, YEAR, [_Sum()])
        add_baseline(ledger, FILES, [second], person=by("Kim Kunz"), reason="von Hand")
        set_paused(ledger, "kk-tk-hkr", value=True, person=by("Kim Kunz"), reason="Umzug")
        reset_destination(ledger, "another", person=by("Kim Kunz"), reason="neu")
        with changes.alone(ledger, desk.run(MONEY)) as connection:
            areas.count(connection, {first: areas.Counted("090416", 100), second: areas.Counted("090416", 85000)})
        recoveries.notice(ledger, {"another": Tally()}, "somebody says so")
        paid_to = Account(origin="sheet:2", holder="Beispielverein", iban="DE93999999990000000001")
        desk.store([Taken(Item("application-line", "sheet:2", {}), (paid_to,))], "antraege-tk")
        drop_anchor(ledger)
        assert evidence.verify(ledger).broken == ()
    return Path(url.removeprefix("sqlite:///"))


def _release_one(desk: Desk) -> None:
    """A message that has its three marks."""
    desk.prepare(draft(desk.decide("P-3", 3), state=MessageState.HELD), run=desk.run(FILES, "kk-tk-eakte"))
    act = releases.Act("kk-tk-eakte", "anordnen", "1-0-x", {"areas": {}}, 1, 0, datetime.now(UTC))
    for kinds, who in (((MarkKind.FACTUAL, MarkKind.ARITHMETICAL), "Kim Kunz"), ((MarkKind.ORDERED,), "Jo Jung")):
        person = signed(Person(who, who, How.AIRFLOW), "geprüft", "")
        with desk.ledger.write() as connection:
            releases.give_marks(connection, act, person, kinds, releases.held(connection, "kk-tk-eakte"))


@pytest.mark.parametrize("column", COLUMNS, ids=str)
def test_a_changed_value_is_named(full: Path, tmp_path: Path, column: Column[Any]) -> None:
    """Seen: 850 became 2,500 by one UPDATE, and the next run sent it."""
    with _tampering(full, tmp_path) as (file, connection):
        row = connection.execute(select(column.table)).first()
        assert row is not None, f"{column.table} is empty: the test would see nothing"
        this = [one == row._mapping[one] for one in column.table.primary_key]
        connection.execute(update(column.table).where(*this).values({column: _other(row._mapping[column], column)}))

    assert _verdict(file)


@pytest.mark.parametrize("table", SEALED, ids=str)
def test_a_row_taken_away_is_named(full: Path, tmp_path: Path, table: Table) -> None:
    """Seen: message, receipt and commitment deleted, and the e-file got the same case a second time."""
    with _tampering(full, tmp_path) as (file, connection):
        row = connection.execute(select(table)).first()
        assert row is not None
        connection.execute(delete(table).where(*(one == row._mapping[one] for one in table.primary_key)))

    assert _verdict(file)


@pytest.mark.parametrize("table", SEALED, ids=str)
def test_a_row_put_in_is_named(full: Path, tmp_path: Path, table: Table) -> None:
    """Nobody may be paid because somebody has written a decision into the database."""
    with _tampering(full, tmp_path) as (file, connection):
        row = connection.execute(select(table)).first()
        assert row is not None
        values = dict(row._mapping)
        connection.execute(insert(table).values({**values, **{c.name: _other(values[c.name], c) for c in _own(table)}}))

    assert _verdict(file)


def test_what_is_free_exists(full: Path) -> None:
    """A list of exceptions must not keep the names of what is gone."""
    names = {table.name for table in t.metadata.sorted_tables} | {"alembic_version"}
    names |= {f"{table.name}.{column.name}" for table in t.metadata.sorted_tables for column in table.columns}

    assert names >= FREE.keys()
    assert all(FREE.values())


@pytest.mark.tampers
def test_what_was_changed_is_not_sealed_by_who_writes_next(desk: Desk, ledger: Ledger) -> None:
    """Otherwise one run more, and the evidence would say that all is in order."""
    order = draft(desk.decide())
    desk.prepare(order)
    with ledger.write() as connection:
        connection.execute(update(t.messages).values(basis="another"))

    with pytest.raises(LedgerError, match="not the one that was recorded"):
        desk.hear(receipt(order, ReceiptOutcome.CONFIRMED))

    assert any("message:" in line for line in evidence.verify(ledger).broken)


def test_a_text_does_not_pass_for_the_bytes_whose_digest_it_is(full: Path, tmp_path: Path) -> None:
    """SQLite keeps text where bytes belong; seen: the digest in the place of the bytes was all in order."""
    with _tampering(full, tmp_path) as (_, connection):
        [key] = connection.execute(select(t.message_bytes.c.key).limit(1)).scalars()
        before = seals.BYTES.digests(connection, [(key,)])
        for id_, payload in connection.exec_driver_sql("SELECT key, payload FROM message_bytes").all():
            text = hashlib.sha256(payload).hexdigest()
            connection.exec_driver_sql("UPDATE message_bytes SET payload = ? WHERE key = ?", (text, id_))

        assert seals.BYTES.digests(connection, [(key,)]) != before


@pytest.mark.tampers
def test_a_digest_stays_what_it_is(ledger: Ledger) -> None:
    """It stands in the chains of ledgers that are in use, whichever of the databases they lie on."""
    at = datetime(2026, 4, 24, 9, 30, tzinfo=UTC)
    record = {"id": UUID(int=7), "kind": "decision", "source": "folder", "external_id": "P-1", "process_id": "kk"}
    rows: list[tuple[seals.Unit, Table, dict[str, Any], str]] = [
        (
            seals.RECORD,
            t.records,
            {**record, "seq": 9, "version": 1, "digest": "d", "body": "{}", "first_seen": at, "input": "no part of it"},
            "fb43a887c429b6b10d629edf212c0589",
        ),
        (
            seals.ACCOUNT,
            t.accounts,
            {"mark": "m", "key_id": "1", "sealed": b"\x00\xff", "hint": "…", "at": at + timedelta(microseconds=5)},
            "f5d667124d3d76ae730a93e4ef618975",
        ),
        (
            seals.FLAG,
            t.route_flags,
            {"route": "r", "paused": True, "person": "Kim", "account": "", "reason": "Umzug", "at": at},
            "29aa58c4411edf22851c623a5021c3fc",
        ),
    ]
    with ledger.engine.connect() as connection:
        for unit, table, values, digest in rows:
            connection.execute(insert(table).values(**values))
            key = tuple(values[column.name] for column in unit.parts[0].key)
            assert unit.digests(connection, [key]) == {key: digest}
        connection.rollback()


def test_signs_in_a_value_move_nothing_into_another_column(full: Path, tmp_path: Path) -> None:
    """Seen: a Kennzeichen that ended with „voucher=…“ had the digest of one with that voucher."""
    with _tampering(full, tmp_path) as (_, connection):
        [key] = connection.execute(select(t.messages.c.key).limit(1)).scalars()
        digests = []
        for related, voucher in (("A", "1"), ("A\x1fvoucher=1", "")):
            connection.execute(update(t.messages).values(related_reference=related, voucher=voucher))
            digests.append(seals.MESSAGE.digests(connection, [(key,)]))

    assert digests[0] != digests[1]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET at = 'gestern'",
        "UPDATE events SET body = x'ff'",
        "UPDATE events SET case_id = 'x' || rowid",
        "UPDATE events SET rows = '[' WHERE rows <> ''",
        "UPDATE records SET first_seen = 'gestern'",
        "UPDATE messages SET case_id = 'x' || rowid",
        "UPDATE messages SET facts = '{'",
        "UPDATE cases SET created_at = 'gestern'",
    ],
)
def test_what_cannot_be_read_is_named(full: Path, tmp_path: Path, statement: str) -> None:
    """SQLite keeps anything anywhere; seen: `verify` ended with an unexpected error and named nothing."""
    with _tampering(full, tmp_path) as (file, connection):
        connection.exec_driver_sql(statement)

    assert _verdict(file)


@contextmanager
def _tampering(full: Path, folder: Path) -> Iterator[tuple[Path, Connection]]:
    """A copy of the ledger, open for whoever has the right to write into the database."""
    file = Path(shutil.copy(full, folder / "ledger.sqlite3"))
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints=ON")
        yield file, connection
    engine.dispose()


def _verdict(file: Path) -> tuple[str, ...]:
    with closing(Ledger(make_engine(f"sqlite:///{file}"))) as ledger:
        return evidence.verify(ledger).broken


def _own(table: Table) -> Iterable[Column[Any]]:
    """What must differ in a second row: the key, and what a unique constraint names."""
    unique = {c for one in table.constraints if isinstance(one, UniqueConstraint) for c in one.columns}
    unique |= {c for index in table.indexes if index.unique for c in index.columns}
    return {*table.primary_key, *unique}


_DAY = date(2026, 5, 9)


def _other(value: Any, column: Column[Any]) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str | bytes):
        return value + type(value)(b"x" if isinstance(value, bytes) else "x")  # type: ignore[operator]
    if value is None or isinstance(value, dict | list | UUID):
        fresh = {Moment: datetime.now(UTC), Integer: 1, LargeBinary: b"x", Uuid: uuid4(), JSON: {"x": 1}, Date: _DAY}
        return next((one for kind, one in fresh.items() if isinstance(column.type, kind)), "x")
    return value + (timedelta(days=1) if isinstance(value, date) else 1000)
