"""Where the checks write what they find, and what they remember of the rules on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from kiezbruecke.mapping.language.definition import When
from kiezbruecke.mapping.language.findings import Finding, Place, Severity
from kiezbruecke.mapping.plan import Bound, Spot
from kiezbruecke.mapping.schema.models import Type
from kiezbruecke.mapping.schema.tree import Node, nodes

_DEEPEST = 12


@dataclass
class CheckReport:
    """The findings so far; `rule` is the full target path of the rule that is being looked at, `number` its number."""

    findings: dict[Finding, None] = field(default_factory=dict)  # each once, in their order
    rule: str = ""
    number: int = 0
    wrong: set[int] = field(default_factory=set)  # the numbers of rules with an error

    def take(self, findings: Iterable[Finding]) -> None:
        """What binding has found; no rule has been looked at yet."""
        self.findings |= dict.fromkeys(findings)

    def error(self, place: Place, code: str, message: str, expected: str, helps: str = "") -> None:
        """A mistake: the mapping is not loaded."""
        self._add(place, code, message, expected, helps, "error")

    def warning(self, place: Place, code: str, message: str, expected: str, helps: str = "") -> None:
        """A risk, or something that changes nothing: the mapping is loaded."""
        self._add(place, code, message, expected, helps, "warning")

    def _add(self, place: Place, code: str, message: str, expected: str, helps: str, severity: Severity) -> None:
        found = Finding(place, code, message, self.rule, expected, helps, severity)
        self.wrong |= {self.number} if severity == "error" else set()
        self.findings[found] = None


@dataclass
class Notes:
    """What the judgement of the whole must know of the single rules."""

    asked: dict[Place, Type] = field(default_factory=dict)  # by condition: the type of what it asks
    doubtful: set[Place] = field(default_factory=set)  # conditions that have a finding of their own
    missing: dict[str, Node] = field(default_factory=dict)  # by path: mandatory places without a rule
    always: str = ""  # a source path that is always there
    # by rule, for each use of its group: its block's path, its own as a block
    around: dict[Place, list[tuple[str, str]]] = field(default_factory=dict)

    def doubts(self, conditions: Iterable[When]) -> bool:
        """Whether one of several conditions is itself what to mend."""
        return any(when.place in self.doubtful for when in conditions)

    def rule_at(self, place: Place, path: str, node: Node | None = None) -> str:
        """A rule for a path as it is pasted at a place: into the block there, or beside the rule there.

        `node` stands at the path: where it takes no value itself, the rule is one for what must stand in it.
        """
        blocks = [one for beside, inside in self.around.get(place, ()) for one in (inside, beside)]
        above = sorted((f"{one}/" for one in blocks if one and path.startswith(f"{one}/")), key=len, reverse=True)
        below = path.removeprefix(above[0]) if above else path
        leaf, origin = _fillable(node) if node is not None else ("", "from: …")
        below += leaf
        return f"- {{target: {_quoted(below)}, {origin}}}"


def asks_in_vain(one: Bound) -> bool:
    """Whether it stands under an `otherwise` that answers nothing: what it was to be kept apart from, nobody knows."""
    return any(block.rule.otherwise and not block.rule.when for block in (*one.above, one))


def own_conditions(owner: Spot, one: Bound) -> tuple[When, ...]:
    """The conditions of a rule beyond those under which its owner is opened at all."""
    return one.conditions[owner.depth :]


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
