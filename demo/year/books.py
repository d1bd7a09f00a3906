"""The books of the year, kept by hand from what people did: no line of the software has a part in them.

Whoever reads a decision sheet knows the rules: the last line about a proposal counts, a withdrawal gives the money
back, a frozen fund pays nothing out until it is free again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from demo.year.story import Day, Idea, Kasse, Vote, Word

ZERO = Decimal(0)


@dataclass
class Books:
    """What must have come out at the end of a year."""

    last: dict[Idea, Vote] = field(default_factory=dict)
    granted_once: set[Idea] = field(default_factory=set)  # got a file, whatever came later
    told: Counter[Idea] = field(default_factory=Counter)  # what people of an idea on the platform heard, how often
    corrected: set[Idea] = field(default_factory=set)  # a line about it puts right what was granted
    ideas: set[Idea] = field(default_factory=set)
    budgets: dict[Kasse, Decimal] = field(default_factory=dict)

    @property
    def sums(self) -> dict[Kasse, Decimal]:
        """What each fund has granted and not taken back."""
        found: dict[Kasse, Decimal] = dict.fromkeys(self.budgets, ZERO)
        for idea, vote in self.last.items():
            found[idea.kasse] += vote.amount or ZERO
        return found

    @property
    def commitments(self) -> dict[Idea, Decimal]:
        """What stands in the budget system: zero for what was taken back."""
        return {idea: self.last[idea].amount or ZERO for idea in self.granted_once}

    def counts(self, process: str = "") -> Counter[Word | None]:
        """How many proposals, of a process or of all, ended with which word; None: nobody has decided."""
        of = [idea for idea in self.ideas if process in ("", idea.kasse.process)]
        return Counter(self.last[idea].word if idea in self.last else None for idea in of)


def keep(days: Iterable[Day]) -> Books:
    """The books of these days."""
    books = Books()
    for day in days:
        for grant in day.grants:
            books.budgets[grant.kasse] = grant.amount
        books.ideas.update(day.ideas)
        for _, votes in day.sheets:
            _enter(books, votes)
    _audit(books)
    return books


def _enter(books: Books, votes: Sequence[Vote]) -> None:
    for vote in votes:
        books.ideas.add(vote.idea)
        books.last[vote.idea] = vote
        if vote.correction:
            books.corrected.add(vote.idea)
        if vote.word.grants:
            books.granted_once.add(vote.idea)
        if vote.idea.pk:
            books.told[vote.idea] += 1  # every line says something new: another word, sum or day


def _audit(books: Books) -> None:
    """A story that spends more than there is would prove nothing."""
    for kasse, spent in books.sums.items():
        assert spent <= books.budgets[kasse], f"{kasse.name}: {spent} of {books.budgets[kasse]}"
