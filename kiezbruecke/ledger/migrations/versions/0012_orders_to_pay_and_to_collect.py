"""Orders to pay and to collect; what of a budget is paid and came back; days on which a case wakes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kiezbruecke.ledger.tables import Moment

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

LIVE = sa.text("state NOT IN ('rejected', 'bounced', 'cancelled')")


def upgrade() -> None:
    """New columns hold nothing, which is left out of a row's digest, so no seal changes."""
    op.create_table(
        "orders",
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("instalment", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(10), nullable=False),
        sa.Column("process_id", sa.String(60), nullable=False),
        sa.Column("fiscal_year", sa.Integer(), nullable=False),
        sa.Column("area_id", sa.String(20), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("moved_cents", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("moved_on", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("account", sa.String(64), server_default="", nullable=False),
        sa.Column("at", Moment(timezone=True), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_orders_amount_positive")),
        sa.CheckConstraint("moved_cents IN (0, amount_cents)", name=op.f("ck_orders_moved_whole_or_not")),
        sa.CheckConstraint("kind IN ('payment', 'refund')", name=op.f("ck_orders_kind_known")),
        sa.CheckConstraint("kind <> 'payment' OR account <> ''", name=op.f("ck_orders_payment_has_account")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_orders_case_id")),
        sa.ForeignKeyConstraint(
            ["key"], ["messages.key"], name=op.f("fk_orders_key"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_orders")),
    )
    op.create_index("ix_orders_account", "orders", ["account"])
    op.create_index("ix_orders_area", "orders", ["process_id", "fiscal_year", "area_id", "state"])
    op.create_index("ix_orders_case", "orders", ["case_id"])
    op.create_index(
        "uq_orders_live",
        "orders",
        ["case_id", "kind", "instalment"],
        unique=True,
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    )
    op.add_column("balances", sa.Column("refunded_cents", sa.BigInteger(), server_default="0", nullable=False))
    with op.batch_alter_table("budgets") as budgets:
        budgets.add_column(sa.Column("paid_cents", sa.BigInteger(), server_default="0", nullable=False))
        budgets.add_column(sa.Column("refunded_cents", sa.BigInteger(), server_default="0", nullable=False))
        budgets.drop_constraint(op.f("ck_budgets_never_exceeded"), type_="check")
        budgets.create_check_constraint(
            op.f("ck_budgets_never_exceeded"), "committed_cents - refunded_cents <= limit_cents"
        )
        budgets.create_check_constraint(op.f("ck_budgets_paid_not_negative"), "paid_cents >= 0")
        budgets.create_check_constraint(op.f("ck_budgets_refunded_not_negative"), "refunded_cents >= 0")
    op.add_column("cases", sa.Column("wakes_on", sa.Date(), nullable=True))
    op.create_index("ix_cases_wakes", "cases", ["process_id", "wakes_on"])
    op.add_column("looks", sa.Column("day", sa.Date(), nullable=True))
