"""Which mandatory places no rule speaks about – as far as the parents they stand in are written at all."""

from __future__ import annotations

from collections.abc import Iterator

from kiezbruecke.mapping.interpret.draft import Draft
from kiezbruecke.mapping.language.definition import Rule
from kiezbruecke.mapping.language.findings import Finding, Place
from kiezbruecke.mapping.schema.models import Type
from kiezbruecke.mapping.schema.tree import Group, Node, nodes


def missing_rules(draft: Draft, place: Place) -> list[Finding]:
    """Findings about a dry draft: what is missing, what may be empty, what will never be written."""
    return list(_below(draft, place))


def _below(draft: Draft, place: Place) -> Iterator[Finding]:
    first = next(draft.rules(), None) if draft.path else None
    place = first.place if first else place
    for node in draft.node.content.attributes:
        yield from _node(draft, node, place, sure=True)
    yield from _group(draft, draft.node.content.group, place, sure=True)


def _group(owner: Draft, group: Group, place: Place, *, sure: bool) -> Iterator[Finding]:
    """`sure`: the group is written wherever its owner is, so that its mandatory nodes are mandatory."""
    spoken = [part for part in group.parts if _spoken(owner, part)]
    if group.minimum == 0 and not spoken:
        return
    sure = sure and group.minimum > 0 and group.kind == "sequence"
    for part in group.parts if group.kind == "sequence" else spoken:
        yield from _part(owner, part, place, sure=sure)
    if group.kind == "choice" and not spoken and not any(_writes_itself(part) for part in group.parts):
        names = ", ".join(node.name for node in nodes(group))
        yield _finding(place, "KB-M12", f"no rule for one of {names}", owner.path, "a rule for one of them")


def _part(owner: Draft, part: Node | Group, place: Place, *, sure: bool) -> Iterator[Finding]:
    if isinstance(part, Group):
        yield from _group(owner, part, place, sure=sure)
    else:
        yield from _node(owner, part, place, sure=sure)


def _node(owner: Draft, node: Node, place: Place, *, sure: bool) -> Iterator[Finding]:
    path = f"{owner.path}/{node.name}" if owner.path else node.name
    drafts = owner.of(node.name)
    if not drafts and not node.optional and not _writes_itself(node):
        expected = f"- {{target: {node.name}, from: …}}"
        yield _finding(place, "KB-M12", f"no rule fills the mandatory '{path}'", path, expected)
    for draft in drafts:
        if draft.standing:
            yield from _leaf(owner, draft, sure=sure)
        elif draft.node.optional and not draft.alive():
            yield _never_written(draft, place)
        else:
            yield from _below(draft, place)


def _leaf(owner: Draft, draft: Draft, *, sure: bool) -> Iterator[Finding]:
    assert draft.rule is not None
    if sure:
        yield from _may_be_empty(owner, draft, draft.rule)
    if draft.rule.code is None:
        for node in draft.node.content.attributes:
            yield from _node(draft, node, draft.rule.place, sure=True)


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


def _spoken(owner: Draft, part: Node | Group) -> bool:
    found = list(nodes(part)) if isinstance(part, Group) else [part]
    return any(owner.of(node.name) for node in found)


def _writes_itself(part: Node | Group) -> bool:
    """Whether nothing must be said about it: optional, fixed, or made only of such."""
    if part.minimum == 0:
        return True
    if isinstance(part, Group):
        combine = any if part.kind == "choice" else all
        return combine(_writes_itself(inner) for inner in part.parts)
    if part.leaf is not None or part.name.startswith("@"):
        return part.fixed is not None
    return all(map(_writes_itself, part.content.attributes)) and _writes_itself(part.content.group)
