"""`python -m kiezbruecke.airflow.fab > roles.json`: our roles for `airflow roles import`, where FAB keeps log-ins.

FAB can do less than our file says: whoever may start a route may also pause it there, for it asks for *edit* of the DAG
before any change to a run. And it can name a part of the routes only one by one, as they are when this is called.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping

from kiezbruecke.airflow.dags import HOUSEKEEPING
from kiezbruecke.content import find_content
from kiezbruecke.content.roles import Deed, Role, Thing, read_roles
from kiezbruecke.content.routes import route_places

DEEDS = {
    Deed.READ: "can_read",
    Deed.CREATE: "can_create",
    Deed.EDIT: "can_edit",
    Deed.DELETE: "can_delete",
}
RESOURCES = {  # FAB's names
    Thing.DAG: "DAGs",
    Thing.DAG_AUDIT_LOG: "Audit Logs",
    Thing.DAG_CODE: "DAG Code",
    Thing.DAG_DEPENDENCIES: "DAG Dependencies",
    Thing.DAG_HITL_DETAIL: "HITL Detail",
    Thing.DAG_RUN: "DAG Runs",
    Thing.DAG_TASK: "Task Instances",
    Thing.DAG_TASK_INSTANCE: "Task Instances",
    Thing.DAG_TASK_LOGS: "Task Logs",
    Thing.DAG_VERSION: "DAG Versions",
    Thing.DAG_WARNING: "DAG Warnings",
    Thing.DAG_XCOM: "XComs",
    Thing.ASSET: "Assets",
    Thing.ASSET_ALIAS: "Asset Aliases",
    Thing.CONFIGURATION: "Configurations",
    Thing.CONNECTION: "Connections",
    Thing.POOL: "Pools",
    Thing.VARIABLE: "Variables",
    Thing.VIEW_CLUSTER_ACTIVITY: "Cluster Activity",
    Thing.VIEW_DOCS: "Docs",
    Thing.VIEW_IMPORT_ERRORS: "ImportError",
    Thing.VIEW_JOBS: "Jobs",
    Thing.VIEW_PLUGINS: "Plugins",
    Thing.VIEW_PROVIDERS: "Providers",
    Thing.VIEW_TRIGGERS: "Triggers",
    Thing.VIEW_WEBSITE: "Website",
}
MENUS = (Thing.DAG, Thing.ASSET, Thing.CONNECTION, Thing.POOL, Thing.VARIABLE, Thing.DAG_XCOM, Thing.DAG_AUDIT_LOG)
CHANGES = frozenset({Deed.CREATE, Deed.EDIT, Deed.DELETE})


def main() -> int:
    """Print the roles in the form of `airflow roles export`; one that may do everything is FAB's own *Admin*."""
    content = find_content()
    routes = [*(place.name for place in route_places(content)), HOUSEKEEPING]
    body = list(_entries(read_roles(content), routes))
    json.dump(body, sys.stdout, indent=2, ensure_ascii=False)
    return 0


def _entries(roles: Mapping[str, Role], routes: list[str]) -> Iterator[dict[str, str]]:
    for name, role in roles.items():
        rights: dict[str, set[str]] = defaultdict(set)
        for resource, action in _rights(role, routes):
            rights[resource].add(action)
        yield from (
            {"name": name, "resource": resource, "action": ",".join(sorted(actions))}
            for resource, actions in rights.items()
        )


def _rights(role: Role, routes: list[str]) -> Iterator[tuple[str, str]]:
    """What may be done to what, by FAB's names."""
    if isinstance(role.may, str):
        return
    for thing, deeds in role.may.items():
        if thing is Thing.DAG:
            edit = {Deed.EDIT} if CHANGES & role.may.get(Thing.DAG_RUN, frozenset()) else set()
            names = ["DAGs"] if role.covers_all else [f"DAG:{route}" for route in routes if role.covers(route)]
            yield from ((name, DEEDS[deed]) for name in names for deed in deeds | edit)
        else:
            yield from ((RESOURCES[thing], DEEDS[deed]) for deed in deeds)
        if thing in MENUS and Deed.READ in deeds:
            yield RESOURCES[thing], "menu_access"


if __name__ == "__main__":
    sys.exit(main())
