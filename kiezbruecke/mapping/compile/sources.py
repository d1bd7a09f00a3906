"""Reading in the generated code: expressions for source paths, and what is known of the values that they give."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from kiezbruecke.mapping.compile import runtime
from kiezbruecke.mapping.compile.annotations import member_model, model_below, plain_type
from kiezbruecke.mapping.compile.emit import Code, any_of
from kiezbruecke.mapping.interpret.sources import Member, read, read_members
from kiezbruecke.mapping.language.definition import Rule, When
from kiezbruecke.mapping.language.paths import SourcePath
from kiezbruecke.mapping.schema.models import may_be_missing, root_model
from kiezbruecke.mapping.values import is_nothing, same


@dataclass(frozen=True)
class Local:
    """A name of the mapping that the code holds in a variable: a root, or the member of an `each`."""

    variable: str
    model: type[BaseModel] | None = None
    optional: bool = False
    index: str = ""  # of a member: the variable that counts
    plain: bool = False  # plain objects, as JSON gives them
    fields: str = ""  # of a record: the variable that holds its fields


@dataclass(frozen=True)
class Read:
    """An expression and what is known about its value: its type, or None where anything may come."""

    expression: str
    kind: type | None = None
    optional: bool = True


class SourceReader:
    """Writes the lines that read sources; knows what stands in which variable."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self._locals: dict[str, Local] = {}
        self._extra: list[str] = []  # entries of the scope that only members have

    def roots(self, names: tuple[str, ...]) -> None:
        """The roots as variables, each of the type that the straight way knows."""
        for name in names:
            model = root_model(name)
            variable = self.code.new("root")
            self.code.line(f"{variable} = scope.get({name!r})")
            if model is not None:
                known = self.code.bind("model", model)
                optional = may_be_missing(name)
                unless = f" and {variable} is not None" if optional else ""
                self.code.line(f"if type({variable}) is not {known}{unless}: decline()")
                self._locals[name] = Local(variable, model, optional, fields=self._fields(variable, optional=optional))
            else:
                self._locals[name] = Local(variable, plain=name != "envelope")

    @contextmanager
    def member(self, rule: Rule) -> Iterator[None]:
        """A loop over the members of `each`; inside, the rule's name stands for one of them."""
        assert rule.each is not None
        assert rule.name is not None
        variable, index = self.code.new("member"), self.code.new("index")
        found = self._typed(rule.each)
        model = member_model(found[1]) if found else None
        if found and model is not None:
            head = f"for {index}, {variable} in enumerate({found[0]} or (), 1):"
            local, entry = Local(variable, model, index=index), f"{self.code.named(Member)}({variable}, {index})"
        elif (plain := self._plain(rule.each, members=True)) is not None:
            head = f"for {index}, {variable} in enumerate({self.code.named(runtime.some_members)}({plain}), 1):"
            local, entry = Local(variable, plain=True), f"{self.code.named(Member)}({variable}, {index})"
        else:
            head = f"for {variable} in {self.code.named(read_members)}({self._path(rule.each)}, {self._scope()}):"
            local, entry = Local(f"{variable}_", plain=True), variable
        outer = self._locals
        with self.code.loop(head):
            self._extra.append(f"{rule.name!r}: {entry}")
            if model is not None:
                self.code.line(f"if type({variable}) is not {self.code.bind('model', model)}: decline()")
                local = replace(local, fields=self._fields(variable))
            elif local.variable != variable:
                self.code.line(f"{local.variable} = {variable}.value")
            self._locals = {**outer, rule.name: local}
            yield
            self._extra.pop()
        self._locals = outer

    def condition(self, when: When) -> str:
        """Whether a condition holds, as an expression."""
        found = self.expression(when.path)
        if not when.texts:
            return f"{'' if when.negated else 'not '}{self.code.named(is_nothing)}({found.expression})"
        if found.kind is bool and not found.optional:
            equal = [f"{found.expression} is {text.lower() in ('1', 'true')}" for text in when.texts if _is_truth(text)]
        else:
            fold = ", folded=True" if when.fold else ""
            equal = [f"{self.code.named(same)}({found.expression}, {text!r}{fold})" for text in when.texts]
        asked = any_of(equal)
        return f"not ({asked})" if when.negated else asked

    def expression(self, path: SourcePath) -> Read:
        """The expression for a path: attributes of models, keys of plain objects, or the interpreter's reader."""
        if typed := self._typed(path):
            expression, annotation, optional = typed
            kind, nullable = plain_type(annotation)
            return Read(expression, kind, optional or nullable)
        if (plain := self._plain(path)) is not None:
            return Read(plain)
        return Read(f"{self.code.named(read)}({self._path(path)}, {self._scope()})")

    def _plain(self, path: SourcePath, *, members: bool = False) -> str | None:
        """Lines that leave what stands at a path of plain objects in a variable; its name. None for other paths."""
        local = self._locals.get(path.root)
        if local is None or not local.plain or not _is_plain(path):
            return None
        value = self.code.variable("found")
        keys = "".join(f"[{step.name!r}]" for step in path.steps)
        names = tuple(step.name for step in path.steps)
        self.code.line(f"try: {value} = {local.variable}{keys}")
        slow = self._slow(path, local.variable, names, members=members)
        self.code.line(f"except (KeyError, TypeError): {value} = {slow}")
        return value

    def annotation(self, path: SourcePath) -> Any | None:
        """The annotation of a path, without lines for reading it."""
        local = self._locals.get(path.root)
        model = local.model if local else None
        annotation: Any | None = None
        for step in path.steps:
            if model is None or step.number is not None or step.name not in model.model_fields:
                return None
            annotation = model.model_fields[step.name].annotation
            model = model_below(annotation)[0]
        return annotation

    def _fields(self, variable: str, *, optional: bool = False) -> str:
        """A record's fields as a plain dictionary: a record's own way to them takes three times as long."""
        fields = self.code.new("fields")
        self.code.line(f"{fields} = {f'None if {variable} is None else ' if optional else ''}{variable}.__dict__")
        return fields

    def _slow(self, path: SourcePath, variable: str, names: tuple[str, ...], *, members: bool) -> str:
        reads = f"{self.code.named(runtime.read_values if members else read)}({self._path(path)}, {self._scope()})"
        return f"{self.code.named(runtime.dig)}({variable}, {names!r}) if type({variable}) is dict else {reads}"

    def _typed(self, path: SourcePath) -> tuple[str, Any, bool] | None:
        """The expression, the annotation and whether something on the way may be missing."""
        local = self._locals.get(path.root)
        if local is None or local.model is None:
            return None
        if local.index and [step.name for step in path.steps] == ["index"] and "index" not in local.model.model_fields:
            return local.index, int, False
        model: type[BaseModel] | None = local.model
        annotation: Any = local.model
        expression, optional = local.fields or local.variable, local.optional
        for position, step in enumerate(path.steps):
            if model is None or step.number is not None or step.name not in model.model_fields:
                return None
            field = f"[{step.name!r}]" if expression == local.fields else f".{step.name}"
            if optional:
                value = self.code.variable("on_the_way")
                self.code.line(f"{value} = {expression}")
                expression = f"None if {value} is None else {value}{field}"
            else:
                expression = f"{expression}{field}"
            annotation = model.model_fields[step.name].annotation
            below, nullable = model_below(annotation)
            if below is None and position < len(path.steps) - 1:
                return None
            if optional and position < len(path.steps) - 1:
                expression = f"({expression})"
            optional, model = optional or nullable, below
        return (expression, annotation, optional) if path.steps else None

    def _scope(self) -> str:
        return f"{{**scope, {', '.join(self._extra)}}}" if self._extra else "scope"

    def _path(self, path: SourcePath) -> str:
        return self.code.bind("path", path)


def _is_truth(text: str) -> bool:
    return text.lower() in {"0", "1", "false", "true"}


def _is_plain(path: SourcePath) -> bool:
    """Whether a path is names alone; `index` of a member may be its count."""
    return bool(path.steps) and all(step.number is None and step.name != "index" for step in path.steps)
