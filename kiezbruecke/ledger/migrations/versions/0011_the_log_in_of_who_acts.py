"""Beside the name of whoever acts stands the log-in that gave it; older rows have a name alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

COLUMNS = (
    ("attention", "answered_account"),
    ("baselines", "account"),
    ("destinations", "account"),
    ("destinations", "paused_account"),
    ("recovery_steps", "account"),
    ("route_flags", "account"),
)


def upgrade() -> None:
    """An empty log-in is left out of a row's digest, so no seal changes."""
    for table, name in COLUMNS:
        op.add_column(table, sa.Column(name, sa.String(160), server_default="", nullable=False))
