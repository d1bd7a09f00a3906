"""Which area a proposal belongs to: that of its module, else where its point lies."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.records import Point, Process, Proposal


def place(proposal: Proposal, process: Process, polygons: Path) -> Proposal:
    """The proposal with its area, and where we know it from. Nothing is guessed: without either it has none."""
    if proposal.area_id:
        return proposal
    module = next((module for module in process.modules if module.id == proposal.module_id), None)
    if module is not None and module.area:
        return proposal.model_copy(update={"area_id": module.area, "area_origin": "module"})
    if proposal.point is not None and (area_id := area_at(proposal.point, polygons)):
        return proposal.model_copy(update={"area_id": area_id, "area_origin": "point"})
    return proposal


def area_at(point: Point, polygons: Path) -> str | None:
    """The area whose polygon covers a point (WGS84); None outside all, or where no polygons are known."""
    if not polygons.exists():
        return None
    from shapely.geometry import Point as Place  # noqa: PLC0415 - 0.3 s, and only where a module names no area

    place = Place(point.lon, point.lat)
    return next((area_id for area_id, shape in _shapes(polygons) if shape.covers(place)), None)


@cache
def _shapes(polygons: Path) -> tuple[tuple[str, Any], ...]:
    from shapely.geometry import shape  # noqa: PLC0415

    try:
        body = json.loads(polygons.read_text("utf-8"))
        return tuple(
            (str(feature["properties"]["lor_bzr_id"]), shape(feature["geometry"])) for feature in body["features"]
        )
    except (ValueError, KeyError) as error:
        raise ConfigurationError(
            "no GeoJSON of areas", where=str(polygons), expected="features with lor_bzr_id", helps=str(error)
        ) from None
