"""The world around the demonstration: sandboxes for the systems outside, sheets in the inbox, connections."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from base64 import b64encode
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from demo import ROOT, STATE
from demo.home import TODAY
from demo.processes import Register
from kiezbruecke import vault
from kiezbruecke.connector import manifests
from kiezbruecke.machine import write_file
from kiezbruecke.privacy import make_private
from kiezbruecke.sandbox import Running, start

SHEETS = {
    "beschluesse": "decision-sheet",
    "budgets": "budget-sheet",
    "antraege": "application-sheet",
    "nachweise": "settlement-sheet",
}
LATER = ROOT / "demo" / "spaeter"  # sheets that a clerk fills in when something has come back or is done
PASSWORD = "sandkasten-2026"  # noqa: S105 - of the sandbox's invented accounts
MODERATOR = {"login": "middleware-kiezkasse@example.org", "password": PASSWORD}
OPEN = ROOT / "demo" / "offen"  # sheets of `make up` alone: what follows from them people release on the page
SITE = "https://mein.berlin.example"  # the sandbox's own address changes with every start
INITIATOR = {"export_login": "initiative@example.org", "export_password": PASSWORD}


def start_sandboxes(running: dict[str, Running], register: Register) -> None:
    """Start the sandboxes, each its own process with its own state in var/sandbox/<name>/; `running` gets them."""
    options = {"meinberlin": [f"data={ROOT / 'demo' / 'proposals.json'}"], "xta": [], "hkr": [f"today={TODAY}"]}

    def run(name: str) -> None:
        create = manifests()[name].sandbox
        assert create, f"connector {name} has no sandbox"
        running[name] = start(create, STATE / "sandbox" / name, options=options[name])

    with ThreadPoolExecutor() as pool:
        list(pool.map(run, options))
    for name, sandbox in running.items():
        register.note(sandbox.process, f"sandbox {name}", int(sandbox.url.rsplit(":", 1)[1]))


def fill_inbox() -> int:
    """Put the demonstration's sheets into the inboxes; how many."""
    return sum(drop(name, ROOT / "demo" / name) for name in SHEETS)


def drop(name: str, sheets: Path) -> int:
    """Put these sheets into an inbox; one whose content has been there is not put in again."""
    inbox, dropped = STATE / "eingang" / name, 0
    inbox.mkdir(parents=True, exist_ok=True)
    seen = {_digest(file) for file in inbox.rglob("*") if file.is_file()}
    for sheet in sorted(sheets.glob("*.*")):
        if _digest(sheet) not in seen:
            _drop(sheet, inbox)
            dropped += 1
    return dropped


def waiting(name: str) -> set[Path]:
    """The sheets in an inbox that nobody has read."""
    return {file for file in (STATE / "eingang" / name).glob("[!.~]*.*") if file.is_file()}


def make_keys() -> None:
    """The keys with which account data is sealed, made up once, for this machine only."""
    file = STATE / vault.FILE
    make_private(file)
    if not file.stat().st_size:
        write_file(file, vault.new_keys(str(file)).text())


def write_connections(urls: Mapping[str, str]) -> dict[str, Any]:
    """The connections in Airflow's JSON form, for Airflow and, as var/connections.json, for the commands."""
    found = _connections(urls)
    part = STATE / "connections.part"
    part.touch(mode=0o600)
    part.write_text(json.dumps(found, indent=2, ensure_ascii=False), "utf-8")
    part.replace(STATE / "connections.json")
    return found


def _connections(urls: Mapping[str, str]) -> dict[str, Any]:
    party = {"party": "xyz:110090090000", "party_name": "Bezirksamt Treptow-Köpenick (Testdaten)"}
    return {
        "meinberlin-tk": {
            "conn_type": "kb_meinberlin",
            "host": urls["meinberlin"],
            **MODERATOR,
            "extra": {**INITIATOR, "site": SITE},
        },
        **{f"{name}-tk": _folder(STATE / "eingang" / name, profile) for name, profile in SHEETS.items()},
        "antraege-tk": _folder(STATE / "eingang" / "antraege", "application-sheet"),
        "nachweise-tk": _folder(STATE / "eingang" / "nachweise", "settlement-sheet"),
        "statusliste-tk": _folder(STATE / "ausgang" / "statusliste", "status-list"),
        "eakte-tk": {
            "conn_type": "kb_xta",
            "host": urls["xta"],
            "extra": {**party, "receiver": "xyz:110090090001"},
        },
        "ideen-tk": _webhook(STATE / "eingang" / "ideen"),
        "hkr-tk": {"conn_type": "kb_hkr", "host": urls["hkr"], "extra": {"dienststelle": "TK-SPK"}},
    }


def _folder(path: Path, profile: str) -> dict[str, Any]:
    path.mkdir(parents=True, exist_ok=True)
    return {"conn_type": "kb_folder", "extra": {"path": str(path), "profile": profile, "settle_seconds": 0}}


def _webhook(path: Path) -> dict[str, Any]:
    """Deliveries of a system that sends by itself; the key is made up once, for this machine only."""
    path.mkdir(parents=True, exist_ok=True)
    file = STATE / "webhook.key"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(f"whsec_{b64encode(secrets.token_bytes(32)).decode()}", "utf-8")
    return {"conn_type": "kb_webhook", "extra": {"path": str(path), "secret": file.read_text("utf-8")}}


def _drop(sheet: Path, inbox: Path) -> None:
    """Whole or not at all: copied beside the inbox, then renamed into it."""
    part = inbox.parent / f".{sheet.name}.part"
    shutil.copyfile(sheet, part)
    with suppress(FileExistsError):
        part.rename(inbox / sheet.name)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
