"""What an operator sets for a bank: whose account, and how files come and go – over HTTP, or through a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from connectors._http import HttpSettings, address_of
from connectors.bank.characters import Characters, written
from connectors.bank.pain001 import Debtor
from connectors.bank.payment import LONGEST_NAME, is_bic, is_iban
from kiezbruecke.connector import Connection
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.values import Unusable

MEGABYTE = 1024 * 1024


def _from_here(path: Path | None) -> Path | None:
    """A relative path starts at the working directory."""
    return None if path is None else Path.cwd() / path


class Settings(HttpSettings):
    """What the client needs to know. With a `path` there is no address, and nothing of a line counts."""

    path: Annotated[Path | None, AfterValidator(_from_here)] = Field(None, description="Folder with out and in")
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
    def addresses(self) -> tuple[str, ...]:
        """Every address that is called; a folder has none."""
        return (self.address,) if self.address else ()

    @property
    def debtor(self) -> Debtor:
        """Whose account is debited."""
        return Debtor(self.debtor_name, self.debtor_iban, self.debtor_bic, self.characters)

    @classmethod
    def address_from(cls, connection: Connection) -> str:
        """The address, or none where the connection names a folder; raises ConfigurationError for both."""
        if not connection.extra.get("path"):
            return address_of(connection)
        if connection.host:
            where = f"connection {connection.id}"
            raise ConfigurationError("host and path are both given", where=where, expected="one of them")
        return ""
