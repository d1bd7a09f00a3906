"""Pages are read along indexes, and what cases are found by is brought up to date step by step."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_OPEN_POINTS = sa.text("closed_at IS NULL")
_OPEN_ORDERS = sa.text("state IN ('ordered', 'sent', 'in_doubt', 'booked', 'bounced')")
_AREA = ["process_id", "fiscal_year", "area_id"]
_WIDER = {  # index: its table, its columns before and from now on
    "ix_cases_changed": ("cases", ["process_id", "changed"], ["process_id", "changed", "id"]),
    "ix_messages_lane_state": ("messages", ["lane", "state"], ["lane", "state", "test", "effect"]),
    "ix_messages_states": (
        "messages",
        ["route", "state", "destination", "updated_at"],
        ["route", "state", "updated_at", "destination"],
    ),
    "ix_orders_area": (
        "orders",
        [*_AREA, "state"],
        [*_AREA, "kind", "state", "amount_cents", "moved_cents", "moved_on"],
    ),
}


def upgrade() -> None:
    """All that was read up to a number stays so: up to its last case."""
    for name, (table, _, wider) in _WIDER.items():
        op.drop_index(name, table)
        op.create_index(name, table, wider)
    op.create_index("ix_commitments_area", "commitments", [*_AREA, "held_cents", "booked_cents"])
    for name, table, columns, where in (
        ("ix_orders_open", "orders", ["state", "key"], _OPEN_ORDERS),
        ("ix_attention_open", "attention", ["id"], _OPEN_POINTS),
    ):
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
    op.add_column("changes", sa.Column("found_case", sa.Uuid(), server_default="f" * 32, nullable=False))


def downgrade() -> None:
    """Of a number that was read in part, nothing counts as read."""
    op.execute("UPDATE changes SET found = found - 1 WHERE CAST(found_case AS VARCHAR(36)) NOT LIKE 'ffffffff%'")
    op.drop_column("changes", "found_case")
    op.drop_index("ix_attention_open", "attention")
    op.drop_index("ix_orders_open", "orders")
    op.drop_index("ix_commitments_area", "commitments")
    for name, (table, narrower, _) in _WIDER.items():
        op.drop_index(name, table)
        op.create_index(name, table, narrower)
