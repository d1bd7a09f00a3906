"""Did the demonstration come out as it must? The expectation was computed from the story, not by this software.

    demo/expected.json ──┬── our ledger              what we believe
                         ├── var/sandbox/xta/*/*.zip  the messages that the e-file was given
                         └── var/sandbox/hkr/*.sqlite3  the budget system's own books

All three must hold every accepted case once, with its sum, and nothing else; ledger and books also what was paid, what
came back in between, and what was returned.
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
from functools import partial
from pathlib import Path

from demo.table import area_of, is_filed
from kiezbruecke import german
from kiezbruecke.content.processes import read_process
from kiezbruecke.ledger import Ledger
from kiezbruecke.ledger.money import euros
from kiezbruecke.ledger.reading import Snapshot, StoredCase, read_process_cases
from kiezbruecke.records import CommitmentState, OrderState, Process
from kiezbruecke.records.identity import fremdkennzeichen
from kiezbruecke.standards import xdomea
from kiezbruecke.standards.parse import parse

Case = tuple[str, str]  # reference number, area: a paper proposal's number is unique in its area only
Sums = Iterable[tuple[Case, Decimal]]
WORDS = ("accepted", "paid", "bounced", "refunded")
NONE = Decimal(0)
OURS = ("*/*.xlsx", "*/*.csv", "spaeter/*/*")  # the sheets that the demonstration itself hands in


@dataclass(frozen=True)
class Verdict:
    """What was compared, and what is not as it must be: German, one line each, no titles."""

    cases: int
    total: Decimal
    paid: Decimal
    refunded: Decimal
    differences: Sequence[str]


def verdict(ledger: Ledger, root: Path, process_id: str, sandboxes: Path) -> Verdict:
    """What is missing, too much, twice or of another sum.

    Cases that a sheet of the visitor's own speaks about are left out: of them nothing is expected.
    """
    process = read_process(root, process_id)
    snapshot = read_process_cases(ledger, process.id)
    expected = _expected(root / "demo" / "expected.json")
    visitors = _visitors(snapshot, root / "demo")
    known = {*expected["accepted"], *_committed(snapshot)}
    paid_there = partial(paid_in_the_books, sandboxes / "hkr", process, known)
    places: dict[str, tuple[str, Sums]] = {
        "im Hauptbuch abgelegt": ("accepted", _filed(snapshot)),
        "im Hauptbuch festgelegt": ("accepted", _booked(snapshot)),
        "in der E-Akte": ("accepted", in_the_efile(sandboxes / "xta", process)),
        "in den Büchern des HKR": ("accepted", in_the_books(sandboxes / "hkr", process, known)),
        "im Hauptbuch ausgezahlt": ("paid", _ordered(snapshot, OrderState.PAID)),
        "im Hauptbuch zurückgekommen": ("bounced", _ordered(snapshot, OrderState.BOUNCED)),
        "im Hauptbuch erstattet": ("refunded", _ordered(snapshot, OrderState.RECEIVED)),
        "im HKR ausgezahlt": ("paid", paid_there("AUSZAHLUNG", "paid")),
        "im HKR zurückgekommen": ("bounced", paid_there("AUSZAHLUNG", "returned")),
        "im HKR erstattet": ("refunded", paid_there("ANNAHME", "refunded")),
    }
    lines = [
        line for place, (what, found) in places.items() for line in _compare(place, found, expected[what], visitors)
    ]
    accepted, paid, refunded = (
        [amount for case, amount in expected[what].items() if case not in visitors]
        for what in ("accepted", "paid", "refunded")
    )
    return Verdict(len(accepted), sum(accepted, NONE), sum(paid, NONE), sum(refunded, NONE), lines)


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


def _expected(file: Path) -> dict[str, dict[Case, Decimal]]:
    """Per word of WORDS the cases and sums."""
    body = json.loads(file.read_text("utf-8"))
    return {word: {(line["reference"], line["area"]): Decimal(line["amount"]) for line in body[word]} for word in WORDS}


def _visitors(snapshot: Snapshot, demo: Path) -> set[Case]:
    """Cases of which a sheet speaks that is not the demonstration's, or whose area's budget it changes."""
    sheets = [file for pattern in OURS for file in demo.glob(pattern)]
    ours = {hashlib.sha256(file.read_bytes()).hexdigest() for file in sheets}
    areas = {line.area_id for line in snapshot.budget_lines if _sheet(line.origin) not in ours}
    return {
        (case.reference, area_of(case))
        for case in snapshot.cases
        if area_of(case) in areas or any(_sheet(origin) not in ours for origin in _origins(case))
    }


def _origins(case: StoredCase) -> list[str]:
    """Where each line about a case stands."""
    told = [decision.origin for decision in case.decisions]
    return [*told, *(one.origin for one in case.applications), *(one.origin for one in case.settlements)]


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


def _ordered(snapshot: Snapshot, state: OrderState) -> Sums:
    for case in snapshot.cases:
        for order in case.orders:
            if order.state is state:
                yield (case.reference, area_of(case)), order.amount


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
    yield from _books(folder, process, cases, "F", "commitments where cents <> 0")


def paid_in_the_books(folder: Path, process: Process, cases: Iterable[Case], kind: str, state: str) -> Sums:
    """The payments or claims (`AUSZAHLUNG`, `ANNAHME`) that have come so far there."""
    letter = {"AUSZAHLUNG": "Z", "ANNAHME": "R"}[kind]
    yield from _books(folder, process, cases, letter, f"payments where kind = '{kind}' and state = '{state}'")


def _books(folder: Path, process: Process, cases: Iterable[Case], letter: str, rows: str) -> Sums:
    known = {fremdkennzeichen(process, area, number, letter, 1)[:-1]: (number, area) for number, area in cases}
    for file in folder.glob("*.sqlite3"):
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as books:
            found = books.execute(f"select reference, area, cents from {rows}").fetchall()  # noqa: S608 - ours
        for reference, area, cents in found:
            yield known.get(reference.rstrip("0123456789"), (reference, area)), euros(cents)
