"""What is read of a council information system, what counts as decided, and what a stranger's server cannot do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from kiezbruecke.connector import Connection, close, probe
from kiezbruecke.errors import ConfigurationError, SourceError

from .conftest import PROCESS, RECORDED, Bookmark, Council

ABOUT = {"about": ["kiezkasse"]}


def test_the_sandbox_answers_like_the_examples(council: Council, root: Path) -> None:
    """Paper, point and meeting as they were derived; else we would test against our own idea of OParl."""
    for name, path in (("paper", "/paper/4711"), ("meeting", "/meeting/34"), ("agendaitem", "/agendaitem/7002")):
        text = (root / f"connectors/oparl/testdata/{name}.json").read_text("utf-8")
        expected = json.loads(text.replace(RECORDED, council.url))
        assert requests.get(f"{council.url}{path}", timeout=10).json() == expected


# What counts as decided


def test_the_authoritative_consultation_is_the_proof(council: Council) -> None:
    """The committee recommended before; only the council has decided, on the day of its meeting."""
    body = council.read()["4711"].body

    assert isinstance(body, dict)
    assert body["result"] == "Geändert beschlossen"
    assert body["decided_on"] == "2026-02-19"
    assert body["resolution"].startswith("Die BVV beschließt")
    assert body["url"] == f"{council.url}/vo020.asp?VOLFDNR=4711"


def test_what_is_not_public_is_no_proof(council: Council) -> None:
    """A point with `public: false` may be shown to us by mistake; it is not told on."""
    body = council.read()["4715"].body

    assert isinstance(body, dict)
    assert (body["result"], body["resolution"]) == ("", "")


def test_version_1_0_says_the_same(begin: Callable[..., Council], council: Council) -> None:
    """Embedded points and meetings, no `modified` there, other addresses of types."""
    old, new = begin("version=1.0", "page=2").read(), council.read()

    bodies = [{key: {**item.body, "url": ""} for key, item in read.items()} for read in (old, new)]  # type: ignore[dict-item]
    assert bodies[0] == bodies[1]


def test_the_latest_meeting_counts(council: Council) -> None:
    """A Drucksache that was put off and decided later has two authoritative consultations."""
    paper, meeting = council.objects("paper")["4711"], council.objects("meeting")["35"]
    point = {**meeting["agendaItem"][0], "id": f"{RECORDED}/agendaitem/7009", "result": "Aufgehoben"}
    council.put("meeting", {**meeting, "agendaItem": [*meeting["agendaItem"], point]})
    again = {**paper["consultation"][1], "agendaItem": point["id"], "meeting": meeting["id"]}
    council.put("paper", {**paper, "consultation": [again, *paper["consultation"]]})

    body = council.read()["4711"].body
    assert isinstance(body, dict)
    assert (body["result"], body["decided_on"]) == ("Aufgehoben", "2026-03-19")


def test_a_cancelled_meeting_has_decided_nothing(council: Council) -> None:
    council.put("meeting", {**council.objects("meeting")["34"], "cancelled": True})

    body = council.read()["4711"].body
    assert isinstance(body, dict)
    assert body["result"] == ""


def test_a_meeting_at_night_is_on_its_day_in_berlin(council: Council) -> None:
    """22:30 UTC is half past midnight here."""
    council.put("meeting", {**council.objects("meeting")["34"], "start": "2026-06-30T22:30:00Z"})

    body = council.read()["4711"].body
    assert isinstance(body, dict)
    assert body["decided_on"] == "2026-07-01"


# What is asked for


def test_the_route_says_what_is_read(council: Council) -> None:
    """By words in title, number and keywords, and by kind."""
    assert "4716" not in council.read(None, ABOUT)
    assert set(council.read(None, {"about": "X/0816"})) == {"4713"}
    assert set(council.read(None, {"paper_types": ["antrag"], **ABOUT})) == {"4713", "4714"}


def test_the_next_run_asks_for_what_was_changed_since(council: Council) -> None:
    """As RFC 3339 with an offset, percent-encoded, three hours earlier: equal times and slow clocks lose nothing."""
    bookmark = Bookmark()
    council.read(bookmark, ABOUT)
    second = council.read(bookmark, ABOUT)

    query = urlsplit(next(one for one in reversed(council.asked()) if "/paper?" in one)).query
    assert "%2B" in query
    assert parse_qs(query)["modified_since"] == ["2026-03-19T18:00:00+00:00"]
    assert set(second) == {"4713", "4714", "4715"}


def test_papers_of_the_same_time_are_not_lost(council: Council) -> None:
    """One appears with the very time that the cursor holds."""
    bookmark = Bookmark()
    council.read(bookmark)
    council.put("paper", {**council.objects("paper")["4716"], "modified": "2026-03-19T22:00:00+01:00"})

    assert "4716" in council.read(bookmark)


def test_a_time_to_come_hides_nothing(council: Council) -> None:
    """One paper with a wrong year would have every later change unseen for ever."""
    bookmark = Bookmark()
    council.put("paper", {**council.objects("paper")["4716"], "modified": "2099-01-01T00:00:00+01:00"})
    council.read(bookmark)

    assert json.loads(bookmark.value)["since"] < "2099"


def test_another_choice_begins_anew(council: Council) -> None:
    """A word that was added to the route finds old papers, too."""
    bookmark = Bookmark()
    council.read(bookmark, {"about": ["Radweg"]})

    assert "4711" in council.read(bookmark, {"about": ["Radweg", "Kiezkasse"]})


def test_a_deleted_paper_says_nothing_else(council: Council) -> None:
    """Deleted ones come with changes only; of their fields none is said to be empty."""
    item = council.read(None, {"since": "2026-01-01"})["4712"]

    assert item.body == {"deleted": True}
    assert item.rest is not None
    assert item.rest.fetch() == {}
    assert {"reference", "name", "result"} <= item.rest.fields


def test_a_paper_waits_for_its_result(council: Council) -> None:
    """Its own `modified` does not tell when the result comes."""
    bookmark = Bookmark()
    council.read(bookmark, {"about": "X/0815"})
    assert json.loads(bookmark.value)["waiting"] == []
    bookmark = Bookmark()
    council.read(bookmark, {"about": "X/0817"})

    assert [address.rpartition("/")[2] for address in json.loads(bookmark.value)["waiting"]] == ["4714"]


def test_what_has_no_result_for_two_years_gets_none(council: Council) -> None:
    bookmark = Bookmark()
    council.put("paper", {**council.objects("paper")["4714"], "modified": "2023-01-01T08:00:00+01:00"})
    council.read(bookmark, {"about": ["X/0815", "X/0817"]})

    assert json.loads(bookmark.value)["waiting"] == []


# Where the interface begins


@pytest.mark.parametrize("path", ["", "/ris", "/bodies", "/body/tk", "/body/tk/paper"])
def test_system_list_of_bodies_body_and_list_of_papers_are_beginnings(council: Council, path: str) -> None:
    """Whoever sets the connection up has one of these addresses."""
    items = council.source(path=path).fetch(Bookmark())

    assert "4711" in {item.external_id.rpartition("/")[2] for item in items}


def test_a_slash_that_the_settings_took_off_is_put_back(council: Council) -> None:
    """Redirects are never followed; to our own address with a slash no redirect is needed."""
    council.running.arm("slash_redirect")

    assert len(list(council.source(path="/ris").fetch(Bookmark()))) == 5


def test_of_several_bodies_the_route_names_one(begin: Callable[..., Council]) -> None:
    council = begin("bodies=2")

    assert "4711" in council.read(None, {"body": "TK"})
    for body in ({}, {"body": "Lichtenberg"}):
        with pytest.raises(ConfigurationError):
            council.read(None, body)


def test_the_probe_says_what_it_found(begin: Callable[..., Council]) -> None:
    council = begin("bodies=2")
    connection = Connection("ris-test", "kb_oparl", council.url)

    assert probe(connection, Path(), [PROCESS]).startswith("2 Körperschaften")


# What a stranger's server cannot do


@pytest.mark.parametrize("fault", ["next_elsewhere", "meeting_elsewhere"])
def test_no_other_server_is_ever_asked(council: Council, fault: str) -> None:
    """An answer would send us into the district's own network; its name is not even looked up."""
    council.running.arm(fault)
    source, items = council.source(ABOUT), []
    if fault == "next_elsewhere":
        with pytest.raises(SourceError, match="another server"):
            list(source.fetch(Bookmark()))
    else:
        items = list(source.fetch(Bookmark()))
        assert [gap.subject for gap in source.gaps()] == ["beratungen"]
        assert len(items) == 4
    close(source)


def test_a_list_without_end_ends(council: Council) -> None:
    """Each of its pages has a next one."""
    council.running.arm("next_for_ever", 50)
    with pytest.raises(SourceError, match="more than 20 pages"):
        council.read(max_pages=20)


def test_calls_for_consultations_are_bounded_and_the_rest_comes_later(council: Council) -> None:
    """What was not asked for is absent, told, and waits."""
    bookmark = Bookmark()
    source = council.source(ABOUT, max_calls=1)
    first = {item.external_id.rpartition("/")[2]: item for item in source.fetch(bookmark)}

    assert [gap.subject for gap in source.gaps()] == ["aufrufe"]
    assert first["4713"].rest is not None
    assert council.read(bookmark, ABOUT)["4713"].rest is None


def test_one_odd_entry_stops_no_other(council: Council) -> None:
    council.running.arm("odd_entry")
    source = council.source()
    items = list(source.fetch(Bookmark()))

    assert len(items) == 5
    assert [gap.subject for gap in source.gaps()] == ["eintraege"]


def test_a_field_in_another_form_is_a_problem_of_its_paper(council: Council) -> None:
    """A number where a text was must not become the number of another Drucksache."""
    council.running.arm("odd_field")
    items = list(council.source().fetch(Bookmark()))

    assert {item.kind for item in items} == {"paper-problem"}
    assert all(item.problem and "„reference“" in item.problem for item in items)


def test_three_calls_without_an_answer_end_the_run(council: Council) -> None:
    """A thousand meetings of a dead server would take a day of waiting; the cursor stays."""
    bookmark = Bookmark()
    council.running.arm("meeting_lost", 20)
    with pytest.raises(SourceError):
        council.read(bookmark)

    assert bookmark.value == ""


def test_a_meeting_that_is_not_shown_is_no_fault(council: Council) -> None:
    """Meetings behind closed doors are 404 for everybody else."""
    council.running.arm("meeting_hidden", 20)
    source = council.source(ABOUT)
    items = {item.external_id.rpartition("/")[2]: item.body for item in source.fetch(Bookmark())}

    assert source.gaps() == []
    assert isinstance(items["4711"], dict)
    assert items["4711"]["result"] == "Geändert beschlossen"  # of the point itself


def test_an_address_that_is_too_long_for_an_id_is_told(council: Council) -> None:
    paper = council.objects("paper")["4713"]
    council.put("paper", {**paper, "id": f"{RECORDED}/paper/{'9' * 300}"})
    source = council.source()
    list(source.fetch(Bookmark()))

    assert [gap.subject for gap in source.gaps()] == ["eintraege"]
