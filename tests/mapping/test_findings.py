"""What holds of every finding: it names its line, and the rule that it is about; one mistake is one finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kiezbruecke.mapping import Finding
from kiezbruecke.mapping.language.findings import CODES
from kiezbruecke.workbench.example_check import check_whole
from tests.mapping.test_mistakes import ANTRAG, IN_A_SHEET, MISTAKES, SHEET, Mistake, _edited, place, sheet

Put = Callable[[str, str], Path]
Check = Callable[[str], list[Finding]]
__all__ = ["place", "sheet"]  # fixtures

EXAMPLES = {  # none of them can be read; what is wrong is not always in a line of theirs
    "brace/input.yaml": "{case: {",
    "latin/input.yaml": "case: {title: Grün}".encode("latin-1"),
    "list/input.yaml": "- a",
    "nothing/input.yaml": "",
    "field/input.yaml": "case: {titel: T}",
    "root/input.yaml": "# one\nkase: {title: T}",
    "roots/input.yaml": "case: {title: T}",
    "value/input.yaml": "decision: {approved_amount: viel}",
}
CONSTANTS = """\
    rules:
      - {target: "@art", const: pdf}
      - {target: Name, const: eins}
      - {target: Nummer, const: "1"}
"""
MORE = [
    Mistake("rules:\n", "rules\n", "KB-M01", ""),
    Mistake("version: 1\n", "", "KB-M03", ""),
    Mistake("roots: [case, decision, budget, message, proposal]\n", "", "KB-M03", ""),
    Mistake("target: antrag 1.0 Antrag\n", "", "KB-M03", ""),
    Mistake("    each: " + ANTRAG.partition("    each: ")[2], CONSTANTS, "KB-M15", ""),
    Mistake("const: Test, when: {path: message.test", "const: Test, when: {path: budget.status", "KB-M16", ""),
]
ONE_TYPING_ERROR = [
    *(one for one in MISTAKES if one.said.startswith("did you mean")),
    Mistake("target: Kopf\n", "▸traget: Kopf\n", "KB-M02", "did you mean 'target'?"),
    Mistake("{path: message.test, equals: \"0\"}", "{path: message.test, ▸equls: \"0\"}", "KB-M02", "did you mean"),
    Mistake("    each: case.documents", "    ▸eech: case.documents", "KB-M02", "did you mean 'each'?"),
    Mistake("      - {target: Nummer, from: document.index}", "      - {target: ▸Numer, from: document.index}",
            "KB-M07", "did you mean 'Nummer'?"),
    Mistake("- target: Kopf", "- target: ▸Kpof", "KB-M07", "did you mean 'Kopf'?"),
    Mistake("    as: document\n", "", "KB-M03", "'each' and 'as' belong together", "30:5"),
    Mistake("rules:\n  - {target: \"@v", "▸ruels:\n  - {target: \"@v", "KB-M02", "did you mean 'rules'?"),
]  # fmt: skip


def _about_rules(found: list[Finding], text: str) -> Iterator[Finding]:
    """Findings that stand among the rules."""
    lines = text.splitlines()
    begin = lines.index("rules:") + 1 if "rules:" in lines else len(lines)
    end = next((number for number, line in enumerate(lines) if number > begin and line.startswith("unused")), None)
    last = len(lines) if end is None else end
    yield from (one for one in found if begin < one.place.line <= last)


def test_every_finding_names_its_line_and_its_rule(place: Check, sheet: Check, content: Path, put: Put) -> None:
    """Line 1 of a file says that nobody knows; a code host shows the finding where it stands."""
    codes: set[str] = set()
    for mistakes, check, correct in ((MISTAKES + MORE, place, ANTRAG), (IN_A_SHEET, sheet, SHEET)):
        for mistake in mistakes:
            text, _ = _edited(mistake, correct)
            found = check(text)
            codes |= {one.code for one in found}

            assert not [one.line() for one in found if (one.place.line, one.place.column) == (1, 1)]
            no_path = ("KB-M01", "'target' is missing", "no list of rules")
            nameless = [one.line() for one in _about_rules(found, text) if not one.rule]
            assert not [line for line in nameless if not any(why in line for why in no_path)]
    for name, example in EXAMPLES.items():
        file = put(f"mappings/outbound/antrag/examples/{name}", "")
        file.write_bytes(example if isinstance(example, bytes) else example.encode())
    place(ANTRAG)
    folders = [name.partition("/")[0] for name in EXAMPLES]
    found = check_whole("antrag", content)
    codes |= {one.code for one in found}

    assert not [one.line() for one in found if (one.place.line, one.place.column) == (1, 1)]
    assert all(any(f"/{name}/" in one.line() or f"'{name}'" in one.line() for one in found) for name in folders)
    assert CODES.keys() - codes == {"KB-M21", "KB-M25"}


@pytest.mark.parametrize("mistake", ONE_TYPING_ERROR, ids=lambda one: f"{one.code}: {one.new}")
def test_a_typing_error_is_one_finding(place: Check, mistake: Mistake) -> None:
    """Its echoes send people to places where nothing is wrong."""
    text, at = _edited(mistake, ANTRAG)

    assert [(one.code, f"{one.place.line}:{one.place.column}") for one in place(text)] == [(mistake.code, at)]
