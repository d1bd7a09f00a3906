"""What a line of a sheet is about: by these names a mended line is known when it comes again, in whatever file.

A line that others of its sheet could be taken for has no name: two different lines must not mend each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from connectors.folder.sheet import Line
from connectors.folder.table import Table
from kiezbruecke.german import BERLIN
from kiezbruecke.mapping.steps.dates import german_date
from kiezbruecke.mapping.values import Unusable
from kiezbruecke.plaintext import folded
from kiezbruecke.records import Process


def names_of(sheet: str, lines: Sequence[Line], table: Table, process: Process) -> dict[int, tuple[str, ...]]:
    """Per row the names of its line, the surest first. A correction is not what it corrects.

    Reference number, area and meeting; without the meeting where that is what is wrong; in a file of the same name the
    number alone, as long as the area cannot be read; without a number the same row with the same title. What has an id
    of its own is known by that; a line that names a whole budget by year and area.
    """
    areas = {folded(name): area.id for area in process.areas for name in (area.id, area.name, *area.aliases)}
    found = {line.number: _names(sheet, line, areas, table, process) for line in lines}
    often = Counter(name for names in found.values() for name in names)
    return {row: tuple(name for name in names if often[name] == 1) for row, names in found.items()}


def _names(sheet: str, line: Line, areas: Mapping[str, str], table: Table, process: Process) -> list[str]:
    area = areas.get(folded(table.said("area", line.values)), "")
    year = table.of_role("fiscal_year")
    if year and line.values and not table.id:  # such a line always names the whole budget
        return [f"{line.values[year.key]} {area}"] if area else []
    title = folded(table.said("title", line.values))
    names = [f"{line.number} in {sheet}: {title}"] if title else []
    if line.id:
        return [f"{table.item} {line.id}", *names]
    if not line.reference:
        return names
    corrects = folded(table.said("correction", line.values)) not in ("", "nein")
    what = f"{line.reference} {'Korrektur' if corrects else 'Beschluss'}"
    names.insert(0, f"{what} in {sheet}")
    if area:
        names.insert(0, f"{what} {area}")
    if area and (meeting := _meeting(table.said("meeting", line.values), process)):
        names.insert(0, f"{what} {area} {meeting}")
    return names


def _meeting(said: str, process: Process) -> date | None:
    """The day of the meeting, unless it may be what is wrong with the line."""
    first, last = process.assembly_days
    try:
        day = german_date(said)
    except Unusable:
        return None
    return day if first <= day <= min(last, datetime.now(BERLIN).date()) else None
