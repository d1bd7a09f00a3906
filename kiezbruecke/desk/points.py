"""What needs a person, as a person looks at it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from kiezbruecke.desk.view import DeskView
from kiezbruecke.errors import InputError
from kiezbruecke.ledger import Ledger
from kiezbruecke.ledger.receipts import words_about, words_of
from kiezbruecke.ledger.todo import Answer, Kind, OpenPoint, find_point, open_points


class PointView(DeskView):
    """One point, open or closed."""

    id: int
    kind: Kind
    reason: str
    """What happened, to which case and message, in German"""
    owner: str
    """Who must act"""
    route: str
    """The route or process that put it there"""
    subject: str
    """What it is about; of one kind and subject one point is open"""
    case: UUID | None
    case_reference: str | None
    """Reference number of its case"""
    message: UUID | None
    message_reference: str | None
    """Fremdkennzeichen of its message"""
    answers: tuple[Answer, ...]
    """What may be said; where nothing may, the point heals with its cause"""
    opened_at: datetime
    closed_at: datetime | None
    answer: str
    """What was said; `healed` where its cause went away"""
    answered_by: str
    answer_reason: str


class PointStory(PointView):
    """What PointView says, and what the destination has said itself."""

    their_words: tuple[str, ...]
    """Content: the destination's own text, word for word, oldest first"""


def points(ledger: Ledger, owner: str = "") -> list[PointView]:
    """All open points, oldest first, or those of whom a part of the name is given; one statement."""
    found = [_view(point) for point in open_points(ledger)]
    return [one for one in found if owner.casefold() in one.owner.casefold()]


def point(ledger: Ledger, number: int) -> PointStory:
    """One point by its number, open or closed, at most two statements; raises InputError."""
    found = stored_point(ledger, number)
    return PointStory(**_facts(found), their_words=tuple(_their_words(ledger, found)))


def stored_point(ledger: Ledger, number: int) -> OpenPoint:
    """The same, to be decided."""
    found = find_point(ledger, number)
    if found is None:
        helps = "siehe kiezbruecke todo list"
        raise InputError(f"Einen Punkt {number} gibt es nicht", helps=helps)
    return found


def _view(point: OpenPoint) -> PointView:
    return PointView(**_facts(point))


def _facts(point: OpenPoint) -> dict[str, Any]:
    return {**asdict(point), "reason": _named(point), "case": point.case_id, "message": point.message_key}


def _named(point: OpenPoint) -> str:
    """The reason, with the names of case and message, whoever has written it."""
    case, message = point.case_reference or "", point.message_reference or ""
    missing = case if case not in point.reason else ""
    if missing and message and point.reason.startswith(f"{message}: "):
        return f"{case} ({message}): {point.reason.removeprefix(f'{message}: ')}"
    told = f"{case}: {point.reason}" if missing else point.reason
    return told if message in told else f"{told} ({message})"


def _their_words(ledger: Ledger, point: OpenPoint) -> list[str]:
    with ledger.read() as connection:
        if point.message_key is not None:
            return words_about(connection, point.message_key)
        if point.kind is Kind.CLEARING:
            return words_of(connection, *point.subject.split(":", 1))
    return []
