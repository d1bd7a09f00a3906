"""`python -m kiezbruecke.airflow.fab > roles.json`: our roles for `airflow roles import`, where FAB keeps log-ins.

FAB can do less than our file says: whoever may start a route may also pause it there, for it asks for *edit* of the DAG
before any change to a run. And it can name a part of the routes only one by one, as they are when this is called.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping

from kiezbruecke.airflow.dags import EVENING, HOUSEKEEPING
from kiezbruecke.content import find_content
from kiezbruecke.content.roles import Deed, Guarded, Role, read_roles
from kiezbruecke.content.routes import route_places

DEEDS = {
    Deed.READ: "can_read",
    Deed.CREATE: "can_create",
    Deed.EDIT: "can_edit",
    Deed.DELETE: "can_delete",
}
RESOURCES = {  # FAB's names
    Guarded.DAG: "DAGs",
    Guarded.DAG_AUDIT_LOG: "Audit Logs",
    Guarded.DAG_CODE: "DAG Code",
    Guarded.DAG_DEPENDENCIES: "DAG Dependencies",
    Guarded.DAG_HITL_DETAIL: "HITL Detail",
    Guarded.DAG_RUN: "DAG Runs",
    Guarded.DAG_TASK: "Task Instances",
    Guarded.DAG_TASK_INSTANCE: "Task Instances",
    Guarded.DAG_TASK_LOGS: "Task Logs",
    Guarded.DAG_VERSION: "DAG Versions",
    Guarded.DAG_WARNING: "DAG Warnings",
    Guarded.DAG_XCOM: "XComs",
    Guarded.ASSET: "Assets",
    Guarded.ASSET_ALIAS: "Asset Aliases",
    Guarded.CONFIGURATION: "Configurations",
    Guarded.CONNECTION: "Connections",
    Guarded.POOL: "Pools",
    Guarded.VARIABLE: "Variables",
    Guarded.VIEW_CLUSTER_ACTIVITY: "Cluster Activity",
    Guarded.VIEW_DOCS: "Docs",
    Guarded.VIEW_IMPORT_ERRORS: "ImportError",
    Guarded.VIEW_JOBS: "Jobs",
    Guarded.VIEW_PLUGINS: "Plugins",
    Guarded.VIEW_PROVIDERS: "Providers",
    Guarded.VIEW_TRIGGERS: "Triggers",
    Guarded.VIEW_WEBSITE: "Website",
}
MENUS = (
    *(Guarded.DAG, Guarded.DAG_AUDIT_LOG, Guarded.DAG_XCOM, Guarded.ASSET),
    *(Guarded.CONNECTION, Guarded.POOL, Guarded.VARIABLE),
)
CHANGES = frozenset({Deed.CREATE, Deed.EDIT, Deed.DELETE})


def main() -> int:
    """Print the roles in the form of `airflow roles export`; one that may do everything is FAB's own *Admin*."""
    content = find_content()
    routes = [*(place.name for place in route_places(content)), HOUSEKEEPING, EVENING]
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
        if thing is Guarded.DAG:
            edit = {Deed.EDIT} if CHANGES & role.may.get(Guarded.DAG_RUN, frozenset()) else set()
            names = ["DAGs"] if role.covers_all else [f"DAG:{route}" for route in routes if role.covers(route)]
            yield from ((name, DEEDS[deed]) for name in names for deed in deeds | edit)
        else:
            yield from ((RESOURCES[thing], DEEDS[deed]) for deed in deeds)
        if thing in MENUS and Deed.READ in deeds:
            yield RESOURCES[thing], "menu_access"


if __name__ == "__main__":
    sys.exit(main())
