"""The sheets that clerks fill in: empty ones, and a decision sheet for one assembly with what the platform knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from kiezbruecke import german
from kiezbruecke.attention import read_standings
from kiezbruecke.cases.join import Standing, budget_lines_of, budgets_that_count, decision_that_counts
from kiezbruecke.content.areas import find_area
from kiezbruecke.content.processes import process_files, read_code_lists, read_process
from kiezbruecke.content.sets import is_off
from kiezbruecke.desk.places import BudgetPlace
from kiezbruecke.desk.view import DeskView
from kiezbruecke.desk.workbook import Choice, SheetForm, Value, shown_column, write_form
from kiezbruecke.errors import ConfigurationError, InputError
from kiezbruecke.house import House
from kiezbruecke.ledger.reading import StoredCase, read_budget_lines, read_process_cases
from kiezbruecke.mapping.codelists.reading import read_translation
from kiezbruecke.mapping.schema.columns import Role
from kiezbruecke.mapping.schema.tables import Blank, TableLayout, source_tables
from kiezbruecke.plaintext import one_line
from kiezbruecke.records import Area, Budget, Process, Proposal, ProposalStatus
from kiezbruecke.records.references import is_paper

BUDGETS = "budget-line"
DECISIONS = "decision-line"  # the kind of line of a sheet that is filled in for one assembly
PAPER_EXAMPLE = "P-1"
ASKED, GRANTED = shown_column("Beantragt (€)"), shown_column("Bewilligt (€)")
_LONGEST_TITLE = 500
_GONE = (ProposalStatus.GONE, ProposalStatus.WITHDRAWN)
_COMMON = (
    "Leere Zeilen werden übergangen, die Reihenfolge der Spalten ist frei.",
    "Die Spaltennamen bleiben, wie sie sind, in einer Zeile. Andere Spalten werden nicht gelesen, nur gemeldet.",
    "Werte eintragen, keine Formeln: der Wert einer Formel ist nicht bekannt, die Zeile wird nicht übernommen.",
    "Keine verbundenen Zellen und keine Summenzeile: sie werden nicht verstanden.",
    "Beträge wie 850,00 oder 1.000,00. Ein Betrag wie 0.850 kann zweierlei heißen und wird nicht übernommen.",
    "Speichern als XLSX ohne Makros und ohne Kennwort oder als „CSV UTF-8“.",
    "Dann am Schreibtisch abgeben; dort steht vorher, was aus jeder Zeile folgt, und danach der Bericht.",
    "Ohne Schreibtisch: in den vereinbarten Ordner legen; nach einer Viertelstunde liegt daneben der Bericht.",
)


@dataclass(frozen=True)
class NewSheet:
    """A sheet to be filled in; a decision sheet is for one assembly, and what the platform knows stands there."""

    file_name: str
    body: bytes
    area: Area | None
    proposals: int


class SheetFormView(DeskView):
    """What can be downloaded for a process."""

    process: str
    title: str
    tables: tuple[tuple[str, str], ...]
    """Name and title of the tables that people fill in; the first is filled in for one area"""
    areas: tuple[tuple[str, str], ...]
    """Number and name"""


def sheet_forms(content: Path) -> list[SheetFormView]:
    """The forms of all processes in use; what is broken is told elsewhere. No statement."""
    tables = sorted(
        (table for table in source_tables(content).values() if table.form),
        key=lambda table: (table.item != DECISIONS, table.title),
    )
    names = tuple((table.name, table.title) for table in tables)
    found = []
    for file in process_files(content):
        if is_off(file):
            continue
        process = read_process(content, file.stem)
        areas = tuple((area.id, area.name) for area in process.areas)
        found.append(SheetFormView(process=process.id, title=process.name, tables=names, areas=areas))
    return found


def empty_sheets(content: Path) -> dict[str, bytes]:
    """The empty sheets for all processes in use, by file name: of every table that people fill in."""
    processes = [read_process(content, file.stem) for file in process_files(content) if not is_off(file)]
    return {
        f"{table.form.file}.xlsx": write_form(_form(content, table, table.form, processes))
        for table in source_tables(content).values()
        if table.form
    }


def new_sheet(house: House, process_id: str, table_name: str, area: str, day: date | None) -> NewSheet:
    """A sheet for a process, with the proposals that are to be filled in (`lines` of its table's form).

    A decision sheet is for one area; of the others one may be named. Without a name the process's decision sheet.
    Raises ConfigurationError, InputError.
    """
    process = _process(house.content, process_id)
    table, form = _fillable(house.content, table_name)
    place = find_area(process, area) if area else None
    if form.lines != "undecided":
        return _later_sheet(house, process, table, form, place)
    if place is None:
        raise InputError(
            "Eine Beschlussliste ist für eine Bezirksregion", helps="--area mit ihrem Namen oder ihrer Nummer"
        )
    if day is not None:
        _refuse_impossible(process, day)
    proposals = _undecided(read_process_cases(house.ledger, process.id).cases, place)
    lines = [_line(table, process, place, day, proposal) for proposal in proposals]
    when = f"-{day.isoformat()}" if day else ""
    return NewSheet(
        f"{form.file}-{process.id}-{place.id}{when}.xlsx",
        write_form(_form(house.content, table, form, [process], lines)),
        place,
        len(lines),
    )


def budget_sheet(house: House, process_id: str, place_of: Callable[[int], BudgetPlace]) -> NewSheet:
    """A budget sheet with a line per area: Kapitel and Titel of the year, the sum and status that stand by now.

    `place_of` gives the place of the process's year. Raises ConfigurationError, InputError.
    """
    process = _process(house.content, process_id)
    place = place_of(process.fiscal_year)
    table, form = next((one, one.form) for one in source_tables(house.content).values() if one.item == BUDGETS)
    assert form is not None
    words = _status_words(house.content, table, process)
    with house.ledger.read() as connection:
        known = budgets_that_count(budget_lines_of(process, read_budget_lines(connection, process.id)))
    lines = [_budget_line(table, process, area, place, known.get(area.id), words) for area in process.areas]
    body = write_form(_form(house.content, table, form, [process], lines, ""))
    return NewSheet(f"{form.file}-{process.id}.xlsx", body, None, 0)


def _later_sheet(house: House, process: Process, table: TableLayout, form: Blank, place: Area | None) -> NewSheet:
    """What comes after the decision: a line for each grant that has not come so far yet."""
    standings = read_standings(house.ledger, process) if form.lines else []
    wanted = [one for one in standings if _is_next(one, form) and place in (None, _area(process, one))]
    lines = [_granted_line(table, process, one) for one in sorted(wanted, key=lambda one: one.case.reference)]
    name = "-".join(part for part in (form.file, process.id, place.id if place else "") if part)
    body = write_form(_form(house.content, table, form, [process], lines, GRANTED))
    return NewSheet(f"{name}.xlsx", body, place, len(lines))


def _is_next(standing: Standing, form: Blank) -> bool:
    """Whether a grant waits for its line: an application first, then the proof of what was spent."""
    if not standing.grants or standing.questioned:
        return False
    case = standing.case
    return not case.applications if form.lines == "granted" else bool(case.applications) and not case.settlements


def _area(process: Process, standing: Standing) -> Area | None:
    return next((area for area in process.areas if area.id == standing.area_id), None)


def _granted_line(table: TableLayout, process: Process, standing: Standing) -> dict[str, Value]:
    assert standing.decision is not None
    title = standing.proposal.title if standing.proposal else standing.decision.title
    known: dict[Role, Value] = {
        "process": process.name,
        "area": standing.area_name,
        "reference": standing.case.reference,
        "title": one_line(title)[:_LONGEST_TITLE],
    }
    return {**_by_role(table, known), GRANTED: standing.amount}


def _by_role(table: TableLayout, known: dict[Role, Value]) -> dict[str, Value]:
    return {column.name: known[column.role] for column in table.columns if column.role in known}


def _refuse_impossible(process: Process, given: date) -> None:
    """A sheet may be made before the assembly; none of its lines would be taken with a day on which none can be."""
    first, last = process.assembly_days
    if not first <= given <= last:
        raise InputError(
            f"Am {german.day(given)} kann in diesem Verfahren keine Versammlung sein; es wurde nichts angelegt",
            where="--date",
            expected=f"ein Tag vom {german.day(first)} bis zum {german.day(last)}",
        )


def _fillable(content: Path, name: str) -> tuple[TableLayout, Blank]:
    """The table of this name, else that of the decisions."""
    known = {one.name: (one, one.form) for one in source_tables(content).values() if one.form}
    wanted = name or next((one for one, (table, _) in known.items() if table.item == DECISIONS), "")
    if wanted not in known:
        raise ConfigurationError(
            "Diese Tabelle füllt niemand aus", where=wanted or DECISIONS, helps=f"erwartet: {', '.join(known)}"
        )
    return known[wanted]


def _form(
    content: Path,
    table: TableLayout,
    form: Blank,
    processes: Sequence[Process],
    lines: Sequence[Mapping[str, Value]] = (),
    shown: str = ASKED,
) -> SheetForm:
    sentences = (*(form.prefilled if lines else ()), *form.advice, *_COMMON, *form.further)
    on_paper = any(process.numbers(PAPER_EXAMPLE) for process in processes)
    return SheetForm(
        table,
        _choices(content, table, processes),
        tuple(one for one in sentences if on_paper or PAPER_EXAMPLE not in one),
        (shown,) if lines and shown else (),
        lines,
        _told(table, processes),
    )


def _choices(content: Path, table: TableLayout, processes: Sequence[Process]) -> dict[str, Choice]:
    """Names of process and area; a clerk may write the process's id or the area's number as well."""
    names = tuple(process.name for process in processes)
    areas = tuple(dict.fromkeys(area.name for process in processes for area in process.areas))
    lists = read_code_lists(content, processes[0].id) if processes else {}
    found: dict[str, Choice] = {}
    for column in table.columns:
        if column.role in ("process", "area"):
            found[column.name] = Choice(names if column.role == "process" else areas, closed=False)
        elif column.choices:
            found[column.name] = Choice(_words(content, lists.get(column.choices, column.choices)))
        elif column.type == "yes_no":
            found[column.name] = Choice(("ja", "nein"))
    return found


def _told(table: TableLayout, processes: Iterable[Process]) -> dict[str, str]:
    """How the processes number their proposals; a number of a sheet's own is for facts, not for things that change."""
    column = table.of_role("reference")
    numbers = dict.fromkeys(one for process in processes for one in process.example_numbers)
    shown = [one for one in numbers if not (table.id and is_paper(one))]
    return {column.name: f"{column.note}, etwa {' oder '.join(shown)}"} if column and shown else {}


def _words(content: Path, codelist: str) -> tuple[str, ...]:
    """One German word per code: the first of each."""
    words: dict[str, str] = {}
    for word, code in read_translation(content, codelist).entries.items():
        words.setdefault(code, word)
    return tuple(words.values())


def _process(content: Path, process_id: str) -> Process:
    known = [file.stem for file in process_files(content)]
    if process_id not in known:
        raise ConfigurationError(
            "Dieses Verfahren gibt es nicht", where=process_id, helps=f"erwartet: {', '.join(known)}"
        )
    return read_process(content, process_id)


def _undecided(cases: Iterable[StoredCase], area: Area) -> list[Proposal]:
    """What stands on the platform and may be decided, in the order of its numbers."""
    found = [
        case.proposal
        for case in cases
        if case.proposal
        and case.proposal.status not in _GONE
        and (case.area_id or case.proposal.area_id or case.assigned) == area.id
        and _is_open(case)
    ]
    return sorted(found, key=lambda proposal: proposal.reference_number)


def _is_open(case: StoredCase) -> bool:
    """Not decided, or put off: a later assembly may decide again."""
    counting, _ = decision_that_counts(case)
    return counting is None or not counting.outcome.final


def _line(table: TableLayout, process: Process, area: Area, day: date | None, proposal: Proposal) -> dict[str, Value]:
    known: dict[Role, Value] = {
        "process": process.name,
        "area": area.name,
        "meeting": day,
        "reference": proposal.reference_number,
        "title": one_line(proposal.title)[:_LONGEST_TITLE],
    }
    return {**_by_role(table, known), ASKED: proposal.requested_amount}


def _budget_line(
    table: TableLayout,
    process: Process,
    area: Area,
    place: BudgetPlace,
    known: Budget | None,
    words: Mapping[str, str],
) -> dict[str, Value]:
    """What is not known stays empty: a sum is the clerk's to say, and a line without one is refused."""
    roles: dict[Role, Value] = {"process": process.name, "area": area.name, "fiscal_year": process.fiscal_year}
    keys: dict[str, Value] = {"kapitel": place.chapter, "titel": place.title}
    if known:
        keys |= {"betrag": known.amount, "status": words.get(known.status, "")}
    return {
        **_by_role(table, roles),
        **{column.name: keys[column.key] for column in table.columns if column.key in keys},
    }


def _status_words(content: Path, table: TableLayout, process: Process) -> dict[str, str]:
    """The German word of each status that a budget can have."""
    lists = read_code_lists(content, process.id)
    chosen = next((column.choices for column in table.columns if column.key == "status"), "")
    entries = read_translation(content, lists.get(chosen, chosen)).entries if chosen else {}
    return {code: word for word, code in reversed(list(entries.items()))}
