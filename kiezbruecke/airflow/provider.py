"""What Airflow knows about us; imported by every `import airflow.sdk`, so it reads one file and imports nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("provider.json")


def hook_of(connector: str) -> str:
    """The name of a connector's hook class in `kiezbruecke.airflow.hooks`."""
    return f"{connector.title().replace('_', '')}Hook"


def get_provider_info() -> dict[str, Any]:
    """Airflow's description of a provider, generated from the connectors' manifests (tools/provider.py)."""
    info: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return info
