"""The mapping language: reads mapping.yaml into frozen rules; every finding knows file, line and column.

The file is read as a tree of positioned nodes, not as values: a scalar is the text that stands there, so
`0401` stays `0401` and `no` stays `no` (`composing`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from kiezbruecke.mapping.language.composing import NULL, compose, read_bytes
from kiezbruecke.mapping.language.definition import (
    SOURCES,
    CodeUse,
    Definition,
    Direction,
    ItemSource,
    Rule,
    RuleGroup,
    StepUse,
    When,
)
from kiezbruecke.mapping.language.findings import CODES, Finding, NotAMapping, Place
from kiezbruecke.mapping.language.nodes import NodeReader
from kiezbruecke.mapping.language.paths import SourcePath, TargetPath, is_name, is_prefix

HEADER = (
    "name", "version", "title", "note", "extends", "abstract", "direction", "reads", "source", "roots", "target",
    "prefix", "unused", "groups", "rules",
)  # fmt: skip
_NEEDED = ("name", "version", "direction", "roots", "target", "rules")
_NEEDED_ABOVE_A_BASE = ("name", "version", "direction", "extends")
RULE = (
    "target", "from", "const", "code", "codelist", "default", "steps", "when",
    "otherwise", "each", "as", "at_least", "type", "nil", "rules", "one_of",
    "omit", "required", "note", "pii", "legal_basis", "accept", "use", "depth",
)  # fmt: skip
_ORIGINS = ("from", "const", "code", "rules", "one_of", "use")
_TOGETHER = (["from", "code"], ["from", "use"])
_LOOKUP = ("list", "column", "fold")
_ASKED = ("equals", "not_equals", "missing")  # what a condition may ask about its path
_RESERVED = ("xsi",)  # what messages themselves declare; names that begin with xml are no prefixes at all
_TEMPLATE = re.compile(r"\{\{|\$\{")


def read_definition(file: Path, shown: str, direction: Direction) -> Definition:
    """Read a mapping file; `shown` is its path as findings name it. Raises NotAMapping."""
    reading = examine_definition(file, shown, direction)
    if reading.findings:
        raise NotAMapping(reading.findings)
    return reading.definition


@dataclass(frozen=True)
class Reading:
    """A file as far as it could be understood: `broken` are the places of rules that have findings of their own.

    `answers` says of each `otherwise` where the rules stand whose conditions it answers.
    """

    definition: Definition
    findings: list[Finding]
    broken: frozenset[Place]
    answers: Mapping[Place, tuple[Place, ...]]


def examine_definition(file: Path, shown: str, direction: Direction) -> Reading:
    """Read a mapping file and go on behind mistakes, so that `check` finds all of them. Raises NotAMapping."""
    return _examined(read_bytes(file, shown), shown, direction, file.parent.name)


@lru_cache(maxsize=64)
def _examined(data: bytes, shown: str, direction: Direction, folder: str) -> Reading:
    """The same bytes are understood once: whoever loads a mapping checks it first."""
    reader = _Reader(shown)
    definition = reader.definition(compose(data, shown), direction, folder)
    findings = sorted(reader.findings, key=lambda finding: finding.place)
    return Reading(definition, findings, frozenset(reader.broken), reader.answers)


class _Reader(NodeReader):
    """Turns nodes into a definition and its rules."""

    def __init__(self, shown: str) -> None:
        super().__init__(shown)
        self.broken: set[Place] = set()
        self.answers: dict[Place, tuple[Place, ...]] = {}
        self.above_a_base = False

    def definition(self, root: MappingNode, direction: Direction, folder: str) -> Definition:
        keys = self.keys(root, HEADER)
        self.above_a_base = "extends" in keys
        for missing in _NEEDED_ABOVE_A_BASE if self.above_a_base else _NEEDED:
            if missing not in keys:
                first = next(iter(keys.values()), root)
                self.wrong(self.place(first), f"'{missing}' is missing", f"the keys {', '.join(HEADER)}")
        name = self.text(keys.get("name"))
        self._agree(keys.get("name"), name, folder, "the folder's name")
        given = self.text(keys.get("direction"))
        self._agree(keys.get("direction"), given, direction, f"it lies in mappings/{direction}")
        return Definition(
            name=name or folder,
            version=self.version(keys.get("version")),
            direction=direction,
            extends=self.text(keys.get("extends")),
            abstract=self.truth(keys.get("abstract")),
            unused=self.each_once(keys, "unused"),
            prefix=self.prefix(keys.get("prefix")),
            reads=self.each_once(keys, "reads"),
            source=self.source(keys.get("source")),
            roots=self.each_once(keys, "roots"),
            target=" ".join(self.text(keys.get("target")).split()),
            rules=self.rules(keys.get("rules")),
            places=self.places(root, keys),
            title=self.text(keys.get("title")),
            note=self.text(keys.get("note")),
            groups=self.groups(keys.get("groups")),
        )

    def groups(self, node: Node | None) -> dict[str, RuleGroup]:
        """The groups by their names, each with rules as a block has them."""
        if node is None:
            return {}
        if not isinstance(node, MappingNode) or not node.value:
            self.wrong(self.place(node), "no groups of rules", "{name: [{target: …, from: …}]}")
            return {}
        found: dict[str, RuleGroup] = {}
        for key, value in node.value:
            name = self.text(key)
            if name in found:
                self.add(key, "KB-M02", f"the group '{name}' stands twice", "each group once")
            found[name] = RuleGroup(self.place(key), self.rules(value))
        return found

    def prefix(self, node: Node | None) -> str | None:
        """The prefix of the root's namespace; `""` for the default namespace."""
        if node is None:
            return None
        if isinstance(node, ScalarNode) and node.tag != NULL and not node.value:
            return ""
        text = self.text(node)
        if text.lower().startswith("xml") or text in _RESERVED:
            self.wrong(self.place(node), f"the prefix '{text}' is reserved", "another one")
            return None
        if text and not is_prefix(text):
            self.wrong(self.place(node), f"'{text}' is no prefix", 'letters, digits, - and _, or "" for none')
        return text

    def places(self, root: Node, keys: Mapping[str, Node]) -> dict[str, Place]:
        """Where each header key's value stands; of a key that is missing, the first one's.

        The entries of roots and unused have places of their own: `roots.case`.
        """
        found = dict.fromkeys(("name", "target", "roots", "rules"), self.place(next(iter(keys.values()), root)))
        found |= {key: self.place(node) for key, node in keys.items()}
        for key in ("roots", "unused"):
            if isinstance(node := keys.get(key), SequenceNode):
                found |= {f"{key}.{part.value}": self.place(part) for part in node.value}
        return found

    def rules(self, node: Node | None, *, cases: bool = False) -> tuple[Rule, ...]:
        if node is None:
            return ()
        if not isinstance(node, SequenceNode) or not node.value:
            self.wrong(self.place(node), "no list of rules", "- {target: …, from: …}")
            return ()
        return tuple(self._with_otherwise([rule for part in node.value if (rule := self.rule(part))], cases=cases))

    def _with_otherwise(self, rules: Sequence[Rule], *, cases: bool) -> Iterator[Rule]:
        """`otherwise`: where none of the rules speaks that stand right above and ask something.

        Where some of them are about its own target, it answers these: what another target asks is no case of it. Of
        the `cases` of `one_of` it answers all.
        """
        asking: list[Rule] = []
        answered = False
        for rule in rules:
            if not rule.otherwise:
                asking = [] if answered or not rule.when else asking
                asking += [] if rule.each or not rule.when else [rule]
                answered = False
                yield rule
                continue
            own = [] if cases else [one for one in asking if one.target == rule.target]
            answered_here = own or asking
            if answered_here:
                self.answers[rule.place] = tuple(one.place for one in answered_here)
            elif not self.above_a_base:  # there the base may have what it answers
                self.findings.append(no_conditions(rule))
            answered = True
            yield answering(rule, answered_here)

    def rule(self, node: Node) -> Rule | None:
        before = len(self.findings)
        keys = self.keys(node, RULE)
        unknown = len(self.findings) > before
        if not isinstance(node, MappingNode):
            return None
        if "target" not in keys:
            self.wrong(self.place(node), "'target' is missing", "target: A/B")
            return None
        self._combination(node, keys, unknown=unknown)
        target = self.parsed(keys["target"], TargetPath.parse, "a target path such as A/B[2]/@x")
        if target is None:
            self._named(before, str(keys["target"].value))
            return None
        below = self.below(keys)
        rule = self._rule(keys, target, below)
        if len(self.findings) > before and not below:
            self.broken.add(rule.place)
        self._named(before, str(target))
        return rule

    def _named(self, before: int, target: str) -> None:
        """What was found since then is a rule's, or stands in its block."""
        self.findings[before:] = [
            replace(one, rule=f"{target}/{one.rule}" if one.rule else target) for one in self.findings[before:]
        ]

    def below(self, keys: Mapping[str, Node]) -> tuple[Rule, ...]:
        """The rules of a block; a block that has none, or that is one more origin, is a mistake of its own."""
        rules = self.rules(keys.get("rules")) or self.cases(keys.get("one_of"))
        return rules if {"from", "const", "code", "use"}.isdisjoint(keys) else ()

    def cases(self, node: Node | None) -> tuple[Rule, ...]:
        """The rules of `one_of`: each asks something, the last may say `otherwise`; none speaks beside another."""
        rules = self.rules(node, cases=True)
        for rule in rules:
            if not (rule.when or rule.otherwise) or rule.each:
                expected = "'when' or 'otherwise', and no 'each'"
                self.wrong(rule.place, "a case of 'one_of' asks nothing", expected, str(rule.target))
        return exclusive(rules)

    def _rule(self, keys: Mapping[str, Node], target: TargetPath, below: tuple[Rule, ...]) -> Rule:
        return Rule(
            target=target,
            place=self.place(keys["target"]),
            places=self._places_of(keys),
            source=self.path(keys.get("from")),
            const=self.constant(keys.get("const")),
            code=self.code(keys.get("code")),
            **self.lookup(keys.get("codelist")),
            default=self.constant(keys.get("default")),
            steps=self.steps(keys.get("steps")),
            when=self.conditions(keys),
            otherwise=self.truth(keys.get("otherwise")),
            at_least=self.count(keys.get("at_least")),
            one_of="one_of" in keys,
            each=self.path(keys.get("each")),
            name=self.member(keys.get("as")),
            rules=below,
            omit=self.truth(keys.get("omit")),
            type=self.optional(keys.get("type")),
            nil=self.truth(keys.get("nil")),
            required=self.truth(keys.get("required")),
            note=self.text(keys.get("note")),
            pii=self.truth(keys.get("pii")),
            legal_basis=self.text(keys.get("legal_basis")),
            accept=self.accepted(keys.get("accept")),
            use=self.text(keys.get("use")),
            depth=self.count(keys.get("depth"), 2),
        )

    def _places_of(self, keys: Mapping[str, Node]) -> dict[str, Place]:
        """Where each key's value stands; the column of a code list is `codelist.column`."""
        found = {key: self.place(value) for key, value in keys.items()}
        lookup = self.keys(keys.get("codelist"), _LOOKUP, quiet=True)
        return found | {f"codelist.{key}": self.place(value) for key, value in lookup.items()}

    def _combination(self, node: Node, keys: dict[str, Node], *, unknown: bool) -> None:
        """A rule takes its value from one place, or is a block of rules. `unknown`: a key may be meant for it."""
        given = [key for key in _ORIGINS if key in keys]
        if "omit" in keys:
            self._omission(keys)
            return
        if given == ["from", "code"] and "value" in self.keys(keys["code"], ("list", "value"), quiet=True):
            self.wrong(self.place(keys["code"]), "'code' has a value and 'from' gives another", "one of them")
        elif len(given) != 1 and given not in _TOGETHER and not (unknown and not given):
            self.wrong(self.place(node), "a rule needs exactly one origin", f"one of {', '.join(_ORIGINS)}")
        for key in ("steps", "codelist", "default"):
            if key in keys and ("from" not in keys or "use" in keys):
                self.wrong(self.place(keys[key]), f"'{key}' needs 'from'", "from: path")
        if "otherwise" in keys and "when" in keys:
            self.wrong(self.place(keys["otherwise"]), "'otherwise' beside 'when'", "one of the two")
        if "at_least" in keys and "each" not in keys:
            self.wrong(self.place(keys["at_least"]), "'at_least' counts the members of 'each'", "each: path, as: name")
        if "nil" in keys and ("default" in keys or not {"from", "rules", "use"} & set(keys)):
            self.wrong(self.place(keys["nil"]), "'nil' is for what may be nothing", "from or rules, and no default")
        self._names(node, keys)

    def _names(self, node: Node, keys: Mapping[str, Node]) -> None:
        """`as` names a member of `each`, or what a group's rules are about."""
        named = [key for key in ("each", "from") if key in keys and (key == "each" or "use" in keys)]
        if "use" in keys and len(named) > 1:
            self.wrong(self.place(keys["from"]), "'from' beside 'each'", "one of the two")
        elif named == ["from"] and "as" not in keys:
            self.wrong(self.place(keys["from"]), "'from' and 'as' belong together", "from: case, as: name, use: group")
        elif bool(named) != ("as" in keys):
            self.wrong(self.place(node), "'each' and 'as' belong together", "each: case.documents, as: document")
        if "depth" in keys and "use" not in keys:
            self.wrong(self.place(keys["depth"]), "'depth' needs 'use'", "use: group, depth: 5")

    def _omission(self, keys: Mapping[str, Node]) -> None:
        """`omit: true` stands alone with its target, and only above a base."""
        other = next((key for key in keys if key not in {"target", "omit", "note"}), None)
        if other is not None:
            self.wrong(self.place(keys[other]), f"'{other}' beside 'omit'", "{target: …, omit: true} and nothing else")
        elif not self.above_a_base:
            self.add(keys["omit"], "KB-M05", "'omit' needs a base", "extends: <mapping>")
        elif keys["omit"].value == "false":
            self.wrong(self.place(keys["omit"]), "'omit' says nothing but true", "omit: true")

    def accepted(self, node: Node | None) -> dict[str, Place]:
        """The warnings that a rule accepts, each with the reason for it."""
        keys = self.keys(node, tuple(CODES)) if node is not None else {}
        for code, why in keys.items():
            self.text(why, of=f"why {code} is accepted", expected='a reason: {KB-M18: "…"}')
        return {code: self.place(why) for code, why in keys.items()}

    def code(self, node: Node | None) -> CodeUse | None:
        if node is None:
            return None
        keys = self.keys(node, ("list", "value"))
        name = self.text(keys.get("list"))
        if not name and "list" not in keys:
            self.wrong(self.place(node), "'code' names no list", 'code: {list: name, value: "001"}')
        list_at = self.place(keys.get("list", node))
        return CodeUse(name, self.optional(keys.get("value")), self.place(keys.get("value", node)), list_at)

    def conditions(self, keys: Mapping[str, Node]) -> tuple[When, ...]:
        when = self.when(keys["when"]) if "when" in keys else None
        return (when,) if when else ()

    def count(self, node: Node | None, least: int = 1) -> int:
        text = self.text(node, expected=f"a number, from {least}")
        if text.isascii() and text.isdigit() and int(text[:5]) >= least:
            return int(text[:5])
        if node is not None and text:
            self.wrong(self.place(node), f"'{text}' is no count", f"a number, from {least}")
        return 0

    def lookup(self, node: Node | None) -> dict[str, Any]:
        """`codelist: name`, or `{list, column, fold}`."""
        if not isinstance(node, MappingNode):
            return {"codelist": self.optional(node)}
        keys = self.keys(node, _LOOKUP)
        if "list" not in keys:
            self.wrong(self.place(node), "'codelist' names no list", "codelist: {list: name, column: name}")
        fold = "fold" not in keys or self.truth(keys["fold"])
        return {"codelist": self.text(keys.get("list")), "column": self.text(keys.get("column")), "fold": fold}

    def when(self, node: Node) -> When | None:
        if not isinstance(node, MappingNode):
            path = self.path(node)
            return When(path, (), self.place(node)) if path else None
        keys = self.keys(node, ("path", *_ASKED, "fold"))
        asked = [key for key in _ASKED if key in keys]
        if "path" not in keys or len(asked) != 1:
            expected = "when: path, or {path: …, equals: …}, not_equals instead of equals, or missing: true"
            self.wrong(self.place(node), "'when' asks for one thing about one path", expected)
        path = self.path(keys.get("path"))
        texts = self.asked(keys[asked[0]], asked[0]) if asked else ()
        if path is None:
            return None
        if "fold" in keys and not texts:
            self.wrong(self.place(keys["fold"]), "'fold' is about texts", "equals or not_equals beside it")
        texts_place, fold = self.place(keys[asked[0]]) if texts else None, self.truth(keys.get("fold"))
        return When(path, texts, self.place(keys["path"]), texts_place, negated=asked[:1] != ["equals"], fold=fold)

    def asked(self, node: Node, key: str) -> tuple[str, ...]:
        """The texts that a condition compares with, each once; none for `missing: true`."""
        if key == "missing":
            if self.text(node) not in {"", "true"}:
                self.wrong(self.place(node), "'missing' says nothing but true", "missing: true, or when: path")
            return ()
        return self.each_once({key: node}, key) if isinstance(node, SequenceNode) else (self.text(node, blank=True),)

    def steps(self, node: Node | None) -> tuple[StepUse, ...]:
        if node is None:
            return ()
        if not isinstance(node, SequenceNode):
            self.wrong(self.place(node), "'steps' is no list", "[trim, {clip: 200}]")
            return ()
        return tuple(step for part in node.value if (step := self.step(part)))

    def step(self, node: Node) -> StepUse | None:
        if isinstance(node, ScalarNode):
            return StepUse(str(node.value), None, self.place(node))
        if isinstance(node, MappingNode) and len(node.value) == 1 and isinstance(node.value[0][0], ScalarNode):
            key, value = node.value[0]
            argument = self.text(value, blank=True, of=f"the argument of '{key.value}'")
            return StepUse(str(key.value), argument, self.place(key), self.place(value))
        self.wrong(self.place(node), "not a step", "trim, or {clip: 200}")
        return None

    def path(self, node: Node | None) -> SourcePath | None:
        return None if node is None else self.parsed(node, SourcePath.parse, "a path such as proposal.title")

    def version(self, node: Node | None) -> int:
        text = self.text(node, expected="a number, from 1")
        if text.isascii() and text.isdigit() and int(text[:9]) > 0:
            return int(text[:9])
        if node is not None and text:
            self.wrong(self.place(node), f"'{text}' is no version", "a number, from 1")
        return 0

    def source(self, node: Node | None) -> ItemSource:
        found = None if node is None else self.parsed(node, ItemSource.parse, SOURCES)
        return found or ItemSource()

    def constant(self, node: Node | None) -> str | None:
        """A fixed text: what looks like a template would be written as it stands, into every message."""
        text = self.optional(node)
        if node is not None and text and (found := _TEMPLATE.search(text)):
            self.wrong(self.place(node), f"'{found[0]}' looks like a template; constants have none", "from: path")
        return text

    def member(self, node: Node | None) -> str | None:
        """What `as` calls a member: paths begin with it."""
        name = self.optional(node)
        if node is not None and name and not is_name(name):
            self.wrong(self.place(node), f"'{name}' is no name", "letters, digits and _, such as document")
            return None
        return name

    def _agree(self, node: Node | None, given: str, wanted: str, why: str) -> None:
        if node is not None and given and given != wanted:
            self.add(node, "KB-M04", f"'{given}' is not '{wanted}'", f"'{wanted}': {why}")


def answering(rule: Rule, asking: Sequence[Rule]) -> Rule:
    """An `otherwise` with the conditions under which none of the rules speaks that it answers."""
    return replace(rule, when=tuple(dict.fromkeys(when.contrary for one in asking for when in one.asked)))


def exclusive(cases: Sequence[Rule]) -> tuple[Rule, ...]:
    """The cases of `one_of`, none of which speaks beside another: `otherwise` never does anyway."""
    return tuple(
        case if case.otherwise else replace(case, when=(*case.asked, *dict.fromkeys(_against(case, cases))))
        for case in cases
    )


def _against(case: Rule, cases: Sequence[Rule]) -> Iterator[When]:
    return (when.contrary for other in cases if other is not case for when in other.asked)


def no_conditions(rule: Rule, expected: str = "rules with 'when', and without 'each', right above") -> Finding:
    """The finding about an `otherwise` that answers nothing."""
    message = "'otherwise' has no conditions above it"
    return Finding(rule.at("otherwise"), "KB-M03", message, str(rule.target), expected)
