"""Which mandatory places no rule speaks about – as far as the parents they stand in are written at all.

And its opposite: more branches of a choice than the schema allows.
"""

from __future__ import annotations

from collections.abc import Iterator

from kiezbruecke.mapping.check.conditions import one_holds
from kiezbruecke.mapping.check.report import Notes, Spoken
from kiezbruecke.mapping.interpret.draft import Draft
from kiezbruecke.mapping.language.definition import Rule
from kiezbruecke.mapping.language.findings import Finding, Place, Severity
from kiezbruecke.mapping.schema.models import Type
from kiezbruecke.mapping.schema.tree import Group, Node, nodes
from kiezbruecke.mapping.values import Unusable


def missing_rules(draft: Draft, notes: Notes, place: Place) -> list[Finding]:
    """Findings about a dry draft: what is missing, what may be empty, what will never be written."""
    return list(_Missing(notes).below(draft, place))


class _Missing:
    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def below(self, draft: Draft, place: Place) -> Iterator[Finding]:
        """Findings about everything that stands in a place."""
        first = next(draft.rules(), None) if draft.path else None
        place = first.place if first else place
        if not draft.standing and draft.path and _needs_text(draft.node):
            message = f"no rule fills the text of '{draft.path}'"
            yield _finding(place, "KB-M12", message, draft.path, self._text(draft, place))
        if draft.node.abstract:
            message, expected = f"the type of '{draft.path}' is abstract", ", ".join(draft.node.derived())
            yield _finding(place, "KB-M12", message, draft.path, f"type: one of {expected}")
        for node in draft.node.content.attributes:
            yield from self._node(draft, node, place, sure=True)
        yield from self._group(draft, draft.node.content.group, place, sure=True)

    def _text(self, draft: Draft, place: Place) -> str:
        """The rule for a place's own text: `.` in its block, else its path."""
        return _TEXT if self._notes.inside.get(place) == draft.path else self._notes.rule_at(place, draft.path)

    def _group(self, owner: Draft, group: Group, place: Place, *, sure: bool) -> Iterator[Finding]:
        """`sure`: the group is written wherever its owner is, so that its mandatory nodes are mandatory."""
        spoken = [part for part in group.parts if _spoken(owner, part)]
        if group.kind == "choice":
            spoken = _covering(owner, spoken) or spoken
        if group.minimum == 0 and not spoken:
            return
        sure = sure and group.minimum > 0 and group.kind == "sequence"
        for part in group.parts if group.kind == "sequence" else spoken:
            yield from self._part(owner, part, place, sure=sure)
        if group.kind == "choice":
            yield from self._choice(owner, group, spoken, place)

    def _choice(self, owner: Draft, group: Group, spoken: list[Node | Group], place: Place) -> Iterator[Finding]:
        names = ", ".join(node.name for node in nodes(group))
        if not spoken and not any(_writes_itself(part) for part in group.parts):
            yield _finding(place, "KB-M12", f"no rule for one of {names}", owner.path, "a rule for one of them")
        if len(spoken) > 1 and group.maximum == 1 and not any(node.in_repeated_group for node in nodes(group)):
            yield from self._several_branches(owner, spoken, names)

    def _several_branches(self, owner: Draft, branches: list[Node | Group], names: str) -> Iterator[Finding]:
        """Branches that nothing keeps apart cannot both be written."""
        always = [rule for branch in branches if (rule := self._unconditional(owner, branch))]
        if not always:
            return
        second = max(always, key=lambda spoken: spoken.rule.place)
        certain = [one for one in always if _certain(one.rule, self._notes)]
        severity: Severity = "error" if len(certain) > 1 else "warning"
        message = f"the target holds only one of {names}, and nothing keeps their rules apart"
        helps = "give them conditions that exclude each other"
        yield Finding(second.rule.place, "KB-M17", message, owner.path, "rules for one of them", helps, severity)

    def _unconditional(self, owner: Draft, branch: Node | Group) -> Spoken | None:
        drafts = (draft for node in _nodes(branch) for draft in owner.of(node.name))
        spoken = (one for draft in drafts for one in self._notes.below(draft))
        return next((one for one in spoken if not self._notes.own_conditions(owner, one)), None)

    def _part(self, owner: Draft, part: Node | Group, place: Place, *, sure: bool) -> Iterator[Finding]:
        if isinstance(part, Group):
            yield from self._group(owner, part, place, sure=sure)
        else:
            yield from self._node(owner, part, place, sure=sure)

    def _node(self, owner: Draft, node: Node, place: Place, *, sure: bool) -> Iterator[Finding]:
        path = f"{owner.path}/{node.name}" if owner.path else node.name
        drafts = owner.of(node.name)
        if not drafts and not node.optional and not _writes_itself(node):
            expected = self._notes.rule_at(place, path)
            yield _finding(place, "KB-M12", f"no rule fills the mandatory '{path}'", path, expected)
        if drafts:
            yield from _numbers(owner, node, path)
            if sure and not node.optional:
                yield from self._conditional(owner, drafts, path)
        for draft in drafts:
            if draft.standing:
                yield from self._leaf(owner, draft, sure=sure)
            elif draft.node.optional and not draft.alive():
                yield _never_written(draft, place)
                yield from (one for one in self.below(draft, place) if one.code == "KB-M17")
            else:
                yield from self.below(draft, place)

    def _leaf(self, owner: Draft, draft: Draft, *, sure: bool) -> Iterator[Finding]:
        assert draft.rule is not None
        if sure:
            yield from _may_be_empty(owner, draft, draft.rule)
        if draft.rule.code is None:
            for node in draft.node.content.attributes:
                yield from self._node(draft, node, draft.rule.place, sure=True)

    def _conditional(self, owner: Draft, drafts: list[Draft], path: str) -> Iterator[Finding]:
        """A mandatory place that is only written where a condition is met, though its owner is written anyway."""
        spoken = [one for draft in drafts for one in self._notes.below(draft)]
        own = [self._notes.own_conditions(owner, one) for one in spoken]
        if _started_by(owner, drafts) or not own or one_holds(own, self._notes):
            return
        if any(when.place in self._notes.doubtful for conditions in own for when in conditions):
            return  # the condition itself is what to mend
        message = f"'{path}' is mandatory, but only written under a condition"
        helps = "a rule for the other cases, or no condition"
        yield _finding(own[0][0].place, "KB-M13", message, path, "a rule that always holds", helps)


_TEXT = "- {target: ., from: …}"


def _certain(rule: Rule, notes: Notes) -> bool:
    """Whether a rule gives a value in any case; what may be nothing may keep branches apart by itself."""
    found = notes.arrived.get(rule.place)
    if rule.source is None or rule.required or rule.default is not None:
        return True
    return found is not None and found.kind != "any" and not found.nullable


def _started_by(owner: Draft, drafts: list[Draft]) -> bool:
    """Whether an optional owner is written for the sake of these places alone."""
    others = (part for name in owner.parts for part in owner.of(name) if all(part is not one for one in drafts))
    return owner.node.optional and not any(part.alive() for part in others)


def _numbers(owner: Draft, node: Node, path: str) -> Iterator[Finding]:
    """`X[3]` without `X[2]`, and fewer than the schema wants."""
    found = owner.parts[node.name]
    numbers = sorted({instance.number for instance in found})
    gap = next((number for number in range(1, numbers[-1]) if number not in numbers), None)
    if gap is not None and _may_stand(node, numbers[-1]):
        after = next(instance for instance in found if instance.number == numbers[-1])
        rule = next(found[after].rules(), None)
        if rule is not None:
            message = f"there is a '{path}[{numbers[-1]}]', but no '{path}[{gap}]'"
            yield _finding(rule.place, "KB-M23", message, f"{path}[{numbers[-1]}]", f"'{path}[{gap}]'")
    several = any(instance.rule for instance in found) or any(_many(draft) for draft in found.values())
    if len(found) < node.minimum and not several:
        rule = next((rule for draft in found.values() for rule in draft.rules()), None)
        if rule is not None:
            message = f"'{path}' must stand {node.minimum} times, here are {len(found)}"
            yield _finding(rule.place, "KB-M12", message, path, f"'{path}[{len(found) + 1}]', or each")


def _may_stand(node: Node, number: int) -> bool:
    """Whether there may be so many; else that is the mistake, and not the gap."""
    return node.in_repeated_group or node.maximum is None or number <= node.maximum


def _many(draft: Draft) -> bool:
    return isinstance(draft.value, Type) and (draft.value.many or draft.value.kind == "any")


def _needs_text(node: Node) -> bool:
    """Whether an element that also has attributes or parts cannot do without a text of its own."""
    if node.leaf is None or node.fixed is not None or node.mixed:
        return False
    try:
        node.leaf.judge("")
    except Unusable:
        return True
    return False


def _may_be_empty(owner: Draft, draft: Draft, rule: Rule) -> Iterator[Finding]:
    """A mandatory leaf whose source may be empty – where its parent is written in any case."""
    arriving = draft.value
    alone = owner.node.optional and sum(part.alive() for name in owner.parts for part in owner.of(name)) == 1
    if draft.node.optional or alone or not isinstance(arriving, Type) or not arriving.nullable:
        return
    message = f"'{rule.origin}' may be empty, but '{draft.path}' is mandatory"
    helps = "say required: true (set aside without it) or give a default"
    yield _finding(rule.at("from"), "KB-M13", message, draft.path, "a source that is never empty", helps)


def _never_written(draft: Draft, place: Place) -> Finding:
    first = next(draft.rules(), None)
    message = f"'{draft.path}' holds only constants, so it will never be written"
    helps = "give one of them a source, or the block a 'when'"
    return _finding(first.place if first else place, "KB-M15", message, draft.path, "a value that is read", helps)


def _finding(place: Place, code: str, message: str, rule: str, expected: str, helps: str = "") -> Finding:
    return Finding(place, code, message, rule, expected, helps, "error" if code == "KB-M12" else "warning")


def _nodes(part: Node | Group) -> list[Node]:
    return list(nodes(part)) if isinstance(part, Group) else [part]


def _covering(owner: Draft, branches: list[Node | Group]) -> list[Node | Group]:
    """Of several branches the first that has a place for all that is spoken of: (B, A) or (C, A), given C and A."""
    told = [{node.name for node in _nodes(branch) if owner.of(node.name)} for branch in branches]
    return [branch for branch, names in zip(branches, told, strict=True) if names == set().union(*told)][:1]


def _spoken(owner: Draft, part: Node | Group) -> bool:
    return any(owner.of(node.name) for node in _nodes(part))


def _writes_itself(part: Node | Group) -> bool:
    """Whether nothing must be said about it: optional, fixed, or made only of such."""
    if part.minimum == 0:
        return True
    if isinstance(part, Group):
        combine = any if part.kind == "choice" else all
        return combine(_writes_itself(inner) for inner in part.parts)
    if part.abstract:
        return False
    if (part.leaf is not None and not part.mixed) or part.name.startswith("@"):
        return part.fixed is not None
    return all(map(_writes_itself, part.content.attributes)) and _writes_itself(part.content.group)
