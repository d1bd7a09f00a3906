"""Writes prepared messages down before anything is sent: identity, bytes, and the money they hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, update

from kiezbruecke.connector import Effect
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger, now
from kiezbruecke.ledger.dialects import insert_or_ignore, one_at_a_time
from kiezbruecke.ledger.events import PREPARED, append_event
from kiezbruecke.ledger.lineage import MappingVersion, remember_version
from kiezbruecke.ledger.money import hold
from kiezbruecke.ledger.runs import Run, guard
from kiezbruecke.ledger.states import MessageState
from kiezbruecke.ledger.todo import Kind, Point, replace_points
from kiezbruecke.records import name_id


@dataclass(frozen=True)
class Identity:
    """(destination, generation, case, effect, number): unique. The route and the mapping are no part of it."""

    destination: str
    generation: int
    case_id: UUID
    effect: Effect
    number: int

    @property
    def key(self) -> UUID:
        """The message's key (UUIDv5); xdomea's nachrichtenUUID."""
        return name_id(
            "message",
            self.destination,
            str(self.generation),
            str(self.case_id),
            self.effect.value,
            str(self.number),
        )


@dataclass(frozen=True)
class Draft:
    """A message that is ready to be stored."""

    identity: Identity
    reference: str
    basis: str
    payload: bytes = field(repr=False)
    file_name: str = ""
    media_type: str = ""
    mapping: str = ""
    mapping_digest: str = ""
    lineage: bytes = field(default=b"", repr=False)  # which rule gave which value, sealed with the payload
    owner: str = ""
    created_at: datetime = field(default_factory=now)
    voucher: str = ""
    related_reference: str | None = None
    amount_cents: int | None = None
    area: tuple[str, int, str] | None = None  # (process, year, area) whose budget it holds
    test: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)


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
    ledger: Ledger,
    run: Run,
    drafts: Sequence[Draft],
    points: Sequence[Point],
    owner: str,
    version: MappingVersion | None = None,
) -> int:
    """Store messages and what needs a person, in one transaction; how many drafts found no money.

    The route's open points become exactly `points` and those without money: what is not among them has healed.
    `version` says what the rule numbers in the drafts' lineage mean.
    """
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        connection.execute(delete(t.previews).where(t.previews.c.route == run.route))  # the route is live
        if version is not None and drafts:
            remember_version(connection, version)
        without_money = [point for draft in drafts if (point := _add(connection, run, draft, owner))]
        _replace(connection, run, [*points, *without_money])
    return len(without_money)


def replace_previews(ledger: Ledger, run: Run, drafts: Sequence[Draft], points: Sequence[Point]) -> None:
    """Keep what a dry run would have sent: without identity, replaced at every run."""
    with ledger.write() as connection:
        guard(connection, run)
        _replace(connection, run, points)
        connection.execute(delete(t.previews).where(t.previews.c.route == run.route))
        for draft in drafts:
            connection.execute(
                insert(t.previews).values(
                    route=run.route,
                    case_id=draft.identity.case_id,
                    effect=draft.identity.effect.value,
                    file_name=draft.file_name,
                    payload=draft.payload,
                    at=now(),
                )
            )


def _replace(connection: Connection, run: Run, points: Sequence[Point]) -> None:
    for kind in (Kind.SET_ASIDE, Kind.FOLLOW_UP):
        replace_points(connection, kind, run.route, [point for point in points if point.kind == kind])


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
    if draft.area is not None and draft.amount_cents is not None and not draft.test:
        reason = hold(connection, identity.case_id, identity.effect, draft.area, draft.amount_cents, draft.reference)
        if reason:
            connection.execute(delete(t.messages).where(t.messages.c.key == identity.key))
            return _set_aside(run, draft, owner, reason)
    append_event(
        connection,
        identity.case_id,
        PREPARED,
        {
            "reference": draft.reference,
            "effect": identity.effect.value,
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
        "effect": identity.effect.value,
        "number": identity.number,
        "reference": draft.reference,
        "related_reference": draft.related_reference,
        "voucher": draft.voucher,
        "lane": run.lane,
        "route": run.route,
        "owner": draft.owner,
        "state": MessageState.WAITING.value,
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
