"""Keeps what sources say: records with their history, receipts, and how far a source was read – in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from kiezbruecke.connector import Handled, Item
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger, now
from kiezbruecke.ledger.dialects import insert_or_ignore
from kiezbruecke.ledger.events import append_event
from kiezbruecke.ledger.receipts import store_receipt
from kiezbruecke.ledger.runs import Run, guard
from kiezbruecke.ledger.todo import Point, close_point, raise_point
from kiezbruecke.records import Applicant, Decision, Proposal, Receipt, Record
from kiezbruecke.records.identity import case_id, case_key

SET_ASIDE = "set_aside"
REALLY_GONE = "wirklich_weg"


@dataclass(frozen=True)
class Taken:
    """An item with the records a mapping made of it, or the one German line why it could not."""

    item: Item
    records: tuple[Record, ...] = ()
    problem: str | None = None


@dataclass(frozen=True)
class Known:
    """What the ledger holds of a record already."""

    digest: str
    version: int


@dataclass
class Stored:
    """What one `store` did."""

    handled: list[Handled] = field(default_factory=list)
    new: int = 0
    updated: int = 0
    receipts: int = 0
    set_aside: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """The same, by word."""
        words = ("new", "updated", "receipts", "set_aside")
        return {"items": len(self.handled), **{word: getattr(self, word) for word in words}}


def read_cursor(ledger: Ledger, source: str) -> str:
    """How far a source was read; empty at the beginning."""
    with ledger.read() as connection:
        query = select(t.cursors.c.value).where(t.cursors.c.source == source)
        return connection.execute(query).scalar_one_or_none() or ""


def store(
    ledger: Ledger, run: Run, source: str, process_id: str, owner: str, taken: Sequence[Taken], cursor: str
) -> Stored:
    """Store a chunk of what a source said, with the cursor that stands for it."""
    stored = Stored()
    with ledger.write() as connection:
        guard(connection, run)
        known = _known(connection, [record for one in taken for record in one.records])
        for one in taken:
            _store_one(connection, run, source, process_id, owner, one, known, stored)
        _touch(connection, known)
        _set_cursor(connection, source, cursor)
    return stored


def mark_gone(ledger: Ledger, run: Run, source: str, owner: str, kinds: Collection[str], seen: Collection[UUID]) -> int:
    """Mark as gone what a source with a full listing does not have any more; nothing is deleted.

    Where more than half of it would vanish at once, a person is asked first: an empty answer is no proof.
    """
    with ledger.write() as connection:
        guard(connection, run)
        rows = connection.execute(
            select(t.records.c.id, t.records.c.case_id, t.records.c.kind).where(
                t.records.c.source == source, t.records.c.kind.in_(kinds), t.records.c.gone_at.is_(None)
            )
        ).all()
        gone = [row for row in rows if row.id not in seen]
        if len(gone) > 5 and len(gone) * 2 > len(rows) and not _confirmed_gone(connection, source):
            raise_point(connection, _vanished(run, source, owner, len(gone)))
            return 0
        close_point(connection, "vanished", source)
        for row in gone:
            connection.execute(update(t.records).where(t.records.c.id == row.id).values(gone_at=now()))
            if row.case_id is not None:
                append_event(connection, row.case_id, f"{row.kind}.gone", {"source": source})
    return len(gone)


def _store_one(
    connection: Connection,
    run: Run,
    source: str,
    process_id: str,
    owner: str,
    taken: Taken,
    known: dict[UUID, Known],
    stored: Stored,
) -> None:
    subject = f"{source}:{taken.item.kind}:{taken.item.external_id}"
    if taken.problem is not None:
        raise_point(connection, Point(SET_ASIDE, subject, run.route, owner, taken.problem))
        stored.set_aside += 1
        stored.handled.append(Handled(taken.item, taken.problem))
        return
    close_point(connection, SET_ASIDE, subject)
    fresh = False
    for record in taken.records:
        if isinstance(record, Receipt):
            new = store_receipt(connection, taken.item, record, route=run.route, owner=owner)
            stored.receipts += new
        else:
            new = _store_record(connection, source, process_id, taken.item, record, known.get(record.identity), stored)
        fresh = fresh or new
    stored.handled.append(Handled(taken.item, known=not fresh))


def _store_record(
    connection: Connection,
    source: str,
    process_id: str,
    item: Item,
    record: Record,
    known: Known | None,
    stored: Stored,
) -> bool:
    digest = record.digest()
    if known is not None and known.digest == digest:
        return False
    case = _case_of(connection, record)
    values = {"digest": digest, "body": record.canonical(), "last_seen": now(), "gone_at": None}
    version = 1 if known is None else known.version + 1
    if known is None:
        connection.execute(
            insert(t.records).values(
                id=record.identity,
                kind=record.kind,
                process_id=process_id,
                case_id=case,
                source=source,
                external_id=item.external_id,
                version=version,
                first_seen=now(),
                **values,
            )
        )
        stored.new += 1
    else:
        connection.execute(update(t.records).where(t.records.c.id == record.identity).values(version=version, **values))
        stored.updated += 1
    connection.execute(
        insert(t.record_history).values(
            record_id=record.identity, version=version, digest=digest, body=values["body"], at=now()
        )
    )
    if case is not None:
        word = "recorded" if known is None else "changed"
        append_event(
            connection,
            case,
            f"{record.kind}.{word}",
            {"version": version, "digest": digest, "source": source},
        )
    return True


def _case_of(connection: Connection, record: Record) -> UUID | None:
    """The case a record belongs to, made if it is the first word about it."""
    if not isinstance(record, Proposal | Applicant | Decision):
        return None
    process_id, reference, area_id = case_key(record)
    identity = case_id(process_id, reference, area_id)
    insert_or_ignore(
        connection,
        t.cases,
        {
            "id": identity,
            "process_id": process_id,
            "reference": reference,
            "area_id": area_id,
            "created_at": now(),
        },
    )
    return identity


def _known(connection: Connection, records: Sequence[Record]) -> dict[UUID, Known]:
    ids = [record.identity for record in records if not isinstance(record, Receipt)]
    if not ids:
        return {}
    columns = (t.records.c.id, t.records.c.digest, t.records.c.version)
    rows = connection.execute(select(*columns).where(t.records.c.id.in_(ids))).all()
    return {row.id: Known(row.digest, row.version) for row in rows}


def _touch(connection: Connection, known: dict[UUID, Known]) -> None:
    """What was seen again is not gone."""
    if known:
        connection.execute(
            update(t.records).where(t.records.c.id.in_(list(known))).values(last_seen=now(), gone_at=None)
        )


def _set_cursor(connection: Connection, source: str, value: str) -> None:
    if not value:
        return
    insert_or_ignore(connection, t.cursors, {"source": source, "value": value, "at": now()})
    connection.execute(update(t.cursors).where(t.cursors.c.source == source).values(value=value, at=now()))


def _confirmed_gone(connection: Connection, source: str) -> bool:
    """Whether a person has said within the last day that what is missing is really gone."""
    query = select(t.attention.c.id).where(
        t.attention.c.kind == "vanished",
        t.attention.c.subject == source,
        t.attention.c.answer == REALLY_GONE,
        t.attention.c.closed_at > now() - timedelta(days=1),
    )
    return connection.execute(query.limit(1)).one_or_none() is not None


def _vanished(run: Run, source: str, owner: str, count: int) -> Point:
    return Point(
        "vanished",
        source,
        run.route,
        owner,
        f"Die Quelle zeigt {count} Vorschläge nicht mehr, mehr als die Hälfte: bitte prüfen, ob sie alles zeigt",
        (REALLY_GONE, "erledigt"),
    )
