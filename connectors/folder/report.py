"""The report beside a sheet: what became of each line, for the clerk who filled it in.

It names rows, reference numbers and columns, never what stands in the other cells. Same sheet, same report.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import partial

from connectors.folder.sheet import Line
from kiezbruecke import german
from kiezbruecke.plaintext import harmless

HEADER = ("Zeile", "Referenznummer", "Ergebnis der Übernahme", "Hinweis", "Was daraus folgt")
_FOLLOWS = len(HEADER) - 1  # the only column that is written later, and again
TAKEN, LEFT = "übernommen", "nicht übernommen"
ALREADY = "schon früher übernommen"
_RULE = re.compile(r".{0,300}? \(Quelle: item\.(?P<key>[a-z0-9_]+)\): ")
_FURTHER = re.compile(r"[^\s:]+\.yaml:\d+: '[^']*' \(Quelle: item\.(?P<key>[a-z0-9_]+)\): ")


def lines_report(
    name: str,
    lines: Sequence[Line],
    problems: Mapping[int, str],
    notes: Sequence[str],
    already: Collection[int] = (),
) -> bytes:
    """The report of a sheet that could be read; `already`: the rows that are known from a sheet of the same content."""
    rows = [
        (str(line.number), line.reference, *outcome(line, problems.get(line.number, ""), already)) for line in lines
    ]
    told = Counter(outcome for _, _, outcome, _ in rows)
    words = [TAKEN, *([ALREADY] if told[ALREADY] else []), LEFT]
    counted = [f"{told[word]} {word}" for word in words]
    total = ", ".join([f"{german.count(len(lines), 'Zeile', 'Zeilen')} gelesen", *counted])
    return _csv([*rows, *_summary(name, total, notes)])


def sheet_report(name: str, problem: str, notes: Sequence[str]) -> bytes:
    """The report of a sheet that could not be used at all."""
    return _csv([("", "", LEFT, problem), *_summary(name, "keine Zeile übernommen", notes)])


def with_what_follows(report: bytes, follows: Mapping[int, str]) -> bytes:
    """The same report with what follows from its rows; as it was, if it is none of ours any more."""
    try:
        rows = list(csv.reader(io.StringIO(report.decode("utf-8-sig"), newline=""), delimiter=";", strict=True))
    except (UnicodeDecodeError, csv.Error):
        return report
    if not rows or tuple(rows[0][:_FOLLOWS]) != HEADER[:_FOLLOWS]:
        return report
    return _csv([_with(row, follows) for row in rows[1:]])


def for_clerks(problem: str, columns: Mapping[str, str]) -> str:
    """A mapping's problem with the sheet's own column name instead of rule, file and source field."""
    found = _RULE.match(problem)
    if problem.startswith("; ") or not found or found["key"] not in columns:
        return _FURTHER.sub(partial(_named, columns), problem)
    return _FURTHER.sub(partial(_named, columns), f"„{columns[found['key']]}“: {problem[found.end() :]}")


def _named(columns: Mapping[str, str], found: re.Match[str]) -> str:
    return f"„{columns.get(found['key'], found['key'])}“: "


def _with(row: Sequence[str], follows: Mapping[int, str]) -> Sequence[str]:
    number = int(row[0]) if row and row[0].isascii() and row[0].isdecimal() else 0
    return [*row[:_FOLLOWS], follows[number]] if number in follows and row[2] == TAKEN else row


def outcome(line: Line, problem: str, already: Collection[int]) -> tuple[str, str]:
    """The words about one line: what became of it, and the hint beside that."""
    if problem:
        return LEFT, problem
    return (ALREADY if line.number in already else TAKEN), line.note


def _summary(name: str, total: str, notes: Sequence[str]) -> list[tuple[str, ...]]:
    rows = [(), ("Zusammenfassung", "", total, f"Datei {name}")]
    return [*rows, *(("Hinweis", "", "", note) for note in notes)]


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADER)
    writer.writerows([harmless(" ".join(cell.split())) for cell in row] for row in rows)
    return codecs.BOM_UTF8 + out.getvalue().encode("utf-8", "replace")
