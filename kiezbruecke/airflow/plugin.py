"""What we add to Airflow's API server: one question, who is logged in here. Every worker imports it, so it is light."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin


class Door:
    """An ASGI application that is imported when the first request comes: no worker ever needs it."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand the request over."""
        from kiezbruecke.airflow.me import app  # noqa: PLC0415 - FastAPI and Airflow's API come with it

        await app(scope, receive, send)


class KiezbrueckePlugin(AirflowPlugin):
    """Found by its entry point."""

    name = "kiezbruecke"
    fastapi_apps = [{"app": Door(), "url_prefix": "/kiezbruecke", "name": "Kiezbrücke"}]  # noqa: RUF012 - Airflow's
