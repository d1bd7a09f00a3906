"""Makes the compiled form of a mapping: places, lines, source – and the function that the source defines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from kiezbruecke.mapping.compile import runtime
from kiezbruecke.mapping.compile.elements import ElementWriter
from kiezbruecke.mapping.compile.emit import Code, any_of, text_of
from kiezbruecke.mapping.compile.making import Kept, defined
from kiezbruecke.mapping.compile.plan import KNOWN, Printed, Uncompilable, refuse_unknown
from kiezbruecke.mapping.compile.values import ValueWriter
from kiezbruecke.mapping.interpret.interpreter import Lists
from kiezbruecke.mapping.interpret.sources import Scope
from kiezbruecke.mapping.language.definition import Definition
from kiezbruecke.mapping.plan import Bound, Instance, Plan
from kiezbruecke.mapping.schema.targets import TargetSchema
from kiezbruecke.mapping.values import Unusable, moment_text, money_text

# What generated code may meet in values that its types do not promise: the interpreter decides then.
_NOT_STRAIGHT = (runtime.Declined, Unusable, AttributeError, LookupError, TypeError, ValueError)
_KNOWN = KNOWN | {"code", "at_least", "one_of", "ends", "depth"}
_ALWAYS_BOUND = {"decline": runtime.decline, "money": money_text, "moment": moment_text}


@dataclass(frozen=True)
class Compiled:
    """Generated code. Raises Declined where it does not know a record to be fine."""

    source: str
    function: Callable[[Scope, list[tuple[int, str]]], str] = field(repr=False)

    def write(self, scope: Scope, trace: list[tuple[int, str]] | None = None) -> bytes:
        """The message's bytes; `trace` takes rule numbers and texts where the code was made to give them."""
        try:
            return self.function(scope, [] if trace is None else trace).encode("latin-1")
        except _NOT_STRAIGHT:
            raise runtime.Declined from None


_kept = Kept(Compiled("", lambda _, __: runtime.decline()))


def compile_mapping(
    definition: Definition, plan: Plan, target: TargetSchema, lists: Lists, *, traced: bool = False
) -> Compiled:
    """The compiled form of an XML mapping; raises Uncompilable where only the interpreter knows a way.

    The same mapping, schema and lists give the same source, to the letter.
    """
    if target.kind != "standard":
        raise Uncompilable("only XML is compiled")
    refuse_unknown(plan.rules, _KNOWN)
    code = Code()
    values = ValueWriter(code, lists, traced=traced)
    elements = ElementWriter(code, _by_namespace(target.prefixes))
    root = Printed(target.root)
    values.roots(definition.roots)
    _Printer(values, elements).rules(plan.top, root)
    whole = text_of(elements.document(root, target.prefixes))
    code.line(f"return {whole}")
    source = code.source("def write(scope, trace):")
    return Compiled(source, defined(source, {**code.bound, **_ALWAYS_BOUND}, definition.name, "write"))


def straight(
    definition: Definition, plan: Plan, target: TargetSchema, lists: Lists, digest: str, *, traced: bool = False
) -> Compiled:
    """The compiled form, kept by the digest of all that decides it; one that declines where there is none."""
    make = partial(compile_mapping, definition, plan, target, lists, traced=traced)
    return _kept.form(definition, f"{digest} {traced}", make)


def _by_namespace(prefixes: Mapping[Any, str]) -> dict[str, str]:
    return {namespace: prefix or "" for prefix, namespace in prefixes.items()}


class _Printer:
    """Walks the plan's rules in their order; each leaves its lines and its place."""

    def __init__(self, values: ValueWriter, elements: ElementWriter) -> None:
        self._values = values
        self._elements = elements

    def rules(self, rules: Iterable[Bound], place: Printed) -> None:
        for one in rules:
            if one.rule.ends:
                self._end(one)
            elif one.rule.each is None:
                self._plain(one, place)
            else:
                self._each(one, place)

    def _end(self, one: Bound) -> None:
        """Whoever goes on where a group ends is set aside; the list may stand in a block around the end."""
        around = nullcontext() if one.rule.each is None else self._values.member(one.rule)
        with around, self._values.guard(one.rule.when):
            self._values.code.line("decline()")

    def _plain(self, one: Bound, place: Printed) -> None:
        with self._values.guard(one.rule.when) as holds:
            for step in one.rule.target.steps:
                place = place.open(step.name, Instance(step.number))
            self._inside(one, place, holds)

    def _each(self, one: Bound, place: Printed) -> None:
        """A loop: all rules about a member stand in it, so its element is finished in it."""
        if not one.rule.target.steps:
            raise Uncompilable("'each' about the block itself")
        code = self._values.code
        members = code.variable("members")
        code.line(f"{members} = []")
        for step in one.rule.target.steps[:-1]:
            place = place.open(step.name, Instance(step.number))
        last = one.rule.target.steps[-1]
        found = place.open(last.name, Instance(last.number, index=one.number))  # a place of its own
        found.members, inner = members, Printed(found.node, found.path)
        with self._values.member(one.rule), self._values.guard(one.rule.when) as holds:
            self._inside(one, inner, holds)
            self._elements.member(inner, members)
        if one.rule.at_least:
            code.line(f"if len({members}) < {one.rule.at_least}: decline()")
        found.alive_by.append(members)
        found.standing_by.append(members)
        found.opened_by.append(members)

    def _inside(self, one: Bound, place: Printed, holds: str) -> None:
        if not one.rule.rules:
            self._values.fill(one, place)
            return
        if one.rule.when:
            place.conditions.append(holds)
            place.opened_by.append(holds)
        if one.rule.one_of:
            cases = [self._values.case(each.rule.when) for each in one.rules]
            self._values.code.line(f"if not ({any_of(cases)}): decline()")
        self.rules(one.rules, place)
