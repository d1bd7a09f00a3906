"""The page on loopback, in a thread of its own, with log-ins by a header that the test's browser sends."""

from __future__ import annotations

import re
import shutil
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from benchmarks.desk import no_connection
from kiezbruecke.content.roles import read_roles
from kiezbruecke.house import House
from kiezbruecke.ledger import Ledger
from kiezbruecke.ledger.database import make_engine
from kiezbruecke.ledger.people import How, Person
from kiezbruecke.page.app import page_app
from kiezbruecke.page.sheets import Start, nobody_starts
from kiezbruecke.page.visitor import Visitor, Who
from tests.builders import ROOT
from tests.ledger.conftest import Desk, fresh, fresh_postgresql, fresh_sqlite, ledger, postgres, url

__all__ = ["fresh", "fresh_postgresql", "fresh_sqlite", "ledger", "postgres", "url"]

COOKIE = "who"
ROLES = {"klara": "fachverwaltung", "karl": "fachverwaltung", "otto": "betrieb", "chefin": "administration"}
ROLES |= {"paula": "certifier", "anders": "orderer"}
NAMES = {"klara": "Klara Beispiel", "karl": "Karl Muster", "otto": "Otto Betrieb", "chefin": "C. Amt", "fremd": "X"}
NAMES |= {"paula": "Paula Prüft", "anders": "A. Ordnet"}


@dataclass
class Site:
    """The running page."""

    address: str
    ledger: Ledger
    content: Path = ROOT
    away: list[Exception] = field(default_factory=list)
    """What opening the house raises, while there is something"""

    def break_ledger(self) -> None:
        """From now on the database refuses, as one that is gone does."""
        event.listen(self.ledger.engine, "begin", _refuse)

    def mend_ledger(self) -> None:
        """It is back."""
        event.remove(self.ledger.engine, "begin", _refuse)

    @property
    def desk(self) -> Desk:
        """The moves of a case's life."""
        return Desk(self.ledger)


def _refuse(_: Any) -> None:
    raise OperationalError("", {}, sqlite3.OperationalError("disk I/O error"))


async def who(request: Request) -> Visitor | None:
    """The test's log-in: a cookie with a name. `fremd` has no role, nobody has no cookie."""
    name = request.cookies.get(COOKIE, "")
    if name not in NAMES:
        return None
    roles = (read_roles(ROOT)[ROLES[name]],) if name in ROLES else ()
    return Visitor(Person(NAMES[name], name, How.AIRFLOW), roles)


def log_out(_request: Request, back: str) -> Response:
    """The test's way out: the cookie is gone."""
    answer = RedirectResponse(back, 303)
    answer.delete_cookie(COOKIE)
    return answer


@contextmanager
def serving(
    open_house: Callable[[], House], log_in: str = "/anmelden", start: Start = nobody_starts, who: Who = who
) -> Iterator[str]:
    """The page's address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        app = page_app(open_house, who, secret=b"of this test", log_in=log_in, log_out=log_out, start=start)
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
        return House(found.content, ledger, no_connection)

    with serving(open_house) as address:
        found.address = address
        yield found


@pytest.fixture
def lite(fresh_sqlite: Callable[[], str]) -> Iterator[Site]:
    """The page on SQLite alone, for what a browser shows."""
    opened = Ledger(make_engine(fresh_sqlite()))
    found = Site("", opened)

    def open_house() -> House:
        if found.away:
            raise found.away[0]
        return House(found.content, opened, no_connection)

    with serving(open_house) as address:
        found.address = address
        yield found
    opened.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A real browser; where there is none the tests say so. CI installs it (README).

    Of one module: as long as Playwright is open its event loop runs in this thread, and nobody else's can.
    """
    own = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=own, args=["--no-sandbox"])
        except PlaywrightError:
            pytest.skip("there is no Chromium here: apt-get install chromium, or playwright install chromium")
        yield browser
        browser.close()


@dataclass
class People:
    """Browsers of people, each with a log-in of their own."""

    chromium: Browser
    site: Site
    contexts: dict[str, BrowserContext] = field(default_factory=dict)

    def page(self, name: str = "klara", path: str = "/", width: int = 1280, **options: Any) -> Page:
        """A page of somebody's, opened at an address."""
        context = self.chromium.new_context(viewport={"width": width, "height": 900}, **options)
        self.contexts[f"{name}{len(self.contexts)}"] = context
        self.log_in(context, name)
        page = context.new_page()
        page.goto(self.site.address + path)
        return page

    def log_in(self, context: BrowserContext, name: str) -> None:
        """Let this browser be somebody's; nobody's without a name."""
        context.clear_cookies(name=COOKIE)
        if name:
            context.add_cookies([{"name": COOKIE, "value": name, "url": self.site.address}])


@pytest.fixture
def people(chromium: Browser, lite: Site) -> Iterator[People]:
    """Those who use the page."""
    found = People(chromium, lite)
    yield found
    for context in found.contexts.values():
        context.close()


def click_twice(button: Locator, address: str) -> None:
    """A double click sends twice, and the browser lets go of the first answer for the second: that is no error."""
    button.dblclick()
    expect(button.page).to_have_url(re.compile(address))
    button.page.wait_for_load_state("networkidle")


def look(page: Page) -> None:
    """What axe finds on a page is nothing, and at 320 pixels nothing is cut off (WCAG 2.1: 1.4.10)."""
    found = [
        (one["id"], [node["html"][:200] for node in one["nodes"]]) for one in Axe().run(page).response["violations"]
    ]
    assert found == [], found
    before = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert before
    page.set_viewport_size(before)
