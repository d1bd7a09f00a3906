"""The plan's places as the code sees them: each with conditions that are expressions over the code's variables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from kiezbruecke.mapping.compile.emit import NEVER, all_of, any_of
from kiezbruecke.mapping.plan import Instance, Spot


class Uncompilable(Exception):
    """The compiled form knows no straight way for this mapping; the interpreter writes it."""


@dataclass(eq=False)
class Printed(Spot):
    """A place with what decides, record by record, whether and how it is written.

    `alive`: something in it was read. `standing`: it has a value, read or constant. `opened`: a rule spoke about
    it. `members` is the variable with the finished elements where the place is one of `each`.
    """

    text: str = ""  # the variable with the text as it stands in the document
    constant: str | None = None  # the text, where it is known before any record
    alive_by: list[str] = field(default_factory=list)
    standing_by: list[str] = field(default_factory=list)
    opened_by: list[str] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)  # of blocks: they keep alive what stands in it
    members: str = ""

    def open(self, name: str, instance: Instance, depth: int = 0) -> Self:
        """The part of this name; raises Uncompilable where the target has none."""
        if name not in self.node.children:
            raise Uncompilable(f"'{self.path}' has no '{name}'")
        return super().open(name, instance, depth)

    def alive_if(self) -> str:
        """Whether anything in it was read."""
        below = self.alive_below_if()
        if not self.conditions:  # then nothing is held, and asking every part for it would ask twice on each level
            return any_of([*self.alive_by, below])
        held = all_of([any_of(self.conditions), any_of(part.holds_if() for part in self._all())])
        return any_of([*self.alive_by, below, held])

    def alive_below_if(self) -> str:
        """Whether anything in a part of it was read."""
        return any_of(part.alive_if() for part in self._all())

    def holds_if(self) -> str:
        """Whether a value stands in it, be it a constant: its own, or one that only mandatory parts stand around."""
        inner = NEVER if self.node.optional else any_of(part.holds_if() for part in self._all())
        return any_of([self.wanted_if(), inner])

    def wanted_if(self) -> str:
        """Whether it is written even if the schema could do without it."""
        return any_of([*self.standing_by, self.alive_if()])

    def opened_if(self) -> str:
        """Whether a rule spoke about it or about a part of it."""
        return any_of([*self.opened_by, *(part.opened_if() for part in self._all())])

    @property
    def has_value(self) -> bool:
        """Whether rules give it a text of its own."""
        return bool(self.text) or self.constant is not None
