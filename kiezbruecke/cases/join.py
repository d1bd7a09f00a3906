"""Joins what platform and assembly say about one proposal, and says where a person must look.

    lines of decision sheets ──▶ the one that counts ─┐
    proposal of the platform ─────────────────────────┼─▶ Standing (+ disagreements)
    budget lines ──▶ the area's budget ───────────────┘

Everything here is derived anew in every run from records that never change: a disagreement heals by itself
when the missing proposal arrives or a corrected sheet comes.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from kiezbruecke.german import euros
from kiezbruecke.ledger import MessageState
from kiezbruecke.ledger.effects import booked
from kiezbruecke.ledger.reading import Snapshot, StoredCase
from kiezbruecke.records import Budget, BudgetStatus, Decision, Outcome, Process, Proposal, ProposalStatus
from kiezbruecke.records.identity import is_paper

ZERO = Decimal("0.00")


class Reason(StrEnum):
    """Why a case is set aside; the comment says what heals it."""

    UNKNOWN_REFERENCE = "unknown_reference"  # the proposal arrives, or a corrected sheet
    TWICE = "twice"  # a corrected sheet
    UNEXPLAINED_CHANGE = "unexplained_change"  # a sheet with Korrektur = ja and a reason
    NO_REASON = "no_reason"  # the same
    NO_SUM = "no_sum"  # a corrected sheet
    SUM_WITHOUT_GRANT = "sum_without_grant"  # a corrected sheet
    MORE_THAN_ASKED = "more_than_asked"  # a person, or a corrected sheet
    PLATFORM_CONTRADICTS = "platform_contradicts"  # the platform's moderator, or a person
    GONE = "gone"  # a person
    AREA_DIFFERS = "area_differs"  # a corrected sheet
    AREA_UNKNOWN = "area_unknown"  # configuration of the module, or a point on the map
    NO_BUDGET = "no_budget"  # a budget sheet
    NOT_RELEASED = "not_released"  # a budget sheet
    OVER_BUDGET = "over_budget"  # a budget sheet, or corrected decisions


DISMISSIBLE = frozenset({Reason.UNKNOWN_REFERENCE})
WAIVABLE = frozenset({Reason.MORE_THAN_ASKED, Reason.PLATFORM_CONTRADICTS, Reason.GONE})


@dataclass(frozen=True)
class Disagreement:
    """One reason with its German sentence. `basis` changes when what it rests on changes."""

    reason: Reason
    text: str
    basis: str = ""


@dataclass(frozen=True)
class Standing:
    """Where a case stands: the decision that counts and what contradicts it."""

    case: StoredCase
    area_id: str
    area_name: str
    decision: Decision | None
    budget: Budget | None
    disagreements: tuple[Disagreement, ...] = ()

    @property
    def proposal(self) -> Proposal | None:
        """What the platform says, if anything."""
        return self.case.proposal

    @property
    def grants(self) -> bool:
        """Whether the decision that counts moves money."""
        return self.decision is not None and self.decision.outcome.grants

    @property
    def amount(self) -> Decimal:
        """The approved sum; zero where nothing is granted."""
        if self.decision is None or not self.grants:
            return ZERO
        return self.decision.approved_amount or ZERO

    @property
    def budget_line(self) -> str:
        """Chapter and title that the sum is booked on; empty where the area has no budget."""
        return f"{self.budget.chapter}/{self.budget.title}" if self.budget else ""

    @property
    def title(self) -> str:
        """The proposal's title, or the sheet's where the platform does not know it."""
        if self.proposal is not None:
            return self.proposal.title
        return self.decision.title if self.decision and self.decision.title else f"Vorschlag {self.case.reference}"


def join(
    process: Process,
    snapshot: Snapshot,
    waived: Collection[str] = (),
    dismissed: Collection[str] = (),
    besides: Mapping[str, Decimal] = MappingProxyType({}),
) -> list[Standing]:
    """All cases of a process as they stand now.

    `waived` are subjects of disagreements that a person has released, `dismissed` those whose line a person has
    thrown away, such as a mistyped reference number. `besides` is what cases outside the snapshot grant, by area.
    """
    budgets = budgets_that_count(budget_lines_of(process, snapshot.budget_lines))
    alone = stand_alone(process, snapshot.cases, budgets, dismissed)
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO, besides)
    for standing in alone:
        sums[standing.area_id] += standing.amount
    return stand_together(alone, verdicts_of(process, sums, budgets), waived)


def stand_alone(
    process: Process, cases: Iterable[StoredCase], budgets: Mapping[str, Budget], dismissed: Collection[str] = ()
) -> list[Standing]:
    """Cases as they stand by themselves, without what the votes of their whole area mean for them."""
    names = {area.id: area.name for area in process.areas}
    return [_without_dismissed(_stand(case, names, budgets), dismissed) for case in cases]


def verdicts_of(
    process: Process, sums: Mapping[str, Decimal], budgets: Mapping[str, Budget]
) -> dict[str, Disagreement | None]:
    """Per area why its votes may not be sent, if so. `sums`: what all cases of an area take of its budget."""
    names = {area.id: area.name for area in process.areas}
    areas = {*names, *sums, *budgets}
    return {area: _area_reason(area, names, sums.get(area, ZERO), budgets.get(area)) for area in areas}


def stand_together(
    alone: Iterable[Standing], verdicts: Mapping[str, Disagreement | None], waived: Collection[str] = ()
) -> list[Standing]:
    """The same cases with their areas' verdicts: votes that exceed a budget hold back all lines not sent yet."""
    return [_without_waived(_with(standing, verdicts.get(standing.area_id)), waived) for standing in alone]


def subject_of(case: StoredCase, disagreement: Disagreement) -> str:
    """The name of a disagreement on the attention list; void when anything it rests on changes."""
    return f"case:{case.id}:{disagreement.reason}:{disagreement.basis[:12]}"


def budget_lines_of(process: Process, lines: Iterable[Budget]) -> list[Budget]:
    """The lines of the process's own year: next year's budget pays for nothing in this one."""
    return [line for line in lines if line.fiscal_year == process.fiscal_year]


def budgets_that_count(lines: Iterable[Budget]) -> dict[str, Budget]:
    """The last line of each area; a change without a reason does not count (see `unexplained_budget_lines`)."""
    counting: dict[str, Budget] = {}
    for line in lines:
        if line.area_id not in counting or line.reason or _same_budget(counting[line.area_id], line):
            counting[line.area_id] = line
    return counting


def unexplained_budget_lines(lines: Iterable[Budget]) -> list[Budget]:
    """Lines that would change an area's budget and say no reason."""
    counting: dict[str, Budget] = {}
    unexplained: dict[str, Budget] = {}
    for line in lines:
        before = counting.get(line.area_id)
        if before is None or line.reason or _same_budget(before, line):
            counting[line.area_id] = line
            unexplained.pop(line.area_id, None)
        else:
            unexplained[line.area_id] = line
    return list(unexplained.values())


def decision_that_counts(lines: Sequence[Decision]) -> tuple[Decision | None, Disagreement | None]:
    """Of all lines about one case, in the order they became known, the one that counts.

    A later sheet adds; it changes an earlier line only with `Korrektur = ja` and a reason. Waiting list and deferral
    are no final results: a later assembly decides without a correction (Nachrücker).
    """
    counting: Decision | None = None
    trouble: Disagreement | None = None
    corrects = False  # True as long as the line that a correction changes is not known: its sheet is read later
    for line in lines:
        if counting is None or _moves_up(counting, line):
            corrects = counting is None and line.correction and bool(line.reason)
            counting = line
        elif line.correction and line.reason:
            counting, trouble = line, None
        elif _same_decision(counting, line):
            continue
        elif not line.correction and _moves_up(line, counting):
            continue  # the older sheet was read later: the waiting list before the Nachrücker
        elif corrects and _may_be_corrected(line, counting):
            corrects = False
        else:
            trouble = _unexplained(counting, line)
    if trouble is not None and trouble.reason is Reason.TWICE:
        return None, trouble
    return counting, trouble


def _unexplained(counting: Decision, line: Decision) -> Disagreement:
    if line.correction:
        return _because(Reason.NO_REASON, line, "ist eine Korrektur ohne Begründung")
    if _sheet(line) == _sheet(counting):
        return _because(Reason.TWICE, line, f"steht in derselben Liste schon in Zeile {counting.row}")
    return _because(Reason.UNEXPLAINED_CHANGE, line, "ändert eine frühere Zeile ohne „Korrektur = ja“")


def _stand(case: StoredCase, names: Mapping[str, str], budgets: Mapping[str, Budget]) -> Standing:
    decision, disagreement = decision_that_counts(case.decisions)
    area_id = _area(case, decision)
    found = [disagreement] if disagreement else []
    if decision is not None and disagreement is None:
        found += list(_contradictions(case, decision))
    return Standing(case, area_id, names.get(area_id, area_id), decision, budgets.get(area_id), tuple(found))


def _area(case: StoredCase, decision: Decision | None) -> str:
    if case.proposal is not None and case.proposal.area_id:
        return case.proposal.area_id
    if decision is not None:
        return decision.area_id
    return case.area_id


def _contradictions(case: StoredCase, decision: Decision) -> Iterator[Disagreement]:
    yield from _contradictions_in_the_sheet(decision)
    proposal = case.proposal
    if proposal is None:
        if not is_paper(case.reference) and decision.outcome is not Outcome.WITHDRAWN:
            text = "steht in der Liste, aber keine Plattform kennt diese Referenznummer"
            yield _because(Reason.UNKNOWN_REFERENCE, decision, text)
        return
    if proposal.area_id and proposal.area_id != decision.area_id:
        yield _because(Reason.AREA_DIFFERS, decision, "nennt eine andere Bezirksregion als die Plattform")
    yield from _contradictions_with_the_platform(proposal, decision)


def _contradictions_in_the_sheet(decision: Decision) -> Iterator[Disagreement]:
    if decision.outcome.grants and not decision.approved_amount:
        yield _because(Reason.NO_SUM, decision, "ist angenommen, aber ohne bewilligten Betrag")
    if decision.outcome.final and not decision.outcome.grants and decision.approved_amount:
        yield _because(Reason.SUM_WITHOUT_GRANT, decision, "nennt einen Betrag, aber kein Ergebnis, das ihn bewilligt")


def _contradictions_with_the_platform(proposal: Proposal, decision: Decision) -> Iterator[Disagreement]:
    grants, approved, asked = decision.outcome.grants, decision.approved_amount, proposal.requested_amount
    if proposal.status is ProposalStatus.GONE and grants:
        yield _because(Reason.GONE, decision, "ist auf der Plattform nicht mehr vorhanden", proposal.status)
    if proposal.status is ProposalStatus.ACCEPTED and decision.outcome.final and not grants:
        text = "ist laut Liste nicht angenommen, laut Plattform „wird umgesetzt“"
        yield _because(Reason.PLATFORM_CONTRADICTS, decision, text, proposal.status)
    if proposal.status is ProposalStatus.REJECTED and grants:
        text = "ist laut Liste angenommen, laut Plattform „wird nicht umgesetzt“"
        yield _because(Reason.PLATFORM_CONTRADICTS, decision, text, proposal.status)
    if grants and approved is not None and asked is not None and approved > asked:
        yield _because(Reason.MORE_THAN_ASKED, decision, "bewilligt mehr, als beantragt wurde", str(asked))


def _area_reason(area_id: str, names: Mapping[str, str], total: Decimal, budget: Budget | None) -> Disagreement | None:
    if not total:
        return None
    name = names.get(area_id, area_id)
    if area_id not in names:
        return Disagreement(Reason.AREA_UNKNOWN, "Der Fall gehört zu keiner Bezirksregion des Verfahrens", area_id)
    if budget is None:
        return Disagreement(Reason.NO_BUDGET, f"Für {name} gibt es kein Budget", area_id)
    if budget.status is not BudgetStatus.RELEASED:
        return Disagreement(Reason.NOT_RELEASED, f"Das Budget von {name} ist nicht freigegeben", area_id)
    if total > budget.amount:
        text = f"Die Beschlüsse in {name} übersteigen das Budget um {euros(total - budget.amount)}"
        return Disagreement(Reason.OVER_BUDGET, text, area_id)
    return None


def hangs_on_its_area(standing: Standing) -> bool:
    """Whether what other cases of its area grant can hold the case back."""
    return standing.grants and not _is_sent(standing.case)


def _with(standing: Standing, reason: Disagreement | None) -> Standing:
    if reason is None or not hangs_on_its_area(standing):
        return standing
    named = replace(reason, text=f"{standing.case.reference}: {reason.text}")
    return replace(standing, disagreements=(*standing.disagreements, named))


def _is_sent(case: StoredCase) -> bool:
    """Whether something of the case is on its way or done; what changes then is checked against the budget itself."""
    return any(
        message.state is not MessageState.REFUSED and not message.test and not booked(message.effect).informs
        for message in case.messages
    )


def _without_dismissed(standing: Standing, dismissed: Collection[str]) -> Standing:
    if any(subject_of(standing.case, one) in dismissed for one in standing.disagreements):
        return replace(standing, decision=None, disagreements=())
    return standing


def _without_waived(standing: Standing, waived: Collection[str]) -> Standing:
    kept = tuple(one for one in standing.disagreements if subject_of(standing.case, one) not in waived)
    return replace(standing, disagreements=kept)


def _because(reason: Reason, line: Decision, text: str, *more: str) -> Disagreement:
    basis = hashlib.sha256("\x1f".join((line.digest(), *more)).encode()).hexdigest()
    return Disagreement(reason, f"{line.reference_number} ({line.sheet}, Zeile {line.row}) {text}", basis)


def _sheet(line: Decision) -> str:
    return line.origin.partition(":")[0]


def _moves_up(before: Decision, line: Decision) -> bool:
    return not before.outcome.final and line.decided_on > before.decided_on


def _may_be_corrected(line: Decision, correction: Decision) -> bool:
    other_sheet = _sheet(line) != _sheet(correction)
    return other_sheet and not line.correction and line.decided_on <= correction.decided_on


def _same_decision(one: Decision, other: Decision) -> bool:
    """The same line in another sheet is a repetition, not a change."""
    same = (one.outcome, one.approved_amount, one.decided_on) == (
        other.outcome,
        other.approved_amount,
        other.decided_on,
    )
    return same and _sheet(one) != _sheet(other)


def _same_budget(one: Budget, other: Budget) -> bool:
    return (one.amount, one.status, one.chapter, one.title) == (
        other.amount,
        other.status,
        other.chapter,
        other.title,
    )
