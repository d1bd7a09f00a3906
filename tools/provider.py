"""Writes kiezbruecke/airflow/provider.json: the forms that Airflow shows for our connections, from the manifests.

    python tools/provider.py            writes
    python tools/provider.py --check    exits 1 if it is stale

Every `import airflow.sdk` reads the file; reading four manifests there instead would cost each process 0.2 s.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from kiezbruecke.airflow.provider import hook_of
from kiezbruecke.connector import Manifest, manifests
from kiezbruecke.connector.manifest import FormField
from kiezbruecke.vault import CONNECTION_TYPE

FILE = Path(__file__).resolve().parent.parent / "kiezbruecke" / "airflow" / "provider.json"


def provider() -> str:
    """What the file must hold."""
    body = {
        "package-name": "kiezbruecke",
        "name": "Kiezbrücke",
        "description": "Trägt Beschlüsse der Bürgerbeteiligung in E-Akte und HKR-Verfahren.",
        "connection-types": [
            *(_connection_type(manifest) for manifest in manifests().values() if _is_ours(manifest)),
            VAULT,
        ],
    }
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the file, or say that it is stale."""
    text = provider()
    if "--check" not in arguments:
        FILE.write_text(text, "utf-8")
    elif not FILE.exists() or FILE.read_text("utf-8") != text:
        print(f"{FILE}: stale; run 'make generate'")
        return 1
    return 0


HIDDEN = {
    "http": ("extra", "schema"),
    "sftp": ("extra", "schema"),
    "none": ("extra", "schema", "host", "port", "login", "password"),
}
RELABELED = {"host": "Adresse", "port": "Port", "login": "Benutzername", "password": "Passwort"}
PLACEHOLDERS = {"http": {"host": "https://name.example/pfad"}, "sftp": {"host": "sftp.example"}, "none": {}}
ENVIRONMENT = FormField(
    label="Umgebung",
    help="Was das Ziel ist. Eine Strecke mit environment: test sendet nur an eine Verbindung, die test sagt",
    default="production",
    choices=("production", "test"),
)


VAULT = {  # no connector speaks it: its password holds the keys of the vault
    "connection-type": CONNECTION_TYPE,
    "hook-name": "Kiezbrücke: Tresor der Kontodaten",
    "hook-class-name": "kiezbruecke.airflow.hooks.VaultHook",
    "conn-fields": {},
    "ui-field-behaviour": {
        "hidden-fields": ["extra", "schema", "host", "port", "login"],
        "relabeling": {"password": "Schlüssel"},
        "placeholders": {"password": "mark:… 1:… – der Inhalt der Datei von „kiezbruecke vault key -o DATEI“"},
    },
}


def _is_ours(manifest: Manifest) -> bool:
    """A connector that somebody has installed beside ours is not in our file."""
    return manifest.settings.startswith("connectors.")


def _connection_type(manifest: Manifest) -> dict[str, Any]:
    shown = manifest.transport != "none"
    return {
        "connection-type": manifest.connection_type,
        "hook-name": f"Kiezbrücke: {manifest.title}",
        "hook-class-name": f"kiezbruecke.airflow.hooks.{hook_of(manifest.name)}",
        "conn-fields": {name: _field(field) for name, field in _fields(manifest).items()},
        "ui-field-behaviour": {
            "hidden-fields": [*HIDDEN[manifest.transport]],
            "relabeling": RELABELED if shown else {},
            "placeholders": PLACEHOLDERS[manifest.transport],
        },
    }


def _fields(manifest: Manifest) -> dict[str, FormField]:
    """The connector's own fields, and for destinations the one that the engine itself reads."""
    return {**manifest.fields, **({"environment": ENVIRONMENT} if manifest.target else {})}


def _field(field: FormField) -> dict[str, Any]:
    """A field as Airflow's form takes it: what may be null is not mandatory there."""
    schema: dict[str, Any] = {"type": field.type if field.required else [field.type, "null"]}
    if field.default is not None:
        schema["default"] = field.default
    if field.choices:
        schema["enum"] = [*field.choices]
    if field.secret:
        schema["format"] = "password"
    return {"label": field.label, "schema": schema, "description": field.help}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
