"""What a route says under `with:` of where to read: a process by its slug, components by their numbers, and areas.

participatory_process: kiezkasse-2026
components:
  - 9                                        # its proposals find their area by their point
  - {id: 10, area: "090517"}                 # a component of one area
  - {id: 11, taxonomies: {"31": "090517"}}     # areas by the marks of the proposals
  - {id: 12, budgets: {"3": "090517"}}         # areas by the budgets of the component
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from kiezbruecke.errors import ConfigurationError

PROCESS, COMPONENTS = "participatory_process", "components"


def _keyed(found: Any) -> Any:
    return {str(key): area for key, area in found.items()} if isinstance(found, dict) else found


Areas = Annotated[dict[str, str], BeforeValidator(_keyed)]


class ComponentOption(BaseModel):
    """A component that is read, and what its things belong to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: int = Field(gt=0)
    area: str | None = None
    budgets: Areas = {}
    taxonomies: Areas = {}


class Options(BaseModel):
    """Where to read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    participatory_process: str = Field("", pattern=r"^([A-Za-z][A-Za-z0-9_-]*)?$")
    components: tuple[ComponentOption, ...] = ()

    @classmethod
    def of(cls, options: Mapping[str, Any], where: str) -> Options:
        """The options of a route; raises ConfigurationError. What others read of it is left to them."""
        given = options.get(COMPONENTS) or ()
        several = [{"id": one} if isinstance(one, int) else one for one in given] if isinstance(given, list) else given
        try:
            found = cls.model_validate({PROCESS: options.get(PROCESS) or "", COMPONENTS: several})
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            path = ".".join(map(str, first["loc"]))
            raise ConfigurationError(f"with.{path}: {first['msg']}", where=where, expected=_EXPECTED) from None
        numbers = [component.id for component in found.components]
        if len({*numbers}) < len(numbers):
            raise ConfigurationError("a component stands twice under with.components", where=where, expected="once")
        if not found.components and not found.participatory_process:
            raise ConfigurationError("nothing says what is to be read", where=where, expected=_EXPECTED)
        return found


_EXPECTED = f"with: {PROCESS}: a slug, or {COMPONENTS}: a list of numbers"
