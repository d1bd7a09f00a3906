"""`GET /kiezbruecke/me`: whose this log-in is and which roles it has now, answered by Airflow's own auth manager.

Airflow authenticates no mounted application by itself: every path here must ask for the user.
"""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import FastAPI

from kiezbruecke.airflow.people import roles_of

app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)


@app.get("/me")
def me(user: GetUserDep) -> dict[str, Any]:
    """The log-in, its name for people, its roles; 401 and 403 are Airflow's where a token holds no more."""
    return {"account": str(user.get_id()), "name": user.get_name(), "roles": sorted(roles_of(user))}
