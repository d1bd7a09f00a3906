"""The places that rules speak about, known before any record: the static shadow of a draft."""

from __future__ import annotations

from dataclasses import dataclass, field

from kiezbruecke.mapping.compile.emit import NEVER, all_of, any_of
from kiezbruecke.mapping.schema.tree import Node


class Uncompilable(Exception):
    """The compiled form knows no straight way for this mapping; the interpreter writes it."""


@dataclass(eq=False)
class PlannedNode:
    """One place of the target as the code sees it: conditions are expressions over the code's variables.

    `alive`: something in it was read. `standing`: it has a value, read or constant. `opened`: a rule spoke about
    it. `members` is the variable with the finished elements where the place is one of `each`.
    """

    node: Node
    path: str
    number: int = 1
    text: str = ""  # the variable with the text as it stands in the document
    alive_by: list[str] = field(default_factory=list)
    standing_by: list[str] = field(default_factory=list)
    opened_by: list[str] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)  # of blocks: they keep alive what stands in it
    members: str = ""
    parts: dict[str, list[PlannedNode]] = field(default_factory=dict)
    constant: str | None = None  # the text, where it is known before any record

    def open(self, name: str, number: int) -> PlannedNode:
        """The static part of this name and number, made where it is not there yet."""
        found = self.parts.setdefault(name, [])
        for place in found:
            if place.number == number and not place.members:
                return place
        found.append(self._below(name, number))
        return found[-1]

    def open_members(self, name: str, number: int, members: str) -> PlannedNode:
        """The place of one `each`."""
        found = self._below(name, number)
        found.members = members
        self.parts.setdefault(name, []).append(found)
        return found

    def of(self, name: str) -> list[PlannedNode]:
        """The parts of a name in the order of their numbers."""
        return sorted(self.parts.get(name, []), key=lambda place: place.number)

    def alive(self) -> str:
        """Whether anything in it was read."""
        held = all_of([any_of(self.conditions), any_of(part.wanted() for part in self._parts())])
        return any_of([*self.alive_by, self.alive_below(), held])

    def alive_below(self) -> str:
        """Whether anything in a part of it was read."""
        return any_of(part.alive() for part in self._parts())

    def wanted(self) -> str:
        """Whether it is written even if the schema could do without it."""
        return any_of([*self.standing_by, self.alive()])

    def opened(self) -> str:
        """Whether a rule spoke about it or about a part of it."""
        return any_of([*self.opened_by, *(part.opened() for parts in self.parts.values() for part in parts)])

    @property
    def has_value(self) -> bool:
        """Whether rules give it a text of its own."""
        return bool(self.text) or self.constant is not None

    def _parts(self) -> list[PlannedNode]:
        return [] if self.members else [part for found in self.parts.values() for part in found]

    def _below(self, name: str, number: int) -> PlannedNode:
        if name not in self.node.children:
            raise Uncompilable(f"'{self.path}' has no '{name}'")
        shown = name if number == 1 else f"{name}[{number}]"
        return PlannedNode(self.node.children[name], f"{self.path}/{shown}" if self.path else shown, number)


def none_of(condition: str) -> str:
    """The opposite, folded."""
    return {"True": NEVER, "False": "True"}.get(condition, f"not ({condition})")
