"""What a changed mapping would change, said before anybody sends it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kiezbruecke.cli.mapping import app
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.workbench.diff import CaseDiff, diff, example_cases, fields_changed
from kiezbruecke.workbench.versions import opened

NAME = "commitment-hkr"
LOUDER = ("from: commitment.purpose\n", "from: commitment.purpose\n    steps: [upper]\n")
run = CliRunner().invoke


def changed(content: Path, folder: Path, *changes: tuple[str, str], name: str = NAME) -> Path:
    """A copy of a mapping outside of the content, with some changes."""
    [file] = (content / "mappings").glob(f"*/{name}/mapping.yaml")
    text = file.read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    new_file = folder / "draft.yaml"
    new_file.write_text(text, "utf-8")
    return new_file


def compare(content: Path, old: str, new: str) -> list[CaseDiff]:
    with opened(old, content) as before, opened(new, content) as after:
        return diff(before, after, example_cases(before, after))


def test_the_same_mapping_changes_nothing(content: Path, tmp_path: Path) -> None:
    """A remark in the file is no change."""
    new = changed(content, tmp_path, ("rules:\n", "rules:\n  # a remark\n"))

    assert {one.verdict for one in compare(content, NAME, str(new))} == {"same"}


def test_a_changed_value_is_told_with_both_rules(content: Path, tmp_path: Path) -> None:
    """Which field, by which rule, on which line – then and now."""
    new = changed(content, tmp_path, ("rules:\n", "rules:\n  # a remark\n"), LOUDER)
    found = compare(content, NAME, str(new))

    [(change, count)] = fields_changed(found)
    assert (change.target, change.kind, count) == ("Verwendungszweck", "changed", 5)
    assert change.old_rule
    assert change.new_rule
    assert (change.old_rule.rule, change.new_rule.rule) == (10, 10)
    assert change.new_rule.line == change.old_rule.line + 1


def test_a_message_that_becomes_invalid_or_is_set_aside_is_told(content: Path, tmp_path: Path) -> None:
    """The two things that nobody wants to learn from the receiver."""
    more = ("from: message.related_reference", "from: message.related_reference\n    required: true")
    found = {one.case: one for one in compare(content, NAME, str(changed(content, tmp_path, more)))}

    assert found["full"].verdict == "now set aside"
    assert "BezugFremdkennzeichen" in found["full"].reason
    assert found["aenderung"].verdict == "same"


def test_a_schema_of_another_revision_judges_its_own_messages(content: Path) -> None:
    """NAME@REVISION is the mapping with the code lists and schemas of that time."""
    for command in (["init", "-q"], ["add", "-A"], ["-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "x"]):
        subprocess.run(["git", "-C", str(content), *command], check=True, capture_output=True)
    schema = content / "schemas/hkr/1.0/profile.xsd"
    file = content / f"mappings/outbound/{NAME}/mapping.yaml"
    file.write_text(file.read_text("utf-8").replace(*LOUDER), "utf-8")
    old_schema = schema.read_text("utf-8")
    found = compare(content, f"{NAME}@HEAD", NAME)

    assert {one.verdict for one in found} == {"changed"}
    assert schema.read_text("utf-8") == old_schema


@pytest.mark.parametrize("text", [f"{NAME}@nowhere", f"{NAME}@--output=x", "nothing", "/nowhere/mapping.yaml"])
def test_what_is_not_there_is_one_line(content: Path, text: str) -> None:
    """No trace of git or of the file system."""
    with pytest.raises(ConfigurationError) as refusal, opened(text, content):
        pass
    assert "\n" not in refusal.value.line()


def test_records_are_compared_too(content: Path, tmp_path: Path) -> None:
    """Inbound mappings change as often."""
    name = "budget-sheet"
    new = changed(
        content, tmp_path, ("from: item.grund, steps: [collapse_space]", "from: item.grund, steps: [upper]"), name=name
    )

    assert {change.target for change, _ in fields_changed(compare(content, name, str(new)))} == {"reason"}


def test_values_are_shown_only_where_asked_for(content: Path, tmp_path: Path) -> None:
    """They may be personal: a difference is pasted into tickets."""
    new = changed(content, tmp_path, ("from: decision.recorded_by", "from: decision.recorded_by\n    # x\n"),
                  ("steps: [{clip: 70}]", "steps: [upper]"))  # fmt: skip
    plain = run(app, ["diff", NAME, str(new), "--content", str(content), "--json"])
    told = run(app, ["diff", NAME, str(new), "--content", str(content), "--json", "--values"])

    assert plain.exit_code == told.exit_code == 1
    assert "Beschluss/ErfasstVon" in plain.output
    assert "STELLE" not in plain.output
    assert "STELLE" in told.output
    assert all("old" not in field for one in json.loads(plain.output) for field in one["fields"])
