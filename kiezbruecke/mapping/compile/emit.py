"""Writing Python: lines with indentation, names for values, conditions that fold, strings of pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

ALWAYS, NEVER = "True", "False"
_BLANK = "if not {0} or {0}.isspace(): {1}"


@dataclass(frozen=True, slots=True)
class Var:
    """A variable that holds a string when the bytes are put together."""

    name: str


Piece = str | Var  # a literal, or a variable


@dataclass
class Scope:
    """A function's or a loop's body: its lines, and the variables that must exist whatever is skipped."""

    lines: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    depth: int = 1

    def source(self) -> list[str]:
        """The lines, the variables set to nothing first."""
        if not self.names:
            return self.lines
        return [f"{'    ' * self.depth}{' = '.join(self.names)} = None", *self.lines]


class Code:
    """The source being written, and the values that it names."""

    def __init__(self) -> None:
        self.bound: dict[str, object] = {}
        self.kinds: dict[str, type] = {}  # variables whose text was made of a value that needs no escaping
        self._names: dict[int, str] = {}
        self._known: list[str] = []  # conditions that hold where the next line stands
        self._count = 0
        self._scopes = [Scope()]
        self._depth = 1

    def line(self, text: str) -> None:
        """One line at the present depth."""
        self._scopes[-1].lines.append(f"{'    ' * self._depth}{text}")

    def blank(self, variable: str) -> None:
        """A blank text is nothing."""
        self.line(_BLANK.format(variable, f"{variable} = None"))

    def require(self, variable: str) -> None:
        """Decline where the variable is nothing – unless it is known to be something here."""
        lines, indent = self._scopes[-1].lines, "    " * self._depth
        if self.is_sure(variable):
            return
        if lines[-1:] == [indent + _BLANK.format(variable, f"{variable} = None")]:
            lines.pop()
            self.line(_BLANK.format(variable, "decline()"))
        else:
            self.line(f"if {variable} is None: decline()")

    def surely(self, variable: str) -> None:
        """From here on the variable is something, to the end of the block."""
        self._known.append(f"{variable} is not None")

    def unsure(self, variable: str) -> None:
        """The variable may be nothing again."""
        self._known = [condition for condition in self._known if condition != f"{variable} is not None"]

    def is_sure(self, variable: str) -> bool:
        """Whether the variable is known to be something here."""
        return f"{variable} is not None" in self._known

    def new(self, kind: str) -> str:
        """A fresh name."""
        self._count += 1
        return f"{kind}{self._count}"

    def variable(self, kind: str) -> str:
        """A fresh variable; where lines may be skipped it is nothing before them."""
        name = self.new(kind)
        if self._depth > self._scopes[-1].depth:
            self.declare(name)
        return name

    def declare(self, name: str) -> None:
        """A variable that is nothing until a line gives it a value."""
        if name not in self._scopes[-1].names:
            self._scopes[-1].names.append(name)

    def named(self, value: object) -> str:
        """The name by which the code knows a function or a type: much like its own."""
        return self.bind(getattr(value, "__name__", "value").strip("_"), value)

    def bind(self, kind: str, value: object) -> str:
        """A name for a value that the code needs; the same value has one name."""
        known = self._names.get(id(value))
        if known is None:
            known = self.new(f"{kind}_")
            self._names[id(value)] = known
            self.bound[known] = value
        return known

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """A head and the lines below it."""
        self.line(head)
        self._depth += 1
        before, known = len(self._scopes[-1].lines), len(self._known)
        self._known.append(head.partition("if ")[2].removesuffix(":"))
        yield
        if len(self._scopes[-1].lines) == before:
            self.line("pass")
        del self._known[known:]
        self._depth -= 1

    @contextmanager
    def loop(self, head: str) -> Iterator[None]:
        """A loop; its variables are nothing again for every member."""
        self.line(head)
        self._depth += 1
        self._scopes.append(Scope(depth=self._depth))
        known = len(self._known)
        yield
        del self._known[known:]
        body = self._scopes.pop()
        self._scopes[-1].lines += body.source() or [f"{'    ' * self._depth}pass"]
        self._depth -= 1

    def source(self, head: str) -> str:
        """The whole function."""
        return "\n".join([head, *self._scopes[0].source(), ""])


def any_of(conditions: Iterable[str]) -> str:
    """One of them, folded."""
    found = list(dict.fromkeys(condition for condition in conditions if condition != NEVER))
    if ALWAYS in found:
        return ALWAYS
    return " or ".join(found) if found else NEVER


def all_of(conditions: Iterable[str]) -> str:
    """All of them, folded."""
    found = list(dict.fromkeys(condition for condition in conditions if condition != ALWAYS))
    if NEVER in found:
        return NEVER
    return " and ".join(f"({condition})" if " or " in condition else condition for condition in found) or ALWAYS


def none_of(condition: str) -> str:
    """The opposite, folded."""
    return {ALWAYS: NEVER, NEVER: ALWAYS}.get(condition, f"not ({condition})")


def text_of(pieces: Iterable[Piece]) -> str:
    """An expression that joins literals and variables: one f-string."""
    merged = list(pieces)
    if not any(isinstance(piece, Var) for piece in merged):
        return repr("".join(str(piece) for piece in merged))
    whole = "".join(
        f"{{{piece.name}}}" if isinstance(piece, Var) else piece.replace("{", "{{").replace("}", "}}")
        for piece in merged
    )
    return f"f{whole!r}"
