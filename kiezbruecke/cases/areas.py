"""Which area a proposal belongs to: that of its module, else where its point lies, else the only one there is.

    module names an area        ──▶ that one
    point in exactly one shape  ──▶ that one; a hole is outside, a border belongs to the shape
    on the border of two        ┐
    in no shape, no point       ┴─▶ none: a person says it (`attention.py`), or the decision sheet

Shapes lie beside the list of areas, as GeoJSON in WGS84; the property `area_id` (or `lor_bzr_id`) names the area. They
are asked here and nowhere else: no map and no address leaves the house.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from kiezbruecke.content.areas import SHAPE_KEYS
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.machine import read_text
from kiezbruecke.records import Point, Process, Proposal


def place(proposal: Proposal, process: Process, polygons: Path) -> Proposal:
    """The proposal with its area, and where we know it from. Nothing is guessed: without any of these it has none."""
    if proposal.area_id:
        return proposal
    module = next((module for module in process.modules if module.id == proposal.module_id), None)
    if module is not None and module.area:
        return proposal.model_copy(update={"area_id": module.area, "area_origin": "module"})
    if len(process.areas) == 1:
        return proposal.model_copy(update={"area_id": process.areas[0].id, "area_origin": "only"})
    if proposal.point is not None and (area_id := area_at(proposal.point, polygons)):
        return proposal.model_copy(update={"area_id": area_id, "area_origin": "point"})
    return proposal


def area_at(point: Point, polygons: Path) -> str | None:
    """The one area whose shape covers a point (WGS84); None outside all, in more than one, and where none is known."""
    if not polygons.exists():
        return None
    from shapely.geometry import Point as Place  # noqa: PLC0415 - 0.3 s, and only where a module names no area

    there = Place(point.lon, point.lat)
    found = {area_id for area_id, shape in read_shapes(polygons) if shape.covers(there)}
    return found.pop() if len(found) == 1 else None


def read_shapes(polygons: Path) -> tuple[tuple[str, Any], ...]:
    """Area ids and their shapes, in the file's order; nothing where there is no file. Raises ConfigurationError."""
    if not polygons.exists():
        return ()
    state = polygons.stat()
    return _shapes(polygons, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=64)
def _shapes(polygons: Path, changed_ns: int, size: int) -> tuple[tuple[str, Any], ...]:  # noqa: ARG001 - a changed file is another one
    try:
        return tuple(_shape(feature) for feature in json.loads(read_text(polygons))["features"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        expected = f"features with {' or '.join(SHAPE_KEYS)}"
        raise ConfigurationError(
            "no GeoJSON of areas", where=str(polygons), expected=expected, helps=str(error)
        ) from None


def _shape(feature: dict[str, Any]) -> tuple[str, Any]:
    from shapely.geometry import shape  # noqa: PLC0415

    properties = feature["properties"]
    key = next((key for key in SHAPE_KEYS if key in properties), SHAPE_KEYS[0])
    return str(properties[key]), shape(feature["geometry"])
