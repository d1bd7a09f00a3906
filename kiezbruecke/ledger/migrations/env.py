"""Alembic runs the ledger's migrations on the connection it is given, in one transaction."""

from __future__ import annotations

from alembic import context

from kiezbruecke.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
    user_module_prefix="tables.",
)
context.run_migrations()
