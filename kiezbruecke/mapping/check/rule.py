"""Checks one rule that fills one place: its source, its steps, its lists, and whether the kinds fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.codelists.reading import CodeList, Translation, read_codes, read_translation
from kiezbruecke.mapping.interpret.draft import Draft
from kiezbruecke.mapping.interpret.sources import UnknownPath, type_at
from kiezbruecke.mapping.language.definition import CodeUse, Rule, StepUse
from kiezbruecke.mapping.language.findings import Finding, Place, Severity, nearest
from kiezbruecke.mapping.language.paths import SourcePath
from kiezbruecke.mapping.schema.models import Type
from kiezbruecke.mapping.schema.tree import Leaf
from kiezbruecke.mapping.steps import STEPS
from kiezbruecke.mapping.values import Kind, Unusable

_FITS: dict[Kind, frozenset[Kind]] = {
    "decimal": frozenset({"decimal", "integer"}),
    "integer": frozenset({"integer"}),
    "date": frozenset({"date"}),
    "moment": frozenset({"moment"}),
    "boolean": frozenset({"boolean"}),
}


class ListNames:
    """The code lists that lie in the content, for questions and suggestions."""

    def __init__(self, content: Path) -> None:
        self._content = content

    def translation(self, name: str) -> Translation:
        """A translation; raises ConfigurationError with the nearest name."""
        self._require(name, ".csv")
        return read_translation(self._content, name)

    def codes(self, name: str) -> CodeList:
        """A standard's codes; raises ConfigurationError with the nearest name."""
        self._require(name, ".yaml")
        return read_codes(self._content, name)

    def _require(self, name: str, suffix: str) -> None:
        folder = self._content / "mappings" / "codelists"
        names = sorted(file.stem for file in folder.glob(f"*{suffix}"))
        if name not in names:
            raise ConfigurationError(
                f"there is no code list '{name}{suffix}'", expected=", ".join(names), helps=nearest(name, names)
            )


class LeafChecker:
    """Looks at a rule with `from`, `const` or `code` and at the place it fills."""

    def __init__(self, lists: ListNames, findings: list[Finding], *, is_record: bool) -> None:
        self._lists = lists
        self._findings = findings
        self._is_record = is_record
        self._rule = ""

    def check(self, rule: Rule, place: Draft, types: Mapping[str, Type]) -> Type:
        """Add what is wrong; returns the type that arrives, for the check of mandatory targets."""
        self._rule = place.path
        arriving = self._arriving(rule, types)
        if rule.code:
            self._code(rule, rule.code, place)
        elif place.node.leaf is None:
            children = ", ".join(list(place.node.children)[:8])
            self._add(rule.place, "KB-M07", f"'{place.path}' takes no value itself", f"one of {children}")
        else:
            self._fits(rule, place, place.node.leaf, arriving)
        return replace(arriving, nullable=arriving.nullable and not rule.required and rule.default is None)

    def type_of(self, path: SourcePath, types: Mapping[str, Type], place: Place, rule: str) -> Type | None:
        """The type of a path; an unknown path becomes a finding."""
        try:
            return type_at(path, types)
        except UnknownPath as unknown:
            self._rule = rule
            self._add(place, "KB-M08", unknown.message, unknown.expected, unknown.helps)
            return None

    def _arriving(self, rule: Rule, types: Mapping[str, Type]) -> Type:
        if rule.source is None:
            return Type("text")
        found = self.type_of(rule.source, types, rule.at("from"), self._rule)
        if found is None:
            return Type("any")
        if found.model is not None and not rule.steps:
            message = f"'{rule.source.text}' is a whole {found.model.__name__.strip('_')}"
            self._add(rule.at("from"), "KB-M14", message, f"one of its fields: {', '.join(found.model.model_fields)}")
        for use in rule.steps:
            found = self._step(use, found)
        return found if rule.codelist is None else self._translated(rule, found)

    def _step(self, use: StepUse, given: Type) -> Type:
        step = STEPS.get(use.name)
        if step is None:
            message = f"there is no step '{use.name}'"
            self._add(use.place, "KB-M09", message, ", ".join(sorted(STEPS)), nearest(use.name, STEPS))
            return Type("any")
        self._argument(use, step.argument)
        if given.many and step.takes != "list":
            self._add(use.place, "KB-M09", f"'{use.name}' takes one value, here are many", "join or first before it")
        kind = given.kind if use.name in {"first", "nothing_if_zero"} else step.gives
        many = step.gives == "list"
        nullable = given.nullable and not step.reads_nothing
        return Type("text" if many else kind, many=many, nullable=nullable)

    def _argument(self, use: StepUse, wanted: type[int | str] | None) -> None:
        if wanted is None and use.argument is not None:
            self._add(use.place, "KB-M09", f"'{use.name}' takes no argument", use.name)
        elif wanted is not None and use.argument is None:
            self._add(use.place, "KB-M09", f"'{use.name}' needs an argument", f"{{{use.name}: …}}")
        elif wanted is int and not (use.argument or "").isdecimal():
            self._add(use.place, "KB-M09", f"the argument of '{use.name}' is no number", f"{{{use.name}: 20}}")

    def _translated(self, rule: Rule, given: Type) -> Type:
        assert rule.codelist is not None
        try:
            self._lists.translation(rule.codelist)
        except ConfigurationError as error:
            self._add(rule.at("codelist"), "KB-M10", error.what, error.expected, error.helps or error.where)
        return Type("any", many=given.many, nullable=given.nullable)

    def _code(self, rule: Rule, use: CodeUse, place: Draft) -> None:
        try:
            codes = self._lists.codes(use.list)
        except ConfigurationError as error:
            self._add(use.place, "KB-M10", error.what, error.expected, error.helps or error.where)
            return
        if rule.source is None and use.value is None:
            self._add(use.place, "KB-M03", "neither a code nor a source", 'value: "001", or from: path')
        elif use.value is not None and use.value not in codes.codes:
            message = f"the code list '{use.list}' has no '{use.value}'"
            self._add(use.place, "KB-M10", message, ", ".join(list(codes.codes)[:12]), nearest(use.value, codes.codes))
        if place.node.leaf is None and "code" not in place.node.children:
            self._add(rule.place, "KB-M07", f"'{place.path}' is no place for a code", "an element with 'code'")

    def _fits(self, rule: Rule, place: Draft, leaf: Leaf, arriving: Type) -> None:
        if arriving.many and not place.node.repeats:
            message, helps = f"many values for '{place.path}', which stands once", "steps: [{join: ', '}], or each"
            self._add(rule.place, "KB-M11", message, "one value", helps)
        for key, text in (("const", rule.const), ("default", rule.default)):
            if text is not None:
                self._judge(leaf, text, rule.at(key), "KB-M14", f"this {key} does not fit '{place.path}'")
                self._fixed(place, text, rule.at(key))
        self._list_fits(rule, place, leaf)
        if rule.source is not None:
            self._kind_fits(rule, place, leaf, arriving)

    def _list_fits(self, rule: Rule, place: Draft, leaf: Leaf) -> None:
        if rule.codelist is None:
            return
        try:
            partners = set(self._lists.translation(rule.codelist).entries.values())
        except ConfigurationError:  # already a finding of its source
            return
        for value in sorted(partners - {""}):
            message = f"'{value}' of the code list '{rule.codelist}' does not fit '{place.path}'"
            self._judge(leaf, value, rule.at("codelist"), "KB-M10", message)

    def _kind_fits(self, rule: Rule, place: Draft, leaf: Leaf, arriving: Type) -> None:
        fitting = _FITS.get(leaf.kind)
        lenient = arriving.kind == "any" or (self._is_record and arriving.kind == "text")
        if fitting and not lenient and arriving.kind not in fitting:
            message = f"{arriving.kind} does not fit '{place.path}'"
            self._add(rule.at("from"), "KB-M14", message, f"{leaf.kind}, or a step that makes it")
        for use in rule.steps:
            if use.name == "clip" and leaf.max_length and int(use.argument or 0) > leaf.max_length:
                message = f"clip leaves more than '{place.path}' can hold"
                self._add(use.place, "KB-M14", message, f"{{clip: {leaf.max_length}}}", severity="warning")

    def _fixed(self, place: Draft, text: str, at: Place) -> None:
        fixed = place.node.fixed
        if fixed is not None and text != fixed:
            self._add(at, "KB-M14", f"the schema fixes '{place.path}'", f"'{fixed}', or no rule at all")

    def _judge(self, leaf: Leaf, text: str, place: Place, code: str, message: str) -> None:
        try:
            leaf.judge(text)
        except Unusable as unusable:
            self._add(place, code, message, unusable.expected)

    def _add(
        self, place: Place, code: str, message: str, expected: str, helps: str = "", severity: Severity = "error"
    ) -> None:
        self._findings.append(Finding(place, code, message, self._rule, expected, helps, severity))
