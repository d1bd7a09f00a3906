"""A mended line closes the point of the line that could not be read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """A mended line closes the point of the line that could not be read."""
    op.add_column("attention", sa.Column("about", sa.String(length=64), server_default="", nullable=False))
