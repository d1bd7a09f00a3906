"""Commands that change something: guarded, with a name and a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kiezbruecke.ledger import tables as t
from tests.world import World, line

Call = Any
WHO = ("--name", "SPK 1", "--reason", "Vermerk vom 4. Mai")


def test_run_runs_a_route(call: Call, world: World) -> None:
    """Without Airflow, in one go."""
    world.drop(line("P-1"))
    said = [call("run", route, "--json") for route in ("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-eakte")]

    assert [one.code for one in said] == [0, 0, 0]
    assert said[-1].json["delivered"] == 1
    assert world.filed() == ["850.00"]


def test_an_empty_answer_is_doubt_and_asked_about(call: Call, world: World) -> None:
    """HTTP 202 without an envelope proves nothing; the transport report, asked for before anything is sent, does."""
    world.drop(line("P-1"))
    world.run("kk-tk-budgets", "kk-tk-beschluesse")
    world.sandboxes["xta"].arm("empty_202")
    first = call("run", "kk-tk-eakte", "--json")
    doubtful = [head.state.value for head in world.messages("eakte-tk")]
    second = call("run", "kk-tk-eakte", "--json")

    assert (first.code, doubtful) == (2, ["in_doubt"])
    assert second.json["found"] == 1
    assert [head.state.value for head in world.messages("eakte-tk")] == ["delivered"]
    assert len(world.filed()) == 1


def test_a_dry_run_can_be_looked_at(call: Call, odd_world: World, tmp_path: Path) -> None:
    """A list for everybody, the bytes only as files that somebody asked for."""
    odd_world.route("kk-tk-eakte", mode="dry_run")
    odd_world.drop(line("P-1"))
    odd_world.run("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-eakte")
    (listed,) = call("route", "preview", "kk-tk-eakte", "--json").json
    shown = call("route", "preview", "kk-tk-eakte", "--out", str(tmp_path / "probe"))
    (file,) = (tmp_path / "probe").iterdir()

    assert (listed["case"], listed["effect"], listed["file"]) == ("P-1", "file.create", file.name)
    assert listed["bytes"] == file.stat().st_size
    assert "P-1" in shown.out
    assert odd_world.filed() == []


@pytest.mark.parametrize("route", ["kk-tk-budgets", "nirgends"])
def test_only_sending_routes_have_previews(call: Call, world: World, route: str) -> None:
    """A source prepares nothing."""
    assert call("route", "preview", route).code == 2


def test_a_refused_message_is_decided_and_goes_anew(call: Call, world: World) -> None:
    """list, decide, run: the whole way of a clerk."""
    world.drop(line("P-1"))
    world.sandboxes["hkr"].arm("refuse_one")
    world.run()
    (point,) = call("todo", "list", "--json").json
    decided = call("todo", "decide", str(point["id"]), "neu_senden", *WHO)
    world.run()
    kept = call("todo", "show", str(point["id"]), "--json").json

    assert decided.code == 0
    assert (kept["answer"], kept["answered_by"], kept["answer_reason"]) == ("neu_senden", "SPK 1", "Vermerk vom 4. Mai")
    assert world.orders()[-1][0] == "KK26-090416-P0001-F2"
    assert call("todo", "list", "--json").json == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("1", "vielleicht", *WHO), "Die Antwort „vielleicht“ gibt es hier nicht; möglich: erledigt"),
        (("1", "erledigt", "--name", " ", "--reason", "x"), "Name und Begründung gehören dazu"),
        (("1", "erledigt", "--name", "SPK 1", "--reason", ""), "Name und Begründung gehören dazu"),
        (("7", "erledigt", *WHO), "Einen Punkt 7 gibt es nicht"),
    ],
    ids=["unknown answer", "no name", "no reason", "no such point"],
)
def test_a_decision_that_is_none_is_refused(call: Call, world: World, words: tuple[str, ...], says: str) -> None:
    """Every answer is audited."""
    world.drop(line("P-1", "achthundert"))
    world.run("kk-tk-beschluesse")
    said = call("todo", "decide", *words)

    assert said.code == 2
    assert says in said.err
    assert len(world.points()) == 1


def test_a_point_is_decided_once(call: Call, world: World) -> None:
    """The second person hears that somebody was faster."""
    world.drop(line("P-1", "achthundert"))
    world.run("kk-tk-beschluesse")
    call("todo", "decide", "1", "erledigt", *WHO)
    said = call("todo", "decide", "1", "erledigt", *WHO)

    assert said.code == 2
    assert "schon erledigt" in said.err


def test_a_route_is_paused_and_resumed(call: Call, world: World) -> None:
    """A person stands for it."""
    paused = call("route", "pause", "kk-tk-eakte", *WHO)
    modes = {one["route"]: one["mode"] for one in call("route", "list", "--json").json}
    call("route", "pause", "kk-tk-eakte", "--resume", *WHO)
    after = {one["route"]: one["mode"] for one in call("route", "list", "--json").json}

    assert paused.code == 0
    assert (modes["kk-tk-eakte"], after["kk-tk-eakte"]) == ("angehalten", "live")


@pytest.mark.parametrize("command", ["pause", "baseline"])
def test_name_and_reason_may_not_be_blank(call: Call, world: World, command: str) -> None:
    """An option that is there and says nothing is no name."""
    said = call("route", command, "kk-tk-eakte", "--name", " ", "--reason", "")

    assert said.code == 2
    assert "Name und Begründung" in said.err


def test_a_baseline_leaves_decided_cases_alone(call: Call, world: World) -> None:
    """All of them, or those that are named."""
    world.drop(line("P-1"), line("P-2", "100,00 €"))
    world.run("kk-tk-budgets", "kk-tk-beschluesse")
    said = call("route", "baseline", "kk-tk-eakte", "--case", "P-1", *WHO)
    world.run("kk-tk-eakte")

    assert said.out == "kk-tk-eakte: 1 Fall gilt als von Hand erfasst.\n"
    assert world.filed() == ["100.00"]


def test_a_baseline_for_an_unknown_case_is_refused(call: Call, world: World) -> None:
    """A typing mistake would send the case that was meant."""
    world.drop(line("P-1"))
    world.run("kk-tk-budgets", "kk-tk-beschluesse")
    said = call("route", "baseline", "kk-tk-eakte", "--case", "P-7", *WHO)

    assert said.code == 2
    assert "P-7" in said.err


def test_only_sending_routes_have_a_baseline(call: Call, world: World) -> None:
    """A source sends nothing."""
    assert call("route", "baseline", "kk-tk-budgets", *WHO).code == 2


@pytest.mark.parametrize("words", [WHO, ("--yes", "--name", " ", "--reason", "x")], ids=["without --yes", "no name"])
def test_a_reset_is_guarded(call: Call, world: World, words: tuple[str, ...]) -> None:
    """Afterwards everything is sent once more."""
    said = call("destination", "reset", "eakte-tk", *words)

    assert said.code == 2
    assert call("destination", "show", "eakte-tk", "--json").json["generation"] == 1


def test_a_reset_raises_the_generation(call: Call, world: World) -> None:
    """The person has said yes, who they are, and why."""
    said = call("destination", "reset", "eakte-tk", "--yes", *WHO)

    assert said.code == 0
    assert call("destination", "show", "eakte-tk", "--json").json["generation"] == 2


@pytest.mark.parametrize(
    "tampering",
    [
        t.events.update().where(t.events.c.seq == 1).values(body="{}"),
        t.events.delete().where(t.events.c.seq == 2),
        t.message_bytes.update().values(payload=b"<other/>"),
    ],
    ids=["a changed event", "a missing event", "changed bytes"],
)
def test_tampering_is_found(call: Call, world: World, tampering: Any) -> None:
    """The chain is the evidence."""
    world.drop(line("P-1"))
    world.run("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-hkr")
    whole = call("ledger", "verify")
    with world.ledger.write() as connection:
        connection.execute(tampering)
    said = call("ledger", "verify", "--json")

    assert whole.code == 0
    assert said.code == 1
    assert said.json["broken"]


def test_the_ledger_is_upgraded_twice_without_harm(call: Call, world: World) -> None:
    """Operators run it after every installation."""
    assert [call("ledger", "upgrade").code for _ in range(2)] == [0, 0]


def test_a_fault_is_armed_and_listed(call: Call, world: World) -> None:
    """The integrator's sandbox misbehaves on purpose."""
    armed = call("sandbox", "fault", "hkr", "refuse_one", "--times", "2")
    listed = call("sandbox", "fault", "hkr")
    wrong = call("sandbox", "fault", "hkr", "no_such_fault")

    assert (armed.code, listed.code, wrong.code) == (0, 0, 2)
    assert any(line.split() == ["refuse_one", "2"] for line in listed.out.splitlines())


NEW_SHEET = ("sheet", "new", "--process", "kk-tk-2026", "--area", "Müggelheim", "--date", "24.04.2026")


def test_a_new_sheet_never_takes_the_place_of_one_that_somebody_fills_in(
    call: Call, asked: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the working folder, or where it was told to."""
    monkeypatch.chdir(tmp_path)
    said = call(*NEW_SHEET, "--json")
    body = (tmp_path / "beschlussliste-kk-tk-2026-090416-2026-04-24.xlsx").read_bytes()
    again = call(*NEW_SHEET)
    elsewhere = call(*NEW_SHEET, "-o", str(tmp_path / "neu.xlsx"))

    assert (said.code, said.json["area"]) == (0, "090416")
    assert again.code == 2
    assert "die Datei gibt es schon" in again.err
    assert elsewhere.code == 0
    assert (tmp_path / "neu.xlsx").read_bytes() == body


def test_a_day_that_is_none_is_told(call: Call, asked: World, tmp_path: Path) -> None:
    said = call(*NEW_SHEET[:-1], "bald", "-o", str(tmp_path / "neu.xlsx"))

    assert said.code == 2
    assert "das Datum ist nicht lesbar; erwartet: ein Tag wie 24.04.2026" in said.err


@pytest.mark.parametrize(
    ("day", "says"),
    [
        ("24.04.2031", "Am 24.04.2031 kann in diesem Verfahren keine Versammlung sein; es wurde nichts angelegt"),
        ("31.02.2026", "KB-001 --date: "),
    ],
)
def test_no_sheet_is_made_for_a_day_that_cannot_be(
    call: Call, world: World, tmp_path: Path, day: str, says: str
) -> None:
    """A year mistyped, and every line of the sheet would have been refused after the assembly."""
    file = tmp_path / "neu.xlsx"
    said = call(*NEW_SHEET[:-1], day, "-o", str(file))

    assert (said.code, said.out, said.err.count("\n"), file.exists()) == (2, "", 1, False)
    assert says in said.err


def test_a_new_sheet_without_lines_says_so(call: Call, world: World, tmp_path: Path) -> None:
    """Nobody opens it to wait for more."""
    assert "Die Liste hat noch keine Zeile" in call(*NEW_SHEET, "-o", str(tmp_path / "neu.xlsx")).out
