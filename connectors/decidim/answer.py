"""What an answer says, what stands at its proposal, and whether one is the other. Nothing here calls anybody.

    message (schemas/json/answer.schema.json) ─▶ Wanted        what the platform shows ─▶ Shown
    is it said already? ─▶ have others changed it? ─▶ the text with ours in the place of what we had written

Our lines are paragraphs; what others wrote beside them stays as it is, in every language.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connectors import _words as words

_ID = re.compile(r"(\d{1,10})/(\d{1,10})")


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
    old = words.html_of(wanted.lines) == words.html_of(wanted.lines_before)
    return True if wanted.lines and (not old or wanted.status == wanted.status_before) else None


def is_untouched(wanted: Wanted, shown: Shown, locale: str) -> bool:
    """Whether all stands as our last words, or the last collection, had it: then nobody has been there since."""
    if shown.unpublished:  # an answer that somebody has prepared is somebody's, unless its words are ours
        return bool(wanted.lines_before) and words.stand(wanted.lines_before, shown.texts.get(locale, ""))
    return shown.status in (wanted.status_before, wanted.status) and text_with(wanted, shown, locale) is not None


def text_with(wanted: Wanted, shown: Shown, locale: str) -> str | None:
    """The text with our lines in the place of those before; None where these are not there as we wrote them."""
    return words.replaced(wanted.lines_before, wanted.lines, _as_markup(shown.texts.get(locale, "")))


def _says(wanted: Wanted, markup: str) -> bool:
    if not wanted.lines:
        return not words.stand(wanted.lines_before, markup)
    return words.says(wanted.lines, wanted.lines_before, markup)


def _as_markup(text: str) -> str:
    """What others wrote, as HTML: a text without any is typed, and its lines are to stay lines."""
    if not text.strip() or "<" in text:
        return text
    return words.html_of([html.unescape(line) for line in text.splitlines() if line.strip()])
