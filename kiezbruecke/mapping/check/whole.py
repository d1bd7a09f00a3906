"""What can be known before anything is sent: `check` reads a mapping against its sources' types and its target.

rules ──▶ a dry draft (every place a rule speaks about) ──▶ is every mandatory place spoken about?
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.check.mandatory import missing_rules
from kiezbruecke.mapping.check.rule import LeafChecker, ListNames
from kiezbruecke.mapping.interpret.draft import Draft, Instance
from kiezbruecke.mapping.language.definition import Definition, Rule
from kiezbruecke.mapping.language.findings import Finding, Place, Severity, nearest
from kiezbruecke.mapping.language.reading import NotAMapping
from kiezbruecke.mapping.loading import find_goal, read_mapping_file
from kiezbruecke.mapping.schema.models import Type, known_roots, root_types
from kiezbruecke.mapping.schema.targets import Target

Types = Mapping[str, Type]


def check(name: str, content: Path) -> list[Finding]:
    """Every finding in the file's order, missing rules last. Raises ConfigurationError for an unknown name."""
    try:
        definition = read_mapping_file(name, content)
    except NotAMapping as error:
        return error.findings
    try:
        target = find_goal(definition, content)
    except ConfigurationError as error:
        place = definition.places["target"]
        return [Finding(place, "KB-M06", error.what, expected=error.expected, helps=error.helps)]
    checker = _Checker(definition, target, content)
    # a mandatory place without a rule is often only the echo of a misspelt target: causes first
    return sorted(checker.run(), key=lambda finding: (finding.code == "KB-M12", finding.place, finding.code))


class _Checker:
    def __init__(self, definition: Definition, target: Target, content: Path) -> None:
        self._definition = definition
        self._target = target
        self._findings: list[Finding] = []
        self._leaves = LeafChecker(ListNames(content), self._findings, is_record=target.kind == "record")
        self._guarded: dict[int, bool] = {}  # by draft: may a second rule speak, because conditions tell them apart

    def run(self) -> list[Finding]:
        self._header()
        draft = Draft(self._target.root, rule=None)
        self._rules(self._definition.rules, draft, root_types(self._definition.roots), guarded=False)
        self._findings += missing_rules(draft, self._definition.places["rules"])
        return self._findings

    def _header(self) -> None:
        for root in self._definition.roots:
            if root not in known_roots():
                message, helps = f"there is no root '{root}'", nearest(root, known_roots())
                self._add(self._definition.places["roots"], "KB-M08", message, ", ".join(known_roots()), helps)
        inbound = self._definition.direction == "inbound"
        if inbound != (self._target.kind == "record"):
            expected = "record <Name>" if inbound else "a table or a standard's root element"
            message = f"an {self._definition.direction} mapping does not make this"
            self._add(self._definition.places["target"], "KB-M06", message, expected)
        if inbound and not self._definition.reads:
            self._add(self._definition.places["name"], "KB-M03", "'reads' is missing", "reads: [kind of item]")

    def _rules(self, rules: tuple[Rule, ...], draft: Draft, types: Types, *, guarded: bool) -> None:
        for rule in rules:
            self._rule(rule, draft, types, guarded=guarded or rule.when is not None)

    def _rule(self, rule: Rule, draft: Draft, types: Types, *, guarded: bool) -> None:
        place = self._open(rule, draft)
        types = self._each(rule, place, types)
        self._when(rule, types, place)
        if place is None:
            self._sources_below(rule, types)
        elif rule.rules:
            self._block(rule, place, types, guarded=guarded)
        else:
            self._leaf(rule, place, types, guarded=guarded)

    def _block(self, rule: Rule, place: Draft, types: Types, *, guarded: bool) -> None:
        if not place.node.children:
            message = f"'{place.path}' holds no other targets"
            self._add(rule.place, "KB-M07", message, "from, const or code", rule=place.path)
            place.live = True  # one finding is enough
            return
        place.rule = place.rule or rule
        place.live = place.live or rule.when is not None
        self._rules(rule.rules, place, types, guarded=guarded)

    def _leaf(self, rule: Rule, place: Draft, types: Types, *, guarded: bool) -> None:
        if place.standing and not (guarded and self._guarded.get(id(place))):
            message, helps = f"a second rule for '{place.path}'", "give both a 'when', or number the targets: X[2]"
            self._add(rule.place, "KB-M11", message, "one rule", helps, rule=place.path)
        self._guarded[id(place)] = guarded
        place.rule, place.standing = rule, True
        place.live = place.live or rule.source is not None or rule.when is not None
        place.value = self._leaves.check(rule, place, types)

    def _open(self, rule: Rule, draft: Draft) -> Draft | None:
        """The place of the rule in the dry draft, or None where the target has no such path."""
        for position, step in enumerate(rule.target.steps):
            if step.name not in draft.node.children:
                self._unknown_target(rule, draft, step.name)
                return None
            node = draft.node.children[step.name]
            if step.number > 1 and not node.repeats:
                message = f"'{step.name}' stands only once, so there is no '{step}'"
                self._add(rule.place, "KB-M11", message, f"'{step.name}' without a number", rule=str(rule.target))
            last = position == len(rule.target.steps) - 1
            draft = draft.open(step.name, Instance(step.number, rule.place if last and rule.each else None))
        return draft

    def _unknown_target(self, rule: Rule, draft: Draft, name: str) -> None:
        names = list(draft.node.children)
        above = draft.path or draft.node.name
        expected = ", ".join(names[:15]) + (", …" if len(names) > 15 else "") if names else f"'{above}' itself"
        message = f"'{above}' has no '{name}'"
        self._add(rule.place, "KB-M07", message, expected, nearest(name, names), rule=str(rule.target))

    def _each(self, rule: Rule, place: Draft | None, types: Types) -> Types:
        if rule.each is None or rule.name is None:
            return types
        found = self._leaves.type_of(rule.each, types, rule.at("each"), str(rule.target))
        if found and found.kind != "any" and not found.many:
            self._add(rule.at("each"), "KB-M14", f"'{rule.each.text}' is no list", "a list", rule=str(rule.target))
        if place is not None and not place.node.repeats:
            message, helps = f"'{place.path}' stands only once", "put 'each' on a block that may repeat"
            self._add(rule.at("each"), "KB-M11", message, "a target that repeats", helps, rule=place.path)
        if rule.name in types:
            self._add(rule.at("as"), "KB-M03", f"'{rule.name}' is already the name of a source", "a new name")
        member = found or Type()
        return {**types, rule.name: Type(member.kind, member.model, indexed=True)}

    def _when(self, rule: Rule, types: Types, place: Draft | None) -> None:
        if rule.when is None:
            return
        path = place.path if place else str(rule.target)
        found = self._leaves.type_of(rule.when.path, types, rule.when.place, path)
        if found and found.kind == "boolean" and rule.when.equals is None and not found.nullable:
            message, helps = f"'{rule.when.path.text}' is always present", "when: {path: …, equals: true}"
            self._add(rule.when.place, "KB-M16", message, "equals", helps, path, "warning")

    def _sources_below(self, rule: Rule, types: Types) -> None:
        """Where the target is unknown, the sources are still worth a look."""
        if rule.source is not None:
            self._leaves.type_of(rule.source, types, rule.at("from"), str(rule.target))

    def _add(
        self,
        place: Place,
        code: str,
        message: str,
        expected: str,
        helps: str = "",
        rule: str = "",
        severity: Severity = "error",
    ) -> None:
        self._findings.append(Finding(place, code, message, rule, expected, helps, severity))
