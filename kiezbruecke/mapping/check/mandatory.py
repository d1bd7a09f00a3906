"""Which mandatory places no rule speaks about – as far as the parents they stand in are written at all.

And its opposite: more branches of a choice than the schema allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from kiezbruecke.mapping.check.conditions import exclude, one_holds, other_case, same_question, unmet_word
from kiezbruecke.mapping.check.report import CheckReport, Notes, asks_in_vain, own_conditions
from kiezbruecke.mapping.language.definition import When
from kiezbruecke.mapping.language.findings import Finding, Place, Severity
from kiezbruecke.mapping.plan import Bound, Spot
from kiezbruecke.mapping.schema.json_schema import JsonNode
from kiezbruecke.mapping.schema.tree import Group, Node, can_be_empty, nodes, sure_nodes, written_alone


def missing_rules(root: Spot, notes: Notes, report: CheckReport, place: Place) -> list[Finding]:
    """Findings about the places of a plan: what is missing, what may be empty, what will never be written."""
    return list(_Missing(notes, report.wrong).below(root, place))


class _Missing:
    def __init__(self, notes: Notes, wrong: set[int]) -> None:
        self._notes = notes
        self._wrong = wrong  # rules with an error: one typo is one finding
        self._branches: set[int] = set()  # places that are branches of a choice, by their identity

    def below(self, draft: Spot, place: Place) -> Iterator[Finding]:
        """Findings about everything that stands in a place."""
        first = next(draft.speaking(), None) if draft.path else None
        place = first.rule.place if first else place
        if not draft.standing and draft.path and (_needs_text(draft.node) or _only_attributes(draft)):
            message = f"no rule fills the text of '{draft.path}'"
            yield _finding(place, "KB-M12", message, draft.path, self._text(draft, place))
        if draft.node.abstract:
            message, expected = f"the type of '{draft.path}' is abstract", ", ".join(draft.node.derived())
            yield _finding(place, "KB-M12", message, draft.path, f"type: one of {expected}")
        for node in draft.node.content.attributes:
            yield from self._node(draft, node, place, sure=True)
        yield from self._group(draft, draft.node.content.group, place, sure=True)

    def _text(self, draft: Spot, place: Place) -> str:
        """The rule for a place's own text: `.` in its block, else its path."""
        blocks = [inside for _, inside in self._notes.around.get(place, ())]
        return _TEXT if draft.path in blocks else self._notes.rule_at(place, draft.path)

    def _group(self, owner: Spot, group: Group, place: Place, *, sure: bool) -> Iterator[Finding]:
        """`sure`: the group is written wherever its owner is, so that its mandatory nodes are mandatory."""
        spoken = [part for part in group.parts if _spoken(owner, part)]
        if group.kind == "choice":
            self._branches |= {id(draft) for node in nodes(group) for draft in owner.of(node.name)}
            spoken = _covering(owner, spoken) or spoken
        if group.minimum == 0 and not spoken:
            return
        sure = sure and group.minimum > 0
        for part in group.parts if group.kind == "sequence" else spoken:
            yield from self._part(owner, part, place, sure=sure and group.kind == "sequence")
        if group.kind == "choice":
            yield from self._choice(owner, group, spoken, place, sure=sure)

    def _choice(
        self, owner: Spot, group: Group, spoken: list[Node | Group], place: Place, *, sure: bool
    ) -> Iterator[Finding]:
        names = ", ".join(node.name for node in nodes(group))
        filled = any(map(can_be_empty, group.parts))
        if not spoken and not filled:
            yield _finding(place, "KB-M12", f"no rule for one of {names}", owner.path, "a rule for one of them")
        elif sure and not filled:
            yield from self._no_branch(owner, spoken, names)
        repeats = group.maximum != 1 or any(node.in_repeated_group for node in nodes(group))
        several = list(self._several_branches(owner, spoken, names)) if len(spoken) > 1 and not repeats else []
        yield from several
        if not several and (filled or not sure):
            drafts = [draft for branch in spoken for node in nodes(branch) for draft in owner.of(node.name)]
            yield from self._unmet(owner, drafts, f"one of {names}")

    def _no_branch(self, owner: Spot, branches: list[Node | Group], names: str) -> Iterator[Finding]:
        """A mandatory choice none of whose branches is sure to be written, though its owner is."""
        drafts = [draft for branch in branches for node in nodes(branch) for draft in owner.of(node.name)]
        told = [one for draft in drafts for one in draft.below()]
        own = [own_conditions(owner, one) for one in told]
        if not told or owner.lost or self._started_by(owner, drafts) or self._notes.doubts(chain(*own)):
            return
        sure = [conditions for draft in drafts for conditions in self._written_under(owner, draft)]
        if one_holds(sure, self._notes):
            return
        lost = other_case(sure, self._notes)
        first = next((conditions[0].place for conditions in own if conditions), told[0].rule.at("from"))
        unsure = next((one.rule for one in told if one.may_lack), told[0].rule)
        where = f"where {lost}" if lost else f"where '{unsure.origin}' is missing"
        message = f"one of {names} is mandatory, but none is written {where}"
        others = "a rule for the other cases, required: true, or a default"
        helps = "a last case with otherwise: true" if _is_case(told) else others
        yield _finding(first, "KB-M13", message, owner.path or told[0].target, "one of them in any case", helps)

    def _written_under(self, owner: Spot, draft: Spot) -> Iterator[tuple[When, ...]]:
        """The conditions under which a place is written for sure: a list may be empty, and so may a source."""
        if draft.by is not None and draft.by.rule.each is not None:
            return
        for one in draft.blocks:
            if one.rule.when:
                yield own_conditions(owner, one)
        for one in draft.filled:
            if not one.may_lack:
                yield own_conditions(owner, one)
        for name in draft.parts:
            for part in draft.of(name):
                if draft.alive() or not draft.node.optional:  # constants alone keep no optional block alive
                    yield from self._written_under(owner, part)

    def _unmet(self, owner: Spot, drafts: list[Spot], what: str) -> Iterator[Finding]:
        """Rules that stand under conditions, each for its own case, and a case that none of them is for."""
        told = [
            one for draft in drafts for one in (*draft.filled, *(block for block in draft.blocks if block.rule.when))
        ]
        own = [own_conditions(owner, one) for one in told]
        if len(told) < _SEVERAL or not all(own) or self._notes.doubts(chain(*own)):
            return
        if any(one.number in self._wrong for one in told):
            return
        if lost := unmet_word(own, self._notes):
            message = f"nothing is written for {what} where {lost}"
            helps = "one more rule, or a word less to ask for"
            yield Finding(
                own[-1][0].place, "KB-M25", message, told[-1].target, "a rule for this case", helps, "warning"
            )

    def _several_branches(self, owner: Spot, branches: list[Node | Group], names: str) -> Iterator[Finding]:
        """Branches that nothing keeps apart cannot both be written."""
        pairs = self._together(owner, branches)
        if not pairs:
            return
        sure = [pair for pair in pairs if self._both(owner, pair)]
        pair = (sure or pairs)[0]
        always = [one for one in pair if not own_conditions(owner, one)]
        second = max(always or pair, key=lambda one: one.rule.place)
        severity: Severity = "error" if sure else "warning"
        message = f"the target holds only one of {names}, and nothing keeps their rules apart"
        helps = "give them conditions that exclude each other"
        yield Finding(second.rule.place, "KB-M17", message, second.target, "rules for one of them", helps, severity)

    def _together(self, owner: Spot, branches: list[Node | Group]) -> list[tuple[Bound, Bound]]:
        """Rules of different branches that may speak at the same time."""
        told = [
            [one for node in nodes(branch) for draft in owner.of(node.name) for one in draft.below()]
            for branch in branches
        ]
        return [
            (one, other)
            for number, first in enumerate(told)
            for second in told[number + 1 :]
            for one in first
            for other in second
            if one.rule is not other.rule
            and not self._notes.doubts((*one.conditions, *other.conditions))
            and not (asks_in_vain(one) or asks_in_vain(other))
            and not exclude(one.conditions, other.conditions)
        ]

    def _both(self, owner: Spot, pair: tuple[Bound, Bound]) -> bool:
        """Whether two rules speak in the same cases, and both give a value in any of them."""
        first, second = (own_conditions(owner, one) for one in pair)
        return same_question(first, second) and all(one.presence == "always" for one in pair)

    def _part(self, owner: Spot, part: Node | Group, place: Place, *, sure: bool) -> Iterator[Finding]:
        if isinstance(part, Group):
            yield from self._group(owner, part, place, sure=sure)
        else:
            yield from self._node(owner, part, place, sure=sure)

    def _node(self, owner: Spot, node: Node, place: Place, *, sure: bool) -> Iterator[Finding]:
        path = f"{owner.path}/{node.name}" if owner.path else node.name
        drafts = owner.of(node.name)
        if not drafts and not node.optional and written_alone(node) is None:
            self._notes.missing[path] = node
            expected = self._notes.rule_at(place, path, node)
            yield _finding(place, "KB-M12", f"no rule fills the mandatory '{path}'", path, expected)
        if drafts:
            yield from _numbers(owner, node, path)
            yield from _one_more(owner, node, path)
            if sure and not node.optional:
                if not self._started_by(owner, drafts):
                    yield from self._conditional(owner, drafts, path)
                    yield from self._short_list(drafts, path)
                    yield from self._may_come_empty(drafts, path)
            elif not any(id(draft) in self._branches for draft in drafts):
                yield from self._unmet(owner, drafts, f"'{path}'")
        for draft in drafts:
            if draft.is_end:
                continue
            if draft.standing:
                yield from self._leaf(owner, draft, sure=sure)
            elif draft.node.optional and not draft.alive():
                yield from self._never_written(owner, draft, place)
                yield from (one for one in self.below(draft, place) if one.code == "KB-M17")
            else:
                yield from self.below(draft, place)

    def _never_written(self, owner: Spot, draft: Spot, place: Place) -> Iterator[Finding]:
        if owner.lost or any(one.number in self._wrong for one in draft.below()):
            return  # a rule that leads nowhere, or is wrong, may be the one that reads something
        first = next(draft.speaking(), None)
        message = f"'{draft.path}' holds only constants, so it will never be written"
        path = f"when: {self._notes.always}" if self._notes.always else "when: a path that is always there"
        helps = f"give one of them a source, or the block a condition; to write it in any case: '{path}'"
        at = first.rule.place if first else place
        yield _finding(at, "KB-M15", message, draft.path, "a value that is read", helps)

    def _leaf(self, owner: Spot, draft: Spot, *, sure: bool) -> Iterator[Finding]:
        assert draft.by is not None
        if sure:
            yield from self._may_be_empty(owner, draft, draft.by)
        if draft.by.rule.code is None and draft.by.number not in self._wrong:
            for node in draft.node.content.attributes:
                yield from self._node(draft, node, draft.by.rule.place, sure=True)

    def _conditional(self, owner: Spot, drafts: list[Spot], path: str) -> Iterator[Finding]:
        """A mandatory place that is only written where a condition is met, though its owner is written anyway."""
        spoken = [one for draft in drafts for one in draft.below()]
        own = [own_conditions(owner, one) for one in spoken]
        if not own or self._notes.doubts(chain(*own)) or one_holds(own, self._notes) or self._lacks(drafts):
            return
        message = f"'{path}' is mandatory, but only written under a condition"
        helps = (
            "a last case with otherwise: true" if _is_case(spoken) else "a rule for the other cases, or no condition"
        )
        yield _finding(own[0][0].place, "KB-M13", message, path, "a rule that always holds", helps)

    def _lacks(self, drafts: list[Spot]) -> bool:
        """Whether a rule inside leads nowhere, or is not there: it may be the one that always holds."""
        return any(
            draft.lost or any(one.code == "KB-M12" for one in self.below(draft, _NOWHERE))
            for draft in drafts
            if not draft.standing
        )

    def _short_list(self, drafts: list[Spot], path: str) -> Iterator[Finding]:
        """A list that may have fewer members than the schema wants."""
        wanted = drafts[0].node.minimum
        one = next((draft.by for draft in drafts if draft.by and (draft.by.rule.each or _many(draft))), None)
        if one is None or len(drafts) > wanted:
            return
        listed = one.listed if one.rule.each else one.arrives
        if wanted <= max(one.rule.at_least, listed.least if listed else 0):
            return
        if wanted == 1 and not _may_have_none(one):
            return
        rule = one.rule
        source = rule.each or rule.source
        message = f"'{path}' must stand {wanted} times" if wanted > 1 else f"'{path}' is mandatory"
        message += f", but '{source.text if source else path}' may hold fewer; such records are set aside"
        helps = f"numbered rules, such as '{drafts[0].node.name}[2]' from path[2], say what must be there"
        at = rule.at("each" if rule.each else "from")
        few = f"at least {wanted} member{'s' if wanted > 1 else ''}"
        yield _finding(at, "KB-M13", message, path, few, helps if wanted > 1 else "")

    def _may_come_empty(self, drafts: list[Spot], path: str) -> Iterator[Finding]:
        """A mandatory block in which nothing is sure: it is not written empty, so its record may be set aside.

        A list of JSON that is demanded stands there, be it empty.
        """
        draft, told = drafts[0], [one for draft in drafts for one in draft.below()]
        asks = draft.standing or any(not node.optional for node in sure_nodes(draft.node.content))
        asks = asks or any(
            isinstance(one, JsonNode) and one.array and one.demanded for one in draft.node.children.values()
        )
        lacking = [_lacking(draft, one) for one in told]
        first = next(iter(lacking), None)
        if asks or len(drafts) > 1 or first is None or not all(lacking) or draft.node.mixed:
            return
        if any(one.number in self._wrong for one in told):
            return
        message = f"'{path}' is mandatory, but everything in it may be empty; such records are set aside"
        listed = first.rule.each is not None
        helps = "say at_least: 1" if listed else "say required: true at one of its rules, or give a default"
        at = first.rule.at("each" if listed else "from")
        yield _finding(at, "KB-M13", message, path, "a value in any case", helps)

    def _may_be_empty(self, owner: Spot, draft: Spot, one: Bound) -> Iterator[Finding]:
        """A mandatory leaf whose source may be empty – where its parent is written in any case."""
        if draft.node.optional or not one.may_lack or one.number in self._wrong or self._started_by(owner, [draft]):
            return
        if self._notes.doubts(one.conditions):
            return
        rule = one.rule
        message = f"'{rule.origin}' may be empty, but '{draft.path}' is mandatory"
        helps = "say required: true (set aside without it) or give a default"
        yield _finding(rule.at("from"), "KB-M13", message, draft.path, "a source that is never empty", helps)

    def _started_by(self, owner: Spot, drafts: list[Spot]) -> bool:
        """Whether something optional around these places is written for their sake alone."""
        above: Spot | None = owner
        while above is not None:
            parts = (part for name in above.parts for part in above.of(name))
            if above.live or any(part.alive() for part in parts if all(part is not one for one in drafts)):
                return False
            if above.node.optional:
                return True
            drafts, above = [above], above.above
        return False


_SEVERAL = 2
_NOWHERE = Place("")
_TEXT = "- {target: ., from: …}"


def _is_case(told: list[Bound]) -> bool:
    """Whether rules are cases of one `one_of`."""
    return any(block.rule.one_of for one in told for block in one.above)


def _lacking(draft: Spot, one: Bound) -> Bound | None:
    """What inside of a place may leave a rule without a value: itself, or a list around it that may be empty."""
    lists = (block for block in (*one.above, one) if block.rule.each and block.spot and _inside(draft, block.spot))
    empty = (block for block in lists if not block.rule.at_least and _may_have_none(block))
    return one if one.may_lack else next(empty, None)


def _inside(draft: Spot, spot: Spot) -> bool:
    """Whether a place stands below another."""
    return spot.above is not None and (spot.above is draft or _inside(draft, spot.above))


def _may_have_none(one: Bound) -> bool:
    """Whether the list of an `each` may be empty. Of what is open nobody knows."""
    found = one.listed
    if found is None or (found.kind == "any" and found.whole is None):
        return False
    return found.nullable and not found.sure


def _one_more(owner: Spot, node: Node, path: str) -> Iterator[Finding]:
    """A rule that leads into a place that another makes by `each`: it does not speak of the members."""
    drafts = owner.of(node.name)
    listed = next((draft.by.rule.each for draft in drafts if draft.by is not None and draft.by.rule.each), None)
    for draft in drafts:
        inner = next(draft.speaking(), None)
        if listed is not None and draft.by is None and inner is not None:
            message = f"this writes one more '{path}', beside those of 'each: {listed.text}'"
            helps = f"if one more is meant: a block '- target: {node.name}' of its own"
            expected = "the rule inside of the block with 'each'"
            yield Finding(inner.rule.place, "KB-M11", message, draft.path, expected, helps, "warning")


def _numbers(owner: Spot, node: Node, path: str) -> Iterator[Finding]:
    """`X[3]` without `X[2]`, and fewer than the schema wants."""
    found = owner.parts[node.name]
    numbers = sorted({instance.number for instance in found})
    gap = next((number for number in range(1, numbers[-1]) if number not in numbers), None)
    if gap is not None and _may_stand(node, numbers[-1]):
        after = next(instance for instance in found if instance.number == numbers[-1])
        one = next(found[after].speaking(), None)
        if one is not None:
            message = f"there is a '{path}[{numbers[-1]}]', but no '{path}[{gap}]'"
            yield _finding(one.rule.place, "KB-M23", message, f"{path}[{numbers[-1]}]", f"'{path}[{gap}]'")
    several = any(instance.rule for instance in found) or any(_many(draft) for draft in found.values())
    if len(found) < node.minimum and not several:
        one = next((one for draft in found.values() for one in draft.speaking()), None)
        if one is not None:
            message = f"'{path}' must stand {node.minimum} times, here are {len(found)}"
            yield _finding(one.rule.place, "KB-M12", message, path, f"'{path}[{len(found) + 1}]', or each")


def _may_stand(node: Node, number: int) -> bool:
    """Whether there may be so many; else that is the mistake, and not the gap."""
    return node.in_repeated_group or node.maximum is None or number <= node.maximum


def _many(draft: Spot) -> bool:
    return draft.gives is not None and (draft.gives.many or draft.gives.kind == "any")


def _needs_text(node: Node) -> bool:
    """Whether an element that also has attributes or parts cannot do without a text of its own."""
    return node.leaf is not None and node.fixed is None and not node.mixed and node.leaf.refusal("") is not None


def _only_attributes(draft: Spot) -> bool:
    """Whether a mandatory place would be written for its text, and no rule gives it one, be it in an attribute."""
    node = draft.node
    return node.leaf is not None and node.fixed is None and not (node.mixed or node.optional or draft.alive())


def _finding(place: Place, code: str, message: str, rule: str, expected: str, helps: str = "") -> Finding:
    return Finding(place, code, message, rule, expected, helps, "error" if code == "KB-M12" else "warning")


def _covering(owner: Spot, branches: list[Node | Group]) -> list[Node | Group]:
    """Of several branches the first that has a place for all that is spoken of: (B, A) or (C, A), given C and A."""
    told = [{node.name for node in nodes(branch) if owner.of(node.name)} for branch in branches]
    return [branch for branch, names in zip(branches, told, strict=True) if names == set().union(*told)][:1]


def _spoken(owner: Spot, part: Node | Group) -> bool:
    return any(owner.of(node.name) for node in nodes(part))
