"""Our words among those of others: canonical HTML, found again as the platform stores it, replaced and nothing else.

    moderator's <p> … │ our <p>, one per line │ moderator's <p> …

mein.berlin compares what is sent with what it has stored, and mails where they differ. So only tags that platforms keep
are sent, with `&`, `<` and `>` as entities; everything that others wrote goes back as it was shown.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from itertools import pairwise

from lxml import etree
from lxml import html as pages

from connectors._text import plain_text

_PARAGRAPH = re.compile(r"<p>([^<]*)</p>")


def html_of(lines: Sequence[str]) -> str:
    """One paragraph per line, as the platform stores it."""
    return "".join(f"<p>{html.escape(_folded(line), quote=False)}</p>" for line in lines)


def stand(lines: Sequence[str], markup: str) -> bool:
    """Whether these lines stand there, one directly behind the other, whatever stands around them."""
    return _place(lines, markup) is not None


def says(lines: Sequence[str], before: Sequence[str], markup: str) -> bool:
    """Whether just these lines are ours there: those before that hold more are not there any more."""
    if _is_part(lines, before) and _folded_all(lines) != _folded_all(before) and stand(before, markup):
        return False
    return stand(lines, markup)


def replaced(before: Sequence[str], lines: Sequence[str], markup: str) -> str | None:
    """The text with our lines in the place of those before; None where these do not stand there as we wrote them.

    Before the first answer ours come behind what others wrote. Where `before` is all that can be read there, however it
    is formatted, all of it gives way: a person has seen it.
    """
    if says(lines, before, markup):
        return markup
    if not before:
        return markup + html_of(lines)
    place = _place(before, markup)
    if place is not None:
        return markup[: place[0]] + html_of(lines) + markup[place[1] :]
    return html_of(lines) if _folded_all(before) == read_lines(markup) else None


def read_lines(markup: str, address: str = "") -> list[str]:
    """What people read of a formatted text, line by line, as the source hands it over."""
    if not markup.strip():
        return []
    try:
        text = plain_text(pages.fragment_fromstring(markup, create_parent="div"), address)
    except (etree.LxmlError, ValueError):
        return []
    return _folded_all([line for line in text.splitlines() if line.strip()])


def _place(lines: Sequence[str], markup: str) -> tuple[int, int] | None:
    """Where these lines begin and end."""
    wanted, found = _folded_all(lines), list(_PARAGRAPH.finditer(markup))
    if not wanted:
        return None
    said = [_folded(html.unescape(one[1])) for one in found]
    for number in range(len(found) - len(wanted) + 1):
        run = found[number : number + len(wanted)]
        if said[number : number + len(wanted)] == wanted and _touch(run, markup):
            return run[0].start(), run[-1].end()
    return None


def _touch(run: Sequence[re.Match[str]], markup: str) -> bool:
    """Whether nothing but blanks stands between the paragraphs."""
    between = (markup[one.end() : other.start()] for one, other in pairwise(run))
    return not any(part.strip() for part in between)


def _is_part(lines: Sequence[str], whole: Sequence[str]) -> bool:
    part, of = _folded_all(lines), _folded_all(whole)
    return any(of[start : start + len(part)] == part for start in range(len(of) - len(part) + 1))


def _folded_all(lines: Sequence[str]) -> list[str]:
    return [_folded(line) for line in lines]


def _folded(line: str) -> str:
    """Blanks of every kind are one blank to whoever reads."""
    return " ".join(line.split())
