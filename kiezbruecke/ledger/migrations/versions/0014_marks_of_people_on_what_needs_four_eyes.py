"""Marks of people on what needs four eyes, and the acts in which they gave them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiezbruecke.ledger.tables import Moment

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MARKS = ("factual", "arithmetical", "ordered")


def upgrade() -> None:
    """Messages of today have no row in `approvals`: they leave as before."""
    op.create_table(
        "releases",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("route", sa.String(60), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("shown", sa.String(160), nullable=False),
        sa.Column("numbers", sa.JSON(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("sum_cents", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.String(80), nullable=False),
        sa.Column("account", sa.String(160), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Moment(timezone=True), nullable=False),
        sa.Column("valid_until", Moment(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_releases")),
    )
    op.create_index("ix_releases_route", "releases", ["route", "kind", "id"])
    op.create_table(
        "approvals",
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        *(column for mark in MARKS for column in _mark(mark)),
        *(
            sa.CheckConstraint(f"({mark} IS NULL) = ({mark}_account = '')", op.f(f"ck_approvals_{mark}_by_somebody"))
            for mark in MARKS
        ),
        sa.CheckConstraint(
            "ordered IS NULL OR (factual IS NOT NULL AND arithmetical IS NOT NULL)",
            op.f("ck_approvals_certified_before_ordered"),
        ),
        sa.CheckConstraint(
            "ordered IS NULL OR (lower(ordered_account) <> lower(factual_account)"
            " AND lower(ordered_account) <> lower(arithmetical_account))",
            op.f("ck_approvals_four_eyes"),
        ),
        sa.ForeignKeyConstraint(["key"], ["messages.key"], name=op.f("fk_approvals_key")),
        *(sa.ForeignKeyConstraint([mark], ["releases.id"], name=op.f(f"fk_approvals_{mark}")) for mark in MARKS),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_approvals")),
    )


def _mark(name: str) -> tuple[sa.Column[int], sa.Column[str]]:
    account = sa.Column(f"{name}_account", sa.String(160), server_default="", nullable=False)
    return sa.Column(name, NUMBER, nullable=True), account
