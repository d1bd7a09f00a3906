"""The attention list in the ledger: opened once per subject, closed by healing or by a person, never deleted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Row, Text, bindparam, cast, func, insert, null, select, true, update

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger, now
from kiezbruecke.ledger.dialects import one_at_a_time
from kiezbruecke.ledger.events import append_event, sign, touch
from kiezbruecke.ledger.people import Signed
from kiezbruecke.ledger.seals import POINT
from kiezbruecke.ledger.sets import among, rows_among, write_all
from kiezbruecke.ledger.states import MessageState

HEALED = "healed"
CLOSED = "attention.closed"
MENDED = "mended"  # by another item: the same one again is no news


class Kind(StrEnum):
    """Why a point stands on the list; `desk.words` has the German words."""

    SET_ASIDE = "set_aside"  # a case or a line waits
    REFUSED = "refused"  # the destination said no
    IN_DOUBT = "in_doubt"  # nobody knows whether it arrived
    FOLLOW_UP = "follow_up"  # by hand at the destination: no message can do it
    OVERDUE = "overdue"  # no receipt in time
    CLEARING = "clearing"  # a receipt of no message we know
    DIFFERENCE = "difference"  # they booked another sum
    CONTRADICTION = "contradiction"  # confirmed and refused
    WARNING = "warning"  # delivered, with a remark
    ALTERED = "altered"  # somebody has changed the ledger behind the evidence's back
    VANISHED = "vanished"  # more than half of a source is missing at once
    INCOMPLETE = "incomplete"  # a source could not be read whole; what is known stays as it was
    TROUBLE = "trouble"  # a route fails because of something outside: IT operations acts, its next success closes it
    RECOVERING = "recovering"  # a destination knows more than the ledger: nothing goes out
    UNRELEASED = "unreleased"  # its order has run out or is void: it waits for a new one
    BOUNCED = "bounced"  # a payment came back
    PRESENT = "present"  # after a restored backup: is it there already?


class Answer(StrEnum):
    """What a person may say, as it is typed."""

    DONE = "erledigt"
    RELEASE = "freigeben"  # seen: the decision sheet holds
    DISMISS = "verwerfen"  # this line does not hold
    RESEND = "neu_senden"
    ARRIVED = "angekommen"
    NOT_ARRIVED = "nicht_angekommen"
    CORRECTED = "berichtigt"  # they have our sum now
    TAKEN_BACK = "storniert"  # they have nothing any more
    REALLY_GONE = "wirklich_weg"
    ASSIGN = "zuordnen"  # to an area; which one is kept behind a colon: `zuordnen:090416`
    HAS_HAPPENED = "bestätigt"  # of two words that contradict each other this one holds
    HAS_NOT_HAPPENED = "abgewiesen"  # the other one
    THERE = "liegt_vor"
    NOT_THERE = "liegt_nicht_vor"


MEANS: Mapping[tuple[Kind, Answer], tuple[MessageState, MessageState]] = {
    # what an answer says about the message itself: the state that it must be in, and the new one; others say nothing
    (Kind.IN_DOUBT, Answer.ARRIVED): (MessageState.IN_DOUBT, MessageState.DELIVERED),
    (Kind.IN_DOUBT, Answer.NOT_ARRIVED): (MessageState.IN_DOUBT, MessageState.WAITING),
    (Kind.PRESENT, Answer.THERE): (MessageState.HELD, MessageState.DELIVERED),
    (Kind.PRESENT, Answer.NOT_THERE): (MessageState.HELD, MessageState.WAITING),
    (Kind.DIFFERENCE, Answer.CORRECTED): (MessageState.DELIVERED, MessageState.CONFIRMED),
    (Kind.DIFFERENCE, Answer.TAKEN_BACK): (MessageState.DELIVERED, MessageState.REFUSED),
    (Kind.FOLLOW_UP, Answer.TAKEN_BACK): (MessageState.DELIVERED, MessageState.REFUSED),
    (Kind.CONTRADICTION, Answer.HAS_HAPPENED): (MessageState.REFUSED, MessageState.CONFIRMED),
    (Kind.CONTRADICTION, Answer.HAS_NOT_HAPPENED): (MessageState.CONFIRMED, MessageState.REFUSED),
}
ABOUT_MESSAGES = (
    Kind.IN_DOUBT,
    Kind.PRESENT,
    Kind.REFUSED,
    Kind.OVERDUE,
    Kind.BOUNCED,
    Kind.DIFFERENCE,
    Kind.CONTRADICTION,
    Kind.WARNING,
    Kind.ALTERED,
    Kind.UNRELEASED,
)
Name = tuple[Kind, str]  # kind and subject: one open point

_a = t.attention.c
_OPEN = (
    select(_a.id, _a.kind, _a.subject, _a.case_id, _a.reason)
    .where(
        _a.kind.in_(bindparam("kinds", expanding=True)),
        among(_a.subject),
        _a.closed_at.is_(None),
    )
    .order_by(_a.id)
    .with_for_update()
)
_POINTS = (
    select(
        t.attention,
        t.cases.c.reference.label("case_reference"),
        t.messages.c.reference.label("message_reference"),
    )
    .outerjoin(t.cases, t.cases.c.id == _a.case_id)
    .outerjoin(t.messages, t.messages.c.key == _a.message_key)
)
_HEAD = (_a.id, _a.kind, _a.route, _a.owner, cast(_a.answers, Text) != "[]")
_HEADS = select(*_HEAD, null()).where(_a.closed_at.is_(None)).order_by(_a.id)
_HEADS_WITH_CASES = (
    select(*_HEAD, t.cases.c.reference)
    .outerjoin(t.cases, t.cases.c.id == _a.case_id)
    .where(_a.closed_at.is_(None))
    .order_by(_a.id)
)
_KINDS = {kind.value: kind for kind in Kind}
_OF_ROUTE = select(_a.subject, _a.case_id).where(
    _a.kind == bindparam("kind"), _a.route == bindparam("route"), _a.closed_at.is_(None)
)
_ABOUT = select(_a.subject, _a.about).where(_a.kind == Kind.SET_ASIDE.value, among(_a.about), _a.closed_at.is_(None))
_MENDED = select(_a.subject).where(_a.kind == Kind.SET_ASIDE.value, among(_a.subject), _a.answer == MENDED)
_EVER = select(_a.subject).where(among(_a.case_id), _a.kind == bindparam("kind"))
_ADD = insert(t.attention).inline()
_RENEW = (
    update(t.attention)
    .where(_a.id == bindparam("number"))
    .values(reason=bindparam("why"), owner=bindparam("who"), answers=bindparam("possible"))
)
_CLOSE = (
    update(t.attention)
    .where(_a.id == bindparam("number"))
    .values(
        closed_at=bindparam("moment"),
        answer=bindparam("word"),
        answered_by=bindparam("who"),
        answered_account=bindparam("login"),
        answer_reason=bindparam("why"),
    )
)


@dataclass(frozen=True)
class Point:
    """One point that needs a person. (kind, subject) is unique among the open ones; `reason` is German."""

    kind: Kind
    subject: str
    route: str
    owner: str
    reason: str
    answers: tuple[Answer, ...] = (Answer.DONE,)
    case_id: UUID | None = None
    message_key: UUID | None = None
    about: str = ""  # digest of a name, where something that is read later can mend it


@dataclass(frozen=True)
class OpenPoint(Point):
    """A point as it stands in the ledger, with the names of its case and of its message."""

    id: int = 0
    case_reference: str | None = None
    message_reference: str | None = None
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    answer: str = ""
    answered_by: str = ""
    answered_account: str = ""
    answer_reason: str = ""


def raise_point(connection: Connection, point: Point) -> None:
    """Put a point on the list, unless it is on it already; a new reason replaces the old one."""
    raise_points(connection, [point])


def raise_points(connection: Connection, points: Iterable[Point]) -> int:
    """The same for many, in their order; how many are new. Of two about one subject the later has the last word."""
    wanted = {(point.kind, point.subject): point for point in points}
    there = _open_among(connection, wanted)
    fresh = [point for name, point in wanted.items() if name not in there]
    write_all(connection, _ADD, [_values(point) for point in fresh])
    for row in _open_among(connection, [(point.kind, point.subject) for point in fresh]).values():
        touch(connection, POINT, row.id, case=row.case_id)
    for point in fresh:
        if point.case_id is not None:
            append_event(connection, point.case_id, "attention.opened", {"kind": point.kind, "subject": point.subject})
    other = [
        (there[name].id, point) for name, point in wanted.items() if name in there and _differs(there[name], point)
    ]
    write_all(connection, _RENEW, [_renewed(number, point) for number, point in other])
    for number, point in other:
        touch(connection, POINT, number, case=there[point.kind, point.subject].case_id)
    return len(fresh)


def ever_raised(connection: Connection, kind: Kind, points: Iterable[Point]) -> set[str]:
    """The subjects of those about which there has been such a point, open or closed. The points are about cases."""
    wanted = {point.subject: point.case_id for point in points}
    rows = rows_among(connection, _EVER, (case for case in wanted.values() if case is not None), kind=kind)
    return {row.subject for row in rows} & wanted.keys()


def set_aside_about(connection: Connection, names: Iterable[str]) -> set[str]:
    """The subjects of what is set aside under these names (`Point.about`)."""
    return {row.subject for row in rows_among(connection, _ABOUT, names)}


def ever_mended(connection: Connection, subjects: Iterable[str]) -> set[str]:
    """Those that were set aside until another item mended them."""
    return {row.subject for row in rows_among(connection, _MENDED, subjects)}


def close_point(
    connection: Connection, kind: Kind, subject: str, *, answer: str = HEALED, by: Signed | None = None
) -> bool:
    """Close a point; True if it was open."""
    return bool(close_points(connection, [(kind, subject)], answer=answer, by=by))


def close_points(
    connection: Connection, names: Iterable[Name], *, answer: str = HEALED, by: Signed | None = None
) -> int:
    """Close points by kind and subject, in their order; how many were open. `by`: who has said so, if a person has."""
    wanted = list(dict.fromkeys(names))
    there = _open_among(connection, wanted)
    open_ones = [there[name] for name in wanted if name in there]
    who, login, why = (by.person.name, by.person.login, by.reason) if by else ("", "", "")
    given = {"moment": now(), "word": answer, "who": who, "login": login, "why": why}
    write_all(connection, _CLOSE, [{"number": row.id, **given} for row in open_ones])
    for row in open_ones:
        told = {"kind": row.kind, "subject": row.subject, "answer": answer}
        if by is not None:
            sign(connection, by.person, CLOSED, POINT, row.id, case=row.case_id, **told)
            continue
        touch(connection, POINT, row.id, case=row.case_id)
        if row.case_id is not None:
            append_event(connection, row.case_id, CLOSED, {"person": "", **told})
    return len(open_ones)


def replace_points(
    connection: Connection,
    kind: Kind,
    route: str,
    wanted: Iterable[Point],
    *,
    cases: Collection[UUID] | None = None,
) -> None:
    """Make the open points of one kind and route equal to `wanted`; what is not wanted any more has healed.

    `cases` limits the healing to points about these cases and about none.
    """
    wanted = list(wanted)
    keep = {point.subject for point in wanted}
    one_at_a_time(connection)
    rows = connection.execute(_OF_ROUTE, {"kind": kind, "route": route}).all()
    close_points(
        connection,
        [
            (kind, row.subject)
            for row in rows
            if row.subject not in keep and (cases is None or row.case_id is None or row.case_id in cases)
        ],
    )
    raise_points(connection, wanted)


class PointHead(NamedTuple):
    """So much of an open point as is needed to choose and to sort: of thousands a person reads fifty."""

    id: int
    """Its number: whoever came first has the lowest"""
    kind: Kind
    route: str
    owner: str
    answerable: bool
    case_reference: str | None
    """Where it is asked for"""


def open_points(ledger: Ledger, kind: Kind | None = None) -> list[OpenPoint]:
    """What needs a person now, oldest first; of one kind, or all."""
    of_kind = true() if kind is None else _a.kind == kind
    with ledger.read() as connection:
        rows = connection.execute(_POINTS.where(_a.closed_at.is_(None), of_kind).order_by(_a.id)).all()
    return [_point(row) for row in rows]


def open_heads(ledger: Ledger, *, with_cases: bool = False) -> list[PointHead]:
    """The same without what a person reads. `with_cases`: with their reference numbers, which takes longest."""
    with ledger.read() as connection:
        rows = connection.execute(_HEADS_WITH_CASES if with_cases else _HEADS).all()
    return [PointHead(number, _KINDS[kind], *head) for number, kind, *head in rows]


def find_points(ledger: Ledger, numbers: Collection[int]) -> list[OpenPoint]:
    """Points by their numbers, open or closed, in this order; without those that there are not."""
    with ledger.read() as connection:
        rows = {row.id: row for row in rows_among(connection, _POINTS.where(among(_a.id)), numbers)}
    return [_point(rows[number]) for number in numbers if number in rows]


def count_open_points(ledger: Ledger) -> int:
    """How many points need a person now."""
    with ledger.read() as connection:
        query = select(func.count()).select_from(t.attention).where(t.attention.c.closed_at.is_(None))
        return connection.execute(query).scalar_one()


def is_open(ledger: Ledger, kind: Kind, subject: str) -> bool:
    """Whether there is such a point now."""
    with ledger.read() as connection:
        query = select(_a.id).where(_a.kind == kind, _a.subject == subject, _a.closed_at.is_(None))
        return connection.execute(query).first() is not None


def find_point(ledger: Ledger, number: int) -> OpenPoint | None:
    """One point by its number, open or closed."""
    with ledger.read() as connection:
        row = connection.execute(_POINTS.where(_a.id == number)).one_or_none()
    return _point(row) if row else None


def points_of_case(ledger: Ledger, case_id: UUID) -> list[OpenPoint]:
    """All points of a case, open and closed."""
    with ledger.read() as connection:
        rows = connection.execute(_POINTS.where(_a.case_id == case_id).order_by(_a.id)).all()
    return [_point(row) for row in rows]


def _open_among(connection: Connection, names: Collection[Name]) -> dict[Name, Row[Any]]:
    """The open points of these names, locked; whoever opens or closes one waits for the others that do."""
    if not names:
        return {}
    one_at_a_time(connection)
    kinds = sorted({kind for kind, _ in names})
    rows = rows_among(connection, _OPEN, (subject for _, subject in names), kinds=kinds)
    return {(Kind(row.kind), row.subject): row for row in rows}


def _differs(row: Row[Any], point: Point) -> bool:
    return bool(row.reason != point.reason)


def _values(point: Point) -> dict[str, Any]:
    return {
        "kind": point.kind,
        "subject": point.subject,
        "about": point.about,
        "case_id": point.case_id,
        "message_key": point.message_key,
        "route": point.route,
        "owner": point.owner,
        "reason": point.reason,
        "answers": list(point.answers),
        "opened_at": now(),
    }


def _renewed(number: int, point: Point) -> dict[str, Any]:
    return {"number": number, "why": point.reason, "who": point.owner, "possible": list(point.answers)}


def _point(row: Row[tuple[object, ...]]) -> OpenPoint:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    values["kind"] = Kind(values["kind"])
    values["answers"] = tuple(map(Answer, values["answers"]))
    return OpenPoint(**values)
