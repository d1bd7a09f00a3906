"""A Drucksache on a decision sheet: proved by the council's system where there is one, shown as written where not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from typer.testing import CliRunner

from kiezbruecke import desk, pipeline
from kiezbruecke.cli.main import app
from kiezbruecke.desk.cases import ProofView
from kiezbruecke.ledger import evidence
from kiezbruecke.sandbox import Running, start
from tests.world import DECISION_HEADER, World, line

HEADER = f"{DECISION_HEADER};Drucksache;Link zur Drucksache"
LINK = "https://bvv.example/vo020?nummer=4711"
ROUTE = """\
name: kk-tk-drucksachen
process: kk-tk-2026
collect: ris-tk
mapping: oparl-paper
with: {about: [Kiezkasse]}
owner: spk-tk
"""


@pytest.fixture(scope="module")
def _ris(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = start("connectors.oparl.sandbox:create", tmp_path_factory.mktemp("ris"))
    yield running
    running.stop()


@pytest.fixture
def ris(_ris: Running) -> Iterator[Running]:
    """A council information system as it begins."""
    yield _ris
    for name in ("faults.json", "oparl.json"):
        (_ris.state / name).unlink(missing_ok=True)


@pytest.fixture
def connected(odd_world: World, ris: Running) -> World:
    """The district with a route that fetches Drucksachen."""
    (odd_world.content / "mappings/routes/kk-tk-drucksachen.yaml").write_text(ROUTE, "utf-8")
    odd_world.connections["ris-tk"] = {"conn_type": "kb_oparl", "host": ris.url, "extra": {}}
    odd_world.connect()
    return odd_world


def proof(world: World, reference: str) -> ProofView:
    (case,) = desk.cases(world.house, reference)
    assert case.decision is not None
    assert case.decision.proof is not None
    return case.decision.proof


def decide(world: World, *numbers: str, link: str = "") -> None:
    """One paper proposal per Drucksache: P-1, P-2 …"""
    lines = [f"{line(f'P-{place}')};{number};{link}" for place, number in enumerate(numbers, 1)]
    world.drop(*lines, header=HEADER)
    world.run("kk-tk-budgets", "kk-tk-beschluesse")


def put(ris: Running, kind: str, *rows: dict[str, Any]) -> None:
    requests.put(f"{ris.url}/_sandbox/objects", json={kind: rows}, timeout=10).raise_for_status()


def test_without_a_server_the_sheet_is_the_proof(world: World) -> None:
    """No Berlin BVV has a public OParl address; number and link must be enough, and accuse nobody."""
    decide(world, "X/0815", link=LINK)

    assert proof(world, "P-1") == ProofView(
        reference="X/0815", title="", result="", resolution="", decided_on=None, url=LINK, note=""
    )


def test_a_line_without_a_drucksache_has_no_proof(world: World) -> None:
    world.drop(line("P-1"))
    world.run("kk-tk-beschluesse")

    (case,) = desk.cases(world.house, "P-1")
    assert case.decision is not None
    assert case.decision.proof is None


def test_with_a_server_its_word_is_shown(connected: World) -> None:
    """The authoritative consultation's result, its text, the day of the meeting, and the page for people."""
    decide(connected, "Drs. x/0815", link=LINK)
    counts = pipeline.run(connected.house, "kk-tk-drucksachen")
    shown = proof(connected, "P-1")
    said = CliRunner().invoke(app, ["case", "show", "P-1"]).output

    assert counts["new_paper"] == 4
    assert (shown.result, str(shown.decided_on), shown.note) == ("Geändert beschlossen", "2026-02-19", "")
    assert shown.resolution.startswith("Die BVV beschließt")
    assert shown.url.endswith("vo020.asp?VOLFDNR=4711")
    assert "Geändert beschlossen am 19.02.2026" in said


@pytest.mark.parametrize(
    ("number", "note"),
    [
        ("X/0816", "nicht beschlossen worden"),
        ("X/0817", "noch kein Ergebnis"),
        ("X/0818", "noch kein Ergebnis"),
        ("X/0900", "keine mit dieser Nummer"),
    ],
)
def test_what_does_not_fit_is_a_note_and_stops_no_money(connected: World, number: str, note: str) -> None:
    """Refused, undecided, decided behind closed doors, of another subject: the assembly's decision is carried on."""
    pipeline.run(connected.house, "kk-tk-drucksachen")
    decide(connected, number)
    connected.run("kk-tk-eakte", "kk-tk-hkr")

    assert note in proof(connected, "P-1").note
    assert [amount for _, _, amount in connected.orders()] == ["850.00"]
    assert connected.points() == []


def test_a_result_that_comes_later_is_shown_though_the_paper_was_not_touched(connected: World, ris: Running) -> None:
    """It is recorded at the point of the agenda; the paper's own `modified` stays."""
    decide(connected, "X/0817")
    pipeline.run(connected.house, "kk-tk-drucksachen")
    meetings = requests.get(f"{ris.url}/_sandbox/objects", timeout=10).json()["meeting"]
    (meeting,) = [one for one in meetings if one["id"].endswith("/36")]
    point = {**meeting["agendaItem"][0], "result": "Beschlossen"}
    put(ris, "meeting", {**meeting, "agendaItem": [point]})
    counts = pipeline.run(connected.house, "kk-tk-drucksachen")

    assert counts["changed_paper"] == 1
    assert (proof(connected, "P-1").result, proof(connected, "P-1").note) == ("Beschlossen", "")


def test_a_deleted_drucksache_says_so_and_keeps_what_was_known(connected: World, ris: Running) -> None:
    decide(connected, "X/0815")
    pipeline.run(connected.house, "kk-tk-drucksachen")
    gone = {"id": "https://oparl.example.org/paper/4711", "type": "https://schema.oparl.org/1.1/Paper"}
    put(ris, "paper", {**gone, "deleted": True, "modified": "2026-05-01T08:00:00+02:00"})
    pipeline.run(connected.house, "kk-tk-drucksachen")

    shown = proof(connected, "P-1")
    assert (shown.result, shown.note) == (
        "Geändert beschlossen",
        "Im Ratsinformationssystem ist diese Drucksache gelöscht",
    )


def test_a_run_without_changes_brings_nothing(connected: World) -> None:
    """Papers that wait are asked for again, and are as they were."""
    first, second = (pipeline.run(connected.house, "kk-tk-drucksachen") for _ in range(2))

    assert first["new_paper"] == 4
    assert {word: many for word, many in second.items() if many and word != "items"} == {}


def test_a_drucksache_wakes_no_case(connected: World) -> None:
    """It stops nothing, so no route looks at its cases again for it."""
    decide(connected, "X/0815")
    connected.run("kk-tk-hkr")
    before = [head.key for head in connected.messages()]
    pipeline.run(connected.house, "kk-tk-drucksachen")
    (counts,) = connected.run("kk-tk-hkr")

    assert [head.key for head in connected.messages()] == before
    assert not counts.get("prepared")


def test_an_earlier_line_is_the_same_decision_as_before(world: World, content: Path) -> None:
    """What people have released rests on a line's digest: empty new columns must not change it."""
    world.drop(line("P-1"))
    world.run("kk-tk-beschluesse")
    (case,) = desk.cases(world.house, "P-1")
    with world.ledger.read() as connection:
        bodies = [row[0] for row in connection.exec_driver_sql("select body from records where kind = 'decision'")]

    assert case.decision is not None
    assert len(bodies) == 1
    assert "paper_reference" not in bodies[0]


def test_papers_are_sealed(connected: World) -> None:
    """Whoever changes a result in the database is found."""
    pipeline.run(connected.house, "kk-tk-drucksachen")
    sound = evidence.verify(connected.ledger)
    with connected.ledger.write() as connection:
        connection.exec_driver_sql("update records set body = replace(body, 'Geändert', 'Sofort') where kind = 'paper'")

    assert sound.broken == ()
    assert evidence.verify(connected.ledger).broken
