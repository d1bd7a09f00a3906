"""Bytes lie apart from their messages, and what is claimed next is found by an index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_CLAIMABLE = "state IN ('waiting', 'claimed')"


def upgrade() -> None:
    """Yesterday's bytes move; nothing of a message is lost."""
    op.create_table(
        "message_bytes",
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("lineage", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["key"], ["messages.key"], name=op.f("fk_message_bytes_key")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_message_bytes")),
    )
    op.execute("INSERT INTO message_bytes (key, payload, lineage) SELECT key, payload, lineage FROM messages")
    for dead in ("payload", "lineage", "remind_at"):
        op.drop_column("messages", dead)
    op.create_index("ix_messages_batch", "messages", ["batch_id"])
    _partial("ix_messages_claimable", ["lane", "fence", "created_at", "reference"], _CLAIMABLE)
    _partial("ix_messages_carried", ["lane", "fence"], f"{_CLAIMABLE} AND batch_id IS NOT NULL")
    op.drop_column("records", "last_seen")
    op.drop_index("ix_records_source", "records")
    op.create_index("ix_records_listed", "records", ["source", "process_id", "kind", "gone_at", "external_id"])


def _partial(name: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "messages", columns, sqlite_where=where, postgresql_where=where)
