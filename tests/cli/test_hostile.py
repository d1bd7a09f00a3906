"""What others have written acts on nothing: not on a table, not on a terminal, not on a program that reads JSON.

One title, one file name, one sheet's cell, one reason with everything in it ─▶ every command, with and without --json
"""

from __future__ import annotations

import ast
import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from kiezbruecke.cli import output
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.people import NAME, REASON
from kiezbruecke.sandbox import Running
from tests.cli.test_reading import CHANGING, READING
from tests.world import ROOT, World, budget, found, line, wipe

Call = Any
ESC, C1, BIDI, BREAKS = "\x1b[2J\x1b]8;;http://example.org\x07", "\x9b31m\x85", "\u202e\u2066\u200f", "\u2028\u2029\v\f"
MARKUP = r"\[/x] [/] [/bold] [link=https://example.org]Fest[/link] [red]rot :smile: \\["
HOSTILE = f"Fest {ESC}{C1}{BIDI}{BREAKS}{MARKUP}"
TEXTS = {"description", "sheet", "minutes", "conditions", "entered_by"}
FILE = f"mai [x] \x1b[31m{BIDI}.csv"


@pytest.fixture(scope="module")
def _besieged(processes: dict[str, Running], tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """P-1 went out, P-2 was refused, P-3 is a bad line; wherever a stranger may write, a stranger has written."""
    patch = pytest.MonkeyPatch()
    wipe(processes)
    small = found(tmp_path_factory.mktemp("hostile") / "var", dict(processes), ROOT, patch)
    small.drop_budget(budget())
    small.drop(line("P-1"), line("P-3", "achthundert"), name=FILE)
    small.run()
    small.drop(line("P-2", "1.000,00 €"), name="juni.csv")
    small.sandboxes["hkr"].arm("refuse_one")
    small.run()
    _write_everywhere(small)
    yield small
    patch.undo()
    small.close()


@pytest.fixture
def besieged(_besieged: World) -> World:
    """A district to read from; change nothing in it."""
    return _besieged


def _write_everywhere(world: World) -> None:
    """Past every door: an old ledger may hold what no door lets in any more."""
    with world.ledger.write() as connection:
        for row in connection.execute(t.records.select()).all():
            body = json.loads(row.body)
            for key in body.keys() & (TEXTS if row.kind == "budget" else TEXTS | {"title"}):
                body[key] = HOSTILE
            connection.execute(t.records.update().where(t.records.c.id == row.id).values(body=json.dumps(body)))
        for row in connection.execute(t.receipts.select()).all():
            body = json.dumps({**json.loads(row.body), "text": HOSTILE})
            connection.execute(t.receipts.update().where(t.receipts.c.id == row.id).values(body=body))
        connection.execute(t.attention.update().values(reason=t.attention.c.reason + HOSTILE, owner=HOSTILE))
        connection.execute(t.messages.update().values(note=HOSTILE, remote_id=HOSTILE, file_name=HOSTILE))
        connection.execute(t.attempts.update().values(note=HOSTILE))
        connection.execute(t.runs.update().values(error=HOSTILE))
        connection.execute(
            t.route_flags.insert().values(
                route="kk-tk-eakte", paused=True, person=HOSTILE, reason=HOSTILE, at=world.messages()[0].created_at
            )
        )


COMMANDS = [
    *READING,
    ("case", "find", "Fest"),
    ("case", "show", HOSTILE),
    ("message", "show", HOSTILE),
    ("message", "list", "--state", HOSTILE),
    ("todo", "list", "--owner", HOSTILE),
    ("todo", "decide", "1", HOSTILE, "--name", "SPK 1", "--reason", "x"),
    ("run", HOSTILE),
    ("route", "runs", HOSTILE),
    ("destination", "show", HOSTILE),
    ("reconcile", HOSTILE),
    ("mapping", "check", HOSTILE),
    ("mapping", "steps", HOSTILE),
    ("codelist", "check", HOSTILE),
    ("sandbox", "start", HOSTILE),
    (HOSTILE,),
]


@pytest.mark.parametrize(
    "command", COMMANDS, ids=lambda command: " ".join(command)[:30].encode("unicode_escape").decode()
)
def test_no_command_prints_anything_that_acts(call: Call, besieged: World, command: tuple[str, ...]) -> None:
    """No code, no line of its own, no direction turned round; and no command ends in KB-000."""
    for said in (call(*command), call(*command, "--json")):
        acting = {char for char in said.out + said.err if unicodedata.category(char)[0] == "C"} - {"\n", "\t"}

        assert acting == set()
        assert not {"\u2028", "\u2029", "\x85"} & set(said.out + said.err)
        assert "KB-000" not in said.err


def test_markup_of_others_is_shown_as_it_was_written(call: Call, besieged: World) -> None:
    """A link in a title would be a real one in the terminal; a closing tag ended the command."""
    said = call("case", "show", "P-1")

    assert said.code == 0
    assert "[link=https://example.org]Fest[/link]" in said.out.replace("\n", "")
    assert r"\[/x]" in said.out


def test_a_table_has_no_codes_of_others_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """Colours of ours come through, an address of theirs does not."""
    monkeypatch.setattr(output, "Console", lambda **given: Console(**given, force_terminal=True, width=120))
    output.table(HOSTILE, (HOSTILE, "€"), [(HOSTILE, HOSTILE)])
    said = capsys.readouterr().out

    assert "\x1b[" in said
    assert "\x1b]8" not in said
    assert "\x1b[2J" not in said
    assert not set(BIDI) & set(said)


def test_json_keeps_what_was_written(capsys: Any) -> None:
    """A program gets every sign; the terminal gets none of those that act."""
    output.emit({"title": HOSTILE})
    said = capsys.readouterr().out

    assert json.loads(said) == {"title": HOSTILE}
    assert {char for char in said if unicodedata.category(char)[0] == "C"} == {"\n"}


def test_nothing_else_prints() -> None:
    """One door: else the next command forgets it."""
    door = ROOT / "kiezbruecke/cli/output.py"
    others = [file for file in (ROOT / "kiezbruecke/cli").rglob("*.py") if file != door]

    assert [str(file.relative_to(ROOT)) for file in others if _prints(file)] == []


def _prints(file: Path) -> bool:
    tree = ast.parse(file.read_text("utf-8"))
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return bool(called & {"typer.echo", "typer.secho", "print", "Console", "sys.stdout.write", "sys.stderr.write"})


SIGNING = [
    one[:-4]
    for one in (
        *(command for command in CHANGING if "--name" in command),
        ("message", "resend", "KK26-090416-P0001-F1", "--name", "", "--reason", ""),
    )
]


@pytest.mark.parametrize("command", SIGNING, ids=lambda command: " ".join(command[:2]))
@pytest.mark.parametrize(
    ("name", "reason", "says"),
    [
        ("\x1b[2J", "Vermerk", "Der Name enthält ein Steuerzeichen"),
        ("SPK 1", "Vermerk\nvom 4. Mai", "Die Begründung enthält ein Steuerzeichen"),
        ("SPK\u202e 1", "Vermerk", "Der Name enthält ein Steuerzeichen"),
        ("A" * (NAME + 1), "Vermerk", f"Der Name ist zu lang; möglich sind {NAME} Zeichen"),
        ("SPK 1", "A" * (REASON + 1), f"Die Begründung ist zu lang; möglich sind {REASON} Zeichen"),
        ("  ", "Vermerk", "Name und Begründung gehören dazu"),
        ("SPK 1", "\u00a0", "Name und Begründung gehören dazu"),
    ],
    ids=["ESC", "a break", "bidi", "a long name", "a long reason", "no name", "no reason"],
)
def test_names_and_reasons_are_refused_at_the_door(
    call: Call, besieged: World, command: tuple[str, ...], name: str, reason: str, says: str
) -> None:
    """One German line; nothing is written down."""
    before = _written(besieged)
    said = call(*command, "--name", name, "--reason", reason)

    assert (said.code, said.out) == (2, "")
    assert says in said.err
    assert said.err.count("\n") == 1
    assert _written(besieged) == before


def _written(world: World) -> list[Any]:
    kept = (t.attention, t.route_flags, t.destinations, t.baselines, t.attempts)
    with world.ledger.read() as connection:
        return [connection.execute(table.select()).all() for table in kept]
