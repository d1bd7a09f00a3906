"""Reading in the generated code: expressions for source paths, and what is known of the values that they give."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from kiezbruecke.mapping.compile import runtime
from kiezbruecke.mapping.compile.emit import Code, any_of
from kiezbruecke.mapping.interpret.sources import Member, read, read_members
from kiezbruecke.mapping.language.definition import Rule, When
from kiezbruecke.mapping.language.paths import INDEX, SourcePath
from kiezbruecke.mapping.schema.models import OPEN, ModelFields, Type, root_model, root_types
from kiezbruecke.mapping.values import is_nothing, same


@dataclass(frozen=True)
class Local:
    """A name of the mapping that the code holds in a variable: a root, or the member of an `each`.

    A record's fields stand in a variable of their own: its own way to them takes three times as long.
    """

    variable: str
    type: Type = OPEN
    fields: str = ""
    index: str = ""  # of a member: the variable that counts


@dataclass(frozen=True)
class Read:
    """An expression and what is known about its value: its very type, or None where anything may come."""

    expression: str
    kind: type | None = None
    optional: bool = True


@dataclass(frozen=True)
class _Way:
    """The expression along a path, the type at its end, and whether nothing on the way can be missing."""

    expression: str
    type: Type
    sure: bool

    @property
    def is_records(self) -> bool:
        """Whether it leads to a list of our own records."""
        return self.type.many and self.type.model is not None


class SourceReader:
    """Writes the lines that read sources; knows what stands in which variable."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self._locals: dict[str, Local] = {}
        self._extra: list[str] = []  # entries of the scope that only members have

    def roots(self, names: tuple[str, ...]) -> None:
        """The roots as variables; our own records are of the very type that the straight way knows."""
        types = root_types(names)
        for name in names:
            variable = self.code.new("root")
            self.code.line(f"{variable} = scope.get({name!r})")
            self._locals[name] = self._record(variable, types[name]) if root_model(name) else Local(variable)

    @contextmanager
    def member(self, rule: Rule) -> Iterator[None]:
        """A loop over the members of `each`; inside, the rule's name stands for one of them."""
        assert rule.each is not None
        assert rule.name is not None
        variable, index = self.code.new("member"), self.code.new("index")
        way = self._way(rule.each)
        if way is None:
            head = f"for {variable} in {self.code.named(read_members)}({self._path(rule.each)}, {self._scope()}):"
            entry = variable
        else:
            found = self._found(rule.each, way, runtime.read_values)
            listed = f"{found} or ()" if way.is_records else f"{self.code.named(runtime.some_members)}({found})"
            head = f"for {index}, {variable} in enumerate({listed}, 1):"
            entry = f"{self.code.named(Member)}({variable}, {index})"
        outer = self._locals
        with self.code.loop(head):
            self._extra.append(f"{rule.name!r}: {entry}")
            self._locals = {**outer, rule.name: self._member(variable, index, way)}
            yield
            self._extra.pop()
        self._locals = outer

    def condition(self, when: When) -> str:
        """Whether a condition holds, as an expression."""
        found = self.expression(when.path)
        if not when.texts:
            return f"{'' if when.negated else 'not '}{self.code.named(is_nothing)}({found.expression})"
        if found.kind is bool and not found.optional:
            self.code.line(f"if type({found.expression}) is not {self.code.named(bool)}: decline()")
            equal = [f"{found.expression} is {text.lower() in ('1', 'true')}" for text in when.texts if _is_truth(text)]
        else:
            fold = ", folded=True" if when.fold else ""
            equal = [f"{self.code.named(same)}({found.expression}, {text!r}{fold})" for text in when.texts]
        asked = any_of(equal)
        return f"not ({asked})" if when.negated else asked

    def expression(self, path: SourcePath, arrives: Type | None = None) -> Read:
        """The expression for a path: fields of records, keys of plain objects, or the interpreter's reader.

        `arrives` is what the plan knows of the value under the conditions that it is read under.
        """
        local, way = self._locals.get(path.root), self._way(path)
        if local is not None and local.index and path.steps == INDEX and way is None:
            return Read(local.index, int, optional=False)
        if way is None:
            return Read(f"{self.code.named(read)}({self._path(path)}, {self._scope()})")
        kind = None if way.type.many else way.type.python
        if kind is not None and arrives is not None and not arrives.nullable:
            return Read(way.expression, kind, optional=False)
        return Read(self._found(path, way, read), kind, optional=way.type.nullable or not way.sure)

    def _way(self, path: SourcePath) -> _Way | None:
        """The straight way along a path: fields of records as their types know them, keys of anything else.

        None where a number, a list or the count of a member makes it another matter.
        """
        local = self._locals.get(path.root)
        if local is None or not path.steps:
            return None
        expression, found, sure = local.fields or local.variable, local.type, True
        for step in path.steps:
            sure = sure and found.model is not None and not found.nullable
            if step.number is not None or found.many or (found.model is None and step.name == "index"):
                return None
            below = OPEN if found.model is None else ModelFields(found.model).field(step.name)
            if below is None:
                return None
            is_key = found.model is None or expression == local.fields
            expression += f"[{step.name!r}]" if is_key else f".{step.name}"
            found = below
        return _Way(expression, found, sure)

    def _found(self, path: SourcePath, way: _Way, reader: Callable[..., object]) -> str:
        """Where something on the way may be missing: lines that leave what is found in a variable; its name."""
        if way.sure:
            return way.expression
        value, variable = self.code.variable("found"), self._locals[path.root].variable
        slow = f"{self.code.named(reader)}({self._path(path)}, {self._scope()})"
        if self._locals[path.root].fields:
            slow = f"None if {variable} is None else {slow}"
        else:
            names = tuple(step.name for step in path.steps)
            slow = f"{self.code.named(runtime.dig)}({variable}, {names!r}) if type({variable}) is dict else {slow}"
        self.code.line(f"try: {value} = {way.expression}")
        self.code.line(f"except (AttributeError, KeyError, TypeError): {value} = {slow}")
        return value

    def _member(self, variable: str, index: str, way: _Way | None) -> Local:
        if way is None:
            self.code.line(f"{variable}_ = {variable}.value")
            return Local(f"{variable}_")
        return replace(self._record(variable, way.type.member), index=index) if way.is_records else Local(variable)

    def _record(self, variable: str, found: Type) -> Local:
        """One of our own records, of the very type that the straight way knows."""
        known = self.code.bind("model", found.model)
        may, none = (
            (f" and {variable} is not None", f"None if {variable} is None else ") if found.nullable else ("", "")
        )
        self.code.line(f"if type({variable}) is not {known}{may}: decline()")
        fields = self.code.new("fields")
        self.code.line(f"{fields} = {none}{variable}.__dict__")
        return Local(variable, found, fields)

    def _scope(self) -> str:
        return f"{{**scope, {', '.join(self._extra)}}}" if self._extra else "scope"

    def _path(self, path: SourcePath) -> str:
        return self.code.bind("path", path)


def _is_truth(text: str) -> bool:
    return text.lower() in {"0", "1", "false", "true"}
