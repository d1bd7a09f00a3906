"""Whom grants are paid to lies in a table of its own, sealed by the vault."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiezbruecke.ledger import tables

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """It begins empty: no older version has ever stored an account."""
    op.create_table(
        "accounts",
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=4), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("hint", sa.String(length=12), nullable=False),
        sa.Column("at", tables.Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_accounts")),
    )
