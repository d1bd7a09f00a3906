"""The sheets that clerks fill in: empty ones, and a decision sheet for one assembly with what the platform knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from kiezbruecke import german
from kiezbruecke.cases.join import decision_that_counts
from kiezbruecke.content.areas import find_area
from kiezbruecke.content.processes import process_files, read_code_lists, read_process
from kiezbruecke.content.sets import is_off
from kiezbruecke.desk.columns import BUDGETS, DECISIONS
from kiezbruecke.desk.workbook import Choice, SheetForm, Value, shown_column, write_form
from kiezbruecke.errors import ConfigurationError, InputError
from kiezbruecke.house import House
from kiezbruecke.ledger.reading import StoredCase, read_process_cases
from kiezbruecke.mapping.codelists.reading import read_translation
from kiezbruecke.mapping.schema.tables import read_table
from kiezbruecke.plaintext import one_line
from kiezbruecke.records import Area, Process, Proposal, ProposalStatus

ASKED = shown_column("Beantragt (€)")
_LONGEST_TITLE = 500
_GONE = (ProposalStatus.GONE, ProposalStatus.WITHDRAWN)
_COMMON = (
    "Leere Zeilen werden übergangen, die Reihenfolge der Spalten ist frei.",
    "Die Spaltennamen bleiben, wie sie sind, in einer Zeile. Andere Spalten werden nicht gelesen, nur gemeldet.",
    "Werte eintragen, keine Formeln: der Wert einer Formel ist nicht bekannt, die Zeile wird nicht übernommen.",
    "Keine verbundenen Zellen und keine Summenzeile: sie werden nicht verstanden.",
    "Beträge wie 850,00 oder 1.000,00. Ein Betrag wie 0.850 kann zweierlei heißen und wird nicht übernommen.",
    "Speichern als XLSX ohne Makros und ohne Kennwort oder als „CSV UTF-8“, dann in den vereinbarten Ordner legen.",
    "Nach höchstens einer Viertelstunde liegt die Datei in „done“ oder „failed“, daneben ein Bericht zu jeder Zeile.",
)
_OF_DECISIONS = (
    "Die Beschlussliste wird nach der Sitzung ausgefüllt. Nur sie nennt bewilligte Beträge.",
    "Eine Zeile je Vorschlag.",
    *_COMMON,
    "Vorschläge ohne Nummer der Plattform bekommen je Bezirksregion eigene Nummern: P-1, P-2 …",
    "Eine falsche Zeile wird in einer neuen Liste noch einmal eingetragen: Korrektur „ja“, mit Begründung.",
)
_OF_BUDGETS = (
    "Die Budgetliste nennt das Budget jeder Bezirksregion. Ausgegeben wird nur, was freigegeben ist.",
    "Eine Zeile je Bezirksregion.",
    *_COMMON,
    "Eine spätere Zeile ändert eine frühere: den neuen Gesamtbetrag und den Grund eintragen.",
)
_PREFILLED = (
    "Die Vorschläge der Plattform stehen schon da. Es fehlen das Ergebnis und, wenn angenommen, der Betrag.",
    "Worüber die Versammlung nicht entschieden hat: die Zeile löschen. Was schon entschieden war, steht nicht da.",
    "Vorschläge auf Papier kommen darunter, mit P-1, P-2 …",
)


@dataclass(frozen=True)
class NewSheet:
    """A decision sheet for one assembly."""

    file_name: str
    body: bytes
    area: Area
    proposals: int


def empty_sheets(content: Path) -> dict[str, bytes]:
    """The empty sheets for all processes in use, by file name."""
    processes = [read_process(content, file.stem) for file in process_files(content) if not is_off(file)]
    return {
        "beschlussliste.xlsx": write_form(_decisions(content, processes)),
        "budgetliste.xlsx": write_form(
            SheetForm(
                read_table(content, BUDGETS),
                {**_places(processes), "Status": Choice(_words(content, "budget-status"))},
                _OF_BUDGETS,
            )
        ),
    }


def new_decision_sheet(house: House, process_id: str, area: str, day: date | None) -> NewSheet:
    """A decision sheet with the proposals of an area that nobody has decided yet.

    Raises ConfigurationError, and InputError where no assembly can be on that day.
    """
    process = _process(house.content, process_id)
    place = find_area(process, area)
    if day is not None:
        _refuse_impossible(process, day)
    proposals = _undecided(read_process_cases(house.ledger, process.id).cases, place)
    lines = [_line(process, place, day, proposal) for proposal in proposals]
    when = f"-{day.isoformat()}" if day else ""
    return NewSheet(
        f"beschlussliste-{process.id}-{place.id}{when}.xlsx",
        write_form(_decisions(house.content, [process], lines)),
        place,
        len(lines),
    )


def _refuse_impossible(process: Process, given: date) -> None:
    """A sheet may be made before the assembly; none of its lines would be taken with a day on which none can be."""
    first, last = process.assembly_days
    if not first <= given <= last:
        raise InputError(
            f"Am {german.day(given)} kann in diesem Verfahren keine Versammlung sein; es wurde nichts angelegt",
            where="--date",
            expected=f"ein Tag vom {german.day(first)} bis zum {german.day(last)}",
        )


def _decisions(content: Path, processes: Sequence[Process], lines: Sequence[Mapping[str, Value]] = ()) -> SheetForm:
    lists = read_code_lists(content, processes[0].id) if processes else {}
    outcomes = Choice(_words(content, lists.get("ergebnis", "ergebnis")))
    choices = {**_places(processes), "Ergebnis": outcomes, "Korrektur": Choice(("ja", "nein"))}
    advice = (*_PREFILLED, *_OF_DECISIONS) if lines else _OF_DECISIONS
    return SheetForm(read_table(content, DECISIONS), choices, advice, (ASKED,) if lines else (), lines)


def _places(processes: Iterable[Process]) -> dict[str, Choice]:
    """Names; a clerk may write the process's id or the area's number as well."""
    names = [process.name for process in processes]
    areas = dict.fromkeys(area.name for process in processes for area in process.areas)
    return {"Verfahren": Choice(tuple(names), closed=False), "Bezirksregion": Choice(tuple(areas), closed=False)}


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


def _line(process: Process, area: Area, day: date | None, proposal: Proposal) -> dict[str, Value]:
    return {
        "Verfahren": process.name,
        "Bezirksregion": area.name,
        "Sitzung am": day,
        "Referenznummer": proposal.reference_number,
        "Titel": one_line(proposal.title)[:_LONGEST_TITLE],
        ASKED: proposal.requested_amount,
    }
