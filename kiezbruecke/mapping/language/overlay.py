"""Overlays: one mapping upon another (`extends`), so that a district says only what is different there.

    base   A ── B, C      overlay  A/B: from …       ──▶  A ── B (the overlay's), C, D (added where A stands)
                                   A/D: from …
Rules meet by their full target path, however the two files nest their blocks. A block of the overlay that neither
repeats nor has a condition is only a way to write its paths; one that does meets the base's block of the same path.
Groups are expanded before, so that their rules meet as any others; a group of the overlay stands for the base's of the
same name. What an `otherwise` answers, and what keeps cases apart, is worked out anew behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from kiezbruecke.mapping.language.definition import Definition, Rule, RuleGroup
from kiezbruecke.mapping.language.findings import Finding, NotAMapping, Place, meant, nearest
from kiezbruecke.mapping.language.paths import TargetPath, TargetStep
from kiezbruecke.mapping.language.reading import Reading, answering, exclusive, no_conditions
from kiezbruecke.mapping.language.walking import all_rules, walk

_Path = tuple[TargetStep, ...]


@dataclass(frozen=True)
class _Entry:
    """One rule of the overlay with its path below the base's list of rules that it is merged into."""

    path: _Path
    rule: Rule


def merge(base: Reading, over: Reading) -> Reading:
    """The overlay upon its base: header keys of the overlay win, rules meet by path, findings keep their files.

    Raises NotAMapping where the base has the other direction: then nothing of it can be meant.
    """
    findings = [*dict.fromkeys((*base.findings, *over.findings)), *_header_findings(base.definition, over.definition)]
    if base.definition.direction != over.definition.direction:
        raise NotAMapping(findings[len(base.findings) :])
    merger = _Merger(base.definition.rules, findings)
    rules = merger.into(base.definition.rules, list(_entries(over.definition.rules, ())))
    answers = _answers({**base.answers, **over.answers, **merger.answers}, merger.replaced)
    rules = _Answering(answers, findings, _alone(rules, over.definition), _place(over.definition)).rules(rules)
    definition = _header(base.definition, over.definition, rules)
    return Reading(definition, findings, base.broken | over.broken, answers)


def broken_chain(definition: Definition, names: tuple[str, ...]) -> Finding:
    """The finding about bases that extend each other."""
    chain = " > ".join((*names, definition.extends))
    return Finding(_place(definition), "KB-M05", f"the bases go round in a circle: {chain}", expected="a base")


def unknown_base(definition: Definition, names: Iterable[str]) -> Finding:
    """The finding about a base that is not there."""
    known = [name for name in names if name != definition.name]
    message = f"no mapping is called '{definition.extends}'"
    return Finding(
        _place(definition), "KB-M05", message, expected=", ".join(known), helps=nearest(definition.extends, known)
    )


def _place(definition: Definition) -> Place:
    return definition.places["extends"]


def _header(base: Definition, over: Definition, rules: tuple[Rule, ...]) -> Definition:
    return replace(
        over,
        title=over.title or base.title,
        note=over.note or base.note,
        reads=over.reads or base.reads,
        source=over.source if "source" in over.places else base.source,
        roots=tuple(dict.fromkeys((*base.roots, *over.roots))),
        unused=tuple(dict.fromkeys((*base.unused, *over.unused))),
        target=over.target or base.target,
        prefix=base.prefix if over.prefix is None else over.prefix,
        groups=_groups(base, over),
        levels={**base.levels, **over.levels},
        rules=rules,
        places={**base.places, **_own_places(over), **_omissions(over)},
        bases=(base.name, *base.bases),
    )


def _groups(base: Definition, over: Definition) -> dict[str, RuleGroup]:
    """The groups of the whole; one that either of the two uses is used."""
    used = {name for one in (base, over) for name, group in one.groups.items() if group.used}
    about = {name: base.groups[name].about for name in base.groups.keys() & over.groups.keys()}
    return {
        name: replace(group, used=name in used, about=tuple(dict.fromkeys((*about.get(name, ()), *group.about))))
        for name, group in {**base.groups, **over.groups}.items()
    }


def _own_places(over: Definition) -> dict[str, Place]:
    """The places of what the overlay says itself. Its rules, where it has none, stand where it names its base."""
    given = {"target": over.target, "roots": over.roots, "rules": over.rules}
    kept = {key: place for key, place in over.places.items() if given.get(key, True)}
    return {**kept, "rules": over.places["rules"] if over.rules else _place(over)}


def _omissions(over: Definition) -> dict[str, Place]:
    """Where the overlay drops which of its base's rules: `omit.Kopf/Nummer`."""
    entries = _entries(over.rules, ())
    return {f"omit.{_text(entry.path)}": entry.rule.place for entry in entries if entry.rule.omit}


def _header_findings(base: Definition, over: Definition) -> Iterator[Finding]:
    if base.direction != over.direction:
        message = f"the base '{base.name}' is {base.direction}"
        yield Finding(_place(over), "KB-M05", message, expected=f"a base that is {over.direction}")
    if over.target and base.target and _kind(over.target) != _kind(base.target):
        message = f"the base '{base.name}' makes {base.target}"
        expected = f"{base.target}, another version of it, or no target here"
        yield Finding(over.places["target"], "KB-M05", message, expected=expected)


def _kind(target: str) -> tuple[str, ...]:
    """What must stay: the kind and name, or standard and root – its version may be another. Tables have common keys."""
    words = target.split()
    if words[0] == "table":
        return (words[0],)
    return (words[0], words[-1]) if len(words) == 3 else tuple(words)


def _entries(rules: tuple[Rule, ...], above: _Path) -> Iterator[_Entry]:
    for rule in rules:
        path = (*above, *rule.target.steps)
        if rule.rules and _only_groups(rule):
            yield from _entries(rule.rules, path)
        else:
            yield _Entry(path, rule)


def _only_groups(rule: Rule) -> bool:
    """Whether a block says nothing but a path, and perhaps which group stands there and what that is about."""
    said = rule.places.keys() - {"target", "rules", "note"}
    return not said or (bool(rule.use) and said <= {"use", "from", "as"})


class _Merger:
    def __init__(self, base: tuple[Rule, ...], findings: list[Finding]) -> None:
        self._known = [one.target for one in walk(base)]
        self._findings = findings
        self.replaced: dict[Place, tuple[Place, ...]] = {}  # where rules of the base stand, and what stands for them
        self.answers: dict[Place, tuple[Place, ...]] = {}  # of an `otherwise` of the overlay alone: what the base asks

    def into(self, rules: tuple[Rule, ...], entries: list[_Entry], above: _Path = ()) -> tuple[Rule, ...]:
        """The base's rules with the overlay's entries among them; entries of one path replace together."""
        merged = list(rules)
        for path in dict.fromkeys(entry.path for entry in entries):
            same = [entry.rule for entry in entries if entry.path == path]
            merged = self._put(merged, path, same, above)
        return tuple(merged)

    def _put(self, rules: list[Rule], path: _Path, new: list[Rule], above: _Path) -> list[Rule]:
        found = self._replaced(rules, path, new, above)
        if found is not None:
            return found
        if any(rule.omit for rule in new):
            return self._nothing_to_omit(rules, new, path, above)
        return self._added(rules, path, new)

    def _replaced(self, rules: list[Rule], path: _Path, new: list[Rule], above: _Path) -> list[Rule] | None:
        """The rules with all those of this path replaced, in every block that leads there; None without any."""
        same = [rule for rule in rules if rule.target.steps == path]
        if asking := self._asking(same, new):
            return self._otherwise(rules, same, asking, new[0])
        merged = self._in_place(rules, same, path, new, above) if same else rules
        found = bool(same)
        for rule in rules:
            if rest := _below(rule, path):
                inner = self._replaced(list(rule.rules), rest, new, (*above, *rule.target.steps))
                if inner is not None:
                    found = True
                    block = [replace(rule, rules=tuple(inner))] if inner else []
                    merged = [part for one in merged for part in (block if one is rule else [one])]
        return merged if found else None

    def _asking(self, same: list[Rule], new: list[Rule]) -> list[Rule]:
        """The base's rules that an `otherwise` answers which has no conditions of its own above it."""
        alone = len(new) == 1 and new[0].otherwise and not new[0].when
        return [rule for rule in same if rule.when and not (rule.otherwise or rule.each)] if alone else []

    def _otherwise(self, rules: list[Rule], same: list[Rule], asking: list[Rule], rule: Rule) -> list[Rule]:
        """The base's rules with the overlay's `otherwise` behind them, for the base's own."""
        self.answers[rule.place] = tuple(one.place for one in asking)
        last = rules.index(asking[-1])
        own = replace(rule, target=asking[-1].target)
        kept = [one for one in rules[last + 1 :] if not (one.otherwise and any(one is other for other in same))]
        return [*rules[: last + 1], own, *kept]

    def _in_place(self, rules: list[Rule], same: list[Rule], path: _Path, new: list[Rule], above: _Path) -> list[Rule]:
        fresh = [self._upon(rule, same, path, above) for rule in new if not rule.omit]
        self.replaced |= {rule.place: tuple(one.place for one in fresh) for rule in same}
        first = rules.index(same[0])
        kept = [rule for rule in rules[first:] if all(rule is not one for one in same)]
        return [*rules[:first], *fresh, *kept]

    def _upon(self, rule: Rule, same: list[Rule], path: _Path, above: _Path) -> Rule:
        """A block of the overlay keeps the rules of the base's block that it does not speak about."""
        target = TargetPath(path)
        blocks = [one for one in same if one.rules]
        alike = [one for one in blocks if _text_of(one) == _text_of(rule)] or blocks
        if not rule.rules or len(alike) != 1:
            return replace(rule, target=target)
        inner = self.into(alike[0].rules, list(_entries(rule.rules, ())), (*above, *path))
        return replace(rule, target=target, rules=inner)

    def _added(self, rules: list[Rule], path: _Path, new: list[Rule]) -> list[Rule]:
        """A new rule stands in the deepest blocks that hold its place, else at the end."""
        holding = next((rule.target.steps for rule in rules if _below(rule, path)), None)
        if holding is None:
            return [*rules, *(replace(rule, target=TargetPath(path)) for rule in new)]
        rest = path[len(holding) :]
        return [
            replace(rule, rules=tuple(self._added(list(rule.rules), rest, new)))
            if rule.rules and rule.target.steps == holding
            else rule
            for rule in rules
        ]

    def _nothing_to_omit(self, rules: list[Rule], new: list[Rule], path: _Path, above: _Path) -> list[Rule]:
        """The finding about it; the rules without those that seem to be meant, whose mistakes would be its echo."""
        text = _text((*above, *path))
        for rule in new:
            if rule.omit:
                message = f"the base has no rule for '{text}'"
                helps = nearest(text, self._known)
                expected = "the full target path of one of its rules"
                self._findings.append(Finding(rule.place, "KB-M05", message, text, expected, helps))
        close = meant(text, self._known)
        return (
            self._replaced(rules, TargetPath.parse(close).steps[len(above) :], new, above) if close else None
        ) or rules


def _answers(
    told: Mapping[Place, tuple[Place, ...]], replaced: Mapping[Place, tuple[Place, ...]]
) -> dict[Place, tuple[Place, ...]]:
    """What each `otherwise` answers, now that some rules stand for others – for those of a group perhaps in one use."""
    return {
        place: tuple(dict.fromkeys(new for one in asking for new in (one, *replaced.get(one, ()))))
        for place, asking in told.items()
    }


def _alone(rules: tuple[Rule, ...], definition: Definition) -> dict[Place, Rule]:
    """The rules that stand in no group, and so at one place only."""
    grouped = {rule.place for group in definition.groups.values() for rule in all_rules(group.rules)}
    return {rule.place: rule for rule in all_rules(rules) if rule.place not in grouped}


@dataclass(frozen=True)
class _Answering:
    """Says anew what each `otherwise` of merged rules means, and what keeps the cases of `one_of` apart."""

    answers: Mapping[Place, tuple[Place, ...]]
    findings: list[Finding]
    alone: Mapping[Place, Rule]  # those of no group: the two files may nest their blocks in different ways
    extends: Place  # where the overlay names its base

    def rules(self, rules: tuple[Rule, ...], *, cases: bool = False) -> tuple[Rule, ...]:
        """The rules of one block; `cases`: they are those of `one_of`."""
        made = tuple(self._rule(rule, rules, cases=cases) for rule in rules)
        return exclusive(made) if cases else made

    def _rule(self, rule: Rule, beside: tuple[Rule, ...], *, cases: bool) -> Rule:
        rule = replace(rule, rules=self.rules(rule.rules, cases=rule.one_of))
        if not rule.otherwise:
            return rule
        asking = [one for one in self._answered(rule, beside, cases=cases) if not (one.otherwise or one.each)]
        told = any(finding.place == rule.at("otherwise") for finding in self.findings)
        if not told and (not asking or not all(one.when for one in asking)):
            self.findings.append(self._unasked(rule))
        return answering(rule, asking)

    def _unasked(self, rule: Rule) -> Finding:
        """What the base's `otherwise` answered, the overlay has taken away; it is mended in the overlay."""
        if rule.place.file == self.extends.file:
            return no_conditions(rule, "rules with 'when' here, or in the base for the same target")
        target = str(rule.target)
        message = f"the base's 'otherwise' for '{target}' has no conditions any more"
        expected = f"a rule with 'when' for what it answers, or {{target: {target}, omit: true}}"
        return Finding(self.extends, "KB-M05", message, target, expected, f"see {rule.place}")

    def _answered(self, rule: Rule, beside: tuple[Rule, ...], *, cases: bool) -> Iterable[Rule]:
        told = self.answers.get(rule.place, ())
        if not told and cases:
            return beside
        own = [one for one in beside if one.place in told]
        elsewhere = told if rule.place in self.alone else ()
        return own or [self.alone[place] for place in elsewhere if place in self.alone]


def _below(rule: Rule, path: _Path) -> _Path:
    """What is left of a path below a block, nothing where the path does not lead into it."""
    steps = rule.target.steps
    return path[len(steps) :] if rule.rules and path[: len(steps)] == steps else ()


def _text(path: _Path) -> str:
    return str(TargetPath(path))


def _text_of(rule: Rule) -> tuple[str, str]:
    """What tells blocks of one path apart: their list and their condition."""
    return rule.each.text if rule.each else "", " and ".join(map(str, rule.when))
