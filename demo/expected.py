"""Did the demonstration come out as it must? The expectation was computed from the story, not by this software.

    demo/expected.json ──┬── our ledger              what we believe
                         ├── var/sandbox/xta/*/*.zip  the messages that the e-file was given
                         └── var/sandbox/hkr/*.sqlite3  the budget system's own books

All three must hold every accepted case once, with its sum, and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from demo.table import area_of, is_filed
from kiezbruecke import german
from kiezbruecke.content.processes import read_process
from kiezbruecke.ledger import Ledger
from kiezbruecke.ledger.money import euros
from kiezbruecke.ledger.reading import Snapshot, read_process_cases
from kiezbruecke.records import CommitmentState, Process
from kiezbruecke.records.identity import fremdkennzeichen
from kiezbruecke.standards import xdomea
from kiezbruecke.standards.parse import parse

Case = tuple[str, str]  # reference number, area: a paper proposal's number is unique in its area only
Sums = Iterable[tuple[Case, Decimal]]


@dataclass(frozen=True)
class Verdict:
    """What was compared, and what is not as it must be: German, one line each, no titles."""

    cases: int
    total: Decimal
    differences: Sequence[str]


def verdict(ledger: Ledger, root: Path, process_id: str, sandboxes: Path) -> Verdict:
    """What is missing, too much, twice or of another sum.

    Cases that a sheet of the visitor's own speaks about are left out: of them nothing is expected.
    """
    process = read_process(root, process_id)
    snapshot = read_process_cases(ledger, process.id)
    expected = _expected(root / "demo" / "expected.json")
    visitors = _visitors(snapshot, root / "demo")
    places: dict[str, Sums] = {
        "im Hauptbuch abgelegt": _filed(snapshot),
        "im Hauptbuch festgelegt": _booked(snapshot),
        "in der E-Akte": in_the_efile(sandboxes / "xta", process),
        "in den Büchern des HKR": in_the_books(sandboxes / "hkr", process, [*expected, *_committed(snapshot)]),
    }
    compared = {case: amount for case, amount in expected.items() if case not in visitors}
    lines = [line for place, found in places.items() for line in _compare(place, found, expected, visitors)]
    return Verdict(len(compared), sum(compared.values(), Decimal(0)), lines)


def _compare(place: str, found: Sums, expected: dict[Case, Decimal], visitors: set[Case]) -> Iterator[str]:
    held: dict[Case, list[Decimal]] = defaultdict(list)
    for case, amount in found:
        held[case].append(amount)
    for case in sorted((expected.keys() | held.keys()) - visitors):
        wanted = [expected[case]] if case in expected else []
        if held[case] != wanted:
            yield f"{case[0]} ({case[1]}): {place} {_words(held[case])}, erwartet {_words(wanted)}"


def _words(amounts: list[Decimal]) -> str:
    return " und ".join(german.euros(amount) for amount in amounts) or "nichts"


def _expected(file: Path) -> dict[Case, Decimal]:
    lines = json.loads(file.read_text("utf-8"))["accepted"]
    return {(line["reference"], line["area"]): Decimal(line["amount"]) for line in lines}


def _visitors(snapshot: Snapshot, demo: Path) -> set[Case]:
    """Cases of which a sheet speaks that is not the demonstration's, or whose area's budget it changes."""
    ours = {hashlib.sha256(file.read_bytes()).hexdigest() for file in demo.glob("b*/*")}
    areas = {line.area_id for line in snapshot.budget_lines if _sheet(line.origin) not in ours}
    return {
        (case.reference, area_of(case))
        for case in snapshot.cases
        if area_of(case) in areas or any(_sheet(decision.origin) not in ours for decision in case.decisions)
    }


def _sheet(origin: str) -> str:
    return origin.partition(":")[0]


def _committed(snapshot: Snapshot) -> list[Case]:
    return [(case.reference, area_of(case)) for case in snapshot.cases if case.commitment]


def _filed(snapshot: Snapshot) -> Sums:
    for case in snapshot.cases:
        for message in case.messages:
            if is_filed(message):
                yield (case.reference, area_of(case)), euros(message.amount_cents or 0)


def _booked(snapshot: Snapshot) -> Sums:
    for case in snapshot.cases:
        if case.commitment and case.commitment.state is CommitmentState.BOOKED:
            yield (case.reference, area_of(case)), case.commitment.amount


def in_the_efile(folder: Path, process: Process) -> Sums:
    """What the messages themselves say, one file per message that was taken."""
    ids = {area.name: area.id for area in process.areas}
    for file in sorted(folder.glob("*/*.zip")):
        said = _fields(xdomea.unpack(file.read_bytes()).xml)
        area = said.get("Bezirksregion", "")
        yield (said.get("Referenznummer", "?"), ids.get(area, area)), Decimal(said["BewilligterBetragEUR"])


def _fields(xml: bytes) -> dict[str, str]:
    """Our own fields at the end of a 0401."""
    names = {"x": xdomea.NAMESPACE}
    fields = parse(xml).iterfind(".//x:AnwendungsspezifischeErweiterung/x:Feld", names)
    return {field.findtext("x:Name", "", names): field.findtext("x:Wert", "", names) for field in fields}


def in_the_books(folder: Path, process: Process, cases: Iterable[Case]) -> Sums:
    """The commitments that are not cancelled; each is known by its Fremdkennzeichen."""
    known = {fremdkennzeichen(process, area, number, "F", 1)[:-1]: (number, area) for number, area in cases}
    for file in folder.glob("*.sqlite3"):
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as books:
            rows = books.execute("select reference, area, cents from commitments where cents <> 0").fetchall()
        for reference, area, cents in rows:
            yield known.get(reference.rstrip("0123456789"), (reference, area)), euros(cents)
