"""A connector's manifest: data, read when Airflow parses, true without importing the client."""

from __future__ import annotations

from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from kiezbruecke.errors import ConfigurationError


class FormField(BaseModel):
    """One field of the connection form (`extra`), shown in Airflow's web interface."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    type: Literal["string", "integer", "boolean", "object"] = "string"
    default: str | int | bool | None = None
    secret: bool = False
    description: str = ""


class Capabilities(BaseModel):
    """What the target can honestly do about doubt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dedupes: bool = Field(False, description="The same bytes with the same id twice is harmless")
    look_up: bool = Field(False, description="It can be asked what became of a message")
    batch: bool = Field(False, description="It takes many messages in one carrier")
    full_list: bool = Field(False, description="A carrier always holds the whole list")


class Manifest(BaseModel):
    """connector.yaml"""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    connection_type: str = Field(pattern=r"^kb_[a-z0-9_]+$")
    description: str = ""
    source: str | None = Field(None, description="'module:Class', called with (connection, context)")
    target: str | None = Field(None, description="'module:Class', called with (connection, context)")
    sandbox: str | None = Field(None, description="'module:create', see kiezbruecke.sandbox")
    settings: str = Field(description="'module:Class', a pydantic model with from_connection()")
    listing: Literal["full", "new"] = Field("new", description="full: what is no longer yielded is gone")
    item_kinds: tuple[str, ...] = ()
    effects: tuple[str, ...] = Field(
        (), description="Names of effects, or patterns: 'commitment.*'; '*' takes any bytes"
    )
    can: Capabilities = Capabilities()
    fields: dict[str, FormField] = {}


def read_manifest(package: str) -> Manifest:
    """The manifest of a connector package such as 'connectors.xta'; raises ConfigurationError."""
    where = f"{package}/connector.yaml"
    try:
        text = resources.files(package).joinpath("connector.yaml").read_text("utf-8")
        return Manifest.model_validate(YAML(typ="safe", pure=True).load(text))
    except (OSError, ModuleNotFoundError) as error:
        raise ConfigurationError("the manifest is missing", where=where, helps=str(error)) from error
    except YAMLError as error:
        raise ConfigurationError("not YAML", where=where, helps=" ".join(str(error).split())) from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ConfigurationError(
            f"{'.'.join(map(str, first['loc']))}: {first['msg']}", where=where, expected="a manifest"
        ) from error
