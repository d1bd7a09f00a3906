"""Numbers of changes: a route that has seen a number looks only at what came after it.

    whatever a due rule could see ─▶ an event of its case ─▶ the process's number, and the case's `changed`
    a message that waits again after a failed try ────────▶ the process's number, and the case's `changed`
    a line of a budget sheet      ────────────────────────▶ the process's number
    an area's verdict             ────────────────────────▶ the process's number, and the verdict's `changed`

The process's row stays locked until the commit, so numbers become visible in their order: whoever has read a number
sees everything up to it. A route therefore reads the number *before* it reads anything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, select, update

from kiezbruecke import clock
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger, now
from kiezbruecke.ledger.dialects import insert_or_ignore, one_at_a_time
from kiezbruecke.ledger.runs import Run, guard
from kiezbruecke.ledger.sets import among, rows_among, write_all

_c, _v, _a = t.cases.c, t.verdicts.c, t.attention.c
_NUMBER = select(t.changes.c.number).where(t.changes.c.process_id == bindparam("process"))
_RAISE = (
    update(t.changes)
    .where(t.changes.c.process_id == bindparam("process"))
    .values(number=t.changes.c.number + 1)
    .returning(t.changes.c.number)
)
_PROCESS_OF = select(_c.id, _c.process_id).where(among(_c.id)).order_by(_c.id).with_for_update()
_MARK = update(t.cases).where(_c.id == bindparam("case")).values(changed=bindparam("number"))
_COUNTED = (
    update(t.changes)
    .where(t.changes.c.process_id == bindparam("process"), t.changes.c.counted < bindparam("up_to"))
    .values(counted=bindparam("up_to"))
)
_SUMS = (
    select(_c.counted_area, func.sum(_c.counted_cents))
    .where(_c.process_id == bindparam("process"), _c.counted_cents != 0)
    .group_by(_c.counted_area)
)
_ALL = select(_c.id).where(_c.process_id == bindparam("process")).order_by(_c.reference, _c.id)
_CHANGED = select(_c.id, _c.reference).where(_c.process_id == bindparam("process"), _c.changed > bindparam("since"))
_OF_AREAS = (
    select(_c.id, _c.reference)
    .join(t.verdicts, (_v.process_id == _c.process_id) & (_v.area_id == _c.counted_area))
    .where(_c.process_id == bindparam("process"), _v.changed > bindparam("since"))
)
_SET_ASIDE = (
    select(_c.id, _c.reference)
    .join(t.attention, _a.case_id == _c.id)
    .where(_a.route == bindparam("route"), _a.kind == "set_aside", _a.closed_at.is_(None))
)


_WOKEN = select(_c.id, _c.reference).where(
    _c.process_id == bindparam("process"), _c.wakes_on > bindparam("looked_on"), _c.wakes_on <= bindparam("today")
)


@dataclass(frozen=True)
class Look:
    """What a route looks at in this run: everything, or what came after `since`."""

    number: int  # read before anything else; remembered when the run has ended well
    inputs: str  # digest of all that decides and stands in no ledger: route, process, mapping, versions
    since: int | None = None  # None: everything
    looked_on: date = date.min  # the day of the last look

    @property
    def nothing_new(self) -> bool:
        """Whether nothing has changed since the route looked last."""
        return self.since == self.number


def raise_number(connection: Connection, process_id: str) -> int:
    """The number of a change that is being made now; others of the process wait until it is committed."""
    number = connection.execute(_RAISE, {"process": process_id}).scalar_one_or_none()
    if number is not None:
        return int(number)
    insert_or_ignore(connection, t.changes, {"process_id": process_id, "number": 0})
    return int(connection.execute(_RAISE, {"process": process_id}).scalar_one())


def raise_numbers(connection: Connection, process_ids: Iterable[str]) -> None:
    """The same for what concerns no case alone."""
    for process_id in sorted(set(process_ids)):
        raise_number(connection, process_id)


def mark_changed(connection: Connection, case_ids: Sequence[UUID]) -> None:
    """These cases have changed, though no event tells of it."""
    rows = rows_among(connection, _PROCESS_OF, case_ids)
    numbers = {process: raise_number(connection, process) for process in sorted({row.process_id for row in rows})}
    write_all(connection, _MARK, [{"case": row.id, "number": numbers[row.process_id]} for row in rows])


def begin_look(ledger: Ledger, route: str, process_id: str, inputs: str, *, everything: bool = False) -> Look:
    """How far a route has to look back. With other inputs than last time, or on demand, it looks at everything."""
    with ledger.read() as connection:
        number = connection.execute(_NUMBER, {"process": process_id}).scalar_one_or_none() or 0
        last = connection.execute(select(t.looks).where(t.looks.c.route == route)).one_or_none()
    if everything or last is None or last.inputs != inputs or last.number > number:
        return Look(number, inputs)
    return Look(number, inputs, last.number, last.day or date.min)


def remember_look(ledger: Ledger, run: Run, look: Look) -> None:
    """The route has looked up to this number. What the run itself has changed is looked at once more."""
    values = {"number": look.number, "inputs": look.inputs, "at": now(), "day": clock.today()}
    with ledger.write() as connection:
        guard(connection, run)
        if not insert_or_ignore(connection, t.looks, {"route": run.route, **values}):
            connection.execute(update(t.looks).where(t.looks.c.route == run.route).values(**values))


def cases_to_look_at(ledger: Ledger, route: str, process_id: str, look: Look) -> list[UUID]:
    """The cases of a look, by reference number: what changed, what an area's verdict concerns, what was set aside.

    What could not become a message is looked at again in every run: it may heal by what no number tells, such as money
    that another case has given back.
    """
    with ledger.read() as connection:
        if look.since is None:
            return list(connection.execute(_ALL, {"process": process_id}).scalars())
        known = {"process": process_id, "since": look.since}
        woken = {"process": process_id, "looked_on": look.looked_on, "today": clock.today()}
        rows = {
            *connection.execute(_SET_ASIDE, {"route": route}).all(),
            *connection.execute(_WOKEN, woken).all(),
        }
        if not look.nothing_new:
            rows |= {*connection.execute(_CHANGED, known).all(), *connection.execute(_OF_AREAS, known).all()}
    return [row.id for row in sorted(rows, key=lambda row: (row.reference, str(row.id)))]


@contextmanager
def alone(ledger: Ledger, run: Run) -> Iterator[Connection]:
    """A transaction in which nobody else changes a case: what is read inside is still so when it is written.

    Routes of one process do not fence each other; read before, a slower one would overwrite what is newer.
    """
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        yield connection


def read_sums(ledger: Ledger, process_id: str) -> dict[str, int]:
    """Cents that the votes of each area take, as they were counted last."""
    with ledger.read() as connection:
        return {area: int(cents) for area, cents in connection.execute(_SUMS, {"process": process_id}).all()}


def keep_verdicts(ledger: Ledger, run: Run, process_id: str, look: Look, verdicts: Mapping[str, str]) -> bool:
    """Keep the digest of each area's verdict; True if one has changed, which is a change like any other.

    The cases of the look are counted by now, and those before it were by earlier ones.
    """
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        connection.execute(_COUNTED, {"process": process_id, "up_to": look.number})
        rows = connection.execute(select(_v.area_id, _v.digest).where(_v.process_id == process_id)).all()
        known = {row.area_id: row.digest for row in rows}
        changed = {area: digest for area, digest in verdicts.items() if known.get(area) != digest}
        if changed:
            number = raise_number(connection, process_id)
            for area, digest in changed.items():
                values = {"digest": digest, "changed": number}
                if not insert_or_ignore(connection, t.verdicts, {"process_id": process_id, "area_id": area, **values}):
                    same = (_v.process_id == process_id) & (_v.area_id == area)
                    connection.execute(update(t.verdicts).where(same).values(**values))
    return bool(changed)
