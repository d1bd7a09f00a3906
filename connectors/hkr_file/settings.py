"""The connection to an HKR system that takes files: where they go, how they look, how to get there.

Over SFTP the fields are named as those of Airflow's SFTP provider. Without a host it is a folder of this machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

import asyncssh
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from kiezbruecke.connector import Connection
from kiezbruecke.errors import ConfigurationError

_NAME = r"^[A-Za-z0-9][A-Za-z0-9\-/._]{0,34}$"
_TABLE = r"^[a-z0-9][a-z0-9-]*$"
_OWN = ("connection", "host", "port", "login", "password")  # come from the connection itself


class Settings(BaseModel):
    """What the client needs to know; `path`, `answers` and `taken` are folders of one machine, here or there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connection: str
    host: str = ""
    port: int = Field(22, ge=1, le=65_535)
    login: str = Field("", repr=False)
    password: SecretStr = SecretStr("")
    profile: str = Field(pattern=_TABLE)
    path: str = Field(min_length=1)
    answers: str = ""
    taken: str = ""
    answers_profile: str = Field("hkr-rueckmeldung", pattern=_TABLE)
    dienststelle: str = Field(pattern=_NAME)
    vorverfahren: str = Field("KIEZBRUECKE", pattern=_NAME)
    host_key: str = ""
    known_hosts: str = ""
    key_file: str = ""
    private_key_passphrase: SecretStr = SecretStr("")
    conn_timeout: float = Field(10, gt=0, le=300)
    deadline: float = Field(120, gt=0, le=3600)
    max_bytes: int = Field(64 * 1024 * 1024, ge=1)

    @model_validator(mode="after")
    def _is_whole_and_safe(self) -> Self:
        folders = [one for one in (self.path, self.answers, self.taken) if one]
        if len({one.rstrip("/") for one in folders}) != len(folders):
            raise ValueError("path, answers and taken are the same folder; expected one for each")
        if self.host and bool(self.host_key) == bool(self.known_hosts):
            raise ValueError(
                "whom the host must prove to be is not said; expected host_key or known_hosts, one of them"
            )
        if self.host and not self.login:
            raise ValueError("login is empty; expected the account on the SFTP server")
        return self

    @property
    def where(self) -> str:
        """The connection, as errors name it."""
        return f"connection {self.connection}"

    @classmethod
    def from_connection(cls, connection: Connection) -> Self:
        """The settings of an Airflow connection; raises ConfigurationError naming the field."""
        where = f"connection {connection.id}"
        given = {name: value for name, value in connection.extra.items() if value not in (None, "")}
        given.pop("environment", None)
        if own := sorted({*_OWN} & given.keys()):
            raise ConfigurationError(f"extra must not hold {', '.join(own)}", where=where)
        address = {"host": _host(connection), "port": connection.port or 22}
        account = {"login": connection.login, "password": connection.password}
        try:
            found = cls.model_validate({**given, **address, **account, "connection": connection.id})
        except ValidationError as error:
            raise _refused(error, where) from None
        _refuse_bad_key(found)
        return found


def _host(connection: Connection) -> str:
    host = connection.host.strip().removeprefix("sftp://").rstrip("/")
    if any(sign in host for sign in "/@ ") or (":" in host and not host.startswith("[")):
        raise ConfigurationError(
            "host is no name of a machine",
            where=f"connection {connection.id}",
            expected="sftp.example, and the port apart",
        )
    return host


def _refused(error: ValidationError, where: str) -> ConfigurationError:
    first = error.errors(include_input=False, include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    what, _, expected = first["msg"].removeprefix("Value error, ").partition("; expected ")
    if first["type"] == "extra_forbidden":
        expected = ", ".join(name for name in Settings.model_fields if name not in _OWN)
    return ConfigurationError(f"extra.{field}: {what}" if field else what, where=where, expected=expected)


def _refuse_bad_key(settings: Settings) -> None:
    """A key that cannot be read is told before anybody is called; nothing of it is quoted."""
    for name in ("known_hosts", "key_file"):
        file = str(getattr(settings, name))
        if file and not Path(file).is_file():
            raise ConfigurationError(f"extra.{name}: there is no such file", where=settings.where, expected="a file")
    try:
        if settings.host_key:
            asyncssh.import_public_key(settings.host_key)
    except (asyncssh.KeyImportError, ValueError):
        raise ConfigurationError(
            "extra.host_key is no public key", where=settings.where, expected="a line such as ssh-ed25519 AAAA…"
        ) from None
