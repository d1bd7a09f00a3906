"""Runs and their fences: the newest run of a lane may write, an older one that wakes up changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, select, update

from kiezbruecke.errors import Overtaken
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger, now
from kiezbruecke.ledger.dialects import insert_or_ignore

_FENCE_NOW = select(t.lanes.c.fence).where(t.lanes.c.name == bindparam("of_lane"))
_FENCE = _FENCE_NOW.with_for_update(read=True)
_FENCE_ALONE = _FENCE_NOW.with_for_update()  # to be raised: two that share it could not


@dataclass(frozen=True)
class Run:
    """One run of one step of a route. `fence` is the number that outdates all earlier runs of the lane."""

    id: int
    lane: str
    fence: int
    route: str


def begin_run(ledger: Ledger, lane: str, route: str, step: str, *, after: Run | None = None) -> Run:
    """Start a run: it takes the lane over at once; no lease must run out.

    `after`: the step before, of the same run. Where another run has taken the lane since, this one is the older one
    and must not take it back: Overtaken.
    """
    with ledger.write() as connection:
        if after is not None:
            guard(connection, after, _FENCE_ALONE)
        insert_or_ignore(connection, t.lanes, {"name": lane, "fence": 0})
        connection.execute(update(t.lanes).where(t.lanes.c.name == lane).values(fence=t.lanes.c.fence + 1))
        fence = connection.execute(select(t.lanes.c.fence).where(t.lanes.c.name == lane)).scalar_one()
        row = connection.execute(
            insert(t.runs).values(lane=lane, fence=fence, route=route, step=step, started_at=now())
        )
        assert row.inserted_primary_key is not None
        return Run(row.inserted_primary_key[0], lane, fence, route)


def end_run(ledger: Ledger, run: Run, counts: Mapping[str, int], error: str = "") -> None:
    """Write down what a run did; `error` is one line without personal data."""
    with ledger.write() as connection:
        connection.execute(
            update(t.runs).where(t.runs.c.id == run.id).values(ended_at=now(), counts=dict(counts), error=error or None)
        )


def guard(connection: Connection, run: Run, fence_of: Select[Any] = _FENCE) -> None:
    """Refuse to write for a run that was overtaken; holds the fence until the transaction ends."""
    fence = connection.execute(fence_of, {"of_lane": run.lane}).scalar_one_or_none()
    if fence != run.fence:
        raise Overtaken("a newer run has taken over", where=f"route {run.route}")


def stop_if_overtaken(ledger: Ledger, run: Run) -> None:
    """The same between two writes: raises Overtaken, so that an older run does not go on asking and reading."""
    with ledger.read() as connection:
        guard(connection, run, _FENCE_NOW)
