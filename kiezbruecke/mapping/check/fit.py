"""Whether what arrives fits the place: its kind, its words, its length, and the constants that are written for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kiezbruecke.mapping.check.arriving import EXAMPLES, NAMES, Arriving, as_number
from kiezbruecke.mapping.check.report import CheckReport
from kiezbruecke.mapping.language.definition import Rule
from kiezbruecke.mapping.language.findings import Place, nearest
from kiezbruecke.mapping.plan import Spot
from kiezbruecke.mapping.schema.json_schema import JsonNode
from kiezbruecke.mapping.schema.models import Type
from kiezbruecke.mapping.schema.tree import Leaf
from kiezbruecke.mapping.values import Kind, Unusable, is_nothing, to_text
from kiezbruecke.mapping.wording import OTHERWISE, Instead

_FITS: dict[Kind, frozenset[Kind]] = {
    "decimal": frozenset({"decimal", "integer"}),
    "integer": frozenset({"integer"}),
    "date": frozenset({"date"}),
    "moment": frozenset({"moment"}),
    "boolean": frozenset({"boolean"}),
}
_SHOWN = 12
_LONG = 60  # characters of a value that a finding shows
_LONGEST_PROBE = 400
_PLAIN = frozenset({"string", "normalizedString", "token"})
_BOUNDS = frozenset({"minInclusive", "maxInclusive", "minExclusive", "maxExclusive", "totalDigits"})
_SPANS = {  # XML Schema Part 2, 3.4.16-3.4.24: the integers with two ends
    "byte": ("-128", "127"),
    "short": ("-32768", "32767"),
    "int": ("-2147483648", "2147483647"),
    "long": ("-9223372036854775808", "9223372036854775807"),
    "unsignedByte": ("0", "255"),
    "unsignedShort": ("0", "65535"),
    "unsignedInt": ("0", "4294967295"),
    "unsignedLong": ("0", "18446744073709551615"),
}
_EXAMPLES = {
    "gYear": "a year such as 2026",
    "gYearMonth": "a month such as 2026-04",
    "gMonth": "a month such as --04",
    "gMonthDay": "a day such as --04-24",
    "gDay": "a day such as ---24",
    "time": "a time such as 10:00:00",
    "duration": "a duration such as P30D",
    "anyURI": "an address such as https://www.berlin.de/",
    "ID": "a name that begins with a letter or _, such as a-1; each once in a message",
    "IDREF": "the ID of another element",
    "NCName": "a name that begins with a letter or _, such as a-1",
    "NMTOKEN": "a word of letters, digits, '.', '-', '_' and ':'",
    "QName": "a name such as xs:string",
    "Name": "a name that begins with a letter, _ or :",
    "language": "a language such as de or en-GB",
    "base64Binary": "Base64 such as QQ==",
    "hexBinary": "pairs of hexadecimal digits such as 0AFF",
    "list": "words with blanks between them, each as the schema's list allows",
    "union": "a value that one of the union's types allows",
}


class Fitting:
    """Compares what arrives with the leaf that takes it. In records, models read texts themselves."""

    def __init__(self, report: CheckReport, *, is_record: bool, machine_item: bool) -> None:
        self._report = report
        self._is_record = is_record
        self._machine_item = machine_item  # machines write 850.00, people 850,00 €

    def check(self, rule: Rule, place: Spot, leaf: Leaf, arriving: Arriving) -> None:
        """Add what does not fit."""
        if arriving.type.many and not place.node.repeats:
            message, helps = f"many values for '{_at(place)}', which stands once", "steps: [{join: ', '}], or each"
            self._report.error(rule.at("from"), "KB-M11", message, "one value", helps)
            return
        if arriving.type.many:
            self.fits_in_number(rule, place, "from", arriving.type)
        for key, text in (("const", rule.const), ("default", rule.default)):
            if text is not None:
                self._text(place, leaf, text, rule.at(key), key)
        if rule.source is None or self._wrong_kind(rule, place, leaf, arriving):
            return
        self._peoples_words(rule, place, leaf, arriving)
        self._fixed(rule, place, arriving)
        nothing_fits = self._euros(rule, place, leaf) or self._values(rule, place, leaf, arriving)
        self._clips(rule, place, leaf)
        nothing_fits = self._affixes(rule, place, leaf) or nothing_fits
        if leaf.kind == "text" and rule.codelist is None and not nothing_fits:
            self._length(rule, place, leaf, arriving)
            self._form(rule, place, leaf, arriving)

    def fits_in_number(self, rule: Rule, place: Spot, key: str, found: Type) -> None:
        """A list may have no end that anybody knows; the target may have one."""
        node = place.node
        if node.maximum is None or (found.most is not None and found.most <= node.maximum):
            return
        if node.in_repeated_group and not isinstance(node, JsonNode):
            return
        message = f"'{_at(place)}' stands at most {node.maximum} times; a longer list sets its record aside"
        numbered = f"one rule for each that is wanted: '{node.name}' from path[1]"
        helps = f"{numbered}, '{node.name}[2]' from path[2] …" if node.maximum > 1 else numbered
        self._report.warning(rule.at(key), "KB-M11", message, f"at most {node.maximum} values", helps)

    def partners(self, rule: Rule, place: Spot, leaf: Leaf, partners: Sequence[str]) -> int:
        """The words of a code list must fit the target; how many of them do not."""
        refused = [(value, why) for value in partners if not is_nothing(value) and (why := leaf.refusal(value))]
        if refused:
            shown, fit = shown_values([value for value, _ in refused]), "does" if len(refused) == 1 else "do"
            message = f"{shown} of the code list '{rule.codelist}' {fit} not fit '{_at(place)}'"
            helps = nearest(refused[0][0], leaf.enumeration or leaf.words) if len(refused) == 1 else ""
            self._report.error(rule.at("codelist"), "KB-M10", message, _expected(leaf, refused[0][1]), helps)
        return len(refused)

    def _text(self, place: Spot, leaf: Leaf, text: str, at: Place, key: str) -> None:
        if is_nothing(text):
            self._report.error(at, "KB-M03", f"this {key} is nothing, so it is never written", "a text", "leave it out")
            return
        if why := leaf.refusal(text):
            message = f"this {key} does not fit '{_at(place)}'"
            self._report.error(
                at, "KB-M14", message, _expected(leaf, why), nearest(text, leaf.enumeration or leaf.words)
            )
        if place.node.fixed is not None and text != place.node.fixed:
            expected = f"'{place.node.fixed}', or no rule at all"
            self._report.error(at, "KB-M14", f"the schema fixes '{_at(place)}'", expected)

    def _wrong_kind(self, rule: Rule, place: Spot, leaf: Leaf, arriving: Arriving) -> bool:
        fitting, kind = _FITS.get(leaf.kind), arriving.type.means
        if fitting is None or kind == "any" or kind in fitting:
            return False
        message = f"{kind} does not fit '{_at(place)}'"
        expected = f"{leaf.kind}, or a step that makes it"
        if not self._is_record or kind != "text":
            self._report.error(rule.at("from"), "KB-M14", message, expected)
        elif not rule.steps and not arriving.all_known and not self._by_machine(rule):
            self._report.warning(rule.at("from"), "KB-M14", message, expected)
        return True

    def _by_machine(self, rule: Rule) -> bool:
        return self._machine_item and rule.source is not None and rule.source.root == "item"

    def _values(self, rule: Rule, place: Spot, leaf: Leaf, arriving: Arriving) -> bool:
        """Every known word, or samples of the kind, against the target's own rules; whether none of them fits."""
        if not arriving.values or (self._is_record and not arriving.all_known):
            return False
        refused = [(value, why) for value in arriving.values if (why := leaf.refusal(value))]
        if not refused:
            return False
        expected = _expected(leaf, refused[0][1])
        whole = len(refused) == len(arriving.values)
        shown = shown_values([value for value, _ in refused])
        if arriving.all_known:
            message = f"{'no' if whole else 'not every'} value of '{rule.origin}' fits '{_at(place)}': {shown}"
            helps = "" if rule.codelist else "a codelist gives each of them a partner"
            add = self._report.error if whole else self._report.warning
            add(rule.at("codelist" if rule.codelist else "from"), "KB-M22", message, expected, helps)
        elif whole:
            message = f"{NAMES.get(arriving.type.kind, 'this')} such as {shown} does not fit '{_at(place)}'"
            self._report.error(rule.at("from"), "KB-M14", message, expected, "a step that writes it otherwise")
        elif arriving.type.kind == "decimal" and leaf.facets.keys() & {"totalDigits", "fractionDigits"}:
            message = f"'{_at(place)}' does not hold every sum: {shown}"
            self._report.warning(rule.at("from"), "KB-M14", message, expected)
        elif arriving.shaped:
            message = f"'{rule.origin}' may hold numbers that '{_at(place)}' does not take, such as {shown}"
            self._report.warning(rule.at("from"), "KB-M14", message, expected, "such records are set aside")
        return whole

    def _form(self, rule: Rule, place: Spot, leaf: Leaf, arriving: Arriving) -> None:
        """Where nothing shapes a free text, a pattern or a list of words will refuse some of it."""
        if self._is_record or not _has_form(place, leaf):
            return
        refused = [(probe, why) for probe in arriving.probes if (why := _wrong_form(leaf, probe))]
        if refused:
            probe, why = refused[0]
            message = f"'{rule.origin}' may hold texts that '{_at(place)}' does not take, such as '{_cut(probe)}'"
            helps = "a step or a codelist that gives it this form; such records are set aside"
            self._report.warning(rule.at("from"), "KB-M14", message, _expected(leaf, why), helps)
        unfit = [why for option in arriving.options if (why := leaf.refusal(option))]
        if unfit and len(unfit) == len(arriving.options) and not any(map(str.isdigit, leaf.enumeration)):
            message = f"no text that arrives fits '{_at(place)}', such as '{_cut(arriving.options[0])}'"
            self._report.error(
                rule.at("from"), "KB-M14", message, _expected(leaf, unfit[0]), "a step that writes it otherwise"
            )

    def _clips(self, rule: Rule, place: Spot, leaf: Leaf) -> None:
        least = _least(leaf)
        for use in rule.steps:
            left = as_number(use.argument)
            if use.name != "clip" or left is None:
                continue
            if leaf.max_length and left > leaf.max_length:
                message = f"clip leaves more than '{_at(place)}' can hold"
                self._report.warning(use.at_argument, "KB-M14", message, f"{{clip: {leaf.max_length}}}")
            elif 0 < left < least:
                message = f"clip leaves less than '{_at(place)}' needs"
                self._report.error(use.at_argument, "KB-M14", message, f"at least {least} characters")

    def _affixes(self, rule: Rule, place: Spot, leaf: Leaf) -> bool:
        """A text that is put before or behind must leave room, and begin or end one of the words of an enumeration.

        Returns whether it leaves none.
        """
        for use in rule.steps[-1:]:
            if use.name not in {"prefix", "suffix"} or use.argument is None or rule.codelist:
                continue
            stands = str.startswith if use.name == "prefix" else str.endswith
            if leaf.max_length is not None and len(use.argument) >= leaf.max_length:
                message = f"with this {use.name} nothing fits '{_at(place)}'"
                self._report.error(use.at_argument, "KB-M14", message, f"at most {leaf.max_length} characters in all")
                return True
            if leaf.enumeration and not any(stands(word, use.argument) for word in leaf.enumeration):
                message = f"no word of '{_at(place)}' has this {use.name}"
                self._report.error(use.at_argument, "KB-M14", message, ", ".join(leaf.enumeration[:_SHOWN]))
                return True
        return False

    def _peoples_words(self, rule: Rule, place: Spot, leaf: Leaf, arriving: Arriving) -> None:
        """What people write into a cell is hardly ever one of a record's words."""
        cell = not self._machine_item and rule.source is not None and rule.source.root == "item"
        if not (self._is_record and leaf.enumeration and cell) or rule.steps or rule.codelist or arriving.all_known:
            return
        message = f"'{rule.origin}' may hold texts that '{_at(place)}' does not take"
        helps = "a codelist that gives each of them a partner; such records are set aside"
        self._report.warning(rule.at("from"), "KB-M14", message, ", ".join(leaf.enumeration[:_SHOWN]), helps)

    def _fixed(self, rule: Rule, place: Spot, arriving: Arriving) -> None:
        """The schema knows the only value; a source that gives another one sets its record aside."""
        fixed = place.node.fixed
        if fixed is None or rule.codelist or (arriving.all_known and set(map(to_text, arriving.values)) == {fixed}):
            return
        message = f"the schema fixes '{_at(place)}' to '{fixed}', whatever '{rule.origin}' holds"
        helps = "no rule at all writes it; another value sets its record aside"
        self._report.warning(rule.at("from"), "KB-M14", message, f"'{fixed}'", helps)

    def _euros(self, rule: Rule, place: Spot, leaf: Leaf) -> bool:
        """85000 is a valid number of euros too, and a hundred times too many. Returns whether that is meant."""
        if not rule.steps or rule.steps[-1].name != "cents" or leaf.kind != "decimal" or leaf.refusal("850.50"):
            return False
        if "cent" in place.path.casefold():
            return False
        message = f"'cents' writes 85000 for 850.00, but '{_at(place)}' takes decimal places, as euros have them"
        add = self._report.error if leaf.refusal("85000") else self._report.warning
        add(rule.steps[-1].place, "KB-M14", message, "no 'cents'", "leave the step out")
        return True

    def _length(self, rule: Rule, place: Spot, leaf: Leaf, arriving: Arriving) -> None:
        most, length = leaf.max_length, arriving.length
        clipped = any(use.name == "clip" for use in rule.steps[-1:])
        if most is None or arriving.all_known or leaf.enumeration or clipped:
            return
        if arriving.shaped and arriving.probes and all(len(probe) > most for probe in arriving.probes):
            longest = len(arriving.probes[0])
            message = f"every '{rule.origin}' has {longest} characters, and '{_at(place)}' holds {most}"
            helps = "another source; clipped, it would name something else"
            self._report.error(rule.at("from"), "KB-M18", message, f"at most {most} characters", helps)
            return
        if length.free:
            message = f"'{rule.origin}' may be longer than '{_at(place)}' can hold; such records are set aside"
        elif length.most is not None and length.most > most:
            has = "has, behind its steps," if rule.steps else "holds"
            message = f"'{rule.origin}' {has} up to {length.most} characters; longer ones than {most} are set aside"
        else:
            return
        clips = any(use.name == "clip" for use in rule.steps)
        helps = f"{'clip last, after every step that may lengthen: ' if clips else ''}steps: [{_steps(rule, most)}]"
        self._report.warning(rule.at("from"), "KB-M18", message, f"at most {most} characters", helps)


def _at(place: Spot) -> str:
    """A place as findings name it: its path, or the root's name."""
    return place.path or place.node.name


def _expected(leaf: Leaf, why: Unusable) -> str:
    """What a leaf expects, in English; where its judge names no more than a type, an example of it."""
    said = why.expected
    if span := _SPANS.get(leaf.builtin):
        return said.english if leaf.facets.keys() & _BOUNDS else f"a whole number from {span[0]} to {span[1]}"
    if said.code == Instead.ANOTHER.name:
        return _EXAMPLES.get(leaf.builtin, said.english)
    return said.english or ", ".join(leaf.enumeration[:_SHOWN]) or EXAMPLES.get(leaf.kind, OTHERWISE)


def shown_values(values: Sequence[Any]) -> str:
    """Some values in one line."""
    texts = [f"'{_cut(to_text(value))}'" for value in values[:_SHOWN]]
    return ", ".join(texts) + (", …" if len(values) > _SHOWN else "")


def _has_form(place: Spot, leaf: Leaf) -> bool:
    """Whether a target asks for more than a length; of JSON only its judge knows."""
    formed = bool(leaf.patterns or leaf.enumeration) or leaf.builtin not in _PLAIN
    return formed or isinstance(place.node, JsonNode)


def _wrong_form(leaf: Leaf, probe: str) -> Unusable | None:
    """Why a leaf refuses a text at every length that it allows: then it is the form that does not fit."""
    most = leaf.max_length or _LONGEST_PROBE
    least = _least(leaf)
    lengthened = f"{probe} " * (max(_LONGEST_PROBE, least) // len(probe) + 1)
    tried = [text[:most] for text in (probe, lengthened[: max(least, 1)], lengthened[:_LONGEST_PROBE])]
    refused = [why for text in tried if (why := leaf.refusal(text.strip()))]
    return refused[0] if len(refused) == len(tried) else None


def _least(leaf: Leaf) -> int:
    """How many characters a leaf asks for."""
    return max((int(value) for facet in ("minLength", "length") for value in leaf.facets.get(facet, ())), default=0)


def _steps(rule: Rule, most: int) -> str:
    """The rule's steps with a clip at the end, as one would write them."""
    kept = [use for use in rule.steps if use.name != "clip"]
    written = [use.name if use.argument is None else f"{{{use.name}: {_quoted(use.argument)}}}" for use in kept]
    return ", ".join([*written, f"{{clip: {most}}}"])


def _quoted(argument: str) -> str:
    return argument if argument.isalnum() else f"'{argument}'"


def _cut(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"
