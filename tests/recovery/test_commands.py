"""What an operator types and reads after a restored backup, from the first line of `status` to the end."""

from __future__ import annotations

from tests.cli.conftest import Call, call
from tests.recovery.conftest import EFILE, HKR, LIST, Yesterday
from tests.world import COLLECT, line

__all__ = ["call"]
BY = ("--name", "A. Muster", "--reason", "Sicherung von gestern")


def test_an_operator_is_led_from_the_alarm_to_the_end(sqlite_day: Yesterday, call: Call) -> None:
    """Every command says the next one; nothing is ended before everything is answered."""
    world = sqlite_day.world
    world.drop(line("P-1"), line("P-2", "400,00"))
    world.run()
    sqlite_day.back_up()
    world.drop(line("P-3", "300,00"), name="mai.csv")
    world.run()
    sqlite_day.restore()

    refused = call("run", "kk-tk-hkr")
    assert (refused.code, refused.err.startswith("KB-502 hkr-tk: ")) == (2, True)
    status = call("status")
    assert status.code == 1
    assert (
        "hkr-tk: weiß mehr als das Hauptbuch; es geht nichts hinaus. Nächster Schritt: kiezbruecke recover"
        in status.out
    )
    assert {one["destination"] for one in call("recover", "show", "--json").json} == {EFILE, HKR, LIST}
    assert "noch nicht abgeglichen" in call("recover", "end", HKR, *BY).err

    assert "Beenden mit: kiezbruecke recover end hkr-tk" in call("recover", "run", HKR).out
    asked = call("recover", "run", EFILE)
    assert (asked.code, "1 Fall wartet auf eine Person" in asked.out) == (1, True)
    assert "1 Fall wartet noch auf die Antwort" in call("recover", "end", EFILE, *BY).err
    assert call("recover", "answer", EFILE, "vielleicht", "--all", *BY).code == 2
    assert call("recover", "answer", EFILE, "liegt_vor", "--all", *BY).out == "1 Fall: liegt_vor.\n"
    call("recover", "run", LIST)
    for destination in (EFILE, HKR, LIST):
        assert call("recover", "end", destination, *BY).out == f"{destination}: wird wieder bedient.\n"
    assert call("recover", "show").code == 0
    assert call("destination", "show", HKR, "--json").json["incarnation"] == 2

    world.run()
    assert world.filed() == ["300.00", "400.00", "850.00"]
    assert len(world.orders()) == 3


def test_a_false_alarm_is_dismissed_by_a_named_person(sqlite_day: Yesterday, call: Call) -> None:
    """The state folder was moved without the file: everything goes on as before."""
    world = sqlite_day.world
    world.drop(line("P-1"))
    world.run()
    (world.state / "witness.json").unlink()
    world.drop(line("P-2", "400,00"), name="mai.csv")
    world.run(*COLLECT)
    assert call("run", "kk-tk-eakte").code == 2
    assert "Name und Begründung" in call("recover", "dismiss", EFILE, "--name", " ", "--reason", "x").err
    for one in call("recover", "show", "--json").json:
        call("recover", "dismiss", one["destination"], *BY)
    world.run()

    assert world.filed() == ["400.00", "850.00"]
