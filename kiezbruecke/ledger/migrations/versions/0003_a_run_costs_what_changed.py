"""A run costs what changed: numbers of changes, how far each route has looked, what each record was read from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiezbruecke.ledger import tables

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing is filled in: no route has looked yet, so the first run of each looks at everything."""
    op.create_table(
        "changes",
        sa.Column("process_id", sa.String(length=60), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("counted", sa.BigInteger(), nullable=False, server_default="-1"),
        sa.PrimaryKeyConstraint("process_id", name=op.f("pk_changes")),
    )
    op.create_table(
        "looks",
        sa.Column("route", sa.String(length=60), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("inputs", sa.String(length=64), nullable=False),
        sa.Column("at", tables.Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("route", name=op.f("pk_looks")),
    )
    op.create_table(
        "verdicts",
        sa.Column("process_id", sa.String(length=60), nullable=False),
        sa.Column("area_id", sa.String(length=20), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("process_id", "area_id", name=op.f("pk_verdicts")),
    )
    op.add_column("cases", sa.Column("changed", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("cases", sa.Column("counted_area", sa.String(length=20), nullable=False, server_default=""))
    op.add_column("cases", sa.Column("counted_cents", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_index("ix_cases_changed", "cases", ["process_id", "changed"])
    op.create_index("ix_cases_counted", "cases", ["process_id", "counted_area", "counted_cents"])
    op.create_index("ix_cases_reference", "cases", ["reference"])
    op.add_column("records", sa.Column("input", sa.String(length=64), nullable=False, server_default=""))
    op.create_index("ix_records_item", "records", ["source", "process_id", "external_id"])
    op.create_index("ix_attention_case", "attention", ["case_id"])
    op.create_index("ix_attention_route_kind", "attention", ["route", "kind"])
