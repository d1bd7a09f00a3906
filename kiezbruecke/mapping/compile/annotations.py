"""What the types of a record's fields say: their plain type, the model below, the model of a list's members."""

from __future__ import annotations

import types
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel

# Types whose text needs no escaping, and how it is written; see values.to_text.
SAFE: dict[type, str] = {
    UUID: "uuid_text({}.int)",
    bool: '"1" if {} else "0"',
    int: "str({})",
    Decimal: "money({})",
    datetime: "moment({})",
    date: "{}.isoformat()",
}


def plain_type(annotation: Any) -> tuple[type | None, bool]:
    """The plain type of an annotation (None: anything else), and whether it may be None."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return plain_type(arguments[0])
    if origin in (Union, types.UnionType):
        rest = [part for part in arguments if part is not type(None)]
        return (plain_type(rest[0])[0] if len(rest) == 1 else None), True
    if origin is Literal:
        return None, False
    return (annotation if annotation is str or annotation in SAFE else None), False


def model_below(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The model that an annotation stands for, if it does, and whether it may be None."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return model_below(arguments[0])
    if origin in (Union, types.UnionType):
        rest = [part for part in arguments if part is not type(None)]
        return (model_below(rest[0])[0] if len(rest) == 1 else None), len(rest) < len(arguments)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    return None, False


def member_model(annotation: Any) -> type[BaseModel] | None:
    """The model of the members where the annotation is a list of models."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return member_model(arguments[0])
    if origin in (tuple, list):
        return model_below(arguments[0])[0]
    return None
