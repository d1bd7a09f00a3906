"""Our words among those of others: what we wrote is found as the platform stores it, and nothing else is touched."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors import _words as words
from connectors.meinberlin import remark
from connectors.meinberlin._moderation import cleaned
from connectors.meinberlin.form import FEEDBACK, REMARK, STATUS, find_form
from kiezbruecke.printable import printable

LINES = st.lists(
    st.text(min_size=1, max_size=60).map(printable).filter(lambda line: line.strip() != ""), min_size=1, max_size=4
)
THEIRS = st.sampled_from(
    ["", "<p>Von der Moderation &amp; allen</p>", "<ul><li>Punkt</li></ul>\n", "<p>a <strong>b</strong></p>"]
)


@given(LINES)
def test_what_we_send_is_stored_as_it_is(lines: list[str]) -> None:
    """The platform mails where its cleaned text differs from what was sent: canonical text is its own cleaned form."""
    assert cleaned(words.html_of(lines)) == words.html_of(lines)


@given(LINES, THEIRS, THEIRS)
def test_lines_are_found_as_they_are_stored(lines: list[str], before: str, after: str) -> None:
    """Whatever signs they hold, and whatever stands around them."""
    stored = cleaned(before + words.html_of(lines) + after)

    assert words.stand(lines, stored)
    assert words.says(lines, (), stored)


@given(LINES, LINES, THEIRS, THEIRS)
def test_new_lines_take_the_place_of_the_old_ones(old: list[str], new: list[str], before: str, after: str) -> None:
    """Everything of others stays, byte for byte; a second time there is nothing to do."""
    text = words.replaced(old, new, before + words.html_of(old) + after)

    assert text == before + words.html_of(new) + after
    assert words.says(new, old, text)
    assert words.replaced(old, new, text) == text


@given(LINES, st.sampled_from(["", "Rückruf", "Rückruf\r\nAz. 7", "Kiezbrücke: alt\nAz. 7"]))
def test_the_note_keeps_one_line_of_ours(lines: list[str], note: str) -> None:
    """The moderators' own lines stay in their order."""
    once = remark.with_remark(note, "Zeichen 1")
    twice = remark.with_remark(once, "Zeichen 2")
    theirs = [line for line in note.splitlines() if not line.startswith(remark.MARK)]

    assert once.count(remark.MARK) == twice.count(remark.MARK) == 1
    assert [line for line in twice.splitlines() if not line.startswith(remark.MARK)] == theirs
    assert "Zeichen 2" in twice


def test_a_shorter_answer_is_not_said_by_a_longer_one() -> None:
    """The first line alone stands there, but so does the second that holds no more."""
    stored = words.html_of(["A", "B"])

    assert not words.says(["A"], ["A", "B"], stored)
    assert words.replaced(["A", "B"], ["A"], stored) == "<p>A</p>"
    assert words.says(["A", "B", "C"], ["A", "B"], words.html_of(["A", "B", "C"]))


def test_a_form_is_read_as_a_browser_would_send_it() -> None:
    """The first break of a text is the template's; boxes that are not ticked are known and send nothing."""
    page = (
        '<form action="/suche/"><input name="q" value="x"></form>'
        f'<form action="/a/moderate/" method="post"><input type="hidden" name="t" value="1"><input type="hidden">'
        f'<select name="{STATUS}"><option value="">-</option><option value="ACCEPTED" selected>ja</option></select>'
        f'<textarea name="{FEEDBACK}">\n\n&lt;p&gt;a &amp;amp; b&lt;/p&gt;</textarea>'
        '<input type="checkbox" name="box"><input type="checkbox" name="task" value="2" checked>'
        f'<textarea name="{REMARK}">\nx\r\ny</textarea><button type="submit" name="go">Los</button></form>'
    )
    form = find_form(page, "/a/moderate/")

    assert form is not None
    assert form.values == (
        ("t", "1"),
        (STATUS, "ACCEPTED"),
        (FEEDBACK, "\n<p>a &amp; b</p>"),
        ("task", "2"),
        (REMARK, "x\r\ny"),
    )
    assert form.names == {"t", STATUS, FEEDBACK, "box", "task", REMARK}
    assert form.offers[STATUS] == ("", "ACCEPTED")
