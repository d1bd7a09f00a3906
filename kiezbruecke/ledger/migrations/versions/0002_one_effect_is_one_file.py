"""What may happen once per case is said by each message, not by a list of effects in an index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The column from what the index said, then the index from the column."""
    op.drop_index("uq_messages_once", "messages")
    op.add_column("messages", sa.Column("once", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE messages SET once = (effect IN ('file.create', 'commitment.book'))")  # what 0001 knew
    where = sa.text("once AND state <> 'refused' AND NOT test")
    op.create_index(
        "uq_messages_once",
        "messages",
        ["case_id", "effect", "generation"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )
