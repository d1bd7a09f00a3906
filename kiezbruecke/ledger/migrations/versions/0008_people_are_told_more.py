"""A destination can be paused, the last run of each step is found at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiezbruecke.ledger.tables import Moment

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing that is there changes its meaning."""
    op.add_column("destinations", sa.Column("paused_at", Moment(), nullable=True))
    op.add_column("destinations", sa.Column("paused_by", sa.String(80), server_default="", nullable=False))
    op.add_column("destinations", sa.Column("paused_because", sa.Text(), server_default="", nullable=False))
    op.create_index("ix_runs_step", "runs", ["route", "step", "id"])
