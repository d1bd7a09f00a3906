"""The desk's page inside Airflow's API server: Airflow says who is logged in, `mappings/roles.yaml` what they may do.

Airflow authenticates no mounted application by itself: `page/admission.py` asks for the user at every request.
"""

from __future__ import annotations

import hashlib
import logging

from airflow.api.client import get_current_api_client
from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.core_api.routes.public.auth import logout
from airflow.api_fastapi.core_api.security import bearer_scheme, get_user
from airflow.configuration import conf
from airflow.models.connection import Connection as AirflowConnection
from airflow.sdk.exceptions import AirflowNotFoundException
from fastapi import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from kiezbruecke.airflow.people import by_user, roles_of
from kiezbruecke.airflow.plugin import DESK
from kiezbruecke.airflow.resolver import to_ours
from kiezbruecke.connector import Connection
from kiezbruecke.content import find_content
from kiezbruecke.content.roles import read_roles
from kiezbruecke.edge import open_house
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.house import House
from kiezbruecke.ledger.people import Person
from kiezbruecke.page.app import page_app
from kiezbruecke.page.visitor import Visitor

log = logging.getLogger("kiezbruecke")


async def who(request: Request) -> Visitor | None:
    """The log-in that Airflow knows, with its roles as they are now; None for nobody, and for an old token."""
    try:
        user = await get_user(request, None, await bearer_scheme(request))
    except HTTPException:
        return None
    person = by_user(user.get_name(), str(user.get_id()))
    if not get_auth_manager().is_authorized_dag(method="GET", user=user):
        return Visitor(person)
    known = read_roles(find_content())
    names = frozenset(roles_of(user) & known.keys())
    return Visitor(person, tuple(known[name] for name in sorted(names)), names)


def connection(name: str) -> Connection:
    """A connection as the API server knows it; raises ConfigurationError."""
    try:
        return to_ours(name, AirflowConnection.get_connection_from_secrets(name))
    except AirflowNotFoundException:
        raise ConfigurationError(f"no connection is called '{name}'", where="Airflow") from None


def _house() -> House:
    return open_house(connect=connection)


def _log_in() -> str:
    """Where one logs in, and comes back from to the desk."""
    base = conf.get("api", "base_url", fallback="").rstrip("/")
    return get_auth_manager().get_url_login(next_url=f"{base}{DESK}/")


def _log_out(request: Request, back: str) -> Response:
    """As Airflow itself does it: the token is worth nothing from now on, in no browser and on none of its servers."""
    manager = get_auth_manager()
    answer = logout(request, manager, None, None)
    if not manager.get_url_logout():  # else the log-in's own page has the last word
        answer.headers["Location"] = back
    return answer


def _start(route: str, person: Person) -> bool:
    """Start a route's DAG for this person; a run that cannot be made is no failure: the route has a clock as well."""
    try:
        get_current_api_client().trigger_dag(route, logical_date=None, triggering_user_name=person.account)
    except Exception as error:  # noqa: BLE001 - whatever Airflow says, the list lies in its folder
        log.warning("%s was not started: %s", route, type(error).__name__)
        return False
    return True


# of Airflow's own secret, which all its servers share; not the secret itself, which signs other things
_SECRET = hashlib.sha256(b"kiezbruecke desk\0" + conf.get("api", "secret_key").encode()).digest()
app = page_app(_house, who, secret=_SECRET, log_in=_log_in(), log_out=_log_out, start=_start)
