"""Every reason has both wordings; neither is made of the other."""

from __future__ import annotations

import pickle
import re

import pytest

from kiezbruecke.mapping.steps import STEPS
from kiezbruecke.mapping.values import Unusable
from kiezbruecke.mapping.wording import UNSAID, Instead, Why, Wording, either, some

_GERMAN = re.compile(r"[äöüß„]|\b(?:höchstens|mindestens|einer?|oder|das|der|die|nicht|ist)\b", re.IGNORECASE)
_SAME_IN_BOTH = {Instead.THESE, Instead.YES_OR_NO}  # words of a list; what a form's cell may hold


@pytest.mark.parametrize("sentence", [*Why, *Instead], ids=str)
def test_a_code_has_a_german_and_an_english_sentence(sentence: Why | Instead) -> None:
    """Both name the same parameters, and the English one holds no German."""
    assert sentence.german.count("{}") == sentence.english.count("{}")
    if sentence not in _SAME_IN_BOTH:
        assert sentence.german != sentence.english
        assert not _GERMAN.search(sentence.english)


def test_codes_are_all_different() -> None:
    """Two codes with the same words would be one to Python, and one of them lost."""
    assert len(Why.__members__) == len(list(Why))
    assert len(Instead.__members__) == len(list(Instead))


def test_parameters_that_are_wordings_are_worded_in_their_language() -> None:
    said = either([Instead.WHOLE_NUMBER(), Instead.TEXT()])

    assert (said, said.english) == ("eine ganze Zahl oder ein Text", "a whole number or a text")
    assert Instead.ONE_OF(said).english == "one of a whole number or a text"


def test_a_reason_survives_the_way_to_another_process() -> None:
    """`mapping run --jobs 2` and Airflow's workers send errors home."""
    sent = pickle.loads(pickle.dumps(Instead.AT_MOST_CHARACTERS(35)))

    assert (sent, sent.code, sent.parameters, sent.english) == (
        "höchstens 35 Zeichen",
        "AT_MOST_CHARACTERS",
        ("35",),
        "at most 35 characters",
    )


def test_what_steps_refuse_is_said_in_both_languages() -> None:
    """Every example of a step that refuses its value."""
    refused = [(step, one) for step in STEPS.values() for one in step.examples if one.gives is Unusable]
    for step, one in refused:
        with pytest.raises(Unusable) as raised:
            step.apply(one.given, one.argument)
        assert isinstance(raised.value.problem, Wording)
        assert isinstance(raised.value.expected, Wording)
        assert raised.value.problem.code
        assert not _GERMAN.search(raised.value.problem.english)
    assert len(refused) > 40


def test_many_words_are_cut() -> None:
    assert some(map(str, range(4)), 3) == "0, 1, 2, …"
    assert str(Unusable(Why.MISSING(), UNSAID)) == "die Pflichtangabe fehlt"
