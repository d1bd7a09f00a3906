"""Reference numbers: people write a pattern like an example, and no two numbers share a Fremdkennzeichen."""

from __future__ import annotations

import re
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kiezbruecke.errors import RecordError
from kiezbruecke.records import Decision, Process
from kiezbruecke.records.identity import fremdkennzeichen
from kiezbruecke.records.references import FORM, USUAL, check_patterns, is_paper, pattern, pattern_of

DECIDIM = "TK-PROP-(####)-(##)-(#+)"
PATTERNS = (*USUAL, "BHH-#", "BHH-#-#+", DECIDIM, "V##", "#+", "##-#", "(##)-(#+)", "A(#+)B")


def process(*references: str, prefix: str = "KK26") -> Process:
    more = {"references": references} if references else {}
    return Process(id="kk", name="Kiezkassen", reference_prefix=prefix, bezirk_id="09", fiscal_year=2026, **more)


def mark(numbered: Process, reference: str, number: int = 1) -> str:
    return fremdkennzeichen(numbered, "090416", reference, "F", number)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("P-1", "KK26-090416-P0001-F1"),
        ("P-9999", "KK26-090416-P9999-F1"),
        ("2026-00001", "KK26-090416-00001-F1"),
        ("2025-123456", "KK26-090416-123456-F1"),
    ],
)
def test_what_stands_in_other_systems_never_changes(reference: str, expected: str) -> None:
    """Their books know our orders by these texts."""
    assert mark(process(), reference) == expected


@pytest.mark.parametrize(
    "reference", ["P-0", "P-01", "P-10000", "2026-0001", "26-00001", "p-1", "٢٠٢٦-00001", "BHH-1", ""]
)
def test_what_the_process_does_not_know_is_no_number(reference: str) -> None:
    with pytest.raises(RecordError, match="keine Form dieses Verfahrens"):
        mark(process(), reference)


def test_a_process_numbers_as_it_likes() -> None:
    numbered = process("BHH-#", "P-#")

    assert mark(numbered, "BHH-17") == "KK26-090416-BHH-17-F1"
    assert numbered.example_numbers == ("BHH-1", "P-1")
    assert not numbered.numbers("2026-00001")


def test_a_long_number_says_what_counts_in_brackets() -> None:
    """The constant part would not fit, and says nothing that the prefix does not say."""
    assert mark(process(DECIDIM), "TK-PROP-2026-01-101") == "KK26-090416-202601101-F1"
    with pytest.raises(RecordError, match=r"länger als 25 Zeichen.*einklammern"):
        mark(process("TK-PROP-####-##-#+"), "TK-PROP-2026-01-101")


@pytest.mark.parametrize(
    ("references", "why"),
    [
        (("abc",), "no pattern"),
        (("BHH_#",), "no pattern"),
        (("(BHH-#",), "brackets do not match"),
        (("A()#",), "brackets do not match"),
        (("-#",), "makes no number"),
        (("LANGER-NAME-DES-VERFAHRENS-#",), "makes no number"),
        (("P-##",), "sheet's own"),
        (("P-#+",), "sheet's own"),
        (("A#-(#)",), "one short form"),
        (("(#)-(#)",), "one short form"),
        (("####-(#####+)", "#+"), "one short form"),
        (("P-#", "P####"), "one short form"),
        (("A(#)", "B(#)"), "one short form"),
        ((), "no pattern at all"),
    ],
)
def test_a_pattern_that_could_mix_up_two_numbers_is_refused(references: tuple[str, ...], why: str) -> None:
    """Two cases with one Fremdkennzeichen: the second would not be booked."""
    with pytest.raises(ValueError, match=re.escape(why)):
        check_patterns(references)


def test_a_process_tells_what_is_wrong_with_its_patterns() -> None:
    with pytest.raises(ValidationError, match=r"'P-##' reads like a number of a sheet's own; expected P-#"):
        process("P-##")


@given(st.data())
def test_two_numbers_of_a_process_never_share_a_short_form(data: st.DataObject) -> None:
    """Within one pattern and between all pairs of patterns that a process may have together."""
    first, second = data.draw(st.tuples(st.sampled_from(PATTERNS), st.sampled_from(PATTERNS)))
    try:
        check_patterns((first, second))
    except ValueError:
        return
    found = {}
    for text in (first, second):
        for reference in data.draw(st.lists(st.from_regex(_digits(text), fullmatch=True), max_size=6)):
            if kind := pattern_of((first, second), reference):
                short = kind.short(reference)
                if "####-(" in text:  # the platform's number is unique by itself
                    continue
                assert found.setdefault(short, reference) == reference


def test_every_number_of_a_pattern_has_the_general_form() -> None:
    """What a record takes is what any process may say."""
    for one in PATTERNS:
        assert re.fullmatch(FORM, pattern(one).example(2026))


def test_shapes_that_differ_are_enough() -> None:
    """Any two of these may stand in one process, or are refused."""
    for pair in combinations(PATTERNS, 2):
        same = pattern(pair[0]).shape == pattern(pair[1]).shape
        if same:
            with pytest.raises(ValueError, match="one short form"):
                check_patterns(pair)
        else:
            check_patterns(pair)


@pytest.mark.parametrize("reference", ["BHH/1", "../1", "a b", "-1", "1-", "x" * 21])
def test_a_decision_takes_no_number_that_could_be_a_path(reference: str) -> None:
    with pytest.raises(ValidationError):
        Decision(
            origin="a:2", sheet="a", row=2, process_id="kk", area_id="1", decided_on="2026-01-01",  # type: ignore[arg-type]
            reference_number=reference, outcome="rejected",  # type: ignore[arg-type]
        )  # fmt: skip


def test_only_the_room_gives_paper_numbers() -> None:
    assert [one for one in ("P-1", "P-9999", "P-0", "P-12345", "BHH-1", "2026-00001") if is_paper(one)] == [
        "P-1",
        "P-9999",
    ]


def _digits(text: str) -> str:
    """The pattern as a regular expression, written another way."""
    bare = text.replace("(", "").replace(")", "")
    return re.sub(
        r"#+\+?",
        lambda found: {"#": "[1-9][0-9]?", "#+": "[1-9][0-9]{0,3}"}.get(found[0], f"[0-9]{{{found[0].count('#')}}}"),
        bare,
    )
