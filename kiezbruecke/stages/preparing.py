"""prepare: cases, what is due, bytes. Nothing leaves the house here."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from kiezbruecke import attention
from kiezbruecke.attention import CONTRADICTION
from kiezbruecke.cases.join import (
    Standing,
    budget_lines_of,
    budgets_that_count,
    join,
    unexplained_budget_lines,
)
from kiezbruecke.effects import Due, FollowUp, Lane, effect, rule_of
from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.ledger import MessageState, claims, money
from kiezbruecke.ledger import drafts as ledger_drafts
from kiezbruecke.ledger.database import now
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.ledger.lineage import MappingVersion
from kiezbruecke.ledger.reading import Snapshot, read_process_cases
from kiezbruecke.ledger.todo import Point
from kiezbruecke.stages.composing import Workshop, compose
from kiezbruecke.stages.work import Counts, Sending, view_of


def join_cases(work: Sending) -> list[Standing]:
    """All cases of the process as they stand now; the budgets that count are written into the ledger."""
    if work.process.commit_at != "voted":
        raise ConfigurationError(
            "commit_at: final needs grant notices, which this version does not know",
            where=f"process {work.process.id}",
            expected="voted",
        )
    snapshot = read_process_cases(work.ledger, work.process.id, work.process.fiscal_year)
    money.set_budgets(work.ledger, work.run, budgets_that_count(budget_lines_of(work.process, snapshot)).values())
    answers = attention.read_answers(work.ledger)
    standings = join(work.process, snapshot, answers.waived, answers.dismissed)
    attention.keep_contradictions(work.ledger, work.run, work.process, standings, _budget_points(work, snapshot))
    return standings


def what_is_due(work: Sending, standings: Sequence[Standing]) -> tuple[list[tuple[Standing, Due]], list[Point]]:
    """Ask the route's rule about every case."""
    rule, answers = rule_of(work.route), attention.read_answers(work.ledger)
    lane = view_of(work.route, work.generation, answers)
    due: list[tuple[Standing, Due]] = []
    points: list[Point] = []
    for standing in standings:
        answer = rule(standing, lane)
        if isinstance(answer, FollowUp):
            points += _follow_up(work, standing, answer, answers.done)
        elif answer is not None:
            due.append((standing, answer))
    return due, points


def outdated(standing: Standing, lane: Lane) -> list[UUID]:
    """Messages that wait untouched although the decision they rest on does not hold any more."""
    if standing.decision is None or standing.disagreements:
        return []
    return [
        message.key
        for message in lane.sent(standing)
        if message.state is MessageState.WAITING
        and message.batch_id is None
        and message.ticket is None
        and effect(message.effect).outdated(standing, message)
    ]


def withdraw_outdated(work: Sending, standings: Sequence[Standing]) -> list[Standing]:
    """Take back what waits untouched although its decision was corrected; the cases as they stand afterwards."""
    lane = view_of(work.route, work.generation, attention.read_answers(work.ledger))
    keys = [key for standing in standings for key in outdated(standing, lane)]
    if not keys or not claims.withdraw(work.ledger, work.run, keys):
        return list(standings)
    return join_cases(work)


def write_messages(work: Sending, due: Sequence[tuple[Standing, Due]]) -> tuple[list[Draft], list[Point]]:
    """The bytes of every due message; a case that cannot become one is set aside and stops no other."""
    workshop = Workshop(work.content, work.process, work.route, work.mapping, work.generation)
    count = sum(one.effect.takes_voucher for _, one in due)
    vouchers = iter(ledger_drafts.take_vouchers(work.ledger, work.route.destination, work.process.fiscal_year, count))
    at, drafts, problems = now(), [], []
    for standing, one in due:
        voucher = next(vouchers) if one.effect.takes_voucher else ""
        try:
            drafts.append(compose(workshop, standing, one, voucher, at))
        except RecordError as error:
            problems.append(_problem(work, standing, error.line()))
    return drafts, problems


def keep(work: Sending, drafts: Sequence[Draft], points: Sequence[Point], counts: Counts) -> None:
    """Store the messages, or the previews of a dry run, and the points that need a person."""
    if work.route.mode == "dry_run":
        ledger_drafts.replace_previews(work.ledger, work.run, drafts, points)
        counts["previewed"] = len(drafts)
    else:
        version = _version(work)
        without_money = ledger_drafts.add_messages(work.ledger, work.run, drafts, work.route.owner, version)
        ledger_drafts.finish_prepare(work.ledger, work.run, [*points, *without_money])
        counts["prepared"] = len(drafts) - len(without_money)
        counts.more("set_aside", len(without_money))
    counts.more("set_aside", len(points))


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
            "follow_up",
            subject,
            work.route.name,
            work.process.owner or work.route.owner,
            answer.text,
            ("erledigt",),
            standing.case.id,
        )
    ]


def _problem(work: Sending, standing: Standing, text: str) -> Point:
    subject = f"{work.route.name}:{standing.case.id}"
    reason = f"{standing.case.reference}: {text}"
    return Point(CONTRADICTION, subject, work.route.name, work.route.owner, reason, (), standing.case.id)


def _budget_points(work: Sending, snapshot: Snapshot) -> list[Point]:
    owner = work.process.owner or work.route.owner
    return [
        Point(
            CONTRADICTION,
            f"budget:{line.origin}",
            work.process.id,
            owner,
            f"Budgetliste: Eine Zeile ändert das Budget von {line.area_id} ohne Grund; sie gilt deshalb nicht",
            (),
        )
        for line in unexplained_budget_lines(budget_lines_of(work.process, snapshot))
    ]
