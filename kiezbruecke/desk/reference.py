"""The reference page of what `--json` says, written from the views themselves."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import pairwise
from types import NoneType
from typing import Any, get_args, get_origin

from kiezbruecke import desk
from kiezbruecke.desk.view import DeskView

_HEAD = """# What `--json` says

*Written from the views in `kiezbruecke/desk` (`make generate`). Keys stay; new ones may come. Sums are texts in euros
(`"850.00"`), times carry a zone, days are `2026-04-23`; `?` may be `null`, `[]` is a list.*
"""
_COMMANDS: Mapping[type[DeskView], str] = {
    desk.CaseStory: "`case show`: a list of them",
    desk.AccountView: "`case account`: a list of them",
    desk.CaseFound: "`case find`: a list of them",
    desk.MessageFacts: "`message list`: a list of them",
    desk.MessageStory: "`message show`, `message resend`",
    desk.PointView: "`todo list`: a list of them",
    desk.PointStory: "`todo show`, `todo decide`",
    desk.HouseStatus: "`status`",
    desk.Reconciliation: "`reconcile`",
    desk.Evaluation: "`evaluate`",
    desk.RouteView: "`route list`: a list of them; `route pause`",
    desk.RunView: "`route runs`: a list of them",
    desk.RouteCheckView: "`route check`: a list of them",
    desk.PreviewView: "`route preview`: a list of them",
    desk.DestinationView: "`destination show`, `destination pause`, `destination resume`, `destination reset`",
}
_NAMES = {
    "str": "text",
    "int": "number",
    "float": "number",
    "bool": "true/false",
    "UUID": "id",
    "Decimal": "sum",
    "datetime": "time",
    "date": "day",
}


def views_page() -> str:
    """The whole page: views that commands answer with, then those that stand inside them."""
    inside = {inner: outer for view in _COMMANDS for inner, outer in _inside(view) if inner not in _COMMANDS}
    sections = [_section(view, where) for view, where in _COMMANDS.items()]
    sections += [_section(view, f"In {outer.__name__}") for view, outer in inside.items()]
    return "\n".join([_HEAD, *sections])


def _section(view: type[DeskView], where: str) -> str:
    said = _said_below(view)
    rows = [f"| `{name}` | {_type(field.annotation)} | {said.get(name, '')} |" for name, field in _own_fields(view)]
    text = " ".join((view.__doc__ or "").split())
    return "\n".join([f"## {view.__name__}", "", f"{where}. {text}", "", "| key | | |", "|---|---|---|", *rows, ""])


def _own_fields(view: type[DeskView]) -> Iterator[tuple[str, Any]]:
    """Of a view that says more than another one, only what is more."""
    known = view.__mro__[1].__dict__.get("__pydantic_fields__", {})
    yield from ((name, field) for name, field in view.model_fields.items() if name not in known)


def _said_below(view: type[DeskView]) -> dict[str, str]:
    """The text below each field in the source. Asked of pydantic, every process would read the sources at its start."""
    (found,) = ast.parse(inspect.getsource(view)).body
    assert isinstance(found, ast.ClassDef)
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in pairwise(found.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
    }


def _inside(view: type[DeskView]) -> Iterator[tuple[type[DeskView], type[DeskView]]]:
    """The views that stand in it, at any depth, each with the one that it stands in."""
    for field in view.model_fields.values():
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, DeskView):
                yield part, view
                yield from _inside(part)


def _type(kind: Any) -> str:
    """A type in the words of JSON."""
    arguments = [part for part in get_args(kind) if part not in (NoneType, Ellipsis)]
    if NoneType in get_args(kind):
        return f"{_type(arguments[0])}?"
    if get_origin(kind) is tuple:
        return f"{_type(arguments[0])} []"
    if arguments:
        return f"{_type(arguments[0])} → {_type(arguments[1])}"
    if issubclass(kind, StrEnum):
        return ", ".join(f"`{one}`" for one in kind)
    name: str = kind.__name__
    return _NAMES.get(name, name)
