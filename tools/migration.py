"""Writes the next migration of the ledger from the difference between its migrations and its tables.

python tools/migration.py 0006 "What changes for the reader of the ledger"
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command

from kiezbruecke.ledger import database


def write(revision: str, message: str) -> None:
    """Bring an empty ledger up to date, compare it with the tables, write the migration."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'ledger.sqlite3'}"
        config = database.alembic_config()
        if any((Path(database.__file__).parent / "migrations" / "versions").glob("*.py")):
            database.upgrade(url)
        ledger = database.Ledger(database.make_engine(url))
        with ledger.write() as connection:
            config.attributes["connection"] = connection
            command.revision(config, message=message, autogenerate=True, rev_id=revision)
        ledger.close()


if __name__ == "__main__":
    write(sys.argv[1], sys.argv[2])
