"""A new effect is one file: a letter that nobody here has heard of is written, sent once, shown, refused and reset."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kiezbruecke import pipeline, plugins
from kiezbruecke.content.routes import find_route
from kiezbruecke.errors import ConfigurationError, Recovering
from kiezbruecke.ledger import MessageState, evidence
from kiezbruecke.ledger.reset import reset_destination
from kiezbruecke.stages import recovering
from tests.builders import by
from tests.cli.conftest import call
from tests.effects.conftest import LETTER, ROOT
from tests.world import World, budget, line, make_world, processes

__all__ = ["call", "make_world", "processes"]
FILES = [
    "content/mappings/outbound/bewilligungsschreiben/examples/full/expected.json",
    "content/mappings/outbound/bewilligungsschreiben/examples/full/input.yaml",
    "content/mappings/outbound/bewilligungsschreiben/mapping.yaml",
    "content/mappings/routes/kk-tk-briefe.yaml",
    "content/schemas/json/bewilligungsschreiben.schema.json",
    "effects/letter_write.py",
]


@pytest.fixture
def office(letters: Path, make_world: Callable[[Path], World]) -> World:
    """A district that writes letters: two cases are decided, one of them grants."""
    world = make_world(letters)
    folder = world.state / "briefe"
    folder.mkdir()
    world.connections["briefe-tk"] = {"conn_type": "kb_folder", "extra": {"path": str(folder), "profile": "files"}}
    world.connect()
    world.drop_budget(budget())
    world.drop(line("P-1"), line("P-2", "", "abgelehnt"))
    world.run("kk-tk-budgets", "kk-tk-beschluesse")
    return world


def post(world: World) -> list[str]:
    """What lies in the folder of the post room."""
    return sorted(file.name for file in (world.state / "briefe").iterdir())


def test_a_new_effect_is_one_file_a_mapping_and_a_route(letters: Path) -> None:
    """The mapping with its example and the shape of what it writes is content; nothing else knows the effect."""
    added = sorted(str(file.relative_to(LETTER)) for file in LETTER.rglob("*.*") if "__pycache__" not in file.parts)
    sources = (file for room in ("kiezbruecke", "connectors", "dags") for file in (ROOT / room).rglob("*.*"))
    known = [str(file) for file in sources if file.suffix in (".py", ".yaml", ".json") and _names_it(file)]

    assert added == FILES
    assert known == []
    assert plugins.effects()["letter.write"].title == "Bewilligungsschreiben"


def _names_it(file: Path) -> bool:
    text = file.read_text("utf-8")
    return any(word in text for word in ("letter.write", "letter_write", "LetterView", "Bewilligungsschreiben"))


def test_the_letter_lies_there_once(office: World) -> None:
    """One per case that grants, whole, with the digest beside it; a second run finds nothing to do."""
    first, second = office.run("kk-tk-briefe", "kk-tk-briefe")
    letter = office.state / "briefe" / "KK26-090416-P0001-B1.json"

    assert post(office) == [letter.name, f"{letter.name}.ok"]
    assert json.loads(letter.read_text("utf-8")) == {
        "zeichen": "KK26-090416-P0001-B1",
        "betreff": "Bank am See",
        "anrede": "Sehr geehrte Damen und Herren,",
        "summe": 850.0,
        "beschluss": "2026-04-24",
    }
    assert hashlib.sha256(letter.read_bytes()).hexdigest() in letter.with_name(f"{letter.name}.ok").read_text("utf-8")
    assert (first["prepared"], first["delivered"]) == (1, 1)
    assert [word for word, count in second.items() if count] == []
    assert [head.state for head in office.messages()] == [MessageState.CONFIRMED]
    assert office.points() == []


def test_commands_call_it_by_its_german_name(office: World, call: Callable[..., Any]) -> None:
    """Nobody reads `letter.write`."""
    office.run("kk-tk-briefe")
    listed, shown = call("message", "list"), call("case", "show", "P-1")

    assert "Bewilligungsschreiben" in listed.out
    assert "KK26-090416-P0001-B1" in shown.out
    assert "Bewilligungsschreiben" in shown.out
    assert "letter.write" not in listed.out + shown.out


def test_its_mapping_is_checked_like_every_other(office: World, call: Callable[..., Any]) -> None:
    """The root `letter` is known by its fields, in the check, for examples and for the page that a department signs."""
    checked = call("mapping", "check", "bewilligungsschreiben")
    tested = call("mapping", "test", "bewilligungsschreiben")
    page = call("mapping", "doc", "bewilligungsschreiben")
    _rename_a_source(office.content)
    wrong = call("mapping", "check", "bewilligungsschreiben")

    assert (checked.code, tested.code) == (0, 0)
    assert "0 errors, 0 warnings" in checked.out
    assert "Bewilligungsschreiben" in page.out
    assert wrong.code == 1
    assert "'letter' has no field 'salutatio'" in wrong.out + wrong.err


def _rename_a_source(content: Path) -> None:
    file = content / "mappings/outbound/bewilligungsschreiben/mapping.yaml"
    file.write_text(file.read_text("utf-8").replace("letter.salutation", "letter.salutatio"), "utf-8")


def test_a_name_that_stands_for_something_else_stops_the_destination(office: World) -> None:
    """Ours are unique: the folder knows more than the ledger, or somebody has put a file there; a person says which."""
    taken = office.state / "briefe" / "KK26-090416-P0001-B1.json"
    taken.write_text("something else", "utf-8")
    with pytest.raises(Recovering):
        office.run("kk-tk-briefe")
    stopped = [point.subject for point in office.points("recovering")]
    taken.unlink()
    for name in stopped:
        recovering.dismiss(office.house, name, person=by("A. Muster"), reason="fremde Datei weggeräumt")
    office.run("kk-tk-briefe")

    assert "briefe-tk" in stopped
    assert [name for name in post(office) if name.endswith(".ok")] == ["KK26-090416-P0001-B1.json.ok"]
    assert office.points() == []


def test_a_folder_that_was_rebuilt_gets_the_letter_once_more(office: World) -> None:
    """The destination's new generation knows nothing; the chain of the case holds both."""
    office.run("kk-tk-briefe")
    before = post(office)
    for file in (office.state / "briefe").iterdir():
        file.unlink()
    reset_destination(office.ledger, "briefe-tk", person=by("IT"), reason="neuer Server")
    office.run("kk-tk-briefe", "kk-tk-briefe")

    assert post(office) == before
    assert [(head.generation, head.state) for head in office.messages()] == [
        (1, MessageState.CONFIRMED),
        (2, MessageState.CONFIRMED),
    ]
    assert evidence.verify(office.ledger).broken == ()


def test_a_correction_writes_no_second_letter(office: World) -> None:
    """`once`: what became of the sum afterwards is for a person to tell."""
    office.run("kk-tk-briefe")
    office.drop(line("P-1", "700,00", "angenommen (gekürzt)", why="Angebot günstiger"), name="mai.csv")
    office.run("kk-tk-beschluesse", "kk-tk-briefe")

    assert len(office.messages()) == 1


@pytest.mark.parametrize(
    ("destination", "keys", "told"),
    [
        ("statusliste-tk", {}, "cannot do letter.write"),
        ("briefe-tk", {"due": "status_changed", "effect": "status.list"}, "is a line of a list"),
    ],
)
def test_each_profile_of_a_folder_takes_what_it_can(
    office: World, destination: str, keys: dict[str, str], told: str
) -> None:
    """A letter is no line of the status list, and a line without its list is published to nobody."""
    file = office.content / "mappings/routes/kk-tk-briefe.yaml"
    route = find_route(office.content, "kk-tk-briefe").model_dump(mode="json", exclude_defaults=True, by_alias=True)
    file.write_text(json.dumps(route | {"destination": destination} | keys), "utf-8")

    with pytest.raises(ConfigurationError, match=told):
        pipeline.run(office.house, "kk-tk-briefe")
