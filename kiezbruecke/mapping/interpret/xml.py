"""Writes a draft as XML, led by the schema: order, namespaces, required fixed values, mandatory and optional.

Same draft, same bytes. The root's prefix is the standard's name; nothing is indented.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from lxml import etree

from kiezbruecke.mapping.interpret.draft import Draft
from kiezbruecke.mapping.schema.tree import Group, Leaf, Node, nodes
from kiezbruecke.mapping.values import Unusable, xml_text

_Pool = dict[str, deque[Draft]]


@dataclass(frozen=True)
class XmlWriter:
    """Writes drafts of one target; `prefixes` are the namespaces' prefixes, `file` the mapping, for errors."""

    prefixes: dict[str, str] = field(default_factory=dict)
    file: str = ""

    def write(self, draft: Draft) -> bytes:
        """The document in UTF-8 with its declaration; raises RecordError."""
        root = etree.Element(_tag(draft.node), nsmap=dict(self.prefixes))
        self._fill(root, draft)
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8")

    def _fill(self, element: etree._Element, draft: Draft) -> None:
        for node in draft.node.content.attributes:
            self._attribute(element, draft, node)
        if draft.node.leaf is not None:
            element.text = self._text(draft, draft.node.leaf)
        pool = {name: deque(_single(draft.of(name))) for name in draft.parts}
        self._group(element, draft, draft.node.content.group, pool)
        for name, left in pool.items():
            if left and not name.startswith("@"):
                expected = f"höchstens {left[0].node.maximum}"
                raise left[0].problem("es sind mehr Werte da, als die Nachricht aufnehmen kann", expected)

    def _attribute(self, element: etree._Element, draft: Draft, node: Node) -> None:
        found = next(iter(draft.of(node.name)), None)
        if found is not None and found.wanted():
            element.set(_tag(node), self._text(found, node.leaf))
        elif not node.optional:
            element.set(_tag(node), self._text(found or self._unruled(draft, node), node.leaf))

    def _group(self, element: etree._Element, owner: Draft, group: Group, pool: _Pool) -> None:
        """Write the group as often as there is something for it, and as often as it must be there."""
        rounds = 0
        while rounds < group.minimum or (self._enters(group, owner, pool) and rounds != group.maximum):
            self._once(element, owner, group, pool)
            rounds += 1

    def _enters(self, group: Group, owner: Draft, pool: _Pool) -> bool:
        """Whether an optional group is begun: constants alone do not begin a sequence that a value is missing in."""
        waiting = [part for node in nodes(group) for part in pool.get(node.name, ())]
        if not waiting or any(part.alive() for part in waiting):
            return bool(waiting)
        silent = (part for node in nodes(group) for part in owner.of(node.name) if not part.wanted())
        return group.kind == "choice" or next(silent, None) is None

    def _once(self, element: etree._Element, owner: Draft, group: Group, pool: _Pool) -> None:
        if group.kind == "choice":
            self._choice(element, owner, group, pool)
            return
        for part in group.parts:
            self._part(element, owner, part, pool)

    def _choice(self, element: etree._Element, owner: Draft, group: Group, pool: _Pool) -> None:
        branches = [part for part in group.parts if _has(part, pool)]
        living = [part for part in branches if _has(part, pool, alive=True)]
        if len(living) > 1 and group.maximum == 1:
            names = ", ".join(node.name for part in living for node in _nodes(part))
            raise owner.problem("mehrere Angaben, wo nur eine erlaubt ist", f"nur eine von: {names}", self.file)
        chosen = next(iter(living or branches), None)
        if chosen is not None:
            self._part(element, owner, chosen, pool)
        elif not any(_can_be_empty(part) for part in group.parts):
            self._nothing_chosen(element, owner, group, pool)

    def _nothing_chosen(self, element: etree._Element, owner: Draft, group: Group, pool: _Pool) -> None:
        """A branch that a rule speaks about says best what is missing."""
        for part in group.parts:
            if any(owner.of(node.name) for node in _nodes(part)):
                self._part(element, owner, part, pool)
                return
        names = ", ".join(node.name for node in nodes(group))
        raise owner.problem("eine Pflichtangabe fehlt", f"eine von: {names}", self.file)

    def _part(self, element: etree._Element, owner: Draft, part: Node | Group, pool: _Pool) -> None:
        if isinstance(part, Group):
            self._group(element, owner, part, pool)
        else:
            self._elements(element, owner, part, pool)

    def _elements(self, element: etree._Element, owner: Draft, node: Node, pool: _Pool) -> None:
        waiting = pool.get(node.name, deque())
        written = 0
        while waiting and (node.maximum is None or written < node.maximum):
            self._fill(etree.SubElement(element, _tag(node)), waiting.popleft())
            written += 1
        for _ in range(written, node.minimum):
            self._fill(etree.SubElement(element, _tag(node)), self._unruled(owner, node))

    def _unruled(self, owner: Draft, node: Node) -> Draft:
        """What stands for a mandatory node without a value: a draft whose rules gave nothing, or an empty one."""
        silent = next((part for part in owner.of(node.name) if not part.wanted()), None)
        return silent or Draft(node, f"{owner.path}/{node.name}" if owner.path else node.name)

    def _text(self, draft: Draft, leaf: Leaf | None) -> str:
        value = draft.node.fixed if draft.value is None else draft.value
        if value is None and draft.node.children:
            value = _empty_where_allowed(leaf)
        if value is None:
            raise self._missing(draft)
        try:
            text = xml_text(value)
            _judge(draft.node, leaf, text)
        except Unusable as unusable:
            raise draft.problem(unusable.problem, unusable.expected, self.file) from None
        return text

    def _missing(self, draft: Draft) -> Exception:
        return draft.problem("die Pflichtangabe fehlt", "ein Wert", self.file)


def _single(drafts: list[Draft]) -> Iterator[Draft]:
    """What is to be written; a draft of several values becomes several."""
    for draft in drafts:
        if draft.wanted() and isinstance(draft.value, list) and draft.node.repeats:
            yield from (replace(draft, value=value) for value in draft.value)
        elif draft.wanted():
            yield draft


def _judge(node: Node, leaf: Leaf | None, text: str) -> None:
    if leaf is not None:
        leaf.judge(text)
    if node.fixed not in (None, text):
        raise Unusable("das Schema schreibt hier einen anderen Wert vor", str(node.fixed))


def _empty_where_allowed(leaf: Leaf | None) -> str | None:
    """The text of an element that only carries attributes, where its type allows none."""
    try:
        if leaf is not None:
            leaf.judge("")
    except Unusable:
        return None
    return ""


def _tag(node: Node) -> str:
    name = node.name.removeprefix("@")
    return f"{{{node.namespace}}}{name}" if node.namespace else name


def _nodes(part: Node | Group) -> list[Node]:
    return list(nodes(part)) if isinstance(part, Group) else [part]


def _has(part: Node | Group, pool: _Pool, *, alive: bool = False) -> bool:
    return any(draft.alive() or not alive for node in _nodes(part) for draft in pool.get(node.name, ()))


def _can_be_empty(part: Node | Group) -> bool:
    if part.minimum == 0:
        return True
    if isinstance(part, Node):
        return False
    combine = any if part.kind == "choice" else all
    return combine(_can_be_empty(inner) for inner in part.parts)
