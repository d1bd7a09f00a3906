"""What needs a person, as a person looks at it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from kiezbruecke.desk.view import DeskView
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger import Ledger
from kiezbruecke.ledger.todo import Answer, Kind, OpenPoint, find_point, open_points


class PointView(DeskView):
    """One point, open or closed."""

    id: int
    kind: Kind
    reason: str
    """What happened, in German"""
    owner: str
    """Who must act"""
    route: str
    """The route or process that put it there"""
    subject: str
    """What it is about; of one kind and subject one point is open"""
    case: UUID | None
    message: UUID | None
    answers: tuple[Answer, ...]
    """What may be said; where nothing may, the point heals with its cause"""
    opened_at: datetime
    closed_at: datetime | None
    answer: str
    """What was said; `healed` where its cause went away"""
    answered_by: str
    answer_reason: str


def points(ledger: Ledger) -> list[PointView]:
    """All open points, oldest first; one statement."""
    return [_view(point) for point in open_points(ledger)]


def point(ledger: Ledger, number: int) -> PointView:
    """One point by its number, open or closed; raises ConfigurationError."""
    return _view(stored_point(ledger, number))


def stored_point(ledger: Ledger, number: int) -> OpenPoint:
    """The same, to be decided."""
    found = find_point(ledger, number)
    if found is None:
        helps = "siehe 'kiezbruecke todo list'"
        raise ConfigurationError(f"Einen Punkt {number} gibt es nicht", where="todo", helps=helps)
    return found


def _view(point: OpenPoint) -> PointView:
    facts = asdict(point)
    return PointView(**facts, case=point.case_id, message=point.message_key)
