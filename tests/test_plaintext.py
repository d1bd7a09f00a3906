"""One cleaning of every text that comes in, one guard of every cell that goes out."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiezbruecke.plaintext import LONGEST_PILE, clean, harmless, is_formula_like, one_line, unharmed


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ("Mu\u0308ggelheim", "Müggelheim"),
        ("\ufeffTitel\u200b", "Titel"),
        ("Som\u00admer\u2060fest", "Sommerfest"),
        ("Fest\u00a0am\u202fUfer\u3000", "Fest am Ufer"),
        ("abc\u202etxt.\u2066exe\u2069", "abctxt.exe"),
        ("\x1b[2Ja\x07b\x9b", "[2Jab"),
        ("Zeile 1\r\nZeile 2\rZeile 3\u2028Zeile 4\x0bZeile 5\x85", "Zeile 1\nZeile 2\nZeile 3\nZeile 4\nZeile 5"),
        ("u\u200b\u0308", "ü"),
        ("\u3164\u2800", ""),
        ("a\tb", "a\tb"),
    ],
)
def test_equal_words_are_equal_whatever_nobody_sees(given: str, seen: str) -> None:
    """Headers, code lists and titles are compared; what acts on a terminal is gone."""
    assert clean(given) == seen


@given(st.text())
def test_no_cleaned_text_holds_a_sign_that_nobody_sees(text: str) -> None:
    """Category C but line break and tab, for whatever text; cleaning twice changes nothing more."""
    cleaned = clean(text)

    assert [one for one in cleaned if unicodedata.category(one)[0] == "C" and one not in "\n\t"] == []
    assert unicodedata.is_normalized("NFC", cleaned)
    assert clean(cleaned) == cleaned


def test_one_line_holds_no_break() -> None:
    assert one_line(" Fest\r\n am\u00a0\u2028Ufer\t") == "Fest am Ufer"


def test_marks_piled_on_a_letter_cost_no_quadratic_time() -> None:
    """Ordering a run of marks is quadratic: a cell of them took seconds."""
    started = time.process_time()
    cleaned = clean("a" + "\u0301\u0316" * 500_000)

    assert len(cleaned) <= LONGEST_PILE + 1
    assert time.process_time() - started < 5


FORMULAS = [
    "=1+1", "+49 30", "-5", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u00a0=1", "\ufeff=1", "\u200b\u200b=1",
    "＝1", "＋1", "－1", "＠x", "\u2212 1", "﹦1", "\u202e=1",
]  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_takes_for_a_formula_gets_an_apostrophe_and_loses_it_again(text: str) -> None:
    """Also behind blanks and signs that nobody sees, and in full width."""
    assert is_formula_like(text)
    assert harmless(text) == f"'{text}"
    assert unharmed(harmless(text)) == text


@pytest.mark.parametrize("text", ["", "Fest", "'s Bier", "2026-00001", "850,00", "(=1)", " Fest = Bier"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text
    assert unharmed(text) == text
