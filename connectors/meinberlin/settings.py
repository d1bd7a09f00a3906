"""The connection to mein.berlin, checked before the first byte: address, accounts, patience."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from kiezbruecke.connector import Connection
from kiezbruecke.errors import ConfigurationError


class Settings(BaseModel):
    """What the client needs to know; empty logins mean anonymous reading."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connection: str
    origin: str
    site: str = ""
    login: str = Field("", repr=False)
    password: SecretStr = SecretStr("")
    export: bool = True
    export_login: str = Field("", repr=False)
    export_password: SecretStr = SecretStr("")
    page_size: int = Field(100, ge=1, le=1000)
    passes: int = Field(6, ge=2, le=50)
    connect_timeout: float = Field(10, gt=0, le=300)
    read_timeout: float = Field(30, gt=0, le=600)
    deadline: float = Field(120, gt=0, le=3600)

    @model_validator(mode="after")
    def _passwords_stay_secret(self) -> Settings:
        if self.origin.startswith("http://") and (self.login or self.export_login) and not _is_local(self.origin):
            raise ValueError("a password must not travel over http; use https")
        return self

    @property
    def public(self) -> str:
        """Where people see the proposals: `site`, else the address of the API."""
        return self.site.rstrip("/") or self.origin

    @property
    def exporter(self) -> tuple[str, str] | None:
        """Login and password for the export, or None: the export's own, else the account of the API."""
        if not self.export:
            return None
        if self.export_login:
            return self.export_login, self.export_password.get_secret_value()
        return (self.login, self.password.get_secret_value()) if self.login else None

    @classmethod
    def from_connection(cls, connection: Connection) -> Settings:
        """The settings of an Airflow connection; raises ConfigurationError naming the field."""
        given = {key: value for key, value in connection.extra.items() if value not in (None, "")}
        try:
            return cls(
                connection=connection.id,
                origin=_origin(connection),
                login=connection.login,
                password=SecretStr(connection.password),
                **given,
            )
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = ".".join(map(str, first["loc"])) or "host"
            raise ConfigurationError(
                f"{field}: {first['msg']}", where=f"connection {connection.id}", expected=_expected(field)
            ) from None
        except TypeError as error:  # an extra called like a field of the connection itself
            raise ConfigurationError(str(error), where=f"connection {connection.id}") from None


def _origin(connection: Connection) -> str:
    """'https://mein.berlin.de' from a whole address in `host`, or from host, schema and port."""
    host = connection.host.strip()
    where = f"connection {connection.id}"
    expected = "https://mein.berlin.de, or host mein.berlin.de with schema https"
    if not host:
        raise ConfigurationError("host is empty", where=where, expected=expected)
    parts = urlsplit(host if "://" in host else f"{connection.schema or 'https'}://{host}")
    try:
        port = parts.port or connection.port
    except ValueError:
        raise ConfigurationError("the port is no number", where=where, expected=expected) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ConfigurationError("host is no address of a platform", where=where, expected=expected)
    if parts.username or parts.password:
        raise ConfigurationError("host holds a login", where=where, helps="use the fields login and password")
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{name}:{port}" if port else f"{parts.scheme}://{name}"


def _is_local(origin: str) -> bool:
    name = urlsplit(origin).hostname or ""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name.endswith("localhost") or "." not in name  # a single label is no address of the internet


def _expected(field: str) -> str:
    known: dict[str, Any] = Settings.model_fields
    if field in known or field == "host":
        return ""
    return ", ".join(name for name in known if name not in ("connection", "origin", "login", "password"))
