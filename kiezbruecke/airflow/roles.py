"""Airflow's simple log-ins with the rights of `mappings/roles.yaml`: `[core] auth_manager` names the class here.

Airflow's own simple roles are steps of a ladder: who may start a route may delete its history, who may look at pools
may write connections. Here every question of Airflow is looked up in the file, and what it does not grant is refused.
Passwords are those of the simple log-ins: plain text in one file, which nobody but this account may read.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity, DagDetails
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser as User
from airflow.api_fastapi.common.types import MenuItem
from airflow.configuration import conf

from kiezbruecke.content import find_content
from kiezbruecke.content.roles import FILE, Deed, Guarded, Role, read_roles
from kiezbruecke.errors import ConfigurationError

DEEDS = {"GET": Deed.READ, "POST": Deed.CREATE, "PUT": Deed.EDIT, "DELETE": Deed.DELETE, "MENU": Deed.READ}
MENU = {
    MenuItem.REQUIRED_ACTIONS: Guarded.DAG_HITL_DETAIL,
    MenuItem.ASSETS: Guarded.ASSET,
    MenuItem.AUDIT_LOG: Guarded.DAG_AUDIT_LOG,
    MenuItem.CONFIG: Guarded.CONFIGURATION,
    MenuItem.CONNECTIONS: Guarded.CONNECTION,
    MenuItem.DAGS: Guarded.DAG,
    MenuItem.DEADLINES: Guarded.DAG_RUN,
    MenuItem.DOCS: Guarded.VIEW_DOCS,
    MenuItem.JOBS: Guarded.VIEW_JOBS,
    MenuItem.PLUGINS: Guarded.VIEW_PLUGINS,
    MenuItem.POOLS: Guarded.POOL,
    MenuItem.PROVIDERS: Guarded.VIEW_PROVIDERS,
    MenuItem.VARIABLES: Guarded.VARIABLE,
    MenuItem.XCOMS: Guarded.DAG_XCOM,
}


def thing_of(entity: DagAccessEntity | AccessView | None) -> Guarded:
    """The word of our file for a part of a DAG, or for a view."""
    if entity is None:
        return Guarded.DAG
    return Guarded(f"{'dag' if isinstance(entity, DagAccessEntity) else 'view'}.{entity.name.lower()}")


class RolesAuthManager(SimpleAuthManager):
    """Who has logged in has the role that the configuration gives to this name now, whatever the token says."""

    @cached_property
    def roles(self) -> Mapping[str, Role]:
        """Read once: whoever changes the file starts the API server anew."""
        return read_roles(find_content())

    def init(self) -> None:
        """Refuse to start where somebody would have no role, or everybody every right."""
        if conf.getboolean("core", "simple_auth_manager_all_admins"):
            raise ConfigurationError("simple_auth_manager_all_admins lets everybody do everything", where="[core]")
        for user in self.get_users():
            if user.role not in self.roles:
                where, expected = "[core] simple_auth_manager_users", ", ".join(self.roles)
                raise ConfigurationError(f"{FILE} has no role '{user.role}'", where=where, expected=expected)
        file = Path(self.get_generated_password_file())
        file.touch(mode=0o600)
        file.chmod(0o600)
        super().init()

    @staticmethod
    def _print_output(output: str) -> None:
        """Airflow would write every password that it makes up into its log: it stands in the file alone."""

    def deserialize_user(self, token: dict[str, Any]) -> User:
        """A token lasts a day; whoever has lost a role, or the account, has lost it at once."""
        known = (user for user in self.get_users() if user.username == token["sub"])
        return next(known, User(username=token["sub"], role=None))

    def is_authorized_dag(
        self,
        *,
        method: str,
        user: User,
        access_entity: DagAccessEntity | None = None,
        details: DagDetails | None = None,
    ) -> bool:
        """Without an id Airflow asks about a list, which it then makes of the DAGs that may be read one by one."""
        role = self.roles.get(user.role or "")
        if role is None or not role.allows(DEEDS[method], thing_of(access_entity)):
            return False
        route = details.id if details else None
        return role.covers(route) if route else role.covers_all or method == "GET"

    def is_authorized_asset(self, *, method: str, user: User, **_: Any) -> bool:
        """Assets are the routes' signals to each other."""
        return self._may(method, Guarded.ASSET, user)

    def is_authorized_asset_alias(self, *, method: str, user: User, **_: Any) -> bool:
        """The same, by another name."""
        return self._may(method, Guarded.ASSET_ALIAS, user)

    def is_authorized_configuration(self, *, method: str, user: User, **_: Any) -> bool:
        """Airflow's own settings."""
        return self._may(method, Guarded.CONFIGURATION, user)

    def is_authorized_connection(self, *, method: str, user: User, **_: Any) -> bool:
        """Also the button "Test", for which Airflow asks whether a connection may be made."""
        return self._may(method, Guarded.CONNECTION, user)

    def is_authorized_pool(self, *, method: str, user: User, **_: Any) -> bool:
        """How many tasks may run at once."""
        return self._may(method, Guarded.POOL, user)

    def is_authorized_variable(self, *, method: str, user: User, **_: Any) -> bool:
        """Among them the witnesses of what was sent."""
        return self._may(method, Guarded.VARIABLE, user)

    def is_authorized_view(self, *, access_view: AccessView, user: User) -> bool:
        """Pages that belong to no DAG."""
        return self._may("GET", thing_of(access_view), user)

    def is_authorized_custom_view(self, *, method: str, resource_name: str, user: User) -> bool:  # noqa: ARG002
        """Pages that the file has no word for."""
        role = self.roles.get(user.role or "")
        return role is not None and role.may_everything

    def is_authorized_team(self, *, method: str, user: User, **_: Any) -> bool:  # noqa: ARG002
        """Nobody is in a team: rights follow the routes."""
        return False

    def filter_authorized_menu_items(self, menu_items: list[MenuItem], *, user: User) -> list[MenuItem]:
        """What leads to a page that may be read; an entry that the file has no word for leads nowhere."""
        return [item for item in menu_items if item in MENU and self._may("MENU", MENU[item], user)]

    def _may(self, method: str, thing: Guarded, user: User) -> bool:
        role = self.roles.get(user.role or "")
        return role is not None and role.allows(DEEDS[method], thing)
