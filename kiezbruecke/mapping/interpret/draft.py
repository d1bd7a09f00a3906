"""A draft: one element, record or row in the making, with what keeps it alive.

A constant does not keep an optional parent alive: a missing address must not leave a field that names it.
So a draft knows two things: `live` – something in it was read; `standing` – it is itself a constant or a code
and stands where its parent stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from kiezbruecke.errors import RecordError
from kiezbruecke.mapping.language.definition import Rule
from kiezbruecke.mapping.plan import Bound, Instance
from kiezbruecke.mapping.schema.tree import Node
from kiezbruecke.mapping.values import Unusable
from kiezbruecke.mapping.wording import UNSAID, Wording


@dataclass(eq=False)
class NodeDraft:
    """A node being filled. `by` is the last rule that spoke about this very place; `opened`: the condition of a block
    was met; `nil`: nothing stands there, and the message says so.
    """

    node: Node
    path: str = ""
    by: Bound | None = None
    value: Any = None
    live: bool = False
    standing: bool = False
    opened: bool = False
    nil: bool = False
    parts: dict[str, dict[Instance, NodeDraft]] = field(default_factory=dict)

    def open(self, name: str, instance: Instance) -> NodeDraft:
        """The part of this name, made where it is not there yet."""
        found = self.parts.setdefault(name, {})
        if instance not in found:
            shown = name if instance.number == 1 else f"{name}[{instance.number}]"
            found[instance] = NodeDraft(self.node.children[name], f"{self.path}/{shown}" if self.path else shown)
        return found[instance]

    def of(self, name: str) -> list[NodeDraft]:
        """The parts of a name in the order of their numbers."""
        found = self.parts.get(name, {})
        return [found[instance] for instance in sorted(found, key=lambda instance: instance.number)]

    def numbered(self, name: str) -> list[tuple[int, NodeDraft]]:
        """The parts of a name with their numbers: those of the paths, or of the members of an `each`; from 1."""
        found = sorted(self.parts.get(name, {}).items(), key=lambda one: one[0].number)
        return [(instance.index if instance.rule else instance.number, part) for instance, part in found]

    def alive(self) -> bool:
        """Whether anything in it was read. A block's condition keeps alive what stands in it, be it constants alone."""
        return (
            self.live
            or any(part.alive() for part in self._all())
            or (self.opened and any(part.wanted() for part in self._all()))
        )

    def wanted(self) -> bool:
        """Whether it is written even if the schema could do without it."""
        return self.standing or self.alive()

    def told(self) -> Iterator[Bound]:
        """Every rule that spoke about this draft or a part of it."""
        if self.by:
            yield self.by
        for part in self._all():
            yield from part.told()

    def problem(self, problem: Wording, expected: Wording = UNSAID, file: str = "") -> Unwritable:
        """The error at this place, and at the first rule that spoke about it."""
        one = next(self.told(), None)
        return Unwritable(one.rule if one else None, self.path, Unusable(problem, expected), file)

    def _all(self) -> Iterator[NodeDraft]:
        for instances in self.parts.values():
            yield from instances.values()


def placed(draft: NodeDraft, steps: Sequence[tuple[str, int]]) -> NodeDraft:
    """The draft at a place of the message – local names and numbers, as XML counts them –, as deep as one is there."""
    for name, number in steps:
        found = [part for child in draft.parts if draft.node.children[child].local == name for part in draft.of(child)]
        written = [part for part in found if part.wanted()] or found
        if not written:
            break
        draft = written[min(number, len(written)) - 1]
    return draft


class Unwritable(RecordError):
    """The error that names target, rule and source – never the value – and keeps each of them by itself."""

    def __init__(self, rule: Rule | None, path: str, unusable: Unusable, file: str = "") -> None:
        self.rule, self.path, self.unusable = rule, path, unusable
        origin = f"Quelle: {rule.origin}" if rule else "ohne Regel"
        where = f"{rule.place.file}:{rule.place.line}" if rule else file
        super().__init__(f"'{path}' ({origin}): {unusable}", where=where)
