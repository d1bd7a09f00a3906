"""One list of all that needs a person: what the points mean, and what a person's answer does."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select, true
from sqlalchemy.exc import IntegrityError

from kiezbruecke.cases.join import (
    DISMISSIBLE,
    WAIVABLE,
    ZERO,
    Disagreement,
    Reason,
    Standing,
    budget_lines_of,
    budgets_that_count,
    hangs_on_its_area,
    join,
    stand_alone,
    stand_together,
    subject_of,
    verdicts_of,
    without_area,
)
from kiezbruecke.errors import InputError
from kiezbruecke.ledger import Ledger, MessageState, Run, history
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.areas import read_others, read_sums
from kiezbruecke.ledger.dialects import one_at_a_time
from kiezbruecke.ledger.moves import message_row, move, successor
from kiezbruecke.ledger.people import Person, signed
from kiezbruecke.ledger.reading import Snapshot, StoredCase, read_budget_lines, read_cases, read_process_cases
from kiezbruecke.ledger.receipts import refused_point
from kiezbruecke.ledger.runs import guard
from kiezbruecke.ledger.sets import slices
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
from kiezbruecke.records import Area, Budget, Process


@dataclass(frozen=True)
class Answers:
    """What people have decided so far, as the pipeline reads it."""

    waived: frozenset[str] = frozenset()  # subjects of disagreements that were released
    dismissed: frozenset[str] = frozenset()  # subjects of disagreements whose line is thrown away
    resend: frozenset[str] = frozenset()  # keys of refused messages that go anew
    done: frozenset[str] = frozenset()  # subjects of follow-ups and reminders that are settled
    blocked: frozenset[str] = frozenset()  # keys of messages with contradicting answers: nothing goes out beside them


def read_answers(ledger: Ledger, cases: Sequence[UUID] | None = None) -> Answers:
    """All answers that still matter, or those about the given cases."""
    a = t.attention.c
    about = true() if cases is None else a.case_id.in_(cases)
    query = select(a.kind, a.subject, a.answer).where(about, a.answered_by != "", a.closed_at.is_not(None))
    blocking = a.kind.in_((Kind.CONTRADICTION, Kind.DIFFERENCE))
    open_query = select(a.subject).where(about, blocking, a.closed_at.is_(None))
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
        ids = [other.id for other in others.uncounted]
        # which line counts in another case hangs on what people said about it, too
        said = [(waived, dismissed), *(_said_about(connection, some) for some in slices(ids))]
    snapshot, besides = Snapshot((case, *others.uncounted), lines), {alone.area_id: others.granted}
    waived, dismissed = (frozenset[str]().union(*some) for some in zip(*said, strict=True))
    return join(process, snapshot, waived, dismissed, besides)[0]


def read_verdicts(ledger: Ledger, process: Process) -> tuple[Mapping[str, Budget], Mapping[str, Disagreement | None]]:
    """The budgets that count, and what the votes of each area mean for its cases, without reading the process."""
    with ledger.read() as connection:
        budgets = budgets_that_count(budget_lines_of(process, read_budget_lines(connection, process.id)))
        counted, uncounted = read_sums(connection, process.id)
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO, counted)
    for ids in slices(uncounted):
        for one in _alone(ledger, process, ids, budgets):
            sums[one.area_id] += one.amount
    return budgets, verdicts_of(process, sums, budgets)


def read_some_standings(
    ledger: Ledger,
    process: Process,
    cases: Sequence[UUID],
    budgets: Mapping[str, Budget],
    verdicts: Mapping[str, Disagreement | None],
) -> Iterator[list[Standing]]:
    """These cases as `read_standings` would have them, a chunk at a time; see `read_verdicts`."""
    for ids in slices(cases, 100):
        alone = _alone(ledger, process, ids, budgets)
        yield stand_together(alone, verdicts, read_answers(ledger, ids).waived)


def _alone(ledger: Ledger, process: Process, cases: Sequence[UUID], budgets: Mapping[str, Budget]) -> list[Standing]:
    answers = read_answers(ledger, cases)
    with ledger.read() as connection:
        found = read_cases(connection, t.cases.c.id.in_(cases))
    return stand_alone(process, found, budgets, answers.waived, answers.dismissed)


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


def contradictions(process: Process, standings: Iterable[Standing]) -> list[Point]:
    """What contradicts in these cases or is missing, as points. They belong to the process, not to a route."""
    return [
        _contradiction(process, standing, one)
        for standing in standings
        for one in (*standing.disagreements, without_area(process, standing))
        if one is not None
    ]


def keep_contradictions(
    ledger: Ledger, run: Run, process: Process, points: Iterable[Point], cases: Collection[UUID] | None
) -> None:
    """Make the process's open points, or those about the given cases and about none, equal to what contradicts now."""
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        replace_points(connection, Kind.SET_ASIDE, process.id, points, cases=cases)


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
    if reason is Reason.AREA_MISSING:
        return (Answer.ASSIGN,)
    may = ((Answer.RELEASE, WAIVABLE), (Answer.DISMISS, DISMISSIBLE))
    return tuple(answer for answer, reasons in may if reason in reasons)


def decide(
    ledger: Ledger, point: OpenPoint, answer: str, *, person: Person, reason: str, area: Area | None = None
) -> Answer:
    """Carry out a person's answer and write it down; raises InputError where it is not allowed.

    `area`: to which one, where the answer is to assign the case.
    """
    if point.closed_at is not None:
        raise InputError("Der Punkt ist schon erledigt", where=f"Punkt {point.id}")
    chosen = _chosen(point, answer)
    if (chosen is Answer.ASSIGN) != (area is not None):
        what = "Zu „zuordnen“ gehört die Bezirksregion, und nur dazu"
        raise InputError(what, where=f"Punkt {point.id}", expected="zuordnen --area NAME")
    by = signed(person, reason, f"Punkt {point.id}")
    given = chosen if area is None else f"{chosen}:{area.id}"
    with ledger.write() as connection:
        one_at_a_time(connection)
        if not close_point(connection, point.kind, point.subject, answer=given, by=by):
            raise InputError("Der Punkt ist schon erledigt", where=f"Punkt {point.id}")  # somebody was faster
        if point.kind is Kind.SET_ASIDE:
            history.forget_unread(connection, point.subject)
        if chosen is Answer.RESEND:
            _refuse_if_overtaken(connection, point)
        if point.message_key is not None and (meaning := MEANS.get((point.kind, chosen))):
            _move(connection, point, *meaning, by.person)
    return chosen


def _chosen(point: OpenPoint, answer: str) -> Answer:
    given = unicodedata.normalize("NFC", answer).strip().casefold()  # some terminals give umlauts in two signs
    if given in point.answers:
        return Answer(given)
    what, where = f"Die Antwort „{answer}“ gibt es hier nicht", f"Punkt {point.id}"
    if not point.answers:
        raise InputError(f"{what}. Der Punkt erledigt sich, sobald seine Ursache behoben ist", where=where)
    raise InputError(what, where=where, expected=", ".join(point.answers))


def _refuse_if_overtaken(connection: Connection, point: OpenPoint) -> None:
    """A message that has a successor does not go anew, and whoever asks for it must not believe that it does."""
    row = message_row(connection, point.message_key) if point.message_key else None
    if row is not None and (newer := successor(connection, row)) is not None:
        raise InputError(
            f"{row.reference} ist überholt: Zu diesem Fall gibt es schon {newer}. Es geht nichts noch einmal hinaus",
            where=f"Punkt {point.id}",
            expected=Answer.DONE,
        )


def _move(connection: Connection, point: OpenPoint, before: MessageState, after: MessageState, person: Person) -> None:
    """Carry an answer over to the message; a refused one stays on the list until it goes anew or is settled."""
    assert point.message_key is not None
    row, where = message_row(connection, point.message_key), f"Punkt {point.id}"
    assert row is not None
    if point.kind is Kind.CONTRADICTION:
        _refuse_where_more_depends_on_it(connection, row, where)
        if row.state == after:
            return  # our books said so already; the answer is in the evidence
        before = MessageState(row.state)  # whatever our books said: the person has looked there
    note = f"entschieden von {person}"
    try:
        moved = move(connection, row.key, after, note=note, expect=before, by=person)
    except IntegrityError:
        raise InputError(
            "So ist es hier nicht zu buchen: Das Budget der Bezirksregion reicht dafür nicht",
            where=where,
            helps="zuerst das Budget erhöhen oder andere Beschlüsse berichtigen",
        ) from None
    if not moved:
        raise InputError("Die Nachricht ist inzwischen weiter", where=where, helps="siehe kiezbruecke message show")
    if after is MessageState.REFUSED:
        raise_point(connection, refused_point(row, f" ({note})"))


def _refuse_where_more_depends_on_it(connection: Connection, row: Row[Any], where: str) -> None:
    if newer := successor(connection, row):
        raise InputError(
            f"Zu diesem Fall gibt es schon {newer}; was für {row.reference} gilt, ändert daran nichts",
            where=where,
            expected=Answer.DONE,
        )
