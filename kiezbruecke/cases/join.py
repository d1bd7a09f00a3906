"""Joins what platform and assembly say about one proposal, and says where a person must look.

    lines of decision sheets ──▶ the one that counts ─┐
    proposal of the platform ─────────────────────────┼─▶ Standing (+ disagreements)
    budget lines ──▶ the area's budget ───────────────┘

Everything here is derived anew in every run from records that never change: a disagreement heals by itself
when the missing proposal arrives or a corrected sheet comes.

What stands is lowered by no line that does not say why. A line that contradicts it is set aside with both places; what
was told of the decision before stays told until a person decides, and nothing new is sent meanwhile.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from kiezbruecke.german import BERLIN, day, euros
from kiezbruecke.ledger import MessageState
from kiezbruecke.ledger.effects import booked
from kiezbruecke.ledger.money import cents
from kiezbruecke.ledger.reading import Snapshot, StoredCase
from kiezbruecke.records import Budget, BudgetStatus, Decision, Outcome, Process, Proposal, ProposalStatus
from kiezbruecke.records.references import is_paper

ZERO = Decimal("0.00")


class Reason(StrEnum):
    """Why a case is set aside; the comment says what heals it."""

    UNKNOWN_REFERENCE = "unknown_reference"  # the proposal arrives, or a corrected sheet
    TWICE = "twice"  # a corrected sheet
    UNEXPLAINED_CHANGE = "unexplained_change"  # a sheet with Korrektur = ja and a reason
    OTHER_AREA = "other_area"  # the same, or a person throws the line away
    IMPOSSIBLE_DATE = "impossible_date"  # the same
    NO_REASON = "no_reason"  # the same
    NO_SUM = "no_sum"  # a corrected sheet
    SUM_WITHOUT_GRANT = "sum_without_grant"  # a corrected sheet
    MORE_THAN_ASKED = "more_than_asked"  # a person, or a corrected sheet
    PLATFORM_CONTRADICTS = "platform_contradicts"  # the platform's moderator, or a person
    GONE = "gone"  # a person
    AREA_DIFFERS = "area_differs"  # a corrected sheet
    AREA_MISSING = "area_missing"  # a person, a decision, or a point on the map
    ASSIGNED_DIFFERS = "assigned_differs"  # a person, or a corrected sheet
    AREA_UNKNOWN = "area_unknown"  # configuration of the module, or a point on the map
    NO_BUDGET = "no_budget"  # a budget sheet
    NOT_RELEASED = "not_released"  # a budget sheet
    OVER_BUDGET = "over_budget"  # a budget sheet, or corrected decisions

    @property
    def is_stray(self) -> bool:
        """Whether a line that is set aside for this would change what stands without saying why."""
        return self in (Reason.TWICE, Reason.UNEXPLAINED_CHANGE, Reason.OTHER_AREA, Reason.NO_REASON)


DISMISSIBLE = frozenset(
    {
        Reason.UNKNOWN_REFERENCE,
        Reason.TWICE,
        Reason.UNEXPLAINED_CHANGE,
        Reason.OTHER_AREA,
        Reason.NO_REASON,
        Reason.AREA_DIFFERS,
        Reason.ASSIGNED_DIFFERS,
        Reason.IMPOSSIBLE_DATE,
    }
)
WAIVABLE = frozenset({Reason.MORE_THAN_ASKED, Reason.PLATFORM_CONTRADICTS, Reason.GONE, Reason.ASSIGNED_DIFFERS})
_WANTED = frozenset(  # statuses of proposals that an assembly may still decide
    {
        ProposalStatus.SUBMITTED,
        ProposalStatus.UNDER_REVIEW,
        ProposalStatus.SHORTLISTED,
        ProposalStatus.ACCEPTED,
        ProposalStatus.WAITING_LIST,
    }
)


@dataclass(frozen=True)
class Disagreement:
    """One reason with its German sentence. `basis` changes when what it rests on changes."""

    reason: Reason
    text: str
    basis: str = ""
    line: str = ""  # origin of the line that it is about; empty where it is about the whole area


@dataclass(frozen=True)
class Standing:
    """Where a case stands: the decision that counts and what contradicts it."""

    case: StoredCase
    area_id: str
    area_name: str
    decision: Decision | None
    budget: Budget | None
    process: Process
    disagreements: tuple[Disagreement, ...] = ()
    told: bool = False  # something has gone out that says what this decision says
    dismissed: frozenset[str] = frozenset()  # origins of the lines that a person has thrown away

    @property
    def questioned(self) -> bool:
        """Whether nobody may be told the decision: it is contradicted, and was not told before."""
        return bool(self.disagreements) and not self.told

    @property
    def shaken(self) -> bool:
        """Whether the decision itself is in question, not only another line beside it."""
        return self.decision is None or any(one.line in ("", self.decision.origin) for one in self.disagreements)

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
    alone = stand_alone(process, snapshot.cases, budgets, waived, dismissed)
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO, besides)
    for standing in alone:
        sums[standing.area_id] += standing.amount
    return stand_together(alone, verdicts_of(process, sums, budgets), waived)


def stand_alone(
    process: Process,
    cases: Iterable[StoredCase],
    budgets: Mapping[str, Budget],
    waived: Collection[str] = (),
    dismissed: Collection[str] = (),
) -> list[Standing]:
    """Cases as they stand by themselves, without what the votes of their whole area mean for them."""
    names = {area.id: area.name for area in process.areas}
    return [_stand(process, case, names, budgets, waived, dismissed) for case in cases]


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


def impossible_day(process: Process, line: Decision, known: datetime) -> str:
    """Why an assembly cannot have met on the day that a line names, in German; empty where it can.

    `known`: when the line became known; nothing is decided later than that, in Berlin.
    """
    first, last = process.assembly_days
    last = min(last, known.astimezone(BERLIN).date())
    if first <= line.decided_on <= last:
        return ""
    expected = f"ein Tag vom {day(first)} bis zum {day(last)}" if first <= last else f"ein Tag ab dem {day(first)}"
    return f"nennt als Sitzung den {day(line.decided_on)}, das kann nicht sein; erwartet: {expected}"


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


@dataclass
class _Lines:
    """The lines about one case, read one after the other in the order they became known."""

    case: StoredCase
    faults: Callable[[Decision], Sequence[Disagreement]]
    names: Mapping[str, str]  # of the areas
    counting: Decision | None = None
    corrects: bool = False  # as long as the line that a correction changes is not known: its sheet is read later
    strays: list[tuple[Decision, Reason]] = field(default_factory=list)
    waiting: list[Disagreement] = field(default_factory=list)  # of lines that would count, did nothing speak against
    before: dict[str, Decision | None] = field(default_factory=dict)  # by sheet: what stood before it
    spoilt: dict[str, Decision] = field(default_factory=dict)  # sheets that say two things, with the first of them

    def read(self, line: Decision) -> None:
        """What a further line means for what stands."""
        counting, explained = self.counting, line.correction and bool(line.reason)
        first = self.spoilt.get(_sheet(line))
        if first is not None and (first.correction or not explained):
            self.strays.append((line, Reason.TWICE))
        elif counting is None:
            self._begin(line, explained=explained)
        elif _moves_up(counting, line):
            self._move_up(line)
        elif explained:
            self._correct(counting, line)
        elif is_repeated(counting, line) or (not line.correction and _moves_up(line, counting)):
            return  # a repetition, or the older sheet read later: the waiting list before the Nachrücker
        elif self.corrects and _may_be_corrected(line, counting):
            self.corrects = False
        else:
            self._contradict(counting, line)

    def _begin(self, line: Decision, *, explained: bool) -> None:
        self._count(line)
        self.corrects = explained and not self.strays
        if explained:
            self._settle(line)

    def _count(self, line: Decision) -> None:
        self.before.setdefault(_sheet(line), self.counting)
        self.counting, self.corrects = line, False

    def _settle(self, line: Decision) -> None:
        """A correction says what is right in its area; what another area has sent stays a question."""
        self.waiting.clear()
        self.strays = [(one, why) for one, why in self.strays if one.area_id != line.area_id]

    def _move_up(self, line: Decision) -> None:
        """What is left open stays so until the line that decides it is sound, and nothing else is in question."""
        self.waiting += self.faults(line)
        if not self.waiting and not self.strays:
            self._count(line)

    def _correct(self, counting: Decision, line: Decision) -> None:
        if counting.correction and _sheet(counting) == _sheet(line):
            self._contradict(counting, line)
        else:
            self._count(line)
            self._settle(line)

    def _contradict(self, counting: Decision, line: Decision) -> None:
        reason = _contradicts(counting, line)
        self.strays.append((line, reason))
        if reason is Reason.TWICE and not _told(self.case, counting, line):
            sheet = _sheet(line)  # nobody can say which of the two was meant
            self.counting, self.spoilt[sheet] = self.before[sheet], counting

    def disagreements(self) -> tuple[Disagreement, ...]:
        """What is set aside, each with both places."""
        return (*(self._set_aside(line, why) for line, why in self.strays), *self.waiting)

    def _set_aside(self, line: Decision, reason: Reason) -> Disagreement:
        counting = self.counting
        if reason is Reason.TWICE:
            first = self.spoilt.get(_sheet(line), counting) or line
            return _because(reason, line, f"steht in derselben Liste schon in Zeile {first.row}")
        stands = ""
        if counting is not None:
            word = "dagegen steht" if self.faults(counting) else "es gilt weiter"
            stands = f"; {word} {place_of(counting)}: {said_by(counting)}"
        return _because(reason, line, f"{self._why(line, reason)}{stands}")

    def _why(self, line: Decision, reason: Reason) -> str:
        if reason is Reason.NO_REASON:
            return "ist eine Korrektur ohne Begründung"
        if reason is Reason.OTHER_AREA:
            return f"kommt aus einer anderen Bezirksregion ({self.names.get(line.area_id, line.area_id)})"
        earlier = self.counting is not None and line.decided_on < self.counting.decided_on
        what = "nennt eine frühere Sitzung mit anderem Ergebnis" if earlier else "ändert eine frühere Zeile"
        return f"{what} ohne „Korrektur = ja“"


def decision_that_counts(
    case: StoredCase,
    faults: Callable[[Decision], Sequence[Disagreement]] = lambda _: (),
    names: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Decision | None, tuple[Disagreement, ...]]:
    """Of all lines about a case, in the order they became known, the one that counts, and what contradicts it.

    A later sheet adds; it changes an earlier line only with `Korrektur = ja` and a reason. Waiting list and deferral
    are no final results: a later assembly of the same area decides without a correction (Nachrücker), unless its line
    has `faults`.
    """
    lines = _Lines(case, faults, names)
    for line in case.decisions:
        lines.read(line)
    return lines.counting, lines.disagreements()


def _contradicts(counting: Decision, line: Decision) -> Reason:
    if line.correction and not line.reason:
        return Reason.NO_REASON
    if _sheet(line) == _sheet(counting):
        return Reason.TWICE
    return Reason.OTHER_AREA if line.area_id != counting.area_id else Reason.UNEXPLAINED_CHANGE


def place_of(line: Decision) -> str:
    """Where a line stands, for people."""
    return f"{line.sheet}, Zeile {line.row}"


def said_by(line: Decision) -> str:
    """What a line says: `angenommen, 850,00 €`."""
    amount = f", {euros(line.approved_amount)}" if line.approved_amount is not None else ""
    return f"{line.outcome.word}{amount}"


def _told(case: StoredCase, line: Decision, other: Decision | None) -> bool:
    """Whether something of the case says what this line says, and rests on it: a sum, or a word before `other` came."""
    told = [one for one in case.messages if not one.test and one.state is not MessageState.REFUSED]
    since = case.heard.get(line.origin)
    if line.outcome.grants:
        return any(one.amount_cents == cents(line.approved_amount or ZERO) for one in told)
    until = case.heard.get(other.origin) if other is not None else None
    return since is not None and any(since <= one.created_at and (not until or one.created_at < until) for one in told)


def _stand(
    process: Process,
    case: StoredCase,
    names: Mapping[str, str],
    budgets: Mapping[str, Budget],
    waived: Collection[str],
    dismissed: Collection[str],
) -> Standing:
    """The case by itself. Lines that a person has thrown away are none."""
    thrown_away = frozenset(line.origin for line in case.decisions if _is_dismissed(case, line, dismissed))
    left = replace(case, decisions=tuple(line for line in case.decisions if line.origin not in thrown_away))

    def faults(line: Decision) -> list[Disagreement]:
        found = _contradictions(process, case, line)
        return [one for one in found if subject_of(case, one) not in waived]

    decision, disagreements = decision_that_counts(left, faults, names)
    area_id = _area(case, decision, names)
    own = tuple(_contradictions(process, case, decision)) if decision is not None else ()
    told = decision is not None and _told(case, decision, _first(case, disagreements))
    if decision is not None and not decision.outcome.grants and faults(decision):
        told = False  # what is in question by itself was never told as what it says
    budget, found = budgets.get(area_id), (*own, *disagreements)
    name = names.get(area_id, area_id)
    return Standing(case, area_id, name, decision, budget, process, found, told, thrown_away)


def _is_dismissed(case: StoredCase, line: Decision, dismissed: Collection[str]) -> bool:
    """What is thrown away is the line, whatever the reason was: these reasons rest on nothing else."""
    if not dismissed:
        return False
    basis = _basis(line)
    return any(subject_of(case, Disagreement(reason, "", basis)) in dismissed for reason in DISMISSIBLE)


def _first(case: StoredCase, disagreements: Iterable[Disagreement]) -> Decision | None:
    """The line that spoke against the decision first."""
    about = {one.line for one in disagreements}
    return next((line for line in case.decisions if line.origin in about), None)


def _area(case: StoredCase, decision: Decision | None, names: Mapping[str, str]) -> str:
    """What the platform says, else the decision, else a person; a person's word for an area that is gone is none."""
    if case.proposal is not None and case.proposal.area_id:
        return case.proposal.area_id
    if decision is not None:
        return decision.area_id
    return case.area_id or (case.assigned if case.assigned in names else "")


def without_area(process: Process, standing: Standing) -> Disagreement | None:
    """Why nobody knows on whose list a proposal belongs that an assembly may decide, if so."""
    proposal = standing.proposal
    if standing.area_id or standing.case.decisions or proposal is None or not process.areas:
        return None
    if proposal.archived or proposal.status not in _WANTED:
        return None
    place = "nennt keinen Ort" if proposal.point is None else "liegt in keiner Bezirksregion oder auf einer Grenze"
    text = f"{standing.case.reference}: Bezirksregion fehlt. Der Vorschlag {place}. Was hilft: zuordnen mit --area"
    return Disagreement(Reason.AREA_MISSING, text, hashlib.sha256(repr(proposal.point).encode()).hexdigest())


def _contradictions(process: Process, case: StoredCase, decision: Decision) -> Iterator[Disagreement]:
    yield from _contradictions_in_the_sheet(decision)
    if (known := case.heard.get(decision.origin)) and (why := impossible_day(process, decision, known)):
        yield _because(Reason.IMPOSSIBLE_DATE, decision, why)
    proposal = case.proposal
    if proposal is None:
        if not is_paper(case.reference) and decision.outcome is not Outcome.WITHDRAWN:
            text = "steht in der Liste, aber keine Plattform kennt diese Referenznummer"
            yield _because(Reason.UNKNOWN_REFERENCE, decision, text)
        return
    if proposal.area_id and proposal.area_id != decision.area_id:
        names = {area.id: area.name for area in process.areas}
        ours, theirs = (names.get(one, one) for one in (decision.area_id, proposal.area_id))
        text = f"nennt eine andere Bezirksregion ({ours}) als die Plattform ({theirs})"
        yield _because(Reason.AREA_DIFFERS, decision, text)
    yield from _contradictions_with_a_person(process, case, decision)
    yield from _contradictions_with_the_platform(proposal, decision)


def _contradictions_with_a_person(process: Process, case: StoredCase, decision: Decision) -> Iterator[Disagreement]:
    """Whoever said where a proposal belongs before it was decided; the platform has not said it."""
    names = {area.id: area.name for area in process.areas}
    if case.assigned not in names or case.assigned == decision.area_id or (case.proposal and case.proposal.area_id):
        return
    ours, theirs = names.get(decision.area_id, decision.area_id), names[case.assigned]
    text = f"nennt eine andere Bezirksregion ({ours}) als die, der er zugeordnet wurde ({theirs})"
    yield _because(Reason.ASSIGNED_DIFFERS, decision, text, case.assigned)


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
        text = f"bewilligt {euros(approved)}, beantragt waren {euros(asked)}"
        yield _because(Reason.MORE_THAN_ASKED, decision, text, str(asked))


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


def _without_waived(standing: Standing, waived: Collection[str]) -> Standing:
    kept = tuple(one for one in standing.disagreements if subject_of(standing.case, one) not in waived)
    return replace(standing, disagreements=kept)


def _because(reason: Reason, line: Decision, text: str, *more: str) -> Disagreement:
    return Disagreement(reason, f"{line.reference_number} ({place_of(line)}) {text}", _basis(line, *more), line.origin)


def _basis(line: Decision, *more: str) -> str:
    return hashlib.sha256("\x1f".join((line.digest(), *more)).encode()).hexdigest()


def _sheet(line: Decision) -> str:
    return line.origin.partition(":")[0]


def _moves_up(before: Decision, line: Decision) -> bool:
    same_area = before.area_id == line.area_id
    return same_area and not before.outcome.final and line.decided_on > before.decided_on


def _may_be_corrected(line: Decision, correction: Decision) -> bool:
    other_sheet = _sheet(line) != _sheet(correction)
    return other_sheet and not line.correction and line.decided_on <= correction.decided_on


def is_repeated(one: Decision, other: Decision) -> bool:
    """The same line in another sheet is a repetition, not a change."""
    same = (one.outcome, one.approved_amount, one.decided_on, one.area_id) == (
        other.outcome,
        other.approved_amount,
        other.decided_on,
        other.area_id,
    )
    return same and _sheet(one) != _sheet(other)


def _same_budget(one: Budget, other: Budget) -> bool:
    return (one.amount, one.status, one.chapter, one.title) == (
        other.amount,
        other.status,
        other.chapter,
        other.title,
    )
