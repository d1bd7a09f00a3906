"""Groups: rules that are written once and used in several places, or in themselves (`use: name`).

    groups: {part: [Name, Part (each part.parts, use part, depth 3)]}      rules: Part (each case.parts, use part)
        ──expand──▶  Part ── Name, Part ── Name, Part ── Name, Part (ends: whoever has more is set aside)

Expanded once, before anything is bound: a plan knows rules and no groups, so nobody below has to. What `from` and `as`
name is put into the group's paths; a name that is taken already gets a number (`part_2`), for each level has its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from kiezbruecke.mapping.language.definition import Definition, GroupUse, Rule, RuleGroup
from kiezbruecke.mapping.language.findings import Finding, Place, nearest
from kiezbruecke.mapping.language.paths import SourcePath
from kiezbruecke.mapping.language.reading import Reading
from kiezbruecke.mapping.language.walking import all_rules, walk

_MOST_RULES = 5_000
_MOST_BLOCKS = 40  # in each other: everybody who walks them does it by recursion
Groups = Mapping[str, RuleGroup]


def expand(reading: Reading, groups: Groups, roots: frozenset[str]) -> Reading:
    """The same with the rules of groups in the blocks that use them; a use that cannot be meant is a finding.

    `groups` and `roots` are those of the whole mapping, its bases among it.
    """
    definition = reading.definition
    if not groups and not any(rule.use for rule in all_rules(definition.rules)):
        return reading
    uses = _uses(definition, groups)
    findings = {use.rule.place: found for use in uses if (found := _mistake(use, groups, roots))}
    expander = _Expander(groups, reading.broken | findings.keys(), roots)
    rules = expander.rules(definition.rules, _Within())
    told = [found for place, found in findings.items() if place not in reading.broken]
    told = [*reading.findings, *told, *list(expander.too_many.values())[:1]]
    used = {rule.use for rule in all_rules(rules)}
    about = expander.about
    marked = {
        name: replace(group, used=name in used, about=tuple(dict.fromkeys(about.get(name, ()))))
        for name, group in groups.items()
    }
    definition = replace(definition, rules=rules, groups=marked, levels=expander.levels)
    return replace(reading, definition=definition, findings=told)


def idle_groups(definition: Definition) -> Iterator[Finding]:
    """Warnings about groups of the file that nobody uses, and about a depth where nothing goes deeper."""
    used = {rule.use for rule in all_rules(definition.rules) if rule.use}
    meant = definition.abstract or bool(used - definition.groups.keys())  # for overlays, or by another name
    for name, group in definition.groups.items():
        if not (group.used or meant) and group.place.file == definition.file:
            message = f"nothing uses the group '{name}'"
            yield Finding(group.place, "KB-M19", message, expected=f"use: {name}", severity="warning")
    for use in _uses(definition, definition.groups):
        if use.rule.depth and not _returns(use, definition.groups, eachless=False):
            message = f"'{use.rule.use}' does not use itself here, so 'depth' changes nothing"
            target = str(use.rule.target)
            yield Finding(use.rule.at("depth"), "KB-M19", message, target, "no 'depth' here", severity="warning")


@dataclass(frozen=True)
class _Use:
    """A rule that uses a group, the group that it stands in, and whether a list stands on the way to it."""

    rule: Rule
    inside: str
    listed: bool


def _uses(definition: Definition, groups: Groups) -> Iterator[_Use]:
    """Every use as it is written: in the rules outside of groups, then in each group."""
    yield from _uses_in(definition.rules, "")
    for name, group in groups.items():
        yield from _uses_in(group.rules, name)


def _uses_in(rules: tuple[Rule, ...], inside: str) -> Iterator[_Use]:
    for one in walk(rules):
        if one.rule.use and not any(block.use for block in one.above):
            yield _Use(one.rule, inside, any(rule.each is not None for rule in (*one.above, one.rule)))


def _mistake(use: _Use, groups: Groups, roots: frozenset[str]) -> Finding | None:
    """Why a use leads nowhere, or never ends."""
    rule, target = use.rule, str(use.rule.target)
    if rule.source is not None and rule.name in roots:
        message = f"'{rule.name}' is already the name of a source"
        return Finding(rule.at("as"), "KB-M03", message, target, "a new name")
    if rule.use not in groups:
        message = f"there is no group '{rule.use}'"
        expected = ", ".join(groups) or "groups: {name: [{target: …, from: …}]}"
        return Finding(rule.at("use"), "KB-M26", message, target, expected, nearest(rule.use, groups))
    if _returns(use, groups, eachless=True):
        message = f"the group '{rule.use}' leads into itself without a list, so it never ends"
        return Finding(rule.at("use"), "KB-M26", message, target, "each: path, as: name")
    if use.listed and not rule.depth and _returns(use, groups, eachless=False):
        message = f"the group '{rule.use}' uses itself, and nothing says how deep"
        return Finding(rule.at("use"), "KB-M26", message, target, f"use: {rule.use}, depth: 5")
    return None


def _returns(use: _Use, groups: Groups, *, eachless: bool) -> bool:
    """Whether a use leads back into the group that it stands in; `eachless`: on a way without any list."""
    waiting, seen = [use], set[str]()
    while waiting:
        one = waiting.pop()
        if eachless and one.listed:
            continue
        if one.rule.use == use.inside:
            return True
        if one.rule.use in groups and one.rule.use not in seen:
            seen.add(one.rule.use)
            waiting += _uses_in(groups[one.rule.use].rules, one.rule.use)
    return False


@dataclass(frozen=True)
class _Within:
    """Where a rule is put: the groups around it, what their names stand for, and the members that have a name."""

    groups: tuple[str, ...] = ()
    names: Mapping[str, SourcePath] = field(default_factory=dict)
    members: frozenset[str] = frozenset()
    blocks: int = 0

    def path(self, path: SourcePath | None) -> SourcePath | None:
        """A path as it reads here."""
        owner = None if path is None else self.names.get(path.root)
        if path is None or owner is None:
            return path
        text = f"{owner.text}{path.text.removeprefix(path.root)}"
        return SourcePath(owner.root, (*owner.steps, *path.steps), text)


class _Expander:
    def __init__(self, groups: Groups, mistaken: frozenset[Place], roots: frozenset[str]) -> None:
        self._groups = groups
        self._mistaken = mistaken  # uses that lead nowhere
        self._roots = roots
        self._count = 0
        self.too_many: dict[Place, Finding] = {}
        self.levels: dict[str, str] = {}
        self.about: dict[str, list[GroupUse]] = {}

    def rules(self, rules: tuple[Rule, ...], within: _Within) -> tuple[Rule, ...]:
        return tuple(self._rule(rule, within) for rule in rules)

    def _rule(self, rule: Rule, within: _Within) -> Rule:
        self._count += bool(within.groups)
        inner = self._named(rule, within)
        made = replace(
            rule,
            source=None if rule.use else inner.path(rule.source),
            each=within.path(rule.each),
            when=tuple(replace(when, path=inner.path(when.path) or when.path) for when in rule.when),
        )
        if rule.name is not None:
            own = inner.names.get(rule.name)
            made = replace(made, name=None if rule.each is None else own.root if own else rule.name)
        if not rule.use:
            return replace(made, rules=self.rules(rule.rules, inner))
        path = made.each or within.path(rule.source)
        if rule.name and path and rule.use not in within.groups:
            self.about.setdefault(rule.use, []).append(GroupUse(rule.name, path, rule.each is not None))
        return self._used(rule, made, inner)

    def _used(self, rule: Rule, made: Rule, inner: _Within) -> Rule:
        """The block with the rules of its group, or the end of a group that uses itself."""
        if rule.place in self._mistaken:
            return replace(made, ends=1)  # nobody knows what would stand there
        if rule.depth and inner.groups.count(rule.use) >= rule.depth:
            return replace(made, ends=rule.depth)
        if self._count > _MOST_RULES or inner.blocks >= _MOST_BLOCKS:
            message = f"groups give more than {_MOST_RULES} rules, or more than {_MOST_BLOCKS} blocks in each other"
            found = Finding(rule.at("use"), "KB-M26", message, str(rule.target), "fewer uses, or less depth")
            self.too_many[rule.place] = found
            return replace(made, ends=1)
        within = replace(inner, groups=(*inner.groups, rule.use))
        return replace(made, rules=self.rules(self._groups[rule.use].rules, within))

    def _named(self, rule: Rule, within: _Within) -> _Within:
        """Inside of a rule that gives something a name: a member of its list, or what a group is about."""
        within = replace(within, blocks=within.blocks + 1)
        if rule.name is None:
            return within
        names = {name: path for name, path in within.names.items() if name != rule.name}
        if rule.each is None:
            about = within.path(rule.source)
            return replace(within, names=names | ({rule.name: about} if about else {}))
        name = self._free(rule.name, within) if within.groups else rule.name
        if name != rule.name:
            names[rule.name] = SourcePath(name, (), name)
            self.levels[name] = rule.name
        return replace(within, names=names, members=within.members | {name})

    def _free(self, name: str, within: _Within) -> str:
        taken, found, number = within.members | self._roots, name, 1
        while found in taken:
            number += 1
            found = f"{name}_{number}"
        return found
