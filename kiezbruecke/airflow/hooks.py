"""The button "Test" in Airflow's connection form: are the settings whole, and does the log-in work?

Whoever may edit connections could learn from a detailed answer which ports are open, which names there are in the
network and which files on the machine. So it says what is wrong with the form, and of everything else only whether it
works; IT operations asks the command.
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
from kiezbruecke.vault import CONNECTION_TYPE, keys_of

WORKS = "Die Verbindung ist brauchbar."
FAILS = (
    "Die Verbindung ist nicht brauchbar. Woran es liegt, sagt dem IT-Betrieb auf dem Rechner selbst der Befehl: "
    "kiezbruecke connection test NAME"
)


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
        try:
            connection = to_ours(self.connection_id, self.get_connection(self.connection_id))
            check_settings(without_environment(connection))
        except ConfigurationError as error:
            return False, FAILS if error.trouble else str(error)
        try:
            works = try_connection(connection, find_content()).works
        except ConfigurationError:  # where the content is not: the error names our folders
            works = False
        return works, WORKS if works else FAILS


class VaultHook(ConnectorHook):
    """The keys of the vault: whole, or not. No connector is behind them, and nobody is asked."""

    conn_type = CONNECTION_TYPE

    def test_connection(self) -> tuple[bool, str]:
        """Whether the password holds keys; which, nobody is told."""
        try:
            keys_of(to_ours(self.connection_id, self.get_connection(self.connection_id)))
        except ConfigurationError as error:
            return False, str(error)
        return True, WORKS


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
