"""A destination was really rebuilt and knows nothing any more: everything that holds is sent to it anew."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, select, update

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger, now
from kiezbruecke.ledger.dialects import insert_or_ignore, one_at_a_time
from kiezbruecke.ledger.effects import LetGo, booked
from kiezbruecke.ledger.events import sign, touch
from kiezbruecke.ledger.moves import Move, message_rows, move_all
from kiezbruecke.ledger.people import Person, Signed, signed
from kiezbruecke.ledger.seals import CURSOR, DESTINATION, THEIR_SUMS
from kiezbruecke.ledger.sets import slices
from kiezbruecke.ledger.states import UNSETTLED, MessageState
from kiezbruecke.ledger.todo import ABOUT_MESSAGES, close_points

_m, _a = t.messages.c, t.attention.c
_UNDER_WAY = (
    select(_m.key)
    .where(_m.destination == bindparam("of"), _m.state.in_(sorted(state.value for state in UNSETTLED)))
    .order_by(_m.key)
)
_POINTS = (
    select(_a.kind, _a.subject)
    .join_from(t.attention, t.messages, _m.key == _a.message_key)
    .where(_m.destination == bindparam("of"), _a.kind.in_(ABOUT_MESSAGES), _a.closed_at.is_(None))
    .order_by(_a.id)
)


def reset_destination(ledger: Ledger, destination: str, *, person: Person, reason: str) -> int:
    """Raise the generation, in one transaction with all that follows from it; the new generation.

    What was under way is void, the money bound there is free until it is booked anew, and the answers are read from
    the beginning. Only a person decides that.
    """
    by = signed(person, reason, f"destination reset {destination}")
    with ledger.write() as connection:
        one_at_a_time(connection)
        generation = _raise_generation(connection, destination, by)
        _void(connection, destination)
        _let_go(connection, destination)
        _forget_answers(connection, destination)
    return generation


def _raise_generation(connection: Connection, destination: str, by: Signed) -> int:
    insert_or_ignore(connection, t.destinations, {"name": destination, "generation": 1})
    row = t.destinations.c.name == destination
    who = {"person": by.person.name, "account": by.person.login}
    values = {"generation": t.destinations.c.generation + 1, **who, "reason": by.reason, "at": now()}
    connection.execute(update(t.destinations).where(row).values(**values))
    sign(connection, by.person, "destination.reset", DESTINATION, destination)
    return int(connection.execute(select(t.destinations.c.generation).where(row)).scalar_one())


def _forget_answers(connection: Connection, destination: str) -> None:
    balances, cursors = t.balances.c, t.cursors.c
    years = connection.execute(select(balances.fiscal_year).where(balances.destination == destination).distinct())
    for year in years.scalars().all():
        touch(connection, THEIR_SUMS, destination, year)
    connection.execute(delete(t.balances).where(balances.destination == destination))
    if connection.execute(delete(t.cursors).where(cursors.source == destination)).rowcount:
        touch(connection, CURSOR, destination)


def _void(connection: Connection, destination: str) -> None:
    """What was prepared, under way or waited for must not reach the rebuilt destination beside its successor."""
    keys = connection.execute(_UNDER_WAY, {"of": destination}).scalars().all()
    for some in slices(keys):
        rows = message_rows(connection, some)
        move_all(connection, [Move(rows[key], MessageState.REFUSED, "Ziel neu aufgebaut") for key in some])
    points = connection.execute(_POINTS, {"of": destination}).all()
    close_points(connection, [(row.kind, row.subject) for row in points])


def _let_go(connection: Connection, destination: str) -> None:
    """What is held for anything there is free until it is asked for anew."""
    m = t.messages.c
    query = select(m.effect, m.case_id).where(m.destination == destination, m.test.is_(False)).distinct()
    cases: dict[LetGo, set[UUID]] = defaultdict(set)  # effects of one family hold the same money
    for row in connection.execute(query).all():
        if let_go := booked(row.effect).let_go:
            cases[let_go].add(row.case_id)
    for let_go, ids in cases.items():
        let_go(connection, sorted(ids))
