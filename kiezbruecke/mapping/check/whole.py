"""What can be known before anything is sent: `check` reads a mapping against its sources' types and its target.

rules ──▶ a dry draft (every place a rule speaks about) ──▶ is every mandatory place spoken about?
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.check.accepted import without_accepted
from kiezbruecke.mapping.check.conditions import check_condition, exclude, same_question
from kiezbruecke.mapping.check.lists import ListNames
from kiezbruecke.mapping.check.mandatory import missing_rules
from kiezbruecke.mapping.check.nearest_path import helping
from kiezbruecke.mapping.check.report import CheckReport, Notes, Spoken
from kiezbruecke.mapping.check.rule import LeafChecker
from kiezbruecke.mapping.check.sources import ONLY_INBOUND, always_read, check_sources
from kiezbruecke.mapping.interpret.draft import Instance, NodeDraft
from kiezbruecke.mapping.interpret.namespaces import prefix_problems
from kiezbruecke.mapping.language.definition import Rule, When
from kiezbruecke.mapping.language.findings import Finding, NotAMapping, Place, nearest
from kiezbruecke.mapping.language.reading import Reading
from kiezbruecke.mapping.language.walking import all_rules, paths_in
from kiezbruecke.mapping.loading import examine_mapping_file, find_goal
from kiezbruecke.mapping.schema.models import Type, is_root, known_roots, only_outbound
from kiezbruecke.mapping.schema.sources import named_root, open_types, own_roots, source_types
from kiezbruecke.mapping.schema.targets import TargetSchema

_MOST_RULES = 200  # for one place, each compared with all others
Types = Mapping[str, Type]
Conditions = tuple[When, ...]


def check_mapping(name: str, content: Path) -> list[Finding]:
    """Every finding in the file's order, missing rules last. Raises ConfigurationError for an unknown name."""
    try:
        reading = examine_mapping_file(name, content)
    except NotAMapping as error:
        return error.findings
    found = list(reading.findings)
    if not _other_goal(reading):  # every rule of the base would be wrong, and none of them is
        found += _meaning(reading, content)
    found = without_accepted(found, reading.definition)
    # a mandatory place without a rule is often only the echo of a misspelt target: causes first
    return sorted(found, key=lambda finding: (finding.code == "KB-M12", finding.place, finding.code))


def _other_goal(reading: Reading) -> bool:
    """Whether an overlay has a target that its base does not make."""
    place = reading.definition.places["target"]
    return any(finding.code == "KB-M05" and finding.place == place for finding in reading.findings)


def _meaning(reading: Reading, content: Path) -> list[Finding]:
    """What is wrong with what the rules say, as far as they could be read."""
    definition = reading.definition
    if not definition.target:
        return []
    try:
        target = find_goal(definition, content)
    except ConfigurationError as error:
        place = definition.places["target"]
        return [Finding(place, "KB-M06", error.what, expected=error.expected, helps=error.helps)]
    return _Checker(reading, target, content).run()


class _Checker:
    def __init__(self, reading: Reading, target: TargetSchema, content: Path) -> None:
        self._definition = reading.definition
        self._broken = reading.broken
        self._found_before = {finding.place for finding in reading.findings}
        self._target = target
        self._content = content
        self._report = CheckReport()
        self._notes = Notes()
        self._leaves = LeafChecker(
            ListNames(content),
            self._report,
            model=target.model if target.kind == "record" else None,
            machine_item=reading.definition.source.kind != "table",
        )

    def run(self) -> list[Finding]:
        self._header()
        draft = NodeDraft(self._target.root, rule=None)
        types = self._types()
        self._notes.always = always_read(self._definition, types)
        self._rules(self._definition.rules, draft, types, ())
        missing = missing_rules(draft, self._notes, self._definition.places["rules"])
        self._report.rule = ""
        check_sources(self._definition, types, self._content, self._report)
        found = [*self._report.findings, *(missing if not self._definition.abstract else ())]
        return [self._of_this_file(finding) for finding in found]

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

    def _types(self) -> Types:
        """The types of the roots; a source that is not there is a finding, and what it speaks of is open."""
        try:
            return source_types(self._definition, self._content)
        except ConfigurationError as error:
            helps = error.helps or (f"see {error.where}" if error.where else "")
            self._report.error(self._definition.places["source"], "KB-M08", error.what, error.expected, helps)
            return open_types(self._definition)

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
            elif root in ONLY_INBOUND and self._definition.direction == "outbound":
                message = f"'{root}' is there for inbound mappings only, so it is always empty here"
                self._report.error(place, "KB-M08", message, ", ".join(sorted({*known_roots()} - ONLY_INBOUND)))
            elif only_outbound(root) and self._definition.direction == "inbound":
                message = f"'{root}' is there for outbound mappings only, so it is always empty here"
                self._report.error(
                    place, "KB-M08", message, ", ".join(name for name in known_roots() if not only_outbound(name))
                )
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

    def _rules(self, rules: tuple[Rule, ...], draft: NodeDraft, types: Types, above: Conditions) -> None:
        for rule in rules:
            self._rule(rule, draft, types, above)

    def _rule(self, rule: Rule, draft: NodeDraft, types: Types, above: Conditions) -> None:
        self._notes.beside[rule.place] = draft.path
        place = self._open(rule, draft, above)
        self._report.rule = place.path if place else _joined(draft.path, str(rule.target))
        types = self._each(rule, place, types)
        self._when(rule, types, draft)
        conditions = (*above, rule.when) if rule.when else above
        if place is None:
            self._sources_below(rule, types)
        elif rule.rules:
            self._block(rule, place, types, conditions)
        else:
            self._leaf(rule, place, types, conditions)

    def _block(self, rule: Rule, place: NodeDraft, types: Types, conditions: Conditions) -> None:
        if not place.node.children:
            self._report.error(rule.place, "KB-M07", f"'{place.path}' holds no other targets", "from, const or code")
            place.rule, place.standing, place.live = rule, True, True  # one finding is enough
            return
        if rule.required:
            message, helps = "'required' on a block changes nothing", "required: true at the rule that needs a value"
            self._report.warning(rule.at("required"), "KB-M19", message, "no 'required' here", helps)
        self._notes.inside[rule.place] = place.path
        place.rule = place.rule or rule
        place.live = place.live or rule.when is not None
        self._notes.depth[id(place)] = len(conditions)
        if rule.when:
            self._notes.blocks.setdefault(id(place), []).append(Spoken(rule, conditions))
        self._rules(rule.rules, place, types, conditions)

    def _leaf(self, rule: Rule, place: NodeDraft, types: Types, conditions: Conditions) -> None:
        spoken = self._notes.spoken.setdefault(id(place), [])
        if len(spoken) >= _MOST_RULES:
            message = f"more than {_MOST_RULES} rules for '{place.path}'"
            self._report.error(rule.place, "KB-M11", message, "few rules for one place", "a code list, or blocks")
        elif not any(self._together(rule, place, conditions, other) for other in spoken):
            self._apart(rule, place, conditions, spoken)
        spoken.append(Spoken(rule, conditions))
        place.rule, place.standing = rule, True
        place.live = place.live or rule.source is not None or rule.when is not None
        broken = rule.place in self._broken
        place.value = Type("any") if broken else self._leaves.check(rule, place, types, conditions)
        self._notes.arrived[rule.place] = place.value

    def _together(self, rule: Rule, place: NodeDraft, conditions: Conditions, other: Spoken) -> bool:
        """Whether two rules for one place will always meet; then one of them is too many."""
        if conditions and other.conditions and not same_question(conditions, other.conditions):
            return False
        if exclude(conditions, other.conditions) or self._broken_when(rule) or self._broken_when(other.rule):
            return False  # what a broken condition was meant to keep apart, nobody knows
        helps = "give both a 'when', or number the targets: X[2]"
        self._report.error(rule.place, "KB-M11", f"a second rule for '{place.path}'", "one rule", helps)
        return True

    def _apart(self, rule: Rule, place: NodeDraft, conditions: Conditions, spoken: list[Spoken]) -> None:
        """Two rules for one place: their conditions must exclude each other."""
        for other in spoken:
            if exclude(conditions, other.conditions) or self._broken_when(rule) or self._broken_when(other.rule):
                continue
            message = f"a second rule for '{place.path}', and both conditions may be met"
            helps = "when: {path: …, equals: …} with the same path in both"
            self._report.warning(rule.place, "KB-M11", message, "conditions that exclude each other", helps)

    def _broken_when(self, rule: Rule) -> bool:
        """Whether a condition could not be read as it stands there."""
        if "when" not in rule.places:
            return False
        places = {rule.at("when")} | ({rule.when.place, rule.when.texts_place} if rule.when else set())
        return rule.when is None or bool(places & self._found_before)

    def _open(self, rule: Rule, draft: NodeDraft, above: Conditions) -> NodeDraft | None:
        """The place of the rule in the dry draft, or None where the target has no such path."""
        self._report.rule = _joined(draft.path, str(rule.target))
        for position, step in enumerate(rule.target.steps):
            if step.name not in draft.node.children:
                self._unknown_target(rule, draft, step.name)
                return None
            node = draft.node.children[step.name]
            if step.number > 1 and not node.repeats:
                message = f"'{step.name}' stands only once, so there is no '{step}'"
                self._report.error(rule.place, "KB-M11", message, f"'{step.name}' without a number")
            elif node.maximum is not None and step.number > node.maximum and not node.in_repeated_group:
                message = f"'{step.name}' stands at most {node.maximum} times, so there is no '{step}'"
                self._report.error(rule.place, "KB-M11", message, f"at most '{step.name}[{node.maximum}]'")
            last = position == len(rule.target.steps) - 1
            draft = draft.open(step.name, Instance(step.number, rule.place if last and _is_own(rule) else None))
            self._notes.depth.setdefault(id(draft), len(above))
        self._kind(rule, draft)
        return draft

    def _kind(self, rule: Rule, place: NodeDraft) -> None:
        """`type` chooses a derived type, `nil` needs a schema that allows it."""
        if rule.type is not None:
            typed = place.node.typed(rule.type)
            names = list(place.node.derived())
            if typed is not None:
                place.node = typed
            elif place.node.xsi_type is None or place.node.xsi_type[1] != rule.type.rpartition(":")[2]:
                message = f"no type '{rule.type}' may stand at '{place.path}'"
                expected = ", ".join(names[:15]) or "no 'type' here"
                self._report.error(rule.at("type"), "KB-M07", message, expected, nearest(rule.type, names))
        if rule.nil and not place.node.nillable:
            message = f"'{place.path}' cannot be nil: the schema does not say nillable"
            self._report.error(rule.at("nil"), "KB-M07", message, "a rule without 'nil'")
        elif rule.nil and rule.required:
            message = "'required' sets the record aside before 'nil' is written, so 'nil' changes nothing"
            self._report.warning(rule.at("nil"), "KB-M19", message, "one of the two")

    def _unknown_target(self, rule: Rule, draft: NodeDraft, name: str) -> None:
        names = list(draft.node.children)
        above = draft.path or draft.node.name
        expected = ", ".join(names[:15]) + (", …" if len(names) > 15 else "") if names else f"'{above}' itself"
        helps = helping(self._target.root, draft.node, draft.path, name)
        if name == ".":
            helps = f"'.' stands alone, for the text of the block around it; here: target: {draft.node.name}"
        self._report.error(rule.place, "KB-M07", f"'{above}' has no '{name}'", expected, helps)
        draft.live = True  # that it holds only constants, nobody can say
        if draft.node.leaf is not None and draft.path:
            draft.rule, draft.standing = draft.rule or rule, True

    def _each(self, rule: Rule, place: NodeDraft | None, types: Types) -> Types:
        if rule.each is None or rule.name is None:
            return types
        found = self._leaves.type_of(rule.each, types, rule.at("each"))
        if found is not None:
            self._notes.members[rule.place] = found
        if found and (found.kind != "any" or found.whole) and not found.many:
            self._report.error(rule.at("each"), "KB-M14", f"'{rule.each.text}' is no list", "a list")
        if place is not None and not place.node.repeats:
            message, helps = f"'{place.path}' stands only once", "put 'each' on a block that may repeat"
            self._report.error(rule.at("each"), "KB-M11", message, "a target that repeats", helps)
        if place is not None and place.node.repeats and found and found.many:
            self._leaves.fits_in_number(rule, place)
        if rule.name in types:
            self._report.error(rule.at("as"), "KB-M03", f"'{rule.name}' is already the name of a source", "a new name")
        member = (found or Type()).member
        inside = list(all_rules((rule,)))
        names = {path.root for one in inside for _, path, _ in paths_in(one) if path is not rule.each}
        if rule.name in names:
            return {**types, rule.name: member}
        unknown = names - types.keys() - {one.name for one in inside}
        if len(unknown) == 1:  # the two names are one, and one of them is misspelt
            other = unknown.pop()
            message = f"the rules below read '{other}', but the member is called '{rule.name}'"
            self._report.error(rule.at("as"), "KB-M08", message, f"as: {other}", "one name in both places")
            return {**types, rule.name: member, other: member}
        message = f"nothing below reads '{rule.name}', so every member gives the same"
        self._report.warning(rule.at("as"), "KB-M19", message, f"from: {rule.name}.…")
        return {**types, rule.name: member}

    def _when(self, rule: Rule, types: Types, draft: NodeDraft) -> None:
        if rule.when is None:
            return
        before = len(self._report.findings)
        found = self._leaves.type_of(rule.when.path, types, rule.when.place)
        if found is not None:
            self._notes.asked[rule.when.place] = found
        if self._broken_when(rule):
            self._notes.doubtful.add(rule.when.place)
        elif found is not None:
            check_condition(rule.when, found, self._report, keeps_alive=_keeps_alive(rule, draft))
        if len(self._report.findings) > before:
            self._notes.doubtful.add(rule.when.place)

    def _sources_below(self, rule: Rule, types: Types) -> None:
        """Where the target is unknown, the sources are still worth a look."""
        if rule.source is not None:
            self._leaves.type_of(rule.source, types, rule.at("from"))
        for inner in rule.rules:
            self._report.rule = _joined(self._report.rule, str(inner.target))
            inner_types = types
            if inner.each and inner.name:
                inner_types = {**types, inner.name: Type("any", indexed=True)}
            self._sources_below(inner, inner_types)


def _keeps_alive(rule: Rule, draft: NodeDraft) -> bool:
    """Whether a condition stands on constants alone, so that nothing but the condition opens their optional place."""
    if any(one.source is not None for one in all_rules((rule,))):
        return False
    if rule.rules:
        return True
    node = draft.node
    for step in rule.target.steps[:-1]:
        if step.name not in node.children:
            return False
        node = node.children[step.name]
        if node.optional:
            return True
    return False


def _is_own(rule: Rule) -> bool:
    """Whether a rule makes places of its own, beside what other rules say of the same path."""
    return rule.each is not None or (rule.type is not None and rule.when is not None)


def _joined(above: str, path: str) -> str:
    return above if path == "." and above else f"{above}/{path}" if above else path
