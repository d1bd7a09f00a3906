"""A case, a message, a route's states are read by an index, never by reading the process."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Indexes only."""
    op.create_index("ix_messages_reference", "messages", ["reference"])
    op.create_index("ix_messages_states", "messages", ["route", "state", "destination", "updated_at"])
    op.create_index("ix_attention_answer", "attention", ["answer"])
