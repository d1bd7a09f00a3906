"""The inbound mappings: what an item means, shown by examples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.meinberlin.proposal import find_flaw, proposal_body
from kiezbruecke.content import find_content
from kiezbruecke.errors import RecordError
from kiezbruecke.mapping import load_mapping
from kiezbruecke.records import Module, Proposal, ProposalStatus

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


RECORDED = sorted((Path(__file__).parent / "testdata").glob("r*.json"))


def rows(file: Path) -> list[dict[str, object]]:
    """The proposals of a recorded list; nothing where it is something else."""
    body = json.loads(file.read_text("utf-8"))["response"]["body"]
    found: list[dict[str, object]] = body["results"] if isinstance(body, dict) and "results" in body else []
    return found


@pytest.mark.parametrize("file", [file for file in RECORDED if rows(file)], ids=lambda file: file.stem)
def test_whatever_the_running_platform_showed_becomes_a_proposal(file: Path) -> None:
    """Points that are none, titles in all scripts, sums beyond any budget, three phases: nothing stops a proposal."""
    url = json.loads(file.read_text("utf-8"))["request"]["url"]
    module = Module(id=1, type="kiezkasse" if "kiezkasse" in url else "budgeting")
    mapping = load_mapping("meinberlin-proposal", CONTENT)

    for row in rows(file):
        assert find_flaw(row, module.type) is None
        record = mapping.read(proposal_body(row, module, "https://mein.berlin.de"), roots())
        assert isinstance(record, Proposal)
        assert record.requested_amount is None or record.requested_amount <= 1_000_000


def test_what_the_mapping_fills_from_a_field_is_known() -> None:
    """That is what stays as it was where the field does not come."""
    mapping = load_mapping("meinberlin-proposal", CONTENT)

    assert mapping.filled_from({"description", "labels"}) == {"description_text", "labels"}
    assert mapping.filled_from({"comment_count", "point"}) == {"counts", "point"}
    assert mapping.filled_from({"nothing"}) == frozenset()


def minimal() -> dict[str, object]:
    file = CONTENT / "mappings/inbound/meinberlin-proposal/examples/minimal.input.json"
    item: dict[str, object] = json.loads(file.read_text("utf-8"))["item"]
    return item


def roots() -> dict[str, dict[str, str]]:
    return {"envelope": {"source": "meinberlin-tk", "external_id": "50"}, "process": {"id": "kk-tk-2026"}}
