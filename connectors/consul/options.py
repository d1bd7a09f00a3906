"""What a route says under `with`: which budget, which of the investments are its own, and where they belong.

CONSUL shows the investments of all its budgets under each of them. Where it has several, only their numbers tell them
apart: they rise with time. Nobody guesses the range; a route that does not say it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from kiezbruecke.errors import ConfigurationError


class Options(BaseModel):
    """Which investments are handed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")  # mappings read more of `with`

    budget: int = Field(gt=0)
    first_id: int | None = Field(None, gt=0)
    last_id: int | None = Field(None, gt=0)
    area: str | None = None
    areas: dict[str, str] = {}

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.first_id and self.last_id and self.first_id > self.last_id:
            raise ValueError("first_id is more than last_id")
        return self

    @classmethod
    def of(cls, given: Mapping[str, Any], where: str) -> Self:
        """Raises ConfigurationError naming the option."""
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            name = ".".join(map(str, first["loc"]))
            expected = "budget: its number in CONSUL" if name == "budget" else ""
            what = f"with: {name}: {first['msg']}".replace(": :", ":")
            raise ConfigurationError(what, where=where, expected=expected) from None

    @property
    def has_range(self) -> bool:
        """Whether the route says which numbers are the budget's."""
        return self.first_id is not None or self.last_id is not None

    def holds(self, number: int) -> bool:
        """Whether an investment of this number is the budget's."""
        return (self.first_id or number) <= number <= (self.last_id or number)

    def area_of(self, location: str) -> str | None:
        """The area of an investment; None where the words of its place name none, or several."""
        if self.area:
            return self.area
        found = {area for word, area in self.areas.items() if _names(word, location)}
        return found.pop() if len(found) == 1 else None


def _names(word: str, location: str) -> bool:
    return re.search(rf"\b{re.escape(word)}\b", location, re.IGNORECASE) is not None
