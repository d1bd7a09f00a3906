"""A second district: what is to be written for it, counted, and its decisions on the whole way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kiezbruecke.content.routes import route_places, routes
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger import MessageState
from tests.world import BUDGET_HEADER, DECISION_HEADER, World

PROCESS = """\
id: kk-se-2026
name: Kiezkassen Seehausen 2026
reference_prefix: SE26
bezirk_id: "13"
fiscal_year: 2026
owner: spk-se
areas: bezirksregionen-se
codelists: {ergebnis: ergebnis}
routes:
  extends: kiezkasse
  prefix: kk-se
  district: se
  sending: {mode: live, start_from: 2026-01-01}
  changes:
    eakte:
      with:
        sender: {institution: Bezirksamt Seehausen von Berlin}
        receiver: {institution: Bezirksamt Seehausen von Berlin}
        filing: {key: SE-1}
    meinberlin: null # Seehausen decides on paper
"""
AREAS = "id;name;aliases;bezirk_id;lor_version\n130101;Uferviertel;Ufer|Viertel am Ufer;13;2006-2020\n"
WRITTEN = {"mappings/processes/kk-se-2026.yaml": PROCESS, "mappings/codelists/bezirksregionen-se.csv": AREAS}


@pytest.fixture
def seehausen(odd_world: World) -> World:
    """Treptow-Köpenick as shipped, and beside it a district that nobody knows."""
    before = _files(odd_world.content)
    for name, text in WRITTEN.items():
        (odd_world.content / name).write_text(text, "utf-8")
    assert _files(odd_world.content) - before == WRITTEN.keys()
    for name in ("beschluesse", "budgets"):
        (odd_world.state / "eingang-se" / name).mkdir(parents=True)
    neighbours = json.loads(json.dumps(odd_world.connections).replace("/eingang/", "/eingang-se/"))
    odd_world.connections |= {name.replace("-tk", "-se"): one for name, one in neighbours.items()}
    odd_world.connect()
    return odd_world


def test_a_district_is_a_process_file_and_its_areas(seehausen: World) -> None:
    """Routes and two mappings were copied for it; a copy is mended in one place and forgotten in the other."""
    own = {name: route for name, route in routes(seehausen.content).items() if name.startswith("kk-se-")}

    assert sorted(own) == [
        "kk-se-antraege",
        "kk-se-antworten",
        "kk-se-beschluesse",
        "kk-se-budgets",
        "kk-se-eakte",
        "kk-se-eakte-postfach",
        "kk-se-erstattungen",
        "kk-se-hkr",
        "kk-se-hkr-rueckmeldungen",
        "kk-se-nachweise",
        "kk-se-offene-daten",
        "kk-se-statusliste",
        "kk-se-zahlungen",
    ]
    assert {route.process for route in own.values()} == {"kk-se-2026"}
    assert len(route_places(seehausen.content)) == 14 + 13


def test_its_decisions_go_the_whole_way_beside_the_other_districts(seehausen: World) -> None:
    """Its own areas, numbers, inbox and head in the e-file; nothing of it is the neighbour's."""
    _drop(
        seehausen, "budgets", BUDGET_HEADER, "kk-se-2026;2026;Ufer;2.600,00 €;5950;97113;freigegeben;01.01.2026;;SPK 1"
    )
    line = "kk-se-2026;Uferviertel;24.04.2026;P-1;Bank am See;angenommen;850,-;12;3;1;;;Protokoll 1;SPK 1;;"
    stranger = "kk-se-2026;Müggelheim;24.04.2026;P-2;Fest;angenommen;100,-;12;3;1;;;Protokoll 1;SPK 1;;"
    _drop(seehausen, "beschluesse", DECISION_HEADER, line, stranger)
    seehausen.run("kk-se-budgets", "kk-se-beschluesse", "kk-se-eakte", "kk-se-hkr")
    seehausen.run("kk-se-eakte-postfach", "kk-se-hkr-rueckmeldungen", "kk-se-hkr", "kk-tk-eakte", "kk-tk-hkr")

    states = {head.reference: head.state for head in seehausen.messages()}
    assert states == {"SE26-130101-P0001-E1": MessageState.CONFIRMED, "SE26-130101-P0001-F1": MessageState.CONFIRMED}
    assert seehausen.orders() == [("SE26-130101-P0001-F1", "FESTLEGUNG", "850.00")]
    assert seehausen.filed() == ["850.00"]
    assert [point.owner for point in seehausen.points("set_aside")] == ["spk-se"]  # an area of the neighbour's


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        ("{ergebniss: ergebnis}", r"kk-se-2026\.yaml:8:13: .* 'ergebniss'"),
        ("{ergebnis: ergebnis-s}", r"kk-se-2026\.yaml:8:13: .* 'ergebnis-s'"),
        ("ergebnis", r"kk-se-2026\.yaml:8:1: codelists: no pairs of names"),
    ],
)
def test_a_code_list_that_is_not_there_stops_the_district(seehausen: World, pair: str, expected: str) -> None:
    """A misspelt name would have the lines looked up among the neighbour's areas."""
    file = seehausen.content / "mappings/processes/kk-se-2026.yaml"
    file.write_text(PROCESS.replace("{ergebnis: ergebnis}", pair), "utf-8")
    _drop(seehausen, "beschluesse", DECISION_HEADER)

    with pytest.raises(ConfigurationError, match=expected):
        seehausen.run("kk-se-beschluesse")


def _drop(world: World, inbox: str, header: str, *lines: str) -> None:
    (world.state / "eingang-se" / inbox / "liste.csv").write_text("\n".join((header, *lines)) + "\n", "utf-8-sig")


def _files(content: Path) -> set[str]:
    return {file.relative_to(content).as_posix() for file in content.rglob("*") if file.is_file()}
