"""Checks one rule that fills one place: its source, its steps, its lists, and whether what arrives fits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.bind import behind
from kiezbruecke.mapping.check.arriving import LARGEST, NAMES, Arriving, Length, arriving, as_number, longest
from kiezbruecke.mapping.check.fit import Fitting, shown_values
from kiezbruecke.mapping.check.forms import PROSE, is_uuid
from kiezbruecke.mapping.check.lists import ListNames
from kiezbruecke.mapping.check.report import CheckReport
from kiezbruecke.mapping.codelists.reading import CodeList, Translation, UnknownColumn
from kiezbruecke.mapping.language.definition import CodeUse, Rule, StepUse, When
from kiezbruecke.mapping.language.findings import nearest
from kiezbruecke.mapping.language.paths import SourcePath
from kiezbruecke.mapping.plan import Bound, Spot
from kiezbruecke.mapping.schema.models import Type
from kiezbruecke.mapping.steps import STEPS
from kiezbruecke.mapping.values import Unusable, is_nothing
from kiezbruecke.mapping.wording import OTHERWISE

_ANYTHING = Arriving(Type("any"), Length())


class LeafChecker:
    """Looks at a rule with `from`, `const` or `code` and at the place it fills."""

    def __init__(self, lists: ListNames, report: CheckReport, *, is_record: bool, machine_item: bool) -> None:
        self._lists = lists
        self._report = report
        self._fitting = Fitting(report, is_record=is_record, machine_item=machine_item)

    def check(self, one: Bound, place: Spot) -> None:
        """Add what is wrong. `place` is where it stands."""
        rule, found = one.rule, self._arriving(one)
        translation = self._translation(rule)
        if rule.code:
            self._code(rule, rule.code, place, found)
        elif place.node.leaf is None:
            children = ", ".join(list(place.node.children)[:8])
            self._report.error(rule.place, "KB-M07", f"'{place.path}' takes no value itself", f"one of {children}")
        else:
            if translation is not None:
                partners = sorted(set(translation.entries.values()))
                refused = self._fitting.partners(rule, place, place.node.leaf, partners)
                # a list of which nothing fits is another than is meant: what it lacks matters to nobody
                found = self._translated(rule, found, translation) if refused < len(partners) else _ANYTHING
                found = _ANYTHING if refused else found
            elif rule.codelist is not None:
                found = _ANYTHING
            self._fitting.check(rule, place, place.node.leaf, found)
        self._without_effect(rule, found.type)

    def fits_in_number(self, rule: Rule, place: Spot, found: Type) -> None:
        """Warn where the list that `each` goes through may be longer than the target."""
        self._fitting.fits_in_number(rule, place, "each", found)

    def _arriving(self, one: Bound) -> Arriving:
        source, found = one.rule.source, one.arrives
        if source is None:
            return Arriving(Type("text"), Length())
        if found is None:
            return _ANYTHING
        if found.whole is not None:
            expected = f"one of its fields: {', '.join(found.whole.names()[:15])}"
            message = f"'{source.text}' is a whole {found.whole.title}"
            self._report.error(one.rule.at("from"), "KB-M14", message, expected)
            return _ANYTHING
        brought = arriving(source, _told(source, found, one.conditions))
        for use in one.rule.steps:
            brought = self._step(use, brought)
        return brought

    def _step(self, use: StepUse, given: Arriving) -> Arriving:
        step = STEPS.get(use.name)
        if step is None:
            message = f"there is no step '{use.name}'"
            self._report.error(use.place, "KB-M09", message, ", ".join(sorted(STEPS)), nearest(use.name, STEPS))
            return _ANYTHING
        if not self._argument(use, step.argument, step.choices):
            return _ANYTHING
        single = given.type.kind != "any" and not given.type.many
        if given.type.many and step.takes != "list":
            message = f"'{use.name}' takes one value, here are many"
            self._report.error(use.place, "KB-M09", message, "join or first before it")
            return _ANYTHING
        if single and step.takes == "list":
            message = f"'{use.name}' has one value only, so it changes nothing"
            self._report.warning(use.place, "KB-M19", message, "a list", "leave the step out")
        length = given.length.after(use.name, use.argument)
        after = replace(given, type=behind(given.type, use), length=length)
        return self._tried(use, given, after)

    def _tried(self, use: StepUse, given: Arriving, after: Arriving) -> Arriving:
        """The real step on every value that is known, or that stands for its kind."""
        if use.name == "clip" and int(use.argument or 0) == 0:
            self._report.error(use.at_argument, "KB-M09", "after 'clip: 0' nothing is left", "{clip: 200}")
            return _ANYTHING
        step = STEPS[use.name]
        argument = step.argument(use.argument) if step.argument and use.argument is not None else None
        if not given.values and (why := given.refusal(use.name, argument)):
            return self._unreadable(use, given, given.probes[0], why)
        if not given.values:
            return after.formed(use.name, argument)
        tried, refused = given.through(lambda value: step.apply(value, argument))
        if not tried.values and len(refused) == len(given.values):
            return self._unreadable(use, given, *next(iter(refused.items())))
        if not tried.values:
            self._report.error(
                use.place, "KB-M09", f"after '{use.name}' nothing is left", "a step that leaves something"
            )
            return _ANYTHING
        return replace(after, values=() if after.type.many else tried.values)

    def _unreadable(self, use: StepUse, given: Arriving, value: Any, why: Unusable) -> Arriving:
        """The finding about a step that reads nothing of what arrives; what comes behind it, nobody knows."""
        message = f"'{use.name}' cannot read {NAMES.get(given.type.kind, 'this')} such as {shown_values([value])}"
        takes = STEPS[use.name].takes
        kind = "a text with digits" if use.name == "digits" else NAMES.get(takes, "a text")
        self._report.error(use.place, "KB-M09", message, why.expected.english or kind)
        return _ANYTHING

    def _argument(self, use: StepUse, wanted: type[int | str] | None, choices: tuple[str, ...]) -> bool:
        if wanted is None and use.argument is not None:
            message, expected = f"'{use.name}' takes no argument", use.name
        elif wanted is not None and use.argument is None:
            message, expected = f"'{use.name}' needs an argument", f"{{{use.name}: …}}"
        elif wanted is int and as_number(use.argument) is None:
            message = f"the argument of '{use.name}' is no number from 1"
            expected = f"a number from 1, such as {{{use.name}: 20}}"
        elif wanted is int and (limit := _limit(use)):
            message, expected = f"the argument of '{use.name}' is too large", limit
        elif choices and use.argument not in choices:
            message, expected = f"'{use.name}' does not know this argument", ", ".join(choices)
        else:
            return True
        self._report.error(use.at_argument, "KB-M09", message, expected, nearest(use.argument or "", choices))
        return False

    def _translation(self, rule: Rule) -> Translation | None:
        if rule.lookup is None:
            return None
        try:
            found = self._lists.translation(rule.lookup)
            self._twins(rule, found)
            return found
        except ConfigurationError as error:
            column = isinstance(error, UnknownColumn) and rule.column
            place = rule.at("codelist.column" if column else "codelist.list" if rule.column else "codelist")
            self._report.error(place, "KB-M10", error.what, error.expected, error.helps or error.where)
            return None

    def _twins(self, rule: Rule, translation: Translation) -> None:
        """Where case and blanks do not matter, nobody knows which of two partners is meant."""
        for one, other in translation.twins[:1]:
            message = f"'{one}' and '{other}' of the code list '{rule.codelist}' differ in case or blanks only"
            expected = f"the same partner: '{translation.entries[one]}' or '{translation.entries[other]}'"
            helps = "codelist: {list: …, fold: false} tells them apart"
            self._report.error(rule.at("codelist"), "KB-M22", message, expected, helps)

    def _translated(self, rule: Rule, given: Arriving, translation: Translation) -> Arriving:
        """What the code list makes of known words; each of them needs a partner."""
        partners = Length(longest(list(translation.entries.values())))
        after = Arriving(Type("any", many=given.type.many, nullable=given.type.nullable), partners)
        if given.values and given.all_known:
            translated, refused = given.through(translation.translate)
            self._partners_missing(rule, refused, list(translation.entries), whole=not translated.values)
            return replace(after, values=translated.values, all_known=True)
        if _are_uuids(given) and not any(map(is_uuid, translation.entries)):
            message = f"a UUID has no partner in the code list '{rule.codelist}'"
            self._report.error(rule.at("codelist"), "KB-M22", message, ", ".join(list(translation.entries)[:12]))
        if given.type.kind not in {"text", "any"}:
            message = f"{NAMES[given.type.kind]} has no partner in the code list '{rule.codelist}'"
            self._refused_samples(rule, given, translation, message)
        return after

    def _refused_samples(self, rule: Rule, given: Arriving, translation: Translation, message: str) -> None:
        """Whole numbers may be codes where the list has numbers; a sum, a day or a moment never is."""
        numbers = any(_is_number(key) for key in translation.entries)
        if not (given.type.kind == "integer" and numbers) and not given.through(translation.translate)[0].values:
            self._report.error(rule.at("codelist"), "KB-M22", message, ", ".join(list(translation.entries)[:12]))

    def _partners_missing(self, rule: Rule, refused: Iterable[Any], known: list[str], *, whole: bool) -> None:
        if values := list(refused):
            message = f"the code list '{rule.codelist}' has no partner for {shown_values(values)}"
            add = self._report.error if whole else self._report.warning
            helps = "add them to the list; such records are set aside"
            add(rule.at("codelist"), "KB-M22", message, ", ".join(known[:12]), helps)

    def _code(self, rule: Rule, use: CodeUse, place: Spot, given: Arriving) -> None:
        try:
            codes = self._lists.codes(use.list)
        except ConfigurationError as error:
            self._report.error(use.list_place, "KB-M10", error.what, error.expected, error.helps or error.where)
            return
        if rule.source is None and use.value is None:
            self._report.error(use.place, "KB-M03", "neither a code nor a source", 'value: "001", or from: path')
        elif use.value is not None and use.value not in codes.codes:
            message = f"the code list '{use.list}' has no '{use.value}'"
            expected = ", ".join(list(codes.codes)[:12])
            helps = nearest(use.value, [code for code in codes.codes if _may_be_meant(use.value, code)])
            self._report.error(use.place, "KB-M10", message, expected, helps)
        elif given.values and given.all_known:
            kept, refused = given.through(codes.check)
            replaced = replace(rule, codelist=use.list)
            self._partners_missing(replaced, refused, list(codes.codes), whole=not kept.values)
        elif (what := _never_a_code(given, codes)) and rule.source is not None:
            message = f"'{rule.source.text}' is {what}, and the code list '{use.list}' has none such"
            self._report.error(rule.at("from"), "KB-M22", message, ", ".join(list(codes.codes)[:12]))
        if place.node.leaf is None and "code" not in place.node.children:
            self._report.error(rule.place, "KB-M07", f"'{place.path}' is no place for a code", "an element with 'code'")
        else:
            self._codes_fit(use, codes, place)

    def _codes_fit(self, use: CodeUse, codes: CodeList, place: Spot) -> None:
        """The codes and what a message says of their list, against the target's own rules."""
        self._list_is_named(use, codes, place)
        holder = place.node.children.get("code", place.node)
        written = [use.value] if use.value is not None else list(codes.codes)
        refused = [code for code in written if holder.leaf is not None and holder.leaf.refusal(code)]
        if refused and (use.value is None or use.value in codes.codes):
            message = f"{shown_values(refused)} of the code list '{use.list}' does not fit '{place.path}'"
            allowed = ", ".join(holder.leaf.enumeration[:12]) if holder.leaf else ""
            add = self._report.error if len(refused) == len(written) else self._report.warning
            add(use.place, "KB-M10", message, allowed or "a code that the schema allows")
        for name, text in (("@listURI", codes.uri), ("@listVersionID", codes.version)):
            node = place.node.children.get(name)
            if node is not None and text and (node.fixed or text) != text:
                message = f"the schema fixes '{place.path}/{name}', but the code list '{use.list}' says '{text}'"
                self._report.error(use.list_place, "KB-M10", message, f"'{node.fixed}'")

    def _list_is_named(self, use: CodeUse, codes: CodeList, place: Spot) -> None:
        """What a message says of a list comes from the list; a place without room for it holds a mere text."""
        for name, text, key in (("@listURI", codes.uri, "uri"), ("@listVersionID", codes.version, "version")):
            node = place.node.children.get(name)
            if node is not None and not text and node.fixed is None:
                message = f"the code list '{use.list}' has no '{key}', so '{place.path}/{name}' is missing"
                add = self._report.warning if node.optional else self._report.error
                add(use.list_place, "KB-M10", message, f"'{key}: …' in mappings/codelists/{use.list}.yaml")
        leaf = place.node.leaf
        bare = leaf is not None and not place.node.children.keys() & {"code", "@listURI"}
        if bare and leaf is not None and not leaf.refusal(PROSE[0]):
            message = f"'{place.path}' takes any text and names no list, so the bare code stands there"
            self._report.warning(use.list_place, "KB-M19", message, "an element with 'code', or const")

    def _without_effect(self, rule: Rule, found: Type) -> None:
        if rule.required and rule.default is not None:
            message = "with a default nothing is ever missing, so 'required' changes nothing"
            self._report.warning(rule.at("required"), "KB-M19", message, "one of the two")
        known = found.kind != "any" or bool(found.values)
        if rule.default is not None and known and not found.nullable and not is_nothing(rule.default):
            message = f"'{rule.origin}' is never empty, so the default is never written"
            self._report.warning(rule.at("default"), "KB-M19", message, "no default")


def _told(source: SourcePath, found: Type, conditions: Sequence[When]) -> Type:
    """The type of a source that a condition asks for: it is there, and its only texts may be named."""
    asking = [when for when in conditions if when.path.text == source.text and not when.negated]
    if asking:
        found = replace(found, nullable=False)
    given = next((when.texts for when in asking if when.texts and not when.fold), ())
    known = found.kind == "text" and all(not found.values or text in found.values for text in given)
    return replace(found, values=given) if known and given else found


def _limit(use: StepUse) -> str:
    """What a step says of a number that is too large for it; nothing where it takes the number."""
    try:
        STEPS[use.name].apply("1", as_number(use.argument))
    except Unusable as unusable:
        return unusable.expected.english or OTHERWISE
    return f"less than {LARGEST}" if as_number(use.argument) == LARGEST else ""


def _is_number(text: str) -> bool:
    return text.strip().lstrip("-").isdigit()


def _may_be_meant(given: str, code: str) -> bool:
    """Of numbers only one with the same digits: '009' is not '003', which means something else."""
    return not (_is_number(given) and _is_number(code)) or sorted(given) == sorted(code)


def _are_uuids(given: Arriving) -> bool:
    return given.shaped and bool(given.probes) and all(map(is_uuid, given.probes))


def _never_a_code(given: Arriving, codes: CodeList) -> str:
    """What arrives, where no code of a list can look like it; nothing where one may."""
    if _are_uuids(given) and not any(map(is_uuid, codes.codes)):
        return "a UUID"
    sums = given.type.kind in {"decimal", "date", "moment"}
    numbers = given.type.kind == "integer" and not any(map(_is_number, codes.codes))
    return NAMES[given.type.kind] if given.values and (sums or numbers) and not given.type.many else ""
