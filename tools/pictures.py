"""Takes the pictures of the desk: docs/pictures/*.png, with the demonstration's data and no Airflow.

    sheets, sandboxes (demo/) ─▶ every route, in this process ─▶ ledger ◀─ the desk's page ◀─ Chromium ─▶ PNG

    python -m tools.pictures        (or: make pictures)

The demonstration's own sandboxes, sheets, log-ins and people, in a folder that is thrown away. Only who is logged in is
said by a cookie instead of by Airflow: whoever looks is one of `demo/home.py`'s log-ins, with that log-in's role. And
whatever the ledger has noted in these minutes is shown as of the demonstration's day, so that two runs give the same
bytes.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from datetime import time as clock_time
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright
from starlette.requests import Request
from starlette.responses import RedirectResponse

import demo
from kiezbruecke import german

if TYPE_CHECKING:
    from kiezbruecke.house import House
    from kiezbruecke.page.visitor import Who

FOLDER = demo.ROOT / "docs" / "pictures"
MOST_BYTES = 120_000
WIDTH, HEIGHT = 1080, 760
PREFIX = "kk-tk"
LIST = "beschlussliste-adlershof-2026.csv"
COOKIE = "who"
COLLECT = ("budgets", "meinberlin")
ROUTES = (
    *COLLECT, "beschluesse", "antraege", "nachweise", "eakte", "hkr", "zahlungen", "erstattungen", "eakte-postfach",
    "hkr-rueckmeldungen", "statusliste",
)  # fmt: skip
MOST_ROUNDS = 8
NINE = clock_time(9)


@dataclass
class Camera:
    """A browser for each log-in, and where its pictures go."""

    browser: Browser
    address: str

    def open(self, user: str, path: str) -> Page:
        """A page as this log-in sees it."""
        context = self.browser.new_context(
            viewport={"width": WIDTH, "height": HEIGHT}, base_url=self.address, locale="de-DE"
        )
        context.add_cookies([{"name": COOKIE, "value": user, "url": self.address}])
        page = context.new_page()
        page.goto(path)
        return page

    def take(self, page: Page, name: str, height: int = HEIGHT, below: str = "") -> None:
        """The upper part of a page, or what stands from a heading on."""
        page.set_viewport_size({"width": WIDTH, "height": height})
        if below:
            page.get_by_role("heading", name=below, exact=True).evaluate(
                "one => window.scrollTo(0, one.getBoundingClientRect().top + scrollY - 16)"
            )
        body = page.screenshot(animations="disabled")
        if len(body) > MOST_BYTES:
            raise SystemExit(f"{name}.png: {len(body)} bytes, at most {MOST_BYTES}; make it lower")
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{name}.png").write_bytes(body)
        print(f"{name}.png: {len(body) // 1000} kB", flush=True)


def main() -> int:
    """Play the demonstration and take a picture wherever a clerk would look."""
    with tempfile.TemporaryDirectory(prefix="kb-pictures-") as folder:
        logging.disable(logging.INFO)
        demo.STATE = Path(folder)  # before its modules read it: what lies in var/ is left alone
        with _house() as house, _page(house) as address, _browser() as browser:
            _photograph(house, Camera(browser, address))
    return 0


def _photograph(house: House, camera: Camera) -> None:
    from demo import surroundings  # noqa: PLC0415 - reads STATE
    from demo.signers import People  # noqa: PLC0415

    surroundings.drop("budgets", demo.ROOT / "demo" / "budgets")
    for name in COLLECT:
        _run(house, name)
    _hand_in(camera)
    surroundings.fill_inbox()  # but for the one that was handed in: its content lies there already
    _rest(house)
    _look_at_points(camera)
    _sign(camera)
    people = People(house, f"{PREFIX}-2026", say=lambda _: None)
    while people.act():
        _rest(house)
    _look_at_money(camera)


def _hand_in(camera: Camera) -> None:
    """A clerk downloads a list, hands one in, looks ahead, takes it over."""
    page = camera.open("spk", "/listen")
    camera.take(page, "listen", 520)
    page.goto(f"/listen/{PREFIX}-beschluesse")
    page.get_by_label("Ausgefüllte Liste").set_input_files(demo.ROOT / "demo" / "beschluesse" / LIST)
    page.get_by_role("button", name="Ansehen, was daraus folgt").click()
    camera.take(page, "liste-ansehen")
    page.get_by_role("button", name="Diese Liste übernehmen").click()
    camera.take(page, "liste-uebernommen", 400)
    page.context.close()


def _look_at_points(camera: Camera) -> None:
    page = camera.open("spk", "/")
    camera.take(page, "schreibtisch", 920)
    page.get_by_role("link", name=re.compile(r"Punkt \d+ entscheiden")).first.click()
    camera.take(page, "punkt", 860)
    page.goto("/")
    for box in page.get_by_role("checkbox").all()[:2]:
        box.check()
    page.get_by_role("button", name="Ausgewählte zusammen entscheiden").click()
    camera.take(page, "punkte", 860)
    page.context.close()


def _sign(camera: Camera) -> None:
    """One certifies; the demonstration's people do the rest."""
    page = camera.open("muster", f"/freigaben/{PREFIX}-zahlungen?was=bescheinigen")
    camera.take(page, "freigabe")
    page.get_by_label("Begründung").fill("Bescheide liegen vor")
    camera.take(page, "zeichnen", 440, below="Zeichnen")
    page.get_by_role("button", name="Sachlich").click()
    page.context.close()


def _look_at_money(camera: Camera) -> None:
    page = camera.open("spk", "/faelle?nummer=2026-00001")
    camera.take(page, "suche", 500)
    page.get_by_role("link", name="2026-00001").click()
    camera.take(page, "fall", 860)
    camera.take(page, "fall-geld", 700, below="Geld")
    page.get_by_role("link", name="Dokumente zu").first.click()
    camera.take(page, "dokumente", 480)
    page.goto("/abgleich?sort=-bezahlt")
    camera.take(page, "abgleich", 860)
    page.context.close()


# -- the demonstration without Airflow


@contextmanager
def _house() -> Iterator[House]:
    """The demonstration's ledger and sandboxes; its environment is this process's from now on."""
    from demo import home, surroundings  # noqa: PLC0415 - read STATE
    from demo.processes import only_one  # noqa: PLC0415
    from kiezbruecke.edge import ledger_url, open_house  # noqa: PLC0415 - the environment must stand
    from kiezbruecke.ledger import upgrade  # noqa: PLC0415
    from kiezbruecke.sandbox import Running  # noqa: PLC0415

    sandboxes: dict[str, Running] = {}
    with only_one(demo.STATE) as register:
        home.enter()
        surroundings.make_keys()
        try:
            surroundings.start_sandboxes(sandboxes, register)
            surroundings.write_connections({name: box.url for name, box in sandboxes.items()})
            upgrade(ledger_url(demo.ROOT))
            with closing(open_house(demo.ROOT)) as house:
                yield house
        finally:
            for box in sandboxes.values():
                box.stop()


def _run(house: House, name: str) -> None:
    from kiezbruecke import pipeline  # noqa: PLC0415

    pipeline.run(house, f"{PREFIX}-{name}")


def _rest(house: House) -> None:
    """All routes, again and again until nothing is due."""
    from kiezbruecke import pipeline  # noqa: PLC0415

    for _ in range(MOST_ROUNDS):
        for name in ROUTES:
            _run(house, name)
        if not sum(pipeline.outstanding(house).values()):
            return
    raise SystemExit(f"the routes do not come to rest: {dict(pipeline.outstanding(house))}")


# -- the page and who looks at it


@contextmanager
def _page(house: House) -> Iterator[str]:
    """The page's address on loopback."""
    from kiezbruecke.page import rendering  # noqa: PLC0415
    from kiezbruecke.page.app import page_app  # noqa: PLC0415

    rendering.TEMPLATES.filters["moment"] = _on_the_day
    with socket.create_server(("127.0.0.1", 0)) as listener:
        app = page_app(lambda: house, _who(), secret=os.urandom(32), log_out=lambda _, back: RedirectResponse(back))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


def _on_the_day(noted: datetime | None) -> str:
    """All that happened in this run did so at nine o'clock on the demonstration's day."""
    from demo.home import TODAY  # noqa: PLC0415 - reads STATE

    return german.moment(datetime.combine(TODAY, NINE, german.BERLIN)) if noted else ""


def _who() -> Who:
    """The demonstration's log-ins, each with its role; the name is the log-in's, as Airflow's simple log-in says it."""
    from demo.home import USERS  # noqa: PLC0415 - reads STATE
    from kiezbruecke.content.roles import read_roles  # noqa: PLC0415
    from kiezbruecke.ledger.people import How, Person  # noqa: PLC0415
    from kiezbruecke.page.visitor import Visitor  # noqa: PLC0415

    roles = read_roles(demo.ROOT)

    async def who(request: Request) -> Visitor | None:
        user = request.cookies.get(COOKIE, "")
        if user not in USERS:
            return None
        return Visitor(Person(user, user, How.AIRFLOW), (roles[USERS[user]],), frozenset({USERS[user]}))

    return who


@contextmanager
def _browser() -> Iterator[Browser]:
    """Debian's Chromium, else playwright's own."""
    own = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=own, args=["--no-sandbox"])
        yield browser
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
