"""The page in a real browser: every state looked at by axe and at 320 pixels, a clerk's day by keyboard, bad luck."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Page
from sqlalchemy import insert

from kiezbruecke.errors import LedgerError
from kiezbruecke.ledger import recoveries
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import now
from kiezbruecke.ledger.events import events_of
from kiezbruecke.ledger.pauses import set_paused
from kiezbruecke.ledger.people import How, Person
from kiezbruecke.ledger.todo import CLOSED, Answer, Kind, Point, find_point, raise_point
from kiezbruecke.ledger.witness import Tally
from kiezbruecke.records import ReceiptOutcome
from tests.page.conftest import People, Site, click_twice, look
from tests.world import change_route

OTTO = Person("Otto Betrieb", "otto", How.AIRFLOW)
EVIL = "<script>alert(1)</script>\u202e hcsiraD"


def point(
    site: Site,
    subject: str = "x",
    reason: str = "Bewilligt sind 950,00 €, beantragt waren 900,00 €",
    answers: tuple[Answer, ...] = (Answer.RELEASE, Answer.DISMISS),
) -> int:
    """A point for the department to decide; its number."""
    case = site.desk.decide("P-1", title="Bank am See")
    with site.ledger.write() as connection:
        raise_point(connection, Point(Kind.SET_ASIDE, subject, "kk-tk-2026", "spk-tk", reason, answers, case))
    return next(one.id for one in site.desk.points() if one.subject == subject)


def whole_case(site: Site) -> UUID:
    """A case with money, a message, an answer and a reason."""
    site.desk.grant("2600.00")
    case = site.desk.decide("P-1", title="Bank am See")
    order = site.desk.book(case, "850.00")
    site.desk.deliver(order)
    site.desk.answer(order, ReceiptOutcome.CONFIRMED, amount=Decimal("850.00"), text="Alles gebucht")
    return case


def answered(site: Site, number: int) -> tuple[str, str, str]:
    """Answer, log-in and reason of a point."""
    found = find_point(site.ledger, number)
    assert found is not None
    return found.answer, found.answered_account, found.answer_reason


def fill_in(page: Page, reason: str, answer: str = "freigeben") -> None:
    page.check(f"#answer-{answer}")
    page.fill("#text", reason)


def a_late_answer(people: People) -> Page:
    number = point(people.site)
    late, fast = (people.page(name, f"/punkte/antwort?nr={number}") for name in ("klara", "karl"))
    for page, answer in ((fast, "verwerfen"), (late, "freigeben")):
        fill_in(page, "ein Grund", answer)
        page.get_by_role("button", name="Entscheiden").click()
    return late


def an_ended_session(people: People) -> Page:
    page = people.page(path=f"/punkte/antwort?nr={point(people.site)}")
    fill_in(page, "Mit der Vorsitzenden geklärt")
    people.log_in(page.context, "")
    page.get_by_role("button", name="Entscheiden").click()
    return page


def an_unanswered_form(people: People) -> Page:
    first, second = point(people.site, "x"), point(people.site, "y")
    page = people.page(path=f"/punkte/antwort?nr={first}&nr={second}")
    page.check("#answer-freigeben")
    page.get_by_role("button", name="Entscheiden").click()
    assert page.get_by_text("Bitte geben Sie eine Begründung an.").count() == 2
    return page


def a_ledger_away(people: People) -> Page:
    people.site.away.append(LedgerError("the database does not answer"))
    return people.page()


def a_search(people: People) -> Page:
    whole_case(people.site)
    page = people.page(path="/faelle")
    page.fill("#text-suche", "bank am")
    page.get_by_role("button", name="Suchen").click()
    assert page.get_by_role("link", name="P-1").count() == 1
    assert "bank" not in page.url
    return page


def no_common_answer(people: People) -> Page:
    first = point(people.site, "x", answers=(Answer.RELEASE,))
    second = point(people.site, "y", answers=(Answer.DISMISS,))
    page = people.page(path=f"/punkte/antwort?nr={first}&nr={second}")
    assert "Hier ist nichts zu antworten" not in page.inner_text("main")
    return page


STATES: dict[str, Callable[[People], Page]] = {
    "nothing to do": lambda people: people.page(),
    "points": lambda people: (point(people.site), people.page())[1],
    "all points, another page of many": lambda people: (
        [point(people.site, str(number)) for number in range(60)],
        people.page(path="/?wer=alle&seite=2&sort=-seit"),
    )[1],
    "a point": lambda people: people.page(path=f"/punkte/antwort?nr={point(people.site)}"),
    "a point of somebody else": lambda people: people.page("otto", f"/punkte/antwort?nr={point(people.site)}"),
    "a form with mistakes": an_unanswered_form,
    "points without a common answer": no_common_answer,
    "too late": a_late_answer,
    "a session that has ended": an_ended_session,
    "the search": lambda people: people.page(path="/faelle"),
    "what was found": a_search,
    "nothing found": lambda people: people.page(path="/faelle?nummer=2026-99999"),
    "a case": lambda people: people.page(path=f"/faelle/{whole_case(people.site)}"),
    "a case for operations": lambda people: people.page("otto", f"/faelle/{whole_case(people.site)}"),
    "a case of words": lambda people: people.page(path=f"/faelle/{people.site.desk.decide('P-1', title=EVIL)}"),
    "a case of a very long title": lambda people: people.page(
        path=f"/faelle/{people.site.desk.decide('P-1', title='x' * 10_000)}"
    ),
    "the sums": lambda people: (whole_case(people.site), people.page(path="/abgleich"))[1],
    "no sums yet": lambda people: people.page(path="/abgleich"),
    "about barriers": lambda people: people.page(path="/barrierefreiheit"),
    "nobody": lambda people: people.page(""),
    "no role": lambda people: people.page("fremd"),
    "no such page": lambda people: people.page(path="/gibt/es/nicht"),
    "the ledger is away": a_ledger_away,
}


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_accessible(people: People, state: str) -> None:
    """Axe finds nothing, and at 320 pixels nobody scrolls sideways."""
    look(STATES[state](people))


def test_a_case_shows_what_happened_from_idea_to_money(people: People) -> None:
    """What went where, what came back in their words, what is bound; and the documents as they were sent."""
    page = people.page(path=f"/faelle/{whole_case(people.site)}")

    text = page.inner_text("main")
    for said in ("Bank am See", "850,00 €", "gebucht", "bestätigt", "„Alles gebucht“", "Die Versammlung hat"):
        assert said in text
    page.get_by_role("link", name="Dokumente zu").first.click()
    look(page)
    with page.expect_download() as loaded:
        page.locator("main li a").first.click()
    assert loaded.value.failure() is None
    page.go_back()
    assert "Einsicht" in page.inner_text("main")


def test_a_clerk_decides_by_keyboard_and_without_script(people: People) -> None:
    """From the list to the answer with Tab, Space and Enter alone."""
    first, second = point(people.site, "x"), point(people.site, "y")
    page = people.page(java_script_enabled=False)
    press_until(page, f'input[value="{first}"]')
    page.keyboard.press("Space")
    press_until(page, f'input[value="{second}"]')
    page.keyboard.press("Space")
    press_until(page, 'form[action$="/punkte/antwort"] button')
    page.keyboard.press("Enter")
    page.wait_for_url("**/punkte/antwort?nr=*")
    press_until(page, f"#text-{second}")
    page.keyboard.type("Nur hier gilt etwas anderes")
    press_until(page, "#answer-freigeben")
    page.keyboard.press("Space")
    press_until(page, "#text")
    page.keyboard.type("Steht so im Protokoll")
    press_until(page, 'main button[type="submit"]')
    page.keyboard.press("Enter")
    page.wait_for_url("**/punkte/ergebnis?*")

    assert page.get_by_text("Entschieden: freigeben").count() == 2
    assert answered(people.site, first) == ("freigeben", "airflow:klara", "Steht so im Protokoll")
    assert answered(people.site, second) == ("freigeben", "airflow:klara", "Nur hier gilt etwas anderes")


def press_until(page: Page, selector: str) -> None:
    """Tab until this has the focus."""
    wanted = page.locator(selector)
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.locator(":focus").count() and wanted.and_(page.locator(":focus")).count():
            return
    raise AssertionError(f"{selector} cannot be reached")


def test_points_without_a_common_answer_are_decided_one_by_one(people: People) -> None:
    """Both were chosen in good faith: the page says why not, and leads on."""
    page = no_common_answer(people)
    page.get_by_role("link", name="Punkt 2 entscheiden").click()
    fill_in(page, "Steht nicht im Protokoll", "verwerfen")
    page.get_by_role("button", name="Entscheiden").click()
    page.get_by_role("link", name="Zum Fall P-1").click()

    assert page.get_by_role("heading", name="Fall P-1").count() == 1
    assert answered(people.site, 2)[0] == "verwerfen"


def test_what_was_found_is_sorted_loaded_again_and_gone_back_to(people: People) -> None:
    """Its address works in this browser and says nothing in another one."""
    page = a_search(people)
    address = page.url
    page.get_by_role("link", name="Titel").click()
    page.get_by_role("link", name="P-1").click()
    page.go_back()
    page.reload()
    other = people.page("karl", address.removeprefix(people.site.address))

    assert page.get_by_role("link", name="P-1").count() == 1
    assert "Bitte suchen Sie noch einmal" in other.inner_text("main")
    assert other.input_value("#text-suche") == ""


def test_no_word_is_cut_at_twice_the_size(people: People) -> None:
    """Columns are as wide as their longest word; only what strangers have written without a blank is broken."""
    page = a_search(people)
    page.set_viewport_size({"width": 640, "height": 900})
    lines = "of => [...of.childNodes].map(one => (range => (range.selectNode(one), range.getClientRects().length))"
    words = page.get_by_role("table").locator("th a, td:last-child")

    assert words.count() >= 5
    for word in words.all():
        assert word.evaluate(f"{lines}(document.createRange()))") == [1], word.inner_text()


def test_twice_is_once(people: People) -> None:
    """A double click, Enter twice, the back button, a second browser of the same person: one effect."""
    number = point(people.site)
    page, other = (people.page(path=f"/punkte/antwort?nr={number}") for _ in range(2))
    fill_in(page, "Grund")
    fill_in(other, "Grund")
    click_twice(page.get_by_role("button", name="Entscheiden"), r"/punkte/ergebnis\?")
    assert page.get_by_text("Entschieden: freigeben").count() == 1
    page.go_back()
    assert page.get_by_text("Dieser Punkt ist schon erledigt").count() == 1
    assert page.get_by_role("button", name="Entscheiden").count() == 0
    other.get_by_role("button", name="Entscheiden").click()
    other.wait_for_url("**/punkte/ergebnis?*")
    assert other.get_by_text("Entschieden: freigeben").count() == 1

    found = find_point(people.site.ledger, number)
    assert found is not None
    assert found.case_id
    assert [one.kind for one in events_of(people.site.ledger, found.case_id)].count(CLOSED) == 1


def test_who_is_too_late_hears_whose_answer_holds(people: People) -> None:
    page = a_late_answer(people)

    assert "Es gilt die Antwort von Karl Muster" in page.inner_text("main")
    assert "kam zu spät" in page.inner_text("main")


def test_what_has_changed_since_is_read_again_before_it_is_answered(people: People) -> None:
    """Nobody releases what was never on their screen."""
    number = point(people.site)
    page = people.page(path=f"/punkte/antwort?nr={number}")
    point(people.site, reason="Bewilligt sind 9.500,00 €, beantragt waren 900,00 €")
    fill_in(page, "gesehen")
    page.get_by_role("button", name="Entscheiden").click()

    text = page.inner_text("main")
    assert "hat sich inzwischen geändert" in text
    assert "9.500,00 €" in text
    assert page.input_value("#text") == "gesehen"
    assert answered(people.site, number)[0] == ""


def test_nothing_is_lost_when_a_session_ends(people: People) -> None:
    """The text is there after the log-in, and the answer is given once."""
    page = an_ended_session(people)
    assert page.get_by_text("Bitte melden Sie sich an").count() == 1
    people.log_in(page.context, "klara")
    page.get_by_role("button", name="Noch einmal absenden").click()
    if page.get_by_text("Bitte prüfen und noch einmal absenden").count():
        page.get_by_role("button", name="Noch einmal absenden").click()
    page.wait_for_url("**/punkte/ergebnis?*")

    assert answered(people.site, 1) == ("freigeben", "airflow:klara", "Mit der Vorsitzenden geklärt")


def test_nothing_is_lost_while_the_ledger_is_away(people: People) -> None:
    """The page says so, and the same answer goes through as soon as the ledger is back."""
    number = point(people.site)
    page = people.page(path=f"/punkte/antwort?nr={number}")
    fill_in(page, "Grund")
    people.site.break_ledger()
    page.get_by_role("button", name="Entscheiden").click()
    assert "nicht erreichbar" in page.inner_text("main")
    assert page.input_value("textarea") == "Grund"
    people.site.mend_ledger()
    page.get_by_role("button", name="Noch einmal absenden").click()
    page.wait_for_url("**/punkte/ergebnis?*")

    assert answered(people.site, number) == ("freigeben", "airflow:klara", "Grund")


def test_what_strangers_wrote_is_read_and_never_runs(people: People) -> None:
    """A title is text, whatever stands in it; no sign turns the line around."""
    people.site.desk.decide("P-1", title=EVIL)
    page = people.page(path="/faelle")
    alerts: list[object] = []
    page.on("dialog", lambda dialog: (alerts.append(dialog), dialog.dismiss()))
    page.fill("#text-suche", "script")
    page.get_by_role("button", name="Suchen").click()

    assert "<script>alert(1)</script> hcsiraD" in page.inner_text("main")
    assert alerts == []


def test_much_is_shown_fifty_rows_at_a_time(people: People) -> None:
    """10,000 points, a case with 2,000 events: every table has an address for each of its pages."""
    case = people.site.desk.decide("P-1")
    with people.site.ledger.write() as connection:
        connection.execute(
            insert(t.attention),
            [
                {
                    "kind": "set_aside",
                    "subject": f"s{number}",
                    "route": "kk-tk-2026",
                    "owner": "spk-tk",
                    "reason": f"Punkt {number}",
                    "answers": ["freigeben"],
                    "opened_at": now(),
                }
                for number in range(10_000)
            ],
        )
        connection.execute(
            insert(t.events),
            [
                {
                    "case_id": case,
                    "seq": number,
                    "at": now(),
                    "kind": "proposal.changed",
                    "body": json.dumps({"source": "x"}),
                    "previous": "",
                    "hash": "",
                }
                for number in range(100, 2100)
            ],
        )
    page = people.page(path="/?seite=200")
    assert page.locator("tbody tr").count() == 50
    assert "Seite 200 von 200" in page.inner_text("main")
    page.goto(f"{people.site.address}/faelle/{case}?e-seite=3")
    assert "Seite 3 von 41" in page.inner_text("main")
    look(page)


def test_where_more_hangs_than_a_page_lists_it_says_so(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that ends early must not read as if nothing else were on its way."""
    people.site.desk.grant("2600.00")
    people.site.desk.book(people.site.desk.decide("P-1"), "850.00")  # asked for, and nothing heard
    monkeypatch.setattr("kiezbruecke.page.sums.MOST", 0)
    page = people.page(path="/abgleich")
    text = page.inner_text("main")

    assert "1 offen (850,00 €)" in text
    assert "Was hängt: die 0 ältesten" in text
    assert "unterwegs ist mehr" in text
    assert "Nichts hängt länger, als es soll" not in text
    look(page)


def test_both_sides_sums_are_shown_and_loaded(people: People) -> None:
    """A bar for each area, what hangs, and the same as files; nothing of it for operations."""
    whole_case(people.site)
    page = people.page(path="/abgleich")
    assert page.get_by_label("0 Prozent bezahlt, 33 Prozent gebunden").count() >= 1
    assert "2.600,00 €" in page.inner_text("main")
    for kind, begins in (("CSV", b"\xef\xbb\xbf"), ("XLSX", b"PK")):
        with page.expect_download() as loaded:
            page.get_by_role("link", name=kind).click()
        assert Path(loaded.value.path()).read_bytes().startswith(begins)
    assert "fehlt Ihnen das Recht" in people.page("otto", "/abgleich").inner_text("main")


def test_the_forms_that_ask_why_are_for_everybody(people: People) -> None:
    """The account of a case, a connection that is to rest: axe finds nothing, and a narrow screen cuts nothing off."""
    for name, path in (
        ("paula", f"/faelle/{people.site.desk.decide('P-1')}/konto"),
        ("otto", "/betrieb/verbindung?name=hkr-tk"),
    ):
        page = people.page(name, path)
        assert page.get_by_label("Begründung").count() == 1
        assert page.get_by_role("link", name="Abmelden").count() == 1
        look(page)


def test_practice_is_named_on_every_page(people: People, content: Path) -> None:
    """Whoever practises must never wonder whether it counts."""
    change_route(content, "kk-tk-eakte", environment="test")
    people.site.content = content
    page = people.page()
    for path in ("/", "/faelle", f"/faelle/{people.site.desk.decide('P-1')}"):
        page.goto(people.site.address + path)
        assert "Schulungsmodus" in page.inner_text(".kb-training")
        assert "kk-tk-eakte" in page.inner_text(".kb-training")
    look(page)


def test_what_is_out_of_order_is_said_at_the_desk(people: People, content: Path) -> None:
    """A backup that was put back, a route whose file is broken, one that somebody has stopped – and no "all runs"."""
    change_route(content, "kk-tk-eakte", mode="nonsense")
    people.site.content = content
    set_paused(people.site.ledger, "kk-tk-hkr", True, person=OTTO, reason="Inventur")
    page = people.page()
    paused = page.inner_text("main")
    recoveries.notice(people.site.ledger, {"hkr-tk": Tally(sends=4)}, "vier Sendungen mehr")
    page.reload()
    look(page)
    said = page.inner_text("main")

    for text in (paused, said):
        assert "1 Strecke ist angehalten" in text
        assert "Festlegungen an das HKR-Verfahren geben (kk-tk-hkr): Inventur (Otto Betrieb" in text
        assert "gestört" in text
        assert "Die Strecken laufen" not in text
    assert "Nach einer zurückgespielten Sicherung wird abgeglichen" in said
    assert "hkr-tk" in said


def test_a_stopped_route_is_no_running_one(people: People) -> None:
    set_paused(people.site.ledger, "kk-tk-hkr", True, person=OTTO, reason="Inventur")
    said = people.page().inner_text("main")

    assert "Hier wartet nichts" in said
    assert "Die Strecken laufen" not in said


def test_whoever_goes_by_keyboard_can_skip_the_bar(people: People) -> None:
    """The first stop leads to the content, and every stop is seen."""
    page = people.page()
    page.keyboard.press("Tab")
    first = page.locator(":focus")
    assert first.inner_text() == "Zum Inhalt"
    box = first.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_a_table_is_sorted_by_links_that_say_so(people: People) -> None:
    for row, number in enumerate(("2026-00002", "2026-00001"), 1):
        people.site.desk.decide(number, row)
    page = people.page(path="/faelle?nummer=2026-0000")
    for order, first in (("ascending", "2026-00001"), ("descending", "2026-00002")):
        page.locator("thead").get_by_role("link", name="Fall").click()
        assert page.locator(f'th[aria-sort="{order}"]').inner_text().startswith("Fall")
        assert page.locator("tbody th").first.inner_text() == first
