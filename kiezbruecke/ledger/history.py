"""Keeps what sources say: records with their history, receipts, and how far a source was read – in one transaction."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, update

from kiezbruecke.connector import Handled, Item
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.changes import raise_number
from kiezbruecke.ledger.database import Ledger, now
from kiezbruecke.ledger.dialects import insert_or_ignore, one_at_a_time
from kiezbruecke.ledger.events import append_event
from kiezbruecke.ledger.receipts import store_receipt
from kiezbruecke.ledger.runs import Run, guard
from kiezbruecke.ledger.todo import Answer, Kind, Point, close_point, raise_point
from kiezbruecke.records import Applicant, Decision, Proposal, Receipt, Record
from kiezbruecke.records.identity import case_id, case_key


@dataclass(frozen=True)
class Taken:
    """An item with the records a mapping made of it, or the one German line why it could not."""

    item: Item
    records: tuple[Record, ...] = ()
    problem: str | None = None
    heals: bool = True  # a mended mapping or code list could read it; False where the source itself says it is broken


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


@dataclass(frozen=True)
class Origin:
    """Where a chunk comes from, and for whom. `keeps_unread`: the source will not say these things again."""

    source: str
    process_id: str
    owner: str
    keeps_unread: bool = False

    def subject(self, item: Item) -> str:
        """The name of an item on the attention list."""
        return f"{self.source}:{item.kind}:{item.external_id}"


def read_cursor(ledger: Ledger, source: str) -> str:
    """How far a source was read; empty at the beginning."""
    with ledger.read() as connection:
        query = select(t.cursors.c.value).where(t.cursors.c.source == source)
        return connection.execute(query).scalar_one_or_none() or ""


def read_unread(ledger: Ledger, source: str, process_id: str) -> list[Item]:
    """What could not be read before and the source will not repeat, oldest first."""
    query = select(t.unread).where(t.unread.c.source == source, t.unread.c.process_id == process_id)
    with ledger.read() as connection:
        rows = connection.execute(query.order_by(t.unread.c.at, t.unread.c.subject)).all()
    bodies = [row.body if row.text is None else json.loads(row.text) for row in rows]
    return [
        Item(row.kind, row.external_id, body, row.raw, row.raw_ref, row.problem)
        for row, body in zip(rows, bodies, strict=True)
    ]


def store(ledger: Ledger, run: Run, origin: Origin, taken: Sequence[Taken], cursor: str) -> Stored:
    """Store a chunk of what a source said, with the cursor that stands for it."""
    stored = Stored()
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        known = _known(connection, [record for one in taken for record in one.records])
        for one in taken:
            _store_one(connection, run, origin, one, known, stored)
        _touch(connection, known)
        _set_cursor(connection, origin.source, cursor)
    return stored


def mark_gone(ledger: Ledger, run: Run, origin: Origin, kinds: Collection[str], seen: Collection[str]) -> int:
    """Mark as gone what a source with a full listing does not have any more; nothing is deleted. `seen`: external ids.

    Where more than half of it would vanish at once, a person is asked first: an empty answer is no proof.
    """
    source, subject = origin.source, f"{origin.source}:{origin.process_id}"
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        rows = connection.execute(
            select(t.records.c.id, t.records.c.case_id, t.records.c.kind, t.records.c.external_id).where(
                t.records.c.source == source,
                t.records.c.process_id == origin.process_id,
                t.records.c.kind.in_(kinds),
                t.records.c.gone_at.is_(None),
            )
        ).all()
        gone = [row for row in rows if row.external_id not in seen]
        if len(gone) > 5 and len(gone) * 2 > len(rows) and not _confirmed_gone(connection, subject):
            raise_point(connection, _vanished(run, subject, origin.owner, len(gone)))
            return 0
        close_point(connection, Kind.VANISHED, subject)
        for row in gone:
            connection.execute(update(t.records).where(t.records.c.id == row.id).values(gone_at=now()))
            if row.case_id is not None:
                append_event(connection, row.case_id, f"{row.kind}.gone", {"source": source})
    return len(gone)


def _store_one(
    connection: Connection, run: Run, origin: Origin, taken: Taken, known: dict[UUID, Known], stored: Stored
) -> None:
    subject = origin.subject(taken.item)
    if taken.problem is not None:
        raise_point(connection, Point(Kind.SET_ASIDE, subject, run.route, origin.owner, taken.problem))
        if origin.keeps_unread and taken.heals:
            _keep_unread(connection, origin, taken.item)
        stored.set_aside += 1
        stored.handled.append(Handled(taken.item, taken.problem))
        return
    close_point(connection, Kind.SET_ASIDE, subject)
    close_point(connection, Kind.SET_ASIDE, origin.subject(replace(taken.item, kind=f"{taken.item.kind}-problem")))
    if origin.keeps_unread:
        forget_unread(connection, subject)
    fresh = False
    for record in taken.records:
        if isinstance(record, Receipt):
            new = store_receipt(connection, taken.item, record, route=run.route, owner=origin.owner)
            stored.receipts += new
        else:
            new = _store_record(connection, origin, taken.item, record, known, stored)
        fresh = fresh or new
    stored.handled.append(Handled(taken.item, known=not fresh))


def _store_record(
    connection: Connection, origin: Origin, item: Item, record: Record, all_known: dict[UUID, Known], stored: Stored
) -> bool:
    digest, known = record.digest(), all_known.get(record.identity)
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
                process_id=origin.process_id,
                case_id=case,
                source=origin.source,
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
    all_known[record.identity] = Known(digest, version)
    connection.execute(
        insert(t.record_history).values(
            record_id=record.identity, version=version, digest=digest, body=values["body"], at=now()
        )
    )
    if case is None:
        raise_number(connection, origin.process_id)  # a budget line belongs to no case, and every case hears of it
    else:
        word = "recorded" if known is None else "changed"
        append_event(
            connection,
            case,
            f"{record.kind}.{word}",
            {"version": version, "digest": digest, "source": origin.source},
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


def _keep_unread(connection: Connection, origin: Origin, item: Item) -> None:
    """The bytes stay here: the source forgets them, and a mended mapping must be able to read them."""
    is_bytes = isinstance(item.body, bytes)
    values = {
        "subject": origin.subject(item),
        "source": origin.source,
        "process_id": origin.process_id,
        "kind": item.kind,
        "external_id": item.external_id,
        "body": item.body if is_bytes else None,
        "text": None if isinstance(item.body, bytes) else json.dumps(dict(item.body), ensure_ascii=False, default=str),
        "raw": item.raw,
        "raw_ref": item.raw_ref,
        "problem": item.problem,
        "at": now(),
    }
    insert_or_ignore(connection, t.unread, values)


def forget_unread(connection: Connection, subject: str) -> None:
    """It was read at last, or a person has settled it."""
    connection.execute(delete(t.unread).where(t.unread.c.subject == subject))


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
        t.attention.c.kind == Kind.VANISHED,
        t.attention.c.subject == source,
        t.attention.c.answer == Answer.REALLY_GONE,
        t.attention.c.closed_at > now() - timedelta(days=1),
    )
    return connection.execute(query.limit(1)).one_or_none() is not None


def _vanished(run: Run, source: str, owner: str, count: int) -> Point:
    return Point(
        Kind.VANISHED,
        source,
        run.route,
        owner,
        f"Die Quelle zeigt {count} Vorschläge nicht mehr, mehr als die Hälfte: bitte prüfen, ob sie alles zeigt",
        (Answer.REALLY_GONE, Answer.DONE),
    )
