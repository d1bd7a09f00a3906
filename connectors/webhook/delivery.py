"""One delivery: an envelope of type, version, time and data, as Standard Webhooks recommends it.

    {"type": "proposal", "version": 1, "timestamp": "2026-11-29T13:00:00Z", "data": {"id": 17, "titel": "…"}}

`type` chooses the inbound mapping. `data.id` names the thing that may come again, changed; without one the delivery is
a fact of its own and has the event's id.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from kiezbruecke.foreign_json import KeyTwice, read_json

VERSIONS = (1,)
EVENT = r"^[A-Za-z0-9._:-]{1,100}$"
_DEEPEST = 20
_Type = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,59}$")]
_Id = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,100}$")]


class NotADeliveryError(Exception):
    """A body that is none: one English line for whoever sent it, without a word of what it holds."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")

    id: _Id | Annotated[int, Field(strict=True)] | None = None


class Delivery(BaseModel):
    """An envelope that was understood."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    type: _Type
    version: Annotated[int, Field(strict=True)]
    timestamp: AwareDatetime
    data: _Data

    @classmethod
    def read(cls, body: bytes) -> Self:
        """The delivery in a body; raises NotADeliveryError."""
        try:
            found = cls.model_validate(_json(body))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            place = first["loc"][0] if first["loc"] and first["loc"][0] in cls.model_fields else "the envelope"
            raise NotADeliveryError(f"{place}: {first['msg']}") from None
        if found.version not in VERSIONS:
            raise NotADeliveryError(f"version: not known; expected {', '.join(map(str, VERSIONS))}")
        return found

    @property
    def name(self) -> str:
        """What the thing is called by its sender; empty for a fact of its own."""
        return "" if self.data.id is None else str(self.data.id)

    @property
    def happened_at(self) -> datetime:
        """When it became so, UTC."""
        return self.timestamp.astimezone(UTC)

    @property
    def values(self) -> dict[str, Any]:
        """What the mapping reads."""
        return self.data.model_dump(exclude_unset=True)


def _json(body: bytes) -> Any:
    """UTF-8, exact numbers, no key twice, bounded depth."""
    try:
        found = read_json(body)
    except KeyTwice as twice:
        raise NotADeliveryError(str(twice)) from None
    except ValueError:
        raise NotADeliveryError("no JSON in UTF-8") from None
    if _depth(found) > _DEEPEST:
        raise NotADeliveryError(f"nested too deep; expected at most {_DEEPEST} levels")
    return found


def _depth(value: Any) -> int:
    level, inside = 0, [value]
    while inside:
        level += 1
        inside = [
            one
            for outer in inside
            if isinstance(outer, dict | list)
            for one in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return level
