"""What Airflow shows about us; imported by every `import airflow.sdk`, so it is data and imports nothing."""

from __future__ import annotations


def get_provider_info() -> dict[str, object]:
    """Airflow's provider description."""
    return {
        "package-name": "kiezbruecke",
        "name": "Kiezbrücke",
        "description": "Kiezbrücke",
        "connection-types": [],
    }
