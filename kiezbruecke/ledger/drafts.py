"""Writes prepared messages down before anything is sent: identity, bytes, and the money they hold."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from kiezbruecke.errors import Overtaken
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.accounts import about_message, about_preview, as_stored
from kiezbruecke.ledger.database import Ledger, now
from kiezbruecke.ledger.dialects import insert_or_ignore, one_at_a_time
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.ledger.effects import booked
from kiezbruecke.ledger.events import PREPARED, append_event, sign, touch
from kiezbruecke.ledger.lineage import MappingVersion, remember_version
from kiezbruecke.ledger.people import Person, signed
from kiezbruecke.ledger.recoveries import vouchers
from kiezbruecke.ledger.releases import ask_for_marks
from kiezbruecke.ledger.runs import Run, guard
from kiezbruecke.ledger.seals import BASELINE, BYTES, MESSAGE, SERIAL
from kiezbruecke.ledger.sets import among, in_runs, in_turns, rows_among, write_all, write_among
from kiezbruecke.ledger.states import MessageState
from kiezbruecke.ledger.todo import Kind, Name, Point, close_points, raise_points, replace_points

ELSEWHERE = "Für diesen Fall gibt es bei einem anderen Ziel schon dieselbe Wirkung"

_m, _a = t.messages.c, t.attention.c
_KNOWN = select(_m.key).where(among(_m.key))
_ONCE = select(_m.case_id, _m.effect, _m.generation).where(
    among(_m.case_id), _m.once, _m.state != MessageState.REFUSED.value, ~_m.test
)
_REFERENCES = select(_m.destination, _m.generation, _m.reference).where(among(_m.reference))
_REFUSED_BEFORE = (
    select(_a.subject)
    .join_from(t.attention, t.messages, _m.key == _a.message_key)
    .where(
        among(_a.case_id),
        _a.kind == Kind.REFUSED,
        _a.closed_at.is_(None),
        _m.lane == bindparam("of_lane"),
        _m.test == bindparam("is_test"),
    )
    .order_by(_a.id)
)
_ADD, _ADD_BYTES = insert(t.messages), insert(t.message_bytes)
_BASED = select(t.baselines.c.case_id).where(among(t.baselines.c.case_id), t.baselines.c.lane == bindparam("of_lane"))
_ADD_BASELINE, _ADD_PREVIEW = insert(t.baselines), insert(t.previews)
_DROP_PREVIEWS = delete(t.previews).where(t.previews.c.route == bindparam("of_route"), among(t.previews.c.case_id))
_DROP_OLD_PREVIEWS = delete(t.previews).where(
    t.previews.c.route == bindparam("of_route"), t.previews.c.at < bindparam("began")
)


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
        return vouchers(connection, destination, range(last - count + 1, last + 1))


def series_of_carriers(destination: str) -> str:
    """The series that a destination's carriers are numbered in."""
    return f"{destination}#batch"[:60]


def next_serial(connection: Connection, name: str, year: int, count: int = 1) -> int:
    """The last of `count` new numbers of a series."""
    insert_or_ignore(connection, t.serials, {"destination": name, "year": year, "last": 0})
    row = (t.serials.c.destination == name) & (t.serials.c.year == year)
    connection.execute(update(t.serials).where(row).values(last=t.serials.c.last + count))
    touch(connection, SERIAL, name, year)
    return int(connection.execute(select(t.serials.c.last).where(row)).scalar_one())


def add_messages(
    ledger: Ledger, run: Run, drafts: Sequence[Draft], owner: str, version: MappingVersion | None = None
) -> list[Point]:
    """Store a chunk of messages with the money they hold, in one transaction; what a person is told of the others.

    Others: those that found no money, and those whose case has such an effect elsewhere already. `version` says what
    the rule numbers in the drafts' lineage mean.
    """
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        _refuse_older_generation(connection, run, drafts)
        if version is not None and drafts:
            remember_version(connection, version)
        points = [point for turn in in_turns(drafts, _names) for point in _add(connection, run, turn, owner)]
        raise_points(connection, points)
    return points


def add_previews(ledger: Ledger, run: Run, drafts: Sequence[Draft]) -> None:
    """Keep a chunk of what a dry run would have sent: without identity, in place of what the last one kept."""
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        cases = [draft.identity.case_id for draft in drafts]
        write_among(connection, _DROP_PREVIEWS, cases, of_route=run.route)
        write_all(connection, _ADD_PREVIEW, [_preview(connection, run, draft) for draft in drafts])


def finish_prepare(
    ledger: Ledger,
    run: Run,
    points: Sequence[Point],
    cases: Collection[UUID] | None = None,
    *,
    began: datetime,
    overtaken: Sequence[Name] = (),
) -> None:
    """The last transaction of a `prepare`: the route's open points are exactly these.

    What is not among them has healed; `cases` limits that to points about these cases, or about none. `overtaken` are
    points that ask for nothing any more, because the decision behind their message does not hold. Previews from
    before `began` are gone: the dry run has made new ones, or the route is live.
    """
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        connection.execute(_DROP_OLD_PREVIEWS, {"of_route": run.route, "began": began})
        for kind in (Kind.SET_ASIDE, Kind.FOLLOW_UP):
            wanted = [point for point in points if point.kind == kind]
            replace_points(connection, kind, run.route, wanted, cases=cases)
        close_points(connection, overtaken)


def add_baseline(ledger: Ledger, lane: str, case_ids: Iterable[UUID], *, person: Person, reason: str) -> int:
    """Mark cases as typed by hand already: nothing of this lane is sent for them."""
    person, reason = signed(person, reason, "route baseline")
    wanted = list(dict.fromkeys(case_ids))
    with ledger.write() as connection:
        one_at_a_time(connection)
        known = {row.case_id for row in rows_among(connection, _BASED, wanted, of_lane=lane)}
        new = [case_id for case_id in wanted if case_id not in known]
        values = {"lane": lane, "person": person.name, "account": person.login, "reason": reason, "at": now()}
        write_all(connection, _ADD_BASELINE, [{"case_id": case_id, **values} for case_id in new])
        for case_id in new:
            sign(connection, person, "case.baseline", BASELINE, case_id, case=case_id, lane=lane)
    return len(new)


def _refuse_older_generation(connection: Connection, run: Run, drafts: Sequence[Draft]) -> None:
    """What was written for a destination before somebody reset it would reach the rebuilt one beside its successor."""
    for name in {draft.identity.destination for draft in drafts}:
        query = select(t.destinations.c.generation).where(t.destinations.c.name == name)
        now_ = connection.execute(query).scalar_one_or_none() or 1
        if any(draft.identity.destination == name and draft.identity.generation < now_ for draft in drafts):
            raise Overtaken(f"{name} was reset meanwhile", where=f"route {run.route}")


def _names(draft: Draft) -> Iterator[tuple[object, ...]]:
    """What no two messages of one turn share: then none of them can be in another's way."""
    yield ("case", draft.identity.case_id)
    yield _reference(draft)


def _reference(draft: Draft) -> tuple[str, int, str]:
    return draft.identity.destination, draft.identity.generation, draft.reference


def _add(connection: Connection, run: Run, drafts: Sequence[Draft], owner: str) -> list[Point]:
    known = {row.key for row in rows_among(connection, _KNOWN, (draft.identity.key for draft in drafts))}
    fresh = [draft for draft in drafts if draft.identity.key not in known]  # otherwise another run was first with it
    taken = _taken(connection, fresh)
    why_not = {draft.identity.key: ELSEWHERE for draft in fresh if taken & _places(draft)}
    why_not |= _hold(connection, [draft for draft in fresh if draft.identity.key not in why_not])
    stored = [draft for draft in fresh if draft.identity.key not in why_not]
    digests = {draft.identity.key: hashlib.sha256(draft.payload).hexdigest() for draft in stored}
    write_all(connection, _ADD, [message_values(run, draft, digests[draft.identity.key]) for draft in stored])
    write_all(connection, _ADD_BYTES, [bytes_values(connection, draft.identity.key, draft) for draft in stored])
    ask_for_marks(connection, stored, digests)
    for draft in stored:
        for unit in (MESSAGE, BYTES):
            touch(connection, unit, draft.identity.key, case=draft.identity.case_id)
        append_event(connection, draft.identity.case_id, PREPARED, _told(draft, digests[draft.identity.key]))
    _close_overtaken(connection, run, stored)
    reasons = ((draft, why_not.get(draft.identity.key)) for draft in fresh)
    return [_set_aside(run, draft, owner, reason) for draft, reason in reasons if reason]


def _close_overtaken(connection: Connection, run: Run, stored: Sequence[Draft]) -> None:
    """A refusal whose message has a successor now asks nobody for anything any more."""
    for test in sorted({draft.test for draft in stored}):
        later = [draft for draft in stored if draft.test == test and draft.identity.number > 1]
        cases = [draft.identity.case_id for draft in later]
        rows = rows_among(connection, _REFUSED_BEFORE, cases, of_lane=run.lane, is_test=test) if cases else []
        close_points(connection, [(Kind.REFUSED, row.subject) for row in rows])


def _taken(connection: Connection, drafts: Sequence[Draft]) -> set[tuple[object, ...]]:
    """The places that messages of other runs have: references, and effects that may be there only once."""
    once = rows_among(connection, _ONCE, (draft.identity.case_id for draft in drafts))
    references = rows_among(connection, _REFERENCES, (draft.reference for draft in drafts))
    return {(row.case_id, row.effect, row.generation) for row in once} | {tuple(row) for row in references}


def _places(draft: Draft) -> set[tuple[object, ...]]:
    identity = draft.identity
    places: set[tuple[object, ...]] = {_reference(draft)}
    if booked(identity.effect).once and not draft.test and draft.state is not MessageState.REFUSED:
        places.add((identity.case_id, identity.effect, identity.generation))
    return places


def _hold(connection: Connection, drafts: Sequence[Draft]) -> dict[UUID, str]:
    reasons: dict[UUID, str] = {}
    for hold, some in in_runs(drafts, lambda draft: None if draft.test else booked(draft.identity.effect).hold):
        if hold is not None:
            reasons |= hold(connection, some)
    return reasons


def _told(draft: Draft, digest: str) -> dict[str, Any]:
    identity = draft.identity
    return {
        "reference": draft.reference,
        "effect": identity.effect,
        "number": identity.number,
        "destination": identity.destination,
        "sha256": digest,
        "amount_cents": draft.amount_cents,
        "mapping": draft.mapping,
    }


def _set_aside(run: Run, draft: Draft, owner: str, reason: str) -> Point:
    case = draft.identity.case_id
    return Point(Kind.SET_ASIDE, f"{run.route}:{case}", run.route, owner, f"{draft.reference}: {reason}", (), case)


def message_values(run: Run, draft: Draft, digest: str) -> dict[str, Any]:
    """The row of a message."""
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
        "sha256": digest,
        "file_name": draft.file_name,
        "media_type": draft.media_type,
        "facts": dict(draft.facts),
        "mapping": draft.mapping,
        "mapping_digest": draft.mapping_digest,
        "test": draft.test,
        "created_at": draft.created_at,
        "updated_at": now(),
    }


def bytes_values(connection: Connection, key: UUID, draft: Draft) -> dict[str, Any]:
    """The row of a message's bytes; what is confidential is sealed."""
    payload = as_stored(connection, draft.identity.effect, draft.payload, about_message(key))
    return {"key": key, "payload": payload, "lineage": draft.lineage}


def _preview(connection: Connection, run: Run, draft: Draft) -> dict[str, Any]:
    about = about_preview(run.route, draft.identity.case_id)
    return {
        "route": run.route,
        "case_id": draft.identity.case_id,
        "effect": draft.identity.effect,
        "file_name": draft.file_name,
        "payload": as_stored(connection, draft.identity.effect, draft.payload, about),
        "at": now(),
    }
