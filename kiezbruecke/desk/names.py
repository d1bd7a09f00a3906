"""What people call what files call by an id: a process, a route, an office, a role. The only place that names these.

What has no name, or stands in a file that cannot be read, keeps its id: a table must come all the same. Where an
operator types the id afterwards it stands beside the name (`with_id`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kiezbruecke.content.owners import Owner, owner_of, read_owners
from kiezbruecke.content.processes import process_files
from kiezbruecke.content.roles import read_roles
from kiezbruecke.content.routes import find_route
from kiezbruecke.errors import ConfigurationError, InputError
from kiezbruecke.plain_yaml import read_yaml


@dataclass(frozen=True)
class Names:
    """The names in one content; each file is read when somebody asks for its names."""

    content: Path

    def process(self, id_: str) -> str:
        """`Kiezkassen Treptow-Köpenick 2026`."""
        return self._processes.get(id_, id_)

    def route(self, name: str) -> str:
        """`Auszahlungen anordnen`."""
        with suppress(ConfigurationError, InputError):
            return find_route(self.content, name).title or name
        return name

    def owner(self, name: str) -> str:
        """`SPK Treptow-Köpenick`."""
        found = owner_of(self._owners, name)
        return found.title if found else name

    def role(self, name: str) -> str:
        """`Ordnet Zahlungen an`; what its title says of it after a dash is left out."""
        return self._roles.get(name, name)

    def with_id(self, name: Callable[[str], str], id_: str) -> str:
        """The name with the id that commands take."""
        named = name(id_)
        return id_ if named == id_ else f"{named} ({id_})"

    @cached_property
    def _processes(self) -> Mapping[str, str]:
        found = {}
        for file in process_files(self.content):
            with suppress(ConfigurationError):
                found[file.stem] = str(read_yaml(file).get("name") or file.stem)
        return found

    @cached_property
    def _owners(self) -> dict[str, Owner]:
        with suppress(ConfigurationError):
            return read_owners(self.content)
        return {}

    @cached_property
    def _roles(self) -> Mapping[str, str]:
        with suppress(ConfigurationError):
            return {name: role.title.partition(" – ")[0] for name, role in read_roles(self.content).items()}
        return {}
