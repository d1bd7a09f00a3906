"""What every record shares: frozen, money in cents' precision, aware times, NFC text, marked personal data."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache, lru_cache
from typing import Annotated, Any, ClassVar
from uuid import UUID, uuid5

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from kiezbruecke.records.marks import nfc

NAMESPACE = UUID("6b1f2f0a-8f56-5d0c-9d0e-6b7a1c5e2026")
CENT = Decimal("0.01")
MOST_MONEY = Decimal("999999999.99")
_MUST_TRAVEL: dict[str, bool] = {"must_travel": True}


@lru_cache(maxsize=4_096)  # a chunk's records are asked for their identity half a dozen times each
def name_id(*parts: str) -> UUID:
    """A stable id (UUIDv5) of the given names; the same names always give the same id."""
    return uuid5(NAMESPACE, "\x1f".join(parts))


def _money(value: object) -> object:
    """Refuse floats, sums finer than a cent and anything that is not a finite number."""
    if isinstance(value, bool | float):
        raise ValueError("money is a decimal text or Decimal, never a float")  # noqa: TRY004 - pydantic's contract
    if isinstance(value, str | int):
        try:
            value = Decimal(value)
        except ArithmeticError:
            raise ValueError("not a decimal number") from None
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError("not a finite number")
        cents = value.quantize(CENT, rounding=ROUND_HALF_EVEN)
        if cents != value:
            raise ValueError("finer than a cent")
        return cents
    return value


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


Text = Annotated[str, AfterValidator(nfc)]
Money = Annotated[Decimal, BeforeValidator(_money), Field(ge=0, le=MOST_MONEY, decimal_places=2)]
Moment = Annotated[AwareDatetime, AfterValidator(_utc)]


def personal(default: Any = None, **kwargs: Any) -> Any:
    """A field that holds personal data; masked in logs, pages, exceptions and metrics."""
    return Field(default, json_schema_extra={"pii": True}, **kwargs)


def at_most(length: int, *, must_travel: bool = False, default: Any = ...) -> Any:
    """A text that the engine itself keeps this short; checks of mappings rely on it, nothing is refused for it.

    `must_travel` marks the few fields that a mapping which reads the rest of their record must not forget.
    """
    return Field(default, json_schema_extra={"maxLength": length, **(_MUST_TRAVEL if must_travel else {})})


def must_travel(default: Any = ..., **kwargs: Any) -> Any:
    """A field that a mapping which reads the rest of its record must not forget."""
    return Field(default, json_schema_extra=dict(_MUST_TRAVEL), **kwargs)


def added(default: Any, **kwargs: Any) -> Any:
    """A field that a later version has added: where it holds nothing, a record's canonical form is as it was before.

    Answers of people rest on a decision's digest: a new column must not make them be asked again.
    """
    return Field(default, json_schema_extra={"added": True}, **kwargs)


def digest_of(canonical: str) -> str:
    """SHA-256 (hex) of a record's canonical form."""
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


class Record(BaseModel):
    """A frozen fact. Unknown fields are errors; `identity` names it across runs."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)
    kind: ClassVar[str]

    @property
    def identity(self) -> UUID:
        """The stable id of this record (UUIDv5 of its origin's names)."""
        raise NotImplementedError

    def canonical(self) -> str:
        """The record as JSON with sorted keys: the form that is stored and hashed."""
        body = self.model_dump(mode="json", exclude=self._added_and_empty() or None)
        return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    def _added_and_empty(self) -> set[str]:
        return {name for name, default in _added_fields(type(self)) if getattr(self, name) == default}

    def digest(self) -> str:
        """SHA-256 (hex) of the canonical form."""
        return digest_of(self.canonical())

    @classmethod
    def personal_fields(cls) -> frozenset[str]:
        """The names of the fields that are marked `pii`."""
        return frozenset(
            name
            for name, field in cls.model_fields.items()
            if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("pii")
        )


@cache
def _added_fields(record: type[Record]) -> tuple[tuple[str, Any], ...]:
    """The fields that are marked `added`, with what they hold where they hold nothing."""
    return tuple(
        (name, field.default)
        for name, field in record.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("added")
    )
