"""The connection to an HKR system, checked before the first byte: address, who we are there, patience."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from kiezbruecke.connector import Connection
from kiezbruecke.errors import ConfigurationError

_NAME = r"^[A-Za-z0-9][A-Za-z0-9\-/._]{0,34}$"
_ADDRESS = "https://hkr.example/hkr, or host hkr.example with schema https"


class Settings(BaseModel):
    """What the client needs to know; an empty login means that the line itself is trusted (mutual TLS)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connection: str
    url: str
    login: str = Field("", repr=False)
    password: SecretStr = SecretStr("")
    dienststelle: str = Field(pattern=_NAME)
    vorverfahren: str = Field("KIEZBRUECKE", pattern=_NAME)
    poll_size: int = Field(500, ge=1, le=10_000)
    ca_file: str = ""
    client_certificate: str = ""
    client_key: str = ""
    connect_timeout: float = Field(10, gt=0, le=300)
    read_timeout: float = Field(60, gt=0, le=600)
    deadline: float = Field(180, gt=0, le=3600)

    @model_validator(mode="after")
    def _secrets_stay_secret(self) -> Settings:
        if self.url.startswith("http://") and self.login and not _is_local(self.url):
            raise ValueError("a password must not travel over http; use https")
        if bool(self.client_certificate) != bool(self.client_key):
            raise ValueError("client_certificate and client_key belong together")
        return self

    @classmethod
    def from_connection(cls, connection: Connection) -> Settings:
        """The settings of an Airflow connection; raises ConfigurationError naming the field."""
        given = {name: value for name, value in connection.extra.items() if value not in (None, "")}
        where = f"connection {connection.id}"
        own = {"connection", "url", "login", "password"} & given.keys()
        if own:
            raise ConfigurationError(f"extra must not hold {', '.join(sorted(own))}", where=where)
        url = _url(connection, str(given.pop("path", "/hkr")))
        try:
            return cls(
                connection=connection.id,
                url=url,
                login=connection.login,
                password=SecretStr(connection.password),
                **given,
            )
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = ".".join(map(str, first["loc"])) or "connection"
            raise ConfigurationError(f"{field}: {first['msg']}", where=where) from None


def _url(connection: Connection, path: str) -> str:
    """The whole address, from a whole address in `host` or from host, schema, port and path."""
    where = f"connection {connection.id}"
    host = connection.host.strip()
    if not host:
        raise ConfigurationError("host is empty", where=where, expected=_ADDRESS)
    parts = urlsplit(host if "://" in host else f"{connection.schema or 'https'}://{host}")
    try:
        port = parts.port or connection.port
    except ValueError:
        raise ConfigurationError("the port is no number", where=where, expected=_ADDRESS) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ConfigurationError("host is no address of a service", where=where, expected=_ADDRESS)
    if parts.username or parts.password:
        raise ConfigurationError("host holds a login", where=where, helps="use the fields login and password")
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = f"{name}:{port}" if port else name
    return f"{parts.scheme}://{place}/{(parts.path.strip('/') or path.strip('/'))}"


def _is_local(url: str) -> bool:
    name = urlsplit(url).hostname or ""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
