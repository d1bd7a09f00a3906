"""The edge: what environment and working folder say becomes a House. Commands, tasks and tests begin here.

Nothing below asks where it is: it is told.
"""

from __future__ import annotations

import os
from pathlib import Path

from kiezbruecke import connections
from kiezbruecke.content import find_content, find_state
from kiezbruecke.house import Connect, House
from kiezbruecke.ledger import open_ledger
from kiezbruecke.ledger.database import VARIABLE


def open_house(content: Path | None = None, connect: Connect | None = None) -> House:
    """The house of this process; close it (`contextlib.closing`). Raises ConfigurationError, LedgerError.

    Without a content `KIEZBRUECKE_CONTENT` and the working folder are asked; without a resolver of connections
    (Airflow has its own) `KIEZBRUECKE_CONN_<NAME>` and `var/connections.json`.
    """
    found = find_content(content)
    return House(found, open_ledger(ledger_url(found)), connect or local_connections(found))


def ledger_url(content: Path | None = None) -> str:
    """KIEZBRUECKE_LEDGER_URL, else `var/ledger.sqlite3` beside the content."""
    return os.environ.get(VARIABLE) or f"sqlite:///{find_state(find_content(content)) / 'ledger.sqlite3'}"


def local_connections(content: Path) -> Connect:
    """Outside Airflow: KIEZBRUECKE_CONN_<NAME>, else `var/connections.json`."""
    return connections.local(find_state(content) / "connections.json", os.environ)
