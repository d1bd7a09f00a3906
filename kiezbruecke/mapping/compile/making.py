"""From generated source to a function, and the compiled forms that a process keeps, of messages and of records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Generic, TypeVar

from kiezbruecke.mapping.compile.plan import Uncompilable
from kiezbruecke.mapping.language.definition import Definition

_KEPT = 512  # compiled forms that a process keeps of each kind; a route has one or two
_Form = TypeVar("_Form")


def defined(source: str, bound: Mapping[str, object], mapping: str, name: str) -> Callable[..., Any]:
    """The function of this name that the source defines; raises Uncompilable where Python takes no such source.

    The source is made of a checked mapping; texts stand in it as literals.
    """
    names: dict[str, Any] = dict(bound)
    try:
        exec(compile(source, f"<mapping {mapping}>", "exec"), names)  # noqa: S102
    except SyntaxError:  # Python takes twenty loops in each other and a hundred indentations
        raise Uncompilable("lists that stand so deep in each other are left to the interpreter") from None
    function: Callable[..., Any] = names[name]
    return function


class Kept(Generic[_Form]):
    """Compiled forms by the digest of all that decides them; `declining` stands where there is none."""

    def __init__(self, declining: _Form) -> None:
        self._declining = declining
        self._forms: dict[str, _Form] = {}

    def form(self, definition: Definition, digest: str, make: Callable[[], _Form]) -> _Form:
        """The form, made where it is not there yet.

        The rules as they were read belong to the key: a file may be saved between its reading and its digest.
        """
        key = f"{digest} {sha256(repr(definition.rules).encode()).hexdigest()}"
        if key not in self._forms:
            if len(self._forms) >= _KEPT:
                self._forms.pop(next(iter(self._forms)))
            try:
                self._forms[key] = make()
            except Uncompilable:
                self._forms[key] = self._declining
        return self._forms[key]
