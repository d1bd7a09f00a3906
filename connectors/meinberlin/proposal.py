"""A proposal as the list shows it, checked: a renamed field must never become an empty one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from connectors.meinberlin.web import Reply
from kiezbruecke.records import Module

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
    "point": (dict, str, type(None)),
}
BUDGETING_FIELDS: dict[str, tuple[type, ...]] = {"is_archived": (bool,), "vote_count": _NUMBER}
_WORDS = {
    str: "text",
    int: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


def check_proposal(row: Any, module_type: str, reply: Reply) -> None:
    """Raise SourceError naming field and endpoint if the platform's proposal is not as it was recorded."""
    if not isinstance(row, dict):
        raise reply.broken("an entry of 'results' is no object", "an object")
    for field, kinds in _fields(module_type).items():
        if field not in row:
            raise reply.broken(f"field '{field}' is missing", _spell(kinds))
        value = row[field]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise reply.broken(f"field '{field}' has another type than before", _spell(kinds))
    if not all(isinstance(badge, list) and badge for badge in row["item_badges_for_list"]):
        raise reply.broken("field 'item_badges_for_list' has another form than before", "lists of texts")
    if len(_badges(row, "budget")) != 1:
        raise reply.broken("field 'item_badges_for_list' holds no badge 'budget'", "one, even for 'keine Angabe'")
    if _has_place(row["point"]) and _position(row["point"]) is None:
        raise reply.broken("field 'point' has another form than before", "a GeoJSON feature with a point")


def proposal_body(row: Mapping[str, Any], module: Module, origin: str) -> dict[str, Any]:
    """The flat body of an item: all list fields, and what the badges and the point say, spelled out."""
    place = _position(row["point"])
    return {
        **row,
        "point": {"lon": place[0], "lat": place[1]} if place else None,
        "asked_text": _badges(row, "budget")[0],
        "point_label": "".join(_badges(row, "point_label")[:1]),
        "category": "".join(_badges(row, "category")[:1]),
        "labels": _badges(row, "label"),
        "detail_url": origin + urlsplit(row["url"]).path,
        "module": {"id": module.id, "type": module.type, "slug": module.slug, "area": module.area},
        "described": False,
    }


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


def _spell(kinds: tuple[type, ...]) -> str:
    return " or ".join(_WORDS[kind] for kind in kinds)
