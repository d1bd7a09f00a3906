"""What a mapping refuses is told to clerks in words that help them; patterns and lists' names are for integrators."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kiezbruecke.errors import RecordError
from kiezbruecke.mapping.codelists.reading import read_translation
from kiezbruecke.mapping.for_clerks import for_clerks
from kiezbruecke.mapping.schema.pattern_example import example_of
from kiezbruecke.mapping.values import Unusable

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("pattern", "example"),
    [
        (r"^(\d{4}-\d{5,}|P-[1-9]\d{0,3})$", "1234-12345"),
        (r"[0-9]{1,9}\.[0-9]{2}", "1.12"),
        (r"[A-Z]{2}[0-9]{2}[A-Z0-9]{3,30}", "AB12345"),
        (r"((x|y)z){2}", "xzxz"),
        (r"[A-Z0-9]{4}([A-Z0-9]{3})?", "1234"),
    ],
)
def test_a_pattern_is_told_as_an_example_that_follows_it(pattern: str, example: str) -> None:
    """`^(\\d{4}-\\d{5,}|…)$` says nothing to who has written a number into a cell."""
    error = RecordError(f"'x' (Quelle: item.x): der Text hat nicht die verlangte Form; erwartet: das Muster {pattern}")

    assert for_clerks(error).endswith(f"der Text hat nicht die verlangte Form; richtig ist z. B. {example}")
    assert re.search(pattern, example)


@pytest.mark.parametrize("pattern", [r"(?=x)y", r"\p{IsGreek}+", "(a", "a{99}", r"(a)\1", "[b-a]"])
def test_where_there_is_no_example_the_sentence_ends_there(pattern: str) -> None:
    """Nothing is shown that might be wrong, and no pattern either."""
    assert example_of(pattern) == ""
    assert for_clerks(RecordError(f"die Form ist falsch; erwartet: das Muster {pattern}")) == "die Form ist falsch"


def test_a_word_that_no_list_has_is_answered_with_those_that_it_has() -> None:
    """Each once, and not the name of a file."""
    with pytest.raises(Unusable) as refused:
        read_translation(ROOT, "ergebnis").translate("genehmigt")
    told = for_clerks(RecordError(f"'outcome' (Quelle: item.ergebnis): {refused.value}"))

    assert "Codeliste" not in told
    assert told.partition("möglich sind: ")[2] == (
        "angenommen, angenommen (gekürzt), abgelehnt, nicht förderfähig, Warteliste, weitergeleitet, vertagt, "
        "zurückgezogen"
    )
