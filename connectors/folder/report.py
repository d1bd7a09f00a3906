"""The report beside a sheet: what became of each line, for the clerk who filled it in.

It names rows, reference numbers and columns, never what stands in the other cells. Same sheet, same report.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Mapping, Sequence

from connectors.folder.sheet import Line
from kiezbruecke import german
from kiezbruecke.plaintext import harmless

HEADER = ("Zeile", "Referenznummer", "Ergebnis der Übernahme", "Hinweis")
TAKEN, LEFT = "übernommen", "nicht übernommen"
_RULE = re.compile(r".{0,300}? \(Quelle: item\.(?P<key>[a-z_]+)\): ")


def lines_report(name: str, lines: Sequence[Line], problems: Mapping[int, str], notes: Sequence[str]) -> bytes:
    """The report of a sheet that could be read."""
    rows = [(str(line.number), line.reference, *_outcome(problems.get(line.number, ""))) for line in lines]
    left = sum(1 for line in lines if problems.get(line.number))
    read = german.count(len(lines), "Zeile", "Zeilen")
    total = f"{read} gelesen, {len(lines) - left} übernommen, {left} nicht übernommen"
    return _csv([*rows, *_summary(name, total, notes)])


def sheet_report(name: str, problem: str, notes: Sequence[str]) -> bytes:
    """The report of a sheet that could not be used at all."""
    return _csv([("", "", LEFT, problem), *_summary(name, "keine Zeile übernommen", notes)])


def for_clerks(problem: str, columns: Mapping[str, str]) -> str:
    """A mapping's problem with the sheet's own column name instead of rule, file and source field."""
    found = _RULE.match(problem)
    if not found or found["key"] not in columns:
        return problem
    return f"„{columns[found['key']]}“: {problem[found.end() :]}"


def _outcome(problem: str) -> tuple[str, str]:
    return (LEFT, problem) if problem else (TAKEN, "")


def _summary(name: str, total: str, notes: Sequence[str]) -> list[tuple[str, ...]]:
    rows = [(), ("Zusammenfassung", "", total, f"Datei {name}")]
    return [*rows, *(("Hinweis", "", "", note) for note in notes)]


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADER)
    writer.writerows([harmless(" ".join(cell.split())) for cell in row] for row in rows)
    return codecs.BOM_UTF8 + out.getvalue().encode("utf-8", "replace")
