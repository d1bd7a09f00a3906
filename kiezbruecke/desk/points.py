"""What needs a person, as a person looks at it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import cache, partial
from typing import Any
from uuid import UUID

from kiezbruecke.desk.columns import column_names
from kiezbruecke.desk.view import DeskView
from kiezbruecke.errors import InputError
from kiezbruecke.house import House
from kiezbruecke.ledger import Ledger
from kiezbruecke.ledger.people import Person
from kiezbruecke.ledger.receipts import words_about, words_of
from kiezbruecke.ledger.todo import Answer, Kind, OpenPoint, PointHead, find_point, find_points, open_points

_LINE = re.compile(r"^(?P<sheet>[^#]{1,200})#(?P<row>\d{1,7}): ")
_RULE = re.compile(r"(?:(?P<place>[\w./-]+\.yaml:\d+): )?'[^']{1,200}' \(Quelle: (?P<source>[^()]{1,200})\): ")


Columns = Callable[[], Mapping[str, str]]  # the names of sheets' columns, read where one is asked for


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
    """What was said; `healed` where its cause went away, `mended` where a later line or file has settled it"""
    answered_by: str
    answered_account: str
    """The log-in that gave this name; empty where the ledger knew none yet"""
    answer_reason: str


class PointStory(PointView):
    """What PointView says, and what the destination has said itself."""

    rule: str
    """The mapping's file and line that could not be used, for its author; empty where no rule is to blame"""
    their_words: tuple[str, ...]
    """Content: the destination's own text, word for word, oldest first"""


def points(house: House, owner: str = "", kind: Kind | None = None) -> list[PointView]:
    """All open points, oldest first, or those of whom a part of the name is given, or of one kind; one statement."""
    found = open_points(house.ledger, kind)
    return _views(house, [one for one in found if owner.casefold() in one.owner.casefold()])


def points_of(house: House, heads: Sequence[PointHead]) -> list[PointView]:
    """The points of these heads; one statement."""
    return _views(house, find_points(house.ledger, [one.id for one in heads]))


def point(house: House, number: int) -> PointStory:
    """One point by its number, open or closed, at most two statements; raises InputError."""
    found = stored_point(house.ledger, number)
    rule = _RULE.search(found.reason)
    facts = {**_facts(found, _columns(house)), "rule": (rule["place"] or "") if rule else ""}
    return PointStory(**facts, their_words=tuple(_their_words(house.ledger, found)))


def stored_point(ledger: Ledger, number: int) -> OpenPoint:
    """The same, to be decided."""
    found = find_point(ledger, number)
    if found is None:
        helps = "siehe kiezbruecke todo list"
        raise InputError(f"Einen Punkt {number} gibt es nicht", helps=helps)
    return found


def _views(house: House, found: Sequence[OpenPoint]) -> list[PointView]:
    columns = _columns(house)
    return [PointView(**_facts(point, columns)) for point in found]


def _columns(house: House) -> Columns:
    return cache(partial(column_names, house.content))


def _facts(point: OpenPoint, columns: Columns) -> dict[str, Any]:
    login = Person.stored(point.answered_by, point.answered_account).account
    return {
        **asdict(point),
        "answered_account": login,
        "reason": _named(point, columns),
        "case": point.case_id,
        "message": point.message_key,
    }


def _named(point: OpenPoint, columns: Columns) -> str:
    """The reason in a clerk's words, with the names of case and message, whoever has written it."""
    case, message = point.case_reference or "", point.message_reference or ""
    reason = _plain(point.reason, columns)
    missing = case if case not in reason else ""
    if missing and message and reason.startswith(f"{message}: "):
        return f"{case} ({message}): {reason.removeprefix(f'{message}: ')}"
    told = f"{case}: {reason}" if missing else reason
    return told if message in told else f"{told} ({message})"


def _plain(reason: str, columns: Columns) -> str:
    """Sheet and line as a clerk finds them, and the column that a rule reads instead of the rule."""
    line = _LINE.sub(r"\g<sheet>, Zeile \g<row>: ", reason, count=1)
    return _RULE.sub(lambda rule: _column(rule["source"], columns), line)


def _column(source: str, columns: Columns) -> str:
    root, _, name = source.partition(".")
    return f"„{columns().get(name, name)}“: " if root == "item" and name else f"Angabe „{source}“: "


def _their_words(ledger: Ledger, point: OpenPoint) -> list[str]:
    with ledger.read() as connection:
        if point.message_key is not None:
            return words_about(connection, point.message_key)
        if point.kind is Kind.CLEARING:
            return words_of(connection, *point.subject.split(":", 1))
    return []
