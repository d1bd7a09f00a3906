"""What we add to Airflow's API server: the desk, and the question who is logged in here.

Every worker and every task imports this file, so it is light.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from airflow.plugins_manager import AirflowPlugin

DESK = "/schreibtisch"


class Door:
    """An ASGI application that is imported when the first request comes: no worker ever needs it."""

    def __init__(self, module: str) -> None:
        """`module`: where its `app` stands."""
        self._module = module

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand the request over."""
        await import_module(self._module).app(scope, receive, send)


class KiezbrueckePlugin(AirflowPlugin):
    """Found by its entry point."""

    name = "kiezbruecke"
    fastapi_apps = [  # noqa: RUF012 - Airflow's
        {"app": Door("kiezbruecke.airflow.me"), "url_prefix": "/kiezbruecke", "name": "Kiezbrücke"},
        {"app": Door("kiezbruecke.airflow.desk"), "url_prefix": DESK, "name": "Kiezbrücke: Schreibtisch"},
    ]
    external_views = [  # noqa: RUF012 - Airflow's
        {
            "name": "Schreibtisch",
            "href": f"{DESK}/",
            "destination": "nav",
            "url_route": "schreibtisch",
            "nav_top_level": True,
        },
    ]
