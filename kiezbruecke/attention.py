"""One list of all that needs a person: what the points mean, and what a person's answer does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, select

from kiezbruecke.cases.join import (
    DISMISSIBLE,
    WAIVABLE,
    Disagreement,
    Reason,
    Standing,
    hangs_on_its_area,
    join,
    subject_of,
)
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger import Ledger, MessageState, Run, history
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.areas import read_others
from kiezbruecke.ledger.moves import message_row, move
from kiezbruecke.ledger.reading import Snapshot, StoredCase, read_budget_lines, read_process_cases
from kiezbruecke.ledger.receipts import refused_point
from kiezbruecke.ledger.runs import guard
from kiezbruecke.ledger.todo import (
    MEANS,
    Answer,
    Kind,
    OpenPoint,
    Point,
    close_point,
    raise_point,
    replace_points,
)
from kiezbruecke.records import Process


@dataclass(frozen=True)
class Answers:
    """What people have decided so far, as the pipeline reads it."""

    waived: frozenset[str]  # subjects of disagreements that were released
    dismissed: frozenset[str]  # subjects of disagreements whose line is thrown away
    resend: frozenset[str]  # keys of refused messages that go anew
    done: frozenset[str]  # subjects of follow-ups and reminders that are settled
    blocked: frozenset[str]  # keys of messages whose answers contradict each other: nothing goes out beside them


def read_answers(ledger: Ledger) -> Answers:
    """All answers that still matter."""
    query = select(t.attention.c.kind, t.attention.c.subject, t.attention.c.answer).where(
        t.attention.c.answered_by != "", t.attention.c.closed_at.is_not(None)
    )
    open_query = select(t.attention.c.subject).where(
        t.attention.c.kind.in_((Kind.CONTRADICTION, Kind.DIFFERENCE)), t.attention.c.closed_at.is_(None)
    )
    with ledger.read() as connection:
        rows = connection.execute(query).all()
        blocked = frozenset(connection.execute(open_query).scalars())
    return Answers(
        frozenset(row.subject for row in rows if row.answer == Answer.RELEASE),
        frozenset(row.subject for row in rows if row.answer == Answer.DISMISS),
        frozenset(row.subject for row in rows if row.answer == Answer.RESEND),
        frozenset(row.subject for row in rows if row.kind in (Kind.FOLLOW_UP, Kind.OVERDUE)),
        blocked,
    )


def read_standings(ledger: Ledger, process: Process) -> list[Standing]:
    """All cases of a process as they stand now, with what people have decided about them."""
    answers = read_answers(ledger)
    snapshot = read_process_cases(ledger, process.id)
    return join(process, snapshot, answers.waived, answers.dismissed)


def read_standing(ledger: Ledger, process: Process, case: StoredCase) -> Standing:
    """One case as `read_standings` would have it, without reading the process; five statements at most."""
    with ledger.read() as connection:
        lines = read_budget_lines(connection, process.id)
        waived, dismissed = _said_about(connection, [case.id])
        alone = join(process, Snapshot((case,), lines), waived, dismissed)[0]
        if not hangs_on_its_area(alone):
            return alone
        others = read_others(connection, process.id, alone.area_id, case.id)
        _, thrown_away = _said_about(connection, [other.id for other in others.unclear])
    snapshot, besides = Snapshot((case, *others.unclear), lines), {alone.area_id: others.granted}
    return join(process, snapshot, waived, dismissed | thrown_away, besides)[0]


def _said_about(connection: Connection, cases: Sequence[UUID]) -> tuple[frozenset[str], frozenset[str]]:
    """The subjects that people have released and thrown away in these cases."""
    a = t.attention.c
    query = select(a.subject, a.answer).where(
        a.case_id.in_(cases),
        a.answer.in_((Answer.RELEASE, Answer.DISMISS)),
        a.answered_by != "",
        a.closed_at.is_not(None),
    )
    rows = connection.execute(query).all()
    return (
        frozenset(row.subject for row in rows if row.answer == Answer.RELEASE),
        frozenset(row.subject for row in rows if row.answer == Answer.DISMISS),
    )


def keep_contradictions(
    ledger: Ledger, run: Run, process: Process, standings: Iterable[Standing], more: Iterable[Point]
) -> None:
    """Make the process's open points equal to what contradicts now. They belong to the process, not to a route."""
    points = [_contradiction(process, standing, one) for standing in standings for one in standing.disagreements]
    with ledger.write() as connection:
        guard(connection, run)
        replace_points(connection, Kind.SET_ASIDE, process.id, [*points, *more])


def _contradiction(process: Process, standing: Standing, disagreement: Disagreement) -> Point:
    return Point(
        Kind.SET_ASIDE,
        subject_of(standing.case, disagreement),
        process.id,
        process.owner,
        disagreement.text,
        _answers(disagreement.reason),
        standing.case.id,
    )


def _answers(reason: Reason) -> tuple[Answer, ...]:
    if reason in DISMISSIBLE:
        return (Answer.DISMISS,)
    return (Answer.RELEASE,) if reason in WAIVABLE else ()


def decide(ledger: Ledger, point: OpenPoint, answer: str, *, person: str, reason: str) -> None:
    """Carry out a person's answer and write it down; raises ConfigurationError where it is not allowed."""
    if point.closed_at is not None:
        raise ConfigurationError(f"Punkt {point.id} ist schon erledigt", where="todo")
    chosen = _chosen(point, answer)
    if not person.strip() or not reason.strip():
        raise ConfigurationError("Name und Begründung gehören dazu", where=f"Punkt {point.id}")
    with ledger.write() as connection:
        if not close_point(connection, point.kind, point.subject, answer=chosen, person=person, reason=reason):
            raise ConfigurationError(f"Punkt {point.id} ist schon erledigt", where="todo")  # somebody was faster
        if point.kind is Kind.SET_ASIDE:
            history.forget_unread(connection, point.subject)
        if point.message_key is not None and (meaning := MEANS.get((point.kind, chosen))):
            _move(connection, point.message_key, *meaning, person)


def _chosen(point: OpenPoint, answer: str) -> Answer:
    if answer in point.answers:
        return Answer(answer)
    what, where = f"Die Antwort '{answer}' gibt es hier nicht", f"Punkt {point.id}"
    if not point.answers:
        raise ConfigurationError(what, where=where, helps="der Punkt erledigt sich, sobald seine Ursache behoben ist")
    raise ConfigurationError(what, where=where, expected=", ".join(point.answers))


def _move(connection: Connection, key: UUID, before: MessageState, after: MessageState, person: str) -> None:
    """Carry an answer over to the message; a refused one stays on the list until it goes anew or is settled."""
    note = f"entschieden von {person}"
    if not move(connection, key, after, note=note, expect=before):
        raise ConfigurationError("Die Nachricht ist inzwischen weiter", where="todo", helps="siehe 'message show'")
    if after is MessageState.REFUSED and (row := message_row(connection, key)) is not None:
        raise_point(connection, refused_point(row, note))
