"""A restored backup is noticed and recovered from: sends are counted, numbers carry an incarnation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiezbruecke.ledger import tables

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing was counted yet, so no witness is missed; what exists is of the first incarnation."""
    op.create_table(
        "recovery_steps",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("destination", sa.String(60), nullable=False),
        sa.Column("at", tables.Moment(timezone=True), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("person", sa.String(80), server_default="", nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_steps")),
    )
    op.create_index("ix_recovery_steps_destination", "recovery_steps", ["destination", "id"])
    op.add_column("destinations", sa.Column("sends", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("destinations", sa.Column("incarnation", sa.Integer(), server_default="1", nullable=False))
    op.add_column("destinations", sa.Column("recovering", sa.Boolean(), server_default=sa.false(), nullable=False))
