"""The check plays the examples through: what rules alone do not tell, a value does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kiezbruecke.cli.mapping import app
from kiezbruecke.workbench.rehearsal import check_whole

DATA = Path(__file__).parent / "data"
FOLDER = "mappings/outbound/out"
MAPPING = """\
name: out
version: 1
direction: outbound
roots: [route]
target: tree 1.0 Leaf
rules:
- {target: "@kind", const: k}
- {target: Title, from: route.title, required: true}
- {target: Pin, from: route.pin}
"""
Put = Callable[[str, str], Path]


@pytest.fixture
def lines(content: Path, put: Put) -> Callable[..., list[str]]:
    """Checks the mapping with one example."""
    put("schemas/tree/1.0/profile.xsd", (DATA / "tree.xsd").read_text("utf-8"))
    put(f"{FOLDER}/mapping.yaml", MAPPING)

    def of(route: str) -> list[str]:
        put(f"{FOLDER}/examples/full/input.yaml", f"route: {route}\n")
        return [one.line().removeprefix(f"{FOLDER}/") for one in check_whole("out", content)]

    return of


@pytest.mark.parametrize(
    ("route", "line"),
    [
        ('{title: T, pin: "1234"}', ""),
        ("{title: T, pin: Name}", "mapping.yaml:9:12: KB-M24 example 'full' has no value that fits here"),
        ("{title: T, pin: Name}", "mend the rule, or 'route.pin' in the example"),
        ('{pin: "1234"}', "mapping.yaml:8:12: KB-M24 example 'full' has no value that fits here"),
        ("{title: T", "examples/full/input.yaml:2:1: KB-M24 the example cannot be read"),
        ("{title: T}\ncase: {}", "examples/full/input.yaml:1:1: KB-M24 the mapping has no root 'case'"),
    ],
)
def test_a_mapping_must_write_its_own_examples(lines: Callable[..., list[str]], route: str, line: str) -> None:
    """A free text in the place of four digits has the right kind; only a value shows that it does not fit."""
    found = lines(route)

    assert bool(found) == bool(line)
    assert any(line in one for one in [*found, ""])


def test_a_value_of_the_example_is_not_in_the_finding(lines: Callable[..., list[str]]) -> None:
    """Examples may be taken from life; findings land in logs and on code hosts."""
    assert "Mustermann" not in "".join(lines("{title: T, pin: Mustermann}"))


def test_an_example_that_must_be_refused_is_left_out(lines: Callable[..., list[str]], put: Put) -> None:
    """It shows what happens to such records."""
    put(f"{FOLDER}/examples/full/expected.error", "…\n")

    assert lines("{title: T, pin: Name}") == []


def test_examples_are_not_tried_before_the_rules_fit(lines: Callable[..., list[str]], put: Put) -> None:
    """One mistake, one finding."""
    put(f"{FOLDER}/mapping.yaml", MAPPING.replace("route.pin", "rout.pin"))
    [finding] = lines("{title: T, pin: Name}")

    assert "KB-M08" in finding


def test_the_command_ends_with_one(lines: Callable[..., list[str]], content: Path) -> None:
    """A pipeline of the code host stops there."""
    lines("{title: T, pin: Name}")
    ended = CliRunner().invoke(app, ["check", "out", "--content", str(content)])

    assert ended.exit_code == 1
    assert "KB-M24" in ended.output
