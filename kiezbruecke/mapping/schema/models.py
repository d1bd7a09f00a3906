"""Types of sources and records, read off the pydantic models: what a path leads to, and the tree of a record."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal, Protocol, Union, cast, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from kiezbruecke import plugins
from kiezbruecke.mapping.schema.tree import Group, Leaf, Node, NodeContent
from kiezbruecke.mapping.values import Kind, Unusable
from kiezbruecke.mapping.wording import Why
from kiezbruecke.records import Applicant, Area, Budget, Commitment, Decision, Process, Proposal
from kiezbruecke.records.views import CaseView, MessageView, PublicView, StatusView

# Our records and views. An effect may add views; asking it loads the ledger, which no preview needs for these.
_KNOWN_HERE: dict[str, type[BaseModel]] = {
    "applicant": Applicant,
    "area": Area,
    "budget": Budget,
    "case": CaseView,
    "commitment": Commitment,
    "decision": Decision,
    "message": MessageView,
    "process": Process,
    "proposal": Proposal,
    "public": PublicView,
    "status": StatusView,
}
OPEN_ROOTS = frozenset({"item", "route"})
_UUID_LENGTH = 36
# A paper proposal stands only on the decision sheet, and not every case has an applicant, a commitment or a grant.
_SOMETIMES_MISSING = frozenset({"applicant", "commitment", "proposal", "public"})

_KINDS: tuple[tuple[type, Kind], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "decimal"),
    (Decimal, "decimal"),
    (datetime, "moment"),
    (date, "date"),
)
_EXACT = frozenset({str, UUID, *dict(_KINDS)})


class Fields(Protocol):
    """What has fields: a model, an XML element, a JSON object, a line of a sheet."""

    @property
    def title(self) -> str:
        """What it is called."""

    def names(self) -> list[str]:
        """The names of its fields."""

    def field(self, name: str) -> Type | None:
        """The type of a field; None where there is none."""


@dataclass(frozen=True, slots=True)
class Type:
    """What a path leads to: a kind of value or a model, perhaps many of them, perhaps nothing.

    What stands below it is `below`: the fields of its model, or `fields` of another shape.

    `values` are all that are possible, where they are known (an enumeration), `max_length` that of its texts.
    `python` is the very type of the value, where one of our models says it.
    """

    kind: Kind = "any"
    model: type[BaseModel] | None = None
    many: bool = False
    nullable: bool = False
    indexed: bool = False  # a member of a list: it has an index
    values: tuple[str, ...] = ()
    max_length: int | None = None
    python: type | None = None
    sure: bool = False  # its shape says that it is there in any case
    must_travel: bool = False  # a mapping that reads its owner must not forget it
    fields: Fields | None = None
    leaf: Leaf | None = None  # how its texts are written, where its shape says so
    inner: Type | None = None  # of a list of lists: the lists that are its members
    least: int = 0  # of a list: how many there are in any case, and
    most: int | None = None  # how many at most, where its shape says so

    @property
    def means(self) -> Kind:
        """What a text stands for: XML and JSON write days as texts. Else its kind."""
        return self.leaf.kind if self.leaf is not None and self.kind == "text" else self.kind

    @property
    def member(self) -> Type:
        """One of the list that this is: it is there, and has an index; of a list of lists it is a list itself."""
        one = self.inner or replace(self, many=False)
        return replace(one, nullable=False, indexed=True)

    @property
    def below(self) -> Fields | None:
        """What has the fields below it; None for a plain value and where nobody knows."""
        return ModelFields(self.model) if self.model is not None else self.fields

    @property
    def whole(self) -> Fields | None:
        """The fields of what is no value itself: only they can be read."""
        return self.below if self.kind == "any" else None


@dataclass(frozen=True, slots=True)
class ModelFields:
    """The fields of a pydantic model."""

    model: type[BaseModel]

    @property
    def title(self) -> str:
        """The model's name."""
        return self.model.__name__.strip("_")

    def names(self) -> list[str]:
        """The names of its fields."""
        return list(self.model.model_fields)

    def field(self, name: str) -> Type | None:
        """The type of a field; None where there is none."""
        found = self.model.model_fields.get(name)
        return None if found is None else field_type(found)


OPEN = Type("any")  # nobody knows what stands there, so nothing is said about it
LOST = Type("any")  # what led here is a mistake and has its finding; what is read of it has none


def root_types(roots: tuple[str, ...]) -> dict[str, Type]:
    """The types of the roots that a mapping declares; unknown roots are left out."""
    return {name: found for name in roots if (found := _root_type(name)) is not None}


def is_root(name: str) -> bool:
    """Whether a mapping may declare it."""
    return _root_type(name) is not None


def known_roots() -> list[str]:
    """Every root a mapping may declare."""
    return sorted({*root_models(), *OPEN_ROOTS, "envelope"})


def root_model(name: str) -> type[BaseModel] | None:
    """What a root is; None for those whose fields nobody knows, and for the envelope."""
    if name in OPEN_ROOTS or name == "envelope":
        return None
    return _KNOWN_HERE.get(name) or _views_of_effects().get(name)


def may_be_missing(name: str) -> bool:
    """Whether a message may be written without this root."""
    return name in _SOMETIMES_MISSING or (name not in _KNOWN_HERE and name in _views_of_effects())


def only_outbound(name: str) -> bool:
    """Whether a root is there only when a message is written."""
    return name != "process" and root_model(name) is not None


def _root_type(name: str) -> Type | None:
    if name in OPEN_ROOTS:
        return OPEN
    if name == "envelope":
        return Type("any", Envelope)
    model = root_model(name)
    return None if model is None else Type("any", model, nullable=may_be_missing(name))


def root_models() -> Mapping[str, type[BaseModel]]:
    """What every message may have, and what the views of single effects add."""
    return {**_views_of_effects(), **_KNOWN_HERE}


def _views_of_effects() -> dict[str, type[BaseModel]]:
    """What the views of single effects add; a message of another effect does not have them."""
    return {name: model for effect in plugins.effects().values() for name, model in effect.view_models.items()}


def field_type(field: FieldInfo) -> Type:
    """The type of a model's field. A text that may be empty counts as nullable."""
    found, marks = _type(field.annotation), _marks(field)
    if found.kind == "text" and not found.values:
        found = replace(found, max_length=_max_length(field) or marks.get("maxLength") or found.max_length)
    if marks.get("must_travel"):
        found = replace(found, must_travel=True)
    if found.kind == "text" and found.model is None and not field.is_required() and field.default == "":
        return replace(found, nullable=True)
    return found


def _marks(field: FieldInfo) -> Mapping[str, Any]:
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def record_tree(model: type[BaseModel], name: str) -> Node:
    """A record as a target: fields are elements, nested models have fields of their own."""
    return Node(name, expand=lambda: NodeContent(group=Group("sequence", tuple(_fields(model)))))


class Envelope(BaseModel):
    """What the engine knows of an item beside its body."""

    external_id: str
    kind: str
    source: str
    raw_ref: str = ""


def _fields(model: type[BaseModel]) -> list[Node]:
    return [_field(name, field) for name, field in model.model_fields.items()]


def _field(name: str, field: FieldInfo) -> Node:
    found = _type(field.annotation)
    nested = found.model
    return Node(
        name,
        minimum=1 if field.is_required() else 0,
        maximum=None if found.many else 1,
        leaf=None if nested else _leaf(found, field),
        expand=(lambda: record_tree(nested, name).content) if nested else NodeContent,
    )


def _leaf(found: Type, field: FieldInfo) -> Leaf:
    return Leaf(found.kind, _max_length(field), _judge(field, many=found.many), enumeration=found.values)


def _judge(field: FieldInfo, *, many: bool) -> Callable[[str], None]:
    """Asks pydantic whether a field takes a text; only checks ask, records are validated as a whole."""

    @cache
    def adapter() -> TypeAdapter[Any]:
        return TypeAdapter(cast("Any", Annotated[field.annotation, field]))

    def judge(text: str) -> None:
        try:
            adapter().validate_python([text] if many else text)
        except ValidationError:
            raise Unusable(Why.NO_SUCH_FIELD()) from None

    return judge


def _max_length(field: FieldInfo) -> int | None:
    return next((length for rule in field.metadata if (length := getattr(rule, "max_length", None))), None)


def _type(annotation: Any) -> Type:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0])
    if origin in (Union, types.UnionType):
        rest = [part for part in arguments if part is not type(None)]
        found = _type(rest[0])
        python = found.python if len(rest) == 1 else None
        return replace(found, nullable=len(rest) < len(arguments) or found.nullable, python=python)
    if origin in (tuple, list, frozenset):
        found = _type(arguments[0])
        return replace(found, many=True, nullable=True)
    if origin in (dict, Mapping):
        return OPEN
    if origin is Literal:
        return Type("text", values=tuple(map(str, arguments)))
    return _plain(annotation)


def _plain(annotation: Any) -> Type:
    if not isinstance(annotation, type):
        return OPEN
    if issubclass(annotation, BaseModel):
        return Type("any", annotation)
    if issubclass(annotation, Enum):
        return Type("text", values=tuple(str(member.value) for member in annotation))
    kind: Kind = next((kind for known, kind in _KINDS if issubclass(annotation, known)), "text")
    python = annotation if annotation in _EXACT else None
    return Type(kind, max_length=_UUID_LENGTH if issubclass(annotation, UUID) else None, python=python)
