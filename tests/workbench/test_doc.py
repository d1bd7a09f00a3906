"""The department's page: German, complete, printable, and nothing in it that runs or loads."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import html
from typer.testing import CliRunner

from kiezbruecke.cli.mapping import app
from kiezbruecke.mapping import load_mapping, mapping_names
from kiezbruecke.mapping.steps import STEPS
from kiezbruecke.workbench import german_words
from kiezbruecke.workbench.doc import page

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", mapping_names(ROOT))
def test_every_value_rule_has_its_row(name: str) -> None:
    """What is not on the page is not transmitted: the page says so, so it must be true."""
    mapping = load_mapping(name, ROOT)
    rows = html.fromstring(page(mapping, ROOT)).xpath("//table[1]/tbody/tr")

    told = [(int(row[0].text_content()), row.findtext("th/code")) for row in rows]
    assert told == [(line.rule, line.target) for line in mapping.rule_lines if not line.block]


def test_the_page_runs_nothing_and_loads_nothing() -> None:
    """It is filed and opened years later, on machines without a net."""
    root = html.fromstring(page(load_mapping("case-xdomea-0401", ROOT), ROOT))

    assert root.xpath("//script | //link | //img | //iframe | //@src | //@href | //@onclick") == []
    assert "url(" not in root.findtext(".//style")


def test_the_page_can_be_read_aloud_and_printed() -> None:
    """Language, headers of rows and columns, captions; heads repeat on every printed page."""
    root = html.fromstring(page(load_mapping("commitment-hkr", ROOT), ROOT))

    assert root.get("lang") == "de"
    assert root.xpath("count(//table) = count(//table/caption)")
    assert root.xpath("//th[not(@scope)]") == []
    assert "@page" in root.findtext(".//style")
    assert "table-header-group" in root.findtext(".//style")


def test_it_says_what_a_department_must_know() -> None:
    """Source and steps in words, conditions, duties, what is personal and on which ground, the schema's own text."""
    text = html.fromstring(page(load_mapping("commitment-hkr", ROOT), ROOT)).text_content()

    for part in (
        "Beschluss: erfasst von",
        "auf höchstens 70 Zeichen gekürzt",
        "wenn leer: „ohne Angabe“",
        "Rechtsgrundlage: §§ 34, 70 LHO Berlin",
        "ja; ohne diesen Wert wird der Vorgang zurückgestellt",
        "Nummer des Belegs im Vorverfahren.",
        "übersetzt nach der Codeliste hkr-art",
        "FESTLEGUNG_AENDERUNG",
    ):
        assert part in text


def test_a_text_cannot_break_the_page(content: Path) -> None:
    """A title is a text, whatever it looks like."""
    file = content / "mappings/outbound/commitment-hkr/mapping.yaml"
    title = "title: Festlegung im HKR-Verfahren"
    file.write_text(file.read_text("utf-8").replace(title, "title: '<script>x</script> & mehr'"), "utf-8")
    root = html.fromstring(page(load_mapping("commitment-hkr", content), content))

    assert root.findtext(".//h1") == "<script>x</script> & mehr"
    assert root.xpath("//body//script") == []


def test_the_same_mapping_gives_the_same_page() -> None:
    """A printed page can be compared with the mapping that is in use: by the digest, not by a date."""
    mapping = load_mapping("commitment-hkr", ROOT)

    assert page(mapping, ROOT) == page(mapping, ROOT)
    assert mapping.digest[:16] in page(mapping, ROOT)


def test_every_step_has_german_words() -> None:
    """A new step without words would stand there in English."""
    assert sorted(set(STEPS) - set(german_words.STEPS)) == []
    assert sorted(set(german_words.STEPS) - set(STEPS)) == []


def test_the_page_is_written_where_it_was_asked_for(tmp_path: Path) -> None:
    """A folder that is not there is one line, not a trace."""
    done = CliRunner().invoke(app, ["doc", "commitment-hkr", "--out", str(tmp_path / "a.html")])
    wrong = CliRunner().invoke(app, ["doc", "commitment-hkr", "--out", str(tmp_path / "no" / "a.html")])

    assert (tmp_path / "a.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    assert (done.exit_code, wrong.exit_code) == (0, 2)
