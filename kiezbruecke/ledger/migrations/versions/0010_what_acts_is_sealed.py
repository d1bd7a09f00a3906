"""Every row that acts is sealed in a chain; rows without a case have chains of their own, and an anchor holds all ends.

The rows of before are sealed by `ledger upgrade` itself (`database.upgrade`), as they stand.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiezbruecke.ledger.tables import Moment

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A link tells which rows it has changed; a chain need not be a case's any more."""
    op.create_table(
        "journals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(400), nullable=False),
        sa.Column("last_event", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_hash", sa.String(64), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journals")),
    )
    op.create_table(
        "anchors",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", Moment(timezone=True), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_anchors")),
    )
    op.create_table(
        "anchored",
        sa.Column("anchor", sa.Integer(), nullable=False),
        sa.Column("chain", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["anchor"], ["anchors.seq"], name=op.f("fk_anchored_anchor")),
        sa.PrimaryKeyConstraint("anchor", "chain", name=op.f("pk_anchored")),
    )
    op.create_index("ix_anchored_chain", "anchored", ["chain", "anchor"])
    with op.batch_alter_table("events") as events:
        events.add_column(sa.Column("rows", sa.Text(), server_default="", nullable=False))
        events.drop_constraint("fk_events_case_id", type_="foreignkey")
