"""Lists, messages, operations and mappings in a real browser: by keyboard, without findings, on a small screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.page.conftest import COOKIE, look, serving
from tests.world import DECISION_HEADER, World, line, make_world, odd_world, processes, world

__all__ = ["make_world", "odd_world", "processes", "world"]


@dataclass
class Office:
    """A small district, one case of which went the whole way, and people in front of browsers."""

    world: World
    chromium: Browser
    address: str

    def page(self, name: str, path: str) -> Page:
        context = self.chromium.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
        context.add_cookies([{"name": COOKIE, "value": name, "url": self.address}])
        page = context.new_page()
        page.goto(self.address + path)
        return page


@pytest.fixture
def office(world: World, chromium: Browser) -> Iterator[Office]:
    world.drop(line("P-1"))
    world.run()
    with serving(lambda: world.house) as address:
        yield Office(world, chromium, address)


def test_a_clerk_hands_in_a_list_by_keyboard(office: Office, tmp_path: Path) -> None:
    """Choose, look, read, take over, find the report – and the back button changes nothing."""
    file = tmp_path / "mai.csv"
    sheet = "\n".join((DECISION_HEADER, line("P-2"), line("P-3", ""), line("P-4", "<b>0.850</b>"))) + "\n"
    file.write_text(sheet, "utf-8-sig")
    page = office.page("klara", "/listen")
    look(page)
    page.get_by_role("link", name="Beschlusslisten").nth(1).press("Enter")
    look(page)
    page.get_by_label("Ausgefüllte Liste").set_input_files(file)
    page.get_by_role("button", name="Ansehen, was daraus folgt").press("Enter")
    page.get_by_role("heading", name="Was aus der Liste folgt").wait_for()
    look(page)
    rows = page.get_by_role("table", name="Zeile für Zeile").get_by_role("row").all_inner_texts()
    assert "P-3" in rows[1]  # what needs somebody stands first
    assert any("850,00 € werden festgelegt; frei bleiben 900,00 €" in row for row in rows)
    page.get_by_role("button", name="Diese Liste übernehmen").press("Enter")
    page.get_by_text("Die Liste ist übernommen").wait_for()
    look(page)
    taken = page.url
    page.go_back()
    page.get_by_text("Diese Liste liegt schon da").wait_for()
    assert [one.name for one in office.world.inbox.glob("*.csv")] == ["mai.csv"]
    office.world.run("kk-tk-beschluesse")
    page.goto(taken)
    page.get_by_text("Die Liste ist eingelesen").wait_for()
    look(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Bericht zu mai.csv").press("Enter")
    assert "P-2" in Path(download.value.path()).read_text("utf-8-sig")


def test_a_list_that_cannot_be_used_says_so_readably(office: Office, tmp_path: Path) -> None:
    """A PDF, a list that lies there already."""
    file = tmp_path / "liste.pdf"
    file.write_bytes(b"%PDF-1.7")
    page = office.page("klara", "/listen/kk-tk-beschluesse")
    page.get_by_label("Ausgefüllte Liste").set_input_files(file)
    page.get_by_role("button", name="Ansehen, was daraus folgt").click()
    page.get_by_text("Die Datei kann nicht gelesen werden").wait_for()
    look(page)
    page.goto(f"{office.address}/listen/kk-tk-beschluesse")
    page.get_by_label("Ausgefüllte Liste").set_input_files(office.world.inbox / "done" / "april.csv")
    page.get_by_role("button", name="Ansehen, was daraus folgt").click()
    page.get_by_text("Diese Liste liegt schon da").wait_for()
    look(page)
    assert page.get_by_role("button", name="Diese Liste übernehmen").count() == 0


@pytest.mark.parametrize("name", ["klara", "otto", "chefin"])
def test_messages_operations_and_mappings_are_without_findings(office: Office, name: str) -> None:
    """Each as three rights see it."""
    (head,) = office.world.messages("hkr-tk")
    paths = ["/nachrichten?stand=alle", f"/nachrichten/{head.key}", "/betrieb", "/zuordnungen"]
    page = office.page(name, "/zuordnungen/commitment-hkr")
    look(page)
    for path in paths:
        page.goto(office.address + path)
        look(page)


def test_operations_pauses_and_resumes_by_keyboard(office: Office) -> None:
    """With a reason; a missing one is said where it is missing."""
    page = office.page("otto", "/betrieb/strecke?name=kk-tk-hkr")
    page.get_by_role("button", name="Anhalten").press("Enter")
    page.get_by_text("Bitte geben Sie eine Begründung an.").wait_for()
    look(page)
    page.get_by_label("Begründung").fill("Wartung")
    page.get_by_role("button", name="Anhalten").press("Enter")
    page.get_by_text("Die Strecke ist angehalten").wait_for()
    look(page)
    page.goto(f"{office.address}/betrieb")
    page.get_by_text("Wartung").wait_for()
    look(page)
