"""Reads the input of an example: roots as people write them in YAML or JSON, typed as they are in a run."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from collections.abc import Mapping as AnyMapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, SequenceNode

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.foreign_json import read_json
from kiezbruecke.machine import read_text
from kiezbruecke.mapping.language.findings import nearest
from kiezbruecke.mapping.language.unreadable import explain
from kiezbruecke.mapping.schema.models import root_model
from kiezbruecke.mapping.schema.sources import fraction
from kiezbruecke.plain_yaml import is_deep, read_yaml
from kiezbruecke.records import Process

_OF_PROCESS = Process.model_fields.keys() - {"areas"}  # a process file also says what is made for it


class _Constructor(SafeConstructor):
    """YAML as people write it in examples: sums are decimals, days are days, moments stay text for their model."""


def _decimal(constructor: SafeConstructor, node: Any) -> Decimal:
    return Decimal(str(constructor.construct_scalar(node)).replace("_", ""))


def _moment(constructor: SafeConstructor, node: Any) -> date | str:
    text = str(constructor.construct_scalar(node))
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


_Constructor.add_constructor("tag:yaml.org,2002:float", _decimal)
_Constructor.add_constructor("tag:yaml.org,2002:timestamp", _moment)


def read_input(file: Path, roots: Sequence[str]) -> AnyMapping[str, Any]:
    """What stands in the file, for a mapping that reads these roots; raises ConfigurationError."""
    text = ""
    try:
        text = read_text(file, what="the example")
        if file.suffix == ".json":
            body = read_json(text, number=float)
        else:
            if is_deep(text):
                raise ConfigurationError("the example is nested too deeply", where=str(file), expected="roots")
            yaml = YAML(typ="safe", pure=True)
            yaml.Constructor = _Constructor
            body = yaml.load(text)
    except YAMLError as error:
        why = explain(error, text)
        where = f"{file}:{why.line}:{why.column}"
        what = f"the example cannot be read: {why.message}"
        raise ConfigurationError(what, where=where, expected=why.expected, helps=why.helps) from None
    except json.JSONDecodeError as error:
        where = f"{file}:{error.lineno}:{error.colno}"
        raise ConfigurationError("the example cannot be read", where=where, expected="JSON") from None
    except (OSError, ValueError):
        raise ConfigurationError("the example cannot be read", where=str(file), expected="roots in UTF-8") from None
    if not isinstance(body, dict):
        expected = " and ".join(f"{name}: {{…}}" for name in roots)
        raise ConfigurationError("the example holds no roots", where=str(file), expected=expected)
    return body


def position_of(file: Path, path: Sequence[str | int]) -> str:
    """`file:line:column` of the key or member at a path, as near as the file has it."""
    try:
        node: Any = YAML(typ="rt", pure=True).compose(file.read_text("utf-8"))
    except YAMLError:  # JSON is YAML, too, but for some control characters
        return str(file)
    at = node
    for name in path:
        if isinstance(node, SequenceNode) and isinstance(name, int) and name < len(node.value):
            at = node = node.value[name]
            continue
        pairs = node.value if isinstance(node, MappingNode) else ()
        key, node = next(((key, value) for key, value in pairs if str(key.value) == str(name)), (None, None))
        if key is None:
            break
        at = key
    return f"{file}:{at.start_mark.line + 1}:{at.start_mark.column + 1}"


def typed_root(name: str, value: Any, content: Path, file: Path) -> Any:
    """A root as its model has it, given in part as its fields; raises ConfigurationError."""
    if name == "process" and isinstance(value, str):
        value = {key: part for key, part in _read_process(content, value, file).items() if key in _OF_PROCESS}
    try:
        return typed(name, value)
    except Misfit as misfit:
        raise _worded(misfit, file) from None


class Misfit(Exception):
    """A field of a root is none, or takes another value. `known` are the fields that there are, where it is none."""

    def __init__(self, path: tuple[str | int, ...], error: ValidationError | None, known: Collection[str] = ()) -> None:
        self.path, self.error, self.known = path, error, known
        super().__init__("a root does not fit")


def typed(name: str, value: Any) -> Any:
    """A root as its model has it, given in part as its fields, an open one as JSON; raises Misfit."""
    model = root_model(name)
    if model is None or not isinstance(value, dict):
        return _as_json(value)
    try:
        return model.model_validate(value)
    except ValidationError:
        return {field: _field(model, (name, field), part) for field, part in value.items()}


def _as_json(value: Any) -> Any:
    """Open roots hold what JSON holds: numbers with a point are floats there."""
    if isinstance(value, dict):
        return {key: _as_json(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_as_json(part) for part in value]
    return float(value) if isinstance(value, Decimal) else value


def own_record(value: Any) -> Any:
    """A record of one's own as its file would give it: days are texts, fractions as a run has them."""
    if isinstance(value, dict):
        return {key: own_record(part) for key, part in value.items()}
    if isinstance(value, list):
        return [own_record(part) for part in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        value = Decimal(repr(value))
    return fraction(value) if isinstance(value, Decimal) else value


def _field(model: type[BaseModel], path: tuple[str, str], value: Any) -> Any:
    """One field of a root that is given only in part."""
    if path[1] not in model.model_fields:
        raise Misfit(path, None, model.model_fields)
    try:
        return _adapter(model, path[1]).validate_python(value)
    except ValidationError as error:
        loc = error.errors(include_input=False, include_url=False)[0]["loc"]
        raise Misfit((*path, *loc), error) from None


@cache
def _adapter(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    field = model.model_fields[name]
    return TypeAdapter(cast("Any", Annotated[field.annotation, field]))


def _worded(misfit: Misfit, file: Path) -> ConfigurationError:
    where = position_of(file, misfit.path)
    if misfit.error is None:
        root, name = map(str, misfit.path)
        expected, helps = ", ".join(misfit.known), nearest(name, misfit.known)
        return ConfigurationError(f"unknown field '{name}' in '{root}'", where=where, expected=expected, helps=helps)
    message = misfit.error.errors(include_input=False, include_url=False)[0]["msg"]
    return ConfigurationError(f"{'.'.join(map(str, misfit.path))}: {message}", where=where)


def _read_process(content: Path, name: str, file: Path) -> AnyMapping[str, Any]:
    """The process that an example names; raises ConfigurationError."""
    folder = content / "mappings" / "processes"
    known = sorted(one.stem for one in folder.glob("*.yaml"))
    if name not in known:
        raise ConfigurationError(
            f"no process is called '{name}'",
            where=position_of(file, ("process",)),
            expected=", ".join(known),
            helps=nearest(name, known),
        )
    return read_yaml(folder / f"{name}.yaml")
