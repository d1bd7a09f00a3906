"""The attention list in the ledger: opened once per subject, closed by healing or by a person, never deleted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, func, select, update

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger, now
from kiezbruecke.ledger.dialects import insert_or_ignore
from kiezbruecke.ledger.events import append_event
from kiezbruecke.ledger.states import MessageState

HEALED = "healed"


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
    VANISHED = "vanished"  # more than half of a source is missing at once


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


MEANS: Mapping[tuple[Kind, Answer], tuple[MessageState, MessageState]] = {
    # what an answer says about the message itself: the state that it must be in, and the new one; others say nothing
    (Kind.IN_DOUBT, Answer.ARRIVED): (MessageState.IN_DOUBT, MessageState.DELIVERED),
    (Kind.IN_DOUBT, Answer.NOT_ARRIVED): (MessageState.IN_DOUBT, MessageState.WAITING),
    (Kind.DIFFERENCE, Answer.CORRECTED): (MessageState.DELIVERED, MessageState.CONFIRMED),
    (Kind.DIFFERENCE, Answer.TAKEN_BACK): (MessageState.DELIVERED, MessageState.REFUSED),
}
ABOUT_MESSAGES = (Kind.IN_DOUBT, Kind.REFUSED, Kind.OVERDUE, Kind.DIFFERENCE, Kind.CONTRADICTION, Kind.WARNING)


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


@dataclass(frozen=True)
class OpenPoint(Point):
    """A point as it stands in the ledger."""

    id: int = 0
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    answer: str = ""
    answered_by: str = ""
    answer_reason: str = ""


def raise_point(connection: Connection, point: Point) -> None:
    """Put a point on the list, unless it is on it already; a new reason replaces the old one."""
    values = {
        "kind": point.kind,
        "subject": point.subject,
        "case_id": point.case_id,
        "message_key": point.message_key,
        "route": point.route,
        "owner": point.owner,
        "reason": point.reason,
        "answers": list(point.answers),
        "opened_at": now(),
    }
    if insert_or_ignore(connection, t.attention, values):
        if point.case_id is not None:
            append_event(connection, point.case_id, "attention.opened", {"kind": point.kind, "subject": point.subject})
        return
    connection.execute(
        update(t.attention)
        .where(_open(point.kind, point.subject), t.attention.c.reason != point.reason)
        .values(reason=point.reason, owner=point.owner, answers=list(point.answers))
    )


def ever_raised(connection: Connection, kind: Kind, subject: str) -> bool:
    """Whether there has been such a point, open or closed."""
    query = select(t.attention.c.id).where(t.attention.c.kind == kind, t.attention.c.subject == subject)
    return connection.execute(query.limit(1)).one_or_none() is not None


def close_point(
    connection: Connection,
    kind: Kind,
    subject: str,
    *,
    answer: str = HEALED,
    person: str = "",
    reason: str = "",
) -> bool:
    """Close a point; True if it was open."""
    query = select(t.attention).where(_open(kind, subject))
    row = connection.execute(query).one_or_none()
    if row is None:
        return False
    closed = connection.execute(
        update(t.attention)
        .where(t.attention.c.id == row.id, t.attention.c.closed_at.is_(None))
        .values(closed_at=now(), answer=answer, answered_by=person, answer_reason=reason)
    )
    if not closed.rowcount:
        return False  # another transaction was faster
    if row.case_id is not None:
        append_event(
            connection,
            row.case_id,
            "attention.closed",
            {"kind": kind, "subject": subject, "answer": answer, "person": person},
        )
    return True


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
    query = select(t.attention.c.subject, t.attention.c.case_id).where(
        t.attention.c.kind == kind, t.attention.c.route == route, t.attention.c.closed_at.is_(None)
    )
    for row in connection.execute(query).all():
        if row.subject not in keep and (cases is None or row.case_id is None or row.case_id in cases):
            close_point(connection, kind, row.subject)
    for point in wanted:
        raise_point(connection, point)


def open_points(ledger: Ledger) -> list[OpenPoint]:
    """What needs a person now, oldest first."""
    with ledger.read() as connection:
        rows = connection.execute(
            select(t.attention).where(t.attention.c.closed_at.is_(None)).order_by(t.attention.c.id)
        ).all()
    return [_point(row) for row in rows]


def count_open_points(ledger: Ledger) -> int:
    """How many points need a person now."""
    with ledger.read() as connection:
        query = select(func.count()).select_from(t.attention).where(t.attention.c.closed_at.is_(None))
        return connection.execute(query).scalar_one()


def find_point(ledger: Ledger, number: int) -> OpenPoint | None:
    """One point by its number, open or closed."""
    with ledger.read() as connection:
        row = connection.execute(select(t.attention).where(t.attention.c.id == number)).one_or_none()
    return _point(row) if row else None


def points_of_case(ledger: Ledger, case_id: UUID) -> list[OpenPoint]:
    """All points of a case, open and closed."""
    with ledger.read() as connection:
        rows = connection.execute(
            select(t.attention).where(t.attention.c.case_id == case_id).order_by(t.attention.c.id)
        ).all()
    return [_point(row) for row in rows]


def _open(kind: Kind, subject: str) -> ColumnElement[bool]:
    return and_(t.attention.c.kind == kind, t.attention.c.subject == subject, t.attention.c.closed_at.is_(None))


def _point(row: Row[tuple[object, ...]]) -> OpenPoint:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    values["kind"] = Kind(values["kind"])
    values["answers"] = tuple(map(Answer, values["answers"]))
    return OpenPoint(**values)
