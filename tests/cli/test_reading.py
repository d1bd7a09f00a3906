"""Commands that only look: a table for people, JSON for programs, exit codes for both."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import typer

from kiezbruecke.cli.main import app
from kiezbruecke.desk.places import HEADER
from tests.world import World, line
from tools.commands import commands

Call = Any
READING = [
    ("status",),
    ("todo", "list"),
    ("todo", "show", "1"),
    ("case", "find", "P-1"),
    ("case", "show", "P-1"),
    ("message", "list"),
    ("message", "show", "KK26-090416-P0001-F1"),
    ("message", "lineage", "KK26-090416-P0001-F1"),
    ("process", "list"),
    ("process", "check", "kk-tk-2026"),
    ("route", "list"),
    ("route", "check"),
    ("route", "runs", "kk-tk-hkr"),
    ("connection", "test", "hkr-tk"),
    ("route", "preview", "kk-tk-eakte"),
    ("release", "show", "kk-tk-zahlungen"),
    ("release", "list", "kk-tk-zahlungen"),
    ("destination", "show", "eakte-tk"),
    ("recover", "show"),
    ("reconcile",),
    ("evaluate", "kk-tk-2026"),
    ("ledger", "verify"),
    ("schemas", "list"),
    ("sandbox", "list"),
    ("sandbox", "fault", "hkr"),
    ("webhook", "key"),
    ("mapping", "steps"),
    ("mapping", "check", "meinberlin-proposal"),
    ("mapping", "preview", "meinberlin-proposal"),
    ("mapping", "test", "meinberlin-proposal"),
    ("mapping", "diff", "meinberlin-proposal", "meinberlin-proposal"),
    ("mapping", "doc", "meinberlin-proposal"),
    ("mapping", "lineage", "meinberlin-proposal"),
    ("mapping", "compile", "commitment-hkr"),
    ("mapping", "try", "commitment-hkr", "--records", "20"),
    ("drift", "check", "commitment-hkr"),
    ("codelist", "list"),
    ("codelist", "check"),
    ("mapping", "upgrade", "commitment-hkr", "--to", "hkr 1.0 Anordnung", "--dry-run"),
]
WHO = ("--name", "SPK 1", "--reason", "Vermerk vom 4. Mai")
CHANGING = [
    ("ledger", "upgrade"),
    ("run", "kk-tk-beschluesse"),
    ("todo", "decide", "1", "erledigt", *WHO),
    ("route", "pause", "kk-tk-eakte", *WHO),
    ("route", "baseline", "kk-tk-eakte", *WHO),
    ("destination", "pause", "eakte-tk", *WHO),
    ("destination", "resume", "eakte-tk", *WHO),
    ("destination", "reset", "eakte-tk", "--yes", *WHO),
    ("recover", "begin", "eakte-tk", *WHO),
    ("vault", "key"),
    ("ledger", "anchor"),
    ("ledger", "accept", *WHO),
    ("sandbox", "fault", "hkr", "refuse_one"),
]
# Tested below and beside their modules: one keeps running, others need files of their own or write into the content.
ELSEWHERE = {
    "sandbox start", "webhook serve", "schemas install", "schemas add", "codelist import", "drift accept", "drift wsdl",
    "mapping new", "mapping editor", "mapping run", "new connector", "process new", "sheet new", "message resend",
    "sheet check", "sheet take",
    "vault status", "vault rotate", "recover run", "recover answer", "recover end", "recover dismiss",
    "login", "release certify", "release order", "release hold-back",
    "budget places", "case document", "case account",
}  # fmt: skip


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_every_command_speaks_json(call: Call, asked: World, command: tuple[str, ...]) -> None:
    """Programs read no tables."""
    said = call(*command, "--json")

    assert isinstance(said.json, dict | list)
    assert said.err == ""


@pytest.mark.parametrize("command", CHANGING, ids=lambda command: " ".join(command[:3]))
def test_every_command_that_changes_something_speaks_json(call: Call, world: World, command: tuple[str, ...]) -> None:
    """What became of it."""
    world.drop(line("P-1", "achthundert"))
    world.run("kk-tk-beschluesse")
    said = call(*command, "--json")

    assert isinstance(said.json, dict | list)
    assert said.code == 0
    assert said.err.replace(f"{command[1]} läuft …", "").strip() == ""


def test_no_command_is_forgotten() -> None:
    """The commands themselves say which there are."""
    every = {words.removeprefix("kiezbruecke ") for words, _ in commands(typer.main.get_command(app))}
    tried = {" ".join(one[: 1 if one[0] in every else 2]) for one in (*READING, *CHANGING)} | ELSEWHERE

    assert tried == every
    assert [words for words, one in commands(typer.main.get_command(app)) if not _speaks_json(one)] == []


def _speaks_json(command: Any) -> bool:
    return any("--json" in one.opts for one in command.params)


def test_installing_schemas_speaks_json(call: Call, asked: World, tmp_path: Path) -> None:
    """Also about a folder that holds none."""
    said = call("schemas", "install", "--from", str(tmp_path), "--json")

    assert said.code == 2
    assert said.json["error"] == "KB-100"


def test_a_started_sandbox_says_its_address_in_one_line_and_runs(asked: World, tmp_path: Path) -> None:
    """A script reads the line and goes on."""
    script = Path(sys.executable).with_name("kiezbruecke")
    command = [script, "sandbox", "start", "meinberlin", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        said = json.loads(running.stdout.readline())
        still = running.poll()
        running.send_signal(signal.SIGTERM)
        running.wait(20)

    assert said.keys() == {"name", "url", "state"}
    assert said["url"].startswith("http://127.0.0.1:")
    assert still is None


@pytest.mark.parametrize(
    ("command", "says", "help_of"),
    [
        (("nirgends",), "den Befehl „nirgends“ gibt es nicht", "kiezbruecke --help"),
        (("todo", "lst"), "den Befehl „lst“ gibt es nicht; gemeint ist vielleicht 'list'", "kiezbruecke todo --help"),
        (("todo", "decide", "1"), "„answer“ fehlt", "kiezbruecke todo decide --help"),
        (("todo", "decide", "1", "erledigt"), "„--name“ fehlt", "kiezbruecke todo decide --help"),
        (("todo", "list", "--owner"), "„--owner“ braucht einen Wert", "kiezbruecke --help"),
        (("todo", "show", "eins"), "„number“ muss eine ganze Zahl sein", "kiezbruecke todo show --help"),
        (("route", "runs", "x", "--last", "0"), "„--last“ muss mindestens 1 sein", "kiezbruecke route runs --help"),
        (("run", "kk-tk-eakte", "jetzt"), "zu viel angegeben: jetzt", "kiezbruecke run --help"),
        (("status", "--jason"), "„--jason“ gibt es hier nicht; gemeint ist vielleicht --json", "status --help"),
        (("mapping", "check", "--jason"), "No such option", "kiezbruecke mapping check --help"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_call_that_is_none_is_one_line(call: Call, command: tuple[str, ...], says: str, help_of: str) -> None:
    """No box, no traceback: what is wrong, and where the help is."""
    said = call(*command)

    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith("KB-001 Aufruf: ")
    assert said.err.endswith(f"{help_of}\n")
    assert says in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("words", [(), ("todo",)])
def test_a_noun_without_a_verb_shows_its_help(call: Call, words: tuple[str, ...]) -> None:
    """And is no success."""
    said = call(*words)

    assert said.code == 2
    assert "Usage: kiezbruecke" in said.out
    assert said.err == ""


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_every_command_has_a_table_for_people(call: Call, asked: World, command: tuple[str, ...]) -> None:
    """With the same exit code."""
    said = call(*command)

    assert said.out.strip()
    assert said.code == call(*command, "--json").code


def test_message_list_is_an_array_of_all_messages(call: Call, asked: World) -> None:
    """What the demo promises to print."""
    said = call("message", "list", "--json")

    assert said.code == 0
    assert [one["reference"] for one in said.json if one["destination"] == "hkr-tk"] == [
        "KK26-090416-P0001-F1",
        "KK26-090416-P0002-F1",
    ]
    assert {one["amount"] for one in said.json if one["destination"] == "hkr-tk"} == {"850.00", "1000.00"}


def test_message_list_can_be_narrowed(call: Call, asked: World) -> None:
    """By state, route, destination."""
    said = call("message", "list", "--state", "refused", "--destination", "hkr-tk", "--route", "kk-tk-hkr", "--json")

    assert [one["reference"] for one in said.json] == ["KK26-090416-P0002-F1"]


def test_a_message_shows_its_steps(call: Call, asked: World) -> None:
    """From waiting to the last word."""
    steps = call("message", "show", "KK26-090416-P0001-F1", "--json").json["steps"]

    assert [step["after"] for step in steps][-2:] == ["delivered", "confirmed"]


def test_a_messages_bytes_can_be_written_out(call: Call, asked: World, tmp_path: Path) -> None:
    """Content goes into a file that somebody asked for, never onto the screen."""
    said = call("message", "show", "KK26-090416-P0001-F1", "--payload", str(tmp_path / "anordnung.xml"))

    assert said.code == 0
    assert b"850.00" in (tmp_path / "anordnung.xml").read_bytes()


def test_a_case_tells_its_story(call: Call, asked: World) -> None:
    """Decision, messages, money, events."""
    (case,) = call("case", "show", "P-1", "--json").json

    assert case["decision"]["amount"] == "850.00"
    assert case["commitment"] == {"state": "booked", "booked": "850.00"}
    assert case["state"] == "bewilligt, die Mittel sind vorgemerkt"
    assert [event["seq"] for event in case["events"]] == list(range(1, len(case["events"]) + 1))


@pytest.mark.parametrize("name", ["P-1", "KK26-090416-P0001-F1"])
def test_a_case_is_found_by_each_of_its_names(call: Call, asked: World, name: str) -> None:
    """Finance knows only the Fremdkennzeichen."""
    assert [one["reference"] for one in call("case", "show", name, "--json").json] == ["P-1"]


def test_reconcile_speaks_euros(call: Call, asked: World) -> None:
    """Euros as texts, because programs round numbers."""
    said = call("reconcile", "--json")
    row, whole = said.json["areas"]
    told = row.pop("told_at")

    assert said.code == 0
    assert row == {
        "process": "kk-tk-2026",
        "year": 2026,
        "area": "090416",
        "name": "Müggelheim",
        "status": "freigegeben",
        "budget": "2600.00",
        "committed": "850.00",
        "bound": "850.00",
        "ordered": "0.00",
        "paid": "0.00",
        "refunded": "0.00",
        "free": "1750.00",
        "ours": "850.00",
        "theirs": "850.00",
        "differences": [],
    }
    assert datetime.fromisoformat(told).tzinfo is not None
    assert (whole["name"], whole["free"]) == ("Insgesamt", "1750.00")
    assert said.json["hanging"] == said.json["broken"] == []


def test_reconcile_writes_the_files_that_are_asked_for(call: Call, asked: World, tmp_path: Path) -> None:
    """Each by its own name; the mail on the screen, in words, instead of a table."""
    files = {ending: tmp_path / f"summen.{ending}" for ending in ("csv", "xlsx", "html")}
    said = call("reconcile", "kk-tk-2026", *(part for name, file in files.items() for part in (f"--{name}", str(file))))

    assert (said.code, said.err) == (0, "")
    assert "kk-tk-2026 Insgesamt" in said.out
    assert {file.name for file in tmp_path.glob("summen.*")} == {file.name for file in files.values()}
    assert (
        files["csv"]
        .read_text("utf-8-sig")
        .splitlines()[1]
        .startswith("kk-tk-2026;2026;Müggelheim;freigegeben;2600,00;")
    )
    assert call("reconcile", "--mail", "-").out == "Nichts zu melden.\n"
    assert not (tmp_path / "-").exists()


def test_places_of_the_budget_plan_go_into_a_new_sheet(call: Call, asked: World, tmp_path: Path) -> None:
    """Shown as a table, told as JSON; a sheet that is there is not touched; a bad row that is known stops it."""
    row_ = dict.fromkeys(HEADER, "") | {"ID": "19364", "Typ": "2", "Bereich": "39", "Kapitel": "4500"}
    row_ |= {"Bereichsbezeichnung": "Treptow-Köpenick", "Titel": "52610", "Titelart": "Ausgabetitel", "Jahr": "2026"}
    row_ |= {"Titelbezeichnung": "Sondermittel der Bezirksverordnetenversammlung", "BetragTyp": "Soll"}
    plan, sheet = tmp_path / "plan.csv", tmp_path / "neu.xlsx"
    plan.write_text(";".join(HEADER) + "\n" + ";".join((row_ | {"Betrag": "50000"}).values()) + "\n", "utf-8-sig")
    asking = ("budget", "places", str(plan), "--bereich", "Treptow-Köpenick", "--titel-bezeichnung", "Sondermittel")

    assert "4500" in call(*asking).out
    assert "50.000" in call(*asking).out
    found = call(*asking, "--bekannt", "19364=50000", "--process", "kk-tk-2026", "-o", str(sheet), "--json")
    assert found.json["places"][0]["title"] == "52610"
    assert found.json["file"] == str(sheet)
    assert sheet.stat().st_size > 0
    assert "die Datei gibt es schon" in call(*asking, "--process", "kk-tk-2026", "-o", str(sheet)).err
    assert "steht anders da" in call(*asking, "--bekannt", "19364=49999").err
    assert "keine bekannte Zeile" in call(*asking, "--bekannt", "viel").err


def test_reconcile_ends_with_1_where_sums_differ(call: Call, world: World) -> None:
    """A nightly job notices."""
    world.drop(line("P-1"))
    world.run("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-hkr", "kk-tk-hkr-rueckmeldungen")
    world.sandboxes["hkr"].arm("wrong_balance")
    world.run("kk-tk-hkr")

    assert call("reconcile").code == 1


def test_status_ends_with_1_when_a_person_is_needed(call: Call, asked: World) -> None:
    """Ready for a monitoring system."""
    said = call("status", "--json")

    assert said.code == 1
    assert said.json["attention"] == 2
    assert {"route", "last_run", "error", "broken", "paused", "messages"} <= said.json["routes"][0].keys()


def test_a_broken_route_is_told_and_stops_no_command(call: Call, odd_world: World) -> None:
    """The other routes stand there as always."""
    odd_world.route("kk-tk-hkr", dew="commitment")
    said = call("route", "list", "--json")
    broken = {one["route"]: one["error"] for one in said.json if one.get("error")}

    assert list(broken) == ["kk-tk-hkr"]
    assert "kk-tk-2026.yaml:" in broken["kk-tk-hkr"]
    assert call("status").code == 1


def test_todo_list_names_answers(call: Call, asked: World) -> None:
    """A person sees what may be said."""
    points = {one["kind"]: one["answers"] for one in call("todo", "list", "--json").json}

    assert points == {"set_aside": ["erledigt"], "refused": ["neu_senden", "erledigt"]}


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("run", "kk-tk-nirgends"), "KB-101 kk-tk-nirgends: Eine Strecke dieses Namens gibt es nicht; möglich: "),
        (("case", "show", "2026-99999"), "Diesen Fall gibt es nicht"),
        (("message", "show", "KK26-090416-P0009-F1"), "Diese Nachricht gibt es nicht"),
        (("todo", "show", "99"), "Einen Punkt 99 gibt es nicht"),
        (("destination", "show", "nirgends-tk"), "no connection is called 'nirgends-tk'"),
        (("reconcile", "kk-xx-2026"), "KB-101 kk-xx-2026: Dieses Verfahren gibt es nicht"),
        (("sandbox", "start", "nirgends"), "no sandbox is called 'nirgends'"),
        (("route", "pause", "nirgends", "--name", "A", "--reason", "B"), "nirgends: Eine Strecke dieses Namens"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_an_error_is_one_line_and_ends_with_2(call: Call, asked: World, command: tuple[str, ...], says: str) -> None:
    """What, where, what helps – and no traceback."""
    said = call(*command)

    assert said.code == 2
    assert said.out == ""
    assert says in said.err
    assert said.err.count("\n") == 1
    assert said.err.startswith("KB-")


def test_a_missing_ledger_says_what_helps(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, root: Path
) -> None:
    """A newcomer's first command."""
    monkeypatch.setenv("KIEZBRUECKE_CONTENT", str(root))
    monkeypatch.setenv("KIEZBRUECKE_STATE", str(tmp_path))
    said = call("message", "list")

    assert said.code == 2
    assert "run 'kiezbruecke ledger upgrade'" in said.err


def test_an_old_ledger_is_refused(call: Call, world: World) -> None:
    """It refuses to start on a schema that is too old."""
    with world.ledger.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    said = call("status")

    assert said.code == 2
    assert "schema is '0000'" in said.err


def test_missing_connections_name_the_file(call: Call, world: World) -> None:
    """And the variable that may stand instead."""
    (world.state / "connections.json").unlink()
    said = call("run", "kk-tk-budgets")

    assert said.code == 2
    assert "KIEZBRUECKE_CONN_BUDGETS_TK" in said.err


def test_no_content_here_says_so(call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Outside a checkout."""
    monkeypatch.delenv("KIEZBRUECKE_CONTENT", raising=False)
    monkeypatch.chdir(tmp_path)
    said = call("route", "list")

    assert said.code == 2
    assert "no folder with mappings/ and schemas/" in said.err


def test_an_unexpected_error_keeps_its_text_to_itself(
    call: Call, asked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may quote what a person wrote."""
    from kiezbruecke import pipeline

    def burst(*_: object, **_options: object) -> None:
        raise ValueError("Erika Kanarienvogel")

    monkeypatch.setattr(pipeline, "run", burst)
    said = call("run", "kk-tk-budgets")

    assert said.code == 2
    assert "unexpected ValueError" in said.err
    assert "Erika" not in said.err


def test_the_console_script_runs_from_anywhere(asked: World, tmp_path: Path) -> None:
    """One real process: entry point, environment, exit code."""
    script = Path(sys.executable).with_name("kiezbruecke")
    command = [script, "message", "list", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0
    assert isinstance(json.loads(done.stdout), list)
    assert done.stderr == ""


def test_the_version_is_said(call: Call) -> None:
    """For bug reports."""
    assert call("--version").out.startswith("kiezbruecke ")
