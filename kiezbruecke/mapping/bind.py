"""Binds the rules of a mapping to its target and its sources: every name is looked up here, and nowhere else.

What leads nowhere – a place that the target has not, a field that no source has – is a finding with rule and line.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from kiezbruecke.mapping.language.definition import Rule, StepUse, When
from kiezbruecke.mapping.language.findings import Finding, Place, meant, nearest
from kiezbruecke.mapping.language.paths import INDEX, SourcePath, SourceStep, without_numbers
from kiezbruecke.mapping.language.walking import paths_in, walk
from kiezbruecke.mapping.plan import Bound, Instance, Plan, SourceRead, Spot
from kiezbruecke.mapping.schema.models import LOST, OPEN, Fields, Type, is_root
from kiezbruecke.mapping.schema.targets import helping
from kiezbruecke.mapping.schema.tree import Node
from kiezbruecke.mapping.steps import STEPS

Types = Mapping[str, Type]
KEEPS_KIND = frozenset({"first", "nothing_if_zero"})
_SHOWN = 15
_DEEP = 4
_LOOKED_AT = 500  # owners of fields; views know each other


def bind(rules: tuple[Rule, ...], target: Node, types: Types, broken: frozenset[Place] = frozenset()) -> Plan:
    """The plan of rules upon a target; `types` are those of the roots, `broken` rules that could not be read whole."""
    binder = _Binder(target, broken)
    binder.rules(rules, (), binder.root, _Scope(types, {}))
    return Plan(tuple(binder.bound), binder.root, tuple(binder.findings), frozenset(binder.meant), binder.astray)


@dataclass(frozen=True)
class _Scope:
    """What a path may begin with: the types by name, and the paths that the names of members stand for."""

    types: Types
    members: Mapping[str, SourcePath]


class _Binder:
    def __init__(self, target: Node, broken: frozenset[Place]) -> None:
        self.root = Spot(target)
        self.bound: list[Bound] = []
        self.findings: dict[Finding, None] = {}  # each once, in their order
        self.meant: set[str] = set()
        self.astray: Counter[str] = Counter()  # by place: rules that speak of a part of it that nobody knows
        self._unknown: set[str] = set()  # roots that there are not
        self._broken = broken

    def rules(self, rules: tuple[Rule, ...], above: tuple[Bound, ...], spot: Spot | None, scope: _Scope) -> None:
        for rule in rules:
            self._rule(rule, above, spot, scope)

    def _rule(self, rule: Rule, above: tuple[Bound, ...], block: Spot | None, scope: _Scope) -> None:
        spot = None if block is None else self._open(rule, block, sum(len(one.rule.when) for one in above))
        path = spot.path if spot else _joined(_target(above), str(rule.target))
        listed = None if rule.each is None else self._type_of(rule.each, scope.types, rule.at("each"), path)
        outer, scope = scope, self._with_member(rule, listed, scope, path)
        asked = tuple(self._type_of(when.path, scope.types, when.place, path) for when in rule.asked)
        conditions = [when for each in (*(one.rule for one in above), rule) for when in each.when if not when.negated]
        arrives = None if rule.source is None else self._type_of(rule.source, scope.types, rule.at("from"), path)
        if rule.source is not None and arrives is not None:
            arrives = _there(rule.source, arrives, conditions, scope.types)
        one = Bound(
            number=len(self.bound) + 1,
            rule=rule,
            above=above,
            spot=spot,
            members=scope.members,
            reads=tuple(_reads(rule, outer.members, scope.members)),
            arrives=arrives,
            gives=OPEN if rule.place in self._broken else self._gives(rule, conditions, arrives),
            listed=listed,
            asked=asked,
        )
        self.bound.append(one)
        if above:
            above[-1].rules.append(one)
        self._settle(one)
        self.rules(rule.rules, (*above, one), spot if spot and spot.node.children else None, scope)
        if block is not None and spot is None:
            _lose(block, one)

    def _settle(self, one: Bound) -> None:
        """The place learns of its rule."""
        if one.spot is None:
            return
        if one.rule.ends:
            one.spot.lost = one.spot.lost or one
            return
        if not one.rule.rules:
            one.spot.filled.append(one)
            return
        one.spot.blocks.append(one)
        one.spot.depth = len(one.conditions)
        if not one.spot.node.children:
            self._tell_childless(one.rule, one.spot)
            one.spot.settled = True

    def _tell_childless(self, rule: Rule, spot: Spot) -> None:
        """A block where nothing may stand: a value's place, or an abstract type whose choice is missing."""
        if rule.type is not None and spot.node.abstract:
            return  # a type that is not there has been told
        choice = f"type: one of {', '.join(list(spot.node.derived())[:_SHOWN])}"
        expected = choice if spot.node.abstract else "from, const or code"
        self._add(rule.place, "KB-M07", f"'{spot.path}' holds no other targets", spot.path, expected)

    def _open(self, rule: Rule, spot: Spot, depth: int) -> Spot | None:
        """The place of the rule, or None where the target has no such path."""
        for position, step in enumerate(rule.target.steps, 1):
            if step.name not in spot.node.children:
                self._unknown_target(rule, spot, position)
                return None
            last = position == len(rule.target.steps)
            own = len(self.bound) + 1 if last and _is_own(rule) else 0
            spot = spot.open(step.name, Instance(step.number, own), depth)
        self._choose_type(rule, spot)
        return spot

    def _choose_type(self, rule: Rule, spot: Spot) -> None:
        if rule.type is None:
            return
        typed, names = spot.node.typed(rule.type), list(spot.node.derived())
        if typed is not None:
            spot.node = typed
        elif spot.node.xsi_type is None or spot.node.xsi_type[1] != rule.type.rpartition(":")[2]:
            message = f"no type '{rule.type}' may stand at '{spot.path}'"
            expected = ", ".join(names[:_SHOWN]) or "no 'type' here"
            self._add(rule.at("type"), "KB-M07", message, spot.path, expected, nearest(rule.type, names))
            spot.node = spot.node.typed(meant(rule.type, names)) or spot.node
            self.meant.add(spot.path)

    def _unknown_target(self, rule: Rule, spot: Spot, position: int) -> None:
        """The `position`th step of its target is not there."""
        left = rule.target.steps[position - 1 :]
        name, *rest = (step.name for step in left)
        names = list(spot.node.children)
        above = spot.path or spot.node.name
        more = ", …" if len(names) > _SHOWN else ""
        expected = ", ".join(names[:_SHOWN]) + more if names else f"'{above}' itself"
        helps, whole = helping(self.root.node, spot.node, spot.path, name)
        if typed := next((key for key, one in spot.node.derived().items() if name in one.children), ""):
            helps, whole = f"it stands in the type {typed}; say type: {typed} in the block", f"{spot.path}/{name}"
        if whole:
            self.meant |= {without_numbers("/".join([whole, *rest]))}
        if whole.rpartition("/")[0] != spot.path or not whole:  # another block has it: nobody knows which rule is meant
            self.astray[spot.path] += 1
        if name == ".":
            helps = f"'.' stands alone, for the text of the block around it; here: target: {spot.node.name}"
        path = _joined(spot.path, "/".join(map(str, left)))
        self._add(rule.place, "KB-M07", f"'{above}' has no '{name}'", path, expected, helps)

    def _with_member(self, rule: Rule, listed: Type | None, scope: _Scope, path: str) -> _Scope:
        """The scope inside of an `each`. Of two names that should be one, both stand for the member."""
        if rule.each is None:  # an `as` without `each` is a finding already
            return scope if rule.name is None else _Scope({**scope.types, rule.name: LOST}, scope.members)
        member = listed.member if listed and (listed.many or listed.kind == "any") else LOST
        names = {rule.name: member} if rule.name else {}
        misspelt = _misspelt_member(rule, scope.types)
        if misspelt and not rule.name:
            names[misspelt] = member
        elif misspelt:
            message = f"the rules below read '{misspelt}', but the member is called '{rule.name}'"
            self._add(rule.at("as"), "KB-M08", message, path, f"as: {misspelt}", "one name in both places")
            names[misspelt] = member
        stands_for = _from_root(rule.each, scope.members)
        return _Scope({**scope.types, **names}, {**scope.members, **dict.fromkeys(names, stands_for)})

    def _gives(self, rule: Rule, conditions: Sequence[When], arrives: Type | None) -> Type:
        """The type behind the steps; a condition on the source itself says that it is there."""
        if rule.source is None:
            return Type("text")
        if arrives is None or arrives.whole is not None:
            return OPEN
        found = replace(arrives, nullable=False) if _is_asked(rule.source, conditions) else arrives
        for use in rule.steps:
            found = behind(found, use)
        if rule.codelist is not None:
            found = Type("any", many=found.many, nullable=found.nullable)
        surely = rule.required or rule.nil or rule.default is not None
        return replace(found, nullable=found.nullable and not surely)

    def _type_of(self, path: SourcePath, types: Types, place: Place, rule: str) -> Type | None:
        """The type of a path; an unknown path becomes a finding, a root that is meant one for all that name it."""
        if types.get(path.root) is LOST or path.root in self._unknown:
            return None
        try:
            found = type_at(path, types)
        except UnknownPath as unknown:
            self._unknown |= {path.root} - types.keys() if unknown.helps else set()
            self._add(place, "KB-M08", unknown.message, rule, unknown.expected, unknown.helps)
            return None
        for number, step in enumerate(path.steps, 1):
            if (step.number or 1) > 1 and _is_single(above := _without_number(path, number), types):
                message = f"'{above.text}' is no list, so '{above.text}[{step.number}]' is always empty"
                self._add(place, "KB-M08", message, rule, f"'{above.text}' without a number")
                return None
        return found

    def _add(self, place: Place, code: str, message: str, rule: str, expected: str, helps: str = "") -> None:
        self.findings[Finding(place, code, message, rule, expected, helps)] = None


def behind(given: Type, use: StepUse) -> Type:
    """The type behind a step; open behind one that nobody knows."""
    step = STEPS.get(use.name)
    if step is None:
        return OPEN
    many = step.gives == "list"
    kind = given.kind if use.name in KEEPS_KIND else step.gives
    return Type("text" if many else kind, many=many, nullable=given.nullable and not step.reads_nothing)


class UnknownPath(Exception):
    """A path leads nowhere. `expected` and `helps` say what is there."""

    def __init__(self, message: str, expected: str, helps: str) -> None:
        self.message, self.expected, self.helps = message, expected, helps
        super().__init__(message)


def type_at(path: SourcePath, scope: Types) -> Type:
    """The static type of a path; raises UnknownPath."""
    if path.root not in scope:
        raise UnknownPath(
            f"'{path.root}' is no root of this mapping",
            f"one of {', '.join(sorted(scope))}",
            "name it under roots" if is_root(path.root) else nearest(path.root, scope),
        )
    found, above, steps = scope[path.root], path.root, path.steps
    while steps:
        found, taken = _type_below(found, steps, above)
        above = ".".join([above, *(step.name for step in steps[:taken])])
        steps = steps[taken:]
    return found


def _type_below(owner: Type, steps: Sequence[SourceStep], above: str) -> tuple[Type, int]:
    """The type of the next name, and how many steps make it: a name may hold dots."""
    fields = owner.below
    if owner.indexed and steps[0].name == "index" and (fields is None or "index" not in fields.names()):
        return Type("integer"), 1
    if fields is None and owner.kind == "any":
        return OPEN, len(steps)
    if fields is None:
        raise UnknownPath(f"'{above}' has no fields", f"'{above}' itself", "")
    for taken in range(1, len(steps) + 1):
        found = fields.field(".".join(step.name for step in steps[:taken]))
        number = steps[taken - 1].number
        if found is not None:
            found = replace(found, least=0, most=None) if owner.many else found
            many = (owner.many or found.many) and (number is None or found.inner is not None)
            found = found if number is None or found.inner is None else found.inner
            return replace(found, many=many, nullable=owner.nullable or found.nullable or number is not None), taken
        if number is not None:
            break
    raise _unknown_field(fields, [step.name for step in steps], above)


def _elsewhere(fields: Fields, name: str, above: str) -> str:
    """The path below, not far, where a field of this name stands; nothing where there is none."""
    waiting = deque([(fields, above, 1)])
    for _ in range(_LOOKED_AT):
        if not waiting:
            break
        owner, path, depth = waiting.popleft()
        if depth > 1 and name in owner.names():
            return f"{path}.{name}"
        parts = ((part, owner.field(part)) for part in (owner.names() if depth < _DEEP else ()))
        waiting += ((one.below, f"{path}.{part}", depth + 1) for part, one in parts if one and one.below)
    return ""


def _unknown_field(fields: Fields, path: Sequence[str], above: str) -> UnknownPath:
    names = fields.names()
    joined = (".".join(path[:end]) for end in range(1, len(path) + 1))
    helps = next((near for name in joined if (near := nearest(name, names))), "")
    shown = ", ".join(names[:30]) + (", …" if len(names) > 30 else "")
    if not helps and (found := _elsewhere(fields, path[0], above)):
        helps = f"it stands in '{found}'"
    return UnknownPath(f"'{above}' has no field '{path[0]}'", shown, helps)


def _reads(rule: Rule, outside: Mapping[str, SourcePath], inside: Mapping[str, SourcePath]) -> Iterator[SourceRead]:
    """What a rule reads: its `each` from outside of it, the rest with its member's name."""
    for key, path, place in paths_in(rule):
        members = outside if key == "each" else inside
        index = path.root in members and path.steps == INDEX
        yield SourceRead(_from_root(path, members), rule, place, key, index)


def _from_root(path: SourcePath, members: Mapping[str, SourcePath]) -> SourcePath:
    owner = members.get(path.root)
    if owner is None:
        return path
    steps = () if path.steps == INDEX else path.steps
    text = ".".join([owner.text, *(step.name for step in steps)])
    return SourcePath(owner.root, (*owner.steps, *steps), text)


def _misspelt_member(rule: Rule, types: Types) -> str:
    """The one name that the rules below read and nobody knows, where they do not read the member's."""
    inside = [one.rule for one in walk((rule,))]
    names = {path.root for one in inside for _, path, _ in paths_in(one) if path is not rule.each}
    unknown = names - types.keys() - {one.name for one in inside}
    return unknown.pop() if rule.name not in names and len(unknown) == 1 else ""


def _lose(spot: Spot, one: Bound) -> None:
    """Where a rule leads nowhere, nobody can say that the place holds only constants, or nothing."""
    spot = _deepest(spot, one)
    spot.lost = spot.lost or one
    if spot.node.leaf is not None and spot.path:
        spot.settled = True


def _deepest(spot: Spot, one: Bound) -> Spot:
    """The last place on the way of a rule that is there."""
    for step in one.rule.target.steps:
        found = spot.parts.get(step.name, {}).get(Instance(step.number))
        if found is None:
            break
        spot = found
    return spot


def _there(source: SourcePath, found: Type, conditions: Sequence[When], types: Types) -> Type:
    """The type of a source under conditions that ask for what it stands in: that is there, and all it must hold."""
    common = max((_common(source, when.path) for when in conditions), default=0)
    if not common or not found.nullable:
        return found
    above, below = source.steps[:common], source.steps[common:]
    try:
        owner = type_at(replace(source, steps=above), types)
        return type_at(replace(source, steps=below), {source.root: replace(owner, nullable=False)})
    except UnknownPath:  # a name that holds dots was cut
        return found


def _common(one: SourcePath, other: SourcePath) -> int:
    """How many steps two paths share."""
    pairs = zip(one.steps, other.steps, strict=False) if one.root == other.root else ()
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _is_asked(source: SourcePath, conditions: Sequence[When]) -> bool:
    return any(when.path.text == source.text and not when.negated for when in conditions)


def _without_number(path: SourcePath, end: int) -> SourcePath:
    """The beginning of a path, the number of its last name left out."""
    steps = (*path.steps[: end - 1], SourceStep(path.steps[end - 1].name))
    return SourcePath(path.root, steps, ".".join([path.root, *(step.name for step in steps)]))


def _is_single(path: SourcePath, types: Types) -> bool:
    """Whether a path is known to lead to one thing, and not to a list."""
    try:
        found = type_at(path, types)
    except UnknownPath:  # one name of several that are joined with dots
        return False
    return not found.many and (found.kind != "any" or found.whole is not None)


def _is_own(rule: Rule) -> bool:
    """Whether a rule makes places of its own, beside what other rules say of the same path."""
    return rule.each is not None or (rule.type is not None and bool(rule.when))


def _target(above: tuple[Bound, ...]) -> str:
    return "/".join(str(step) for one in above for step in one.rule.target.steps)


def _joined(above: str, path: str) -> str:
    return above if path == "." and above else f"{above}/{path}" if above else path
