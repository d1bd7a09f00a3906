"""Invents what a mapping reads: valid values for every root, the same each time, and nobody's.

Names are those of no person, addresses lie below `example.org`, sums are round.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from io import StringIO
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo
from ruamel.yaml import YAML
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from kiezbruecke.mapping.schema.models import field_type, root_model
from kiezbruecke.mapping.schema.pattern_example import examples_of
from kiezbruecke.mapping.schema.tree import Leaf
from kiezbruecke.mapping.values import Kind
from kiezbruecke.records import name_id

_TEXTS = {
    "address": "Musterweg 1, 12345 Musterort",
    "area_id": "090517",
    "area_name": "Friedrichshagen",
    "bezirk_id": "09",
    "category": "Kultur",
    "chapter": "3300",
    "display_name": "Verein Beispiel e. V.",
    "effect": "file.create",
    "email": "verein@example.org",
    "external_id": "4711",
    "file": "5b7f7b0e-51f5-5d2c-9a52-0c8a6a0e0021_Beispiel.pdf",
    "kind": "proposal",
    "legal_name": "Verein Beispiel e. V.",
    "media_type": "application/pdf",
    "name": "Beispiel",
    "origin": "0000:2",
    "original": "Beispiel.pdf",
    "pdf_version": "1.4",
    "phone": "030 0000000",
    "process_id": "kk-tk-2026",
    "reference": "2026-00001",
    "reference_number": "2026-00001",
    "reference_prefix": "KK26",
    "references": "P-#",
    "related_reference": "KK26-090517-00001-F1",
    "sha512": "0" * 128,
    "sheet": "beschluesse.xlsx",
    "slug": "beispiel",
    "source": "beispiel",
    "state": "bewilligt",
    "title": "Sommerfest am Wasser",
    "url": "https://mein.example/vorschlaege/2026-00001/",
    "voucher": "00000001",
}
_IN_BUDGETS = {"title": "68406"}
_IN_MESSAGES = {"reference": "KK26-090517-00001-A1"}
_NUMBERS = {"fiscal_year": 2026, "row": 2, "lon": 13.62, "lat": 52.45}
_DAY = date(2026, 4, 24)
_MOMENT = datetime(2026, 4, 27, 4, 15, 0, 250_000, tzinfo=UTC)
_SUM = Decimal("850.00")
_OF_KIND: Mapping[Kind, tuple[str, ...]] = {
    "boolean": ("false", "0"),
    "date": (_DAY.isoformat(),),
    "decimal": (str(_SUM), "850", "1", "0.5"),
    "integer": ("1", "2026", "10"),
    "moment": ("2026-04-27T04:15:00Z", "2026-04-27T04:15:00"),
}


_OF_FORMAT = {  # of JSON Schema, 7.3
    "duration": "P30D",
    "email": "verein@example.org",
    "hostname": "www.example.org",
    "idn-email": "verein@example.org",
    "idn-hostname": "www.example.org",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "iri": "https://www.example.org/",
    "json-pointer": "/titel",
    "regex": "[0-9]+",
    "time": "10:00:00Z",
    "uri": "https://www.example.org/",
    "uri-reference": "/vorschlaege/1",
    "uuid": "5b7f7b0e-51f5-5d2c-9a52-0c8a6a0e0021",
}


class _Representer(RoundTripRepresenter):
    """Sums with their cents, and every value where it stands: examples have no anchors."""

    def ignore_aliases(self, _: Any) -> bool:
        return True


def _sum(representer: _Representer, value: Decimal) -> Any:
    return representer.represent_scalar("tag:yaml.org,2002:float", f"{value:.2f}")


_Representer.add_representer(Decimal, _sum)


def input_text(
    roots: tuple[str, ...], read: Iterable[str], *, full: bool, records: Mapping[str, Any] | None = None
) -> str:
    """An example's `input.yaml`: every field, or the mandatory ones and those that the rules read.

    `records` are roots whose values are there already; None for one that stands in a file of its own.
    """
    paths, given = sorted(set(read)), records or {}
    body = {
        name: given[name] if name in given else _root(name, [one for one in paths if _is_of(name, one)], full=full)
        for name in roots
    }
    stream = StringIO()
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump({name: value for name, value in body.items() if value is not None}, stream)
    what = "every field has a value" if full else "only what must be there"
    beside = "".join(f" The record stands in {name}.xml." for name, value in given.items() if value is None)
    return f"# Invented: {what}. Replace it by a case of yours, without a real person.{beside}\n{stream.getvalue()}"


def _is_of(root: str, path: str) -> bool:
    return path.partition(".")[0] == root


def invented_text(name: str, leaf: Leaf) -> str:
    """A text that a schema takes in a place of this name; a plain word where none is found."""
    shapes = (*(pattern for step in leaf.patterns[-1:] for pattern in step), *leaf.searched)
    patterns = (text for pattern in shapes for text in examples_of(pattern))
    formats = (_OF_FORMAT[one] for one in leaf.formats if one in _OF_FORMAT)
    least = int(leaf.facets.get("minLength", leaf.facets.get("length", ("0",)))[0])
    plain = (_TEXTS.get(name.lower(), ""), "Beispiel", "1", "A", "DE", "0" * least, ("Beispiel " * 40)[:least])
    candidates = (*leaf.enumeration, *_OF_KIND.get(leaf.kind, ()), *formats, *patterns, *plain)
    texts = (one[: leaf.max_length].strip() for one in candidates)
    return next((text for text in texts if text and not leaf.refusal(text)), "Beispiel")


def _root(name: str, read: list[str], *, full: bool) -> Any:
    model = root_model(name)
    below = [path.partition(".")[2] for path in read if "." in path]
    if model is not None:
        return _model(model, below, name, full=full) if full or read or name != "proposal" else None
    if name == "envelope":
        return {"external_id": DoubleQuotedScalarString("4711"), "kind": "proposal", "source": "beispiel"}
    return _open(below)


def _model(model: type[BaseModel], read: list[str], where: str, *, full: bool) -> dict[str, Any]:
    """A model's fields; a nested one only as far as it must be there."""
    found = {}
    for name, field in model.model_fields.items():
        below = [path.partition(".")[2] for path in read if path.split(".")[0] == name]
        if full or field.is_required() or below:
            found[name] = _field(name, field, below, where, full=full)
    return found


def _field(name: str, field: FieldInfo, read: list[str], where: str, *, full: bool) -> Any:
    found = field_type(field)
    if found.model is not None:
        value: Any = _model(found.model, read, f"{where}.{name}", full=full)
    else:
        value = _written(invented(name, field, where))
    return [value] if found.many else value


def invented(name: str, field: FieldInfo, where: str) -> Any:
    """A valid value of a model's field; `where` is the path of the model."""
    if (choices := _choices(field.annotation)) is not None:
        return choices[0]
    kinds = _kinds(field.annotation)
    if UUID in kinds:
        return name_id("example", where, name)
    if AwareDatetime in kinds:
        return _MOMENT
    found = field_type(field).kind
    typed = {"boolean": False, "date": _DAY, "moment": _MOMENT, "integer": _NUMBERS.get(name, 1)}
    if found == "decimal":
        return _NUMBERS.get(name, _SUM)
    own = {"budget": _IN_BUDGETS, "message": _IN_MESSAGES}.get(where, {})
    return typed.get(found, own.get(name) or _TEXTS.get(name, "Beispiel"))


def _written(value: Any) -> Any:
    """The value as YAML holds it: what only looks like a number stays in quotes."""
    if isinstance(value, str) and value.replace(".", "").isdigit():
        return DoubleQuotedScalarString(value)
    return (
        value
        if isinstance(value, str | int | float | Decimal | date) and not isinstance(value, datetime)
        else _shown(value)
    )


def _shown(value: Any) -> str:
    return value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else str(value)


def _choices(annotation: Any) -> list[Any] | None:
    """The values of a Literal or an Enum, also inside an Optional."""
    if get_origin(annotation) is Literal:
        return [getattr(one, "value", one) for one in get_args(annotation)]  # members of an Enum, too
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [member.value for member in annotation]
    return next((found for part in get_args(annotation) if (found := _choices(part))), None)


def _kinds(annotation: Any) -> set[Any]:
    return {annotation, *(kind for part in get_args(annotation) for kind in _kinds(part))}


def _open(paths: list[str]) -> Mapping[str, Any]:
    """An open root holds what the rules read in it."""
    body: dict[str, Any] = {}
    for path in paths:
        *above, last = path.split(".")
        place = body
        for name in above:
            place = place.setdefault(name, {})
        place[last] = _written(_TEXTS.get(last, "Beispiel"))
    return body
