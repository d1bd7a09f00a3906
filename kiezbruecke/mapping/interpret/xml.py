"""Writes a draft as XML, led by the schema: order, namespaces, required fixed values, mandatory and optional.

Same draft, same bytes. The root's prefix is the standard's name; nothing is indented.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lxml import etree

from kiezbruecke.mapping.interpret.draft import NodeDraft
from kiezbruecke.mapping.interpret.namespaces import XSI
from kiezbruecke.mapping.schema.tree import Group, Leaf, Node, can_be_empty, can_hold, nodes, recurring
from kiezbruecke.mapping.values import Unusable, xml_text
from kiezbruecke.mapping.wording import Instead, Why


class _Pool(dict[str, deque[NodeDraft]]):
    """What waits to be written, by name. Of a name that stands several times in a sequence (A, B, A) `kept` counts
    how many a later place must have. In a sequence that repeats, (A, B?)*, `round` is the number of those that belong
    together: the second B stands beside the second A, even if there is no first.
    """

    def __init__(self, waiting: dict[str, deque[NodeDraft]], recurring: frozenset[str]) -> None:
        super().__init__(waiting)
        self.recurring = recurring
        self.kept: Counter[str] = Counter()
        self.numbers: dict[int, int] = {}  # by draft: its number among all of its name
        self.round: int | None = None

    def ready(self, name: str) -> deque[NodeDraft]:
        """Those of a name that may be written now."""
        waiting = self.get(name, deque())
        if self.round is None:
            return waiting
        return deque(draft for draft in waiting if self.numbers.get(id(draft), 0) <= self.round)

    def together(self, group: Group) -> int | None:
        """The number of those that come next in a sequence that repeats and has several names to write."""
        waiting = [self[node.name] for node in nodes(group) if self.get(node.name)]
        if group.maximum == 1 or group.kind == "choice" or len(waiting) <= 1:
            return self.round
        return min(self.numbers.get(id(draft), 0) for drafts in waiting for draft in drafts)


def _untold(draft: NodeDraft, text: str) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True)
class XmlWriter:
    """Writes drafts of one target; `prefixes` are the namespaces' prefixes, `file` the mapping, for errors.

    `wrote` is told every text of an element or attribute, in the order in which it is written.
    """

    prefixes: dict[str, str] = field(default_factory=dict)
    file: str = ""
    wrote: Callable[[NodeDraft, str], None] = _untold

    def write(self, draft: NodeDraft) -> bytes:
        """The document in UTF-8 with its declaration; raises RecordError."""
        root = etree.Element(_tag(draft.node), nsmap={prefix or None: space for prefix, space in self.prefixes.items()})
        self._fill(root, draft)
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8")

    def _fill(self, element: etree._Element, draft: NodeDraft) -> None:
        self._type(element, draft)
        for node in draft.node.content.attributes:
            self._attribute(element, draft, node)
        if draft.nil:
            element.set(f"{{{XSI}}}nil", "true")
            return
        if draft.node.leaf is not None and not (draft.node.mixed and draft.value is None):
            element.text = self._text(draft, draft.node.leaf)
        group = draft.node.content.group
        pool = _Pool({}, recurring(group))
        for name in draft.parts:
            numbered = [
                (first + number, one)
                for first, part in draft.numbered(name)
                for number, one in enumerate(_single([part]))
            ]
            pool[name] = deque(one for _, one in numbered)
            pool.numbers.update((id(one), number) for number, one in numbered)
        self._group(element, draft, group, pool)
        for name, left in pool.items():
            if left and not name.startswith("@"):
                expected = Instead.AT_MOST(left[0].node.maximum)
                raise left[0].problem(Why.TOO_MANY(), expected)

    def _type(self, element: etree._Element, draft: NodeDraft) -> None:
        if draft.node.abstract:
            raise draft.problem(Why.ABSTRACT(), Instead.DERIVED(), self.file)
        if draft.node.xsi_type is not None:
            space, name = draft.node.xsi_type
            prefix = next((prefix for prefix, known in self.prefixes.items() if known == space), "")
            element.set(f"{{{XSI}}}type", f"{prefix}:{name}" if prefix else name)

    def _attribute(self, element: etree._Element, draft: NodeDraft, node: Node) -> None:
        found = next(iter(draft.of(node.name)), None)
        if found is not None and found.wanted():
            element.set(_tag(node), self._text(found, node.leaf))
        elif not node.optional:
            element.set(_tag(node), self._text(found or self._unruled(draft, node), node.leaf))

    def _group(self, element: etree._Element, owner: NodeDraft, group: Group, pool: _Pool) -> None:
        """Write the group as often as there is something for it, and as often as it must be there."""
        rounds = 0
        while rounds < group.minimum or (self._enters(group, owner, pool) and rounds != group.maximum):
            before, pool.round = pool.round, pool.together(group)
            self._once(element, owner, group, pool)
            pool.round = before
            rounds += 1

    def _enters(self, group: Group, owner: NodeDraft, pool: _Pool) -> bool:
        """Whether an optional group is begun: constants alone do not begin a sequence that a value is missing in."""
        waiting = [part for node in nodes(group) for part in pool.get(node.name, ())]
        if not waiting or any(part.alive() for part in waiting):
            return bool(waiting)
        silent = (part for node in nodes(group) for part in owner.of(node.name) if not part.wanted())
        return group.kind == "choice" or next(silent, None) is None

    def _once(self, element: etree._Element, owner: NodeDraft, group: Group, pool: _Pool) -> None:
        if group.kind == "choice":
            self._choice(element, owner, group, pool)
            return
        for place, part in enumerate(group.parts):
            later = _needed(group.parts[place + 1 :], pool.recurring)
            pool.kept.update(later)
            self._part(element, owner, part, pool)
            pool.kept.subtract(later)

    def _choice(self, element: etree._Element, owner: NodeDraft, group: Group, pool: _Pool) -> None:
        branches = [part for part in group.parts if _has(part, pool)]
        living = [part for part in branches if _has(part, pool, alive=True)]
        living = _covering(living, pool) or living
        if len(living) > 1 and group.maximum == 1:
            names = ", ".join(node.name for part in living for node in nodes(part))
            raise owner.problem(Why.SEVERAL_BRANCHES(), Instead.ONLY_ONE(names), self.file)
        chosen = next(iter(living or branches), None)
        if chosen is not None:
            self._part(element, owner, chosen, pool)
        elif not any(can_be_empty(part) for part in group.parts):
            self._nothing_chosen(element, owner, group, pool)

    def _nothing_chosen(self, element: etree._Element, owner: NodeDraft, group: Group, pool: _Pool) -> None:
        """A branch that a rule speaks about says best what is missing."""
        for part in group.parts:
            if any(owner.of(node.name) for node in nodes(part)):
                self._part(element, owner, part, pool)
                return
        names = ", ".join(node.name for node in nodes(group))
        raise owner.problem(Why.NO_BRANCH(), Instead.ONE_BRANCH(names), self.file)

    def _part(self, element: etree._Element, owner: NodeDraft, part: Node | Group, pool: _Pool) -> None:
        if isinstance(part, Group):
            self._group(element, owner, part, pool)
        else:
            self._elements(element, owner, part, pool)

    def _elements(self, element: etree._Element, owner: NodeDraft, node: Node, pool: _Pool) -> None:
        waiting = pool.ready(node.name)
        written = 0
        while len(waiting) > (pool.kept[node.name] if written >= node.minimum else 0) and written != node.maximum:
            self._fill(etree.SubElement(element, _tag(node)), waiting.popleft())
            if waiting is not pool[node.name]:
                pool[node.name].popleft()
            written += 1
        for _ in range(written, node.minimum):
            self._alone(etree.SubElement(element, _tag(node)), self._unruled(owner, node))

    def _alone(self, element: etree._Element, draft: NodeDraft) -> None:
        """What must stand there though no rule gives it anything: never empty where it could hold something."""
        self._fill(element, draft)
        if not element.text and len(element) == 0 and can_hold(draft.node) and not draft.nil:
            raise self._missing(draft)

    def _unruled(self, owner: NodeDraft, node: Node) -> NodeDraft:
        """What stands for a mandatory node without a value: a draft whose rules gave nothing, or an empty one."""
        silent = next((part for part in owner.of(node.name) if not part.wanted()), None)
        return silent or owner.unspoken(node)

    def _text(self, draft: NodeDraft, leaf: Leaf | None) -> str:
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
        self.wrote(draft, text)
        return text

    def _missing(self, draft: NodeDraft) -> Exception:
        return draft.problem(Why.MISSING(), Instead.VALUE(), self.file)


def _single(drafts: list[NodeDraft]) -> Iterator[NodeDraft]:
    """What is to be written; a draft of several values becomes several."""
    for draft in drafts:
        if draft.wanted():
            yield from draft.singly()


def _judge(node: Node, leaf: Leaf | None, text: str) -> None:
    if leaf is not None:
        leaf.judge(text)
    if node.fixed not in (None, text):
        raise Unusable(Why.PRESCRIBED(), Instead.THESE(node.fixed))


def _empty_where_allowed(leaf: Leaf | None) -> str | None:
    """The text of an element that only carries attributes, where its type allows none."""
    return None if leaf is not None and leaf.refusal("") else ""


def _tag(node: Node) -> str:
    return f"{{{node.namespace}}}{node.local}" if node.namespace else node.local


def _covering(living: list[Node | Group], pool: _Pool) -> list[Node | Group]:
    """Of several branches the first that has a place for everything: (B, A) or (C, A), given C and A."""
    spoken = {node.name for part in living for node in nodes(part)}
    names = {name for name in spoken if any(draft.alive() for draft in pool.get(name, ()))}
    return [part for part in living if names <= {node.name for node in nodes(part)}][:1]


def _needed(parts: tuple[Node | Group, ...], recurring: frozenset[str]) -> Counter[str]:
    """How many of each recurring name some parts of a sequence must have."""
    found: Counter[str] = Counter()
    for part in parts if recurring else ():
        if isinstance(part, Node):
            found[part.name] += part.minimum if part.name in recurring else 0
        elif part.minimum and part.kind == "sequence":
            found.update(_needed(part.parts, recurring))
    return found


def _has(part: Node | Group, pool: _Pool, *, alive: bool = False) -> bool:
    return any(draft.alive() or not alive for node in nodes(part) for draft in pool.get(node.name, ()))
