"""What an answer says, what stands at its proposal, and whether one is the other. Nothing here calls anybody.

    message (schemas/json/answer.schema.json) ─▶ Wanted        what the platform shows ─▶ Shown
    is it said already? ─▶ have others changed it? ─▶ the text with ours in the place of what we had written

Our lines are paragraphs; what others wrote beside them stays as it is, in every language.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any

from connectors._text import plain_text_of

_ID = re.compile(r"(\d{1,10})/(\d{1,10})")
_PARAGRAPH = re.compile(r"<p(?:\s[^<>]*)?>((?:[^<]|<br\s*/?>)*)</p>")


@dataclass(frozen=True)
class Wanted:
    """What a message says."""

    component: int
    proposal: int
    status: str
    lines: tuple[str, ...] = field(repr=False)
    cost: Decimal | None
    status_before: str
    lines_before: tuple[str, ...] = field(repr=False)

    @classmethod
    def of(cls, payload: bytes) -> Wanted | None:
        """The content of a message; None where its key is none of a Decidim."""
        body: Mapping[str, Any] = json.loads(payload, parse_float=Decimal)
        key = _ID.fullmatch(body["external_id"])
        if key is None:
            return None
        before, cost = body["before"], body.get("cost")
        return cls(
            component=int(key[1]),
            proposal=int(key[2]),
            status=body["status"],
            lines=tuple(body["lines"]),
            cost=Decimal(cost) if cost is not None else None,
            status_before=before.get("status", ""),
            lines_before=tuple(before["lines"]),
        )


@dataclass(frozen=True)
class Shown:
    """What a proposal shows. `status` is empty where there is none, or none is published; `texts` are by language."""

    status: str
    answered: bool
    texts: Mapping[str, str] = field(repr=False)

    @property
    def unpublished(self) -> bool:
        """Whether there is an answer whose status nobody sees yet."""
        return self.answered and not self.status

    @classmethod
    def of(cls, node: Mapping[str, Any]) -> Shown:
        """A node of `standing.graphql`. Machine translations are no words of anybody; they are made anew."""
        answer = node.get("answer") or {}
        given = answer.get("translations") or ()
        texts = {one["locale"]: one.get("text") or "" for one in given if not one.get("machineTranslated")}
        status = "withdrawn" if node.get("withdrawn") else node.get("state") or ""
        return cls(status, answered=node.get("answeredAt") is not None, texts=texts)


def is_said(wanted: Wanted, shown: Shown, locale: str) -> bool | None:
    """Whether it stands there; None where the words are the old ones too, and the status is not published yet."""
    stand = _says(wanted, shown.texts.get(locale, ""))
    if not shown.unpublished:
        return stand and shown.status == wanted.status
    if not stand:
        return False
    old = _folded_all(wanted.lines) == _folded_all(wanted.lines_before)
    return True if wanted.lines and (not old or wanted.status == wanted.status_before) else None


def is_untouched(wanted: Wanted, shown: Shown, locale: str) -> bool:
    """Whether all stands as our last words, or the last collection, had it: then nobody has been there since."""
    if shown.unpublished:  # an answer that somebody has prepared is somebody's, unless its words are ours
        return bool(wanted.lines_before) and _place(wanted.lines_before, shown.texts.get(locale, "")) is not None
    return shown.status in (wanted.status_before, wanted.status) and text_with(wanted, shown, locale) is not None


def text_with(wanted: Wanted, shown: Shown, locale: str) -> str | None:
    """The text with our lines in the place of those before, behind all else where there were none; None where those
    before are not there as we wrote them. What a person has read whole gives way whole, however it is formatted."""
    markup = shown.texts.get(locale, "")
    if _says(wanted, markup):
        return markup
    if not wanted.lines_before:
        return _as_markup(markup) + _html_of(wanted.lines)
    if (place := _place(wanted.lines_before, markup)) is not None:
        return markup[: place[0]] + _html_of(wanted.lines) + markup[place[1] :]
    return _html_of(wanted.lines) if _folded_all(wanted.lines_before) == _read(markup) else None


def _says(wanted: Wanted, markup: str) -> bool:
    """Whether our lines stand there, and of those before nothing that they do not hold."""
    ours, old = _folded_all(wanted.lines), _folded_all(wanted.lines_before)
    if old and old != ours and _holds(old, ours) and _place(wanted.lines_before, markup) is not None:
        return False
    return not ours or _place(wanted.lines, markup) is not None


def _holds(whole: Sequence[str], part: Sequence[str]) -> bool:
    return any(whole[start : start + len(part)] == part for start in range(len(whole) - len(part) + 1))


def _place(lines: Sequence[str], markup: str) -> tuple[int, int] | None:
    """Where these lines stand as paragraphs, one directly behind the other."""
    ours, found = _folded_all(lines), list(_PARAGRAPH.finditer(markup))
    if not ours:
        return None
    said = [_folded(html.unescape(re.sub(r"<br\s*/?>", " ", one[1]))) for one in found]
    for start in range(len(found) - len(ours) + 1):
        run = found[start : start + len(ours)]
        between = [markup[one.end() : other.start()] for one, other in pairwise(run)]
        if said[start : start + len(ours)] == ours and not any(part.strip() for part in between):
            return run[0].start(), run[-1].end()
    return None


def _read(markup: str) -> list[str]:
    """What people read, line by line, as the source hands it over."""
    return _folded_all([line for line in plain_text_of(markup, "").splitlines() if line.strip()])


def _as_markup(text: str) -> str:
    """What others wrote, as HTML: a text without any is typed, and its lines are to stay lines."""
    if not text.strip() or "<" in text:
        return text
    return "".join(
        f"<p>{html.escape(html.unescape(line), quote=False)}</p>" for line in text.splitlines() if line.strip()
    )


def _html_of(lines: Sequence[str]) -> str:
    return "".join(f"<p>{html.escape(_folded(line), quote=False)}</p>" for line in lines)


def _folded_all(lines: Sequence[str]) -> list[str]:
    return [_folded(line) for line in lines]


def _folded(line: str) -> str:
    """Blanks of every kind are one blank to whoever reads."""
    return " ".join(line.split())
