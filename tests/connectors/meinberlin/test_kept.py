"""What the ledger keeps of the platform over several runs: the real client, the real mappings, a real ledger."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from kiezbruecke import pipeline
from kiezbruecke.connector import Connection
from kiezbruecke.content.routes import CollectingRoute, find_route
from kiezbruecke.ledger import tables as t
from kiezbruecke.records import Module
from kiezbruecke.stages.work import Collecting, Counts
from tests.builders import ROOT
from tests.ledger.conftest import Desk, Fresh, desk, fresh_sqlite, ledger

from .conftest import ALTGLIENICKE, FRIEDRICHSHAGEN, process_of

__all__ = ["desk", "fresh_sqlite", "ledger"]
KEPT = ("description_text", "feedback_text", "category", "labels", "point_label", "own_contribution", "email", "phone")
MODULES = (FRIEDRICHSHAGEN, ALTGLIENICKE)


@pytest.fixture
def url(fresh_sqlite: Fresh) -> str:
    """One database is enough: what differs between them is tried in `tests/stages` and `tests/ledger`."""
    return fresh_sqlite()


def collect(desk: Desk, place: Any, *modules: Module, **extra: Any) -> Counts:
    """One run of the route that reads the platform."""
    route = find_route(ROOT, "kk-tk-meinberlin")
    assert isinstance(route, CollectingRoute)
    modules = modules or (FRIEDRICHSHAGEN,)
    run = desk.run(f"{route.collect}|collect", route.name)
    party = Connection(route.collect, "kb_meinberlin")
    work = Collecting(ROOT, route, process_of(*modules), desk.ledger, party, run)
    given = {"export_login": place.initiator, "export_password": place.password, **extra}
    work.source = place.source(*modules, **given)
    counts = Counts()
    pipeline.collect_items(work, counts)
    work.close()
    return counts


def records(desk: Desk, kind: str = "proposal") -> dict[str, dict[str, Any]]:
    """The records' bodies by external id."""
    query = select(t.records.c.external_id, t.records.c.body).where(t.records.c.kind == kind)
    with desk.ledger.read() as connection:
        return {row.external_id: json.loads(row.body) for row in connection.execute(query)}


def kept(desk: Desk) -> dict[tuple[str, str], dict[str, Any]]:
    """Of every record what does not stand in the list."""
    return {
        (kind, key): {name: body[name] for name in KEPT if name in body}
        for kind in ("proposal", "applicant")
        for key, body in records(desk, kind).items()
    }


def everything_changes(place: Any) -> None:
    """Somebody saves the form of every proposal."""
    place.put(*({"pk": key, "modified": "2026-12-01T12:00:00+01:00"} for key in range(1, 85)))


@pytest.mark.parametrize(
    "fault",
    [
        *("login_locked", "login_back", "login_down"),
        *("export_of_another_module", "export_short", "export_html", "export_broken", "export_server_error"),
        *("detail_error", "detail_changed", "detail_of_another", "detail_silent"),
    ],
)
def test_what_cannot_be_read_stays_as_it_was(desk: Desk, place: Any, fault: str) -> None:
    """All descriptions, feedback texts, labels and contacts were wiped by one locked account, and the run was green."""
    collect(desk, place, *MODULES)
    before = kept(desk)
    everything_changes(place)
    place.running.arm(fault, 999)
    collect(desk, place, *MODULES)
    told = desk.points("incomplete")

    assert kept(desk) == before
    assert len(told) == len(MODULES)
    assert {body["modified_at"] for body in records(desk).values()} == {"2026-12-01T11:00:00Z"}

    (place.running.state / "faults.json").unlink()
    collect(desk, place, *MODULES)
    assert (kept(desk), desk.points("incomplete")) == (before, [])


def test_what_was_emptied_on_the_platform_is_empty(desk: Desk, place: Any) -> None:
    """To keep what is absent must not mean to keep what was taken back."""
    collect(desk, place)
    place.put({"pk": 2, "description": "", "feedback": "", "labels": [], "contact_email": "", "contact_phone": ""})
    collect(desk, place)

    assert kept(desk)["proposal", "2"] | {"category": "", "point_label": "", "own_contribution": None} == {
        "description_text": "",
        "feedback_text": "",
        "category": "",
        "labels": [],
        "point_label": "",
        "own_contribution": None,
    }
    assert kept(desk)["applicant", "2"] == {"email": "", "phone": ""}


def test_a_second_run_over_five_hundred_unchanged_proposals_takes_few_requests(
    desk: Desk, begin: Callable[..., Any]
) -> None:
    """The platform needs a fifth of a second for each page, and half an hour later nothing has changed."""
    place = begin()
    place.put(*({"module": 1, "name": f"Vorschlag {number}", "description": "<p>Text</p>"} for number in range(440)))
    collect(desk, place)
    first = len(place.asked())
    counts = collect(desk, place)

    assert len(records(desk)) == 500
    assert first > 500
    assert len(place.asked()) - first == 1
    assert (counts["new"], counts["updated"], counts["changed"]) == (0, 0, 0)


def test_votes_and_comments_cost_no_page(desk: Desk, place: Any) -> None:
    """They change every day."""
    collect(desk, place)
    before = len(place.asked())
    place.put(*({"pk": key, "comment_count": 99} for key in range(1, 50)))
    counts = collect(desk, place)

    assert len(place.asked()) - before == 1
    assert (counts["updated"], records(desk)["2"]["counts"]["comments"]) == (49, 99)


def test_nothing_is_gone_in_a_module_that_could_not_be_read(desk: Desk, place: Any) -> None:
    """The other one goes on: what it does not show any more is gone, and who asked for it."""
    collect(desk, place, *MODULES)
    place.running.arm("server_error")
    place.delete(61)
    counts = collect(desk, place, *MODULES)

    with desk.ledger.read() as connection:
        query = select(t.records.c.kind, t.records.c.external_id).where(t.records.c.gone_at.is_not(None))
        gone = {(row.kind, row.external_id) for row in connection.execute(query)}
    assert gone == {("proposal", "61"), ("applicant", "61")}
    assert (counts["gone"], [point.subject for point in desk.points()]) == (1, ["meinberlin-tk:kk-tk-2026:modul-1"])


def test_a_sum_that_no_budget_has_leaves_the_proposal_in(desk: Desk, place: Any) -> None:
    """It came as a line about a number that is too large, and its proposal not at all."""
    place.put({"pk": 61, "budget": 2147483647})
    collect(desk, place, ALTGLIENICKE)

    assert records(desk)["61"]["requested_amount"] is None
    assert [point.reason.split(":")[0] for point in desk.points()] == ["Vorschlag 2023-00061"]
    place.put({"pk": 61, "budget": 850})
    collect(desk, place, ALTGLIENICKE)
    assert (records(desk)["61"]["requested_amount"], desk.points()) == ("850.00", [])


def test_nobody_is_called_reachable_who_has_not_asked_for_it(desk: Desk, place: Any) -> None:
    """An address stands in the export whether or not its owner ticked the box."""
    collect(desk, place)

    assert records(desk, "applicant")["2"]["email"] == "person01@example.org"
    assert {body["contact_allowed"] for body in records(desk, "applicant").values()} == {False}
