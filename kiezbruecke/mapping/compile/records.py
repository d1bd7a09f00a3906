"""Makes the compiled form of a mapping to a record: straight Python that reads a plain object and fills the model.

    {target: title, from: item.name}  ──▶  v = body.get('name') … title = v … Proposal.model_validate({'title': title})

It does what the interpreter does with a draft (`interpret/interpreter.py`, `interpret/record.py`) and declines wherever
it does not know a record to be fine: then the interpreter decides, and words the refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields
from decimal import Decimal
from hashlib import sha256
from typing import Any

from pydantic import BaseModel, ValidationError

from kiezbruecke.mapping.compile.plan import Uncompilable
from kiezbruecke.mapping.compile.runtime import Declined, decline, dig
from kiezbruecke.mapping.interpret.interpreter import Lists
from kiezbruecke.mapping.interpret.sources import Scope
from kiezbruecke.mapping.language.definition import Definition, Rule, When
from kiezbruecke.mapping.language.paths import SourcePath
from kiezbruecke.mapping.schema.models import root_model
from kiezbruecke.mapping.schema.targets import TargetSchema
from kiezbruecke.mapping.schema.tree import Node
from kiezbruecke.mapping.steps import STEPS
from kiezbruecke.mapping.values import Unusable, is_nothing, same, to_text
from kiezbruecke.records import Record

# What odd values make of straight code: the interpreter decides then.
_NOT_STRAIGHT = (Declined, Unusable, ValidationError, AttributeError, LookupError, TypeError, ValueError)
_KEPT = 512  # compiled forms that a process keeps
_kept: dict[str, CompiledRecord] = {}


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


def compile_record(definition: Definition, target: TargetSchema, lists: Lists) -> CompiledRecord:
    """The compiled form; raises Uncompilable where only the interpreter knows a way. Same files, same source."""
    if target.model is None:
        raise Uncompilable("only records are read")
    if definition.source.kind == "xml":
        raise Uncompilable("XML is read by the interpreter")
    writer = _Writer(lists)
    writer.rules(definition.rules, (), target.root)
    source = writer.source(definition.roots, target.root)
    names = {**writer.bound, "model": target.model}
    exec(compile(source, f"<mapping {definition.name}>", "exec"), names)  # noqa: S102 - made of a checked mapping
    return CompiledRecord(source, names["read"])


def straight_record(definition: Definition, target: TargetSchema, lists: Lists, digest: str) -> CompiledRecord:
    """The compiled form, kept by the digest of all that decides it; one that declines where there is none."""
    key = f"{digest} {sha256(repr(definition.rules).encode()).hexdigest()}"
    if key not in _kept:
        if len(_kept) >= _KEPT:
            _kept.pop(next(iter(_kept)))
        try:
            _kept[key] = compile_record(definition, target, lists)
        except Uncompilable:
            _kept[key] = CompiledRecord("", lambda _: decline())
    return _kept[key]


def _refuse_unknown(part: Rule | When, known: frozenset[str]) -> None:
    """Raises Uncompilable where a rule says something that no line here is written for: nothing is left out."""
    for one in fields(part):
        if one.name not in known and getattr(part, one.name) != one.default:
            raise Uncompilable(f"'{one.name}' is read by the interpreter")


_KNOWN = frozenset(
    {"target", "place", "places", "source", "const", "codelist", "default", "steps", "when", "rules", "required"}
    | {"otherwise", "note", "pii", "legal_basis", "accept", "column", "fold", "use"}
)
_KNOWN_WHEN = frozenset({"path", "texts", "place", "texts_place", "negated", "derived", "fold"})
_SOMETHING = frozenset({type(None), bool, int, float, Decimal})  # nothing of these is to be looked at
_Path = tuple[str, ...]


@dataclass
class _Place:
    """A field of the record: its variable, and whether a rule has spoken about it before."""

    variable: str
    node: Node
    spoken: bool = False


class _Writer:
    """Writes the lines of the rules in their order, then those that put the record together."""

    def __init__(self, lists: Lists) -> None:
        self.bound: dict[str, Any] = {
            "decline": decline, "dig": dig, "is_nothing": is_nothing, "same": same, "to_text": to_text,
            "of_root": of_root, "some_parts": some_parts, "some_texts": some_texts, "something": _SOMETHING,
        }  # fmt: skip
        self._lists = lists
        self._lines: list[str] = []
        self._depth = 1
        self._places: dict[_Path, _Place] = {}
        self._alive: dict[_Path, str] = {}  # nested records: the variable that says whether anything in it was read

    def rules(self, rules: tuple[Rule, ...], above: _Path, root: Node) -> None:
        for rule in rules:
            _refuse_unknown(rule, _KNOWN)
            if any(step.number != 1 for step in rule.target.steps):
                raise Uncompilable("numbered places are read by the interpreter")
            path = (*above, *(step.name for step in rule.target.steps))
            with self._guards(rule.when):
                self._rule(rule, path, root)

    def source(self, roots: tuple[str, ...], root: Node) -> str:
        """The whole function."""
        names = [place.variable for place in self._places.values()]
        heads = [f"    {name} = None" for name in (*names, *self._alive.values())]
        reads = [f"    root_{name} = scope.get({name!r})" for name in roots]
        plain = ["    if type(root_item) is not dict: decline()"] if "item" in roots else []
        lines = [*reads, *plain, *heads, *self._lines, *self._whole(root, (), "fields")]
        return "\n".join(["def read(scope):", *lines, "    return model.model_validate(fields)", ""])

    def _rule(self, rule: Rule, path: _Path, root: Node) -> None:
        if rule.rules:
            self._node(path, root)
            if rule.when:
                self._live(path)
            self.rules(rule.rules, path, root)
            return
        place = self._place(path, root)
        if rule.source is None:
            self._constant(rule, place, path)
            return
        self._value(rule, rule.source)
        with self._block("if v is not None:"):
            self._put(place)
            self._live(path[:-1])
        if rule.required:
            self._line("else: decline()")
        elif rule.default is not None and not is_nothing(rule.default):
            with self._block("else:"):
                self._line(f"v = {rule.default!r}")
                self._put(place)
        place.spoken = True

    def _constant(self, rule: Rule, place: _Place, path: _Path) -> None:
        if is_nothing(rule.const):
            raise Uncompilable("a constant without a text")
        self._line(f"v = {rule.const!r}")
        self._put(place)
        if rule.when:
            self._live(path[:-1])
        place.spoken = True

    def _value(self, rule: Rule, path: SourcePath) -> None:
        """`v` is what the rule reads, behind its steps and its code list; None where that is nothing."""
        self._read_into("v", path)
        for number, use in enumerate(rule.steps):
            step = STEPS[use.name]
            given = step.argument(use.argument) if step.argument and use.argument is not None else None
            apply, argument = self._bind(f"{use.name}_{number}", step.apply), self._bind("given", given)
            self._line(f"v = {apply}(v, {argument})")
        self._line("if v.__class__ is str:")
        self._line("    if not v or v.isspace(): v = None")
        self._line("elif v.__class__ not in something and is_nothing(v): v = None")
        if rule.lookup:
            translate = self._bind("translate", self._lists.translations[rule.lookup].translate)
            with self._block("if v is not None:"):
                self._line("if v.__class__ is list or v.__class__ is tuple: decline()")
                self._line(f"v = {translate}(v)")
                self._line("if is_nothing(v): v = None")

    def _put(self, place: _Place) -> None:
        """`v` stands at a place; two values of one place are the interpreter's matter, and several for one, too."""
        if place.spoken:
            self._line(f"if {place.variable} is not None: decline()")
        text = place.node.leaf is not None and place.node.leaf.kind == "text"
        if place.node.repeats:
            self._line(f"{place.variable} = {'some_texts' if text else 'some_parts'}(v)")
            return
        if text:
            self._line(f"{place.variable} = v if v.__class__ is str else to_text(v)")
        else:
            self._line("if v.__class__ is list or v.__class__ is tuple: decline()")
            self._line(f"{place.variable} = v")

    def _read_into(self, variable: str, path: SourcePath) -> None:
        """A path below objects is tried as it is; where that fails, a name may hold points, or an object is none."""
        read, names = self._read(path), [step.name for step in path.steps]
        if path.root != "item" or len(names) == 1:
            self._line(f"{variable} = {read}")
            return
        self._line(f"try: {variable} = root_item{''.join(f'[{name!r}]' for name in names)}")
        self._line(f"except (KeyError, TypeError): {variable} = {read}")

    def _read(self, path: SourcePath) -> str:
        names = tuple(step.name for step in path.steps)
        if not names or any(step.number is not None for step in path.steps):
            raise Uncompilable("whole roots and numbered members are read by the interpreter")
        root = f"root_{path.root}"
        if path.root != "item":
            if len(names) > 1:
                raise Uncompilable("only fields of a root are read straight")
            read, model = f"of_root({root}, {names[0]!r})", root_model(path.root)
            if model is None or names[0] not in model.model_fields:
                return read
            return f"({root}.{names[0]} if {root}.__class__ is {self._bind('model', model)} else {read})"
        return f"{root}.get({names[0]!r})" if len(names) == 1 else f"dig({root}, {names!r})"

    @contextmanager
    def _guards(self, conditions: Sequence[When]) -> Iterator[None]:
        with ExitStack() as opened:
            for when in conditions:
                opened.enter_context(self._guard(when))
            yield

    @contextmanager
    def _guard(self, when: When) -> Iterator[None]:
        read = self._read(when.path)
        _refuse_unknown(when, _KNOWN_WHEN)
        self._line(f"w = {read}")
        fold = ", folded=True" if when.fold else ""
        asked = " or ".join(f"same(w, {text!r}{fold})" for text in when.texts) if when.texts else "not is_nothing(w)"
        with self._block(f"if not ({asked}):" if when.negated else f"if {asked}:"):
            yield

    @contextmanager
    def _block(self, head: str) -> Iterator[None]:
        self._line(head)
        self._depth += 1
        before = len(self._lines)
        yield
        if len(self._lines) == before:
            self._line("pass")
        self._depth -= 1

    def _line(self, text: str) -> None:
        self._lines.append(f"{'    ' * self._depth}{text}")

    def _bind(self, name: str, value: object) -> str:
        known = f"{name}_{len(self.bound)}"
        self.bound[known] = value
        return known

    def _place(self, path: _Path, root: Node) -> _Place:
        node = self._node(path, root)
        if node.leaf is None:
            raise Uncompilable("a whole object is filled by its fields")
        return self._places.setdefault(path, _Place(f"place_{len(self._places)}", node))

    def _node(self, path: _Path, root: Node) -> Node:
        node = root
        for name in path:
            if name not in node.children or (node.repeats and node is not root):
                raise Uncompilable("records of lists are read by the interpreter")
            node = node.children[name]
        if node.repeats and node.leaf is None:
            raise Uncompilable("records of lists are read by the interpreter")
        return node

    def _live(self, path: _Path) -> None:
        """Something of these nested records was read."""
        for end in range(1, len(path) + 1):
            alive = self._alive.setdefault(path[:end], f"alive_{len(self._alive)}")
            self._line(f"{alive} = True")

    def _whole(self, node: Node, above: _Path, variable: str) -> Iterator[str]:
        """The lines that put a record together: its own fields, and the records in it that are alive."""
        indent = "    " * (1 + len(above))
        yield f"{indent}{variable} = {{}}"
        for name in node.children:
            path = (*above, name)
            if place := self._places.get(path):
                yield f"{indent}if {place.variable} is not None: {variable}[{name!r}] = {place.variable}"
            elif alive := self._alive.get(path):
                inner = f"{variable}_{name}"
                yield f"{indent}if {alive}:"
                yield from self._whole(node.children[name], path, inner)
                yield f"{indent}    {variable}[{name!r}] = {inner}"


def of_root(root: Any, name: str) -> Any:
    """A field of a root that is an object or one of our models; declines at anything else."""
    if type(root) is dict:
        return root.get(name)
    if isinstance(root, BaseModel):
        return getattr(root, name) if name in type(root).model_fields else None
    if root is None:
        return None
    raise Declined


def some_parts(value: Any) -> list[Any]:
    """The values of a field that takes several."""
    if isinstance(value, tuple):
        raise Declined
    return [part for part in value if not is_nothing(part)] if isinstance(value, list) else [value]


def some_texts(value: Any) -> list[str]:
    """The same as texts."""
    return [part if part.__class__ is str else to_text(part) for part in some_parts(value)]
