"""The button "Test" in Airflow's connection form: are the settings whole, and does the log-in work?

Whoever may edit connections could learn from a detailed answer which ports are open and which files are there. So it
says what is wrong with the form, and of everything else only a class of reason; IT operations asks the command.
"""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

from airflow.sdk import BaseHook

from kiezbruecke.airflow.provider import hook_of
from kiezbruecke.airflow.resolver import to_ours
from kiezbruecke.connections import without_environment
from kiezbruecke.connector import check_settings, manifests
from kiezbruecke.content import find_content
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.probing import try_connection

_MORE = "Einzelheiten für den IT-Betrieb: kiezbruecke connection test {}"


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
        """Check the form, then log in as a run would; nothing is changed anywhere."""
        connection = to_ours(self.connection_id, self.get_connection(self.connection_id))
        try:
            check_settings(without_environment(connection))
            content = find_content()
        except ConfigurationError as error:
            if error.trouble is None:
                return False, str(error)
            return False, f"Verbindung {connection.id}: {error.trouble.of_class}. {_MORE.format(connection.id)}"
        tried = try_connection(connection, content)
        return (
            tried.works,
            tried.for_everybody if tried.works else f"{tried.for_everybody} {_MORE.format(connection.id)}",
        )


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
