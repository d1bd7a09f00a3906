"""Which mandatory places no rule speaks about – as far as the parents they stand in are written at all."""

from __future__ import annotations

from collections.abc import Iterator

from kiezbruecke.mapping.draft import Draft
from kiezbruecke.mapping.findings import Finding, Place
from kiezbruecke.mapping.models import Type
from kiezbruecke.mapping.schema import Group, Node, nodes


def missing_rules(draft: Draft, place: Place) -> list[Finding]:
    """Findings about a dry draft: what is missing, what may be empty, what will never be written."""
    return list(_below(draft, place))


def _below(draft: Draft, place: Place) -> Iterator[Finding]:
    place = draft.rule.place if draft.rule else place
    for node in draft.node.content.attributes:
        yield from _node(draft, node, place)
    yield from _group(draft, draft.node.content.group, place)


def _group(owner: Draft, group: Group, place: Place) -> Iterator[Finding]:
    spoken = [part for part in group.parts if _spoken(owner, part)]
    if group.minimum == 0 and not spoken:
        return
    if group.kind == "sequence":
        for part in group.parts:
            yield from _part(owner, part, place)
        return
    for part in spoken:
        yield from _part(owner, part, place)
    if not spoken and not any(_writes_itself(part) for part in group.parts):
        names = ", ".join(node.name for node in nodes(group))
        yield _finding(place, "KB-M12", f"no rule for one of {names}", owner.path, "a rule for one of them")


def _part(owner: Draft, part: Node | Group, place: Place) -> Iterator[Finding]:
    if isinstance(part, Group):
        yield from _group(owner, part, place)
    else:
        yield from _node(owner, part, place)


def _node(owner: Draft, node: Node, place: Place) -> Iterator[Finding]:
    path = f"{owner.path}/{node.name}" if owner.path else node.name
    drafts = owner.of(node.name)
    if not drafts and not node.optional and not _writes_itself(node):
        expected = f"- {{target: {node.name}, from: …}}"
        yield _finding(place, "KB-M12", f"no rule fills the mandatory '{path}'", path, expected)
    for draft in drafts:
        yield from _spoken_of(owner, draft, place)


def _spoken_of(owner: Draft, draft: Draft, place: Place) -> Iterator[Finding]:
    if draft.standing:
        yield from _may_be_empty(owner, draft)
        if not (draft.rule and draft.rule.code):
            yield from _attributes(draft, place)
    elif draft.node.optional and not draft.alive():
        first = next(draft.rules(), None)
        message = f"'{draft.path}' holds only constants, so it will never be written"
        helps = "give one of them a source, or the block a 'when'"
        yield _finding(first.place if first else place, "KB-M15", message, draft.path, "a value that is read", helps)
    else:
        yield from _below(draft, place)


def _attributes(draft: Draft, place: Place) -> Iterator[Finding]:
    for node in draft.node.content.attributes:
        yield from _node(draft, node, draft.rule.place if draft.rule else place)


def _may_be_empty(owner: Draft, draft: Draft) -> Iterator[Finding]:
    """A mandatory leaf whose source may be empty – where its parent is written in any case."""
    arriving = draft.value
    alone = owner.node.optional and sum(part.alive() for name in owner.parts for part in owner.of(name)) == 1
    if draft.node.optional or alone or not isinstance(arriving, Type) or not arriving.nullable:
        return
    assert draft.rule is not None
    message = f"'{draft.rule.origin}' may be empty, but '{draft.path}' is mandatory"
    helps = "say required: true (set aside without it) or give a default"
    yield _finding(draft.rule.at("from"), "KB-M13", message, draft.path, "a source that is never empty", helps)


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
