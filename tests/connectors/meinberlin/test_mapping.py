"""The inbound mappings: what an item means, shown by examples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kiezbruecke.content import find_content
from kiezbruecke.errors import RecordError
from kiezbruecke.mapping import load_mapping
from kiezbruecke.records import ProposalStatus

CONTENT = find_content(Path(__file__).parents[3])
EXAMPLES = sorted(CONTENT.glob("mappings/inbound/meinberlin-*/examples/*.input.json"))


def test_there_are_examples() -> None:
    """At least one full and one minimal each."""
    assert len(EXAMPLES) >= 4


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: f"{file.parts[-3]}-{file.name.split('.')[0]}")
def test_an_example_becomes_the_record_beside_it(file: Path) -> None:
    """Golden: a difference is read by a person."""
    given = json.loads(file.read_text("utf-8"))
    expected = json.loads(file.with_name(file.name.replace("input", "expected")).read_text("utf-8"))

    record = load_mapping(file.parts[-3], CONTENT).read(given.pop("item"), given)

    assert record.model_dump(mode="json") == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, ProposalStatus.SUBMITTED),
        ("CONSIDERATION", ProposalStatus.UNDER_REVIEW),
        ("QUALIFIED", ProposalStatus.SHORTLISTED),
        ("REJECTED", ProposalStatus.REJECTED),
        ("ACCEPTED", ProposalStatus.ACCEPTED),
    ],
)
def test_the_platforms_four_words_are_translated(status: str | None, expected: ProposalStatus) -> None:
    """No status is 'submitted'."""
    record = load_mapping("meinberlin-proposal", CONTENT).read({**minimal(), "moderator_status": status}, roots())

    assert getattr(record, "status") is expected  # noqa: B009


@pytest.mark.parametrize("change", [{"moderator_status": "BEWILLIGT"}, {"asked_text": "ca. 500 €"}, {"name": ""}])
def test_what_nobody_understands_is_set_aside(change: dict[str, str]) -> None:
    """A fifth status or an odd sum is a question for a person, not a guess."""
    with pytest.raises(RecordError):
        load_mapping("meinberlin-proposal", CONTENT).read({**minimal(), **change}, roots())


def minimal() -> dict[str, object]:
    file = CONTENT / "mappings/inbound/meinberlin-proposal/examples/minimal.input.json"
    item: dict[str, object] = json.loads(file.read_text("utf-8"))["item"]
    return item


def roots() -> dict[str, dict[str, str]]:
    return {"envelope": {"source": "meinberlin-tk", "external_id": "50"}, "process": {"id": "kk-tk-2026"}}
