"""Our sums against theirs, per area and year, and what of the money hangs: since when, and who must act. No person.

budget = free + bound + paid - refunded        checked per area, against what cases and orders add up to
ours   = theirs                                what is booked, paid and refunded, to the cent
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from kiezbruecke import german, plugins
from kiezbruecke.content.processes import process_files, read_process
from kiezbruecke.content.routes import Route, SendingRoute, route_places
from kiezbruecke.content.sets import is_off
from kiezbruecke.desk.names import Names
from kiezbruecke.desk.view import DeskView
from kiezbruecke.desk.words import OPERATIONS
from kiezbruecke.errors import ConfigurationError, InputError
from kiezbruecke.german import BERLIN
from kiezbruecke.house import House
from kiezbruecke.ledger import MessageState, money
from kiezbruecke.ledger import sums as asked
from kiezbruecke.ledger.states import IS_IT_THERE, UNSETTLED
from kiezbruecke.ledger.todo import Kind
from kiezbruecke.records import BudgetStatus, OrderState, Process

WHOLE, WHOLE_NAME = "", "Insgesamt"  # number and name of the line for all areas of a process together
STATUSES = {
    BudgetStatus.PLANNED: "geplant",
    BudgetStatus.RELEASED: "freigegeben",
    BudgetStatus.BLOCKED: "gesperrt",
    BudgetStatus.REVOKED: "widerrufen",
}
_UNMATCHED = {
    Kind.CLEARING: "passt zu keiner Nachricht",
    Kind.DIFFERENCE: "nennt einen anderen Betrag",
    Kind.CONTRADICTION: "widerspricht einer früheren",
}
_SOON = 1  # days until what only a machine waits for counts as hanging
_ANSWER_DAYS = 3  # where the route of a message is no longer there


class Difference(DeskView):
    """A sum that the other side has otherwise; euros."""

    what: str
    """`gebucht`, `bezahlt`, `zurückgezahlt`"""
    ours: Decimal
    theirs: Decimal

    @property
    def amount(self) -> Decimal:
        """Theirs less ours."""
        return self.theirs - self.ours


class AreaSums(DeskView):
    """An area's money in a year, or that of a whole process (`area` is empty then); all sums in euros."""

    process: str
    year: int
    area: str
    """Number of the Bezirksregion"""
    name: str
    status: str
    """German: geplant, freigegeben, gesperrt, widerrufen, kein Budget; empty for the whole"""
    budget: Decimal
    committed: Decimal
    """Held of the budget: bound and paid"""
    bound: Decimal
    """Held and not paid: booked, or asked for"""
    ordered: Decimal
    """By orders to pay that count and are released, paid ones among them"""
    paid: Decimal
    refunded: Decimal
    """Came back in the same year"""
    free: Decimal
    """Below zero where a budget was cut below what is bound"""
    ours: Decimal
    """Booked, by what the budget system has confirmed"""
    theirs: Decimal | None
    """Booked, by the budget system's own sums as it told them last; null where it has told none"""
    told_at: datetime | None
    """When it told them"""
    differences: tuple[Difference, ...]

    @property
    def equal(self) -> bool:
        """Whether both sides say the same."""
        return not self.differences

    def sentences(self) -> Iterator[str]:
        """Each difference in one German line."""
        for one in self.differences:
            yield (
                f"{self.name} {self.year}, {one.what}: {german.euros(one.ours)} bei uns, "
                f"{german.euros(one.theirs)} im HKR, Unterschied {german.euros(one.amount)}"
            )


class Hanging(DeskView):
    """Money of a case that is not at its end."""

    process: str
    case: str
    """Reference number"""
    area_name: str
    reference: str
    """Fremdkennzeichen of the message"""
    effect: str
    """German"""
    what: str
    """German: where it stands"""
    amount: Decimal
    since: datetime
    days: int
    """Whole days since then"""
    who: str
    """German: who must act"""
    late: bool
    """Whether it hangs longer than it should"""


class UnmatchedAnswer(DeskView):
    """An answer that fits nothing, and waits for a person."""

    process: str
    point: int
    """Number on the Zu-tun list, where all of it stands"""
    what: str
    """German"""
    case: str
    """Reference number; empty where it belongs to none"""
    since: datetime
    who: str
    late: bool
    """Whether it waits longer than it should"""


class ProcessCounts(DeskView):
    """How far the messages about money of a process have come."""

    process: str
    name: str
    sent: int
    confirmed: int
    open: int
    open_amount: Decimal
    """Euros of what is not confirmed"""


class Reconciliation(DeskView):
    """Both sides' sums, as of a moment."""

    at: datetime
    processes: tuple[ProcessCounts, ...]
    areas: tuple[AreaSums, ...]
    """By process, year and area; the last one of each process is the whole"""
    broken: tuple[str, ...]
    """German: where a budget is not what its cases add up to. Nothing may be sent on such sums"""
    hanging: tuple[Hanging, ...]
    """Oldest first"""
    more: bool = False
    """Whether more hangs than is listed; what is listed is the oldest"""
    unmatched: tuple[UnmatchedAnswer, ...]

    @property
    def differing(self) -> list[AreaSums]:
        """The areas whose sums differ."""
        return [one for one in self.areas if one.area and not one.equal]

    @property
    def late(self) -> list[Hanging]:
        """What hangs longer than it should."""
        return [one for one in self.hanging if one.late]

    @property
    def forgotten(self) -> list[UnmatchedAnswer]:
        """The answers that nobody has looked at in time."""
        return [one for one in self.unmatched if one.late]

    @property
    def is_sound(self) -> bool:
        """Whether no sum differs, none is broken, and nothing hangs longer than it should."""
        return not (self.broken or self.differing or self.late or self.forgotten)


@dataclass(frozen=True)
class _Side:
    """A process with what its routes say of it."""

    process: Process
    names: Mapping[str, str]
    """Of its areas"""
    routes: Mapping[str, Route]
    destinations: frozenset[str]
    """Of its orders about money"""
    called: Names

    @property
    def pays_through_them(self) -> bool:
        """Whether the budget system pays, so that its sums of payments are ours."""
        return self.process.payments is not None and self.process.payments.channel == "hkr"


def processes_in_use(content: Path) -> list[str]:
    """The ids of all processes whose files do not say `mode: off`."""
    return [file.stem for file in process_files(content) if not is_off(file)]


def reconciliation(house: House, processes: Sequence[str], at: datetime, *, most: int | None = None) -> Reconciliation:
    """The sums of these processes, else of all in use; as many statements as there are questions.

    `most`: of what hangs, only so many of the oldest; sums and counts are of all, whatever is listed.
    """
    sides = _sides(house.content)
    wanted = [_side(sides, one) for one in processes] if processes else list(sides.values())
    ids = [side.process.id for side in wanted]
    books = asked.books(house.ledger, sorted({*sides, *ids}))
    told = asked.told(house.ledger, sorted({side.process.fiscal_year for side in wanted}))
    effects = [one.name for one in plugins.effects().values() if one.hold or one.follow]
    tallies = asked.tallies(house.ledger, ids, effects)
    by_id = {side.process.id: side for side in wanted}
    still_open = asked.still_open(house.ledger, ids, effects, None if most is None else most + 1)
    moving = asked.on_their_way(house.ledger, ids, effects)
    routes = {route: side for side in wanted for route in side.routes}
    unmatched = asked.unmatched(house.ledger, sorted(routes))
    return Reconciliation(
        at=at,
        processes=tuple(_counts(side, tallies[side.process.id], *moving[side.process.id]) for side in wanted),
        areas=tuple(one for side in wanted for one in _areas(side, sides, books, told)),
        broken=tuple(text for side in wanted for text in _broken(side, books)),
        hanging=tuple(_hanging(by_id, still_open[:most], at)),
        more=most is not None and len(still_open) > most,
        unmatched=tuple(_unmatched(routes[one.route], one, at) for one in unmatched),
    )


def sums(house: House, process_id: str) -> list[AreaSums]:
    """The areas of one process alone, by their number; six statements."""
    sides = _sides(house.content)
    side = _side(sides, process_id)
    books, told = asked.books(house.ledger, list(sides)), asked.told(house.ledger, [side.process.fiscal_year])
    return [one for one in _areas(side, sides, books, told) if one.area]


def _sides(content: Path) -> dict[str, _Side]:
    """All processes in use. A route that cannot be read says so elsewhere; its sums are compared all the same."""
    routes: dict[str, dict[str, Route]] = {}
    for place in route_places(content):
        with suppress(ConfigurationError):
            route = place.read()
            routes.setdefault(route.process, {})[route.name] = route
    processes = [read_process(content, one) for one in processes_in_use(content)]
    called = Names(content)
    return {one.id: _side_of(one, routes.get(one.id, {}), called) for one in processes}


def _side(sides: Mapping[str, _Side], process_id: str) -> _Side:
    if process_id not in sides:
        what = "Dieses Verfahren gibt es nicht, oder es ist nur vorbereitet"
        raise InputError(what, where=process_id, expected=", ".join(sides))
    return sides[process_id]


def _side_of(process: Process, routes: Mapping[str, Route], called: Names) -> _Side:
    rules = {one.rule for one in plugins.effects().values() if one.rule and (one.hold or one.follow)}
    orders = [one for one in routes.values() if isinstance(one, SendingRoute) and one.due in rules]
    names = {area.id: area.name for area in process.areas}
    live = frozenset(one.destination for one in orders if one.environment == "live")
    return _Side(process, names, routes, live, called)


def _areas(
    side: _Side,
    sides: Mapping[str, _Side],
    books: Mapping[money.Area, asked.AreaBooks],
    told: Mapping[tuple[str, int, str], asked.TheirWord],
) -> Iterator[AreaSums]:
    """Every area that has a budget, holds money, or of which the other side says that it does; then the whole."""
    process, year = side.process.id, side.process.fiscal_year
    together = [one.process.id for one in sides.values() if one.destinations & side.destinations] or [process]
    answers: dict[str, list[asked.TheirWord]] = {area: [] for _, when, area in books if when == year}
    for (where, when, area), one in told.items():
        if where in side.destinations and when == year:
            answers.setdefault(area, []).append(one)
    asked_at = min((one.at for some in answers.values() for one in some), default=None)
    found = []
    for area, theirs in sorted(answers.items()):
        holders = [one for one in together if (one, year, area) in books]
        says = any((one.committed, one.paid, one.refunded) != (0, 0, 0) for one in theirs)
        if process in holders or (not holders and says and process == together[0]):
            others = [books[one, year, area] for one in holders if one != process]
            own = books.get((process, year, area), asked.AreaBooks())
            found.append(_area(side, area, own, others, theirs, asked_at))
    yield from found
    if found:
        yield _whole(process, year, found)


def _area(
    side: _Side,
    area: str,
    own: asked.AreaBooks,
    others: Sequence[asked.AreaBooks],
    theirs: Sequence[asked.TheirWord],
    asked_at: datetime | None,
) -> AreaSums:
    euros = money.euros
    return AreaSums(
        process=side.process.id,
        year=side.process.fiscal_year,
        area=area,
        name=side.names.get(area, area),
        status=STATUSES[BudgetStatus(own.status)] if own.status else "kein Budget",
        budget=euros(own.amount),
        committed=euros(own.committed),
        bound=euros(own.bound),
        ordered=euros(own.ordered),
        paid=euros(own.paid),
        refunded=euros(own.refunded),
        free=euros(own.free),
        ours=euros(own.booked),
        theirs=euros(sum(one.committed for one in theirs)) if asked_at else None,
        told_at=asked_at,
        differences=tuple(_differences(side, [own, *others], theirs)),
    )


def _differences(
    side: _Side, ours: Sequence[asked.AreaBooks], theirs: Sequence[asked.TheirWord]
) -> Iterator[Difference]:
    """Of all processes that book at the same place: their system knows one sum per area."""
    pairs = [("gebucht", sum(one.booked for one in ours), sum(one.committed for one in theirs))]
    if side.pays_through_them:
        pairs += [
            ("bezahlt", sum(one.paid for one in ours), sum(one.paid for one in theirs)),
            ("zurückgezahlt", sum(one.refunded for one in ours), sum(one.refunded for one in theirs)),
        ]
    for what, our, their in pairs:
        if our != their:
            yield Difference(what=what, ours=money.euros(our), theirs=money.euros(their))


def _whole(process: str, year: int, areas: Sequence[AreaSums]) -> AreaSums:
    """The sums of a process. Whether both sides agree is asked per area: two faults must not hide each other."""
    parts = ("budget", "committed", "bound", "ordered", "paid", "refunded", "free", "ours")
    known = [one.theirs for one in areas if one.theirs is not None]
    return AreaSums(
        process=process,
        year=year,
        area=WHOLE,
        name=WHOLE_NAME,
        status="",
        **{part: sum((getattr(one, part) for one in areas), Decimal()) for part in parts},
        theirs=sum(known, Decimal()) if known else None,
        told_at=min((one.told_at for one in areas if one.told_at), default=None),
        differences=(),
    )


def _broken(side: _Side, books: Mapping[money.Area, asked.AreaBooks]) -> Iterator[str]:
    """Each part of the identity against what cases and orders add up to, so that two faults do not hide each other."""
    for (process, year, area), own in books.items():
        if process != side.process.id:
            continue
        where = f"{side.names.get(area, area)} {year}"
        for what, by_budget, by_cases in (
            ("gebunden und bezahlt", own.committed, own.held),
            ("bezahlt", own.paid, own.moved_out),
            ("zurückgezahlt", own.refunded, own.moved_in),
            ("das Budget", own.amount, own.free + own.held - own.moved_in),
        ):
            if by_budget != by_cases:
                says, adds = german.euros(money.euros(by_budget)), german.euros(money.euros(by_cases))
                yield f"{where}, {what}: {says} laut Budget, {adds} laut Fällen und Anordnungen ({process})"


def _hanging(sides: Mapping[str, _Side], found: Sequence[asked.Open], at: datetime) -> Iterator[Hanging]:
    titles, today = {name: known.title for name, known in plugins.effects().items()}, _berlin(at)
    for one in found:
        side, since = sides[one.process_id], _berlin(one.since)
        what, who, until = _standing(side, one, since)
        yield Hanging(
            process=one.process_id,
            case=one.case_reference,
            area_name=side.names.get(one.area_id, one.area_id),
            reference=one.reference,
            effect=titles[one.effect],
            what=what,
            amount=money.euros(one.amount_cents),
            since=one.since,
            days=(today - since).days,
            who=who,
            late=today > until,
        )


def _standing(side: _Side, one: asked.Open, since: date) -> tuple[str, str, date]:
    """Where it stands, who must act, and the last day on which that is as it should be."""
    route = side.routes.get(one.route)
    answer = route.answer_within_days if isinstance(route, SendingRoute) else _ANSWER_DAYS
    if one.message_state in UNSETTLED:
        what, who, days = _on_its_way(side, one, answer)
        return what, who, since + timedelta(days=days)
    owner = side.called.owner(one.owner)
    due = max(one.due_on or since, since)
    if one.order_state is OrderState.BOUNCED:
        return "zurückgekommen, neue Bankverbindung nötig", owner, since + timedelta(days=answer)
    if one.effect.startswith("payment."):
        return "gebucht, nicht bezahlt", "Kasse", due + timedelta(days=answer)
    return f"Rückzahlung fällig am {german.day(one.due_on)}", "wer das Geld bekam", due


def _on_its_way(side: _Side, one: asked.Open, answer: int) -> tuple[str, str, int]:
    """The same of a message that is not settled: after so many days it hangs."""
    terms, owner = side.process.payments, side.called.owner(one.owner)
    match one.message_state:
        case MessageState.HELD if one.note == IS_IT_THERE:
            return "am Ziel nachsehen, ob es vorliegt", owner, _SOON
        case MessageState.HELD:
            what = "wartet auf Anordnung" if one.certified else "wartet auf Feststellung"
            roles = (terms.orderers if one.certified else terms.certifiers) if terms else ()
            return what, ", ".join(map(side.called.role, roles)) or owner, terms.release_days if terms else answer
        case MessageState.SENDING | MessageState.IN_DOUBT:
            return "ungewiss, ob es ankam", owner, _SOON
        case MessageState.DELIVERED:
            return "gesendet, ohne Antwort", system_of(one.effect), answer
    released = plugins.effects()[one.effect].must_be_released
    return f"{'freigegeben' if released else 'vorbereitet'}, nicht gesendet", OPERATIONS, _SOON


def _unmatched(side: _Side, one: asked.Unmatched, at: datetime) -> UnmatchedAnswer:
    return UnmatchedAnswer(
        process=side.process.id,
        point=one.number,
        what=_UNMATCHED[one.kind],
        case=one.case_reference,
        since=one.since,
        who=side.called.owner(one.owner),
        late=(_berlin(at) - _berlin(one.since)).days > _SOON,
    )


def _berlin(moment: datetime) -> date:
    """The day there."""
    return moment.astimezone(BERLIN).date()


def _counts(side: _Side, tally: asked.MoneyCount, many: int, cents: int) -> ProcessCounts:
    return ProcessCounts(
        process=side.process.id,
        name=side.process.name,
        sent=tally.sent,
        confirmed=tally.confirmed,
        open=many,
        open_amount=money.euros(cents),
    )


def system_of(effect: str) -> str:
    """Who confirms it, without its article."""
    known = plugins.effects()[effect]
    return str(known.partner).partition(" ")[2] or str(known.title)
