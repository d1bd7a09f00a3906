"""A year of twenty Kiezkassen in minutes: played with the real software, compared with books that it has no part in.

story ─┬─▶ stage: sheets, platform, routes, sandboxes that go wrong ─▶ what the ledger, the e-file, the HKR hold
       └─▶ books: by hand                                            ─▶ what they must hold

and then a year of money (`paying.py`): the demonstration's twenty budgets, from the vote to the settlement.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from demo import ROOT, STATE
from demo.expected import in_the_books, in_the_efile
from demo.processes import only_one
from demo.world import Teller
from demo.year.books import Books, keep
from demo.year.paying import PER_AREA, settle, told
from demo.year.stage import District, Stage, logged, stage
from demo.year.story import Kasse, Word, plan
from demo.year.till import budgets
from kiezbruecke import desk, german
from kiezbruecke.content.processes import read_process
from kiezbruecke.desk.evaluation_files import as_page, as_workbook
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.ledger.todo import Kind
from kiezbruecke.machine import write_file
from kiezbruecke.privacy import keep_private

DISTRICTS = (District("kk-tk-2026", "kk-tk", "tk"), District("kf-li-2026", "kf-li", "li"))
IN_EACH = (16, 4)  # funds: the second district is small and decides on paper
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
    found: Sequence[desk.Evaluation]  # one per process
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
            settled = settle(STATE / "jahr-geld", budgets(), PER_AREA, teller.say)
    except KiezbrueckeError as error:
        teller.say(f"{error.code} {error}")
        return 1
    for found in outcome.found:
        write_file(STATE / "jahr" / f"auswertung-{found.process}.xlsx", as_workbook(found))
        write_file(STATE / "jahr" / f"auswertung-{found.process}.html", as_page(found))
    for line in (*_told(outcome), *told(settled)):
        teller.say(line)
    return 1 if outcome.wrong or settled.wrong else 0


def funds() -> list[Kasse]:
    """Kiezkassen of one district, five of them on the platform, and the Kiezfonds of another."""
    return [
        kasse for district, many in zip(DISTRICTS, IN_EACH, strict=True) for kasse in _funds_of(district.process)[:many]
    ]


def _funds_of(process_id: str) -> list[Kasse]:
    """One for each area; those that stand on the platform first."""
    process = read_process(ROOT, process_id)
    modules = {module.area: module.id for module in process.modules}
    found = [
        Kasse(process.id, area.id, area.name, Decimal(BUDGETS[number % len(BUDGETS)]), modules.get(area.id, 0))
        for number, area in enumerate(process.areas)
    ]
    return sorted(found, key=lambda kasse: not kasse.module)


def play(state: Path, kassen: Sequence[Kasse], per_kasse: int, say: Callable[[str], None]) -> Outcome:
    """The year of these funds, in a folder that is emptied first."""
    days = plan(kassen, per_kasse)
    books = keep(days)
    with stage(state, DISTRICTS) as world, logged(state):
        for day in days:
            world.play(day)
            say(f"{german.day(day.date)}  {day.title}")
        world.run()
        found = [desk.evaluate(world.house, one.process, datetime.now(UTC)) for one in DISTRICTS]
        wrong = [line for one in DISTRICTS for line in _elsewhere(world, one, books)]
        wrong += [line for one in found for line in _miscounted(one, books)]
        wrong += [*_told_wrong(world, books), *_points(world, books)]
        return Outcome(books, found, world.failed, len(desk.points(world.house)), wrong)


def _elsewhere(world: Stage, district: District, books: Books) -> Iterator[str]:
    """What is not as the books say: in the ledger, in the e-file, in the budget system's own books."""
    process, sandboxes = read_process(ROOT, district.process), world.state / "sandbox"
    sums = {one.area: one for one in desk.sums(world.house, process.id)}
    for kasse, spent in books.sums.items():
        if kasse.process != process.id:
            continue
        for where, amount in (("im Hauptbuch", sums[kasse.area].ours), ("im HKR", sums[kasse.area].theirs)):
            if amount != spent:
                yield f"{kasse.name}: {where} {german.euros(amount)}, erwartet {german.euros(spent)}"
    cases = {
        (idea.reference, idea.kasse.area): amount
        for idea, amount in books.commitments.items()
        if idea.kasse.process == process.id
    }
    booked = sorted(in_the_books(sandboxes / f"hkr-{district.code}", process, cases))
    if booked != sorted((case, amount) for case, amount in cases.items() if amount):
        yield f"{process.name}: Festlegungen im HKR nicht die, die es sein müssen"
    filed = sorted(case for case, _ in in_the_efile(sandboxes / f"xta-{district.code}", process))
    if filed != sorted(cases):
        yield f"E-Akte: {len(filed)} Vorgänge, erwartet {len(cases)}, jeder einmal"


def _told_wrong(world: Stage, books: Books) -> Iterator[str]:
    """Who had an idea on the platform got one mail for everything new, and reads there what was decided last."""
    mails = Counter(int(mail["pk"]) for mail in world.mails())
    expected = {idea.pk: many for idea, many in books.told.items()}
    if mails != expected:
        differ = sorted(pk for pk in mails | expected if mails[pk] != expected.get(pk, 0))
        yield f"mein.berlin: {mails.total()} Mails, erwartet {sum(expected.values())}; zuerst {differ[:3]}"
    stands = {int(row["pk"]): row for row in world.proposals()}
    for idea in books.told:
        row, vote = stands[idea.pk], books.last[idea]
        granted = f"bewilligt: {german.euros(vote.amount)}" if vote.amount else ""
        if row["moderator_status"] != SHOWN[vote.word] or granted not in row["feedback"]:
            yield f"{idea.reference}: auf mein.berlin steht {row['moderator_status']}, beschlossen ist „{vote.word}“"


def _miscounted(found: desk.Evaluation, books: Books) -> Iterator[str]:
    whole, counts = found.areas[-1], books.counts(found.process)
    expected = {
        "cases": counts.total(),
        "granted": counts[Word.YES] + counts[Word.CUT],
        "refused": counts[Word.NO] + counts[Word.NOT_ELIGIBLE],
        "questioned": 0,
        "undecided": counts[None],
        "corrected": len([idea for idea in books.corrected if idea.kasse.process == found.process]),
        "granted_sum": sum(spent for kasse, spent in books.sums.items() if kasse.process == found.process),
    }
    for name, amount in expected.items():
        if getattr(whole, name) != amount:
            yield f"{found.process}, Auswertung, {name}: {getattr(whole, name)}, erwartet {amount}"


def _points(world: Stage, books: Books) -> Iterator[str]:
    """Every correction of what lies in the e-file already is a person's; nothing else is left for anybody."""
    open_points = desk.points(world.house)
    by_hand = [point for point in open_points if point.kind is Kind.FOLLOW_UP]
    if len(by_hand) != len(books.corrected) or len(open_points) != len(by_hand):
        yield f"Zu tun: {len(by_hand)} von Hand und {len(open_points)} im Ganzen, erwartet je {len(books.corrected)}"


def _told(outcome: Outcome) -> Iterator[str]:
    books = outcome.books
    ended = ", ".join(f"{many} {word or 'offen'}" for word, many in books.counts().items())
    ideas = german.count(len(books.ideas), "Vorschlag", "Vorschläge")
    kassen = german.count(len(books.sums), "Kiezkasse oder Kiezfonds", "Kiezkassen und Kiezfonds")
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


if __name__ == "__main__":
    sys.exit(main())
