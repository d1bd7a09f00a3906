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


class _Representer(RoundTripRepresenter):
    """Sums with their cents, and every value where it stands: examples have no anchors."""

    def ignore_aliases(self, _: Any) -> bool:
        return True


def _sum(representer: _Representer, value: Decimal) -> Any:
    return representer.represent_scalar("tag:yaml.org,2002:float", f"{value:.2f}")


_Representer.add_representer(Decimal, _sum)


def input_text(roots: tuple[str, ...], read: Iterable[str], *, full: bool) -> str:
    """An example's `input.yaml`: every field, or the mandatory ones and those that the rules read."""
    paths = sorted(set(read))
    body = {name: _root(name, [path for path in paths if path.split(".")[0] == name], full=full) for name in roots}
    stream = StringIO()
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump({name: value for name, value in body.items() if value is not None}, stream)
    what = "every field has a value" if full else "only what must be there"
    return f"# Invented: {what}. Replace it by a case of yours, without a real person.\n{stream.getvalue()}"


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
