"""Formatted text becomes plain text that says the same."""

from __future__ import annotations

import pytest
from lxml import html

from connectors._text import plain_text

ADDRESS = "https://mein.berlin.de"


def plain(markup: str) -> str:
    return plain_text(html.fromstring(f'<div class="ck-content">{markup}</div>'), ADDRESS)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("", ""),
        ("Nur Worte", "Nur Worte"),
        ("<p>Erster Absatz.</p><p>Zweiter <strong>Absatz</strong>.</p>", "Erster Absatz.\n\nZweiter Absatz."),
        ("<p>\n  Viele   \n Blanks\t</p>\n\n<p></p><p>&nbsp;</p><p>Ende</p>", "Viele Blanks\n\nEnde"),
        ("Vorweg<p>Absatz</p>danach", "Vorweg\n\nAbsatz\n\ndanach"),
        ("<p>a &lt; b und b &gt; c, also a&lt;c</p>", "a < b und b > c, also a<c"),
        ("<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>", "<script>alert(1)</script>"),
        ("<div><div>innen</div></div>", "innen"),
        ("<p>eins<br>zwei</p>", "eins\nzwei"),
        ("<p>850&nbsp;€</p>", "850\xa0€"),
        ("<p>🎪 Zirkus <em>👨\u200d👩\u200d👧</em></p>", "🎪 Zirkus 👨\u200d👩\u200d👧"),
        ("<p>vor</p><!-- <p>nie</p> --><p>nach</p>", "vor\n\nnach"),
        ("<p>a</p><script>alert(1)</script><style>p{}</style>b", "a\n\nb"),
    ],
)  # fmt: skip
def test_paragraphs_stay_apart(markup: str, text: str) -> None:
    """The export runs them together: 222 of 506 descriptions."""
    assert plain(markup) == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<ul><li>Bank</li><li>Baum</li></ul><p>Summe 850 €</p>", "– Bank\n– Baum\n\nSumme 850 €"),
        ("<p>Auflagen:</p><ol><li>eins</li><li>zwei</li></ol>", "Auflagen:\n\n1. eins\n2. zwei"),
        ("<ul><li><p>a</p><p>b</p></li><li><p>c</p></li></ul>", "– a\nb\n– c"),
        ("<ol><li>eins<ul><li>innen</li></ul></li><li>zwei</li></ol>", "1. eins\n– innen\n2. zwei"),
        ("<ul><li></li><li>nur eins</li></ul>", "– nur eins"),
        ("<li>ohne Liste</li>", "– ohne Liste"),
    ],
)
def test_lists_stay_lists(markup: str, text: str) -> None:
    """A condition per line is still one per line."""
    assert plain(markup) == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ('<a href="https://example.org/plan">der Plan</a>.', "der Plan (https://example.org/plan)."),
        ('<a href="https://example.org/">https://example.org</a>', "https://example.org"),
        ('<a href="https://example.org/">example.org</a>', "example.org"),
        ('<a href="mailto:a@example.org">a@example.org</a>', "a@example.org"),
        ('<a href="/media/plan.pdf">Plan</a>', "Plan (https://mein.berlin.de/media/plan.pdf)"),
        ('<a href="javascript:alert(1)">hier</a>', "hier"),
        ('<a href="http://[">kaputt</a>', "kaputt"),
        ("<a>Anker</a>", "Anker"),
        ('<p>Film:</p><iframe src="https://example.org/film"></iframe>', "Film:\n\nhttps://example.org/film"),
        ('<p><img src="/bank.jpg" alt="Die Bank"></p>', "Die Bank"),
    ],
)
def test_links_keep_their_address(markup: str, text: str) -> None:
    """Once, and only one that can be followed."""
    assert plain(markup) == text


def test_nothing_is_cut() -> None:
    """The export is empty behind a long address, and ends after 32,767 characters."""
    address = f"https://example.org/{'a' * 2200}"
    assert plain(f"<p>{address} und mehr</p>") == f"{address} und mehr"
    assert len(plain(f"<p>{'Sehr lang ä. ' * 3000}</p>")) == 13 * 3000 - 1


def test_deep_nesting_ends() -> None:
    """Somebody may post it to see what happens."""
    assert "innen" in plain("<div>" * 200 + "innen" + "</div>" * 200)
