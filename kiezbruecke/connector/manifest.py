"""A connector's manifest: data, read when Airflow parses, true without importing the client."""

from __future__ import annotations

from importlib import resources
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.plain_yaml import read_yaml


class FormField(BaseModel):
    """One field of the connection form (`extra`), shown in Airflow's web interface; label and help in German."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    help: str
    type: Literal["string", "integer", "boolean"] = "string"
    default: str | int | bool | None = None
    required: bool = False
    choices: tuple[str, ...] = ()
    secret: bool = False

    @model_validator(mode="after")
    def _is_one_or_the_other(self) -> Self:
        if self.required and self.default is not None:
            raise ValueError("a field that is required has no default")
        return self


# What every connection over HTTP has (connectors/_http.py); a manifest may give one of them another default.
HTTP_FIELDS: dict[str, dict[str, Any]] = {
    "ca_file": {
        "label": "Zertifizierungsstelle (PEM-Datei)",
        "help": "Leer: die Stellen, denen Python (certifi) vertraut",
    },
    "client_cert": {
        "label": "Eigenes Zertifikat (PEM-Datei)",
        "help": "Wenn die Gegenstelle eines verlangt; zusammen mit dem Schlüssel",
    },
    "client_key": {"label": "Schlüssel zum eigenen Zertifikat (PEM-Datei)", "help": "Ohne Kennwort"},
    "connect_timeout": {
        "label": "Frist für den Verbindungsaufbau (Sekunden)",
        "help": "Danach ist sicher, dass nichts gesendet wurde",
        "type": "integer",
        "default": 10,
    },
    "read_timeout": {
        "label": "Frist für das nächste Byte (Sekunden)",
        "help": "So lange darf die Gegenstelle schweigen",
        "type": "integer",
        "default": 30,
    },
    "deadline": {
        "label": "Frist für den ganzen Aufruf (Sekunden)",
        "help": "Gilt auch, wenn die Antwort Byte für Byte kommt",
        "type": "integer",
        "default": 120,
    },
}


class Capabilities(BaseModel):
    """What the target can honestly do about doubt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dedupes: bool = Field(False, description="The same bytes with the same id twice is harmless")
    look_up: bool = Field(False, description="It can be asked what became of a message")
    batch: bool = Field(False, description="It takes many messages in one carrier")
    full_list: bool = Field(False, description="A carrier always holds the whole list")
    parallel: bool = Field(
        False, description="Several targets may send at once, each opened anew and used by one thread at a time"
    )


class TargetProfile(BaseModel):
    """What is otherwise for the connections whose extra `profile` names it: they lead to another kind of target."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: str
    effects: tuple[str, ...]
    can: Capabilities


class Manifest(BaseModel):
    """connector.yaml"""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    connection_type: str = Field(pattern=r"^kb_[a-z0-9_]+$")
    description: str = ""
    source: str | None = Field(None, description="'module:Class', called with (connection, context)")
    target: str | None = Field(None, description="'module:Class', called with (connection, context)")
    receiver: str | None = Field(None, description="'module:Class', called with (connection); see protocols.Receiver")
    sandbox: str | None = Field(None, description="'module:create', see kiezbruecke.sandbox")
    settings: str = Field(description="'module:Class', a pydantic model with from_connection()")
    listing: Literal["full", "new"] = Field("new", description="full: what is no longer yielded is gone")
    item_kinds: tuple[str, ...] = Field((), description="Kinds of items, or patterns")
    effects: tuple[str, ...] = Field(
        (), description="Names of effects, or patterns: 'commitment.*'; '*' takes any bytes"
    )
    can: Capabilities = Capabilities()
    profiles: dict[str, TargetProfile] = Field({}, description="By a connection's `profile`, where its target differs")
    transport: Literal["http", "sftp", "none"] = Field(
        "http",
        description="http: has an address, an account, and the fields that all connections over HTTP have; "
        "sftp: has an address and an account, and is a folder of this machine where the address is empty",
    )
    fields: dict[str, FormField] = {}
    options: dict[str, str] = Field({}, description="What it reads of a route's `with`: name, and what it is for")
    probe: str | None = Field(None, description="'module:function', logs in and changes nothing; see protocols.Probe")

    def of_profile(self, name: object) -> Manifest:
        """What is true of a connection with this profile."""
        profile = self.profiles.get(str(name))
        return self.model_copy(update=dict(profile)) if profile else self

    @model_validator(mode="before")
    @classmethod
    def _has_the_fields_of_its_transport(cls, body: Any) -> Any:
        if not isinstance(body, dict) or body.get("transport", "http") != "http":
            return body
        own = dict(body.get("fields") or {})
        shared = {name: {**field, **_plain(own.pop(name, {}))} for name, field in HTTP_FIELDS.items()}
        return {**body, "fields": {**own, **shared}}


def _plain(field: Any) -> dict[str, Any]:
    return field.model_dump() if isinstance(field, FormField) else dict(field)


def read_manifest(package: str) -> Manifest:
    """The manifest of a connector package such as 'connectors.xta'; raises ConfigurationError."""
    where = f"{package}/connector.yaml"
    try:
        with resources.as_file(resources.files(package) / "connector.yaml") as file:
            return Manifest.model_validate(read_yaml(file))
    except ModuleNotFoundError as error:
        raise ConfigurationError("the manifest is missing", where=where, helps=str(error)) from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ConfigurationError(
            f"{'.'.join(map(str, first['loc']))}: {first['msg']}", where=where, expected="a manifest"
        ) from error
