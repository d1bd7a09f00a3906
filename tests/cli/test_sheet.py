"""Looking at a sheet and taking it over, on the command line: the same functions as the page's."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from kiezbruecke.ledger.handed import who_handed_over
from kiezbruecke.ledger.people import How
from kiezbruecke.person import account
from tests.cli.conftest import Call
from tests.world import DECISION_HEADER, World, line

ROUTE = ("--route", "kk-tk-beschluesse")


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    file = tmp_path / "april.csv"
    file.write_text(f"{DECISION_HEADER}\n{line('P-1')}\n{line('P-2', '')}\n", "utf-8-sig")
    return file


def test_check_says_what_would_follow_and_ends_with_1_where_something_waits(
    world: World, call: Call, sheet: Path
) -> None:
    """In a table and as JSON; nothing lies in the folder."""
    world.run("kk-tk-budgets")
    said = call("sheet", "check", str(sheet), *ROUTE)
    assert said.code == 1
    assert "Was hilft: den" in said.out  # a cell of the table, folded
    first, second = call("sheet", "check", str(sheet), *ROUTE, "--json").json["lines"]
    assert first["follows"].endswith("850,00 € werden festgelegt; frei bleiben 1.750,00 €")
    assert second["helps"] == "den bewilligten Betrag eintragen"
    assert (first["sound"], second["sound"]) == (True, False)
    assert list(world.inbox.iterdir()) == []


def test_take_puts_it_there_once_under_the_log_in_that_typed_it(world: World, call: Call, sheet: Path) -> None:
    """A name can be typed by anybody; the log-in stands beside it."""
    digest = hashlib.sha256(sheet.read_bytes()).hexdigest()
    given = ("sheet", "take", str(sheet), *ROUTE, "--look", digest, "--name", "Erika Muster")
    assert call(*given).out.startswith("Übernommen als april.csv.")
    assert "Der Inhalt liegt schon da" in call(*given).out
    (by,) = who_handed_over(world.ledger, "beschluesse-tk", [digest]).values()
    assert (by.person.name, by.person.account, by.person.how) == ("Erika Muster", account(), How.OS)


def test_a_sheet_that_was_changed_since_is_not_taken(world: World, call: Call, sheet: Path) -> None:
    """One clear line, nothing done."""
    said = call("sheet", "take", str(sheet), *ROUTE, "--look", "0" * 64, "--name", "Erika Muster")
    assert said.code == 2
    assert "nicht die Datei, die angesehen wurde" in said.err
    assert list(world.inbox.iterdir()) == []
