"""A warning that is meant is silent once its rule says why; nothing else becomes silent by it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kiezbruecke.mapping import check_mapping

DATA = Path(__file__).parent / "data"
HEAD = """\
name: out
version: 1
direction: outbound
roots: [case, message]
target: formen 1 Formen
rules:
"""
LONG = "- {target: Kurz, from: case.title%s}\n"  # 35 characters; titles may have more
Lines = Callable[[str], list[str]]


@pytest.fixture
def lines(content: Path, put: Callable[[str, str], Path]) -> Lines:
    """The findings, in one line each."""
    put("schemas/formen/1/profile.xsd", (DATA / "formen.xsd").read_text("utf-8"))

    def of(rules: str) -> list[str]:
        put("mappings/outbound/out/mapping.yaml", HEAD + rules)
        found = [one for one in check_mapping("out", content) if not one.message.startswith("no rule reads")]
        return [f"{one.place.line}:{one.place.column} {one.code} {one.severity}" for one in found]

    return of


def test_an_accepted_warning_is_silent(lines: Lines) -> None:
    rule = LONG % ', accept: {KB-M18: "longer titles are to be set aside"}'

    assert [line.split(" ", 1)[1] for line in lines(LONG % "")] == ["KB-M18 warning"]
    assert lines(rule) == []


def test_accepting_what_nobody_warns_of_is_a_finding(lines: Lines) -> None:
    """It would hide the warning that comes some day."""
    found = lines('- {target: Alles, from: case.title, accept: {KB-M18: "why"}}\n')

    assert [line.split(" ", 1)[1] for line in found] == ["KB-M19 warning"]


def test_another_warning_and_another_rule_still_speak(lines: Lines) -> None:
    accepted = LONG % ', accept: {KB-M18: "why"}'
    other = "- {target: Zeile, from: case.title}\n"

    found = lines(accepted + other)

    assert [line for line in found if line.startswith("7:")] == []
    assert [line.split(" ", 1)[1] for line in found if line.startswith("8:")] == ["KB-M18 warning"]


def test_an_error_is_never_silent(lines: Lines) -> None:
    found = lines('- {target: Kurz, from: case.titel, accept: {KB-M08: "no"}}\n')

    assert [line.split(" ", 1)[1] for line in found] == ["KB-M08 error"]


@pytest.mark.parametrize("accept", ["{KB-M18: }", '{KB-M18: ""}', "KB-M18", '{KB-X1: "why"}', "[KB-M18]"])
def test_a_reason_must_be_given(lines: Lines, accept: str) -> None:
    found = lines(LONG % f", accept: {accept}")

    assert any(line.endswith("error") for line in found), found
