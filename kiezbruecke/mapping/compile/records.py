"""Makes the compiled form of a mapping to a record: straight Python that reads objects or XML and fills the model.

    {target: title, from: item.name}  ──▶  found4 = item.get('name') … fields['title'] = found4 … validate(fields)

It prints what the plan says: every path is read once, then the rules speak in their order; those of an `each` once for
every member. What is no key of an object or an element is read by the interpreter's own reader. It does what the
interpreter does with a draft (`interpret/interpreter.py`, `interpret/record.py`) and declines wherever it does not know
a record to be fine: then the interpreter decides, and words the refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from types import GenericAlias
from typing import Any

from lxml import etree
from pydantic import BaseModel, ValidationError

from kiezbruecke.mapping.compile.emit import Code, all_of, any_of
from kiezbruecke.mapping.compile.making import Kept, defined
from kiezbruecke.mapping.compile.plan import KNOWN, Uncompilable, refuse_unknown
from kiezbruecke.mapping.compile.runtime import Declined, decline, some
from kiezbruecke.mapping.compile.taking import BOUND, bare, maker, taking
from kiezbruecke.mapping.interpret.interpreter import Lists
from kiezbruecke.mapping.interpret.sources import Member, Scope, read, read_members, xml_fields
from kiezbruecke.mapping.language.definition import Definition, StepUse, When
from kiezbruecke.mapping.language.paths import SourcePath
from kiezbruecke.mapping.language.walking import paths_in
from kiezbruecke.mapping.plan import Bound, Plan, Spot
from kiezbruecke.mapping.schema.models import field_type
from kiezbruecke.mapping.schema.targets import TargetSchema
from kiezbruecke.mapping.steps import STEPS
from kiezbruecke.mapping.values import Unusable, is_nothing, same
from kiezbruecke.records import Record

# What odd values make of straight code: the interpreter decides then.
_NOT_STRAIGHT = (Declined, Unusable, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True)
class CompiledRecord:
    """Generated code. Raises Declined where it does not know a record to be fine."""

    source: str
    function: Callable[[Scope], Record] = field(repr=False)

    def read(self, scope: Scope) -> Record:
        """The record of what the roots hold."""
        try:
            return self.function(scope)
        except _NOT_STRAIGHT:
            raise Declined from None


_kept = Kept(CompiledRecord("", lambda _: decline()))


def compile_record(definition: Definition, plan: Plan, target: TargetSchema, lists: Lists) -> CompiledRecord:
    """The compiled form; raises Uncompilable where only the interpreter knows a way. Same files, same source."""
    if target.model is None:
        raise Uncompilable("only records are read")
    code = Code()
    _Printer(code, lists).print(plan, target.model)
    source = code.source("def read(scope):")
    return CompiledRecord(source, defined(source, {**code.bound, **_ALWAYS_BOUND}, definition.name, "read"))


def straight_record(
    definition: Definition, plan: Plan, target: TargetSchema, lists: Lists, digest: str
) -> CompiledRecord:
    """The compiled form, kept by the digest of all that decides it; one that declines where there is none."""
    return _kept.form(definition, digest, partial(compile_record, definition, plan, target, lists))


def fields_of(root: Any) -> dict[str, Any]:
    """The fields of a root that is an object, an element or one of our models; declines at anything else."""
    if type(root) is dict:
        return root
    if isinstance(root, BaseModel):
        return root.__dict__
    if etree.iselement(root):
        return xml_fields(root)
    if root is None:
        return {}
    if isinstance(root, Member):
        return fields_of(root.value)
    raise Declined


_SOMETHING = frozenset({bool, int, float, Decimal, type(None)})  # nothing of these is to be looked at
_SINGLE = frozenset({"boolean", "date", "decimal", "integer", "moment"})  # what these steps give is no text, no list
_ALWAYS_BOUND: dict[str, Any] = {
    "decline": decline, "fields_of": fields_of, "is_nothing": is_nothing, "read_members": read_members, "same": same,
    "some": some, "something": _SOMETHING, **BOUND,
}  # fmt: skip


class _Printer:
    """Writes the lines that read every path, those of the rules in their order, then those that make the record."""

    def __init__(self, code: Code, lists: Lists) -> None:
        self._code = code
        self._lists = lists
        self._scope = "scope"
        self._all: tuple[Bound, ...] = ()
        self._roots: dict[str, str] = {}
        self._found: dict[SourcePath, str] = {}  # the variable of what stands at a path; None where that is nothing
        self._fields: dict[Spot, str] = {}  # of the record, and of every record in it
        self._models: dict[Spot, type[BaseModel]] = {}
        self._alive: dict[Spot, str] = {}  # of those that hold constants: whether anything in it was read
        self._listed: dict[Spot, str] = {}  # of the records of an `each`: where they are gathered

    def print(self, plan: Plan, model: type[Record]) -> None:
        self._all = plan.rules
        refuse_unknown(plan.rules, KNOWN)
        for one in plan.rules:
            self._read_all(path for path in _paths(one) if path.root not in one.members)
        self._open(plan.root, model)
        self._rules(plan.top)
        for spot in reversed(self._fields):
            self._close(spot)
        self._code.line(f"return {self._made(plan.root)}")

    def _read_all(self, paths: Iterable[SourcePath]) -> None:
        for path in paths:
            if path not in self._found:
                self._read(path)

    def _read(self, path: SourcePath) -> None:
        """A path below objects is tried as it is; where that fails, a name may hold points, or an object is none."""
        names, value = [step.name for step in path.steps], self._code.new("found")
        slow = f"{value} = {self._code.named(read)}({self._code.bind('path', path)}, {self._scope})"
        if not names or names == ["index"] or any(step.number is not None for step in path.steps):
            self._code.line(slow)
        elif len(names) == 1:
            self._code.line(f"{value} = {self._root(path.root)}.get({names[0]!r})")
        else:
            self._code.line(f"try: {value} = {self._root(path.root)}{''.join(f'[{name!r}]' for name in names)}")
            self._code.line(f"except (KeyError, TypeError): {slow}")
        self._code.line(f"if {value}.__class__ is str:")
        self._code.line(f"    if not {value} or {value}.isspace(): {value} = None")
        self._code.line(f"elif {value}.__class__ not in something and is_nothing({value}): {value} = None")
        self._found[path] = value

    def _root(self, name: str) -> str:
        if name not in self._roots:
            self._roots[name] = self._code.new("root")
            self._code.line(f"{self._roots[name]} = fields_of({self._scope}.get({name!r}))")
        return self._roots[name]

    def _open(self, spot: Spot, model: type[BaseModel] | None) -> None:
        """The fields of a record, and of those in it."""
        if model is None or spot.filled or (spot.above and spot.node.repeats and spot not in self._listed):
            raise Uncompilable("whole objects and single records of a list are read by the interpreter")
        self._fields[spot], self._models[spot] = self._code.new("fields"), model
        self._code.line(f"{self._fields[spot]} = {{}}")
        if spot.above and not all(_is_live(one) for one in spot.below()):
            self._alive[spot] = self._code.new("alive")
            self._code.line(f"{self._alive[spot]} = False")
        for places in spot.parts.values():
            if len(places) > 1 or any(instance.number > 1 for instance in places):
                raise Uncompilable("numbered places are read by the interpreter")
            for instance, part in places.items():
                if part.node.leaf is None and not instance.rule:
                    self._open(part, field_type(model.model_fields[part.node.name]).model)

    def _close(self, spot: Spot) -> None:
        """A record that something was read for stands in the one around it."""
        if spot.above is not None:
            held = all_of([self._fields[spot], *self._alive.get(spot, "").split()])
            place = f"{self._fields[spot.above]}[{spot.node.name!r}] = {{}}"
            place = f"{self._listed[spot]}.append({{}})" if spot in self._listed else place
            self._code.line(f"if {held}: {place.format(self._made(spot))}")

    def _made(self, spot: Spot) -> str:
        return f"{self._code.bind('made', maker(self._models[spot]))}({self._fields[spot]})"

    def _rules(self, rules: Iterable[Bound]) -> None:
        for one in rules:
            with self._members(one) if one.rule.each else nullcontext(), self._conditions(one.rule.when):
                self._rule(one)

    @contextmanager
    def _members(self, one: Bound) -> Iterator[None]:
        """A loop over what `each` names; in it, the rule's name stands for a member. Its records are a list."""
        spot, rule, scope, listed = _spot(one), one.rule, self._scope, self._code.new("listed")
        assert spot.above is not None
        field = self._models[spot.above].model_fields[spot.node.name]
        model = field_type(field).model
        if (
            not rule.rules
            or model is None
            or bare(field) != (GenericAlias(tuple, (model, ...)), "")
            or scope != "scope"
        ):
            raise Uncompilable("lists of single values and lists in lists are read by the interpreter")
        self._listed[spot], member = listed, self._code.new("scope")
        outside = self._found, self._roots, self._fields
        self._code.line(f"{listed} = []")
        path = self._code.bind("path", rule.each)
        with self._code.block(f"for member in read_members({path}, {scope}):"):
            self._code.line(f"{member} = {{**{scope}, {rule.name!r}: member}}")
            self._scope, self._fields = member, dict(self._fields)
            self._found = {path: found for path, found in self._found.items() if path.root != rule.name}
            self._roots = {name: root for name, root in self._roots.items() if name != rule.name}
            inside = [below for below in self._all if below is one or one in below.above]
            self._read_all(path for below in inside for path in _paths(below) if path.root == rule.name)
            self._open(spot, model)
            yield
            for part in reversed(self._fields):
                if part not in outside[2]:
                    self._close(part)
        self._scope, (self._found, self._roots, self._fields) = scope, outside
        self._code.line(f"if {listed}: {self._fields[spot.above]}[{spot.node.name!r}] = tuple({listed})")

    def _conditions(self, asked: Iterable[When]) -> AbstractContextManager[None]:
        conditions = [self._condition(when) for when in asked]
        return self._code.block(f"if {all_of(conditions)}:") if conditions else nullcontext()

    def _condition(self, when: When) -> str:
        value = self._found[when.path]
        fold = ", folded=True" if when.fold else ""
        equal = [f"same({value}, {text!r}{fold})" for text in when.texts]
        asked = any_of(equal) if equal else f"{value} is not None"
        return f"not ({asked})" if when.negated else asked

    def _rule(self, one: Bound) -> None:
        spot = _spot(one)
        if one.rule.rules:
            if one.rule.when:
                self._live(spot)
            self._rules(one.rules)
        elif one.rule.source is not None:
            self._value(one, spot, self._found[one.rule.source])
        elif is_nothing(one.rule.const):
            raise Uncompilable("a constant without a text")
        else:
            self._put(one, spot, self._constant(spot, one.rule.const))
            if one.rule.when:
                self._live(spot)

    def _value(self, one: Bound, spot: Spot, value: str) -> None:
        """What the rule reads, behind its steps and its code list; else its default."""
        if one.rule.steps or one.rule.codelist:
            self._code.line(f"value = {value}")
            value = "value"
        for use in one.rule.steps:
            self._step(use)
        if one.rule.lookup:
            translate = self._code.bind("translate", self._lists.translations[one.rule.lookup].translate)
            self._code.line(f"if value is not None: value = some({translate}(value))")
        with self._code.block(f"if {value} is not None:"):
            self._put(one, spot, self._taken(one, spot, value))
            self._live(spot)
        if one.rule.default is not None and not is_nothing(one.rule.default):
            with self._code.block("else:"):
                self._put(one, spot, self._constant(spot, one.rule.default))
        elif one.rule.required:
            self._code.line("else: decline()")

    def _step(self, use: StepUse) -> None:
        step = STEPS[use.name]
        given = step.argument(use.argument) if step.argument and use.argument is not None else None
        if step.choices and given not in step.choices:
            raise Uncompilable(f"'{use.name}' has no such argument")
        argument = "" if step.argument is None else f", {given!r}"
        made = f"{self._code.named(step.function)}(value{argument})"
        unless = "" if step.reads_nothing else "if value is not None: "
        self._code.line(f"{unless}value = {made if step.gives in _SINGLE else f'some({made})'}")

    def _taken(self, one: Bound, spot: Spot, value: str) -> str:
        """The value as its field takes it."""
        assert spot.above is not None
        moments = bool(one.rule.steps) and STEPS[one.rule.steps[-1].name].gives == "moment"
        said, take = taking(self._models[spot.above], spot.node, moments=moments)
        return said.format(value=value, take=self._code.bind(f"take_{spot.node.name}", take))

    def _constant(self, spot: Spot, text: str | None) -> str:
        """A fixed value as its field takes it, once for all records."""
        assert spot.above is not None
        try:
            return self._code.bind("constant", taking(self._models[spot.above], spot.node)[1](text))
        except ValidationError:
            raise Uncompilable("a fixed value that its field does not take") from None

    def _put(self, one: Bound, spot: Spot, value: str) -> None:
        """A value stands at a place; two values of one place are the interpreter's matter."""
        assert spot.above is not None
        fields, name = self._fields[spot.above], spot.node.name
        if spot.filled[0] is not one:
            self._code.line(f"if {name!r} in {fields}: decline()")
        self._code.line(f"{fields}[{name!r}] = {value}")

    def _live(self, spot: Spot | None) -> None:
        """Something was read for this place."""
        while spot is not None:
            if spot in self._alive:
                self._code.line(f"{self._alive[spot]} = True")
            spot = spot.above


def _paths(one: Bound) -> Iterator[SourcePath]:
    """The values that a rule reads itself."""
    return (path for key, path, _ in paths_in(one.rule) if key != "each")


def _spot(one: Bound) -> Spot:
    if one.spot is None:
        raise Uncompilable("a rule that leads nowhere")
    return one.spot


def _is_live(one: Bound) -> bool:
    """Whether all that a rule gives keeps the record alive that it stands in."""
    return bool(one.rule.when) if one.rule.source is None else one.rule.default is None
