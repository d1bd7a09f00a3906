"""Applies rules to what a mapping is given, and makes a draft of the target. The oracle of a later compiler."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kiezbruecke.mapping.codelists.reading import CodeList, Translation
from kiezbruecke.mapping.interpret.draft import NodeDraft, Unwritable
from kiezbruecke.mapping.interpret.sources import ReadFrom, Scope, read, read_members
from kiezbruecke.mapping.language.definition import CodeUse, Lookup, Rule, StepUse, When
from kiezbruecke.mapping.language.paths import SourcePath, TargetPath
from kiezbruecke.mapping.plan import Bound, Instance, Plan
from kiezbruecke.mapping.steps import STEPS
from kiezbruecke.mapping.values import Unusable, is_nothing, same
from kiezbruecke.mapping.wording import Instead, Why


@dataclass(frozen=True)
class Lists:
    """The code lists that a mapping names."""

    translations: Mapping[Lookup, Translation] = field(default_factory=dict)
    codes: Mapping[str, CodeList] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Value:
    """What a rule found. `live` is False for constants and defaults."""

    content: Any
    live: bool


NOTHING = Value(None, live=False)


Refuse = Callable[[NodeDraft, Unwritable], None]


def _raise(_: NodeDraft, error: Unwritable) -> None:
    raise error


def make_draft(plan: Plan, lists: Lists, scope: Scope, refuse: Refuse = _raise) -> NodeDraft:
    """Apply all rules; `refuse` is told where one cannot use its value, and raises unless it is a preview."""
    draft = NodeDraft(plan.root.node)
    _Interpreter(lists, refuse).apply_all(plan.top, draft, scope)
    return draft


def holds(when: When, scope: Scope) -> bool:
    """Whether a condition is met. Raises Unusable where a value cannot be compared."""
    value = read(when.path, scope)
    found = any(same(value, text, folded=when.fold) for text in when.texts) if when.texts else not is_nothing(value)
    return found != when.negated


class _Interpreter:
    def __init__(self, lists: Lists, refuse: Refuse) -> None:
        self._lists = lists
        self._refuse = refuse

    def apply_all(self, rules: Iterable[Bound], draft: NodeDraft, scope: Scope) -> None:
        for one in rules:
            self._apply(one, draft, scope)

    def _apply(self, one: Bound, draft: NodeDraft, scope: Scope) -> None:
        rule, spoken = one.rule, 0
        for instance, inner in _scopes(one, scope):
            if self._holds(one, draft, inner):
                if rule.ends:
                    deep = Unusable(Why.TOO_DEEP(), Instead.LEVELS(rule.ends))
                    self._refuse_at(one, draft, _origin(rule.each, scope), deep)
                    return
                place = _open(draft, rule.target, instance)
                if rule.type is not None:
                    self._choose_type(one, rule.type, place)
                self._fill(one, place, inner)
                spoken += 1
        if spoken < rule.at_least:
            few = Unusable(Why.TOO_FEW(), Instead.AT_LEAST(rule.at_least))
            self._refuse_at(one, draft, _origin(rule.each, scope), few)

    def _holds(self, one: Bound, draft: NodeDraft, scope: Scope) -> bool:
        """Whether the rule speaks; a value that has no text equals nothing and is no answer either."""
        for when in one.rule.when:
            try:
                if not holds(when, scope):
                    return False
            except Unusable as unusable:
                self._refuse_at(one, draft, _origin(when.path, scope), unusable)
                return False
        return True

    def _refuse_at(self, one: Bound, draft: NodeDraft, origin: ReadFrom | None, unusable: Unusable) -> None:
        """Refuse what a rule asks or counts before it has a place of its own."""
        self._refuse(draft, draft.unspoken(draft.node, str(one.rule.target)).unwritable(one, origin, unusable))

    def _choose_type(self, one: Bound, name: str, place: NodeDraft) -> None:
        """The place takes a derived type; what was said of it before stays."""
        if place.node.xsi_type is None and (typed := place.node.typed(name)) is not None:
            place.node = typed
        elif place.node.xsi_type is None or place.node.xsi_type[1] != name.rpartition(":")[2]:
            problem = Unusable(Why.TWO_TYPES(), Instead.EXCLUSIVE())
            self._refuse(place, place.unwritable(one, None, problem))

    def _fill(self, one: Bound, place: NodeDraft, scope: Scope) -> None:
        rule = one.rule
        if rule.rules:
            place.opened = place.opened or bool(rule.when)
            if rule.one_of and not any(self._holds(case, place, scope) for case in one.rules):
                cases = "; ".join(" and ".join(map(str, case.rule.asked)) or "otherwise" for case in one.rules)
                self._refuse(place, place.unwritable(one, None, Unusable(Why.NO_CASE(), Instead.ONE_CASE(cases))))
            self.apply_all(one.rules, place, scope)
            if rule.nil and not place.alive():
                place.by, place.nil, place.standing = place.by or one, True, True
            return
        origin = _origin(rule.source, scope)
        try:
            self._put(one, place, self._value(rule, scope))
        except Unusable as unusable:
            place.by = place.by or one
            if origin and isinstance(unusable, _OneOf):
                origin = replace(origin, count=unusable.count, number=unusable.number)
            self._refuse(place, place.unwritable(one, origin, unusable))
        if place.by is one:
            place.origin = origin

    def _value(self, rule: Rule, scope: Scope) -> Value:
        if rule.source is None:
            constant = rule.code.value if rule.code else rule.const
            return Value(constant, live=bool(rule.when))
        content = read(rule.source, scope)
        for use in rule.steps:
            content = apply_step(use, content)
        if rule.lookup and not is_nothing(content):
            content = translated(self._lists.translations[rule.lookup], content)
        if not is_nothing(content):
            return Value(content, live=True)
        return NOTHING if rule.default is None else Value(rule.default, live=False)

    def _put(self, one: Bound, place: NodeDraft, value: Value) -> None:
        rule = one.rule
        if is_nothing(value.content):
            if rule.required:
                raise Unusable(Why.REQUIRED(), Instead.VALUE())
            place.by = place.by or one
            place.nil, place.standing = place.nil or rule.nil, place.standing or rule.nil
            return
        if place.standing:
            raise Unusable(Why.TWO_RULES(), Instead.EXCLUSIVE())
        place.by = one
        if rule.code:
            self._put_code(rule.code, place, value)
        elif isinstance(value.content, list | tuple) and place.node.repeats:
            place.value, place.live = value.content, True
        else:
            place.value = value.content
        place.live, place.standing = place.live or value.live, True

    def _put_code(self, use: CodeUse, place: NodeDraft, value: Value) -> None:
        """One rule fills code, name, @listURI and @listVersionID, as far as the target has them."""
        codes = self._lists.codes[use.list]
        code = codes.check(value.content)
        parts = {"code": code, "@listURI": codes.uri, "@listVersionID": codes.version}
        if codes.write_names:
            parts["name"] = codes.codes[code]
        if "code" not in place.node.children:
            place.value = parts.pop("code")
        for name, text in parts.items():
            if text and name in place.node.children:
                part = place.open(name, Instance())
                part.value, part.standing, part.by = text, True, place.by


class _OneOf(Unusable):
    """One of several values cannot be used."""

    def __init__(self, why: Unusable, number: int, count: int) -> None:
        super().__init__(why.problem, why.expected)
        self.number, self.count = number, count


def apply_step(use: StepUse, value: Any) -> Any:
    """One step on one value; raises Unusable."""
    step = STEPS[use.name]
    return step.apply(value, step.argument(use.argument) if step.argument and use.argument is not None else None)


def _origin(path: SourcePath | None, scope: Scope) -> ReadFrom | None:
    return ReadFrom(path, scope.get(path.root)) if path else None


def translated(translation: Translation, content: Any) -> Any:
    """With partners from a list; raises Unusable, of several values with the number of the one that has none."""
    if not isinstance(content, list | tuple):
        return translation.translate(content)
    found: list[Any] = []
    for number, part in enumerate(content, 1):
        try:
            found.append(translation.translate(part))
        except Unusable as unusable:
            raise _OneOf(unusable, number, len(content)) from None
    return found


def _scopes(one: Bound, scope: Scope) -> Iterator[tuple[Instance, Scope]]:
    """What the rule sees: once, or once per member of its `each`."""
    rule = one.rule
    number = rule.target.steps[-1].number if rule.target.steps else 1
    if rule.each is None or rule.name is None:
        yield Instance(number), scope
        return
    for member in read_members(rule.each, scope):
        yield Instance(number, one.number, member.index), {**scope, rule.name: member}


def _open(draft: NodeDraft, target: TargetPath, instance: Instance) -> NodeDraft:
    if not target.steps:
        return draft
    for step in target.steps[:-1]:
        draft = draft.open(step.name, Instance(step.number))
    return draft.open(target.steps[-1].name, instance)
