"""What a route says under `with`: whose papers, of which types, about what."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.german import BERLIN

Words = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=200)], ...],
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
]


class Options(BaseModel):
    """Which papers are handed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")  # mappings read more of `with`

    body: str = Field("", max_length=500)
    paper_types: Words = ()
    about: Words = ()
    since: date | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any], where: str) -> Self:
        """Raises ConfigurationError naming the option."""
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            name = ".".join(map(str, first["loc"]))
            raise ConfigurationError(f"with: {name}: {first['msg']}", where=where) from None

    @property
    def begin(self) -> datetime | None:
        """The moment from which on is read at first."""
        return datetime.combine(self.since, time.min, BERLIN) if self.since else None

    def digest(self, address: str, process: str) -> str:
        """Names what is read: a cursor of another choice says nothing about this one."""
        return hashlib.sha256("\x1f".join((address, process, self.model_dump_json())).encode()).hexdigest()[:16]
