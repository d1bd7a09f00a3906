"""A draft: one element, record or row in the making, with what keeps it alive.

A constant does not keep an optional parent alive: a missing address must not leave a field that names it.
So a draft knows two things: `live` – something in it was read; `standing` – it is itself a constant or a code
and stands where its parent stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kiezbruecke.errors import RecordError
from kiezbruecke.mapping.interpret.sources import ReadFrom
from kiezbruecke.mapping.language.definition import Rule
from kiezbruecke.mapping.plan import Bound, Instance
from kiezbruecke.mapping.schema.tree import Node
from kiezbruecke.mapping.values import Unusable, is_nothing
from kiezbruecke.mapping.wording import UNSAID, Wording


@dataclass(eq=False)
class NodeDraft:
    """A node being filled. `by` is the last rule that spoke about this very place, `origin` where it read; `opened`:
    the condition of a block was met; `nil`: nothing stands there, and the message says so. `at` is the path with the
    members' numbers, too.
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
    at: str = ""
    origin: ReadFrom | None = None

    def open(self, name: str, instance: Instance) -> NodeDraft:
        """The part of this name, made where it is not there yet."""
        found = self.parts.setdefault(name, {})
        if instance not in found:
            shown = name if instance.number == 1 else f"{name}[{instance.number}]"
            found[instance] = self.unspoken(self.node.children[name], shown)
            if instance.rule:
                found[instance].at = _below(self.at, f"{name}[{instance.index}]")
        return found[instance]

    def unspoken(self, node: Node, shown: str = "") -> NodeDraft:
        """A part of which no rule has spoken yet."""
        shown = shown or node.name
        return NodeDraft(node, _below(self.path, shown), at=_below(self.at, shown))

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
            or (self.opened and any(part.holds() for part in self._all()))
        )

    def holds(self) -> bool:
        """Whether a value stands in it, be it a constant: its own, or one that only mandatory parts stand around."""
        return self.wanted() or (not self.node.optional and any(part.holds() for part in self._all()))

    def wanted(self) -> bool:
        """Whether it is written even if the schema could do without it."""
        return self.standing or self.alive()

    def singly(self) -> Iterator[NodeDraft]:
        """A draft of several values, one by one, each with the number that it was read with; one of one is itself."""
        if not (isinstance(self.value, list | tuple) and self.node.repeats):
            yield self
            return
        count = len(self.value)
        for number, value in enumerate(self.value, 1):
            if not is_nothing(value):
                origin = self.origin and replace(self.origin, count=count, number=number)
                yield replace(self, value=value, origin=origin)

    def problem(self, problem: Wording, expected: Wording = UNSAID, file: str = "") -> Unwritable:
        """The error at this place, and at the first rule that spoke about it."""
        one = next(self._spoken(), self)
        return self.unwritable(one.by, one.origin, Unusable(problem, expected), file)

    def unwritable(self, by: Bound | None, origin: ReadFrom | None, unusable: Unusable, file: str = "") -> Unwritable:
        """The error of a rule about this place; `origin` is where it read."""
        error = Unwritable(by, self.path, unusable, file)
        error.target, error.source = self.at or self.path, str(origin) if origin else ""
        return error

    def _spoken(self) -> Iterator[NodeDraft]:
        """This draft and its parts, as far as a rule spoke about them."""
        if self.by:
            yield self
        for part in self._all():
            yield from part._spoken()  # noqa: SLF001 - its own kind

    def _all(self) -> Iterator[NodeDraft]:
        for instances in self.parts.values():
            yield from instances.values()


def _below(above: str, name: str) -> str:
    return f"{above}/{name}" if above else name


def placed(draft: NodeDraft, steps: Sequence[tuple[str, int]]) -> NodeDraft:
    """The draft at a place of the message – local names and numbers, as XML counts them –, as deep as one is there."""
    for name, number in steps:
        found = [
            part for child in draft.parts if _spelled(draft.node.children[child]) == name for part in draft.of(child)
        ]
        written = [one for part in found if part.wanted() for one in part.singly()] or found
        if not written:
            break
        draft = written[min(number, len(written)) - 1]
    return draft


def _spelled(node: Node) -> str:
    """The name of a place in the message: local, an attribute's with its @."""
    return f"@{node.local}" if node.name.startswith("@") else node.local


class Unwritable(RecordError):
    """The error that names target, rule and source – never the value – and keeps each of them by itself.

    `target` and `source` are the paths with the numbers of members; no source where none was read.
    """

    target, source = "", ""

    def __init__(self, by: Bound | None, path: str, unusable: Unusable, file: str = "") -> None:
        self.by, self.path, self.unusable = by, path, unusable
        rule = self.rule
        origin = f"Quelle: {rule.origin}" if rule else "ohne Regel"
        where = f"{rule.place.file}:{rule.place.line}" if rule else file
        super().__init__(f"'{path}' ({origin}): {unusable}", where=where)

    @property
    def rule(self) -> Rule | None:
        """The rule as it stands in the file."""
        return self.by.rule if self.by else None
