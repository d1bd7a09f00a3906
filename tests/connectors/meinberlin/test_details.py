"""The pages of proposals: the whole text, labels apart, and nothing taken from a page that is not the proposal's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.meinberlin.details import FIELDS, _fields
from connectors.meinberlin.web import Reply
from kiezbruecke.errors import SourceError
from kiezbruecke.records import Module

from .conftest import with_rest

HERE = Path(__file__).parent / "testdata"
SHIPPED = Path(__file__).parents[3] / "connectors/meinberlin/testdata"


def recorded(file: Path) -> Reply:
    body = json.loads(file.read_text("utf-8"))["response"]["body"]["html_excerpt"]
    return Reply("GET page", 200, "text/html", body.encode())


def body_of(source: Any, key: int) -> dict[str, Any]:
    return next(dict(item.body) for item in with_rest(source) if item.external_id == str(key))


def test_the_recorded_page_says_it_all() -> None:
    """Recording 28."""
    row = {"pk": 1, "reference_number": "2026-00001", "moderator_status": "ACCEPTED"}

    assert _fields(recorded(SHIPPED / "28_pb_detail_html.json"), row, "https://mein.berlin.de") == {
        "description": "Ein Straßenfest für alle Nachbarinnen und Nachbarn mit Musik, Kuchen und Hüpfburg.",
        "feedback": "Die Bürgerjury hat den Vorschlag angenommen. Bewilligt: 1000 €.",
        "category": "",
        "labels": ["barrierefrei", "Anschaffung"],
        "point_label": "Scharnweberstraße 75",
    }


def test_the_recorded_page_of_the_legacy_type_has_no_feedback() -> None:
    """Recording 29: no status, so no section."""
    row = {"pk": 61, "reference_number": "2023-00061", "moderator_status": None}
    page = _fields(recorded(SHIPPED / "29_kk_detail_html.json"), row, "https://mein.berlin.de")

    assert (page["feedback"], page["labels"]) == ("", ["Ehrenamt", "Fest", "Anschaffung"])


@pytest.mark.parametrize(("key", "reference"), [(2, "2026-00002"), (1, "2026-00010")])
def test_the_page_of_another_proposal_is_refused(key: int, reference: str) -> None:
    """A proxy mixes two up: one description would stand in two cases."""
    row = {"pk": key, "reference_number": reference, "moderator_status": "ACCEPTED"}

    with pytest.raises(SourceError, match="of another proposal"):
        _fields(recorded(SHIPPED / "28_pb_detail_html.json"), row, "")


def test_the_text_comes_whole(place: Any) -> None:
    """What the export drops: paragraphs, all behind a long address, and what is longer than a cell."""
    address = f"https://example.org/{'a' * 2200}"
    place.put(
        {"pk": 2, "description": f"<p>{address}</p><p>Danach</p>", "feedback": "<p>Ja.</p><ul><li>Auflage</li></ul>"},
        {"pk": 3, "description": f"<p>{'Sehr lang ä. ' * 3000}</p>"},
    )
    source = place.source()

    assert body_of(source, 2)["description"] == f"{address}\n\nDanach"
    assert body_of(source, 2)["feedback"] == "Ja.\n\n– Auflage"
    assert len(body_of(source, 3)["description"]) == 38_999


def test_a_label_with_a_comma_is_one(place: Any) -> None:
    """The export cannot tell it from two."""
    place.put({"pk": 2, "labels": ["barrierefrei", "Kinder, Jugend"], "category": "Umwelt & Grün"})
    body = body_of(place.source(), 2)

    assert (body["labels"], body["category"]) == (["barrierefrei", "Kinder, Jugend"], "Umwelt & Grün")


def test_what_the_list_shows_whole_is_taken_from_the_list(place: Any) -> None:
    """A moderator may give it another label without the proposal being asked for again."""
    [key] = place.put({"module": 1, "name": "Neu", "labels": ["Fest"], "point_label": "", "category": ""})
    item = next(item for item in place.items() if item.external_id == str(key))

    assert item.body["labels"] == ["Fest"]
    assert item.rest.fields == {"description", "feedback"}


def test_what_the_list_hides_is_absent(place: Any) -> None:
    """It shows three badges: the label behind them is not missing, it is not there to see."""
    place.put({"pk": 2, "moderator_status": "ACCEPTED", "point_label": "Anger", "category": "Fest", "labels": ["Neu"]})
    item = next(item for item in place.items() if item.external_id == "2")

    assert item.body["point_label"] == "Anger"
    assert not {"category", "labels"} & set(item.body)
    assert item.rest.fields == FIELDS - {"point_label"}


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"comment_count": 99, "positive_rating_count": 7}, False),
        ({"description": "<p>Neu</p>"}, True),
        ({"feedback": "<p>Neu</p>"}, True),
        ({"modified": "2026-12-01T12:00:00+01:00"}, True),
    ],
)
def test_a_page_is_asked_for_again_where_the_proposal_was_changed(
    place: Any, change: dict[str, Any], again: bool
) -> None:
    """Votes and comments leave `modified` as it is; every form sets it."""
    before = {item.external_id: item.rest for item in place.items()}
    place.put({"pk": 2, **change})
    after = {item.external_id: item.rest for item in place.items()}

    assert {key for key in before if before[key] != after[key]} == ({"2"} if again else set())


def test_a_renamed_label_changes_all_pages_of_the_module(place: Any) -> None:
    """No proposal was touched, and each may show it."""
    file = place.running.state / "platform.json"
    before = {item.external_id: item.rest for item in place.items()}
    file.write_text(file.read_text("utf-8").replace("barrierefrei", "barrierefrei und ruhig"), "utf-8")

    assert all(item.rest != before[item.external_id] for item in place.items())


@pytest.mark.parametrize(
    ("fault", "times", "missing"),
    [
        ("detail_error", 1, "Die Seite eines Vorschlags von"),
        ("detail_of_another", 1, "Die Seite eines Vorschlags von"),
        ("detail_cut", 1, "Die Seite eines Vorschlags von"),
        ("detail_changed", 99, "Die Seiten von 60 Vorschlägen von"),
    ],
)
def test_a_page_that_cannot_be_had_is_a_gap(place: Any, fault: str, times: int, missing: str) -> None:
    """Its fields are absent, not empty; all others come."""
    place.running.arm(fault, times)
    source = place.source()
    items = with_rest(source)

    [gap] = source.gaps()
    assert gap.problem.startswith(missing)
    assert sum("description" not in item.body for item in items) == min(times, 60)


def test_a_platform_that_falls_silent_is_not_asked_sixty_times(place: Any) -> None:
    """Each of them may take a minute; the next run begins with the same ones."""
    place.running.arm("detail_silent", 99)
    source, before = place.source(), len(place.asked())
    items = with_rest(source)

    assert len(place.asked()) == before + 4
    assert [gap.problem.split(" von ")[1] for gap in source.gaps()] == ["60 Vorschlägen"]
    assert len(items) == 60


def test_pages_of_a_private_module_are_read_with_the_account(place: Any) -> None:
    """HTTP Basic does not count there: one log-in for all of them."""
    private = Module(id=4, type="budgeting", slug="kiezkasse-testbezirk-intern")
    place.put(
        *(
            {"pk": int(item.external_id), "description": "<p>Text</p>"}
            for item in place.items(private, login=place.moderator)
        )
    )
    before = len(place.asked())
    place.whole()  # what everybody may see is not looked at with an account
    assert "POST /accounts/login/" not in place.asked()[before:]
    items = place.whole(private, login=place.moderator, export=False)

    assert [item.body["description"] for item in items] == ["Text", "Text"]
    assert place.asked()[before:].count("POST /accounts/login/") == 1


def test_pages_of_a_private_module_are_a_gap_without_one(place: Any) -> None:
    """The list may be open where pages are not."""
    file = place.running.state / "platform.json"
    source = place.source()
    fetching = list(source.fetch(None))
    file.write_text(file.read_text("utf-8").replace('"access": "public"', '"access": "private"'), "utf-8")
    before = len(place.asked())

    assert [dict(item.rest.fetch()) for item in fetching if item.rest] == [{}] * 60
    assert len(place.asked()) == before + 1
    assert len(source.gaps()) == 1


def test_a_year_that_changed_at_midnight_leads_to_the_page(place: Any) -> None:
    """Created on the first of January, half past midnight: its number still has the old year (r04, r05)."""
    [key] = place.put(
        {"module": 1, "name": "Neujahr", "created": "2026-01-01T00:30:00+01:00", "description": "<p>Ja</p>"}
    )
    body = body_of(place.source(), key)

    assert (body["reference_number"], body["description"]) == (f"2025-{key:05d}", "Ja")


def test_a_redirect_to_the_same_proposal_is_followed_once(place: Any) -> None:
    """The year in the address does not count: the platform leads to the page."""
    source = place.source()
    row = {"pk": 2, "reference_number": "2026-00002", "moderator_status": "ACCEPTED", "url": "/budgeting/1999-00002/"}

    assert source._details.read(place.friedrichshagen, row)["description"].startswith("Eine umgebaute Telefonzelle")
