"""What every connection over HTTP has in common: an address, a way in, certificates, patience – checked before a byte.

    class Settings(HttpSettings):        address, login, password, ca_file, client_cert, client_key, three times
        page_size: int = 100             … and the system's own fields
    Settings.from_connection(connection).wire ─▶ Line

Plain http goes to this machine only: what we carry is secrets and people's data. The rule stands here, and where a name
leads is looked at once more when a connection is opened (`_line.py`). Files are named where they are no good before a
client exists. Every text names connection and field, never a secret.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from connectors._line import Wire, tls
from kiezbruecke import german
from kiezbruecke.connector import Connection
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.troubles import Cause, Trouble

FILES = ("ca_file", "client_cert", "client_key")
OWN = ("connection", "address", "login", "password")  # come from the connection itself, never from its `extra`
_EXPECTED = "https://name.example/path, or host name.example with schema https"


class HttpSettings(BaseModel):
    """What a client over HTTP needs to know. Without login and certificate the other side must trust the line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connection: str
    address: str
    login: str = Field("", repr=False)
    password: SecretStr = SecretStr("")
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    connect_timeout: float = Field(10, gt=0, le=300)
    read_timeout: float = Field(30, gt=0, le=600)
    deadline: float = Field(120, gt=0, le=3600)

    @model_validator(mode="after")
    def _is_whole_and_safe(self) -> Self:
        if not all(map(_is_address, self.addresses)):
            raise ValueError(f"an address is none; expected {_EXPECTED}")
        if not all(map(is_safe, self.addresses)):
            raise ValueError("secrets and people's data must not travel over http to another machine; use https")
        if bool(self.client_cert) != bool(self.client_key):
            raise ValueError("client_cert and client_key belong together")
        return self

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address that is called."""
        return (self.address,)

    @property
    def wire(self) -> Wire:
        """How calls travel."""
        return Wire(
            ca_file=self.ca_file,
            client_cert=self.client_cert,
            client_key=self.client_key,
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
            deadline=self.deadline,
            user=self.login,
            password=self.password.get_secret_value(),
        )

    @classmethod
    def from_connection(cls, connection: Connection) -> Self:
        """The settings of an Airflow connection; raises ConfigurationError naming the field."""
        where = f"connection {connection.id}"
        given = {name: value for name, value in connection.extra.items() if value not in (None, "")}
        if own := sorted({*OWN} & given.keys()):
            raise ConfigurationError(f"extra must not hold {', '.join(own)}", where=where)
        account = {"login": connection.login, "password": connection.password}
        body = {**given, **account, "connection": connection.id, "address": cls.address_from(connection)}
        try:
            found = cls.model_validate(body)
        except ValidationError as error:
            raise ConfigurationError(_first(error), where=where, expected=cls._expected(error)) from None
        found.refuse_bad_files()
        return found

    @classmethod
    def address_from(cls, connection: Connection) -> str:
        """The address of a connection; raises ConfigurationError. A system with another way may have none."""
        return address_of(connection)

    def refuse_bad_files(self) -> None:
        """Name the certificate, key or authority that is missing, unreadable, expired, or does not fit."""
        given = {name: file for name in FILES if (file := str(getattr(self, name)))}
        for name, file in given.items():
            _refuse_unreadable(self.connection, name, file)
        if not given:
            return
        try:
            tls(self.wire)
        except ssl.SSLError as error:
            why = "client_key is not the key of client_cert" if error.reason == "KEY_VALUES_MISMATCH" else "no PEM"
            raise _bad_file(self.connection, " and ".join(given), why) from None
        if self.client_cert:
            _refuse_expired(self.connection, Path(self.client_cert))

    @classmethod
    def _expected(cls, error: ValidationError) -> str:
        """The known fields, where one is not known."""
        if error.errors(include_url=False, include_input=False)[0]["type"] != "extra_forbidden":
            return ""
        return ", ".join(name for name in cls.model_fields if name not in OWN)


def address_of(connection: Connection) -> str:
    """`https://name.example:8443/path` without a slash at its end, from a whole address in `host` or from its parts."""
    host, where = connection.host.strip(), f"connection {connection.id}"
    if not host:
        raise ConfigurationError("host is empty", where=where, expected=_EXPECTED)
    try:
        parts = urlsplit(host if "://" in host else f"{connection.schema or 'https'}://{host}")
    except ValueError:
        raise ConfigurationError("host is no address", where=where, expected=_EXPECTED) from None
    try:
        port = parts.port or connection.port
    except ValueError:
        raise ConfigurationError("the port is no number", where=where, expected=_EXPECTED) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ConfigurationError("host is no address", where=where, expected=_EXPECTED)
    if "@" in parts.netloc:
        raise ConfigurationError("host holds a login", where=where, helps="use the fields login and password")
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{name}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def _refuse_unreadable(connection: str, name: str, file: str) -> None:
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        raise _bad_file(connection, f"{name}, {file}", error.strerror or type(error).__name__) from None
    if name == "client_key" and b"ENCRYPTED" in content:
        raise _bad_file(connection, name, "the key is locked with a password")


def _refuse_expired(connection: str, file: Path) -> None:
    from cryptography import x509  # noqa: PLC0415 - takes its time, and most connections show no certificate

    own = x509.load_pem_x509_certificate(file.read_bytes())
    if own.not_valid_after_utc < datetime.now(UTC):
        trouble = Trouble(Cause.CERTIFICATE_EXPIRED, german.day(own.not_valid_after_utc))
        where = f"connection {connection}, client_cert"
        raise ConfigurationError(trouble.english, where=where, helps=trouble.english_helps, trouble=trouble)


def _bad_file(connection: str, name: str, why: str) -> ConfigurationError:
    trouble = Trouble(Cause.FILE, name)
    where, helps = f"connection {connection}, {name}", trouble.english_helps
    return ConfigurationError(why, where=where, helps=helps, trouble=trouble)


def is_safe(url: str) -> bool:
    """Whether anything may go there: over https, or not off this machine."""
    return urlsplit(url).scheme == "https" or is_local(url)


def is_local(url: str) -> bool:
    """Whether an address is this machine: a loopback address, or a name that must be one (RFC 6761)."""
    name = urlsplit(url).hostname or ""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def _is_address(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc


def _first(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    field = ".".join(map(str, first["loc"]))
    return f"{field}: {first['msg']}" if field else first["msg"]
