"""What happens in a year, day by day: ideas, statements, assemblies, corrections, a freeze and a cut. All invented.

    plan(kassen) ──▶ Day, Day, …      each with what people do on it
                 └─▶ books.py          what must come out, kept from the same days and without this software

Fixed chance: the same year at every run.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

SEED = "kiezbruecke-ein-jahr"
YEAR = 2026
_CENT = Decimal("0.01")


class Word(StrEnum):
    """The words of the decision sheet."""

    YES = "angenommen"
    CUT = "angenommen (gekürzt)"
    NO = "abgelehnt"
    NOT_ELIGIBLE = "nicht förderfähig"
    WAITING = "Warteliste"
    PASSED_ON = "weitergeleitet"
    LATER = "vertagt"
    WITHDRAWN = "zurückgezogen"

    @property
    def grants(self) -> bool:
        """Whether it moves money."""
        return self in (Word.YES, Word.CUT)


@dataclass(frozen=True)
class Kasse:
    """One neighbourhood's fund: where it is, how much it has, and its module on the platform (0: paper only)."""

    process: str
    area: str
    name: str
    budget: Decimal
    module: int = 0


@dataclass(frozen=True)
class Idea:
    """A proposal: `pk` on the platform, or a number on paper."""

    kasse: Kasse
    pk: int
    paper: str
    title: str
    asked: Decimal

    @property
    def reference(self) -> str:
        """As it stands in sheets."""
        return self.paper or f"{YEAR}-{self.pk:05d}"


@dataclass(frozen=True)
class Vote:
    """One line of a decision sheet."""

    idea: Idea
    word: Word
    amount: Decimal | None = None
    reason: str = ""
    rank: int | None = None
    correction: bool = False


@dataclass(frozen=True)
class Grant:
    """One line of a budget sheet."""

    kasse: Kasse
    amount: Decimal
    status: str
    reason: str = ""


@dataclass(frozen=True)
class Day:
    """What people do on one day, in this order; the routes run afterwards."""

    date: date
    title: str
    grants: Sequence[Grant] = ()
    ideas: Sequence[Idea] = ()
    statements: Mapping[int, str] = field(default_factory=dict)  # pk → status that the offices give
    sheets: Sequence[tuple[Kasse, Sequence[Vote]]] = ()


_THINGS = (
    "Bank", "Hochbeet", "Sommerfest", "Fahrradständer", "Bücherschrank", "Spielgerät", "Vogelhäuser", "Chorprobe",
    "Werkzeugkiste", "Lesenacht", "Turngeräte", "Beleuchtung", "Schautafel", "Pflanzaktion",
)  # fmt: skip
_PLACES = (
    "am Platz",
    "im Park",
    "für die Schule",
    "am Ufer",
    "im Nachbarschaftsheim",
    "am Sportplatz",
    "in der Bibliothek",
)
_REASONS = {
    Word.CUT: "Die Mittel reichen nicht für die volle Summe.",
    Word.NO: "Keine Mehrheit.",
    Word.NOT_ELIGIBLE: "Aufgabe des Grundstückseigentümers.",
    Word.WAITING: "Nachrücker, falls Mittel frei bleiben.",
    Word.PASSED_ON: "Zuständig ist eine andere Stelle.",
    Word.LATER: "Der Kostenplan fehlt.",
}


def plan(kassen: Sequence[Kasse], per_kasse: int) -> list[Day]:
    """The year of these funds, with so many proposals each."""
    chance = random.Random(SEED)  # noqa: S311 - no secret
    ideas = {kasse: list(_ideas(chance, kasse, per_kasse)) for kasse in kassen}
    first = {kasse: _assembly(chance, kasse, ideas[kasse]) for kasse in kassen}
    return [
        Day(date(YEAR, 1, 12), "Budgets sind bekannt", [Grant(kasse, kasse.budget, "geplant") for kasse in kassen]),
        Day(date(YEAR, 2, 2), "Budgets sind frei", [Grant(kasse, kasse.budget, "freigegeben") for kasse in kassen]),
        *_gathering(kassen, ideas),
        *_sittings(kassen, first),
        *_summer(chance, kassen, first),
        *_autumn(kassen, first),
    ]


def _ideas(chance: random.Random, kasse: Kasse, many: int) -> Iterator[Idea]:
    """Two of three on the platform where there is a module; the rest by post and in the room."""
    for number in range(1, many + 1):
        title = f"{chance.choice(_THINGS)} {chance.choice(_PLACES)} ({kasse.name} {number})"
        asked = Decimal(chance.randint(5, 120) * 10)
        on_platform = kasse.module and number % 3
        pk = kasse.module * 1000 + number if on_platform else 0
        yield Idea(kasse, pk, "" if on_platform else f"P-{number}", title, asked)


def _gathering(kassen: Sequence[Kasse], ideas: Mapping[Kasse, Sequence[Idea]]) -> Iterator[Day]:
    """Ideas come in from February on; in March the offices say what they think of them."""
    digital = [idea for kasse in kassen for idea in ideas[kasse] if idea.pk]
    for week, when in enumerate((date(YEAR, 2, 9), date(YEAR, 2, 23), date(YEAR, 3, 9))):
        yield Day(when, f"Ideen, {week + 1}. Woche", ideas=digital[week::3])
    said = {idea.pk: "QUALIFIED" if number % 4 else "CONSIDERATION" for number, idea in enumerate(digital)}
    yield Day(date(YEAR, 3, 23), "Stellungnahmen der Fachämter", statements=said)


def _assembly(chance: random.Random, kasse: Kasse, ideas: Sequence[Idea]) -> list[Vote]:
    """The votes of an assembly: money for as long as there is some, then a waiting list. Never more than there is."""
    left, rank, votes = kasse.budget * Decimal("0.9"), 0, []
    for idea in chance.sample(ideas, len(ideas)):
        word = chance.choices(
            (Word.YES, Word.CUT, Word.NO, Word.NOT_ELIGIBLE, Word.PASSED_ON, Word.LATER), (50, 20, 12, 8, 5, 5)
        )[0]
        amount = None
        if word.grants:
            amount = (
                idea.asked if word is Word.YES else (idea.asked * Decimal(chance.randint(40, 90)) / 100).quantize(_CENT)
            )
            if amount > left:
                word, amount, rank = Word.WAITING, None, rank + 1
            else:
                left -= amount
        votes.append(Vote(idea, word, amount, _REASONS.get(word, ""), rank if word is Word.WAITING else None))
    return votes


def _sittings(kassen: Sequence[Kasse], first: Mapping[Kasse, Sequence[Vote]]) -> Iterator[Day]:
    """An assembly per fund, four a week from the end of April on; the sheet is put in on the same day."""
    for number in range(0, len(kassen), 4):
        when = date(YEAR, 4, 20) + timedelta(days=7 * (number // 4))
        yield Day(when, "Versammlungen", sheets=[(kasse, first[kasse]) for kasse in kassen[number : number + 4]])


def _summer(chance: random.Random, kassen: Sequence[Kasse], first: Mapping[Kasse, list[Vote]]) -> Iterator[Day]:
    """Sums are put right, two withdraw, half of the funds are frozen, and one budget is cut."""
    corrected = []
    for kasse in kassen[::3]:
        granted = [vote for vote in first[kasse] if vote.word.grants and vote.amount and vote.amount > 50]
        for vote, how in zip(chance.sample(granted, min(2, len(granted))), ("sum", "withdrawn"), strict=False):
            corrected.append((kasse, [_put_right(vote, how)]))
    yield Day(date(YEAR, 6, 22), "Berichtigungen", sheets=corrected)
    frozen = kassen[1::2]
    yield Day(
        date(YEAR, 7, 1), "Haushaltssperre", [Grant(one, one.budget, "gesperrt", "Haushaltssperre") for one in frozen]
    )
    cut = kassen[0]
    spent = cut.budget * Decimal("0.95")
    yield Day(date(YEAR, 8, 3), "Kürzung", [Grant(cut, spent.quantize(Decimal(1)), "freigegeben", "Kürzung um 5 %")])


def _put_right(vote: Vote, how: str) -> Vote:
    assert vote.amount is not None
    if how == "sum":
        amount = (vote.amount * Decimal("0.75")).quantize(_CENT)
        return replace(vote, word=Word.CUT, amount=amount, reason="Rechenfehler in der ersten Liste.", correction=True)
    return replace(vote, word=Word.WITHDRAWN, amount=None, reason="Vom Verein zurückgezogen.", correction=True)


def _autumn(kassen: Sequence[Kasse], first: Mapping[Kasse, Sequence[Vote]]) -> Iterator[Day]:
    """Second assemblies in September: those on the waiting list move up, as far as the rest of the money goes."""
    second = [(kasse, votes) for kasse in kassen if (votes := list(_moving_up(kasse, first[kasse])))]
    yield Day(date(YEAR, 9, 7), "Zweite Versammlungen", sheets=second)
    yield Day(
        date(YEAR, 10, 1),
        "Die Sperre ist aufgehoben",
        [Grant(kasse, kasse.budget, "freigegeben", "Sperre aufgehoben") for kasse in kassen[1::2]],
    )


def _moving_up(kasse: Kasse, votes: Sequence[Vote]) -> Iterator[Vote]:
    left = kasse.budget * Decimal("0.04")  # less than the cut has left, whatever was put right
    for vote in sorted((one for one in votes if one.rank), key=lambda one: one.rank or 0):
        amount = min(vote.idea.asked, left.quantize(_CENT))
        if amount >= 20:
            left -= amount
            word = Word.YES if amount == vote.idea.asked else Word.CUT
            yield Vote(vote.idea, word, amount, f"Nachgerückt von Platz {vote.rank}.")
