"""What a paper says, and what was decided about it: pure functions of OParl objects.

    Paper.consultation[] authoritative ─▶ AgendaItem.result, .resolutionText      Meeting.start ─▶ the day

Version 1.0 embeds what 1.1 links, and the other way round: an object and its address are the same here. What the
council keeps to itself (`public: false`), has deleted or cancelled is no proof.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from connectors.oparl.client import Hidden, Object
from connectors.oparl.options import Options
from kiezbruecke.german import BERLIN

TEXTS = ("name", "reference", "date", "paperType", "web")
MOST_CONSULTATIONS = 100  # of one paper; real ones have up to a dozen
RULING = frozenset({"result", "resolution", "decided_on"})
KNOWN_ONCE = frozenset({"reference", "name", "date", "paper_type", "url"})

Look = Callable[[object], Object]


@dataclass(frozen=True)
class Ruling:
    """What an authoritative consultation ended with."""

    result: str
    resolution: str
    decided_on: date | None


def is_paper(entry: object) -> bool:
    """Whether an entry of a list can be told by its address, and is none of another type."""
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str) or not entry["id"]:
        return False
    kind = entry.get("type")
    return isinstance(kind, str) and kind.endswith("/Paper")


def odd_field(paper: Object) -> str:
    """The first field that is not what OParl says; empty where all are."""
    for name in TEXTS:
        if not isinstance(paper.get(name), str | None):
            return name
    consultations = paper.get("consultation")
    if not isinstance(consultations, list | None) or len(consultations or ()) > MOST_CONSULTATIONS:
        return "consultation"
    return ""


def is_wanted(paper: Object, options: Options) -> bool:
    """Whether the route asks for such a paper; of a deleted one nobody can say."""
    if options.paper_types and _folded(paper.get("paperType")) not in map(_folded, options.paper_types):
        return False
    keywords = paper.get("keyword")
    texts = [_folded(text) for text in (paper.get("name"), paper.get("reference"), *_list(keywords))]
    return not options.about or any(_folded(word) in text for word in options.about for text in texts)


def body_of(paper: Object) -> dict[str, Any]:
    """The item's body, without what was decided."""
    web = paper.get("web") or ""
    return {
        "reference": paper.get("reference") or "",
        "name": paper.get("name") or "",
        "date": paper.get("date") or "",
        "paper_type": paper.get("paperType") or "",
        "url": web if web.startswith(("http://", "https://")) else paper["id"],
        "deleted": False,
    }


def ruling_of(paper: Object, look: Look) -> Ruling | None:
    """The latest result of an authoritative consultation; None where there is none yet. `look` may raise."""
    found = list(_rulings(paper, look))
    return max(found, key=lambda one: one.decided_on or date.min) if found else None


def modified_of(entry: object) -> datetime | None:
    """When an object was changed last; version 1.0 may not say."""
    return _moment(entry.get("modified")) if isinstance(entry, dict) else None


def _rulings(paper: Object, look: Look) -> Iterator[Ruling]:
    for given in paper.get("consultation") or ():
        consultation = _seen(given, look)
        if consultation is None or consultation.get("authoritative") is not True:
            continue
        meeting, item = _seen(consultation.get("meeting"), look), consultation.get("agendaItem")
        point = _of_meeting(meeting, item) or _seen(item, look)
        meeting = meeting or (_seen(point.get("meeting"), look) if point else None)
        if point is None or point.get("public") is False or (meeting or {}).get("cancelled") is True:
            continue
        result, resolution = _text(point.get("result")), _text(point.get("resolutionText"))
        if result or resolution:
            moment = _moment((meeting or {}).get("start")) or _moment(point.get("start"))
            yield Ruling(result, resolution, moment.astimezone(BERLIN).date() if moment else None)


def _seen(given: object, look: Look) -> Object | None:
    """An object that stands there, or at the address that stands there; None where there is none for us."""
    if given is None:
        return None
    try:
        found = given if isinstance(given, dict) else look(given)
    except Hidden:
        return None
    return None if found.get("deleted") is True else found


def _of_meeting(meeting: Object | None, address: object) -> Object | None:
    """A point of the agenda that the meeting brings along, which saves a call."""
    points = _list((meeting or {}).get("agendaItem"))
    mine = [one for one in points if isinstance(one, dict) and one.get("id") == address]
    return mine[0] if mine and mine[0].get("deleted") is not True and "result" in mine[0] else None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _moment(value: object) -> datetime | None:
    """A date-time; without an offset it is meant in Berlin."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=BERLIN)).astimezone(UTC)
    except OverflowError:
        return None


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _folded(value: object) -> str:
    return unicodedata.normalize("NFC", value).casefold() if isinstance(value, str) else ""
