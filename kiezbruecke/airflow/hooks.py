"""The button "Test" in Airflow's connection form: are the settings whole, does somebody answer at the address?"""

from __future__ import annotations

import os
import socket
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from airflow.sdk import BaseHook

from kiezbruecke.airflow.provider import hook_of
from kiezbruecke.airflow.resolver import to_ours
from kiezbruecke.connector import Connection, manifest_for, manifests
from kiezbruecke.errors import ConfigurationError

PORTS = {"http": 80, "https": 443}


class ConnectorHook(BaseHook):
    """One for all connectors: their manifests say which settings class checks the form."""

    conn_name_attr: ClassVar[str] = "connection_id"
    default_conn_name: ClassVar[str] = ""
    conn_type: ClassVar[str] = ""
    hook_name: ClassVar[str] = "Kiezbrücke"

    def __init__(self, connection_id: str = "", **_: Any) -> None:
        super().__init__()
        self.connection_id = connection_id

    def test_connection(self) -> tuple[bool, str]:
        """Check the settings as a run would, then knock at the door; nothing is sent."""
        connection = to_ours(self.connection_id, self.get_connection(self.connection_id))
        try:
            _check_settings(connection)
            return True, _knock(connection)
        except ConfigurationError as error:
            return False, str(error)
        except OSError as error:
            return False, f"nobody answers at {connection.host}: {error.strerror or type(error).__name__}"


@cache
def _hooks() -> dict[str, type[ConnectorHook]]:
    """A class per connection type, as Airflow wants it: made from the manifests."""
    return {
        hook_of(manifest.name): type(
            hook_of(manifest.name),
            (ConnectorHook,),
            {"__doc__": f"Connection type {manifest.connection_type}.", "conn_type": manifest.connection_type},
        )
        for manifest in manifests().values()
    }


def __getattr__(name: str) -> type[ConnectorHook]:
    """The hook of a connector, made when Airflow asks for it: `XtaHook`."""
    try:
        return _hooks()[name]
    except KeyError:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'") from None


def _check_settings(connection: Connection) -> None:
    module, _, name = manifest_for(connection).settings.partition(":")
    getattr(import_module(module), name).from_connection(connection)


def _knock(connection: Connection) -> str:
    if not connection.host:
        return _look_into(Path(str(connection.extra.get("path", ""))))
    parts = urlsplit(
        connection.host if "://" in connection.host else f"{connection.schema or 'https'}://{connection.host}"
    )
    port = parts.port or connection.port or PORTS[parts.scheme]
    with socket.create_connection((parts.hostname, port), timeout=10):
        return f"settings are whole, {parts.hostname}:{port} answers"


def _look_into(folder: Path) -> str:
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise ConfigurationError(f"{folder} cannot be read and written", expected="a folder of this machine")
    return f"settings are whole, {folder} can be read and written"
