"""A preview is read while a mapping is written: at once, with the rule beside each value."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from kiezbruecke.cli.mapping import app
from kiezbruecke.mapping import load_mapping
from kiezbruecke.workbench.doc import page
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
        "print(sorted({'sqlalchemy', 'alembic', 'typst', 'numpy', 'airflow', 'zeep'} & set(sys.modules)))"
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


SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:complexType name="Feld"><xs:sequence>
    <xs:element name="Name" type="xs:string"/><xs:element name="Wert" type="xs:string"/>
  </xs:sequence></xs:complexType>
  <xs:element name="Root"><xs:complexType><xs:sequence>
    <xs:element name="Feld" type="Feld" minOccurs="0" maxOccurs="9"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"""
FIELDS = """name: felder
version: 1
direction: outbound
roots: [route]
target: felder 1 Root
rules:
  - {target: Feld/Name, const: Titel}
  - {target: Feld/Wert, from: route.title}
  - {target: "Feld[2]/Name", const: Ort}
  - {target: "Feld[2]/Wert", from: route.town}
  - target: "Feld[3]"
    each: route.parts
    as: part
    rules:
      - {target: Name, const: Teil}
      - {target: Wert, from: part.text}
"""


def _fields(folder: Path) -> Path:
    for file, text in {
        "schemas/felder/1/profile.xsd": SCHEMA,
        "mappings/outbound/felder/mapping.yaml": FIELDS,
        "mappings/outbound/felder/examples/full/input.yaml": "route: {title: A, parts: [{text: x}, {text: }]}\n",
    }.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text, "utf-8")
    (folder / "mappings/routes").mkdir()
    return folder


def test_a_constant_that_is_not_written_says_so(tmp_path: Path) -> None:
    """The second field has a name and no value: it is left out, and whoever reads the preview must see that."""
    content = _fields(tmp_path)
    mapping = load_mapping("felder", content)
    roots = read_roots(mapping, content, find_examples("felder", content)[0])
    rows = [(row.target, row.value, row.dropped) for row in preview(mapping, roots) if row.value]
    written = mapping.write(roots).decode()

    assert written.count("<Name>") == 2
    assert rows == [
        ("Feld/Name", "Titel", False),
        ("Feld/Wert", "A", False),
        ("Feld[2]/Name", "Ort", True),
        ("Feld[3]/Name", "Teil", False),
        ("Feld[3]/Wert", "x", False),
        ("Feld[3]/Name", "Teil", True),
    ]


def test_tables_and_pages_mark_what_is_not_written(tmp_path: Path) -> None:
    """Three people look at the same example in three places."""
    content = _fields(tmp_path)
    shown = [
        CliRunner().invoke(app, [*command, "--content", str(content)]).output
        for command in (["preview", "felder"], ["lineage", "felder", "--example", "full"])
    ]
    said = page(load_mapping("felder", content), content)

    for output in shown:
        assert output.count("(not written)") == 2
    assert said.count("(nicht geschrieben)") == 2
