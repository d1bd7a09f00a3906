"""Takes a mapping to another version of its target: what stays, what moved, what is broken and why.

    rules ──▶ where does the place stand now? ──▶ does the value still fit? ──▶ check the whole ──▶ new file
              same path | moves table | unique match       broken rules stay, as comments at their place

Only targets are rewritten and broken rules commented out; every other character of the file stays as it is. A rule of
a group has a place in every block that uses it and stands in the file once: all its uses must agree.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Mapping as AnyMapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.nodes import CollectionNode, MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.nodes import Node as YamlNode

from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.mapping.check.whole import checked
from kiezbruecke.mapping.language.definition import Rule
from kiezbruecke.mapping.loading import Mapping, mapping_file
from kiezbruecke.mapping.schema.targets import find_target
from kiezbruecke.workbench.examples import find_examples, read_roots
from kiezbruecke.workbench.moves import Moves, Path_, read_moves
from kiezbruecke.workbench.upgrade_targets import PlacedRule, Placing, Samples
from kiezbruecke.workbench.versions import from_file

Status = Literal["kept", "moved", "broken", "missing"]
_NUMBER = re.compile(r"\[(\d+)\]$")
_Key = tuple[int, int]  # line and column of a rule's target
_ROUNDS = 50  # each round comments out at least one rule


@dataclass(frozen=True)
class RuleChange:
    """What becomes of one rule; `missing` is a place that is mandatory now and has no rule."""

    status: Status
    old: str
    new: str = ""
    rule: int = 0
    line: int = 0
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The change for `--json`."""
        return asdict(self)


@dataclass(frozen=True)
class Upgrade:
    """The rules' fates in the file's order, what is missing after them, and the new file's text."""

    changes: tuple[RuleChange, ...]
    text: str


def upgrade(mapping: Mapping, content: Path, to: str, name: str) -> Upgrade:
    """The mapping for another target, called `name`; raises ConfigurationError."""
    if mapping.definition.extends:
        raise ConfigurationError(f"'{mapping.name}' is an overlay", helps=f"upgrade {mapping.definition.extends} first")
    target = find_target(to, content)
    placing = Placing(mapping, target, _moves(mapping, content, to), _samples(mapping, content))
    found = placing.rules(mapping.definition.rules, (), "")
    source = mapping_file(mapping.name, content)[0].read_text("utf-8")
    text = _File(source, to).renamed(mapping, name)
    return _settled(found, text, to, name, content)


def _moves(mapping: Mapping, content: Path, to: str) -> Moves:
    match mapping.target.split(), to.split():
        case [standard, old, _], [other, new, _] if standard == other:
            return read_moves(content, standard, old, new)
    return Moves()


def _samples(mapping: Mapping, content: Path) -> Samples:
    """What the rules gave in the examples, by the rule's number: proof of what a new type refuses."""
    found: dict[int, set[str]] = defaultdict(set)
    for example in find_examples(mapping.name, content):
        with suppress(RecordError):
            for one in mapping.lineage_of(read_roots(mapping, content, example)):
                found[one.rule].add(one.text)
    return found


def _settled(found: tuple[PlacedRule, ...], text: str, to: str, name: str, content: Path) -> Upgrade:
    """Write, check, and comment out what the check refuses, until nothing but missing rules is left."""
    found = _agreed(found)
    for _ in range(_ROUNDS):
        file = _File(text, to)
        written = file.written(found)
        errors, missing = _errors(written, name, content)
        again = _agreed(_mark(found, errors, file.living, _File(written, to).spans()))
        if again == found:
            return Upgrade((*_told(found), *missing), _with_missing(written, missing, to))
        found = again
    raise ConfigurationError("the upgrade comes to no end", helps="say in an issue which mapping it was")


def _errors(text: str, name: str, content: Path) -> tuple[dict[int, str], list[RuleChange]]:
    """What check says of the new file: by line, and the mandatory places without a rule."""
    with TemporaryDirectory(prefix="kiezbruecke-") as folder:
        home = Path(folder) / name
        home.mkdir()
        (home / "mapping.yaml").write_text(text, "utf-8")
        try:
            with from_file(home / "mapping.yaml", content) as (found, there):
                said = checked(found, there, examples=False)
                findings = [finding for finding in said.findings if finding.severity == "error"]
        except ConfigurationError as error:
            raise ConfigurationError(
                f"the upgraded mapping cannot be checked: {error.what}", where=error.where
            ) from None
    missing = [
        RuleChange("missing", "", finding.rule, reason=finding.message)
        for finding in findings
        if finding.code == "KB-M12"
    ]
    lines = {one.place.line: f"{one.code} {one.message}" for one in findings if one.code != "KB-M12"}
    return lines, missing


def _mark(
    found: tuple[PlacedRule, ...], errors: dict[int, str], living: list[_Key], spans: list[tuple[int, int]]
) -> tuple[PlacedRule, ...]:
    """The innermost rule in whose lines the check found an error is broken; so is a block of broken rules alone."""
    broken: dict[_Key, str] = {}
    for line, reason in errors.items():
        around = [(last - first, key) for key, (first, last) in zip(living, spans, strict=True) if first < line <= last]
        if around:
            broken[min(around)[1]] = reason
    return tuple(_marked(one, broken) for one in found)


def _marked(one: PlacedRule, broken: AnyMapping[_Key, str]) -> PlacedRule:
    if one.broken:
        return one
    below = tuple(_marked(part, broken) for part in one.below)
    alone = "every rule in it is broken" if below and all(part.broken for part in below) else ""
    return replace(one, below=below, broken=broken.get(_key(one.rule), alone))


def _agreed(found: tuple[PlacedRule, ...]) -> tuple[PlacedRule, ...]:
    """What is broken in one use of a group, or must stand elsewhere there, is broken in all of them."""
    reasons: dict[_Key, str] = {}
    targets: dict[_Key, str] = {}
    for one, above in _written_rules(found, ()):
        key, target = _key(one.rule), "" if one.broken else _relative(one, above)
        if one.broken:
            reasons.setdefault(key, one.broken)
        elif targets.setdefault(key, target) != target:
            reasons.setdefault(key, f"its uses lead to different places: {targets[key]}, {target}")
    again = tuple(_marked(one, reasons) for one in found)
    return again if again == found else _agreed(again)


def _written_rules(found: tuple[PlacedRule, ...], above: Path_) -> Iterator[tuple[PlacedRule, Path_]]:
    """Every rule in every use, with the new place of its block; of a broken block nothing is left to write."""
    for one in found:
        yield one, above
        if not one.broken:
            yield from _written_rules(one.below, one.new or ())


def _every(found: tuple[PlacedRule, ...]) -> Iterator[PlacedRule]:
    for one in found:
        yield one
        yield from _every(one.below)


def _relative(one: PlacedRule, above: Path_) -> str:
    assert one.new is not None
    if one.new[: len(above)] != above:
        raise ConfigurationError(f"'{one.shown}' moved out of its block", where=str(one.rule.place))
    return "/".join(_numbered(one).split("/")[len(above) :]) or "."


def _key(rule: Rule) -> _Key:
    return rule.place.line, rule.place.column


def _told(found: tuple[PlacedRule, ...], above: str = "") -> Iterator[RuleChange]:
    for one in found:
        line = one.rule.place.line
        if reason := one.broken or above:
            yield RuleChange("broken", one.shown, "", one.number, line, reason)
        elif one.new == one.old:
            yield RuleChange("kept", one.shown, one.shown, one.number, line)
        else:
            yield RuleChange("moved", one.shown, _numbered(one), one.number, line, one.how)
        yield from _told(one.below, above or one.broken)


def _numbered(one: PlacedRule) -> str:
    """The new path with the old one's numbers, as far as the names are the same or at the same end."""
    numbers = {_NUMBER.sub("", step): step for step in one.shown.split("/")}
    return "/".join(numbers.get(name, name) for name in one.new or ()) or "."


def _with_missing(text: str, missing: list[RuleChange], to: str) -> str:
    if not missing:
        return text
    lines = [f"  # - {{target: {one.new}, from: …}}  # mandatory in {to}, and no rule yet" for one in missing]
    return text.rstrip("\n") + "\n\n" + "\n".join(lines) + "\n"


class _File:
    """The text of a mapping file, changed where it must be and nowhere else."""

    def __init__(self, text: str, to: str) -> None:
        self._lines = text.split("\n")
        self._to = to
        self._root = YAML(typ="rt", pure=True).compose(text)
        self.living: list[_Key] = []

    def renamed(self, mapping: Mapping, name: str) -> str:
        """The header for the new target: the name, the target; the version begins anew, or grows."""
        version = mapping.version + 1 if name == mapping.name else 1
        for key, value in (("name", name), ("version", str(version)), ("target", self._to)):
            self._put(self._value(self._root, key), value)
        return "\n".join(self._lines)

    def spans(self) -> list[tuple[int, int]]:
        """First and last line (from 0, to one behind) of every rule, blocks before what stands in them."""
        return [self._span(node) for _, node, _ in self._rules()]

    def written(self, found: tuple[PlacedRule, ...]) -> str:
        """The rules at their new places; broken ones as comments where they stood. Then `living` are the others."""
        nodes = {key: node for key, node, _ in self._rules()}
        written = {_key(one.rule): (one, above) for one, above in _written_rules(found, ())}
        broken: dict[_Key, str] = {}
        for key, (one, above) in written.items():
            if one.broken:
                broken[key] = one.broken
            elif (target := _relative(one, above)) != str(one.rule.target):
                self._put(self._value(nodes[key], "target"), target)
        unused = {
            _key(one.rule) for one in _every(found)
        } - written.keys()  # in blocks that are broken, or used by them
        told = {key for key, _, around in self._rules() if not (broken.keys() | unused).isdisjoint(around)}
        broken |= dict.fromkeys(unused - told, "every block that uses it is broken")
        for key, reason in broken.items():
            self._refuse_shared_lines(key, nodes[key])
            self._comment_out(nodes[key], reason)
        self.living = [key for key, _, above in self._rules() if broken.keys().isdisjoint((key, *above))]
        self._comment_out_empty_groups(set(self.living))
        return "\n".join(self._lines)

    def _refuse_shared_lines(self, key: _Key, node: MappingNode) -> None:
        """What stands in lines with others cannot become a comment by itself."""
        first, last = self._span(node)
        others: list[YamlNode] = [one for other, one, above in self._rules() if other != key and key not in above]
        others += [name for name, _ in self._groups()]
        if any(first <= one.start_mark.line < last for one in others):
            helps = "write each rule in lines of its own, then call upgrade again"
            raise ConfigurationError(
                "a rule that is broken stands in one line with others", where=f"line {key[0]}", helps=helps
            )

    def _comment_out_empty_groups(self, living: set[_Key]) -> None:
        groups = self._groups()
        lost = [key for key, value in groups if not any(one in living for one, _, _ in self._nodes(value, ()))]
        names = [*lost, *(key for key, _ in self._root.value if key.value == "groups" and len(lost) == len(groups))]
        for name in names:
            line = name.start_mark.line
            self._lines[line] = self._commented(line, name.start_mark.column)

    def _groups(self) -> list[tuple[YamlNode, YamlNode]]:
        return [pair for key, value in self._root.value if key.value == "groups" for pair in value.value]

    def _comment_out(self, node: MappingNode, reason: str) -> None:
        first, last = self._span(node)
        indent = len(self._lines[first]) - len(self._lines[first].lstrip())
        for number in range(first, last):
            if self._lines[number].strip() and not self._lines[number].lstrip().startswith("#"):
                self._lines[number] = self._commented(number, indent)
        self._lines[first] = f"{' ' * indent}# broken by {self._to}: {reason}\n{self._lines[first]}"

    def _commented(self, number: int, indent: int) -> str:
        return f"{' ' * indent}# {self._lines[number][indent:]}"

    def _put(self, node: YamlNode, text: str) -> None:
        """Another scalar in the place of one; quotes where YAML needs them."""
        line, start, end = node.start_mark.line, node.start_mark.column, node.end_mark.column
        old = self._lines[line]
        shown = f'"{text}"' if re.search(r"[@\[\]{}:#,]", text) and not self._is_plain(text) else text
        self._lines[line] = old[:start] + shown + old[end:]

    @staticmethod
    def _is_plain(text: str) -> bool:
        return not text.startswith("@") and not re.search(r"[\[\]{},]|: |:$| #", text)

    def _rules(self) -> list[tuple[_Key, MappingNode, tuple[_Key, ...]]]:
        """Every rule of the file in its order, those of groups among them: where its target stands, and its blocks'."""
        lists = [value for _, value in self._groups()] + [self._value(self._root, "rules")]
        return sorted((one for rules in lists for one in self._nodes(rules, ())), key=itemgetter(0))

    def _nodes(self, rules: YamlNode, above: tuple[_Key, ...]) -> Iterator[tuple[_Key, MappingNode, tuple[_Key, ...]]]:
        for node in rules.value if isinstance(rules, SequenceNode) else ():
            if isinstance(node, MappingNode):
                mark = self._value(node, "target").start_mark
                key = (mark.line + 1, mark.column + 1)
                yield key, node, above
                for name, value in node.value:
                    if name.value in {"rules", "one_of"}:
                        yield from self._nodes(value, (*above, key))

    @staticmethod
    def _span(node: MappingNode) -> tuple[int, int]:
        return node.start_mark.line, 1 + max(_last_lines(node))

    @staticmethod
    def _value(node: YamlNode, key: str) -> YamlNode:
        return next(value for name, value in node.value if name.value == key)  # type: ignore[no-any-return]


def _last_lines(node: YamlNode) -> Iterator[int]:
    """The last line of every scalar; the end of a block node is where the next one begins."""
    if isinstance(node, ScalarNode):
        yield node.end_mark.line if node.style not in ("|", ">") else max(node.start_mark.line, node.end_mark.line - 1)
    elif isinstance(node, CollectionNode) and node.flow_style:
        yield node.end_mark.line
    else:
        for part in node.value:
            for inner in part if isinstance(part, tuple) else (part,):
                yield from _last_lines(inner)
