"""`kiezbruecke mapping check`: for people, for programs, for code hosts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kiezbruecke.mapping.language.findings import CODES
from kiezbruecke.workbench.findings import HELP
from tests.cli.conftest import Call

HEAD = "name: in\nversion: 1\ndirection: inbound\nreads: [a]\nroots: [item]\ntarget: record Area\nrules:\n"
RULES = "- {target: id, from: item.id}\n- {target: name, from: item.name, steps: [{clip: 200}]}\n"
WARNED = HEAD.replace("[item]", "[item, process]") + RULES
WRONG = WARNED + "- {target: alias, from: item.alias}\n"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A content with one mapping: a warning (an unused root) and, as WRONG, an error in line 10."""
    for folder in ("mappings/routes", "mappings/codelists", "mappings/inbound/in", "schemas"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "mappings/inbound/in/mapping.yaml").write_text(WRONG, "utf-8")
    return tmp_path


def test_findings_are_lines_that_can_be_searched(call: Call, small: Path) -> None:
    """In a pipe no colours and no boxes; the last line counts."""
    said = call("mapping", "check", "--content", str(small))

    assert said.code == 1
    assert "error: mappings/inbound/in/mapping.yaml:10:12: KB-M07 'Area' has no 'alias'" in said.out
    assert said.out.strip().endswith("1 mappings, 1 errors, 1 warnings")
    assert "\x1b" not in said.out


def test_warnings_count_only_where_that_is_asked_for(call: Call, small: Path) -> None:
    """A pipeline may be strict; a person at work needs not."""
    (small / "mappings/inbound/in/mapping.yaml").write_text(WARNED, "utf-8")

    assert call("mapping", "check", "--content", str(small)).code == 0
    assert call("mapping", "check", "--strict", "--content", str(small)).code == 1


def test_nothing_to_check_is_exit_code_two(call: Call, small: Path) -> None:
    """A typing error in a build script must not look like a success."""
    assert call("mapping", "check", "nichts", "--content", str(small)).code == 2


def test_code_hosts_read_sarif(call: Call, small: Path, tmp_path: Path) -> None:
    """SARIF 2.1.0: §3.27 result, §3.30 region, §3.4 artifactLocation; they show it beside the line."""
    file = tmp_path / "findings.sarif"
    call("mapping", "check", "--sarif", str(file), "--content", str(small))
    found = json.loads(file.read_text("utf-8"))
    run = found["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    result = next(one for one in run["results"] if one["level"] == "error")
    place = result["locations"][0]["physicalLocation"]

    assert (found["version"], run["tool"]["driver"]["name"]) == ("2.1.0", "kiezbruecke")
    assert rules[result["ruleIndex"]] == result["ruleId"] == "KB-M07"
    assert place["artifactLocation"]["uri"] == "mappings/inbound/in/mapping.yaml"
    assert place["region"] == {"startLine": 10, "startColumn": 12}
    assert all(one["message"]["text"] and one["level"] in {"error", "warning", "note"} for one in run["results"])
    assert all(rule["shortDescription"]["text"] and rule["help"]["text"] for rule in run["tool"]["driver"]["rules"])


def test_sarif_on_standard_output_is_sarif_and_nothing_else(call: Call, small: Path) -> None:
    """It is piped into an upload."""
    said = call("mapping", "check", "--sarif", "-", "--content", str(small))

    assert json.loads(said.out)["version"] == "2.1.0"
    assert said.code == 1


def test_every_code_has_help() -> None:
    """The reference page and the code host say what it means."""
    assert list(HELP) == list(CODES)
