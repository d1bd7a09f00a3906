"""`kiezbruecke codelist`: nothing is overwritten unseen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Call

FARBEN = ROOT / "tests/mapping/data/farben_2.xml"
NAME = "xdomea-medium"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A content with one mapping that writes code 001 of a list."""
    for folder in ("mappings/routes", "mappings/codelists", "mappings/outbound/m", "schemas"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "mappings/codelists" / f"{NAME}.yaml").write_text(
        'uri: u\nversion: "1"\nwrite_names: true\ncodes: {"001": Elektronisch, "01": Rot}\n', "utf-8"
    )
    (tmp_path / "mappings/outbound/m/mapping.yaml").write_text(
        "name: m\nversion: 1\ndirection: outbound\nroots: [case]\ntarget: xdomea 4.0.0 X\nrules:\n"
        f'  - {{target: Medium, code: {{list: {NAME}, value: "001"}}}}\n',
        "utf-8",
    )
    return tmp_path


def test_an_import_does_not_overwrite_without_being_told(call: Call, small: Path) -> None:
    """It says what would change, and whose rule would break."""
    said = call("codelist", "import", str(FARBEN), "--name", NAME, "--content", str(small))

    assert said.code == 1
    assert "added: no Blau" in said.out
    assert "removed: 001 Elektronisch" in said.out
    assert 'renamed: 01 Rot → Rot: "warm"' in said.out
    assert "mapping.yaml:7:" in said.out
    assert 'version: "1"' in (small / f"mappings/codelists/{NAME}.yaml").read_text("utf-8")


@pytest.mark.parametrize("name", ["../../x", "a/b", "Farben", "-x"])
def test_a_name_that_is_none_is_refused(call: Call, small: Path, name: str) -> None:
    """It became another file without a word."""
    said = call("codelist", "import", str(FARBEN), f"--name={name}", "--content", str(small))

    assert said.code == 2
    assert f"'{name}' is no name of a code list" in said.err
    assert [file.name for file in (small / "mappings/codelists").iterdir()] == [f"{NAME}.yaml"]


def test_an_import_twice_changes_nothing_the_second_time(call: Call, small: Path) -> None:
    """No clock, no order of a dictionary: git shows only what the list's owner changed."""
    words = ("codelist", "import", str(FARBEN), "--content", str(small), "--json")
    first, second = call(*words), call(*words)

    assert (first.json["result"], first.json["name"]) == ("written", "beispiel-farben")
    assert (second.code, second.json["result"]) == (0, "unchanged")


def test_an_update_keeps_what_people_decided(call: Call, small: Path) -> None:
    """write_names is about our messages, not about the list."""
    said = call("codelist", "import", str(FARBEN), "--name", NAME, "--update", "--content", str(small))

    assert said.code == 0
    assert "write_names: true" in (small / f"mappings/codelists/{NAME}.yaml").read_text("utf-8")


def test_an_error_in_a_list_is_exit_code_one(call: Call, small: Path) -> None:
    """CI stops."""
    (small / "mappings/codelists/a.csv").write_text("from;to\na;1\na;2\n", "utf-8")
    said = call("codelist", "check", "a", "--content", str(small))

    assert said.code == 1
    assert "mappings/codelists/a.csv:3:1: KB-L05" in said.out


def test_a_list_out_of_date_is_a_warning(call: Call, small: Path) -> None:
    """The day is the caller's: a mapping's check knows no clock."""
    call("codelist", "import", str(FARBEN), "--content", str(small))
    before = call("codelist", "check", "beispiel-farben", "--on", "2026-03-31", "--json", "--content", str(small))
    after = call("codelist", "check", "beispiel-farben", "--on", "2026-04-01", "--json", "--content", str(small))

    assert (before.code, [one["code"] for one in before.json]) == (0, ["KB-L09", "KB-L10"])
    assert [one["code"] for one in after.json] == ["KB-L10"]


def test_the_list_of_lists_says_who_uses_them(call: Call) -> None:
    """Before a list changes, one looks here."""
    rows = {row["name"]: row for row in call("codelist", "list", "--json", "--content", str(ROOT)).json}

    assert rows["xdomea-medium"]["used_by"] == ["case-xdomea-0401"]
    assert "kk-tk-2026" in rows["bezirksregionen-tk"]["used_by"]
    assert rows["xdomea-medium"]["version"] == "1.0"


def test_a_list_with_columns_of_its_own_is_counted_like_any_other(call: Call, small: Path) -> None:
    """Nobody names a column where lists are looked at."""
    (small / "mappings/codelists/land.csv").write_text(
        "from;code;name\nDE;DEU;Deutschland\nAT;AUT;Österreich\n", "utf-8"
    )
    said = call("codelist", "list", "--json", "--content", str(small))

    assert [one["entries"] for one in said.json if one["name"] == "land"] == [2]
