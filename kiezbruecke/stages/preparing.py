"""prepare: cases, what is due, bytes. Nothing leaves the house here.

A run looks at what has changed since the route looked last (`ledger/changes.py`), a chunk of cases at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from kiezbruecke import attention, clock
from kiezbruecke.attention import Answers
from kiezbruecke.cases.grants import grant_of
from kiezbruecke.cases.join import (
    Disagreement,
    Standing,
    budget_lines_of,
    budgets_that_count,
    stand_alone,
    stand_together,
    unexplained_budget_lines,
    verdicts_of,
)
from kiezbruecke.code import code_digest
from kiezbruecke.effects import Due, FollowUp, Lane, Waits, effect, rule_of
from kiezbruecke.effects.effect import digest
from kiezbruecke.errors import RecordError
from kiezbruecke.german import day
from kiezbruecke.ledger import MessageState, accounts, carriers, changes, claims, evidence, money
from kiezbruecke.ledger import drafts as ledger_drafts
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.areas import Counted, count
from kiezbruecke.ledger.changes import Look
from kiezbruecke.ledger.database import now
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.ledger.lineage import MappingVersion
from kiezbruecke.ledger.reading import MessageHead, StoredCase, read_budget_lines, read_cases, read_payloads
from kiezbruecke.ledger.runs import stop_if_overtaken
from kiezbruecke.ledger.seals import BUDGET, CASE, POINT, RECORD, VOTES
from kiezbruecke.ledger.sets import slices
from kiezbruecke.ledger.states import IS_IT_THERE
from kiezbruecke.ledger.todo import Kind, Name, Point
from kiezbruecke.mapping.for_clerks import for_clerks
from kiezbruecke.records import Budget, Process
from kiezbruecke.records.views import PayeeView
from kiezbruecke.stages import sent_anew
from kiezbruecke.stages.composing import LookedUp, Workshop, compose
from kiezbruecke.stages.work import Counts, Sending, view_of

CHUNK = 100  # cases in hand at a time, with their documents: memory stays flat, however many there are
CHANGED = (
    "Was gespeichert ist, wurde an der Software vorbei verändert; es geht nichts hinaus, bis die IT es geklärt hat"
)
COUNTED = 500  # cases counted at a time
COUNTED_FROM = (CASE, RECORD, POINT)  # what decides how much a case takes
UNTOUCHED = (MessageState.WAITING, MessageState.CLAIMED)  # nothing has left; what is claimed here, an older run had


@dataclass
class Survey:
    """One look of a route at its process: which cases, the budgets that count, what each area's votes mean."""

    began: datetime
    look: Look
    cases: Sequence[UUID]
    lines: Sequence[Budget]
    budgets: Mapping[str, Budget]
    verdicts: Mapping[str, Disagreement | None] = field(default_factory=dict)
    counted: dict[UUID, Counted] = field(default_factory=dict)  # what a case takes of which area's budget
    changing: set[UUID] = field(default_factory=set)  # these have changed since they were counted
    contradictions: list[Point] = field(default_factory=list)  # of the process's cases, of all chunks
    points: list[Point] = field(default_factory=list)  # of the route's own
    overtaken: list[Name] = field(default_factory=list)  # refusals of what nobody grants any more


def survey(work: Sending) -> Survey | None:
    """What this run has to look at; None if nothing has changed since the route looked last."""
    if effect(work.route.effect).tells and work.route.mode == "live":
        _workshop(work).texts.refuse_unread(f"route {work.route.name}")
    began, ledger, process = now(), work.ledger, work.process
    everything = work.everything or work.route.mode == "dry_run"  # previews are replaced as a whole
    look = changes.begin_look(ledger, work.route.name, process.id, _inputs(work), everything=everything)
    cases = changes.cases_to_look_at(ledger, work.route.name, process.id, look)
    if look.nothing_new and not cases:
        return None
    with changes.alone(ledger, work.run) as connection:
        lines = budget_lines_of(process, read_budget_lines(connection, process.id))
        _refuse_altered(connection, process, lines)
        budgets = budgets_that_count(lines)
        money.put_budgets(connection, budgets.values())
    found = Survey(began, look, cases, lines, budgets)
    _judge(work, found)
    return found


def _refuse_altered(connection: Connection, process: Process, lines: Sequence[Budget]) -> None:
    """What all cases rest on: the budget lines, also those that somebody took away, and what each area's votes take."""
    known = [(line.identity,) for line in lines] + evidence.lost(connection, RECORD, t.records.c.id)
    budgets = [(process.id, line.fiscal_year, line.area_id) for line in lines]
    votes = [(process.id, area) for area in {*(area.id for area in process.areas), *(line.area_id for line in lines)}]
    evidence.refuse_altered(connection, {RECORD: known, BUDGET: budgets, VOTES: votes})


def cases_as_they_stand(work: Sending, survey: Survey) -> Iterator[list[Standing]]:
    """The surveyed cases with what people have decided about them, a chunk at a time."""
    for ids in slices(survey.cases, CHUNK):
        stop_if_overtaken(work.ledger, work.run)  # what is stored stays; the look is not remembered
        standings = withdraw_outdated(work, survey, _standings(work, survey, ids))
        survey.contradictions += attention.contradictions(work.process, standings)
        survey.overtaken += _overtaken(work, standings)
        yield standings


def what_is_due(work: Sending, standings: Sequence[Standing]) -> tuple[list[tuple[Standing, Due]], list[Point]]:
    """Ask the route's rule about every case."""
    rule, answers = rule_of(work.route), _answers(work, [standing.case.id for standing in standings])
    lane = view_of(work.route, work.generation, answers, work.content)
    due: list[tuple[Standing, Due]] = []
    points: list[Point] = []
    for standing in standings:
        answer = rule(standing, lane) or _passed_over(work, standing, lane)
        if isinstance(answer, FollowUp):
            points += _follow_up(work, standing, answer, answers.done)
        elif isinstance(answer, Waits):
            points.append(_problem(work, standing, answer.text))
        elif answer is not None:
            due.append((standing, answer))
    sound, points = _as_recorded(work, due, points)
    may_go, unanswered = sent_anew.ask_first(work, lane, sound)
    return may_go, [*points, *unanswered]


def _passed_over(work: Sending, standing: Standing, lane: Lane) -> FollowUp | None:
    """A decision that counts and will never be due is told: only a person knows whether it was typed by hand."""
    decision = standing.decision
    begins = effect(work.route.effect)
    if decision is None or begins.informs or not lane.passes_over(standing):
        return None
    text = (
        f"{standing.case.reference} ({decision.sheet}, Zeile {decision.row}): Der Beschluss vom "
        f"{day(decision.decided_on)} liegt vor dem Beginn dieser Strecke ({day(lane.start_from)}); „{begins.title}“ "
        "geht deshalb nicht von selbst hinaus. Falsches Datum: Korrektur mit dem richtigen. Sonst von Hand erfassen"
    )
    return FollowUp(text, digest("passed over", decision.digest(), lane.start_from.isoformat()))


def _as_recorded(
    work: Sending, due: Sequence[tuple[Standing, Due]], points: list[Point]
) -> tuple[list[tuple[Standing, Due]], list[Point]]:
    """A case whose rows are not what its chain of evidence says becomes no message."""
    with work.ledger.read() as connection:
        changed = evidence.altered_cases(connection, {standing.case.id for standing, _ in due})
    problems = [_problem(work, standing, CHANGED) for standing, _ in due if standing.case.id in changed]
    return [one for one in due if one[0].case.id not in changed], [*points, *problems]


def outdated(standing: Standing, lane: Lane) -> list[UUID]:
    """Messages that wait untouched although the decision they rest on does not hold any more."""
    return [
        message.key
        for message in lane.sent(standing)
        if (message.state in UNTOUCHED or _waits_for_release(message))
        and message.ticket is None
        and effect(message.effect).outdated(standing, message, lane)
    ]


def _waits_for_release(message: MessageHead) -> bool:
    return message.state is MessageState.HELD and message.note != IS_IT_THERE


def withdraw_outdated(work: Sending, survey: Survey, standings: Sequence[Standing]) -> list[Standing]:
    """Take back what waits untouched although its decision was corrected; the cases as they stand afterwards."""
    ids = [standing.case.id for standing in standings]
    lane = view_of(work.route, work.generation, _answers(work, ids), work.content)
    keys = [key for standing in standings for key in outdated(standing, lane)]
    if not keys or not claims.withdraw(work.ledger, work.run, carriers.free(work.ledger, work.run, keys)):
        return list(standings)
    return _standings(work, survey, ids)


def _overtaken(work: Sending, standings: Sequence[Standing]) -> list[Name]:
    """Refused beginnings whose decision does not grant any more: sending them anew would send nothing."""
    lane = view_of(work.route, work.generation, Answers(), work.content)
    return [
        (Kind.REFUSED, str(message.key))
        for standing in standings
        if standing.decision is not None and not standing.grants and not standing.disagreements
        for message in lane.sent(standing)
        if message.state is MessageState.REFUSED and effect(message.effect).due is not None
    ]


def write_messages(work: Sending, due: Sequence[tuple[Standing, Due]]) -> tuple[list[Draft], list[Point]]:
    """The bytes of every due message; a case that cannot become one is set aside and stops no other."""
    workshop, count = _workshop(work), sum(one.effect.takes_voucher for _, one in due)
    vouchers = iter(ledger_drafts.take_vouchers(work.ledger, work.route.destination, work.process.fiscal_year, count))
    last, payees = _last_words(work, due), _payees(work, due)
    at, drafts, problems = now(), [], []
    for standing, one in due:
        voucher = next(vouchers) if one.effect.takes_voucher else ""
        try:
            looked_up = LookedUp(last.get(standing.case.id, b""), _payee(payees, one))
            drafts.append(compose(workshop, standing, one, voucher, at, looked_up))
        except RecordError as error:
            problems.append(_problem(work, standing, for_clerks(error)))
    return drafts, problems


def _payees(work: Sending, due: Sequence[tuple[Standing, Due]]) -> dict[str, PayeeView]:
    """Whom the orders of these cases pay, by the marks of their accounts: the vault is asked only here."""
    marks = {one.order.account for _, one in due if one.order is not None and one.order.account}
    if not marks:
        return {}
    with work.ledger.read() as connection:
        return accounts.payees(connection, marks)


def _payee(payees: Mapping[str, PayeeView], due: Due) -> PayeeView | None:
    """Whom this order pays; raises RecordError where the vault has lost the account."""
    if due.order is None or not due.order.account:
        return None
    if due.order.account not in payees:
        what, expected = (
            "Zu diesem Antrag liegt keine Kontoverbindung im Tresor",
            "eine Zeile mit Kontoinhaber und IBAN",
        )
        raise RecordError(what, expected=expected)
    return payees[due.order.account]


def _last_words(work: Sending, due: Sequence[tuple[Standing, Due]]) -> dict[UUID, bytes]:
    """Per case the bytes of what the destination has of us last, where an effect goes back to them."""
    lane = view_of(work.route, work.generation, Answers(), work.content)
    there = {standing.case.id: lane.last_there(standing) for standing, one in due if one.effect.recalls}
    payloads = read_payloads(work.ledger, [head.key for head in there.values() if head is not None])
    return {case: payloads[head.key] for case, head in there.items() if head is not None}


def keep(work: Sending, survey: Survey, drafts: Sequence[Draft], points: Sequence[Point], counts: Counts) -> None:
    """Store a chunk's messages, or the previews of a dry run; what needs a person is kept at the end."""
    without: Sequence[Point] = ()
    if work.route.mode == "dry_run":
        ledger_drafts.add_previews(work.ledger, work.run, drafts)
    else:
        without = ledger_drafts.add_messages(work.ledger, work.run, drafts, work.route.owner, _version(work))
    survey.points += [*points, *without]
    counts.more("previewed" if work.route.mode == "dry_run" else "prepared", len(drafts) - len(without))
    counts.more("set_aside", len(points) + len(without))


def finish(work: Sending, survey: Survey) -> None:
    """Make the open points equal to what needs a person now, and remember how far the route has looked."""
    cases = set(survey.cases) - survey.changing
    points = [*survey.contradictions, *_budget_points(work, survey.lines)]
    attention.keep_contradictions(work.ledger, work.run, work.process, points, cases)
    ledger_drafts.finish_prepare(
        work.ledger, work.run, survey.points, cases, began=survey.began, overtaken=survey.overtaken
    )
    if work.route.mode != "dry_run":
        changes.remember_look(work.ledger, work.run, survey.look)


def _judge(work: Sending, survey: Survey) -> None:
    """Give each area its verdict; where one has changed, the area's other cases are looked at too."""
    ledger, process = work.ledger, work.process
    _count(work, survey, survey.cases)
    sums = {area: money.euros(cents) for area, cents in changes.read_sums(ledger, process.id).items()}
    survey.verdicts = verdicts_of(process, sums, survey.budgets)
    changes.keep_verdicts(ledger, work.run, process.id, survey.look, _digests(survey))
    survey.cases = changes.cases_to_look_at(ledger, work.route.name, process.id, survey.look)
    _count(work, survey, [case for case in survey.cases if case not in survey.counted])


def _count(work: Sending, survey: Survey, cases: Sequence[UUID]) -> None:
    """Count what these cases take of their areas' budgets. A changed one may belong to any area: nobody goes then."""
    for ids in slices(cases, COUNTED):
        with changes.alone(work.ledger, work.run) as connection:
            evidence.refuse_altered_cases(connection, ids, COUNTED_FROM)
            answers = _answers(work, ids)
            alone = stand_alone(work.process, _read(work, ids), survey.budgets, answers.waived, answers.dismissed)
            counted = {one.case.id: _takes(one) for one in alone}
            count(connection, counted)
        survey.counted |= counted


def _takes(standing: Standing) -> Counted:
    grant = grant_of(standing, clock.today())
    return Counted(standing.area_id, money.cents(standing.amount), grant.final_on if grant else None)


def _digests(survey: Survey) -> dict[str, str]:
    """Per area the digest of what its cases hear of it: the budget that counts, and why it holds them back."""
    return {
        area: digest(found.text if found else "", survey.budgets[area].digest() if area in survey.budgets else "")
        for area, found in survey.verdicts.items()
    }


def _standings(work: Sending, survey: Survey, ids: Sequence[UUID]) -> list[Standing]:
    """The cases as they stand. One that takes another sum than was counted has just changed: it is the next run's."""
    answers = _answers(work, ids)
    alone = stand_alone(work.process, _read(work, ids), survey.budgets, answers.waived, answers.dismissed)
    survey.changing |= {one.case.id for one in alone if survey.counted[one.case.id] != _takes(one)}
    counted = [one for one in alone if one.case.id not in survey.changing]
    return stand_together(counted, survey.verdicts, answers.waived)


def _read(work: Sending, ids: Sequence[UUID]) -> Sequence[StoredCase]:
    with work.ledger.read() as connection:
        return read_cases(connection, t.cases.c.id.in_(ids))


def _answers(work: Sending, ids: Sequence[UUID]) -> Answers:
    return attention.read_answers(work.ledger, ids)


def _inputs(work: Sending) -> str:
    """A digest of all that decides and stands in no ledger; with another one everything is looked at."""
    process = work.process.model_dump_json()
    files = _workshop(work).digest
    return digest(code_digest(), work.route.model_dump_json(), process, work.lists, files, str(work.generation))


def _workshop(work: Sending) -> Workshop:
    return Workshop(work.content, work.process, work.route, work.mapping, work.generation)


def _version(work: Sending) -> MappingVersion:
    """What the rule numbers in the messages' lineage mean."""
    mapping = work.mapping
    rules = [line.as_dict() for line in mapping.rule_lines]
    return MappingVersion(mapping.digest, mapping.name, mapping.version, rules)


def _follow_up(work: Sending, standing: Standing, answer: FollowUp, done: frozenset[str]) -> list[Point]:
    subject = f"{work.route.destination}:{standing.case.id}:{answer.basis[:12]}"
    if subject in done:
        return []
    return [
        Point(
            Kind.FOLLOW_UP,
            subject,
            work.route.name,
            work.process.owner or work.route.owner,
            answer.text,
            answer.answers,
            standing.case.id,
            answer.message,
        )
    ]


def _problem(work: Sending, standing: Standing, text: str) -> Point:
    subject = f"{work.route.name}:{standing.case.id}"
    reason = f"{standing.case.reference}: {text}"
    return Point(Kind.SET_ASIDE, subject, work.route.name, work.route.owner, reason, (), standing.case.id)


def _budget_points(work: Sending, lines: Sequence[Budget]) -> list[Point]:
    owner = work.process.owner or work.route.owner
    names = {area.id: area.name for area in work.process.areas}
    return [
        Point(
            Kind.SET_ASIDE,
            f"budget:{line.origin}",
            work.process.id,
            owner,
            f"Budgetliste: Eine Zeile ändert das Budget von {names.get(line.area_id, line.area_id)} ohne Grund; "
            "sie gilt deshalb nicht",
            (),
        )
        for line in unexplained_budget_lines(lines)
    ]
