"""Airflow's connections become ours; only inside a task, where Airflow answers."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Connection as AirflowConnection
from airflow.sdk.exceptions import AirflowNotFoundException

from kiezbruecke.connections import from_json
from kiezbruecke.connector.protocols import Connection
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.troubles import Cause, Trouble


def airflow_connection(connection_id: str) -> Connection:
    """The connection of this name from Airflow; raises ConfigurationError if there is none."""
    try:
        found = AirflowConnection.get(connection_id)
    except AirflowNotFoundException:
        raise ConfigurationError(
            f"no connection is called '{connection_id}'",
            where="Airflow",
            helps="create it under Admin > Connections, or in the secrets backend",
            trouble=Trouble(Cause.CONNECTION),
        ) from None
    return to_ours(connection_id, found)


def to_ours(connection_id: str, found: Any) -> Connection:
    """An Airflow connection as one of ours."""
    fields = ("conn_type", "host", "port", "schema", "login", "password", "extra")
    return from_json(connection_id, {field: getattr(found, field) for field in fields})
