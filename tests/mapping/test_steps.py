"""Steps: what their examples promise, and what must hold for any value."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiezbruecke.mapping.steps import STEPS, Example, Step
from kiezbruecke.mapping.values import Unusable

CASES = [(step, example) for step in STEPS.values() for example in step.examples]
CENTS = st.decimals(min_value=0, max_value=Decimal("999999999.99"), places=2)


@pytest.mark.parametrize(("step", "example"), CASES, ids=lambda part: getattr(part, "name", ""))
def test_a_step_does_what_its_example_says(step: Step, example: Example) -> None:
    """The examples are the reference page; they must be true."""
    if example.gives is Unusable:
        with pytest.raises(Unusable):
            step.apply(example.given, example.argument)
        return
    given = step.apply(example.given, example.argument)

    assert given == example.gives
    assert type(given) is type(example.gives)


@pytest.mark.parametrize("step", STEPS.values(), ids=lambda step: step.name)
def test_a_step_has_an_example_and_a_sentence(step: Step) -> None:
    """A step without both is undocumented."""
    assert step.examples
    assert step.summary.endswith(".")


@pytest.mark.parametrize(
    "step", [step for step in STEPS.values() if not step.reads_nothing], ids=lambda step: step.name
)
@pytest.mark.parametrize("nothing", [None, "", "  ", []])
def test_nothing_stays_nothing(step: Step, nothing: object) -> None:
    """Empty text, null and an empty list are the same for every step."""
    assert step.apply(nothing, step.examples[0].argument) is None


def _german(value: Decimal) -> str:
    whole, cents = f"{value:,.2f}".split(".")
    return f"{whole.replace(',', '.')},{cents}"


@given(CENTS)
def test_money_written_in_german_is_read_to_the_cent(value: Decimal) -> None:
    """A cent lost here would be lost in the budget."""
    assert STEPS["german_money"].apply(f"{_german(value)} €") == value


@given(CENTS)
def test_money_read_twice_is_the_same(value: Decimal) -> None:
    """Reading is stable: what was read once can be read again."""
    once = STEPS["german_money"].apply(value)

    assert STEPS["german_money"].apply(once) == once


@given(st.text())
def test_money_is_read_or_refused_but_never_guessed_below_zero(text: str) -> None:
    """Whatever a cell holds: a sum, nothing or a refusal – no other exception, no negative sum."""
    try:
        value = STEPS["german_money"].apply(text)
    except Unusable:
        return
    assert value is None or value >= 0


@given(st.text(), st.integers(min_value=0, max_value=50))
def test_clip_leaves_no_accent_behind(text: str, length: int) -> None:
    """The rest never begins with an accent that belongs to the last letter kept."""
    kept = STEPS["clip"].function(text, length)

    assert text.startswith(kept)
    assert len(kept) <= length
    rest = text[len(kept) :]
    assert not kept or not rest or not unicodedata.combining(rest[0])


@given(st.text())
def test_html_never_breaks_the_reader(text: str) -> None:
    """Foreign HTML is text or nothing, whatever stands in it."""
    read = STEPS["html_to_text"].apply(text)

    assert read is None or isinstance(read, str)


def test_a_refusal_never_shows_the_value() -> None:
    """Values may be personal data, and refusals end up in lists and logs."""
    with pytest.raises(Unusable) as refused:
        STEPS["german_money"].apply("Kanarienvogel 5 EUR")

    assert "Kanarienvogel" not in str(refused.value)
