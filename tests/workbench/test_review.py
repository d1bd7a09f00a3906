"""A golden that nobody has looked at since something changed is stale; what changes no meaning makes nothing stale."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from kiezbruecke.mapping import load_mapping, mapping_names
from kiezbruecke.workbench.examples import run_examples

ROOT = Path(__file__).parents[2]
MAPPING = "mappings/outbound/commitment-hkr/mapping.yaml"
Change = Callable[[str, str, str], None]


@pytest.fixture
def change(content: Path) -> Change:
    """Replaces a text in a file of the content."""

    def replace(file: str, old: str, new: str) -> None:
        text = (content / file).read_text("utf-8")
        assert old in text
        (content / file).write_text(text.replace(old, new, 1), "utf-8")

    return replace


def said(content: Path) -> set[str]:
    """What is said of the examples of the order to the budget system."""
    return {result.stale or result.problem for result in run_examples(load_mapping("commitment-hkr", content), content)}


@pytest.mark.parametrize("name", mapping_names(ROOT))
def test_what_we_ship_was_reviewed(name: str) -> None:
    """Otherwise our own CI would teach people to ignore it."""
    results = run_examples(load_mapping(name, ROOT), ROOT)

    assert [(result.example, result.problem, result.stale) for result in results if not result.passed] == []
    assert len(list((ROOT / "mappings").glob(f"*/{name}/examples/reviewed.yaml"))) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rules:\n", "rules:\n  # a remark\n\n"),
        ("note: Immer der Gesamtbetrag", "note: Stets der Gesamtbetrag"),
        ("  - {target: Belegnummer, from: message.voucher}", "  - target: Belegnummer\n    from: message.voucher"),
        ("title: Festlegung im", "title: Vormerkung im"),
    ],
)
def test_what_changes_no_meaning_makes_nothing_stale(content: Path, change: Change, old: str, new: str) -> None:
    """Comments, layout and notes are for people; asking for a review there would be noise."""
    change(MAPPING, old, new)

    assert said(content) == {""}


def test_a_changed_rule_is_named_with_its_line(content: Path, change: Change) -> None:
    """No example is long enough to show the new limit: the output is the same, but nobody has looked."""
    change(MAPPING, "clip: 140", "clip: 139")

    [reason] = said(content)
    assert reason.startswith(
        "stale: changed since the review: rule 13 Beschluss/Protokoll (mappings/outbound/commitment-hkr/"
    )
    lines = (content / MAPPING).read_text("utf-8").splitlines()
    line = int(reason.split("mapping.yaml:")[1].split(")")[0])
    assert "Beschluss/Protokoll" in lines[line - 1]


def test_a_rule_that_is_gone_is_named(content: Path, change: Change) -> None:
    """It has no line any more, but it had a target."""
    text = (content / MAPPING).read_text("utf-8")
    block = re.search(r"  - target: BezugFremdkennzeichen\n.*\n.*\n", text)
    assert block
    change(MAPPING, block[0], "")

    assert any("rule BezugFremdkennzeichen is gone" in reason for reason in said(content))


def test_a_changed_schema_and_a_changed_code_list_make_stale(content: Path, change: Change) -> None:
    """Both decide what a real message looks like, even where no example shows it."""
    change("schemas/hkr/1.0/profile.xsd", 'maxLength value="500"', 'maxLength value="600"')
    with (content / "mappings/codelists/hkr-art.csv").open("a", encoding="utf-8") as handle:
        handle.write("commitment.nothing;FESTLEGUNG_AUFHEBUNG\n")

    [reason] = said(content)
    assert "schema of hkr 1.0 Anordnung" in reason
    assert "code list hkr-art" in reason


def test_an_expected_output_written_by_hand_is_stale(content: Path, change: Change) -> None:
    """Mapping and golden changed together by hand would otherwise pass without a look."""
    change(MAPPING, "from: commitment.purpose\n", "from: commitment.purpose\n    steps: [upper]\n")
    for file in (content / MAPPING).parent.glob("examples/*.expected.xml"):
        file.write_text(re.sub(r"Verwendungszweck>[^<]*<", _louder, file.read_text("utf-8")), "utf-8")

    assert said(content) == {"stale: the expected output was changed by hand; look at it, then --update"}


def test_update_is_the_review(content: Path, change: Change) -> None:
    """One command, and the difference is in git."""
    change(MAPPING, "clip: 140", "clip: 139")
    mapping = load_mapping("commitment-hkr", content)
    first = run_examples(mapping, content, update=True)
    again = run_examples(mapping, content, update=True)

    assert said(content) == {""}
    assert all(result.reviewed and not result.updated for result in first)
    assert not any(result.reviewed for result in again)


def test_a_mapping_that_was_never_reviewed_is_not_stale(content: Path) -> None:
    """The review begins with the first --update; until then only the outputs count."""
    ((content / MAPPING).parent / "examples/reviewed.yaml").unlink()

    assert said(content) == {""}


def test_a_review_holds_no_day_and_no_folder() -> None:
    """It is committed: it must be the same on every machine."""
    for file in (ROOT / "mappings").glob("*bound/*/examples/reviewed.yaml"):
        body = file.read_text("utf-8").partition("\n")[2]

        assert not re.search(r"\d{4}-\d\d-\d\d|/work|/home|\.yaml|\.xsd", body), file


def _louder(found: re.Match[str]) -> str:
    name, _, text = found[0].partition(">")
    return f"{name}>{text.upper()}"
