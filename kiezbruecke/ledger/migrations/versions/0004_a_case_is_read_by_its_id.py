"""A case is read by its id, and an area's sum without its records' bodies"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_AREA = {
    "sqlite": "coalesce(json_extract(body, '$.area_id'), '')",
    "postgresql": """coalesce(substring(body from '"area_id":"([^"]*)"'), '')""",
}
_GRANTED = {
    "sqlite": "CASE WHEN json_extract(body, '$.outcome') IN ('accepted', 'accepted_reduced') "
    "THEN CAST(replace(coalesce(json_extract(body, '$.approved_amount'), '0'), '.', '') AS INTEGER) ELSE 0 END",
    "postgresql": """CASE WHEN body ~ '"outcome":"accepted(_reduced)?"' """
    """THEN CAST(coalesce(replace(substring(body from '"approved_amount":"([0-9.]+)"'), '.', ''), '0') AS BIGINT) """
    "ELSE 0 END",
}


def upgrade() -> None:
    """A case is read by its id, and an area's sum without its records' bodies"""
    database = op.get_bind().dialect.name
    stored = database == "postgresql"  # it indexes no other; SQLite adds no stored one to a table that is there
    area, granted = sa.Computed(_AREA[database], stored), sa.Computed(_GRANTED[database], stored)
    op.add_column("records", sa.Column("area_id", sa.Text(), area))
    op.add_column("records", sa.Column("granted_cents", sa.BigInteger(), granted))
    op.drop_index("ix_records_case", "records")
    op.create_index("ix_records_case", "records", ["case_id", "kind", "area_id", "granted_cents"])
    op.create_index("ix_records_area", "records", ["process_id", "area_id", "kind", "case_id"])
    op.create_index("ix_messages_reference", "messages", ["reference"])
    op.create_index("ix_messages_states", "messages", ["route", "state", "destination", "updated_at"])
    op.create_index("ix_attention_answer", "attention", ["answer"])
