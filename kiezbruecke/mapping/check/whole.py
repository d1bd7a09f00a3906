"""What can be known before anything is sent: `check` reads a mapping against its sources' types and its target.

rules ──bind──▶ plan ──▶ each rule by itself ──▶ is every mandatory place spoken about? ──▶ Checked: findings, mapping
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.bind import bind
from kiezbruecke.mapping.check.accepted import places_of, without_accepted
from kiezbruecke.mapping.check.conditions import check_condition, exclude, same_question
from kiezbruecke.mapping.check.lists import ListNames
from kiezbruecke.mapping.check.mandatory import missing_rules
from kiezbruecke.mapping.check.report import CheckReport, Notes
from kiezbruecke.mapping.check.rule import LeafChecker
from kiezbruecke.mapping.check.sources import ONLY_INBOUND, always_read, check_against_examples, check_sources
from kiezbruecke.mapping.interpret.namespaces import prefix_problems
from kiezbruecke.mapping.language.definition import Definition, Rule, When
from kiezbruecke.mapping.language.findings import Finding, NotAMapping, Place, meant, nearest
from kiezbruecke.mapping.language.groups import idle_groups
from kiezbruecke.mapping.language.paths import without_numbers
from kiezbruecke.mapping.language.reading import Reading
from kiezbruecke.mapping.language.walking import all_rules, paths_in, walk
from kiezbruecke.mapping.loading import Mapping as Ready
from kiezbruecke.mapping.loading import assemble, examine_mapping_file, find_goal
from kiezbruecke.mapping.plan import Bound, Plan, Spot
from kiezbruecke.mapping.schema.models import LOST, Type, is_root, known_roots, only_outbound, root_types
from kiezbruecke.mapping.schema.sources import ItemShape, find_shape, named_root, own_roots, source_types
from kiezbruecke.mapping.schema.targets import TargetSchema
from kiezbruecke.mapping.schema.tree import Node

# Errors behind which a rule cannot be tried: it leads nowhere, or names what is not there.
_NOT_TRIED = frozenset({"KB-M03", "KB-M06", "KB-M07", "KB-M08", "KB-M09", "KB-M10"})
_UNFIT = frozenset({"KB-M10", "KB-M13", "KB-M14", "KB-M18", "KB-M22"})  # what arrives does not fit its place
_NEVER_SPEAKS = "this rule never speaks: what it asks and what is asked around it exclude each other"
_MOST_RULES = 200  # for one place, each compared with all others
Types = Mapping[str, Type]


@dataclass(frozen=True)
class Checked:
    """A mapping as it was checked: every finding in the file's order, missing rules last, and the mapping itself where
    its rules can be tried, be there errors among the findings or not; a mere base is none.
    """

    findings: list[Finding]
    mapping: Ready | None = None


def check_mapping(name: str, content: Path) -> list[Finding]:
    """Every finding in the file's order, missing rules last. Raises ConfigurationError for an unknown name."""
    return checked(name, content).findings


def checked(name: str, content: Path, *, examples: bool = True) -> Checked:
    """What there is to say about a mapping, and the mapping. Raises ConfigurationError for an unknown name.

    Without `examples` nothing depends on them: a route that runs does not stop because one was taken away.
    """
    try:
        reading = examine_mapping_file(name, content)
    except NotAMapping as error:
        return Checked(error.findings)
    found, mapping = list(reading.findings), None
    if not _other_goal(reading):  # every rule of the base would be wrong, and none of them is
        meaning = _meaning(reading, content, examples=examples)
        found, mapping = found + meaning.findings, meaning.mapping
    found = each_once(without_accepted(found, reading.definition), reading.definition)
    # a mandatory place without a rule is often only the echo of a misspelt target: causes first
    found.sort(key=lambda finding: (finding.code == "KB-M12", finding.place, finding.code))
    return Checked(found, mapping)


def each_once(findings: list[Finding], definition: Definition) -> list[Finding]:
    """What is wrong with a rule of a group is said once, at the group's line, however often the group is used."""
    inside = {group.place for group in definition.groups.values()}
    rules = (rule for group in definition.groups.values() for rule in all_rules(group.rules))
    inside |= {place for rule in rules for place in places_of(rule)}
    kept: dict[object, Finding] = {}
    for one in _as_written(findings, definition):
        last = one.rule.rpartition("/")[2]
        kept.setdefault((one.place, one.code, last) if one.place in inside else one, one)
    return list(kept.values())


def _as_written(findings: list[Finding], definition: Definition) -> Iterable[Finding]:
    """The findings with the names of members as they stand in the file: `part`, not `part_2`, on every level."""
    written = [rule for group in definition.groups.values() for rule in all_rules(group.rules)]
    inside = {rule.place for rule in written}
    written += [rule for rule in all_rules(definition.rules) if rule.place not in inside]
    deeper = definition.levels.keys() - {rule.name for rule in written}
    if not deeper:
        return findings
    pattern = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, sorted(deeper)))})(?!\w)")

    def named(text: str) -> str:
        return pattern.sub(lambda name: definition.levels[name[0]], text)

    return [
        replace(one, message=named(one.message), expected=named(one.expected), helps=named(one.helps))
        for one in findings
    ]


def _other_goal(reading: Reading) -> bool:
    """Whether an overlay has a target that its base does not make."""
    place = reading.definition.places["target"]
    return any(finding.code == "KB-M05" and finding.place == place for finding in reading.findings)


def _meaning(reading: Reading, content: Path, *, examples: bool) -> Checked:
    """What is wrong with what the rules say, as far as they could be read."""
    definition = reading.definition
    if not definition.target:
        return Checked([])
    try:
        target = find_goal(definition, content)
    except ConfigurationError as error:
        place = definition.places["target"]
        return Checked([Finding(place, "KB-M06", error.what, expected=error.expected, helps=error.helps)])
    return _Checker(reading, target, content).run(examples=examples)


class _Checker:
    def __init__(self, reading: Reading, target: TargetSchema, content: Path) -> None:
        self._definition = reading.definition
        self._broken = reading.broken
        self._unread = len({one.rule for one in reading.findings if one.rule})
        self._found_before = {finding.place for finding in reading.findings}
        self._target = target
        self._content = content
        self._groups = {rule.place: rule.use for rule in all_rules(self._definition.rules) if rule.use}
        self._report = CheckReport()
        self._notes = Notes()
        self._twice: set[str] = set()  # places that two rules fill at once
        self._meant: tuple[str, ...] = ()  # roots that are misspelt in the header
        self._leaves = LeafChecker(
            ListNames(content),
            self._report,
            is_record=target.kind == "record",
            machine_item=reading.definition.source.kind != "table",
        )

    def run(self, *, examples: bool) -> Checked:
        self._header()
        shape = self._shape()
        types = root_types(self._meant) | source_types(self._definition, shape)
        plan = bind(self._definition.rules, self._target.root, types, self._broken)
        self._notes.always = always_read(self._definition, types)
        self._report.take(plan.findings)
        self._report.take(idle_groups(self._definition))
        for one in plan.rules:
            self._rule(one, types)
        missing = missing_rules(plan.root, self._notes, self._report, self._definition.places["rules"])
        missing = _without_echoes(missing, plan, self._report)
        self._report.rule = ""
        lacking = self._unread + sum(one.code in {"KB-M12", "KB-M15"} for one in missing)
        check_sources(self._definition, plan, types, self._report, lacking)
        if examples:
            check_against_examples(self._definition, plan, types, self._content, self._report)
        found = [*self._report.findings, *(missing if not self._definition.abstract else ())]
        found = [one for one in found if not self._of_another_place(one, plan)]
        lost = self._found_before or any(one.severity == "error" and one.code in _NOT_TRIED for one in found)
        whole = not lost and not self._definition.abstract
        mapping = assemble(self._definition, self._target, self._content, shape, plan) if whole else None
        return Checked([self._of_this_file(self._of_the_group(finding)) for finding in found], mapping)

    def _of_another_place(self, one: Finding, plan: Plan) -> bool:
        """Whether it is about a rule of the base that one with a misspelt target was to replace, or about one of
        two for the same place, of which the other may be the one that is meant.
        """
        misplaced = one.rule in self._twice and one.code in _UNFIT
        return misplaced or (one.severity == "warning" and one.rule in plan.meant)

    def _of_the_group(self, finding: Finding) -> Finding:
        """A rule that is missing in the block of a group is missing in the group."""
        group = self._definition.groups.get(self._groups.get(finding.place, ""))
        pasted = finding.code == "KB-M12" and finding.expected.startswith("- {")
        return replace(finding, place=group.place) if group and pasted else finding

    def _of_this_file(self, finding: Finding) -> Finding:
        """A base may be whole by itself: what is missing is missing in the overlay."""
        if finding.code not in {"KB-M12", "KB-M20"} or finding.place.file == self._definition.file:
            return finding
        if omitted := self._definition.places.get(f"omit.{finding.rule}"):
            helps = "no 'omit' here, or another rule for the place"
            return replace(finding, place=omitted, helps=helps)
        pasted = finding.expected.startswith("- {")
        extends, node = self._definition.places["extends"], self._notes.missing.get(finding.rule)
        expected = self._notes.rule_at(extends, finding.rule, node) if pasted else finding.expected
        return replace(finding, place=extends, expected=expected)

    def _shape(self) -> ItemShape:
        """The shape of what is read; a source that is not there is a finding, and what it speaks of is open."""
        try:
            return find_shape(self._definition.source, self._content)
        except ConfigurationError as error:
            helps = error.helps or (f"see {error.where}" if error.where else "")
            self._report.error(self._definition.places["source"], "KB-M08", error.what, error.expected, helps)
            return ItemShape(LOST)

    def _header(self) -> None:
        places = self._definition.places
        own = own_roots(self._definition) if self._definition.direction == "outbound" else []
        for root in self._definition.roots:
            place = places.get(f"roots.{root}", places["roots"])
            if own:
                self._beside_own(root, own[0], place)
            elif not is_root(root):
                message, helps = f"there is no root '{root}'", nearest(root, known_roots())
                self._report.error(place, "KB-M08", message, ", ".join(known_roots()), helps or self._of_ones_own(root))
                self._meant += (meant(root, known_roots()),)
            elif not self._may_be_read(root):
                other = "outbound" if self._definition.direction == "inbound" else "inbound"
                message = f"'{root}' is there for {other} mappings only, so it is always empty here"
                self._report.error(place, "KB-M08", message, ", ".join(filter(self._may_be_read, known_roots())))
        self._of_items(own)
        for message, expected in prefix_problems(self._definition, self._target):
            self._report.error(places["prefix"], "KB-M03", message, expected)
        inbound = self._definition.direction == "inbound"
        if inbound != (self._target.kind == "record"):
            expected = "record <Name>" if inbound else "a table or a standard's root element"
            message = f"an {self._definition.direction} mapping does not make this"
            self._report.error(places["target"], "KB-M06", message, expected)
        if inbound and not self._definition.reads and not self._definition.abstract:
            self._report.error(places["name"], "KB-M03", "'reads' is missing", "reads: [kind of item]")

    def _may_be_read(self, root: str) -> bool:
        return not (only_outbound(root) if self._definition.direction == "inbound" else root in ONLY_INBOUND)

    def _beside_own(self, root: str, own: str, place: Place) -> None:
        """Beside a record of one's own stands what is known of any record, and nothing else: there is no case."""
        if root in {own, "envelope"}:
            return
        message = f"'{root}' is not there beside '{own}', the record that 'source' speaks of"
        self._report.error(place, "KB-M08", message, f"roots: [{own}], or [{own}, envelope]")

    def _of_ones_own(self, root: str) -> str:
        outbound = self._definition.direction == "outbound"
        return f"source: json <name> makes '{root}' a record of your own" if outbound else ""

    def _of_items(self, own: list[str]) -> None:
        """An outbound mapping reads no items; a source of its own speaks of one root that is none of ours."""
        places = self._definition.places
        for key in ("source", "reads"):
            place = places.get(key)
            if self._definition.direction == "inbound" or place is None or place.file != self._definition.file:
                continue
            if key == "reads":
                message = "'reads' speaks of items, which an outbound mapping does not read"
                self._report.warning(place, "KB-M19", message, "no 'reads' here")
            elif not own:
                message = "'source' speaks of a record of your own, and every root here is one of ours"
                expected = f"no 'source' here, or roots: [{named_root(self._definition.source)}]"
                self._report.warning(place, "KB-M19", message, expected)

    def _rule(self, one: Bound, types: Types) -> None:
        rule, spot = one.rule, one.spot
        if rule.ends:
            return  # the same was said one level above
        self._report.wrong |= {one.number} if rule.place in self._broken else set()
        self._report.rule, self._report.number = spot.path if spot else one.target, one.number
        block = one.above[-1].spot.path if one.above and one.above[-1].spot else ""
        self._notes.around.setdefault(rule.place, []).append((block, spot.path if spot and rule.rules else ""))
        if spot is not None:
            self._numbers(one, spot)
            self._nil(rule, spot)
        self._each(one, types)
        self._when(one)
        if spot is None or (rule.rules and not spot.node.children):
            return
        if rule.rules:
            self._block(rule)
        else:
            self._leaf(one, spot)

    def _block(self, rule: Rule) -> None:
        if rule.required:
            message, helps = "'required' on a block changes nothing", "required: true at the rule that needs a value"
            self._report.warning(rule.at("required"), "KB-M19", message, "no 'required' here", helps)

    def _leaf(self, one: Bound, spot: Spot) -> None:
        before = spot.filled[: spot.filled.index(one)]
        if len(before) >= _MOST_RULES:
            message = f"more than {_MOST_RULES} rules for '{spot.path}'"
            self._report.error(one.rule.place, "KB-M11", message, "few rules for one place", "a code list, or blocks")
        elif not any(self._together(one, spot, other) for other in before):
            self._apart(one, spot, before)
        if one.rule.place not in self._broken:
            self._leaves.check(one, spot)

    def _together(self, one: Bound, spot: Spot, other: Bound) -> bool:
        """Whether two rules for one place will always meet; then one of them is too many."""
        if one.conditions and other.conditions and not same_question(one.conditions, other.conditions):
            return False
        if self._kept_apart(one, other):
            return False
        helps = "give both a 'when', or number the targets: X[2]"
        self._report.error(one.rule.place, "KB-M11", f"a second rule for '{spot.path}'", "one rule", helps)
        self._twice.add(spot.path)
        return True

    def _apart(self, one: Bound, spot: Spot, before: list[Bound]) -> None:
        """Two rules for one place: their conditions must exclude each other."""
        for other in before:
            if not self._kept_apart(one, other):
                message = f"a second rule for '{spot.path}', and both conditions may be met"
                helps = "when: {path: …, equals: …} with the same path in both"
                self._report.warning(one.rule.place, "KB-M11", message, "conditions that exclude each other", helps)

    def _kept_apart(self, one: Bound, other: Bound) -> bool:
        """What a broken condition was meant to keep apart, nobody knows."""
        broken = self._broken_when(one.rule) or self._broken_when(other.rule)
        broken = broken or self._notes.doubts(one.conditions) or self._notes.doubts(other.conditions)
        return broken or exclude(one.conditions, other.conditions)

    def _broken_when(self, rule: Rule) -> bool:
        """Whether a condition could not be read as it stands there."""
        if "when" not in rule.places:
            return False
        places = {place for when in rule.when for place in (when.place, when.texts_place)}
        return not rule.when or bool({rule.at("when"), *places} & self._found_before)

    def _numbers(self, one: Bound, spot: Spot) -> None:
        """`X[2]` where X stands once, or `X[4]` where it stands three times."""
        nodes: list[Node] = []
        above: Spot | None = spot
        for _ in one.rule.target.steps:
            if above is not None:
                nodes.insert(0, above.node)
                above = above.above
        for step, node in zip(one.rule.target.steps, nodes, strict=True):
            if step.number > 1 and not node.repeats:
                message = f"'{step.name}' stands only once, so there is no '{step}'"
                self._report.error(one.rule.place, "KB-M11", message, f"'{step.name}' without a number")
            elif node.maximum is not None and step.number > node.maximum and not node.in_repeated_group:
                message = f"'{step.name}' stands at most {node.maximum} times, so there is no '{step}'"
                self._report.error(one.rule.place, "KB-M11", message, f"at most '{step.name}[{node.maximum}]'")

    def _nil(self, rule: Rule, spot: Spot) -> None:
        """`nil` needs a schema that allows it."""
        if rule.nil and not spot.node.nillable:
            message = f"'{spot.path}' cannot be nil: the schema does not say nillable"
            self._report.error(rule.at("nil"), "KB-M07", message, "a rule without 'nil'")
        elif rule.nil and rule.required:
            message = "'required' sets the record aside before 'nil' is written, so 'nil' changes nothing"
            self._report.warning(rule.at("nil"), "KB-M19", message, "one of the two")

    def _each(self, one: Bound, types: Types) -> None:
        rule, spot, found = one.rule, one.spot, one.listed
        if rule.each is None or rule.name is None:
            return
        if found and (found.kind != "any" or found.whole) and not found.many:
            self._report.error(rule.at("each"), "KB-M14", f"'{rule.each.text}' is no list", "a list")
        if spot is not None and not spot.node.repeats:
            message, helps = f"'{spot.path}' stands only once", "put 'each' on a block that may repeat"
            self._report.error(rule.at("each"), "KB-M11", message, "a target that repeats", helps)
        if spot is not None and spot.node.repeats and found and found.many:
            self._leaves.fits_in_number(rule, spot, found)
        if rule.name in types or (one.above and rule.name in one.above[-1].members):
            self._report.error(rule.at("as"), "KB-M03", f"'{rule.name}' is already the name of a source", "a new name")
        if not _reads_member(one):
            message = f"nothing below reads '{rule.name}', so every member gives the same"
            self._report.warning(rule.at("as"), "KB-M19", message, f"from: {rule.name}.…")

    def _when(self, one: Bound) -> None:
        for when, found in zip(one.rule.asked, one.asked, strict=True):
            self._condition(one, when, found)
        if one.rule.when and not self._notes.doubts(one.conditions):
            self._never_speaks(one)

    def _never_speaks(self, one: Bound) -> None:
        """No value meets what the rule asks and what is asked around it; of `one_of`, what its other cases leave."""
        above = one.above[-1].conditions if one.above else ()
        if exclude(above, above) or not exclude(one.rule.when, one.conditions):
            return
        is_case = not exclude(one.rule.asked, (*above, *one.rule.asked))  # it is kept apart from the others in vain
        message = "this case never speaks alone: where it holds, another one does, too" if is_case else _NEVER_SPEAKS
        expected = "cases that exclude each other" if is_case else "a value that all of them can meet"
        self._report.error(one.rule.at("when"), "KB-M16", message, expected)

    def _condition(self, one: Bound, when: When, found: Type | None) -> None:
        before = len(self._report.findings)
        if found is not None:  # the uses of a group may ask different types: then nobody knows
            known = self._notes.asked.setdefault(when.place, found)
            self._notes.asked[when.place] = found if known == found else Type()
        if found is None or self._broken_when(one.rule):
            self._notes.doubtful.add(when.place)
        else:
            check_condition(when, found, self._report, keeps_alive=_keeps_alive(one))
        if len(self._report.findings) > before:
            self._notes.doubtful.add(when.place)


def _without_echoes(missing: list[Finding], plan: Plan, report: CheckReport) -> list[Finding]:
    """Without the mandatory places that have no rule because its name is wrong: the one that is meant, and of a block
    no more than there are rules in it that lead nowhere, or to a place that is not theirs.
    """
    lost = [one for one in missing if one.code == "KB-M12"]
    elsewhere = (one for one in report.findings if one.severity == "error" and one.code in {"KB-M07", "KB-M11"})
    astray = Counter(plan.astray) + Counter(_above(one.rule) for one in elsewhere if one not in plan.findings)
    lacking = Counter(_above(one.rule) for one in lost)
    return [
        one
        for one in missing
        if one not in lost
        or not (
            any(f"{path}/".startswith(f"{without_numbers(one.rule)}/") for path in plan.meant)
            or astray[above := _above(one.rule)] >= lacking[above]
        )
    ]


def _above(path: str) -> str:
    return path.rpartition("/")[0]


def _reads_member(one: Bound) -> bool:
    """Whether a rule or one below it reads the member of its `each`, by any name that stands for it."""
    outside = one.above[-1].members if one.above else {}
    names = one.members.keys() - outside.keys() | {one.rule.name}
    inside = [each.rule for each in walk((one.rule,))]
    if any(rule.ends for rule in inside):
        return True  # what would read it is not written out any more
    return any(path.root in names for rule in inside for _, path, _ in paths_in(rule) if path is not one.rule.each)


def _keeps_alive(one: Bound) -> bool:
    """Whether a condition stands on constants alone, so that nothing but the condition opens their optional place."""
    if any(inner.rule.source is not None for inner in walk((one.rule,))):
        return False
    if one.rule.rules:
        return True
    above = one.spot.above if one.spot else None
    for _ in one.rule.target.steps[:-1]:
        if above is None or above.node.optional:
            return above is not None
        above = above.above
    return False
