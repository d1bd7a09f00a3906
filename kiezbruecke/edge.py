"""The edge: what environment and working folder say becomes a House. Commands, tasks and tests begin here.

Nothing below asks where it is: it is told.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from kiezbruecke import clock, connections
from kiezbruecke.content import find_content, find_state
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.house import Connect, House
from kiezbruecke.ledger import open_ledger, witness
from kiezbruecke.ledger.database import VARIABLE
from kiezbruecke.ledger.witness import FileWitness, Witness
from kiezbruecke.vault import FILE as VAULT_FILE
from kiezbruecke.vault import VARIABLE as VAULT
from kiezbruecke.vault import Vault, find_keys

log = logging.getLogger("kiezbruecke")
PAGE = "KIEZBRUECKE_PAGE"
REPORTS = "KIEZBRUECKE_REPORTS"
ANCHORS, ANCHOR_KEY = "KIEZBRUECKE_ANCHORS", "KIEZBRUECKE_ANCHOR_KEY"


def open_house(content: Path | None = None, connect: Connect | None = None, witnesses: Sequence[Witness] = ()) -> House:
    """The house of this process; close it (`contextlib.closing`). Raises ConfigurationError, LedgerError.

    Without a content `KIEZBRUECKE_CONTENT` and the working folder are asked; without a resolver of connections
    (Airflow has its own) `KIEZBRUECKE_CONN_<NAME>` and `var/connections.json`. `witnesses` beside the file's.
    """
    found = find_content(content)
    connect = connect or local_connections(found)
    clock.say(_said_day())
    ledger = open_ledger(ledger_url(found), vault(found, connect))
    named = (file_witness(found), *witnesses)
    key = os.environ.get(ANCHOR_KEY)
    anchors = Path(os.environ.get(ANCHORS) or find_state(found) / "anchors.jsonl")
    post = find_state(found) / "post"
    reports = Path(os.environ.get(REPORTS) or find_state(found) / "abgleich")
    signs = Path(key) if key else None
    return House(found, ledger, connect, named, anchors, signs, page=_page(), post=post, reports=reports)


def _page() -> str:
    """KIEZBRUECKE_PAGE, else the desk's place below Airflow's own address; empty where nobody has said."""
    base = os.environ.get("AIRFLOW__API__BASE_URL", "").rstrip("/")
    return os.environ.get(PAGE, f"{base}/schreibtisch" if base else "").rstrip("/")


def _said_day() -> date | None:
    """KIEZBRUECKE_TODAY, where a year is played that is over; every run tells of it."""
    given = os.environ.get(clock.VARIABLE)
    if not given:
        return None
    try:
        day = date.fromisoformat(given)
    except ValueError:
        raise ConfigurationError("is no day", where=clock.VARIABLE, expected="2026-06-30") from None
    log.warning("%s: it is taken to be %s; this is for demonstrations and tests only", clock.VARIABLE, day)
    return day


def ledger_url(content: Path | None = None) -> str:
    """KIEZBRUECKE_LEDGER_URL, else `var/ledger.sqlite3` beside the content."""
    return os.environ.get(VARIABLE) or f"sqlite:///{find_state(find_content(content)) / 'ledger.sqlite3'}"


def file_witness(content: Path) -> FileWitness:
    """KIEZBRUECKE_WITNESS, else `var/witness.json` beside the content."""
    given = os.environ.get(witness.VARIABLE)
    return FileWitness(Path(given) if given else find_state(content) / witness.FILE)


def vault(content: Path, connect: Connect) -> Vault:
    """The keys of KIEZBRUECKE_VAULT, else `var/vault.keys` beside the content, else of the connection `tresor`."""
    return Vault(lambda: find_keys(key_file(content), connect))


def key_file(content: Path) -> Path:
    """Where the vault's keys lie, unless a connection holds them."""
    given = os.environ.get(VAULT)
    return Path(given) if given else find_state(content) / VAULT_FILE


def local_connections(content: Path) -> Connect:
    """Outside Airflow: KIEZBRUECKE_CONN_<NAME>, else `var/connections.json`."""
    return connections.local(find_state(content) / "connections.json", os.environ)
