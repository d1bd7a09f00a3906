"""Which rows the evidence covers, and the digest of each: whatever acts later cannot be changed unseen.

A *unit* is what is sealed as one: a message with its steps, a record with its versions, a budget. Its digest covers
every column of its rows but those named as free, with the reason beside them. An event of the chain keeps the digests
of the units that its transaction has changed; `evidence` compares them with the rows.

A column that holds nothing, or what the database puts in by itself, is left out of the digest: so a column that a later
version adds changes no digest of today.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Dialect,
    LargeBinary,
    Row,
    Select,
    String,
    Table,
    Uuid,
    and_,
    bindparam,
    exists,
    false,
    select,
    true,
    type_coerce,
)
from sqlalchemy.types import TypeEngine, UserDefinedType

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.refusals import readable
from kiezbruecke.ledger.sets import among, rows_among, slices
from kiezbruecke.ledger.states import MessageState

_APART = {0x1C: "\x1c0", 0x1E: "\x1c1", 0x1F: "\x1c2"}  # the signs between words and rows, and the one before these

Key = tuple[Hashable, ...]
Digests = dict[Key, str]

FREE: Mapping[str, str] = {  # table, or table.column: why it may change without a trace
    "cases.last_event": "the end of the chain itself: compared with its last link",
    "cases.last_hash": "the same",
    "cases.changed": "when a route looks at the case again; `run --everything` looks at all",
    "cases.wakes_on": "when a route looks at the case again; `run --everything` looks at all",
    "journals.last_event": "the end of the chain itself: compared with its last link",
    "journals.last_hash": "the same",
    "destinations.sends": "compared with the witnesses outside the ledger, which is what it is for",
    "messages.ask_after": "when a transport report is asked for",
    "messages.asked": "how often one was asked for",
    "messages.fence": "whose turn it is; an older run is stopped by the lane's fence, a newer one takes over",
    "messages.updated_at": "when somebody is reminded",
    "records.input": "whether an item is mapped again although it is as before; what comes of it is sealed",
    "alembic_version": "the schema's number; a ledger opens on its own schema only",
    "findable": "what a search finds a case by, derived from records and messages; nothing goes out because of it",
    "changes": "what a run looks at, derived: `run --everything` looks at all",
    "lanes": "fences; every run raises its own and stops the older ones",
    "looks": "what a run looks at, derived",
    "previews": "dry runs: replaced by every run, never sent",
    "uploads": "lists that are looked at: read by their sender alone, by their digest, and checked when taken over",
    "runs": "the diary of runs: shown to IT operations, decides about nothing that goes out",
    "verdicts": "what a run looks at, derived from budgets and decisions",
}


@dataclass(frozen=True, eq=False)
class Piece:
    """Rows of one table that belong to a unit. `only`, `but`: where another unit has the other columns."""

    table: Table
    key: tuple[Column[Any], ...]
    through: ColumnElement[bool] | None = None  # how the table that knows the case is joined, where it is another one
    only: tuple[Column[Any], ...] = ()
    but: tuple[Column[Any], ...] = ()

    @cached_property
    def columns(self) -> tuple[Column[Any], ...]:
        """What is sealed."""
        found = (column for column in self.table.columns if f"{self.table.name}.{column.name}" not in FREE)
        return self.only or tuple(column for column in found if column.name not in {one.name for one in self.but})

    def select(self, *more: ColumnElement[Any]) -> Select[Any]:
        """The rows in a lasting order: `more`, the unit's key, and what is sealed of each column."""
        order = [*self.key, *(column for column in self.table.primary_key if column not in self.key)]
        return select(*more, *self.key, *map(_told, self.columns)).order_by(*order)

    def key_of(self, row: Row[Any]) -> Key:
        """Which unit a row belongs to."""
        told = len(row) - len(self.columns)
        return row[told - len(self.key) : told]

    def words(self, row: Row[Any]) -> str:
        """A row's content, one form on both databases."""
        return joined([self.table.name, *(told for told in row[-len(self.columns) :] if told is not None)])


@dataclass(frozen=True, eq=False)
class Unit:
    """What is sealed as one. `case`: the column that says whose chain it is in; without one it has a journal."""

    name: str
    parts: tuple[Piece, ...]
    case: Column[Any] | None = None
    alone: ColumnElement[bool] | None = field(default_factory=true)  # which rows have a journal; None: none

    def title(self, key: Key) -> str:
        """The name of one unit in chains and findings: no content."""
        return f"{self.name}:{'|'.join(map(str, key))}"

    def digests(self, connection: Connection, keys: Iterable[Key]) -> Digests:
        """The digests of these units; without those that are not there."""
        found: dict[Key, list[str]] = defaultdict(list)
        for part, statement in self._by_key:
            for row in _rows(connection, part, statement, keys):
                found[part.key_of(row)].append(part.words(row))
        return {key: _digest(words) for key, words in found.items()}

    def digests_of_cases(self, connection: Connection, cases: Iterable[UUID]) -> dict[UUID, dict[str, str]]:
        """The digests of all such units of these cases, by case and title."""
        cases = list(cases)
        words: dict[UUID, dict[Key, list[str]]] = defaultdict(lambda: defaultdict(list))
        for part, statement in self._by_case:
            with readable(part.table.name):
                rows = rows_among(connection, statement, cases)
            for row in rows:
                words[row.chain][part.key_of(row)].append(part.words(row))
        return {case: {self.title(key): _digest(some) for key, some in units.items()} for case, units in words.items()}

    def digests_alone(self, connection: Connection) -> Iterator[tuple[str, str]]:
        """Titles and digests of all such units that belong to no case."""
        if self.alone is None:
            return
        with readable(self.parts[0].table.name):
            keys = connection.execute(select(*self.parts[0].key).where(self.alone).distinct()).all()
        for some in slices([tuple(row) for row in keys]):
            yield from ((self.title(key), digest) for key, digest in self.digests(connection, some).items())

    def strays(self, connection: Connection) -> Iterator[str]:
        """The tables with rows that belong to no case and have no journal: nobody would read them."""
        if self.case is None:
            return
        for part in self.parts:
            query = select(true()).select_from(part.table).where(self._is_stray(part, self.case)).limit(1)
            if connection.execute(query).first() is not None:
                yield part.table.name

    def _is_stray(self, part: Piece, case: Column[Any]) -> ColumnElement[bool]:
        if part.through is None:
            return case.is_not(None) & case.not_in(select(t.cases.c.id))
        alone = false() if self.alone is None or part is not self.parts[0] else self.alone
        return ~exists(select(case.table).where(part.through)) & ~alone

    @cached_property
    def _by_key(self) -> list[tuple[Piece, Select[Any]]]:
        return [(part, part.select().where(_named(part.key))) for part in self.parts]

    @cached_property
    def _by_case(self) -> list[tuple[Piece, Select[Any]]]:
        if self.case is None:
            return []
        return [(part, self._of_case(part, self.case)) for part in self.parts]

    def _of_case(self, part: Piece, case: Column[Any]) -> Select[Any]:
        statement = part.select(case.label("chain")).where(among(case))
        if part.through is None:
            return statement
        return statement.join_from(part.table, case.table, part.through)


def joined(words: Iterable[str]) -> str:
    """One text of many; no two lists of words give the same one, whatever signs stand in them."""
    words = list(words)
    text = "\x1f".join(words)
    if text.count("\x1f") == len(words) - 1 and "\x1e" not in text and "\x1c" not in text:  # most have none
        return text
    return "\x1f".join(word.translate(_APART) for word in words)


def _named(key: tuple[Column[Any], ...]) -> ColumnElement[bool]:
    """One column is asked for many values at once, more of them for one value each."""
    if len(key) == 1:
        return among(key[0])
    return and_(*(column == bindparam(f"key_{number}") for number, column in enumerate(key)))


def _rows(connection: Connection, part: Piece, statement: Select[Any], keys: Iterable[Key]) -> list[Row[Any]]:
    with readable(part.table.name):
        if len(part.key) == 1:
            return rows_among(connection, statement, (value for (value,) in keys))
        names = [{f"key_{number}": value for number, value in enumerate(key)} for key in keys]
        return [row for given in names for row in connection.execute(statement, given)]


def _digest(rows: Iterable[str]) -> str:
    """Half of a SHA-256: nobody finds other rows with the same 128 bits, and a chain holds many of these."""
    return hashlib.sha256("\x1e".join(rows).encode("utf-8", "surrogatepass")).hexdigest()[:32]


class SealedText(UserDefinedType[str]):
    """A column's value as it is sealed, one form on both databases, made while its row is read.

    None for what holds nothing, or `silent`. What both databases keep as it is told is not made into a value first.
    """

    cache_ok = True

    def __init__(self, column: Column[Any], start: str = "", silent: Any = None) -> None:
        self.column, self.start, self.silent = column, start, silent

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], str | None]:
        """See SQLAlchemy."""
        kind, start, silent = self.column.type, self.start, self.silent
        read = kind.dialect_impl(dialect).result_processor(dialect, coltype)
        is_binary, is_state = isinstance(kind, LargeBinary), self.column is t.messages.c.state
        short = None if is_state else _short(kind, dialect)

        def told(value: Any) -> str | None:
            if short is not None and type(value) is str and value != silent and (text := short(value)):
                return start + text
            value = value if read is None else read(value)
            if value is None or value == silent:
                return None
            # SQLite keeps text where bytes belong: the digest of bytes, as text, is not those bytes
            foreign = "" if isinstance(value, bytes) == is_binary else f"{type(value).__name__}\x1f"
            return start + foreign + (_as_sealed(value) if is_state else _TEXTS.get(type(value), str)(value))

        return told


def as_text(column: Column[Any]) -> ColumnElement[str]:
    """The column, read as the text under which it is sealed."""
    return type_coerce(column, SealedText(column)).label(column.name)


def _told(column: Column[Any]) -> ColumnElement[str]:
    return type_coerce(column, SealedText(column, f"{column.name}=", _by_default(column)))


def _short_uuid(stored: str) -> str:
    return f"{stored[:8]}-{stored[8:12]}-{stored[12:16]}-{stored[16:20]}-{stored[20:]}" if len(stored) == 32 else ""


def _short_moment(stored: str) -> str:
    if len(stored) != 26:
        return ""
    return f"{stored[:10]}T{stored[11:19] if stored.endswith('.000000') else stored[11:]}+00:00"


def _short(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[str], str] | None:
    """How a stored text becomes the sealed one where no value is needed, which would cost ten times as much."""
    if isinstance(kind, String):
        return str
    return _SHORT_ON_SQLITE.get(type(kind)) if dialect.name == "sqlite" else None


_SHORT_ON_SQLITE: Mapping[type, Callable[[str], str]] = {Uuid: _short_uuid, t.Moment: _short_moment}


def _as_sealed(state: str) -> str:
    """A message that a run has in hand has not left: that is no other state than waiting."""
    return MessageState.WAITING.value if state == MessageState.CLAIMED.value else state


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


_TEXTS: Mapping[type, Callable[[Any], str]] = {  # any other as Python writes it
    bytes: lambda value: hashlib.sha256(value).hexdigest(),
    datetime: lambda value: value.astimezone(UTC).isoformat(),
    dict: _as_json,
    list: _as_json,
}


def _by_default(column: Column[Any]) -> Any:
    """The value of a server default: texts and numbers as they are read."""
    if column.server_default is None:
        return None
    text = str(getattr(column.server_default, "arg", ""))
    kind = column.type.python_type
    return text == "true" if kind is bool else kind(text)


_a, _c, _k, _m, _r = t.attention.c, t.cases.c, t.commitments.c, t.messages.c, t.records.c
_COUNTED = (_c.counted_area, _c.counted_cents)

CASE = Unit("case", (Piece(t.cases, (_c.id,), but=_COUNTED),), _c.id, None)
RECORD = Unit(
    "record",
    (
        Piece(t.records, (_r.id,)),
        Piece(t.record_history, (t.record_history.c.record_id,), t.record_history.c.record_id == _r.id),
    ),
    _r.case_id,
    _r.case_id.is_(None),
)
MESSAGE = Unit(
    "message",
    (
        Piece(t.messages, (_m.key,)),
        Piece(t.attempts, (t.attempts.c.message_key,), t.attempts.c.message_key == _m.key),
    ),
    _m.case_id,
    None,
)
BYTES = Unit(
    "bytes",
    (Piece(t.message_bytes, (t.message_bytes.c.key,), t.message_bytes.c.key == _m.key),),
    _m.case_id,
    None,
)
RECEIPT = Unit(
    "receipt",
    (Piece(t.receipts, (t.receipts.c.id,), t.receipts.c.message_key == _m.key),),
    _m.case_id,
    t.receipts.c.message_key.is_(None),
)
POINT = Unit("point", (Piece(t.attention, (_a.id,)),), _a.case_id, _a.case_id.is_(None))
COMMITMENT = Unit("commitment", (Piece(t.commitments, (_k.case_id,)),), _k.case_id, None)
ORDER = Unit("order", (Piece(t.orders, (t.orders.c.key,)),), t.orders.c.case_id, None)
BASELINE = Unit("baseline", (Piece(t.baselines, (t.baselines.c.case_id,)),), t.baselines.c.case_id, None)
APPROVAL = Unit("approval", (Piece(t.approvals, (t.approvals.c.key,), t.approvals.c.key == _m.key),), _m.case_id, None)
RELEASE = Unit("release", (Piece(t.releases, (t.releases.c.id,)),))
ACCOUNT = Unit("account", (Piece(t.accounts, (t.accounts.c.mark,)),))
BATCH = Unit("batch", (Piece(t.batches, (t.batches.c.id,)),))
VOTES = Unit(  # what the cases of an area take of its budget, as they were counted last
    "votes",
    (Piece(t.cases, (_c.process_id, _c.counted_area), only=(_c.id, _c.counted_cents)),),
    alone=_c.counted_area != "",
)
BUDGET = Unit("budget", (Piece(t.budgets, tuple(t.budgets.primary_key)),))
THEIR_SUMS = Unit("their-sums", (Piece(t.balances, (t.balances.c.destination, t.balances.c.fiscal_year)),))
RECOVERY = Unit("recovery", (Piece(t.recovery_steps, (t.recovery_steps.c.destination,)),))
DESTINATION = Unit("destination", (Piece(t.destinations, (t.destinations.c.name,)),))
FLAG = Unit("route", (Piece(t.route_flags, (t.route_flags.c.route,)),))
SERIAL = Unit("serial", (Piece(t.serials, tuple(t.serials.primary_key)),))
CURSOR = Unit("cursor", (Piece(t.cursors, (t.cursors.c.source,)),))
UNREAD = Unit("unread", (Piece(t.unread, (t.unread.c.subject,)),))
VERSION = Unit("mapping-version", (Piece(t.mapping_versions, (t.mapping_versions.c.digest,)),))

OF_CASES = (CASE, RECORD, MESSAGE, BYTES, RECEIPT, POINT, COMMITMENT, ORDER, BASELINE, APPROVAL)
ALL = (
    *OF_CASES,
    *(ACCOUNT, RELEASE, BATCH, VOTES, BUDGET, THEIR_SUMS, RECOVERY, DESTINATION, FLAG, SERIAL, CURSOR, UNREAD, VERSION),
)
