"""Where the checks write what they find, and what they remember of the rules on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kiezbruecke.mapping.interpret.draft import NodeDraft
from kiezbruecke.mapping.language.definition import Rule, When
from kiezbruecke.mapping.language.findings import Finding, Place, Severity
from kiezbruecke.mapping.schema.models import Type
from kiezbruecke.mapping.schema.tree import Node, nodes

_DEEPEST = 12


@dataclass
class CheckReport:
    """The findings so far; `rule` is the full target path of the rule that is being looked at."""

    findings: dict[Finding, None] = field(default_factory=dict)  # each once, in their order
    rule: str = ""

    def error(self, place: Place, code: str, message: str, expected: str, helps: str = "") -> None:
        """A mistake: the mapping is not loaded."""
        self._add(place, code, message, expected, helps, "error")

    def warning(self, place: Place, code: str, message: str, expected: str, helps: str = "") -> None:
        """A risk, or something that changes nothing: the mapping is loaded."""
        self._add(place, code, message, expected, helps, "warning")

    def _add(self, place: Place, code: str, message: str, expected: str, helps: str, severity: Severity) -> None:
        found = Finding(place, code, message, self.rule, expected, helps, severity)
        self.findings[found] = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """A rule that fills a place, and every condition it stands under, the outermost first."""

    rule: Rule
    conditions: tuple[When, ...]


@dataclass
class Notes:
    """Who speaks about which place, and under which conditions the place itself is opened.

    Drafts are known by their identity; they live as long as the check.
    """

    spoken: dict[int, list[Spoken]] = field(default_factory=dict)
    depth: dict[int, int] = field(default_factory=dict)
    blocks: dict[int, list[Spoken]] = field(default_factory=dict)  # blocks with a condition of their own
    arrived: dict[Place, Type] = field(default_factory=dict)  # by rule: what it gives
    asked: dict[Place, Type] = field(default_factory=dict)  # by condition: the type of what it asks
    doubtful: set[Place] = field(default_factory=set)  # conditions that have a finding of their own
    beside: dict[Place, str] = field(default_factory=dict)  # by rule: the path of the block that it stands in
    inside: dict[Place, str] = field(default_factory=dict)  # by rule that is a block: its own path
    members: dict[Place, Type] = field(default_factory=dict)  # by rule: the list that its `each` goes through
    missing: dict[str, Node] = field(default_factory=dict)  # by path: mandatory places without a rule
    always: str = ""  # a source path that is always there

    def below(self, draft: NodeDraft) -> Iterator[Spoken]:
        """Everything that fills the place or a part of it."""
        yield from self.spoken.get(id(draft), ())
        for instances in draft.parts.values():
            for part in instances.values():
                yield from self.below(part)

    def rule_at(self, place: Place, path: str, node: Node | None = None) -> str:
        """A rule for a path as it is pasted at a place: into the block there, or beside the rule there.

        `node` stands at the path: where it takes no value itself, the rule is one for what must stand in it.
        """
        above = (found for found in (self.inside.get(place, ""), self.beside.get(place, "")) if found)
        below = next((path.removeprefix(f"{one}/") for one in above if path.startswith(f"{one}/")), path)
        leaf, origin = _fillable(node) if node is not None else ("", "from: …")
        below += leaf
        return f"- {{target: {_quoted(below)}, {origin}}}"

    def own_conditions(self, owner: NodeDraft, spoken: Spoken) -> tuple[When, ...]:
        """The conditions of a rule beyond those under which its owner is opened at all."""
        return spoken.conditions[self.depth.get(id(owner), 0) :]


def _fillable(node: Node) -> tuple[str, str]:
    """The way from a node down to the first mandatory leaf, and what a rule says there."""
    way = ""
    for _ in range(_DEEPEST):
        if node.leaf is not None:
            return way, "from: …"
        if "code" in node.children and "@listURI" in node.children:
            return way, "code: {list: …, value: …}"
        below = list(nodes(node.content.group))
        inner = next((one for one in below if not one.optional), below[0] if below else None)
        if inner is None:
            return way, "from: …"
        node, way = inner, f"{way}/{inner.name}"
    return way, "from: …"


def _quoted(path: str) -> str:
    """A target path as YAML needs it inside of `{…}`."""
    return f'"{path}"' if "[" in path or path.startswith("@") else path
