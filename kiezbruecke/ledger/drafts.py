"""Writes prepared messages down before anything is sent: identity, bytes, and the money they hold."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, update

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger, now
from kiezbruecke.ledger.dialects import insert_or_ignore, one_at_a_time
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.ledger.effects import booked
from kiezbruecke.ledger.events import PREPARED, append_event
from kiezbruecke.ledger.lineage import MappingVersion, remember_version
from kiezbruecke.ledger.runs import Run, guard
from kiezbruecke.ledger.todo import Kind, Point, raise_point, replace_points


def generation_of(ledger: Ledger, destination: str) -> int:
    """The destination's generation; 1 until a person has reset it."""
    with ledger.read() as connection:
        query = select(t.destinations.c.generation).where(t.destinations.c.name == destination)
        return connection.execute(query).scalar_one_or_none() or 1


def take_vouchers(ledger: Ledger, destination: str, year: int, count: int) -> list[str]:
    """Belegnummern (8 digits), unique per destination and year. A crash may leave a gap, never a double."""
    if not count:
        return []
    with ledger.write() as connection:
        last = next_serial(connection, destination, year, count)
    return [f"{number:08d}" for number in range(last - count + 1, last + 1)]


def next_serial(connection: Connection, name: str, year: int, count: int = 1) -> int:
    """The last of `count` new numbers of a series."""
    insert_or_ignore(connection, t.serials, {"destination": name, "year": year, "last": 0})
    row = (t.serials.c.destination == name) & (t.serials.c.year == year)
    connection.execute(update(t.serials).where(row).values(last=t.serials.c.last + count))
    return int(connection.execute(select(t.serials.c.last).where(row)).scalar_one())


def add_messages(
    ledger: Ledger, run: Run, drafts: Sequence[Draft], owner: str, version: MappingVersion | None = None
) -> list[Point]:
    """Store a chunk of messages, in one transaction; the points of drafts that found no money.

    `version` says what the rule numbers in the drafts' lineage mean.
    """
    if not drafts:
        return []
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        if version is not None:
            remember_version(connection, version)
        points = [point for draft in drafts if (point := _add(connection, run, draft, owner))]
        for point in points:
            raise_point(connection, point)
    return points


def add_previews(ledger: Ledger, run: Run, drafts: Sequence[Draft]) -> None:
    """Keep what a dry run would have sent: without identity."""
    rows = [
        {
            "route": run.route,
            "case_id": draft.identity.case_id,
            "effect": draft.identity.effect,
            "file_name": draft.file_name,
            "payload": draft.payload,
            "at": now(),
        }
        for draft in drafts
    ]
    if not rows:
        return
    mine = (t.previews.c.route == run.route) & t.previews.c.case_id.in_([row["case_id"] for row in rows])
    with ledger.write() as connection:
        guard(connection, run)
        connection.execute(delete(t.previews).where(mine))
        connection.execute(insert(t.previews), rows)


def finish_prepare(
    ledger: Ledger, run: Run, points: Sequence[Point], cases: Collection[UUID] | None, *, began: datetime
) -> None:
    """The route's open points become exactly `points`, or those about `cases`: what is not among them has healed.

    Previews from before `began` are gone: the dry run has made new ones, or the route is live.
    """
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        for kind in (Kind.SET_ASIDE, Kind.FOLLOW_UP):
            of_kind = [point for point in points if point.kind == kind]
            replace_points(connection, kind, run.route, of_kind, cases=cases)
        connection.execute(delete(t.previews).where(t.previews.c.route == run.route, t.previews.c.at < began))


def add_baseline(ledger: Ledger, lane: str, case_ids: Iterable[UUID], *, person: str, reason: str) -> int:
    """Mark cases as typed by hand already: nothing of this lane is sent for them."""
    count = 0
    with ledger.write() as connection:
        for case_id in case_ids:
            values = {"case_id": case_id, "lane": lane, "person": person, "reason": reason, "at": now()}
            if insert_or_ignore(connection, t.baselines, values):
                append_event(connection, case_id, "case.baseline", {"lane": lane, "person": person})
                count += 1
    return count


def _add(connection: Connection, run: Run, draft: Draft, owner: str) -> Point | None:
    identity = draft.identity
    if not insert_or_ignore(connection, t.messages, _values(run, draft)):
        return _why_not(connection, run, draft, owner)
    if not draft.test:
        hold = booked(identity.effect).hold
        reason = hold(connection, [draft]).get(identity.key) if hold else None
        if reason:
            connection.execute(delete(t.messages).where(t.messages.c.key == identity.key))
            return _set_aside(run, draft, owner, reason)
    append_event(
        connection,
        identity.case_id,
        PREPARED,
        {
            "reference": draft.reference,
            "effect": identity.effect,
            "number": identity.number,
            "destination": identity.destination,
            "sha256": hashlib.sha256(draft.payload).hexdigest(),
            "amount_cents": draft.amount_cents,
            "mapping": draft.mapping,
        },
    )
    return None


def _why_not(connection: Connection, run: Run, draft: Draft, owner: str) -> Point | None:
    """None where another run was first with the same message; else the case has such an effect elsewhere already."""
    query = select(t.messages.c.key).where(t.messages.c.key == draft.identity.key)
    if connection.execute(query).one_or_none() is not None:
        return None
    return _set_aside(run, draft, owner, "Für diesen Fall gibt es bei einem anderen Ziel schon dieselbe Wirkung")


def _set_aside(run: Run, draft: Draft, owner: str, reason: str) -> Point:
    case = draft.identity.case_id
    return Point(Kind.SET_ASIDE, f"{run.route}:{case}", run.route, owner, f"{draft.reference}: {reason}", (), case)


def _values(run: Run, draft: Draft) -> dict[str, Any]:
    identity = draft.identity
    return {
        "key": identity.key,
        "destination": identity.destination,
        "generation": identity.generation,
        "case_id": identity.case_id,
        "effect": identity.effect,
        "number": identity.number,
        "reference": draft.reference,
        "related_reference": draft.related_reference,
        "voucher": draft.voucher,
        "lane": run.lane,
        "route": run.route,
        "owner": draft.owner,
        "state": draft.state.value,
        "once": booked(identity.effect).once,
        "basis": draft.basis,
        "amount_cents": draft.amount_cents,
        "payload": draft.payload,
        "sha256": hashlib.sha256(draft.payload).hexdigest(),
        "file_name": draft.file_name,
        "media_type": draft.media_type,
        "facts": dict(draft.facts),
        "mapping": draft.mapping,
        "mapping_digest": draft.mapping_digest,
        "lineage": draft.lineage,
        "test": draft.test,
        "created_at": draft.created_at,
        "updated_at": now(),
    }
