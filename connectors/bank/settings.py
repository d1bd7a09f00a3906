"""What an operator sets for a bank: whose account, and how files come and go – over HTTP, or through a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from connectors._http import HttpSettings
from connectors.bank.characters import Characters, written
from connectors.bank.pain001 import Debtor
from connectors.bank.payment import LONGEST_NAME, is_bic, is_iban
from kiezbruecke.connector import Connection
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.values import Unusable

MEGABYTE = 1024 * 1024


class Settings(BaseModel):
    """The `extra` of a bank's connection; `gateway` where no folder is named."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    connection: str
    gateway: HttpSettings | None = None
    path: Path | None = Field(None, description="Folder with out and in; empty: over HTTP")
    debtor_name: str = Field(min_length=1)
    debtor_iban: str = Field(repr=False)
    debtor_bic: str = ""
    characters: Characters = "latin"
    skip_unmatched: bool = False
    test_bank: bool = False
    settle_seconds: float = Field(2, ge=0, le=60)
    max_bytes: int = Field(512 * MEGABYTE, ge=1)

    @model_validator(mode="after")
    def _is_an_account(self) -> Self:
        if not is_iban(self.debtor_iban):
            raise ValueError("debtor_iban is no IBAN; expected one in capitals without blanks")
        if self.debtor_bic and not is_bic(self.debtor_bic):
            raise ValueError("debtor_bic is no BIC")
        try:
            written(self.debtor_name, self.characters, LONGEST_NAME)
        except Unusable:
            raise ValueError("debtor_name has no character that a bank takes") from None
        return self

    @property
    def debtor(self) -> Debtor:
        """Whose account is debited."""
        return Debtor(self.debtor_name, self.debtor_iban, self.debtor_bic, self.characters)

    @classmethod
    def from_connection(cls, connection: Connection) -> Self:
        """The settings of a connection; raises ConfigurationError naming the field, never its value."""
        where = f"connection {connection.id}"
        given = {name: value for name, value in connection.extra.items() if value not in (None, "")}
        own: dict[str, Any] = {name: given.pop(name) for name in cls.model_fields if name in given}
        if both := {"connection", "gateway"} & own.keys():
            raise ConfigurationError(f"extra must not hold {', '.join(sorted(both))}", where=where)
        if "path" in own and connection.host:
            raise ConfigurationError("host and path are both given", where=where, expected="one of them")
        if "path" in own:
            own["path"] = Path.cwd() / str(own["path"])
        else:
            own["gateway"] = HttpSettings.from_connection(_only(connection, given))
            given = {}
        try:
            return cls.model_validate({"connection": connection.id, **own, **given})
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = ".".join(map(str, first["loc"]))
            raise ConfigurationError(
                f"{field}: {first['msg']}" if field else first["msg"],
                where=where,
                expected="debtor_name, debtor_iban and a host, or a path",
            ) from None


def _only(connection: Connection, extra: dict[str, Any]) -> Connection:
    """The connection as its HTTP part sees it."""
    return Connection(
        connection.id,
        connection.type,
        connection.host,
        connection.port,
        connection.schema,
        connection.login,
        connection.password,
        extra,
    )
