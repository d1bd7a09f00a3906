"""What a district reports of a process: how many, how much, how long from the idea to the answer, what still waits.

Counted per Bezirksregion from what the ledger holds; nothing here is stored, and no person is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from statistics import median
from uuid import UUID

from kiezbruecke import plugins
from kiezbruecke.attention import read_standings
from kiezbruecke.cases.join import ZERO, Standing
from kiezbruecke.cases.timeline import GRANTING, status_of
from kiezbruecke.content.processes import read_process
from kiezbruecke.desk.sums import WHOLE, WHOLE_NAME, system_of
from kiezbruecke.desk.view import DeskView
from kiezbruecke.effects import Effect
from kiezbruecke.german import BERLIN
from kiezbruecke.house import House
from kiezbruecke.ledger import MessageState, money
from kiezbruecke.ledger.reading import MessageHead, confirmations
from kiezbruecke.ledger.states import UNSETTLED, WITHDRAWN
from kiezbruecke.records.views import CaseState

_REFUSED = (CaseState.REJECTED, CaseState.NOT_ELIGIBLE)
_UNDECIDED = (CaseState.SUBMITTED, CaseState.UNDER_REVIEW, CaseState.SHORTLISTED, CaseState.UNDECIDED)


class Duration(DeskView):
    """How long a part of the way took, in whole days from day to day (Berlin)."""

    name: str
    """`Idee bis Beschluss`, `Beschluss bis Bestätigung (HKR)` …"""
    cases: int
    """How many have come to its end"""
    median: float | None
    """Half of the cases took at most so long"""
    longest: int | None


class AreaEvaluation(DeskView):
    """An area's year, or that of all (`area` is empty then); sums in euros."""

    area: str
    """Number of the Bezirksregion"""
    name: str
    cases: int
    undecided: int
    granted: int
    refused: int
    elsewhere: int
    """Waiting list, postponed, handed over, withdrawn, gone"""
    questioned: int
    """Decided, but something contradicts"""
    corrected: int
    """Of whose decision lines one corrects another"""
    budget: Decimal
    asked: Decimal
    """What the platform's proposals ask for, where they name a sum"""
    granted_sum: Decimal
    committed: Decimal
    """Booked, by what the budget system has confirmed"""
    free: Decimal
    """Budget less what is bound"""
    durations: tuple[Duration, ...]


class WaitingCase(DeskView):
    """A case for which money was voted and whose way is not at its end, or that waits for a person."""

    reference: str
    """Reference number"""
    area_name: str
    state: str
    """In German, as on the status list"""
    what: str
    """The effect that is not confirmed, in German; or that somebody must look at it"""
    since: date
    """Day of its last step; of the decision where nothing was written yet"""


class Evaluation(DeskView):
    """A process, evaluated."""

    process: str
    name: str
    at: datetime
    areas: tuple[AreaEvaluation, ...]
    """By number; the last one is the whole"""
    waiting: tuple[WaitingCase, ...]


@dataclass(frozen=True)
class _Way:
    """A part of the way and how many days a case needed for it; None where it has not come to its end."""

    name: str
    days: Callable[[Standing], int | None]


@dataclass(frozen=True)
class _Money:
    budget: Decimal = ZERO
    committed: Decimal = ZERO
    free: Decimal = ZERO


def evaluate(house: House, process_id: str, at: datetime) -> Evaluation:
    """The evaluation as of now. It reads the whole process, in as many statements as there are kinds of rows."""
    process = read_process(house.content, process_id)
    standings = read_standings(house.ledger, process)
    ways = _ways(standings, confirmations(house.ledger, process_id))
    sums = {
        one.area_id: _Money(*map(money.euros, (one.amount, one.booked, one.amount - one.committed)))
        for one in money.balances(house.ledger, process_id)
    }
    names = {area.id: area.name for area in process.areas}
    known = sorted({*sums, *(one.area_id for one in standings)})
    areas = [
        _area(area, names.get(area, area), [one for one in standings if one.area_id == area], sums.get(area), ways)
        for area in known
    ]
    everything = _Money(*(sum((getattr(one, part) for one in sums.values()), ZERO) for part in _Money.__annotations__))
    areas.append(_area(WHOLE, WHOLE_NAME, standings, everything, ways))
    return Evaluation(
        process=process.id, name=process.name, at=at, areas=tuple(areas), waiting=tuple(_waiting(standings))
    )


def _area(
    area: str, name: str, standings: Sequence[Standing], sums: _Money | None, ways: Sequence[_Way]
) -> AreaEvaluation:
    states = Counter(status_of(one).key for one in standings)
    sums = sums or _Money()
    some = {
        "undecided": sum(states[one] for one in _UNDECIDED),
        "granted": sum(states[one] for one in GRANTING),
        "refused": sum(states[one] for one in _REFUSED),
        "questioned": states[CaseState.QUESTIONED],
    }
    return AreaEvaluation(
        area=area,
        name=name or "ohne Bezirksregion",
        cases=len(standings),
        elsewhere=len(standings) - sum(some.values()),
        **some,
        corrected=sum(any(line.correction for line in one.case.decisions) for one in standings),
        budget=sums.budget,
        asked=sum((one.proposal.requested_amount or ZERO for one in standings if one.proposal), ZERO),
        granted_sum=sum((one.amount for one in standings if status_of(one).key in GRANTING), ZERO),
        committed=sums.committed,
        free=sums.free,
        durations=tuple(_duration(way, standings) for way in ways),
    )


def _duration(way: _Way, standings: Iterable[Standing]) -> Duration:
    days = [found for one in standings if (found := way.days(one)) is not None]
    middle = float(median(days)) if days else None
    return Duration(name=way.name, cases=len(days), median=middle, longest=max(days, default=None))


def _ways(standings: Sequence[Standing], confirmed: Mapping[UUID, datetime]) -> list[_Way]:
    """From the idea to the vote, and from there to the first confirmed message of every effect that was sent."""
    sent = {message.effect for one in standings for message in one.case.messages}
    begun = [one for one in plugins.effects().values() if one.name in sent and one.rule and not one.in_list]
    return [
        _Way("Idee bis Beschluss", _to_the_vote),
        *(_Way(f"Beschluss bis Bestätigung ({system_of(one.name)})", _to_its_end(one, confirmed)) for one in begun),
    ]


def _to_the_vote(standing: Standing) -> int | None:
    written = standing.proposal and standing.proposal.created_at
    return (standing.decision.decided_on - _day(written)).days if standing.decision and written else None


def _to_its_end(effect: Effect, confirmed: Mapping[UUID, datetime]) -> Callable[[Standing], int | None]:
    def days(standing: Standing) -> int | None:
        ends = [
            confirmed[message.key]
            for message in standing.case.messages
            if message.effect == effect.name and not message.test and message.key in confirmed
        ]
        if standing.decision is None or not ends:
            return None
        return (_day(min(ends)) - standing.decision.decided_on).days

    return days


def _waiting(standings: Iterable[Standing]) -> Iterator[WaitingCase]:
    """Of every case for which money was voted, what is missing and since when."""
    for one in standings:
        for what, since in _missing(one):
            reference, state = one.case.reference, status_of(one).state
            yield WaitingCase(reference=reference, area_name=one.area_name, state=state, what=what, since=since)


def _missing(standing: Standing) -> Iterator[tuple[str, date]]:
    """A message that is not at its end, or refused last; nothing written yet; a person who must look at it first."""
    decision = standing.decision
    if decision is None or not (standing.grants or decision.outcome.grants):
        return
    if standing.questioned:
        yield "in Klärung, der Grund steht auf der Zu-tun-Liste", decision.decided_on
        return
    open_ones = list(_open(standing.case.messages))
    yield from ((_title(message), _day(message.updated_at)) for message in open_ones)
    if not standing.case.messages and not standing.case.baselines:
        yield "noch nichts vorbereitet", decision.decided_on


def _open(messages: Iterable[MessageHead]) -> Iterator[MessageHead]:
    last: dict[tuple[str, str], MessageHead] = {}
    for message in messages:
        if not message.test:
            last[message.destination, message.family] = message
    for message in last.values():
        refused = message.state is MessageState.REFUSED and message.note != WITHDRAWN
        if message.state in UNSETTLED or refused:
            yield message


def _title(message: MessageHead) -> str:
    known = plugins.effects().get(message.effect)
    return str(known.title) if known else message.effect


def _day(moment: datetime) -> date:
    return moment.astimezone(BERLIN).date()
