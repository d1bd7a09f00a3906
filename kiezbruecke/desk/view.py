"""What all views have in common: frozen, and as JSON just their fields."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class DeskView(BaseModel):
    """Something a person looks at. Its fields are the keys of `--json`: they may grow, they do not change."""

    model_config = ConfigDict(frozen=True)
