"""A year of twenty Kiezkassen in minutes: played with the real software, compared with books that it has no part in.

story ─┬─▶ stage: sheets, platform, routes, sandboxes that go wrong ─▶ what the ledger, the e-file, the HKR hold
       └─▶ books: by hand                                            ─▶ what they must hold
"""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from demo import ROOT, STATE
from demo.expected import in_the_books, in_the_efile
from demo.processes import only_one
from demo.world import Teller
from demo.year.books import Books, keep
from demo.year.stage import Stage, stage
from demo.year.story import Kasse, Word, plan
from kiezbruecke import desk, german
from kiezbruecke.content.processes import read_process
from kiezbruecke.desk.evaluation_files import as_page, as_workbook
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.ledger.todo import Kind
from kiezbruecke.machine import write_file
from kiezbruecke.privacy import keep_private

PROCESS, PREFIX = "kk-tk-2026", "kk-tk"
PER_KASSE = 20
SHOWN = {  # the platform's four words for those of a decision sheet
    Word.YES: "ACCEPTED", Word.CUT: "ACCEPTED", Word.WAITING: "QUALIFIED", Word.LATER: "CONSIDERATION",
    **dict.fromkeys((Word.NO, Word.NOT_ELIGIBLE, Word.PASSED_ON, Word.WITHDRAWN), "REJECTED"),
}  # fmt: skip
BUDGETS = (2600, 2700, 3300, 3600, 4100, 4200, 4400, 4700, 4800, 5400, 6700, 6800, 7200, 7300, 8200, 10100)


@dataclass(frozen=True)
class Outcome:
    """How a year has ended. `wrong`: what is not as the books say, one German line each."""

    books: Books
    found: desk.Evaluation
    failed: int
    points: int
    wrong: Sequence[str]


def main() -> int:
    """Play the year; 0 if everything came out as the books say."""
    keep_private()
    teller = Teller()
    try:
        with only_one(STATE):
            outcome = play(STATE / "jahr", funds(), PER_KASSE, teller.say)
    except KiezbrueckeError as error:
        teller.say(f"{error.code} {error}")
        return 1
    write_file(STATE / "jahr" / "auswertung.xlsx", as_workbook(outcome.found))
    write_file(STATE / "jahr" / "auswertung.html", as_page(outcome.found))
    for line in _told(outcome):
        teller.say(line)
    return 1 if outcome.wrong else 0


def funds() -> list[Kasse]:
    """One fund for each Bezirksregion of the district; five of them stand on the platform."""
    process = read_process(ROOT, PROCESS)
    modules = {module.area: module.id for module in process.modules}
    return [
        Kasse(PROCESS, area.id, area.name, Decimal(BUDGETS[number % len(BUDGETS)]), modules.get(area.id, 0))
        for number, area in enumerate(process.areas)
    ]


def play(state: Path, kassen: Sequence[Kasse], per_kasse: int, say: Callable[[str], None]) -> Outcome:
    """The year of these funds, in a folder that is emptied first."""
    days = plan(kassen, per_kasse)
    books = keep(days)
    with stage(state, {PROCESS: PREFIX}) as district, _log(state):
        for day in days:
            district.play(day)
            say(f"{german.day(day.date)}  {day.title}")
        district.run()
        found = desk.evaluate(district.house, PROCESS, datetime.now(UTC))
        wrong = [*_elsewhere(district, books), *_told_wrong(district, books), *_miscounted(found, books)]
        wrong += _points(district, books)
        return Outcome(books, found, district.failed, len(desk.points(district.house)), wrong)


def _elsewhere(district: Stage, books: Books) -> Iterator[str]:
    """What is not as the books say: in the ledger, in the e-file, in the budget system's own books."""
    process = read_process(ROOT, PROCESS)
    sums = {one.area: one for one in desk.sums(district.house, PROCESS)}
    for kasse, spent in books.sums.items():
        for where, amount in (("im Hauptbuch", sums[kasse.area].ours), ("im HKR", sums[kasse.area].theirs)):
            if amount != spent:
                yield f"{kasse.name}: {where} {german.euros(amount)}, erwartet {german.euros(spent)}"
    cases = {(idea.reference, idea.kasse.area): amount for idea, amount in books.commitments.items()}
    booked = sorted(in_the_books(district.state / "sandbox" / "hkr", process, cases))
    if booked != sorted((case, amount) for case, amount in cases.items() if amount):
        yield "Festlegungen im HKR: nicht die, die es sein müssen"
    filed = sorted(case for case, _ in in_the_efile(district.state / "sandbox" / "xta", process))
    if filed != sorted(cases):
        yield f"E-Akte: {len(filed)} Vorgänge, erwartet {len(cases)}, jeder einmal"


def _told_wrong(district: Stage, books: Books) -> Iterator[str]:
    """Who had an idea on the platform got one mail for everything new, and reads there what was decided last."""
    mails = Counter(int(mail["pk"]) for mail in district.mails())
    expected = {idea.pk: many for idea, many in books.told.items()}
    if mails != expected:
        differ = sorted(pk for pk in mails | expected if mails[pk] != expected.get(pk, 0))
        yield f"mein.berlin: {mails.total()} Mails, erwartet {sum(expected.values())}; zuerst {differ[:3]}"
    stands = {int(row["pk"]): row for row in district.proposals()}
    for idea in books.told:
        row, vote = stands[idea.pk], books.last[idea]
        granted = f"bewilligt: {german.euros(vote.amount)}" if vote.amount else ""
        if row["moderator_status"] != SHOWN[vote.word] or granted not in row["feedback"]:
            yield f"{idea.reference}: auf mein.berlin steht {row['moderator_status']}, beschlossen ist „{vote.word}“"


def _miscounted(found: desk.Evaluation, books: Books) -> Iterator[str]:
    whole, counts = found.areas[-1], books.counts()
    expected = {
        "cases": len(books.ideas),
        "granted": counts[Word.YES] + counts[Word.CUT],
        "refused": counts[Word.NO] + counts[Word.NOT_ELIGIBLE],
        "questioned": 0,
        "undecided": counts[None],
        "corrected": len(books.corrected),
        "granted_sum": sum(books.sums.values()),
    }
    for name, amount in expected.items():
        if getattr(whole, name) != amount:
            yield f"Auswertung, {name}: {getattr(whole, name)}, erwartet {amount}"


def _points(district: Stage, books: Books) -> Iterator[str]:
    """Every correction of what lies in the e-file already is a person's; nothing else is left for anybody."""
    open_points = desk.points(district.house)
    by_hand = [point for point in open_points if point.kind is Kind.FOLLOW_UP]
    if len(by_hand) != len(books.corrected) or len(open_points) != len(by_hand):
        yield f"Zu tun: {len(by_hand)} von Hand und {len(open_points)} im Ganzen, erwartet je {len(books.corrected)}"


def _told(outcome: Outcome) -> Iterator[str]:
    books = outcome.books
    ended = ", ".join(f"{many} {word or 'offen'}" for word, many in books.counts().items())
    ideas = german.count(len(books.ideas), "Vorschlag", "Vorschläge")
    kassen = german.count(len(books.sums), "Kiezkasse", "Kiezkassen")
    yield f"{ideas} in {kassen}, davon einmal bewilligt: {len(books.commitments)}"
    yield f"am Ende: {ended}"
    yield f"festgelegt {german.euros(sum(books.sums.values(), Decimal(0)))}"
    yield f"{german.count(outcome.failed, 'Schritt', 'Schritte')} nach einem Fehler wiederholt"
    mails = german.count(books.told.total(), "Mail", "Mails")
    yield f"{mails} an Menschen mit einer Idee auf der Plattform, eine für jede Neuigkeit"
    yield f"{german.count(outcome.points, 'Punkt', 'Punkte')} für einen Menschen; die Auswertung liegt in var/jahr"
    yield from (f"✗ {line}" for line in outcome.wrong)
    good = "Hauptbuch, E-Akte, HKR, mein.berlin und Auswertung stimmen mit den Büchern überein."
    yield "Nicht alles ist, wie es sein muss." if outcome.wrong else good


@contextmanager
def _log(state: Path) -> Iterator[None]:
    """What the software says of all the faults goes into a file, not onto the screen."""
    log, handler = logging.getLogger("kiezbruecke"), logging.FileHandler(state / "protokoll.log", encoding="utf-8")
    log.addHandler(handler)
    log.propagate = False
    try:
        yield
    finally:
        log.propagate = True
        log.removeHandler(handler)
        handler.close()


if __name__ == "__main__":
    sys.exit(main())
