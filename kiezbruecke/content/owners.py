"""To which addresses the post of an owner goes, from `mappings/owners.yaml`: patterns, the first that fits holds."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.plain_yaml import place_of, read_yaml

FILE = Path("mappings", "owners.yaml")
# nothing that a header could take for more than one address
_ADDRESS = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+$"
_RESERVED = re.compile(r"(^|\.)(test|example|invalid|localhost|example\.(com|net|org))$")
Address = Annotated[str, Field(pattern=_ADDRESS)]


class Owner(BaseModel):
    """Somebody's post."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(min_length=1, max_length=80, pattern=r"^[^\r\n]*$")
    to: Annotated[tuple[Address, ...], BeforeValidator(lambda given: [given] if isinstance(given, str) else given)] = (
        Field(min_length=1, max_length=20)
    )
    list: bool = False
    """Whether the points come as a table as well"""


_OWNERS = TypeAdapter(dict[str, Owner])


def reaches_nobody(address: str) -> bool:
    """Whether its domain is one that nobody can have (RFC 2606, 6761): as it is shipped, for examples."""
    return bool(_RESERVED.search(address.rpartition("@")[2].casefold()))


def read_owners(content: Path) -> dict[str, Owner]:
    """All lines in their order; none where there is no such file. Raises ConfigurationError with file, line, column."""
    file = content / FILE
    if not file.exists():
        return {}
    try:
        return _OWNERS.validate_python(read_yaml(file))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        path = tuple(step for step in first["loc"] if step != "[key]")
        said = ".".join(map(str, path))
        raise ConfigurationError(f"{said}: {first['msg']}", where=place_of(file, path)) from None


def owner_of(owners: dict[str, Owner], name: str) -> Owner | None:
    """Where the post of this name goes; None where nobody has said."""
    return next((owner for pattern, owner in owners.items() if fnmatchcase(name, pattern)), None)
