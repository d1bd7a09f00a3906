"""The demonstration's story without a mouse: from the list to the money that has left, and what arrived where.

    a clerk hands in lists, answers points ─▶ routes run ─▶ two people sign ─▶ the cash office pays ─▶ the case says so

Everything that a person does is a key (or the browser's back button); sandboxes, routes and ledger are the real ones.
Airflow is not needed for it: `test_lists_in_airflow.py` shows that a list handed in there starts its run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Browser, Page
from starlette.requests import Request

from kiezbruecke import clock
from kiezbruecke.content.roles import read_roles
from kiezbruecke.ledger import evidence
from kiezbruecke.ledger.events import OPENED, events_of
from kiezbruecke.ledger.people import How, Person
from kiezbruecke.ledger.reading import find_case
from kiezbruecke.page.visitor import Visitor
from kiezbruecke.records import OrderState
from tests.money.conftest import ANSWERS, COLLECT, PAY, TODAY, Till, processes
from tests.page.conftest import COOKIE, serving
from tests.world import APPLICATION_HEADER, DECISION_HEADER, World, application, line, make_world, world

__all__ = ["make_world", "processes", "world"]
PEOPLE = {"spk": "fachverwaltung", "spk2": "fachverwaltung", "muster": "certifier", "anders": "orderer"}
MOST_TABS = 120
DAYS = ("20.04.2026", "10.05.2026", "04.05.2026", "06.05.2026")  # applied, begins, Bescheid, waiver


@dataclass
class Hands:
    """Somebody in front of a keyboard."""

    page: Page

    def reach(self, what: str) -> None:
        """Tab until what has the focus is this: its role and the beginning of its name, as a screen reader says it."""
        role, _, name = what.partition(" ")
        wanted = re.compile(rf"""- '?{role} "{re.escape(name)}""")
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            focused = self.page.locator(":focus")
            if focused.count() and wanted.match(focused.aria_snapshot()):
                return
        raise AssertionError(f"{what} cannot be reached on {self.page.url}")

    def press(self, what: str, key: str = "Enter") -> str:
        """Press it, and read the page that comes."""
        self.reach(what)
        with self.page.expect_navigation():
            self.page.keyboard.press(key)
        return self.read()

    def tick(self, what: str) -> None:
        self.reach(what)
        self.page.keyboard.press("Space")

    def type(self, field: str, text: str) -> None:
        self.reach(f"textbox {field}")
        self.page.keyboard.type(text)

    def load(self, what: str) -> bytes:
        """What a link gives to be kept."""
        self.reach(what)
        with self.page.expect_download() as loaded:
            self.page.keyboard.press("Enter")
        return loaded.value.path().read_bytes()

    def choose(self, file: Path) -> None:
        """The file; the dialogue in which it is found is the machine's."""
        self.reach("button Ausgefüllte Liste")
        self.page.locator(":focus").set_input_files(file)

    def back(self) -> str:
        """The browser's button."""
        self.page.go_back()
        return self.read()

    def read(self) -> str:
        return self.page.inner_text("main")


@dataclass
class Hall:
    """A district on the first of June, its page, and whoever sits down."""

    till: Till
    chromium: Browser
    address: str

    def seat(self, name: str) -> Hands:
        """Somebody at the desk."""
        context = self.chromium.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
        context.add_cookies([{"name": COOKIE, "value": name, "url": self.address}])
        page = context.new_page()
        page.goto(f"{self.address}/")
        return Hands(page)

    def morning(self) -> None:
        """All routes, until what one sent is what another hears."""
        self.till.world.run(*COLLECT, "kk-tk-eakte", "kk-tk-eakte-postfach")
        self.till.round()


@pytest.fixture
def hall(world: World, chromium: Browser) -> Iterator[Hall]:
    roles = read_roles(world.content)

    async def who(request: Request) -> Visitor | None:
        name = request.cookies.get(COOKIE, "")
        if name not in PEOPLE:
            return None
        role = PEOPLE[name]
        return Visitor(Person(name, name, How.AIRFLOW), (roles[role],), frozenset({role}))

    world.give_keys()
    clock.say(TODAY)
    world.run("kk-tk-budgets")
    with serving(lambda: world.house, who=who) as address:
        yield Hall(Till(world), chromium, address)
    clock.say(None)


def test_from_the_list_to_the_money(hall: Hall, tmp_path: Path) -> None:
    world = hall.till.world
    spk = hall.seat("spk")
    assert "Hier wartet nichts" in spk.read()

    # a decision sheet: one line is right, two name proposals that nobody knows
    sheet = _sheet(
        tmp_path / "april.csv", DECISION_HEADER, line("P-1"), line("2026-00998", "90,-"), line("2026-00999", "80,-")
    )
    assert "2 von 3 Zeilen warten auf Sie" in _hand_in(spk, "Beschlusslisten", sheet)
    assert world.messages() == []  # looking stores nothing
    assert "Die Liste ist übernommen" in spk.press("button Diese Liste übernehmen")
    assert "Diese Liste liegt schon da" in spk.back()
    hall.morning()
    _hand_in(spk, "Beschlusslisten", sheet)
    assert spk.page.get_by_role("button", name="Diese Liste übernehmen").count() == 0

    # two points are answered together; a colleague who comes later hears whose answer holds
    karl = hall.seat("spk2")
    first = karl.press("link Punkt 1 entscheiden")
    assert "2026-00998" in first
    spk.press("link Schreibtisch")
    spk.tick("checkbox Punkt 1 ")
    spk.tick("checkbox Punkt 2 ")
    assert "2 Punkte entscheiden" in spk.press("button Ausgewählte zusammen entscheiden")
    spk.tick("radio verwerfen")
    spk.type("Gemeinsame Begründung", "Beide stehen nicht im Protokoll")
    assert spk.press("button Entscheiden").count("Entschieden: verwerfen") == 2
    karl.tick("radio verwerfen")
    karl.type("Begründung", "Kenne ich nicht")
    assert "Es gilt die Antwort von spk" in karl.press("button Entscheiden")

    # the grant gets an account, two people release its money
    sheet = _sheet(tmp_path / "antraege.csv", APPLICATION_HEADER, application(days=DAYS))
    assert "850,00 € werden zur Auszahlung vorgelegt" in _hand_in(spk, "Antragslisten", sheet)
    spk.press("button Diese Liste übernehmen")
    hall.morning()
    muster, anders = hall.seat("muster"), hall.seat("anders")
    assert "Unterschrift" not in anders.read()  # not yet
    assert "1 Anordnung wartet auf Ihre Unterschrift: 850,00 €" in muster.read()
    _sign(muster, "bescheinigen", "Sachlich und rechnerisch richtig zeichnen")
    anders.press("link Schreibtisch")
    _sign(anders, "anordnen", "Anordnen")
    assert "0 Anordnungen, zusammen 0,00 €" in anders.back()
    hall.till.world.run(PAY)
    hall.till.cash_day("2026-06-03")
    hall.till.world.run(ANSWERS, PAY)  # the second asks for their sums

    # the case tells it; what was searched for is still there after going back
    spk.press("link Fälle")
    spk.type("Fall suchen", "bank am")
    found = spk.press("button Suchen")
    assert "bank" not in spk.page.url.lower()
    assert "850,00 € wurden ausgezahlt" in spk.press("link P-1")
    spk.press("link Dokumente zu KK26-090416-P0001-E1")
    assert spk.load("link Vorschlag-P-1.pdf").startswith(b"%PDF")
    spk.back()
    assert spk.back() == found
    assert "Beide Seiten stimmen überein" in spk.press("link Abgleich")
    table = load_workbook(BytesIO(spk.load("link XLSX")))
    assert any("Müggelheim" in map(str, row) for one in table for row in one.iter_rows(values_only=True))

    _arrived(hall)


def _hand_in(hands: Hands, what: str, file: Path) -> str:
    """From wherever one is to what would follow from a list."""
    hands.press("link Beschlusslisten")
    hands.press(f"link {what} einlesen")
    hands.choose(file)
    return hands.press("button Ansehen, was daraus folgt")


def _sign(hands: Hands, what: str, button: str) -> None:
    """From the desk to the signature and what the page says of it."""
    assert "850,00 €" in hands.press(f"link Auszahlungen anordnen: {what}")
    hands.type("Begründung", "Bescheid liegt vor")
    assert "Gezeichnet: 1 Anordnung, 850,00 €" in hands.press(f"button {button}")


def _sheet(file: Path, *lines: str) -> Path:
    file.write_text("\n".join(lines) + "\n", "utf-8-sig")
    return file


def _arrived(hall: Hall) -> None:
    """What the systems outside have, and what the ledger can prove: each once, under the names of those who did it."""
    world = hall.till.world
    assert world.filed() == ["850.00"]
    assert [one[:2] for one in world.orders()] == [
        ("KK26-090416-P0001-F1", "FESTLEGUNG"),
        ("KK26-090416-P0001-Z1", "AUSZAHLUNG"),
    ]
    assert {name: str(total) for name, total in hall.till.hkr_sums().items()} == {
        "committed": "850.00",
        "paid": "850.00",
        "returned": "0.00",
        "refunded": "0.00",
    }
    assert hall.till.orders() == {"KK26-090416-P0001-Z1": OrderState.PAID}
    [case] = find_case(world.ledger, "P-1")
    told = [(one.kind, one.body) for one in events_of(world.ledger, case.id)]
    assert {kind: body["account"] for kind, body in told if kind.startswith("release.")} == {
        "release.bescheinigen": "muster",
        "release.anordnen": "anders",
    }
    assert {body["account"] for kind, body in told if kind == OPENED} == {"spk"}
    assert evidence.verify(world.ledger).broken == ()
