"""What a citizen is told, at the platform and by mail: once for every real change, and never for anything else."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kiezbruecke.attention import decide
from kiezbruecke.content.routes import find_route
from kiezbruecke.errors import ConfigurationError, NotSent
from kiezbruecke.german import BERLIN
from kiezbruecke.ledger import MessageState
from tests.builders import by
from tests.cli.conftest import Call, call
from tests.home.conftest import ROUTE, Home
from tests.world import change_route, line

__all__ = ["call"]

GRANTED = (
    "<p>Die Kiezkassenversammlung Müggelheim hat am 24.04.2026 für diesen Vorschlag gestimmt.</p>"
    "<p>wird umgesetzt – bewilligt: 850,00 €</p>"
    "<p>Bitte beginnen Sie noch nicht und geben Sie noch kein Geld aus: Erst muss der schriftliche Bescheid da sein. "
    "Das Bezirksamt meldet sich dazu bei Ihnen.</p>"
)


def later(reference: str) -> str:
    """The line of a later assembly."""
    return line(reference).replace("24.04.2026", "19.06.2026")


def around_now() -> str:
    """Quiet hours that are now."""
    now = datetime.now(BERLIN)
    return f"{now - timedelta(hours=2):%H:%M}-{now + timedelta(hours=2):%H:%M}"


def test_a_decision_is_told_once(home: Home) -> None:
    """Status and text stand there, one mail went out, and further runs find nothing to say."""
    home.decide(line("2026-00001"), line("2026-00002", "", "abgelehnt"))
    counts = home.answer()
    home.answer()
    home.collect()
    home.answer()

    assert counts["delivered"] == 2
    assert (home.row(1)["moderator_status"], home.row(2)["moderator_status"]) == ("ACCEPTED", "REJECTED")
    assert home.row(1)["feedback"] == GRANTED
    assert sorted(mail["pk"] for mail in home.mails()) == [1, 2]
    assert {head.state for head in home.messages()} == {MessageState.CONFIRMED}
    assert home.points() == []


def test_a_second_decision_replaces_the_first_text(home: Home) -> None:
    """The waiting list, then granted: two mails, and only the newer text stands there."""
    home.decide(line("2026-00001", "", "Warteliste"))
    home.answer()
    home.collect()
    home.decide(later("2026-00001"), name="juni.csv")
    home.answer()
    home.collect()
    home.answer()

    assert [mail["status"] for mail in home.mails()] == ["für nächste Phase qualifiziert", "wird umgesetzt"]
    assert home.row(1)["feedback"] == GRANTED.replace("24.04.2026", "19.06.2026")
    assert home.points() == []


def test_our_echo_is_no_news(home: Home) -> None:
    """What we wrote comes back as a changed proposal: no route wakes, no point, no second mail. A title is news."""
    home.decide(line("2026-00001"))
    home.answer()
    echo = home.collect()
    home.put({"pk": 1, "name": "Bank am großen See"})
    news = home.collect()

    assert (echo.get("changed", 0), echo.get("changed_proposal", 0)) == (0, 0)
    assert news["changed"] == 1
    assert home.points() == []


def test_an_echo_with_a_change_beside_it_is_news(home: Home) -> None:
    """A colleague archives the proposal in the same minutes."""
    home.decide(line("2026-00001"))
    home.answer()
    home.put({"pk": 1, "is_archived": True})

    assert home.collect()["changed"] == 1


def test_a_moderators_edit_wins_until_a_person_says_otherwise(home: Home) -> None:
    """Nothing is written over it; „neu_senden“ replaces what was collected of it, with one mail."""
    home.decide(line("2026-00001", "", "Warteliste"))
    home.answer()
    home.put({"pk": 1, "feedback": "<p>Von der Moderation geändert.</p>"})
    home.collect()
    home.decide(later("2026-00001"), name="juni.csv")
    home.answer()
    home.answer()
    [point] = home.points("refused")
    before = len(home.mails())
    decide(home.ledger, point, "neu_senden", person=by("A. Muster"), reason="mit der Moderation besprochen")
    home.answer()
    home.answer()

    assert "MODERATED" in point.reason
    assert (before, len(home.mails())) == (1, 2)
    assert home.row(1)["feedback"] == GRANTED.replace("24.04.2026", "19.06.2026")
    assert home.points() == []


def test_a_granted_status_is_not_taken_back_by_itself(home: Home) -> None:
    """The sheet is corrected: a person speaks with the people first, says that the sheet holds, and then it is told."""
    home.decide(line("2026-00001"))
    home.answer()
    home.decide(line("2026-00001", "", "abgelehnt", why="Fest fällt aus"), name="mai.csv")
    home.answer()
    by_hand = [point.kind for point in home.points()]
    home.collect()
    home.answer()
    [contradicts] = home.points("set_aside")
    before = len(home.mails())
    decide(home.ledger, contradicts, "freigeben", person=by("A. Muster"), reason="Gespräch geführt")
    home.answer()

    assert by_hand == ["follow_up"]
    assert "laut Plattform „wird umgesetzt“" in contradicts.reason
    assert (before, len(home.mails())) == (1, 2)
    assert home.row(1)["moderator_status"] == "REJECTED"


def test_only_a_final_no_can_be_released(home: Home) -> None:
    """From granted to deferred is for a person to write, at the platform."""
    home.decide(line("2026-00001"))
    home.answer()
    home.collect()
    home.decide(line("2026-00001", "", "vertagt", why="falsch abgeschrieben"), name="mai.csv")
    home.answer()

    assert [point.kind for point in home.points()] == ["follow_up"]
    assert home.row(1)["moderator_status"] == "ACCEPTED"
    assert len(home.mails()) == 1


def test_what_was_decided_before_the_line_is_not_told(home: Home) -> None:
    """Going live sends no mail about last spring."""
    change_route(home.content, ROUTE, start_from="2026-05-01")
    home.decide(line("2026-00001"), line("2026-00002", "", "abgelehnt"))
    home.answer()

    assert home.mails() == []
    assert home.messages() == []


def test_paper_and_contradicted_cases_are_told_nobody(home: Home) -> None:
    """No page, no answer; and what is in question is nobody's to know."""
    home.decide(line("P-1"), line("2026-00001", "5.000,00"), line("2026-00099"))
    home.answer()

    assert home.mails() == []


def test_a_dry_run_shows_the_texts_and_sends_nothing(home: Home, call: Call) -> None:
    """A district reads what would be told before anybody is told."""
    change_route(home.content, ROUTE, mode="dry_run")
    home.decide(line("2026-00001"))
    home.answer()
    asked = len(home.requests())
    shown = call("route", "preview", ROUTE).out

    assert "wird umgesetzt – bewilligt: 850,00 €" in shown
    assert "[ACCEPTED]" in shown
    assert "<p>" not in shown
    assert home.mails() == []
    assert len(home.requests()) == asked


def test_a_text_without_its_value_sets_one_case_aside(home: Home) -> None:
    """One clear line, nothing is sent, and the other cases are told."""
    file = home.content / "mappings/texts/kiezkasse/rejected.yaml"
    file.write_text(
        "lines: ['Es ging um {amount}.']\nreviewed: {by: SPK, on: 2026-03-01}\n"
        "examples: [{given: {amount: 1.00}, lines: ['Es ging um 1,00 €.']}]\n",
        "utf-8",
    )
    home.decide(line("2026-00001"), line("2026-00002", "", "abgelehnt"))
    home.answer()

    assert [mail["pk"] for mail in home.mails()] == [1]
    assert [point.reason.split(";")[0] for point in home.points()] == [
        "2026-00002: der Text der Antwort braucht {amount}, und der Fall sagt dazu nichts"
    ]


def test_a_better_text_is_no_news(home: Home) -> None:
    """Whoever mends a word in a text mails nobody who has read the old one."""
    home.decide(line("2026-00001"))
    home.answer()
    file = home.content / "mappings/texts/kiezkasse/granted.yaml"
    file.write_text(file.read_text("utf-8").replace("hat am", "hat nun am"), "utf-8")
    home.answer()

    assert len(home.mails()) == 1


def test_a_text_that_nobody_reviewed_goes_out_on_no_live_route(home: Home) -> None:
    """Words to citizens are the district's."""
    file = home.content / "mappings/texts/kiezkasse/granted.yaml"
    file.write_text(file.read_text("utf-8").split("reviewed:")[0], "utf-8")
    home.decide(line("2026-00001"))

    with pytest.raises(ConfigurationError, match="nobody has reviewed the text"):
        home.answer()
    assert home.mails() == []


def test_only_so_many_an_hour(home: Home) -> None:
    """The others wait and are no failure; a new process counts what the ledger knows of the last hour."""
    change_route(home.content, ROUTE, pace={"per_hour": 2})
    home.decide(*(line(f"2026-0000{number}", "", "abgelehnt") for number in (1, 2, 3, 4)))
    first, second = home.answer(), home.answer()
    told = len(home.mails())
    change_route(home.content, ROUTE, pace={"per_hour": 3})
    third = home.answer()

    assert (first["delivered"], first["paced"]) == (2, 2)
    assert (second.get("delivered", 0), second["paced"]) == (0, 2)
    assert (told, third["delivered"], len(home.mails())) == (2, 1, 3)
    assert home.points() == []


def test_what_has_not_left_costs_nothing_of_the_hour(home: Home) -> None:
    """A platform that was down does not eat the citizens' turn."""
    change_route(home.content, ROUTE, pace={"per_hour": 2})
    home.decide(line("2026-00001", "", "abgelehnt"), line("2026-00002", "", "abgelehnt"))
    home.arm("moderate_down", 2)
    with pytest.raises(NotSent):
        home.answer()
    home.arm("moderate_down", 0)
    home.answer()

    assert sorted(mail["pk"] for mail in home.mails()) == [1, 2]


def test_at_night_nobody_gets_a_mail(home: Home) -> None:
    """What is prepared waits; in the morning it says what holds then, once."""
    change_route(home.content, ROUTE, pace={"quiet": around_now()})
    home.decide(line("2026-00001", "", "Warteliste"))
    night = home.answer()
    home.decide(later("2026-00001"), name="juni.csv")
    home.answer()
    asleep = home.mails()
    change_route(home.content, ROUTE, pace={"quiet": ""})
    home.answer()

    assert (night["prepared"], night["paced"], asleep) == (1, 1, [])
    assert [mail["status"] for mail in home.mails()] == ["wird umgesetzt"]


def test_other_routes_stay_off_until_the_process_names_them(root: Path) -> None:
    """`sending: {mode: live}` was said before there were answers: nobody mails because of an update."""
    assert find_route(root, "kk-tk-hkr").mode == "live"  # type: ignore[union-attr]
    assert find_route(root, ROUTE).mode == "off"  # type: ignore[union-attr]
