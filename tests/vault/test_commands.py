"""`kiezbruecke vault` and the sheets: what people see of keys and accounts, and what is made for them."""

from __future__ import annotations

import io
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from kiezbruecke.desk.sheets import GRANTED
from kiezbruecke.machine import alone, write_file
from kiezbruecke.vault import new_keys
from tests.cli.conftest import Call, Said, call
from tests.vault.test_sheet_door import PROOFS, ROUTE, applications
from tests.world import World, application, line, settlement

__all__ = ["call"]


def secrets_of(world: World) -> list[str]:
    return [word.partition(":")[2] for word in (world.state / "vault.keys").read_text().split()]


def test_a_key_is_made_for_nobody_else_and_never_printed(world: World, call: Call) -> None:
    made: Said = call("vault", "key")
    file = world.state / "vault.keys"

    assert made.code == 0, made.err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not [word for word in secrets_of(world) if word in made.out + made.err]
    assert call("vault", "status", "--json").json["keys"] == ["1"]


def test_a_new_key_seals_from_then_on_and_rotate_does_the_rest(world: World, call: Call) -> None:
    call("vault", "key")
    world.apply_for(application("2026-00001"))
    call("run", ROUTE)
    [before] = applications(world)
    call("vault", "key")

    assert "1 Kontoverbindungen" in call("vault", "status").out
    assert "1 Eintrag neu versiegelt, mit Schlüssel 2." in call("vault", "rotate").out
    assert call("vault", "status", "--json").json["accounts"] == {"2": 1}
    assert applications(world) == [before]
    assert "in Ordnung" in call("ledger", "verify").out


def test_of_two_who_make_a_key_at_once_the_second_keeps_the_first_ones(world: World, call: Call) -> None:
    """Read before and written behind the other's, its file would be without a key that has sealed something."""
    file = world.state / "vault.keys"
    with ThreadPoolExecutor(1) as people:
        with alone(file):
            second = people.submit(call, "vault", "key")
            while opened_here(f"{file}.lock") < 2 and not second.done():
                time.sleep(0.01)
            write_file(file, new_keys("the first one's").text())
            first = secrets_of(world)
        made: Said = second.result()

    assert made.code == 0, made.err
    assert secrets_of(world)[: len(first)] == first
    assert len(secrets_of(world)) == len(first) + 1


def opened_here(file: str) -> int:
    """How often this process has a file open."""
    return sum(one.resolve() == Path(file) for one in Path("/proc/self/fd").iterdir())


def test_a_lost_key_is_told_and_no_new_one_is_made_in_its_place(world: World, call: Call) -> None:
    """New keys would open nothing, and give one account two marks."""
    call("vault", "key")
    world.apply_for(application("2026-00001"))
    call("run", ROUTE)
    (world.state / "vault.keys").rename(world.state / "weg")

    assert "there are none" in call("vault", "status").err
    lost: Said = call("vault", "key")
    assert (lost.code, "das Hauptbuch enthält Versiegeltes" in lost.err) == (2, True)
    assert not (world.state / "vault.keys").exists()


def test_status_names_a_key_that_is_missing(world: World, call: Call) -> None:
    call("vault", "key")
    file = world.state / "vault.keys"
    old = file.read_text().split()
    call("vault", "key")
    world.apply_for(application("2026-00001"))
    call("run", ROUTE)
    file.write_text("\n".join(old))
    told: Said = call("vault", "status")

    assert told.code == 1
    assert "Es fehlt ein Schlüssel, der gebraucht wird: 2." in told.out


def test_keys_that_others_may_read_stop_what_needs_them(world: World, call: Call) -> None:
    world.give_keys().chmod(0o644)
    sheet = world.apply_for(application("2026-00001"))
    told: Said = call("run", ROUTE)

    assert (told.code, "others may read the vault's keys" in told.err) == (2, True)
    assert sheet.exists()


def rows(world: World, name: str) -> list[list[Any]]:
    body = (world.state / name).read_bytes()
    return [[cell.value for cell in row] for row in load_workbook(io.BytesIO(body)).worksheets[0].iter_rows()]


@pytest.mark.parametrize("area", [(), ("--area", "Müggelheim")])
def test_the_sheets_hold_what_is_to_be_filled_in(world: World, call: Call, area: tuple[str, ...]) -> None:
    """Granted and not applied for; applied for and not proven. What is read back is taken."""
    world.give_keys()
    world.drop(line("P-1"), line("P-2"), line("P-3", "", "abgelehnt"), line("P-4", "100"))
    world.apply_for(application("P-2"), application("P-4", "100"))
    world.settle(settlement("P-4", "100"))
    world.run("kk-tk-budgets", "kk-tk-beschluesse", ROUTE, PROOFS)
    given = ("sheet", "new", "--process", "kk-tk-2026", *area, "--table")
    call(*given, "application-sheet", "-o", str(world.state / "a.xlsx"))
    call(*given, "settlement-sheet", "-o", str(world.state / "n.xlsx"))
    header, *granted = rows(world, "a.xlsx")
    _, *applied = rows(world, "n.xlsx")

    number, shown = header.index("Referenznummer"), header.index(GRANTED)
    assert [(row[number], row[shown]) for row in granted] == [("P-1", 850)]
    assert [row[number] for row in applied] == ["P-2"]
    assert not [row for row in granted + applied if any("DE93" in str(cell) for cell in row)]
