"""Transport reports are asked for less and less often: how often a message was asked after, and when to ask again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiezbruecke.ledger import tables

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody was asked after yet: each delivered message is due once, a few hundred in a run."""
    op.add_column("messages", sa.Column("asked", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("messages", sa.Column("ask_after", tables.Moment(timezone=True)))
