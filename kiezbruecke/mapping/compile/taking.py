"""How the fields of a record take values: what is just right stays as it is, everything else pydantic judges.

    title: Text    „Fest am Ufer“ ──▶ the same     „ Fest“, 2026 ──▶ pydantic's own validator of that field

So a record that is right is made without pydantic, whose way through all fields takes as long as reading the item.
Fields are judged one by one: a record that looks at itself as a whole has no straight way.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Union, cast, get_args, get_origin

from pydantic import BaseModel, Field, TypeAdapter
from pydantic.fields import FieldInfo

from kiezbruecke.mapping.compile.plan import Uncompilable
from kiezbruecke.mapping.compile.runtime import Declined, some_texts
from kiezbruecke.mapping.schema.tree import Node
from kiezbruecke.mapping.values import to_text
from kiezbruecke.records import CENT, Moment, Money, Text
from kiezbruecke.records.base import MOST_MONEY
from kiezbruecke.records.marks import nfc

Take = Callable[[Any], Any]
# What is just right: a value that the field's own validator would give back as it is.
_EXACT = "{{value}} if {{value}}.__class__ is {} else {{take}}({{value}})"
_TEXT = (
    "{value} if {value}.__class__ is str and ({value}.isascii() and {value}.strip() is {value} or is_said({value}))"
    " else {take}({value})"
)
_SUM = (
    "{value} if {value}.__class__ is Decimal and {value}.same_quantum(CENT) and 0 <= {value} <= MOST_MONEY"
    " else {take}({value})"
)


class _Known(BaseModel):
    """Fields that straight code knows, one of each kind."""

    plain: str
    text: Text
    name: str = Field(min_length=1)
    title: Text = Field(min_length=1)
    money: Money
    moment: Moment
    texts: tuple[Text, ...]


def is_said(text: str) -> bool:
    """Whether a text is as records keep it: in NFC, without blanks at its ends. Raises ValueError where it is none."""
    return text.strip() == text and nfc(text) == text and bool(text.encode())


def instant(value: datetime) -> datetime:
    """A moment as it is read from its own text: in UTC, to the millisecond."""
    if value.tzinfo is None:
        raise Declined
    moment = value.astimezone(UTC)
    finer = moment.microsecond % 1000
    return moment.replace(microsecond=moment.microsecond - finer) if finer else moment


BOUND: dict[str, Any] = {
    "CENT": CENT, "Decimal": Decimal, "MOST_MONEY": MOST_MONEY, "date": date, "instant": instant, "is_said": is_said,
}  # fmt: skip


def maker(model: type[BaseModel]) -> Callable[[dict[str, Any]], Any]:
    """Makes a record of fields that are judged: as pydantic's `model_construct`, without asking for each field again.

    The function raises Declined where a mandatory field is missing; this one Uncompilable where a record is more than
    its fields.
    """
    found, names = model.__pydantic_decorators__, model.model_fields
    looks = found.validators or found.field_validators or found.root_validators or found.model_validators
    makes = model.__pydantic_post_init__ or any(field.default_factory for field in names.values())
    if looks or makes or model.__private_attributes__ or model.model_config.get("extra") != "forbid":
        raise Uncompilable("a record that is more than its fields")
    required = frozenset(name for name, field in names.items() if field.is_required())
    every = vars(model.model_construct(**dict.fromkeys(required)))  # in the model's order
    put = object.__setattr__  # records are frozen

    def made(fields: dict[str, Any]) -> Any:
        if not required <= fields.keys():
            raise Declined
        record = model.__new__(model)
        put(record, "__dict__", every | fields)
        put(record, "__pydantic_fields_set__", set(fields))
        put(record, "__pydantic_extra__", None)
        put(record, "__pydantic_private__", None)
        return record

    return made


def taking(model: type[BaseModel], node: Node, *, moments: bool = False) -> tuple[str, Take]:
    """How a field takes a `{value}` that is something: an expression, and the function `{take}` that it may need.

    Both raise where a value is odd. `moments`: all values are moments, which other fields take as texts.
    """
    field = model.model_fields[node.name]
    kind, take = bare(field), _judged(model, field, node)
    if kind == _KNOWN["texts"]:
        take = _all_said(take)
    elif isinstance(kind[0], type) and issubclass(kind[0], StrEnum):
        take = _chosen({member.value: member for member in kind[0]}, take)
    if moments and kind == _KNOWN["moment"]:
        return "instant({value})", take
    return _STRAIGHT.get(kind, "{take}({value})"), take


def bare(field: FieldInfo) -> tuple[Any, str]:
    """The type of a field that is there, and what else it asks for."""
    kind, marks = field.annotation, list(field.metadata)
    if get_origin(kind) in (Union, types.UnionType):
        kinds = [one for one in get_args(kind) if one is not type(None)]
        kind = kinds[0] if len(kinds) == 1 else kind
    if get_origin(kind) is Annotated:
        kind, *more = get_args(kind)
        marks = [*more, *marks]
    plain = [one for mark in marks for one in (mark.metadata if isinstance(mark, FieldInfo) else [mark])]
    return kind, repr(plain) if plain else ""


def _judged(model: type[BaseModel], field: FieldInfo, node: Node) -> Take:
    """What pydantic makes of any value, given as the interpreter gives it (`interpret/record.py`)."""
    annotation = cast("Any", Annotated[field.annotation, field])
    judge = TypeAdapter(annotation, config=model.model_config).validator.validate_python
    is_text = node.leaf is not None and node.leaf.kind == "text"
    if node.repeats and not is_text:
        raise Uncompilable("several values that are no texts")

    def one(value: Any) -> Any:
        if isinstance(value, list | tuple):
            raise Declined
        return judge(to_text(value) if is_text else value)

    return (lambda value: judge(some_texts(value))) if node.repeats else one


def _all_said(take: Take) -> Take:
    def texts(value: Any) -> Any:
        found = some_texts(value)
        return tuple(found) if all(map(is_said, found)) else take(found)

    return texts


def _chosen(members: Mapping[str, Any], take: Take) -> Take:
    def chosen(value: Any) -> Any:
        return members[value] if value in members else take(value)

    return chosen


_KNOWN = {name: bare(field) for name, field in _Known.model_fields.items()}
_STRAIGHT = {
    (bool, ""): _EXACT.format("bool"),
    (int, ""): _EXACT.format("int"),
    (date, ""): _EXACT.format("date"),
    _KNOWN["money"]: _SUM,
    **dict.fromkeys((_KNOWN["plain"], _KNOWN["text"], _KNOWN["name"], _KNOWN["title"]), _TEXT),
}
