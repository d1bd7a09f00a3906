"""Freigaben on the page: two people sign what they were shown, once; nobody else does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page
from starlette.requests import Request

from kiezbruecke import release
from kiezbruecke.content.roles import Right, read_roles
from kiezbruecke.ledger import MessageState
from kiezbruecke.ledger.people import How, Person
from kiezbruecke.page.visitor import Visitor
from tests.page.conftest import COOKIE, click_twice, look, serving
from tests.release.conftest import ROUTE, Office, everybody_known, fresh, fresh_sqlite, office, strict

__all__ = ["fresh", "fresh_sqlite", "office", "strict"]
PEOPLE = {"muster": "fachkraft", "anders": "leitung", "nachbarin": "nachbar"}


@pytest.fixture
def url(fresh_sqlite: object) -> str:
    """SQLite alone: what a browser shows is the same on both."""
    assert callable(fresh_sqlite)
    made: str = fresh_sqlite()
    return made


@pytest.fixture(autouse=True)
def _open_vault(monkeypatch: pytest.MonkeyPatch) -> None:
    """The accounts of these payments have a holder, as in the tests of the release itself."""
    for act in (release.show, release.certify, release.order):
        monkeypatch.setitem(act.__kwdefaults__, "holders", everybody_known)


@contextmanager
def pages(office: Office, chromium: Browser) -> Iterator[dict[str, Page]]:
    """A browser for each of them."""
    roles = read_roles(office.house.content)

    async def who(request: Request) -> Visitor | None:
        name = request.cookies.get(COOKIE, "")
        if name not in PEOPLE:
            return None
        rights = frozenset({Right.SEE, Right.READ, Right.RELEASE})
        role = roles[PEOPLE[name]].model_copy(update={"desk": rights})
        return Visitor(Person(name.title(), name, How.AIRFLOW), (role,), frozenset({PEOPLE[name]}))

    with serving(lambda: office.house, who=who) as address:
        contexts = {name: chromium.new_context(base_url=address) for name in PEOPLE}
        for name, context in contexts.items():
            context.add_cookies([{"name": COOKIE, "value": name, "url": address}])
        yield {name: context.new_page() for name, context in contexts.items()}
        for context in contexts.values():
            context.close()


def sign(page: Page, what: str) -> None:
    page.goto(f"/freigaben/{ROUTE}?was={what}")
    page.fill("#text", "geprüft")
    page.locator("main form button").click()


def test_two_people_sign_and_one_does_not(office: Office, chromium: Browser) -> None:
    """Certified by one, ordered by another, under their log-ins; whoever has certified does not order."""
    payment = office.pay()
    with pages(office, chromium) as people:
        people["muster"].goto("/freigaben")
        look(people["muster"])
        people["muster"].goto(f"/freigaben/{ROUTE}?was=bescheinigen")
        look(people["muster"])
        assert "850,00 €" in people["muster"].inner_text("main")
        sign(people["muster"], "bescheinigen")
        people["muster"].wait_for_url("**/freigaben?gezeichnet=bescheinigen")
        look(people["muster"])
        signed = people["muster"].inner_text("main")
        people["muster"].goto(f"/freigaben/{ROUTE}?was=anordnen")
        look(people["muster"])
        only_looks = people["muster"].inner_text("main")
        people["muster"].goto("/")
        at_the_desk = people["muster"].inner_text("main")
        people["anders"].goto("/")
        look(people["anders"])
        people["anders"].get_by_role("link", name="anordnen").click()
        sign(people["anders"], "anordnen")
        people["anders"].wait_for_url("**/freigaben?gezeichnet=anordnen")
        look(people["anders"])
        people["muster"].goto("/freigaben?gezeichnet=anordnen")
        of_another = people["muster"].inner_text("main")

    assert "Gezeichnet: 1 Anordnung, 850,00 €" in signed
    assert "Als Nächstes ordnet eine andere Person an" in signed
    assert "zeichnen muss hier eine andere Person" in only_looks
    assert "Unterschrift" not in at_the_desk
    assert "Gezeichnet:" not in of_another  # an address claims nothing
    assert office.acts() == [("bescheinigen", "airflow:muster", 1, 85000), ("anordnen", "airflow:anders", 1, 85000)]
    assert [message.key for message in office.take()] == [payment.identity.key]
    assert office.state(payment) is MessageState.SENDING


def test_what_was_not_shown_is_not_signed(office: Office, chromium: Browser) -> None:
    """One message more, a second click, the back button: nothing happens, and what holds now is shown."""
    office.pay()
    with pages(office, chromium) as people:
        page = people["muster"]
        page.goto(f"/freigaben/{ROUTE}?was=bescheinigen")
        office.pay("20")
        page.fill("#text", "geprüft")
        page.locator("main form button").click()
        assert "2 Anordnungen statt 1" in page.inner_text("main")
        look(page)
        assert office.acts() == []
        page.fill("#text", "geprüft")
        click_twice(page.locator("main form button"), r"/freigaben\?gezeichnet=bescheinigen$")

    assert [one[2] for one in office.acts()] == [2]


def test_another_district_releases_nothing_here(office: Office, chromium: Browser) -> None:
    office.pay()
    with pages(office, chromium) as people:
        answer = people["nachbarin"].goto(f"/freigaben/{ROUTE}?was=anordnen")
        assert answer is not None
        assert answer.status == 404
        people["nachbarin"].goto("/freigaben")
        assert ROUTE not in people["nachbarin"].inner_text("main")
