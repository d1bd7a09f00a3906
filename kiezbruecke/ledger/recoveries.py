"""A destination that knows more than this ledger: noticed, stopped, led back, and ended by a person.

Every step is a row of `recovery_steps`. While a destination is recovering, `claims.begin_sending` refuses.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, insert, select, update

from kiezbruecke.errors import ConfigurationError, Recovering
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger, now
from kiezbruecke.ledger.dialects import insert_or_ignore, one_at_a_time
from kiezbruecke.ledger.draft import Identity
from kiezbruecke.ledger.events import sign, touch
from kiezbruecke.ledger.people import Person, Signed
from kiezbruecke.ledger.runs import Run, guard
from kiezbruecke.ledger.seals import DESTINATION, MESSAGE, RECOVERY
from kiezbruecke.ledger.sets import among, rows_among
from kiezbruecke.ledger.todo import Kind, Point, close_point, raise_point
from kiezbruecke.ledger.witness import Tally

OWNER = "IT-Betrieb"
NUMBERS = 5  # messages of one effect for one case, whose keys are compared with an unknown one
_d, _s = t.destinations.c, t.recovery_steps.c
_KNOWN_REFERENCES = select(t.messages.c.reference).where(
    among(t.messages.c.reference), t.messages.c.destination == bindparam("of")
)
_KNOWN_KEYS = select(t.messages.c.key).where(among(t.messages.c.key))
_IN_BATCH_ID = re.compile(r"-i(\d+)-\d{6}$")


class StepKind(StrEnum):
    """What was done."""

    NOTICED = "noticed"
    READ_AGAIN = "read_again"
    ASKED = "asked"
    COMPARED = "compared"
    ENDED = "ended"
    DISMISSED = "dismissed"  # nothing was restored


@dataclass(frozen=True)
class RecoveryStep:
    """One step of a recovery."""

    kind: StepKind
    at: datetime
    person: Person
    body: Mapping[str, Any]


def mark_of(ledger: Ledger, destination: str) -> Tally:
    """How often this ledger has begun to send there, and in which incarnation."""
    with ledger.read() as connection:
        return read_mark(connection, destination)


def read_mark(connection: Connection, destination: str) -> Tally:
    """The same inside a transaction."""
    row = connection.execute(select(_d.sends, _d.incarnation).where(_d.name == destination)).one_or_none()
    return Tally(row.sends, row.incarnation) if row else Tally()


def is_recovering(ledger: Ledger, destination: str) -> bool:
    """Whether nothing may go out there."""
    with ledger.read() as connection:
        return bool(connection.execute(select(_d.recovering).where(_d.name == destination)).scalar_one_or_none())


def recovering(ledger: Ledger) -> tuple[str, ...]:
    """The destinations to which nothing goes out, by name."""
    with ledger.read() as connection:
        query = select(_d.name).where(_d.recovering.is_(True)).order_by(_d.name)
        return tuple(connection.execute(query).scalars())


def refuse(destination: str) -> Recovering:
    """What a run is told."""
    return Recovering(
        "das Ziel weiß mehr als das Hauptbuch (zurückgespielte Sicherung?); es geht nichts hinaus",
        where=destination,
        helps=f"weiter mit: kiezbruecke recover run {destination}",
    )


def count_send(connection: Connection, destination: str) -> None:
    """One more begin of sending, in the transaction that makes messages *sending*; raises Recovering."""
    here = (_d.name == destination, _d.recovering.is_(False))
    if connection.execute(update(t.destinations).where(*here).values(sends=_d.sends + 1)).rowcount:
        return
    if not insert_or_ignore(connection, t.destinations, {"name": destination, "generation": 1, "sends": 1}):
        raise refuse(destination)
    touch(connection, DESTINATION, destination)


def notice(ledger: Ledger, marks: Mapping[str, Tally], evidence: str, by: Person | None = None) -> list[str]:
    """Stop these destinations; those that were not stopped yet. `marks`: what the witnesses know of each.

    The incarnation rises at once: whatever is prepared from now on has numbers that nobody has used.
    """
    stopped = []
    with ledger.write() as connection:
        one_at_a_time(connection)
        for destination, mark in sorted(marks.items()):
            insert_or_ignore(connection, t.destinations, {"name": destination, "generation": 1})
            row = connection.execute(select(t.destinations).where(_d.name == destination).with_for_update()).one()
            if row.recovering:
                continue
            incarnation = max(row.incarnation, mark.incarnation) + 1
            values = {"recovering": True, "incarnation": incarnation}
            connection.execute(update(t.destinations).where(_d.name == destination).values(**values))
            touch(connection, DESTINATION, destination)
            _add(connection, destination, StepKind.NOTICED, {"evidence": evidence, "incarnation": incarnation}, by)
            raise_point(connection, _point(destination, evidence))
            stopped.append(destination)
    return stopped


def add_step(ledger: Ledger, destination: str, kind: StepKind, body: Mapping[str, Any]) -> None:
    """Write down what a step found; only while the destination is recovering."""
    with ledger.write() as connection:
        one_at_a_time(connection)
        _locked(connection, destination)
        _add(connection, destination, kind, body)


def end(ledger: Ledger, destination: str, kind: StepKind, seen: Tally, by: Signed) -> Tally:
    """A named person lets the destination go on; the new mark. `seen`: the highest that witnesses know."""
    with ledger.write() as connection:
        one_at_a_time(connection)
        row = _locked(connection, destination)
        mark = Tally(max(row.sends, seen.sends) + 1, max(row.incarnation, seen.incarnation))
        values = {"recovering": False, "sends": mark.sends, "incarnation": mark.incarnation}
        connection.execute(update(t.destinations).where(_d.name == destination).values(**values))
        touch(connection, DESTINATION, destination)
        _add(connection, destination, kind, {"reason": by.reason}, by.person)
        close_point(connection, Kind.RECOVERING, destination, answer=kind, by=by)
    return mark


def steps_of(ledger: Ledger, destination: str) -> list[RecoveryStep]:
    """All steps of the destination's recoveries, oldest first."""
    with ledger.read() as connection:
        query = select(t.recovery_steps).where(_s.destination == destination).order_by(_s.id)
        rows = connection.execute(query).all()
    return [RecoveryStep(StepKind(row.kind), row.at, Person.stored(row.person, row.account), row.body) for row in rows]


def last_recovery(ledger: Ledger, destination: str) -> list[RecoveryStep]:
    """The steps since it was noticed last."""
    steps = steps_of(ledger, destination)
    begun = [index for index, step in enumerate(steps) if step.kind is StepKind.NOTICED]
    return steps[begun[-1] :] if begun else []


def open_questions(ledger: Ledger, destination: str) -> int:
    """How many cases wait for a person who looks at the destination."""
    a, m = t.attention.c, t.messages.c
    query = (
        select(func.count())
        .select_from(t.attention)
        .join(t.messages, m.key == a.message_key)
        .where(a.kind == Kind.PRESENT, a.closed_at.is_(None), m.destination == destination)
    )
    with ledger.read() as connection:
        return connection.execute(query).scalar_one()


def knows_batch(ledger: Ledger, destination: str, batch_id: str) -> bool:
    """Whether this ledger has made a carrier of this id, or has recovered from not knowing those of its incarnation."""
    with ledger.read() as connection:
        if incarnation_in(batch_id) < read_mark(connection, destination).incarnation:
            return True
        query = select(t.batches.c.id).where(t.batches.c.id == batch_id)
        return connection.execute(query).one_or_none() is not None


def forgotten(
    ledger: Ledger,
    destination: str,
    process_id: str,
    references: Collection[str],
    keys: Collection[UUID],
    effects: Collection[str],
) -> str:
    """The first of these Fremdkennzeichen, or a case for one of these keys, that this ledger must have sent and lost.

    A key is a hash of its message's identity; so it can be told from a stray one by those that our cases would give.
    """
    with ledger.read() as connection:
        known = {row.reference for row in rows_among(connection, _KNOWN_REFERENCES, references, of=destination)}
        if lost := sorted(set(references) - known):
            return lost[0]
        unknown = set(keys) - {row.key for row in rows_among(connection, _KNOWN_KEYS, keys)}
        if not unknown:
            return ""
        generation = connection.execute(select(_d.generation).where(_d.name == destination)).scalar_one_or_none() or 1
        cases = connection.execute(select(t.cases.c.id, t.cases.c.reference).where(t.cases.c.process_id == process_id))
        for case in cases.all():
            for name in effects:
                for number in range(1, NUMBERS + 1):
                    if Identity(destination, generation, case.id, name, number).key in unknown:
                        return f"Fall {case.reference}"
    return ""


def batch_id(connection: Connection, destination: str, year: int, number: int) -> str:
    """A carrier's id, at most 35 characters: `KB26-hkr-tk-000008`, after a recovery `KB26-hkr-tk-i2-000008`."""
    incarnation = read_mark(connection, destination).incarnation
    mark = "" if incarnation == 1 else f"i{incarnation}-"
    return f"KB{year % 100:02d}-{destination[: 23 - max(3, len(mark))]}-{mark}{number:06d}"


def incarnation_in(batch: str) -> int:
    """The incarnation that a carrier's id says."""
    found = _IN_BATCH_ID.search(batch)
    return int(found[1]) if found else 1


def vouchers(connection: Connection, destination: str, numbers: Sequence[int]) -> list[str]:
    """Belegnummern of these serial numbers: their first digit is the incarnation, less one."""
    first = (read_mark(connection, destination).incarnation - 1) * 10_000_000
    if numbers and first + numbers[-1] > 99_999_999:
        raise ConfigurationError("no voucher numbers of 8 digits are left", where=destination)
    return [f"{first + number:08d}" for number in numbers]


def dissolve_carriers(ledger: Ledger, run: Run, destination: str) -> None:
    """What waits on a carrier that was never answered travels anew, under a new id."""
    m = t.messages.c
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        waiting = (m.destination == destination, m.state.in_(("waiting", "claimed", "held")))
        for row in connection.execute(select(m.key, m.case_id).where(*waiting, m.batch_id.is_not(None))).all():
            touch(connection, MESSAGE, row.key, case=row.case_id)
        connection.execute(update(t.messages).where(*waiting).values(batch_id=None))


def _locked(connection: Connection, destination: str) -> Any:
    query = select(t.destinations).where(_d.name == destination, _d.recovering.is_(True)).with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None:
        raise ConfigurationError("Hier wird nichts wiederhergestellt", where=destination)
    return row


def _add(
    connection: Connection, destination: str, kind: StepKind, body: Mapping[str, Any], by: Person | None = None
) -> None:
    who = {"person": by.name, "account": by.login} if by else {}
    values = {"destination": destination, "kind": kind.value, **who, "body": dict(body), "at": now()}
    connection.execute(insert(t.recovery_steps).values(**values))
    if by is None:
        touch(connection, RECOVERY, destination)
    else:
        sign(connection, by, f"recovery.{kind.value}", RECOVERY, destination)


def _point(destination: str, evidence: str) -> Point:
    text = (
        f"{destination} weiß mehr als das Hauptbuch: {evidence}. Vermutlich wurde eine alte Sicherung zurückgespielt. "
        f"Es geht nichts hinaus, bis der IT-Betrieb abgeglichen hat: kiezbruecke recover run {destination}"
    )
    return Point(Kind.RECOVERING, destination, "", OWNER, text, ())
