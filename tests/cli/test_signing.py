"""Every command at which a person acts chains who that was: the name that was typed, and the log-in that typed it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import typer
from sqlalchemy import select, update

from kiezbruecke.cli.main import app
from kiezbruecke.ledger import evidence
from kiezbruecke.ledger import tables as t
from kiezbruecke.person import account
from tests.world import World, line, wipe
from tools.commands import commands

Call = Any
NAME = "M. Beispiel"
WHO = ("--name", NAME, "--reason", "Vermerk vom 4. Mai")
E_FILE, HKR = "eakte-tk", "hkr-tk"


def _nothing(world: World, call: Call) -> None:
    """Nothing needs to have happened."""


def _a_bad_line(world: World, call: Call) -> None:
    world.drop(line("P-1", "achthundert"))
    world.run("kk-tk-beschluesse")


def _decided(world: World, call: Call) -> None:
    world.drop(line("P-1"))
    world.run("kk-tk-budgets", "kk-tk-beschluesse")


def _lost(world: World, call: Call) -> None:
    """Sent to the budget system, which does not have it any more."""
    _decided(world, call)
    world.run("kk-tk-hkr")
    wipe(world.sandboxes)


def _recovering(world: World, call: Call) -> None:
    assert call("recover", "begin", E_FILE, "--name", "Jemand", "--reason", "Sicherung").code == 0


def _asked(world: World, call: Call) -> None:
    """Whether the e-file has the case, nobody but a person can say."""
    _decided(world, call)
    _recovering(world, call)
    assert call("recover", "run", E_FILE).code == 1


def _compared(world: World, call: Call) -> None:
    _recovering(world, call)
    assert "Nicht noch einmal gelesen: kk-tk-meinberlin" in call("recover", "run", E_FILE).out


def _changed_by_hand(world: World, call: Call) -> None:
    _decided(world, call)
    with world.ledger.write() as connection:
        connection.execute(update(t.records).values(external_id=t.records.c.external_id + "x"))


ACTS: dict[str, tuple[Callable[[World, Call], None], tuple[str, ...]]] = {  # what was before, and how it is called
    "todo decide": (_a_bad_line, ("1", "erledigt")),
    "message resend": (_lost, ("KK26-090416-P0001-F1",)),
    "route pause": (_nothing, ("kk-tk-eakte",)),
    "route pause --resume": (_nothing, ("kk-tk-eakte",)),
    "route baseline": (_decided, ("kk-tk-eakte",)),
    "destination pause": (_nothing, (E_FILE,)),
    "destination resume": (_nothing, (E_FILE,)),
    "destination reset": (_nothing, (E_FILE, "--yes")),
    "recover begin": (_nothing, (E_FILE,)),
    "recover answer": (_asked, (E_FILE, "liegt_vor", "--all")),
    "recover end": (_compared, (E_FILE, "--trotzdem")),
    "recover dismiss": (_recovering, (E_FILE,)),
    "ledger accept": (_changed_by_hand, ()),
}


def test_no_command_is_forgotten() -> None:
    """Whoever asks for a name and a reason lets a person act."""
    asking = {
        words.removeprefix("kiezbruecke ")
        for words, command in commands(typer.main.get_command(app))
        if {"--name", "--reason"} <= {option for one in command.params for option in one.opts}
    }

    assert asking == {words.removesuffix(" --resume") for words in ACTS}


@pytest.mark.tampers
@pytest.mark.parametrize("act", ACTS)
def test_who_acts_is_chained_with_the_log_in(call: Call, world: World, act: str) -> None:
    """Anybody can type any name; nobody chooses the account that types it, and nobody rewrites it unseen."""
    before, arguments = ACTS[act]
    before(world, call)
    known = {(one.case_id, one.seq) for one in _links(world)}
    said = call(*act.split(), *arguments, *WHO)
    fresh = [one for one in _links(world) if (one.case_id, one.seq) not in known and "account" in one.body]

    assert said.code == 0, said.err
    assert fresh, f"{act}: nothing was signed"
    for one in fresh:
        body = json.loads(one.body)
        assert (body["person"], body["account"], body["how"]) == (NAME, account(), "os")
    assert evidence.verify(world.ledger).broken == ()
    for one in sorted(fresh, key=lambda one: -one.seq):  # of a chain its first broken link is named
        _rewrite(world, one)
        assert any(f"Glied {one.seq} ({one.kind})" in found for found in evidence.verify(world.ledger).broken)


def test_people_read_who_it_was_with_the_log_in(call: Call, world: World) -> None:
    """A name alone says little."""
    _decided(world, call)
    who = f"{NAME} (Anmeldung: {account()})"
    call("route", "baseline", "kk-tk-eakte", *WHO)
    call("route", "pause", "kk-tk-hkr", *WHO)
    call("destination", "pause", E_FILE, *WHO)
    world.drop(line("P-2", "achthundert"), name="mai.csv")
    world.run("kk-tk-beschluesse")
    (point,) = call("todo", "list", "--json").json
    call("todo", "decide", str(point["id"]), "erledigt", *WHO)

    assert "kk-tk-hkr ist angehalten" in (status := call("status").out)
    assert f"von {who}: Vermerk vom 4. Mai" in status
    assert who in call("destination", "show", E_FILE).out
    assert who in call("todo", "show", str(point["id"])).out
    assert who in call("case", "show", "P-1").out


def _links(world: World) -> list[Any]:
    with world.ledger.read() as connection:
        return list(connection.execute(select(t.events)).all())


def _rewrite(world: World, link: Any) -> None:
    """Somebody with the right to write into the database puts another log-in into the evidence."""
    body = json.dumps({**json.loads(link.body), "account": "jemand"}, ensure_ascii=False, sort_keys=True)
    with world.ledger.write() as connection:
        this = (t.events.c.case_id == link.case_id, t.events.c.seq == link.seq)
        connection.execute(update(t.events).where(*this).values(body=body))
