"""A sheet before it counts: what was understood, what would follow, what is wrong – and then handing it over.

    bytes ─▶ the source's own reading ─▶ the route's own mappings ─▶ joined with all that is known ─▶ words per line

The same functions as in a run, on the same words, and nothing is stored: the run that would write has no fence. What is
handed over is put where the source finds it; a run of the route takes it from there, as it takes what was dropped.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from kiezbruecke import attention
from kiezbruecke.cases.join import (
    ZERO,
    Standing,
    budget_lines_of,
    budgets_that_count,
    said_by,
    stand_alone,
    stand_together,
    verdicts_of,
)
from kiezbruecke.connector import Handled, SheetLine, SheetLook, TakesSheets, source_offers
from kiezbruecke.content.processes import read_process
from kiezbruecke.content.routes import CollectingRoute, find_route, route_places
from kiezbruecke.effects.outlook import (
    Way,
    what_follows,
    what_follows_for_budgets,
    what_follows_for_money,
    what_helps,
    what_helps_for_money,
    what_moves,
)
from kiezbruecke.errors import ConfigurationError, InputError
from kiezbruecke.fitting import refuse_unfit_party
from kiezbruecke.german import day, euros
from kiezbruecke.house import House
from kiezbruecke.ledger import Run, history
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.accounts import with_marks
from kiezbruecke.ledger.areas import read_sums
from kiezbruecke.ledger.handed import HandedOver, who_handed_over, write_down
from kiezbruecke.ledger.history import Taken
from kiezbruecke.ledger.people import Person, signed
from kiezbruecke.ledger.reading import StoredCase, read_budget_lines, read_cases
from kiezbruecke.ledger.sets import slices
from kiezbruecke.records import Application, Budget, Decision, Process, Proposal, Record, Settlement
from kiezbruecke.records.identity import case_id, case_key
from kiezbruecke.stages import collecting
from kiezbruecke.stages.telling import live_routes, ways_of
from kiezbruecke.stages.work import Collecting, lane_of

MOST_BYTES = 10 * 1024 * 1024  # of a file that is handed over; a folder may take more
_SHOWN = 50  # sheets that lie at a source
OfCase = Decision | Application | Settlement
Line = TypeVar("Line", bound=Decision | Application | Settlement)


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class LineOutlook(_View):
    """One line of a sheet, looked at before it counts. No names of people, no account data."""

    row: int
    """As a clerk sees it, header = 1"""
    reference: str
    outcome: str
    """What would become of it, in the report's words"""
    understood: str
    """What the line says, in one German sentence; empty where it cannot be read"""
    title: str
    """Of the case, as the platform knows it, else the sheet"""
    follows: str
    """What would follow from it, in the report's words; empty where it would not be taken"""
    wrong: str
    """What keeps it out, or a hint about what was understood without being written"""
    helps: str
    """How to mend what keeps it back"""
    sound: bool
    """Whether it would be taken, and nothing waits for somebody"""


class AreaOutlook(_View):
    """What a sheet means for an area's budget, in euros; `free` is negative where the decisions exceed it."""

    area: str
    budget: Decimal | None
    granted_before: Decimal
    granted: Decimal
    free: Decimal | None


class SheetOutlook(_View):
    """A whole sheet, looked at before it counts."""

    route: str
    file: str
    """The name under which it would lie in the folder"""
    look: str
    """SHA-256 of the bytes: whoever hands the sheet over says what was looked at"""
    problem: str
    """Why the file cannot be used at all; empty where it can"""
    twin: str
    """The name under which the same content lies there already"""
    notes: tuple[str, ...]
    lines: tuple[LineOutlook, ...]
    areas: tuple[AreaOutlook, ...]

    @property
    def can_be_taken(self) -> bool:
        """Whether at least one line would be taken, and the same content is not there."""
        return not self.problem and not self.twin and any(line.understood for line in self.lines)


class HandedIn(_View):
    """What became of a sheet that was handed over."""

    route: str
    file: str
    look: str
    stored: bool
    """False where the same content lay there already: then nothing has happened"""


class SheetRoute(_View):
    """A route that takes sheets."""

    route: str
    title: str
    process: str


class SheetThere(_View):
    """A sheet that lies at a route's source."""

    file: str
    place: str
    """`done`, `failed`, or empty while it waits to be read"""
    at: datetime
    look: str
    has_report: bool
    handed_by: str
    """Who handed it over; empty where somebody dropped it into the folder"""
    handed_account: str


def look_ahead(house: House, route: str, name: str, body: bytes) -> SheetOutlook:
    """What would follow if this file were handed over to this route now; nothing is stored. Raises InputError."""
    _refuse_too_big(body, name)
    with _opened(house, route) as (work, source):
        return _look(work, source.look(name, body))


def hand_over(house: House, route: str, name: str, body: bytes, *, look: str, person: Person) -> HandedIn:
    """Put exactly the bytes that were looked at where the route's source finds them; twice is once. Raises InputError.

    `look`: the SHA-256 that the person was shown. Who it was is written down before the file is there. Starting the
    route is the caller's.
    """
    digest = hashlib.sha256(body).hexdigest()
    _refuse_too_big(body, name)
    if digest != look:
        raise InputError(
            "Das ist nicht die Datei, die angesehen wurde; es ist nichts geschehen",
            where=name,
            expected="dieselbe Datei, oder sie noch einmal ansehen",
        )
    by = signed(person, "nach Ansicht übernommen", name)
    with _opened(house, route) as (work, source):
        found = source.look(name, body)
        if found.twin:
            return HandedIn(route=route, file=found.twin, look=digest, stored=False)
        if found.problem or all(taken.problem is not None for _, taken in _read(work, found)):
            raise InputError(
                "Aus dieser Datei kann keine Zeile übernommen werden; es ist nichts geschehen",
                where=found.name,
                expected="mindestens eine Zeile, die gelesen werden kann",
            )
        write_down(work.ledger, work.party.id, route, digest, by.person)
        file, stored = source.put(name, body)
    return HandedIn(route=route, file=file, look=digest, stored=stored)


def sheet_routes(house: House) -> list[SheetRoute]:
    """The routes that take sheets, by name; what is broken or has no connection is told elsewhere."""
    found = []
    for place in route_places(house.content):
        with suppress(ConfigurationError):
            route = place.read()
            if isinstance(route, CollectingRoute) and source_offers(house.connect(route.collect), TakesSheets):
                found.append(SheetRoute(route=route.name, title=route.title or route.name, process=route.process))
    return found


def sheets_there(house: House, route: str, at_most: int = _SHOWN) -> list[SheetThere]:
    """The sheets that lie at a route's source, the newest first, with who handed them over."""
    with _opened(house, route) as (work, source):
        kept = source.kept(at_most)
        people = who_handed_over(work.ledger, work.party.id, (one.digest for one in kept))
    nobody: HandedOver | None = None
    return [
        SheetThere(
            file=one.name,
            place=one.place,
            at=one.at,
            look=one.digest,
            has_report=one.has_report,
            handed_by=found.person.name if (found := people.get(one.digest, nobody)) else "",
            handed_account=found.person.account if found else "",
        )
        for one in kept
    ]


def sheet_report(house: House, route: str, look: str) -> tuple[str, bytes]:
    """Name and bytes (CSV) of the report beside the handled sheet with this SHA-256. Raises InputError."""
    with _opened(house, route) as (_, source):
        sheet = next((one for one in source.kept(10 * _SHOWN) if one.digest == look and one.has_report), None)
        report = source.report(sheet) if sheet else None
    if sheet is None or report is None:
        raise InputError("Zu dieser Liste gibt es keinen Bericht", where=route)
    return f"{sheet.name}.bericht.csv", report


def _refuse_too_big(body: bytes, name: str) -> None:
    if len(body) > MOST_BYTES:
        raise InputError(
            f"Die Datei ist zu groß; höchstens {MOST_BYTES // 1024**2} MB. Es ist nichts geschehen", where=name
        )


@contextmanager
def _opened(house: House, name: str) -> Iterator[tuple[Collecting, TakesSheets]]:
    """A route that reads sheets, in hand, with a run that may write nothing: no fence is 0."""
    route = find_route(house.content, name)
    if not isinstance(route, CollectingRoute):
        raise InputError("Diese Strecke liest keine Listen, sie sendet", where=name)
    party = house.connect(route.collect)
    refuse_unfit_party(route, party)
    process = read_process(house.content, route.process)
    nobody = Run(0, lane_of(route), 0, route.name)
    with closing(Collecting(house.content, route, process, house.ledger, party, nobody, everything=True)) as work:
        if not isinstance(work.source, TakesSheets):
            raise InputError("Diese Strecke liest keine Listen", where=name)
        yield work, work.source


def _look(work: Collecting, found: SheetLook) -> SheetOutlook:
    read = _read(work, found)
    records = [record for _, taken in read if taken.problem is None for record in taken.records]
    outlook = _join(work, records)
    lines = tuple(_line(outlook, line, taken) for line, taken in read)
    return SheetOutlook(
        route=work.route.name,
        file=found.name,
        look=found.digest,
        problem=found.problem,
        twin=found.twin,
        notes=tuple(found.notes),
        lines=lines,
        areas=tuple(outlook.areas()),
    )


def _read(work: Collecting, found: SheetLook) -> list[tuple[SheetLine, Taken]]:
    """The lines as the report would tell them, with what the mappings make of them."""
    read = collecting.read(work, list(found.items))
    marked = with_marks(work.ledger.vault, [one.records for one in read])
    taken = [replace(one, records=records) for one, records in zip(read, marked, strict=True)]
    ids = [item.external_id for item in found.items]
    known = history.known_inputs(work.ledger, work.route.collect, work.process.id, ids)
    handled = [Handled(one.item, one.problem, known=one.item.external_id in known) for one in taken]
    return list(zip(found.lines(handled), taken, strict=True))


@dataclass
class _Outlook:
    """How everything would stand: the cases of the sheet's lines, and what their areas would have granted."""

    process: Process
    standings: Mapping[UUID, Standing]
    ways: Sequence[Way]
    budgets: Mapping[str, Budget]
    before: Mapping[str, Decimal]  # granted by area, without the sheet
    after: Mapping[str, Decimal]
    case_before: Mapping[UUID, Decimal]
    of_budgets: Mapping[str, str]  # what follows from budget lines, by origin
    left: dict[str, Decimal] = field(default_factory=dict)  # what is free after the lines told so far, by area

    def areas(self) -> Iterator[AreaOutlook]:
        """The areas that the sheet is about."""
        names = {area.id: area.name for area in self.process.areas}
        own = {standing.area_id for standing in self.standings.values()}
        changed = {area for area in self.after if self.after[area] != self.before.get(area, ZERO)}
        for area in sorted((own | changed) & names.keys(), key=lambda one: names[one]):
            budget = self.budgets.get(area)
            granted = self.after.get(area, ZERO)
            yield AreaOutlook(
                area=names[area],
                budget=budget.amount if budget else None,
                granted_before=self.before.get(area, ZERO),
                granted=granted,
                free=budget.amount - granted if budget else None,
            )

    def money(self, standing: Standing) -> str:
        """`850,00 € werden festgelegt; frei bleiben 1.750,00 €`, after this line and those above it."""
        moves = what_moves(standing, [way for way in self.ways if not way.effect.must_be_released])
        budget = self.budgets.get(standing.area_id)
        if not moves or budget is None:
            return moves
        area, more = standing.area_id, standing.amount - self.case_before.get(standing.case.id, ZERO)
        free = self.left.get(area, budget.amount - self.before.get(area, ZERO)) - more
        self.left[area] = free
        return f"{moves}; frei bleiben {euros(free)}"


def _join(work: Collecting, records: Iterable[Record]) -> _Outlook:
    """Everything as it would stand with these records: cases, budgets, and what their areas have granted."""
    records = list(records)
    process, ledger = work.process, work.ledger
    wanted = {_case_of(one) for one in records if isinstance(one, OfCase)}
    with ledger.read() as connection:
        stored = [case for ids in slices(sorted(wanted)) for case in read_cases(connection, t.cases.c.id.in_(ids))]
        known_lines = read_budget_lines(connection, process.id)
        counted, uncounted = read_sums(connection, process.id)
        others = [
            case
            for ids in slices([one for one in uncounted if one not in wanted])
            for case in read_cases(connection, t.cases.c.id.in_(ids))
        ]
    lines = _with_new(known_lines, [one for one in records if isinstance(one, Budget)])
    budgets = budgets_that_count(budget_lines_of(process, lines))
    cases = _with_lines(process, stored, [one for one in records if isinstance(one, OfCase)], work.at)
    answers = attention.read_answers(ledger, [case.id for case in (*cases, *others)])
    said = (answers.waived, answers.dismissed)
    alone = stand_alone(process, cases, budgets, *said)
    as_known = stand_alone(process, stored, budgets, *said)
    before: dict[str, Decimal] = defaultdict(lambda: ZERO, counted)
    late = set(uncounted)
    for one in (*stand_alone(process, others, budgets, *said), *(one for one in as_known if one.case.id in late)):
        before[one.area_id] += one.amount
    after = defaultdict(lambda: ZERO, before)
    for sign, some in ((-1, as_known), (1, alone)):
        for one in some:
            after[one.area_id] += sign * one.amount
    standings = stand_together(alone, verdicts_of(process, after, budgets), answers.waived)
    return _Outlook(
        process,
        {one.case.id: one for one in standings},
        ways_of(work, live_routes(work.content, process.id), standings),
        budgets,
        before,
        after,
        {one.case.id: one.amount for one in as_known},
        what_follows_for_budgets(process, lines),
    )


def _with_new(known: Sequence[Budget], lines: Iterable[Budget]) -> list[Budget]:
    there = {one.origin for one in known}
    return [*known, *(one for one in lines if one.origin not in there)]


def _with_lines(
    process: Process, stored: Iterable[StoredCase], lines: Iterable[OfCase], at: datetime
) -> list[StoredCase]:
    """The cases with what the lines say of them, each as it would be known from now on; new ones are opened."""
    cases = {case.id: case for case in stored}
    for line in lines:
        name = case_key(line)
        identity = case_id(*name)
        case = cases.get(identity) or StoredCase(identity, process.id, name[1], name[2])
        cases[identity] = _with_line(case, line, at)
    return list(cases.values())


def _with_line(case: StoredCase, line: OfCase, at: datetime) -> StoredCase:
    match line:
        case Decision():
            heard = {line.origin: at, **case.heard}
            return replace(case, decisions=_and(case.decisions, line), heard=heard)
        case Application():
            return replace(case, applications=_and(case.applications, line))
        case Settlement():
            return replace(case, settlements=_and(case.settlements, line))


def _and(known: tuple[Line, ...], line: Line) -> tuple[Line, ...]:
    return known if any(one.origin == line.origin for one in known) else (*known, line)


def _case_of(record: OfCase) -> UUID:
    return case_id(*case_key(record))


def _line(outlook: _Outlook, line: SheetLine, taken: Taken) -> LineOutlook:
    if taken.problem is not None:
        return LineOutlook(
            row=line.row,
            reference=line.reference,
            outcome=line.outcome,
            understood="",
            title="",
            follows="",
            wrong=line.hint,
            helps="",
            sound=False,
        )
    told = [_told(outlook, record) for record in taken.records]
    one = next((one for one in told if one is not None), _Told())
    return LineOutlook(
        row=line.row,
        reference=line.reference,
        outcome=line.outcome,
        understood=one.understood,
        title=one.title,
        follows=one.follows,
        wrong=line.hint,
        helps=one.helps,
        sound=not one.waits,
    )


@dataclass(frozen=True)
class _Told:
    """What is said of one record."""

    understood: str = ""
    title: str = ""
    follows: str = ""
    helps: str = ""

    @property
    def waits(self) -> bool:
        return bool(self.helps) or self.follows.startswith(("wartet", "gilt nicht:", "von Hand"))


def _told(outlook: _Outlook, record: Record) -> _Told | None:
    areas = {area.id: area.name for area in outlook.process.areas}
    match record:
        case Decision():
            standing = outlook.standings[_case_of(record)]
            words = what_follows(standing, record, outlook.ways)
            counts = record == standing.decision
            money = outlook.money(standing) if counts else ""
            place = areas.get(record.area_id, record.area_id)
            return _Told(
                f"{place}, Sitzung am {day(record.decided_on)}: {said_by(record)}",
                standing.title,
                "; ".join(filter(None, (words, money))),
                what_helps(standing, record),
            )
        case Budget():
            return _of_budget(outlook, record, areas.get(record.area_id, record.area_id))
        case Application():
            standing = outlook.standings[_case_of(record)]
            issued = f", Bescheid vom {day(record.notice_on)}" if record.notice_on else ""
            understood = f"beantragt sind {euros(record.amount)}{issued}"
            return _of_money(outlook, standing, understood)
        case Settlement():
            standing = outlook.standings[_case_of(record)]
            understood = f"nachgewiesen am {day(record.proven_on)}: {euros(record.spent)}"
            return _of_money(outlook, standing, understood)
        case Proposal():
            return _Told("Vorschlag", record.title, "wird eingelesen")
    return None


def _of_money(outlook: _Outlook, standing: Standing, understood: str) -> _Told:
    follows = what_follows_for_money(standing, outlook.ways)
    return _Told(understood, standing.title, follows, what_helps_for_money(standing))


def _of_budget(outlook: _Outlook, line: Budget, area: str) -> _Told:
    words = outlook.of_budgets.get(line.origin, "")
    understood = f"{area} {line.fiscal_year}: {euros(line.amount)}, Kapitel {line.chapter}, Titel {line.title}"
    counting = outlook.budgets.get(line.area_id)
    if counting is None or counting.origin != line.origin:
        return _Told(understood, "", words)
    granted = outlook.after.get(line.area_id, ZERO)
    left = line.amount - granted
    free = f"frei bleiben {euros(left)}" if left >= 0 else f"die Beschlüsse übersteigen es um {euros(-left)}"
    return _Told(understood, "", f"{words}; vergeben sind {euros(granted)}, {free}")
