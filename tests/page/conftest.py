"""The page on loopback, in a thread of its own, with log-ins by a header that the test's browser sends."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
import uvicorn
from starlette.requests import Request

from benchmarks.desk import no_connection
from kiezbruecke.content.roles import read_roles
from kiezbruecke.house import House
from kiezbruecke.ledger import Ledger
from kiezbruecke.ledger.people import How, Person
from kiezbruecke.page.app import page_app
from kiezbruecke.page.sheets import Start, nobody_starts
from kiezbruecke.page.visitor import Visitor
from tests.builders import ROOT
from tests.ledger.conftest import Desk, fresh, fresh_postgresql, fresh_sqlite, ledger, postgres, url

__all__ = ["fresh", "fresh_postgresql", "fresh_sqlite", "ledger", "postgres", "url"]

COOKIE = "who"
ROLES = {"klara": "fachverwaltung", "karl": "fachverwaltung", "otto": "betrieb", "chefin": "administration"}
NAMES = {"klara": "Klara Beispiel", "karl": "Karl Muster", "otto": "Otto Betrieb", "chefin": "C. Amt", "fremd": "X"}


@dataclass
class Site:
    """The running page."""

    address: str
    ledger: Ledger
    away: list[Exception] = field(default_factory=list)
    """What opening the house raises, while there is something"""

    @property
    def desk(self) -> Desk:
        """The moves of a case's life."""
        return Desk(self.ledger)


async def who(request: Request) -> Visitor | None:
    """The test's log-in: a cookie with a name. `fremd` has no role, nobody has no cookie."""
    name = request.cookies.get(COOKIE, "")
    if name not in NAMES:
        return None
    roles = (read_roles(ROOT)[ROLES[name]],) if name in ROLES else ()
    return Visitor(Person(NAMES[name], name, How.AIRFLOW), roles)


@contextmanager
def serving(open_house: Callable[[], House], log_in: str = "/anmelden", start: Start = nobody_starts) -> Iterator[str]:
    """The page's address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        app = page_app(open_house, who, secret=b"of this test", log_in=log_in, start=start)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def site(ledger: Ledger) -> Iterator[Site]:
    """The page on this test's ledger, on both databases."""
    found = Site("", ledger)

    def open_house() -> House:
        if found.away:
            raise found.away[0]
        return House(ROOT, ledger, no_connection)

    with serving(open_house) as address:
        found.address = address
        yield found
