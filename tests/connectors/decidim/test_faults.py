"""Lists that move, things that are hidden, answers that are none: nothing is guessed, nothing is gone by mistake."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from connectors._graphql import QueryError, Reply
from connectors._line import NoAnswer
from connectors.decidim.items import ProposalNode, flaw_of
from connectors.decidim.listing import _page_of
from kiezbruecke.errors import ConfigurationError, SourceError
from kiezbruecke.troubles import Cause

from .conftest import NoCursor, Site


def ids(site: Site, *components: Any, **extra: Any) -> tuple[list[str], list[str]]:
    """External ids of what came, and the subjects of the gaps."""
    source = site.source(*components, **extra)
    return [item.external_id for item in source.fetch(NoCursor())], [gap.subject for gap in source.gaps()]


@pytest.mark.parametrize("version", ["0.31", "0.32"], indirect=True)
def test_a_hidden_proposal_is_a_gap_and_stops_no_other(site: Site) -> None:
    """0.31 shows null, 0.32 an error beside it: the page is whole otherwise."""
    site.change("proposals", {"id": "103", "hidden": True})
    source = site.source()
    items = [item.external_id for item in source.fetch(NoCursor())]
    (gap,) = source.gaps()

    assert items == ["9/101", "9/102", "9/104", "9/105"]
    assert gap.module_id == 9
    assert "1 Eintrag verborgen" in gap.problem


@pytest.mark.parametrize("version", ["0.31", "0.32"], indirect=True)
def test_a_hidden_project_is_a_gap_and_stops_no_other(site: Site) -> None:
    site.change("projects", {"id": "41", "hidden": True})

    assert ids(site, 12) == (["12/42"], ["komponente-12-verborgen"])


@pytest.mark.parametrize("version", ["0.31", "0.32"], indirect=True)
def test_a_hidden_proposal_of_a_project_hides_no_project(site: Site) -> None:
    """It is only not named; 0.32 puts an error into the page for it."""
    site.change("projects", {"id": "41", "related": ["101", "103"]})
    site.change("proposals", {"id": "103", "hidden": True})
    source = site.source(12)
    bodies = {item.external_id: item.body for item in source.fetch(NoCursor())}

    assert bodies["12/41"]["related"] == ["TK-PROP-2026-01-101"]
    assert source.gaps() == []


@pytest.mark.parametrize("fault", ["vanish_between_pages", "appear_between_pages"])
def test_a_list_that_moves_between_two_pages_is_read_again(site: Site, fault: str) -> None:
    """Cursors are offsets: one that vanishes lets another slip through, one that appears shows one twice."""
    site.running.arm(fault)
    found, gaps = ids(site, page_size=2)

    assert found == sorted({*found}, key=lambda key: int(key.partition("/")[2]))
    assert len(found) == (4 if fault.startswith("vanish") else 6)
    assert gaps == []


def test_a_list_that_does_not_rest_is_an_error(site: Site) -> None:
    """Nothing of it is taken over, and nothing is gone."""
    site.running.arm("vanish_between_pages", 99)

    with pytest.raises(SourceError, match="changed in each of 2 passes"):
        ids(site, page_size=2, passes=2)


def test_a_component_that_is_not_there_stops_no_other(site: Site) -> None:
    source = site.source(9, 99)
    found = [item.external_id for item in source.fetch(NoCursor())]
    (gap,) = source.gaps()

    assert len(found) == 5
    assert (gap.subject, gap.module_id) == ("komponente-99", 99)
    assert "nichts gilt als verschwunden" in gap.problem


@pytest.mark.parametrize(
    ("components", "words"), [((99,), "shows no component 99"), ((13,), "neither proposals nor budgets")]
)
def test_where_nothing_can_be_read_the_run_says_why(site: Site, components: tuple[int, ...], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        ids(site, *components)


def test_another_schema_is_no_empty_list(site: Site) -> None:
    """A field that is gone makes the query invalid as a whole."""
    site.running.arm("schema_changed")

    with pytest.raises(SourceError, match="does not understand the query"):
        ids(site)


@pytest.mark.parametrize("fault", ["server_error", "html_answer", "truncated_list", "reset", "far_too_many"])
def test_a_broken_answer_to_one_component_is_a_gap(
    site: Site, fault: str, behind_the_first: Callable[[Callable[[], None]], None]
) -> None:
    """The other one was read before, and is handed over."""
    behind_the_first(lambda: site.running.arm(fault))

    assert ids(site, 9, 12) == ([f"9/{number}" for number in range(101, 106)], ["komponente-12"])


def test_one_odd_proposal_stops_no_other_and_is_not_gone(site: Site) -> None:
    """It comes with its key, and a sentence that quotes nothing."""
    site.change("proposals", {"id": "103", "created_at": "gestern von Erika"})
    items = list(site.source().fetch(NoCursor()))
    (odd,) = [item for item in items if item.kind == "proposal-problem"]

    assert [item.external_id for item in items] == [f"9/{number}" for number in range(101, 106)]
    assert odd.external_id == "9/103"
    assert odd.problem is not None
    assert odd.problem.startswith("Der Vorschlag 103 ist nicht lesbar: Das Feld „createdAt“")
    assert "Erika" not in odd.problem


def test_nothing_but_odd_ones_is_another_schema(site: Site) -> None:
    """And a gap, where another component can be read."""
    site.change("projects", *({"id": key, "created_at": "gestern"} for key in ("41", "42")))

    with pytest.raises(SourceError, match="field 'createdAt' of ProjectNode has another form than before"):
        ids(site, 12)
    assert ids(site, 9, 12)[1] == ["komponente-12"]


def test_a_wait_that_is_asked_for_is_kept(site: Site) -> None:
    site.running.arm("too_many", 2)
    begun = time.monotonic()
    found, _ = ids(site)

    assert len(found) == 5
    assert time.monotonic() - begun >= 2


def test_more_patience_than_a_run_has_is_an_error(site: Site) -> None:
    """At once, not after an hour; and IT operations reads why."""
    site.running.arm("far_too_many")
    begun = time.monotonic()

    with pytest.raises(SourceError, match="more distance") as caught:
        ids(site)

    assert caught.value.trouble is not None
    assert caught.value.trouble.cause is Cause.BUSY
    assert time.monotonic() - begun < 5


def test_the_patience_is_one_for_the_whole_run(site: Site) -> None:
    site.running.arm("too_many", 3)

    with pytest.raises(SourceError, match="more distance"):
        ids(site, patience=2)


def test_a_real_limit_is_lived_with(begin: Any) -> None:
    """Counted by address and minute, as rack-attack does; the client asks for less than the limit."""
    site = begin("rate=8")

    assert len(ids(site)[0]) == 5
    with pytest.raises(SourceError, match="more distance"):
        [ids(site, patience=0) for _ in range(3)]


def test_a_sum_that_no_budget_has_is_told(site: Site) -> None:
    site.change("projects", {"id": "41", "budget_amount": 2_147_483_647})
    source = site.source(12)
    amounts = [item.body["budget_amount"] for item in source.fetch(NoCursor())]
    (gap,) = source.gaps()

    assert amounts == [None, 1200]
    assert "2026-9000041" in gap.problem
    assert gap.module_id is None


def test_a_field_that_could_not_be_read_hides_its_thing_alone() -> None:
    """An error at a field leaves a null there, which must not count as empty; one at the page leaves nothing."""
    data = {"component": {"proposals": {"nodes": [{"id": "1", "title": None}, {"id": "2"}], "pageInfo": LAST}}}
    at = ("component", "proposals", "nodes")

    page = _page_of(Reply(data, (QueryError("UNAUTHORIZED_FIELD_ERROR", (*at, 0, "title")),)), "proposals")
    assert ([node["id"] for node in page.nodes], page.hidden) == (["2"], 1)
    for path in (at, at[:2], at[:1], ()):
        with pytest.raises(NoAnswer, match="came with an error"):
            _page_of(Reply(data, (QueryError("", path),)), "proposals")


@pytest.mark.parametrize(
    "connection",
    [
        None,
        {"nodes": None, "pageInfo": {"hasNextPage": False, "endCursor": None}},
        {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "MQ"}},
        {"nodes": [{}], "pageInfo": {"hasNextPage": True, "endCursor": None}},
        {"nodes": [3], "pageInfo": {"hasNextPage": False, "endCursor": None}},
        {"nodes": []},
    ],
    ids=["nothing", "no nodes", "empty and more", "no cursor", "no object", "no page"],
)
def test_a_page_in_another_form_is_no_empty_one(connection: Any) -> None:
    with pytest.raises(NoAnswer):
        _page_of(Reply({"component": {"proposals": connection}}), "proposals")


LAST = {"hasNextPage": False, "endCursor": None}
NODE = {
    "id": "1", "reference": None, "state": None, "withdrawn": False, "answeredAt": None, "publishedAt": None,
    "createdAt": "2026-02-01T09:58:12+01:00", "updatedAt": "2026-02-01T09:58:12+01:00", "address": None,
    "voteCount": None, "title": {"translations": [{"locale": "de", "text": "x"}]}, "body": None, "answer": None,
    "coordinates": None, "authors": [], "taxonomies": [],
}  # fmt: skip


def test_a_node_as_it_should_be_is_read() -> None:
    assert ProposalNode.model_validate(NODE).id == "1"


@pytest.mark.parametrize("field", sorted(NODE))
def test_a_field_that_is_missing_is_never_an_empty_one(field: str) -> None:
    with pytest.raises(ValueError, match="1 validation error") as caught:
        ProposalNode.model_validate({name: value for name, value in NODE.items() if name != field})

    assert flaw_of(caught.value) == field  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"id": "abc"},
        {"id": "9999999999"},
        {"state": 3},
        {"withdrawn": "false"},
        {"createdAt": "gestern"},
        {"createdAt": "2026-02-01T09:58:12"},
        {"title": "Titel"},
        {"voteCount": "7"},
        {"coordinates": {"latitude": "52", "longitude": 13.0}},
    ],
)
def test_a_field_of_another_type_is_told(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        ProposalNode.model_validate({**NODE, **change})
