"""Golden examples, preview, the CLI and what is generated."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kiezbruecke.cli.mapping import app
from kiezbruecke.mapping import load_mapping
from kiezbruecke.mapping.steps import STEPS
from kiezbruecke.workbench.examples import run_examples
from kiezbruecke.workbench.reference import steps_page

DATA = Path(__file__).parent / "data"
REPOSITORY = Path(__file__).parents[2]
MAPPING = """\
name: out
version: 1
direction: outbound
roots: [decision, route]
target: tree 1.0 Leaf
rules:
- {target: "@kind", const: k}
- {target: Title, from: route.title, required: true}
- {target: Sum, from: decision.approved_amount}
- {target: Day, from: decision.decided_on}
- {target: plain, from: route.plain}
"""
INPUT = "route: {title: Zaun, plain: %s}\ndecision: {approved_amount: 850.5, decided_on: 2026-04-24}\n"
Put = Callable[[str, str], Path]
run = CliRunner().invoke


@pytest.fixture
def example(content: Path, put: Put) -> Path:
    """A mapping with one example and no expected output yet."""
    put("schemas/tree/1.0/profile.xsd", (DATA / "tree.xsd").read_text("utf-8"))
    put("mappings/outbound/out/mapping.yaml", MAPPING)
    return put("mappings/outbound/out/examples/full/input.yaml", INPUT % "kurz")


def test_update_writes_what_test_then_compares(content: Path, example: Path) -> None:
    """An integrator reads the difference once; from then on the machine does."""
    mapping = load_mapping("out", content)
    [before] = run_examples(mapping, content)
    [written] = run_examples(mapping, content, update=True)
    [after] = run_examples(mapping, content)

    assert not before.passed
    assert "expected.xml is missing" in before.problem
    assert written.updated
    assert after.passed
    assert '  <tree:Sum currency="EUR">850.50</tree:Sum>' in (example.parent / "expected.xml").read_text("utf-8")


def test_a_difference_is_shown_with_its_line(content: Path, put: Put, example: Path) -> None:
    """Which line changed says what happened."""
    mapping = load_mapping("out", content)
    run_examples(mapping, content, update=True)
    example.write_text(INPUT % "anders", "utf-8")

    [changed] = run_examples(mapping, content)

    assert changed.problem == "the output is not expected.xml: line 4: <plain>anders</plain>"


def test_a_record_that_is_set_aside_is_an_expected_output_too(content: Path, example: Path) -> None:
    """A duty is a promise as well, and promises have tests."""
    example.write_text("route: {plain: x}\n", "utf-8")
    mapping = load_mapping("out", content)
    run_examples(mapping, content, update=True)

    [result] = run_examples(mapping, content)

    assert result.passed
    assert "Pflicht" in (example.parent / "expected.error").read_text("utf-8")


def test_update_says_that_a_record_is_set_aside(content: Path, example: Path) -> None:
    """Who reads "written" believes that there is a message now."""
    example.write_text("route: {title: ''}\ndecision: {}\n", "utf-8")

    told = run(app, ["test", "out", "--update", "--content", str(content)])

    assert "set aside" in told.output
    assert (example.parent / "expected.error").is_file()


def test_a_broken_mapping_keeps_no_other_from_its_test(content: Path, put: Put, example: Path) -> None:
    """An integrator tests all that may be touched by a change."""
    put("mappings/outbound/other/mapping.yaml", MAPPING.replace("name: out", "name: other").replace("Title", "Titel"))

    told = run(app, ["test", "out", "other", "--json", "--content", str(content)])

    assert told.exit_code == 1
    assert [(row["mapping"], row["example"]) for row in json.loads(told.output)] == [("out", "full"), ("other", "")]


def test_a_typing_error_in_an_example_is_no_missing_value(content: Path, example: Path) -> None:
    """Else a minimal example would be green by accident."""
    example.write_text("decision: {aproved_amount: 1}\n", "utf-8")

    [result] = run_examples(load_mapping("out", content), content)

    assert "unknown field 'aproved_amount' in 'decision'" in result.problem
    assert "did you mean 'approved_amount'?" in result.problem


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("route: {}\ndecision:\n  outcome: acepted\n", "input.yaml:3:3: decision.outcome: "),
        ("route: {}\ndecision:\n  votes: {yes: 1, nein: 2}\n", "input.yaml:3:19: decision.votes.nein: "),
        ("route: {}\ndecision:\n  note: a: b\n", "input.yaml:3:10: the example cannot be read: a text with a colon"),
        (
            "route: {}\ndecisoin: {}\n",
            "input.yaml:2:1: the mapping has no root 'decisoin'; expected decision, route; did",
        ),
        ("", "input.yaml: the example holds no roots; expected decision: {…} and route: {…}"),
        (
            "route: {}\nprocess: kk-tk-202\n",
            "input.yaml:2:1: no process is called 'kk-tk-202'; expected kk-tk-2026; did you mean 'kk-tk-2026'?",
        ),
    ],
)
def test_what_is_wrong_in_an_example_is_named_in_its_line(
    content: Path, put: Put, example: Path, text: str, line: str
) -> None:
    """An example has a hundred lines."""
    put("mappings/processes/kk-tk-2026.yaml", "id: kk-tk-2026\n")
    roots = "[decision, route, process]" if "process" in text else "[decision, route]"
    put("mappings/outbound/out/mapping.yaml", MAPPING.replace("[decision, route]", roots))
    example.write_text(text, "utf-8")

    [result] = run_examples(load_mapping("out", content), content)

    assert line in result.problem


@pytest.mark.parametrize(("before", "place"), [("  ", ":2:15"), ("\t", ":2:14"), ('"route": {"a": "\x7f"}, ', "")])
def test_an_example_in_json_has_lines_too(content: Path, put: Put, example: Path, before: str, place: str) -> None:
    """Programs indent with tabs, too. What YAML alone refuses, a control character, leaves the file without a line."""
    example.unlink()
    put("mappings/outbound/out/examples/full.input.json", f'{{\n{before}"decision":{{"outcom": 1}}}}\n')

    [result] = run_examples(load_mapping("out", content), content)

    assert f"full.input.json{place}: unknown field 'outcom' in 'decision'" in result.problem


def test_an_item_that_is_not_what_the_source_says_is_no_expected_refusal(content: Path, put: Put) -> None:
    """`--update` would write down for ever that every answer is refused."""
    rules = "rules:\n- {target: id, from: item.A}\n- {target: name, from: item.B, steps: [{clip: 200}]}\n"
    head = "name: in\nversion: 1\ndirection: inbound\nreads: [area]\nsource: xml\nroots: [item]\ntarget: record Area\n"
    put("mappings/inbound/in/mapping.yaml", head + rules)
    file = put("mappings/inbound/in/examples/full/input.yaml", "{}\n")
    put("mappings/inbound/in/examples/full/item.xml", "<X><A>1</A>")
    [result] = run_examples(load_mapping("in", content), content, update=True)

    assert "item.xml: the item cannot be read as XML; expected what the mapping says: source: xml" in result.problem
    assert not (file.parent / "expected.error").exists()


def test_check_ends_with_one_where_there_are_errors(content: Path, put: Put, example: Path) -> None:
    """CI reads the exit code, editors read the JSON."""
    good = run(app, ["check", "--content", str(content)])
    put("mappings/outbound/out/mapping.yaml", MAPPING.replace("Title,", "Titel,"))
    bad = run(app, ["check", "out", "--json", "--content", str(content)])

    assert (good.exit_code, bad.exit_code) == (0, 1)
    assert "1 mappings, 0 errors, 0 warnings" in good.output
    assert [found["code"] for found in json.loads(bad.output)] == ["KB-M07"]


def test_preview_shows_a_failing_value_in_its_place(content: Path, example: Path) -> None:
    """At the desk the integrator may see the value that fails."""
    example.write_text(INPUT % "viel zu lang", "utf-8")

    shown = run(app, ["preview", "out", "--json", "--content", str(content)])

    assert shown.exit_code == 1
    rows = {row["target"]: row for row in json.loads(shown.stdout)}
    assert rows["plain"]["problem"] == "der Text ist zu lang; erwartet: höchstens 10 Zeichen"
    assert rows["plain"]["value"] == "viel zu lang"
    assert (rows["Sum"]["value"], rows["Sum"]["source"], rows["Sum"]["line"]) == (
        "850.50",
        "decision.approved_amount",
        9,
    )


def test_a_table_names_targets_values_and_lines(content: Path, example: Path) -> None:
    """People get a table."""
    shown = run(app, ["preview", "out", "--example", "full", "--content", str(content)])

    assert shown.exit_code == 0
    assert "route.title" in shown.output


def test_the_cli_says_in_one_line_what_is_wrong(content: Path) -> None:
    """No traceback for a typing error."""
    stopped = run(app, ["preview", "nichts", "--content", str(content)])

    assert stopped.exit_code == 2
    assert stopped.output.strip().startswith("KB-100 mappings: no mapping is called 'nichts'")


def test_every_step_stands_in_list_and_reference() -> None:
    """An undocumented step does not exist."""
    listed = run(app, ["steps", "--json"])

    assert {step["name"] for step in json.loads(listed.output)} == set(STEPS)
    page = steps_page(REPOSITORY)
    assert all(f"## `{name}`" in page for name in STEPS)


def test_what_is_generated_is_up_to_date() -> None:
    """Generated files are committed; CI fails on a difference."""
    spec = importlib.util.spec_from_file_location("generate", REPOSITORY / "tools" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    assert module.stale() == []
