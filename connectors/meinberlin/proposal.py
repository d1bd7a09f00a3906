"""A proposal as the list shows it, checked: a renamed field must never become an empty one.

An entry with a flaw is an odd one among others, or the API has changed: `listing` decides which.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.meinberlin.web import split
from kiezbruecke.foreign_json import key_twice
from kiezbruecke.records import Module
from kiezbruecke.records.base import MOST_MONEY

Row = Mapping[str, Any]
_TEXT: tuple[type, ...] = (str,)
_TEXT_OR_NONE: tuple[type, ...] = (str, type(None))
_NUMBER: tuple[type, ...] = (int,)

FIELDS: dict[str, tuple[type, ...]] = {
    "pk": _NUMBER,
    "reference_number": _TEXT,
    "name": _TEXT,
    "url": _TEXT,
    "creator": _TEXT,
    "created": _TEXT,
    "modified": _TEXT_OR_NONE,
    "moderator_status": _TEXT_OR_NONE,
    "get_moderator_status_display": _TEXT_OR_NONE,
    "item_badges_for_list": (list,),
    "comment_count": _NUMBER,
    "positive_rating_count": _NUMBER,
    "negative_rating_count": _NUMBER,
    "point": (object,),  # whatever it is: what cannot be understood is no place, see `is_odd_place`
}
BUDGETING_FIELDS: dict[str, tuple[type, ...]] = {"is_archived": (bool,), "vote_count": _NUMBER}
HIDDEN = ("point_label", "category", "labels")  # in the order of the badges, of which the list shows three
_REFERENCE = re.compile(r"\d{4}-\d{5,10}")
_SUM = re.compile(r"[\d.]+(?=\s?€)")
_WORDS: Mapping[type, str] = {
    object: "anything",
    str: "text",
    int: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


@dataclass(frozen=True)
class Flaw:
    """Why an entry cannot be understood: for IT operations in English, for the administration in German."""

    what: str
    expected: str
    german: str


@dataclass(frozen=True)
class OddEntry:
    """An entry that cannot be understood, among others that can: its key as far as known, and a German sentence."""

    key: str
    problem: str


_NAMES = ("pk", "reference_number")  # of an entry: one that stands twice names nothing


def find_flaw(entry: Any, module_type: str) -> Flaw | None:
    """The first thing that is not as it was recorded; None for a proposal."""
    if not isinstance(entry, dict):
        return Flaw("an entry of 'results' is no object", "an object", "der Eintrag ist kein Vorschlag")
    return _doubled(entry) or _of_other_form(entry, module_type)


def _doubled(entry: Row) -> Flaw | None:
    twice = key_twice(entry)
    german = f"das Feld „{twice}“ steht zweimal da"
    return Flaw(f"field '{twice}' stands twice", "each field once", german) if twice else None


def _of_other_form(entry: Row, module_type: str) -> Flaw | None:
    for field, kinds in _fields(module_type).items():
        if field not in entry:
            return Flaw(f"field '{field}' is missing", _spell(kinds), f"das Feld „{field}“ fehlt")
        value = entry[field]
        if not isinstance(value, kinds) or (isinstance(value, bool) and not {bool, object} & {*kinds}):
            return _other_form(field, "type", _spell(kinds))
    if not all(isinstance(badge, list) and badge for badge in entry["item_badges_for_list"]):
        return _other_form("item_badges_for_list", "form", "lists of texts")
    if len(_badges(entry, "budget")) != 1:
        return Flaw(
            "field 'item_badges_for_list' holds no badge 'budget'",
            "one, even for 'keine Angabe'",
            "im Feld „item_badges_for_list“ fehlt die Angabe zu den Kosten",
        )
    return None


def odd_entry(entry: Any, flaw: Flaw, place: str) -> OddEntry:
    """What is known of an entry that cannot be understood; `place` names it where it has neither key nor number."""
    known = entry if isinstance(entry, dict) and key_twice(entry) not in _NAMES else {}
    pk, reference = known.get("pk"), known.get("reference_number")
    key = str(pk) if isinstance(pk, int) and not isinstance(pk, bool) else ""
    number = reference if isinstance(reference, str) and _REFERENCE.fullmatch(reference) else ""
    name = f"Vorschlag {number}" if number else f"Vorschlag mit dem Schlüssel {key}" if key else "Ein Vorschlag"
    problem = f"{name} ist nicht lesbar: {flaw.german}. Bitte auf der Plattform nachsehen oder den IT-Betrieb fragen"
    return OddEntry(key or number or place, problem)


def is_odd_place(point: Any) -> bool:
    """Whether something stands there that is no place to us: such a proposal counts as one without a place."""
    return _has_place(point) and _position(point) is None


def odd_sum(row: Row) -> str:
    """The sum that is asked for, as it stands there, where it is larger than any budget; else nothing.

    The legacy module type has no maximum: whoever types 2147483647 is shown with it.
    """
    found = _SUM.match(_badges(row, "budget")[0])
    return found[0] if found and Decimal(found[0].replace(".", "") or 0) > MOST_MONEY else ""


def proposal_body(row: Row, module: Module, origin: str) -> dict[str, Any]:
    """The flat body of an item: all list fields, and what the badges and the point say, spelled out.

    Of place, category and labels those that the list shows whole: what it hides is absent, not empty.
    """
    place = _position(row["point"])
    spelled = {
        "point_label": "".join(_badges(row, "point_label")[:1]),
        "category": "".join(_badges(row, "category")[:1]),
        "labels": _badges(row, "label"),
    }
    return {
        **row,
        "point": {"lon": place[0], "lat": place[1]} if place else None,
        "asked_text": None if odd_sum(row) else _badges(row, "budget")[0],
        **{name: value for name, value in spelled.items() if name not in hidden(row)},
        "detail_url": origin + split(row["url"]).path,
        "module": module_body(module),
    }


def module_body(module: Module) -> dict[str, Any]:
    """The module of an item."""
    return {"id": module.id, "type": module.type, "slug": module.slug, "area": module.area}


def hidden(row: Row) -> frozenset[str]:
    """The fields that may stand among the badges that the list does not show: from the last that it shows on."""
    if row.get("additional_item_badges_for_list_count") == 0:
        return frozenset()
    shown = {badge[0] for badge in row["item_badges_for_list"]}
    known = 2 if "category" in shown else 1 if "point_label" in shown else 0
    return frozenset(HIDDEN[2 if "label" in shown else known :])


def _fields(module_type: str) -> dict[str, tuple[type, ...]]:
    return {**FIELDS, **BUDGETING_FIELDS} if module_type == "budgeting" else FIELDS


def _badges(row: Mapping[str, Any], kind: str) -> list[str]:
    """Badges are [kind, text] or [kind, text, value], at most three; their order means nothing."""
    return [str(badge[1]) for badge in row["item_badges_for_list"] if badge[0] == kind and len(badge) > 1]


def _has_place(point: Any) -> bool:
    """False for null, '', {} and a feature without geometry: a proposal need not stand anywhere."""
    return bool(point.get("geometry")) if isinstance(point, dict) else bool(point)


def _position(point: Any) -> tuple[float, float] | None:
    """Longitude and latitude, or None."""
    geometry = point.get("geometry") if isinstance(point, dict) else None
    pair = geometry.get("coordinates") if isinstance(geometry, dict) and geometry.get("type") == "Point" else None
    if not isinstance(pair, list) or len(pair) < 2:
        return None
    lon, lat = pair[0], pair[1]
    if not all(isinstance(part, int | float) and not isinstance(part, bool) for part in (lon, lat)):
        return None
    return (float(lon), float(lat)) if abs(lon) <= 180 and abs(lat) <= 90 else None


def _other_form(field: str, what: str, expected: str) -> Flaw:
    german = f"das Feld „{field}“ hat eine andere Form als sonst"
    return Flaw(f"field '{field}' has another {what} than before", expected, german)


def _spell(kinds: tuple[type, ...]) -> str:
    return " or ".join(_WORDS[kind] for kind in kinds)
