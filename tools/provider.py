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

from kiezbruecke.connector import Manifest, manifests
from kiezbruecke.connector.manifest import FormField

FILE = Path(__file__).resolve().parent.parent / "kiezbruecke" / "airflow" / "provider.json"


def provider() -> str:
    """What the file must hold."""
    body = {
        "package-name": "kiezbruecke",
        "name": "Kiezbrücke",
        "description": "Trägt Beschlüsse der Kiezkassen in E-Akte und HKR-Verfahren.",
        "connection-types": [_connection_type(manifest) for manifest in manifests().values()],
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


def _connection_type(manifest: Manifest) -> dict[str, Any]:
    is_folder = "path" in manifest.fields and manifest.sandbox is None
    hidden = ["extra", "schema", *(["host", "port", "login", "password"] if is_folder else [])]
    return {
        "connection-type": manifest.connection_type,
        "hook-name": f"Kiezbrücke: {manifest.title}",
        "hook-class-name": f"kiezbruecke.airflow.hooks.{manifest.name.title()}Hook",
        "conn-fields": {name: _field(field) for name, field in _fields(manifest).items()},
        "ui-field-behaviour": {"hidden-fields": hidden, "relabeling": {}, "placeholders": {}},
    }


ENVIRONMENT = FormField(
    label="Environment",
    default="production",
    description="production or test. A route with environment: test sends only to a connection that says test",
)


def _fields(manifest: Manifest) -> dict[str, FormField]:
    """The connector's own fields, and for destinations the one that the engine itself reads."""
    return {**manifest.fields, **({"environment": ENVIRONMENT} if manifest.target else {})}


def _field(field: FormField) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": [field.type, "null"]}
    if field.default is not None:
        schema["default"] = field.default
    if field.secret:
        schema["format"] = "password"
    return {"label": field.label, "schema": schema, "description": field.description}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
