"""Phase one of the generated code: read every source, take the steps, escape the text – in the rules' order.

Whether a text fits its type is asked of the whole message, once it is written (`loading.Mapping`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from kiezbruecke.mapping.compile import runtime
from kiezbruecke.mapping.compile.emit import ALWAYS, Code, all_of
from kiezbruecke.mapping.compile.plan import Printed, Uncompilable
from kiezbruecke.mapping.compile.sources import Read, SourceReader
from kiezbruecke.mapping.interpret.interpreter import Lists, translated
from kiezbruecke.mapping.language.definition import CodeUse, Lookup, Rule, StepUse, When
from kiezbruecke.mapping.plan import Bound, Instance
from kiezbruecke.mapping.schema.tree import Leaf
from kiezbruecke.mapping.steps import STEPS
from kiezbruecke.mapping.values import Unusable, is_nothing

# Types whose text needs no escaping, and how it is written; see values.to_text. A UUID, of which a message holds half a
# dozen, is as str() writes it in half the time.
_SAFE: dict[type, str] = {
    UUID: '(pairs := {}.int.to_bytes(16, "big").hex("-", 2))[:4] + pairs[5:29] + pairs[30:34] + pairs[35:]',
    bool: '"1" if {} else "0"',
    int: "str({})",
    Decimal: "money({})",
    datetime: "moment({})",
    date: "{}.isoformat()",
}
# Types whose texts mean something else in a message than alone, or whose parts do: asked one by one.
_ASKED = frozenset({"QName", "NOTATION", "list", "union"})
_ESCAPED = {False: "&<>\r", True: '&<>"\r\n\t'}


class ValueWriter:
    """Writes the lines that make texts of sources; places learn where their texts stand."""

    def __init__(self, code: Code, lists: Lists, *, traced: bool) -> None:
        self.code = code
        self.traced = traced
        self._lists = lists
        self._sources = SourceReader(code)
        self._guards: list[str] = []

    def roots(self, names: tuple[str, ...]) -> None:
        """The roots as variables, each of the type that the straight way knows."""
        self._sources.roots(names)

    @contextmanager
    def member(self, rule: Rule) -> Iterator[None]:
        """A loop over the members of `each`; inside, the rule's name stands for one of them."""
        guards = self._guards
        with self._sources.member(rule):
            self._guards = []
            yield
        self._guards = guards

    @contextmanager
    def guard(self, conditions: Sequence[When]) -> Iterator[str]:
        """The lines below stand under the conditions; gives all that hold there as an expression."""
        if not conditions:
            yield all_of(self._guards)
            return
        holds = self.case(conditions)
        self._guards.append(holds)
        with self.code.block(f"if {holds}:"):
            yield all_of(self._guards)
        self._guards.pop()

    def case(self, conditions: Sequence[When]) -> str:
        """A variable that says whether all conditions hold."""
        holds = self.code.variable("if_")
        self.code.line(f"{holds} = {all_of([self._sources.condition(when) for when in conditions])}")
        return holds

    def fill(self, one: Bound, place: Printed) -> None:
        """The lines for a rule with an origin of its own."""
        rule = one.rule
        guarded = all_of(self._guards)
        place.opened_by.append(guarded)
        if rule.source is None:
            self._constant(rule, place, guarded)
        elif rule.code:
            self._code(one, rule.code, place)
        else:
            self._text(one, place)

    def _constant(self, rule: Rule, place: Printed, guarded: str) -> None:
        text = rule.code.value if rule.code else rule.const
        if text is None or is_nothing(text):
            if rule.required:
                raise Uncompilable("a constant without a text")
            return
        parts = self._code_parts(rule.code, place, text) if rule.code else {".": text}
        for name, part in parts.items():
            self._fix(place if name == "." else place.open(name, Instance()), part, guarded)
        if guarded != ALWAYS or rule.when:
            place.alive_by += [guarded] if rule.when else []
            place.standing_by.append(guarded)
        else:
            place.standing_by.append(ALWAYS)

    def _fix(self, place: Printed, text: str, guarded: str) -> None:
        leaf = self._leaf(place)
        try:
            runtime.judged(text, leaf)
        except Unusable:
            raise Uncompilable(f"a constant does not fit '{place.path}'") from None
        if place.node.fixed not in (None, text):
            raise Uncompilable(f"a constant contradicts '{place.path}'")
        escaped = _escape(place)(text)
        place.standing_by.append(guarded)
        if guarded == ALWAYS and not place.has_value:
            place.constant = escaped
        else:
            variable = self.code.variable("text")
            self.code.line(f"{variable} = {escaped!r}")
            self._settle(place, variable)

    def _code_parts(self, use: CodeUse, place: Printed, code: str) -> dict[str, str]:
        """What one code writes: see the interpreter's `_put_code`."""
        codes = self._lists.codes[use.list]
        try:
            code = codes.check(code)
        except Unusable:
            raise Uncompilable("a code that its list does not have") from None
        parts = {"code": code, "@listURI": codes.uri, "@listVersionID": codes.version}
        if codes.write_names:
            parts["name"] = codes.codes[code]
        own = {} if "code" in place.node.children else {".": parts.pop("code")}
        return own | {name: text for name, text in parts.items() if text and name in place.node.children}

    def _code(self, one: Bound, use: CodeUse, place: Printed) -> None:
        """A code that the source gives: what each code of the list writes is known beforehand."""
        codes = self._lists.codes[use.list]
        known = {code: self._code_parts(use, place, code) for code in codes.codes}
        names = sorted({name for parts in known.values() for name in parts})
        value = self._value(one, stripped=True)
        row = self.code.variable("row")
        written = {
            code: tuple(self._written(place, name, parts.get(name)) for name in names) for code, parts in known.items()
        }
        self.code.line(f"{row} = None if {value} is None else {self.code.bind('codes', written)}.get({value})")
        self.code.line(f"if {row} is None and {value} is not None: decline()")
        for position, name in enumerate(names):
            part = place if name == "." else place.open(name, Instance())
            variable = self.code.variable("text")
            self.code.line(f"{variable} = None if {row} is None else {row}[{position}]")
            part.standing_by.append(f"{variable} is not None")
            self._settle(part, variable)
        place.standing_by.append(f"{row} is not None")
        place.alive_by.append(f"{row} is not None")

    def _written(self, place: Printed, name: str, text: str | None) -> str | None:
        part = place if name == "." else place.open(name, Instance())
        try:
            return None if text is None else _escape(part)(runtime.judged(text, self._leaf(part)))
        except Unusable:
            raise Uncompilable(f"a code does not fit '{part.path}'") from None

    def _text(self, one: Bound, place: Printed) -> None:
        rule, leaf = one.rule, self._leaf(place)
        if _may_be_many(one, place):
            self._texts(one, place, leaf)
            return
        value = self._value(one)
        text = value if self._written_as(value, place) == value else self.code.variable("text")
        if self.code.is_sure(value):
            self._check(value, text, place)
            self.code.surely(text)
        elif text != value or place.node.fixed is not None:
            self.code.declare(text)
            with self.code.block(f"if {value} is not None:"):
                self._check(value, text, place)
        stands = all_of(self._guards) if self.code.is_sure(text) else f"{text} is not None"
        place.alive_by.append(stands if rule.default is None else f"{value}_ is not None")
        place.standing_by.append(stands)
        self._settle(place, text)

    def _check(self, value: str, text: str, place: Printed) -> None:
        """The text as it stands in the document."""
        if text != value:
            self.code.line(f"{text} = {self._written_as(value, place)}")
        if place.node.fixed is not None:
            self.code.line(f"if {value} != {place.node.fixed!r}: decline()")

    def _texts(self, one: Bound, place: Printed, leaf: Leaf) -> None:
        """Several values for a place that repeats: a list of texts."""
        rule, value = one.rule, self._raw(one)
        texts = self.code.variable("texts")
        self.code.line(f"{texts} = {self.code.named(runtime.some_texts)}({value})")
        if rule.required or rule.default is not None or place.has_value:
            raise Uncompilable(f"several values for '{place.path}' under conditions")
        if self.traced:
            self.code.line(f"trace += [({one.number}, one) for one in {texts}]")
        escape, asked = self.code.named(_escape(place)), self._asked("one", leaf)
        self.code.line(f"{texts} = [{escape}({asked}) for one in {texts}]")
        place.members, place.text = texts, texts
        place.alive_by.append(texts)
        place.standing_by.append(texts)

    def _written_as(self, value: str, place: Printed) -> str:
        """The expression of the text as it stands in the document, escaped where it is not plain."""
        asked = self._asked(value, self._leaf(place))
        if value in self._safe:
            return asked
        escape = f"{self.code.named(_escape(place))}({asked})"
        if asked != value:
            return escape
        signs = (f"{sign!r} not in {value}" for sign in _ESCAPED[_is_attribute(place)])
        plain = " and ".join([f"{value}.isascii()", *signs])
        return f"{value} if {plain} else {escape}"

    def _asked(self, value: str, leaf: Leaf) -> str:
        """The text, asked of its type where the whole message could say something else than the type alone."""
        if leaf.builtin not in _ASKED:
            return value
        return f"{self.code.named(runtime.judged)}({value}, {self.code.bind('leaf', leaf)})"

    def _value(self, one: Bound, *, stripped: bool = False) -> str:
        """Lines that leave the rule's value as a text, or nothing, in a variable; its name.

        Where the plan says that there always is one, its lack is not straight: the interpreter decides.
        """
        rule = one.rule
        assert rule.source is not None
        start = self._sources.expression(rule.source, one.arrives)
        value = self.code.variable("value")
        if start.kind is None and not rule.steps and not rule.codelist:
            self.code.line(f"{value} = {start.expression}")
            self._any_text(value)
        else:
            kind = self._stepped(value, start, rule.steps)
            if rule.lookup:
                kind = self._translated(value, rule.lookup, kind)
            self._as_text(value, kind)
        if rule.default is not None:
            found = f"{value}_"
            self.code.declare(found)
            self.code.line(f"{found} = {value}")
            self.code.line(f"if {value} is None: {value} = {rule.default!r}")
            self._safe.pop(value, None)  # a default is any text
            self.code.surely(value)
        elif one.presence == "always":
            self.code.require(value)
            self.code.surely(value)
        if stripped:
            self.code.line(f"if {value} is not None: {value} = {value}.strip()")
        self._trace(one.number, value)
        return value

    def _raw(self, one: Bound) -> str:
        """Lines that leave the rule's value as it is, perhaps a list."""
        rule = one.rule
        assert rule.source is not None
        value = self.code.variable("value")
        self._stepped(value, self._sources.expression(rule.source, one.arrives), rule.steps)
        if rule.lookup:
            translate = self.code.named(translated)
            listed = self.code.bind("list", self._lists.translations[rule.lookup])
            self.code.line(f"if {value} is not None: {value} = {translate}({listed}, {value})")
        return value

    def _stepped(self, value: str, start: Read, steps: tuple[StepUse, ...]) -> type | None:
        """The value after its steps, nothing as None; what is known of its type."""
        kind = start.kind
        self.code.line(f"{value} = {start.expression}")
        self._nothing(value, kind, optional=start.optional)
        for use in steps:
            kind = self._step(value, kind, use)
        return kind

    def _nothing(self, value: str, kind: type | None, *, optional: bool) -> None:
        """Blank texts are nothing. A value of another type than its model says is left to the interpreter."""
        if kind is None:
            self.code.line(f"{value} = {self.code.named(runtime.some)}({value})")
            return
        known = self.code.named(kind)
        unless = f" and {value} is not None" if optional else ""
        self.code.line(f"if type({value}) is not {known}{unless}: decline()")
        if kind is str:
            self.code.blank(value)
        elif not optional:
            self.code.surely(value)

    def _step(self, value: str, kind: type | None, use: StepUse) -> type | None:
        step = STEPS[use.name]
        argument = step.argument(use.argument) if step.argument and use.argument is not None else None
        inline = _INLINE.get(use.name) if kind is str else None
        if inline:
            with self.code.block(f"if {value} is not None:"):
                for line in inline(value, argument, self.code.named(step.function)):
                    self.code.line(line)
            return str
        call = f"{self.code.named(step.function)}({value}{'' if argument is None else f', {argument!r}'})"
        some = self.code.named(runtime.some)
        guard = "" if step.reads_nothing or self.code.is_sure(value) else f"if {value} is not None: "
        self.code.unsure(value)
        self.code.line(f"{guard}{value} = {some}({call})")
        return None

    def _translated(self, value: str, lookup: Lookup, kind: type | None) -> type | None:
        listed = self._lists.translations[lookup]
        if kind is not str:
            translate, bound = self.code.named(translated), self.code.bind("list", listed)
            self.code.line(
                f"if {value} is not None: {value} = {self.code.named(runtime.some)}({translate}({bound}, {value}))"
            )
            return None
        entries = self.code.bind("entries", dict(listed.entries))
        slow = f"{self.code.bind('list', listed)}.translate({value})"
        with self.code.block(f"if {value} is not None:"):
            self.code.line(f"{value} = {entries}.get({value}) or {slow}")
            self.code.blank(value)
        return str

    def _as_text(self, value: str, kind: type | None) -> None:
        if kind is not None and kind in _SAFE:
            write = _SAFE[kind].format(value)
            unless = "" if self.code.is_sure(value) else f"if {value} is not None: "
            self.code.line(f"{unless}{value} = {write}")
            self._safe[value] = kind
        elif kind is not str:
            self._any_text(value)

    def _any_text(self, value: str) -> None:
        """A value of any type: texts straight, others by the interpreter's own hand."""
        with self.code.block(f"if type({value}) is str:"):
            self.code.blank(value)
        self.code.line(f"else: {value} = {self.code.named(runtime.some_text)}({value})")

    def _leaf(self, place: Printed) -> Leaf:
        if place.node.leaf is None:
            raise Uncompilable(f"'{place.path}' takes no value")
        return place.node.leaf

    def _settle(self, place: Printed, variable: str) -> None:
        """The place's text is in this variable; where it had one before, two values are too many."""
        if place.constant is not None or place.members:
            raise Uncompilable(f"several rules for '{place.path}'")
        if place.text:
            self.code.line(f"if {variable} is not None:")
            self.code.line(f"    if {place.text} is not None: decline()")
            self.code.line(f"    {place.text} = {variable}")
        else:
            place.text = variable

    def _trace(self, number: int, value: str) -> None:
        """What was read is remembered with its rule; constants need no remembering."""
        if self.traced:
            unless = "" if self.code.is_sure(value) else f"if {value} is not None: "
            self.code.line(f"{unless}trace.append(({number}, {value}))")

    @property
    def _safe(self) -> dict[str, type]:
        return self.code.kinds


def _inline_collapse(value: str, _: object, __: str) -> list[str]:
    return [f'{value} = " ".join({value}.split())']


def _inline_trim(value: str, _: object, __: str) -> list[str]:
    return [f"{value} = {value}.strip()"]


def _inline_clip(value: str, length: object, clip: str) -> list[str]:
    return [
        f"if len({value}) > {length}: {value} = {clip}({value}, {length})",
        f"if not {value} or {value}.isspace(): {value} = None",
    ]


def _inline_prefix(value: str, start: object, _: str) -> list[str]:
    return [f"{value} = {start!r} + {value}"]


def _inline_suffix(value: str, end: object, _: str) -> list[str]:
    return [f"{value} = {value} + {end!r}"]


_INLINE = {
    "collapse_space": _inline_collapse,
    "trim": _inline_trim,
    "clip": _inline_clip,
    "prefix": _inline_prefix,
    "suffix": _inline_suffix,
}


def _may_be_many(one: Bound, place: Printed) -> bool:
    """Whether the place repeats, and nobody says that the rule gives it one value: what holds more declines then."""
    last = STEPS[one.rule.steps[-1].name].gives if one.rule.steps else None
    if last is not None:
        return place.node.repeats and last in ("list", "any")
    return place.node.repeats and (one.arrives is None or one.arrives.many or one.arrives.kind == "any")


def _is_attribute(place: Printed) -> bool:
    return place.node.name.startswith("@")


def _escape(place: Printed) -> Any:
    return runtime.attribute_value if _is_attribute(place) else runtime.text_content
