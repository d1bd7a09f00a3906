"""Who may do what in Airflow, from `mappings/roles.yaml`: rights per role and route; what is not there is refused.

The words are Airflow's own (`dag.run`, `connection`), so that the file says what Airflow asks; Airflow itself is not
needed to read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.plain_yaml import place_of, read_yaml

FILE = Path("mappings", "roles.yaml")


class Deed(StrEnum):
    """What can be done to a thing."""

    READ = "read"
    CREATE = "create"
    EDIT = "edit"
    DELETE = "delete"


class Guarded(StrEnum):
    """What Airflow guards; `dag…` belongs to a route."""

    DAG = "dag"
    DAG_AUDIT_LOG = "dag.audit_log"
    DAG_CODE = "dag.code"
    DAG_DEPENDENCIES = "dag.dependencies"
    DAG_HITL_DETAIL = "dag.hitl_detail"
    DAG_RUN = "dag.run"
    DAG_TASK = "dag.task"
    DAG_TASK_INSTANCE = "dag.task_instance"
    DAG_TASK_LOGS = "dag.task_logs"
    DAG_VERSION = "dag.version"
    DAG_WARNING = "dag.warning"
    DAG_XCOM = "dag.xcom"
    ASSET = "asset"
    ASSET_ALIAS = "asset_alias"
    CONFIGURATION = "configuration"
    CONNECTION = "connection"
    POOL = "pool"
    VARIABLE = "variable"
    VIEW_CLUSTER_ACTIVITY = "view.cluster_activity"
    VIEW_DOCS = "view.docs"
    VIEW_IMPORT_ERRORS = "view.import_errors"
    VIEW_JOBS = "view.jobs"
    VIEW_PLUGINS = "view.plugins"
    VIEW_PROVIDERS = "view.providers"
    VIEW_TRIGGERS = "view.triggers"
    VIEW_WEBSITE = "view.website"


class Right(StrEnum):
    """What somebody may do on the desk (`kiezbruecke/page`); none follows from another, nor from Airflow's."""

    SEE = "see"  # that something exists: numbers, states, reasons – no content
    READ = "read"  # content: titles, sums, documents, the words that came back
    ANSWER = "answer"  # answer points, send again, hand in lists
    EDIT = "edit"  # content of the house; mappings are not edited on the page
    RELEASE = "release"  # let money go
    UNMASK = "unmask"  # see the account of a case in full, with a reason


class Role(BaseModel):
    """What whoever has this role may do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    may: Mapping[Guarded, frozenset[Deed]] | Literal["everything"]
    routes: tuple[str, ...] = ("*",)
    """Patterns of the names of routes, and of the processes that they are for"""
    desk: frozenset[Right] = frozenset()
    """What may be done on the desk, at these routes and processes"""
    owners: tuple[str, ...] = ()
    """Patterns of owners of points: whose points are this role's own"""
    most_per_order: Annotated[Decimal | None, Field(gt=0, decimal_places=2)] = None
    """No single payment that these people order may be larger (euros)"""

    def allows(self, deed: Deed, thing: Guarded) -> bool:
        """Whether this is allowed on a thing that belongs to no route, or on any of the role's routes."""
        return isinstance(self.may, str) or deed in self.may.get(thing, ())

    @property
    def may_everything(self) -> bool:
        """Whether nothing is refused."""
        return isinstance(self.may, str)

    def covers(self, route: str) -> bool:
        """Whether it is one of the role's routes."""
        return any(fnmatchcase(route, pattern) for pattern in self.routes)

    def owns(self, owner: str) -> bool:
        """Whether points of this owner are the role's own."""
        return any(fnmatchcase(owner.casefold(), pattern.casefold()) for pattern in self.owners)

    @property
    def covers_all(self) -> bool:
        """Whether every route is."""
        return "*" in self.routes


_ROLES = TypeAdapter(dict[str, Role])


def read_roles(content: Path) -> Mapping[str, Role]:
    """All roles by name; raises ConfigurationError with file, line and column."""
    file = content / FILE
    try:
        return _ROLES.validate_python(read_yaml(file))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        path = tuple(step for step in first["loc"] if step != "[key]")
        said = ".".join(map(str, path))
        raise ConfigurationError(f"{said}: {first['msg']}", where=place_of(file, path)) from None
