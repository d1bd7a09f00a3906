"""What an operator sets for deliveries: where they are kept, how they are signed, and what is too much."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from kiezbruecke.connector import Connection
from kiezbruecke.errors import ConfigurationError

_SHORTEST, _LONGEST = 24, 64  # bytes of a key: Standard Webhooks, "Signature scheme"


def _key(text: str) -> bytes:
    """`whsec_` and base64, as the specification writes keys."""
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith("whsec_") or not _SHORTEST <= len(key) <= _LONGEST:
        raise ValueError(f"no key; expected whsec_ and {_SHORTEST} to {_LONGEST} bytes in base64")
    return key


def _checked(given: SecretStr) -> SecretStr:
    _key(given.get_secret_value())
    return given


def _checked_if_any(given: SecretStr) -> SecretStr:
    return _checked(given) if given else given


class Settings(BaseModel):
    """The `extra` of a webhook's connection."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    path: Path = Field(description="Landing folder")
    secret: Annotated[SecretStr, AfterValidator(_checked)]
    old_secret: Annotated[SecretStr, AfterValidator(_checked_if_any)] = SecretStr("")
    window: int = Field(300, ge=30, le=3600, description="Seconds that a delivery's time may differ from ours")
    max_bytes: int = Field(1_000_000, ge=1, le=20_000_000)
    max_waiting: int = Field(10_000, ge=1, le=1_000_000)

    @classmethod
    def from_connection(cls, connection: Connection) -> Self:
        """The settings of a connection; a relative path starts at the working directory. No key is ever quoted."""
        given = {name: value for name, value in connection.extra.items() if value != ""}
        try:
            settings = cls.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            raise ConfigurationError(
                f"extra.{field}: {first['msg']}", where=f"connection {connection.id}", expected="path and secret"
            ) from None
        return settings.model_copy(update={"path": Path.cwd() / settings.path})

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The keys that hold now."""
        return tuple(_key(one.get_secret_value()) for one in (self.secret, self.old_secret) if one)
