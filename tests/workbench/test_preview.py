"""A preview is read while a mapping is written: at once, with the rule beside each value."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from kiezbruecke.cli.mapping import app
from kiezbruecke.mapping import load_mapping
from kiezbruecke.workbench.examples import find_examples, read_roots
from kiezbruecke.workbench.preview import preview

ROOT = Path(__file__).parents[2]


def test_every_value_has_its_rules_number_and_line() -> None:
    """The number is the ledger's too: one way to speak of a rule."""
    mapping = load_mapping("case-xdomea-0401", ROOT)
    rows = preview(mapping, read_roots(mapping, ROOT, find_examples("case-xdomea-0401", ROOT)[0]))

    for row in rows:
        meant = mapping.rule_lines[row.rule - 1]
        assert (meant.file, meant.line) == (row.file, row.line)


def test_a_preview_of_an_example_loads_neither_ledger_nor_documents() -> None:
    """They take most of the second that a whole preview may take."""
    code = (
        "import sys; sys.argv = ['kiezbruecke', 'mapping', 'preview', 'commitment-hkr', '--json']\n"
        "from kiezbruecke.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'sqlalchemy', 'alembic', 'fpdf', 'numpy', 'airflow', 'zeep'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert said.stdout.rstrip().endswith("[]")
    assert '"target": "Belegnummer"' in said.stdout


def test_a_case_needs_its_route() -> None:
    """The route says which box, which unit, which budget."""
    said = CliRunner().invoke(app, ["preview", "commitment-hkr", "--case", "P-1", "--json"])

    assert said.exit_code == 2
    assert "a case needs its route" in json.loads(said.output)["line"]


def test_a_missing_mandatory_value_says_so_in_its_place() -> None:
    """An integrator looks at the row, not at a line below the table."""
    mapping = load_mapping("commitment-hkr", ROOT)
    example = find_examples(mapping.name, ROOT)[0]
    roots = read_roots(mapping, ROOT, example)
    rows = preview(mapping, {**roots, "budget": roots["budget"].model_copy(update={"chapter": ""})})

    assert [row.target for row in rows if row.problem] == ["Buchungsstelle/Kapitel"]
    assert not any(row.problem for row in preview(mapping, roots))
