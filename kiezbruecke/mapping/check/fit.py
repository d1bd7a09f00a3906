"""Whether what arrives fits the place: its kind, its words, its length, and the constants that are written for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kiezbruecke.mapping.check.arriving import NAMES, Arriving
from kiezbruecke.mapping.check.report import Report
from kiezbruecke.mapping.interpret.draft import Draft
from kiezbruecke.mapping.language.definition import Rule, StepUse
from kiezbruecke.mapping.language.findings import Place, nearest
from kiezbruecke.mapping.schema.tree import Leaf
from kiezbruecke.mapping.values import Kind, Unusable, is_nothing, to_text

_FITS: dict[Kind, frozenset[Kind]] = {
    "decimal": frozenset({"decimal", "integer"}),
    "integer": frozenset({"integer"}),
    "date": frozenset({"date"}),
    "moment": frozenset({"moment"}),
    "boolean": frozenset({"boolean"}),
}
_SHOWN = 12


class Fitting:
    """Compares what arrives with the leaf that takes it. In records, models read texts themselves."""

    def __init__(self, report: Report, *, is_record: bool, machine_item: bool) -> None:
        self._report = report
        self._is_record = is_record
        self._machine_item = machine_item  # machines write 850.00, people 850,00 €

    def check(self, rule: Rule, place: Draft, leaf: Leaf, arriving: Arriving) -> None:
        """Add what does not fit."""
        if arriving.type.many and not place.node.repeats:
            message, helps = f"many values for '{place.path}', which stands once", "steps: [{join: ', '}], or each"
            self._report.error(rule.at("from"), "KB-M11", message, "one value", helps)
            return
        for key, text in (("const", rule.const), ("default", rule.default)):
            if text is not None:
                self._text(place, leaf, text, rule.at(key), key)
        if rule.source is None or self._wrong_kind(rule, place, leaf, arriving):
            return
        self._values(rule, place, leaf, arriving)
        self._clips(rule, place, leaf)
        self._affixes(rule, place, leaf)
        if leaf.kind == "text" and rule.codelist is None:
            self._length(rule, place, leaf, arriving)

    def partners(self, rule: Rule, place: Draft, leaf: Leaf, partners: Sequence[str]) -> None:
        """The words of a code list must fit the target."""
        for value in partners:
            if not is_nothing(value) and (why := _refused(leaf, value)):
                message = f"'{value}' of the code list '{rule.codelist}' does not fit '{place.path}'"
                self._report.error(
                    rule.at("codelist"), "KB-M10", message, why.expected, nearest(value, leaf.enumeration)
                )

    def _text(self, place: Draft, leaf: Leaf, text: str, at: Place, key: str) -> None:
        if is_nothing(text):
            self._report.error(at, "KB-M03", f"this {key} is nothing, so it is never written", "a text", "leave it out")
            return
        if why := _refused(leaf, text):
            message = f"this {key} does not fit '{place.path}'"
            self._report.error(at, "KB-M14", message, why.expected, nearest(text, leaf.enumeration))
        if place.node.fixed is not None and text != place.node.fixed:
            expected = f"'{place.node.fixed}', or no rule at all"
            self._report.error(at, "KB-M14", f"the schema fixes '{place.path}'", expected)

    def _wrong_kind(self, rule: Rule, place: Draft, leaf: Leaf, arriving: Arriving) -> bool:
        fitting, kind = _FITS.get(leaf.kind), arriving.type.kind
        if fitting is None or kind == "any" or kind in fitting:
            return False
        message = f"{kind} does not fit '{place.path}'"
        expected = f"{leaf.kind}, or a step that makes it"
        if not self._is_record or kind != "text":
            self._report.error(rule.at("from"), "KB-M14", message, expected)
        elif not rule.steps and not arriving.all_known and not self._by_machine(rule):
            self._report.warning(rule.at("from"), "KB-M14", message, expected)
        return True

    def _by_machine(self, rule: Rule) -> bool:
        return self._machine_item and rule.source is not None and rule.source.root == "item"

    def _values(self, rule: Rule, place: Draft, leaf: Leaf, arriving: Arriving) -> None:
        """Every known word, or samples of the kind, against the target's own rules."""
        if not arriving.values or (self._is_record and not arriving.all_known):
            return
        refused = [(value, why) for value in arriving.values if (why := _refused(leaf, value))]
        if not refused:
            return
        why = refused[0][1]
        whole = len(refused) == len(arriving.values)
        shown = shown_values([value for value, _ in refused])
        if arriving.all_known:
            message = f"{'no' if whole else 'not every'} value of '{rule.origin}' fits '{place.path}': {shown}"
            helps = "" if rule.codelist else "a codelist gives each of them a partner"
            add = self._report.error if whole else self._report.warning
            add(rule.at("codelist" if rule.codelist else "from"), "KB-M22", message, why.expected, helps)
        elif whole:
            message = f"{NAMES.get(arriving.type.kind, 'this')} such as {shown} does not fit '{place.path}'"
            self._report.error(rule.at("from"), "KB-M14", message, why.expected, "a step that writes it otherwise")
        elif arriving.type.kind == "decimal" and leaf.facets.keys() & {"totalDigits", "fractionDigits"}:
            message = f"'{place.path}' does not hold every sum: {shown}"
            self._report.warning(rule.at("from"), "KB-M14", message, why.expected)

    def _clips(self, rule: Rule, place: Draft, leaf: Leaf) -> None:
        least = max(
            (int(value) for facet in ("minLength", "length") for value in leaf.facets.get(facet, ())), default=0
        )
        for use in rule.steps:
            if use.name != "clip" or not _is_number(use):
                continue
            left = int(use.argument or 0)
            if leaf.max_length and left > leaf.max_length:
                message = f"clip leaves more than '{place.path}' can hold"
                self._report.warning(use.at_argument, "KB-M14", message, f"{{clip: {leaf.max_length}}}")
            elif 0 < left < least:
                message = f"clip leaves less than '{place.path}' needs"
                self._report.error(use.at_argument, "KB-M14", message, f"at least {least} characters")

    def _affixes(self, rule: Rule, place: Draft, leaf: Leaf) -> None:
        """A text that is put before or behind must leave room, and begin or end one of the words of an enumeration."""
        for use in rule.steps[-1:]:
            if use.name not in {"prefix", "suffix"} or use.argument is None or rule.codelist:
                continue
            stands = str.startswith if use.name == "prefix" else str.endswith
            if leaf.max_length is not None and len(use.argument) >= leaf.max_length:
                message = f"with this {use.name} nothing fits '{place.path}'"
                self._report.error(use.at_argument, "KB-M14", message, f"at most {leaf.max_length} characters in all")
            elif leaf.enumeration and not any(stands(word, use.argument) for word in leaf.enumeration):
                message = f"no word of '{place.path}' has this {use.name}"
                self._report.error(use.at_argument, "KB-M14", message, ", ".join(leaf.enumeration[:_SHOWN]))

    def _length(self, rule: Rule, place: Draft, leaf: Leaf, arriving: Arriving) -> None:
        most, length = leaf.max_length, arriving.length
        if most is None or arriving.values or leaf.enumeration or any(use.name == "clip" for use in rule.steps[-1:]):
            return
        if length.free:
            message = f"'{rule.origin}' may be longer than '{place.path}' can hold; such records are set aside"
        elif length.most is not None and length.most > most:
            message = f"'{rule.origin}' holds up to {length.most} characters; longer ones than {most} are set aside"
        else:
            return
        self._report.warning(
            rule.at("from"), "KB-M18", message, f"at most {most} characters", f"steps: [{{clip: {most}}}]"
        )


def shown_values(values: Sequence[Any]) -> str:
    """Some values in one line."""
    texts = [f"'{to_text(value)}'" for value in values[:_SHOWN]]
    return ", ".join(texts) + (", …" if len(values) > _SHOWN else "")


def _refused(leaf: Leaf, value: Any) -> Unusable | None:
    try:
        leaf.judge(to_text(value))
    except Unusable as unusable:
        return unusable
    return None


def _is_number(use: StepUse) -> bool:
    return use.argument is not None and use.argument.isascii() and use.argument.isdigit()
