"""A route is checked before it runs: a word that nobody knows must look healthy nowhere."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from kiezbruecke.airflow.dags import BrokenRoutes, report_broken_routes, route_dags
from kiezbruecke.connector import Connection
from kiezbruecke.content.routes import SendingRoute, route_places, routes
from kiezbruecke.desk import check_routes
from kiezbruecke.errors import ConfigurationError
from tests.own_sources import furnish
from tests.world import World, change_route, make_world, odd_world, processes

__all__ = ["make_world", "odd_world", "processes"]

WRONG = [
    ("kk-tk-hkr", {"due": "comitment"}, "there is no due rule 'comitment'", "did you mean 'commitment'?"),
    ("kk-tk-hkr", {"due": "file_creation"}, "due: file_creation does not lead to commitment.book", "commitment"),
    (
        "kk-tk-hkr",
        {"effect": "comitment.book"},
        "there is no effect 'comitment.book'",
        "did you mean 'commitment.book'?",
    ),
    ("kk-tk-eakte", {"with": {"fileing": {"key": "1"}}}, "nobody reads 'fileing.key'", "did you mean 'filing.key'?"),
    ("kk-tk-eakte", {"with": {"filing": {"kye": "1"}}}, "nobody reads 'filing.kye'", "did you mean 'filing.key'?"),
    ("kk-tk-meinberlin", {"with": {"page": 3}}, "nobody reads 'page'", ""),
    ("kk-tk-hkr", {"windwo": 3}, "windwo", "did you mean 'window'?"),
    ("kk-tk-hkr", {"after": ["kk-tk-budgts"]}, "there is no route 'kk-tk-budgts'", "did you mean 'kk-tk-budgets'?"),
]


def nowhere(name: str) -> Connection:
    """No connection is known."""
    raise ConfigurationError("no connection", where=name)


@pytest.mark.parametrize(("route", "keys", "what", "helps"), WRONG, ids=[one[2] for one in WRONG])
def test_a_wrong_word_is_found_everywhere_with_its_place(
    content: Path, route: str, keys: dict[str, Any], what: str, helps: str
) -> None:
    """The command, Airflow's import error and its DAG say the same, with file, line, column and what was meant."""
    change_route(content, route, **keys)
    [found] = check_routes(content, nowhere, route)
    with pytest.raises(BrokenRoutes) as reported:
        report_broken_routes(content)

    [line] = found.errors
    assert re.search(r"kk-tk-2026\.yaml:\d+:\d+: ", line)
    for text in (line, str(reported.value)):
        assert what in text
        assert helps in text
        assert "kk-tk-2026.yaml:" in text
    assert "defekt" in route_dags(content)[route].tags


def test_a_mapping_that_cannot_work_is_a_finding_of_its_route(content: Path) -> None:
    file = content / "mappings/outbound/commitment-hkr/mapping.yaml"
    file.write_text(file.read_text("utf-8").replace("from: budget.chapter", "from: budget.chaptr"), "utf-8")
    [found] = check_routes(content, nowhere, "kk-tk-hkr")

    assert "KB-M08" in found.errors[0]


def test_a_mapping_of_other_records_is_no_mapping_of_a_route(content: Path) -> None:
    """It would find nothing in a case, and set every one of them aside."""
    furnish(content)
    change_route(content, "kk-tk-hkr", mapping="rechnung")
    [found] = check_routes(content, nowhere, "kk-tk-hkr")

    assert "'rechnung' reads records of its own, and a route gives it cases" in found.errors[0]


@pytest.mark.parametrize(("mapping", "channel"), [("payment-pain", "hkr"), ("payment-hkr", "pain")])
def test_a_process_pays_by_the_channel_that_it_names(content: Path, mapping: str, channel: str) -> None:
    """An order by file that is recorded as one of the budget system would be called back where nobody knows it."""
    process = content / "mappings/processes/kk-tk-2026.yaml"
    process.write_text(process.read_text("utf-8").replace("channel: hkr", f"channel: {channel}"), "utf-8")
    change_route(content, "kk-tk-zahlungen", mapping=mapping)
    [found] = check_routes(content, nowhere, "kk-tk-zahlungen")

    assert f"the process kk-tk-2026 pays by '{channel}', and {mapping} writes" in found.errors[0]


def test_the_shipped_routes_are_in_order(root: Path) -> None:
    found = check_routes(root, lambda name: Connection(name, "kb_nobody"))

    off = {name for name, route in routes(root).items() if isinstance(route, SendingRoute) and route.mode == "off"}
    assert all("connection type 'kb_nobody'" in one.errors[0] for one in found if one.route not in off)
    assert all(one.errors == () for one in found if one.route in off)  # it goes nowhere
    assert len(found) == len(routes(root))


@pytest.mark.parametrize(
    ("kind", "extra", "what"),
    [
        ("kb_hkrr", {}, "did you mean 'kb_hkr'?"),
        ("kb_meinberlin", {}, "cannot do commitment.book"),
        ("kb_hkr", {}, "dienststelle: Field required"),
        ("kb_hkr", {"dienststelle": "X", "ca_file": "/nowhere/ca.pem"}, "ca_file, /nowhere/ca.pem"),
        ("kb_hkr", {"dienststelle": "X", "pol_size": 3}, "pol_size"),
    ],
)
def test_a_connection_that_does_not_fit_is_named_with_the_route(
    root: Path, kind: str, extra: dict[str, Any], what: str
) -> None:
    party = Connection("hkr-tk", kind, host="https://hkr.example", extra=extra)
    [found] = check_routes(root, lambda _: party, "kk-tk-hkr")

    assert what in found.errors[0]
    assert "hkr.yaml:" in found.errors[0]


def test_airflow_says_so_where_it_knows_the_connection(content: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "kiezbruecke.airflow.resolver.airflow_connection", lambda name: Connection(name, "kb_meinberlin")
    )
    with pytest.raises(BrokenRoutes) as reported:
        report_broken_routes(content)

    assert "routes/kiezkasse/hkr.yaml" in str(reported.value)
    assert "cannot do commitment.book" in str(reported.value)


def test_the_command_needs_no_ledger(content: Path, tmp_path: Path) -> None:
    """It is asked before anything is installed for good."""
    check_routes(content, nowhere)

    assert not (content / "var").exists()


def test_what_is_checked_at_every_parse_is_what_runs(odd_world: World) -> None:
    """The places are those of the files, the list of routes is as it was."""
    change_route(odd_world.content, "kk-tk-hkr", due="comitment")
    places = {place.name: place for place in route_places(odd_world.content)}

    assert json.dumps(places["kk-tk-hkr"].at("due")).count(":") == 2
