"""`python -m kiezbruecke.airflow.pools > pools.json`: the routes' pools, for `airflow pools import`."""

from __future__ import annotations

import json
import sys

from kiezbruecke.airflow.dags import pools
from kiezbruecke.content import find_content


def main() -> int:
    """Print the pools in Airflow's form."""
    body = {
        name: {"slots": slots, "description": "Kiezbrücke", "include_deferred": False}
        for name, slots in pools(find_content()).items()
    }
    json.dump(body, sys.stdout, indent=2, ensure_ascii=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
