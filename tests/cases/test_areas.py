"""Which area a proposal belongs to. Nothing is guessed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kiezbruecke.cases.areas import area_at, place
from kiezbruecke.content.areas import read_areas
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.records import Module, Point
from tests.builders import MUEGGELHEIM, PROCESS, ROOT, a_proposal

POLYGONS = ROOT / "mappings/codelists/bezirksregionen-tk.geojson"
OPEN = PROCESS.model_copy(update={"modules": (Module(id=11, type="budgeting", area=None),)})
ALEXANDERPLATZ = Point(lon=13.4132, lat=52.5219)


def test_what_the_platform_says_stays() -> None:
    """The mapping has read it."""
    assert place(a_proposal(), PROCESS, POLYGONS) == a_proposal()


def test_a_module_for_one_area_names_it() -> None:
    """mein.berlin has one module per Kiezkasse."""
    placed = place(a_proposal(area_id=None, area_origin="unknown", module_id=11), PROCESS, POLYGONS)

    assert (placed.area_id, placed.area_origin) == ("090416", "module")


def test_else_the_point_decides() -> None:
    """A module for the whole district."""
    inside = _some_point_in(MUEGGELHEIM)
    placed = place(a_proposal(area_id=None, area_origin="unknown", module_id=11, point=inside), OPEN, POLYGONS)

    assert (placed.area_id, placed.area_origin) == (MUEGGELHEIM, "point")


@pytest.mark.parametrize("point", [None, ALEXANDERPLATZ], ids=["no point", "outside the district"])
def test_without_either_it_has_none(point: Point | None) -> None:
    """The clerk's sheet will say, or a person."""
    placed = place(a_proposal(area_id=None, area_origin="unknown", point=point), OPEN, POLYGONS)

    assert (placed.area_id, placed.area_origin) == (None, "unknown")


def test_every_demo_area_has_a_polygon() -> None:
    """Else a point there would belong nowhere."""
    known = {feature["properties"]["lor_bzr_id"] for feature in json.loads(POLYGONS.read_text("utf-8"))["features"]}

    assert {area.id for area in PROCESS.areas} <= known


def test_without_polygons_nothing_is_found(tmp_path: Path) -> None:
    """A district may have none; its modules then name their areas."""
    assert area_at(ALEXANDERPLATZ, tmp_path / "none.geojson") is None


def test_a_broken_polygon_file_names_itself(tmp_path: Path) -> None:
    """IT operations mends it."""
    broken = tmp_path / "areas.geojson"
    broken.write_text('{"features": [{}]}', "utf-8")

    with pytest.raises(ConfigurationError, match=r"areas\.geojson: no GeoJSON of areas"):
        area_at(ALEXANDERPLATZ, broken)


def _some_point_in(area_id: str) -> Point:
    from shapely.geometry import shape

    body = json.loads(POLYGONS.read_text("utf-8"))
    found = next(one for one in body["features"] if one["properties"]["lor_bzr_id"] == area_id)
    place = shape(found["geometry"]).representative_point()
    return Point(lon=place.x, lat=place.y)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("id;name;aliases;bezirk_id\n1;Mitte;;01\n", "row 1: the column 'lor_version' is missing"),
        (f"id;name;aliases;bezirk_id;lor_version\n1;{'x' * 201};;01;2021\n", "row 1: name: .* at most 200"),
        ("id;name;aliases;bezirk_id;lor_version\n1;Mitte;;01;2021\n2\n", "row 2: name: "),
    ],
)
def test_a_row_that_is_no_area_is_named(tmp_path: Path, text: str, line: str) -> None:
    """Mappings rely on names of at most 200 letters; a clerk's editor drops columns."""
    (tmp_path / "mappings/codelists").mkdir(parents=True)
    (tmp_path / "mappings/codelists/hier.csv").write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match=line):
        read_areas(tmp_path, "hier")


def _shapes(tmp_path: Path, **shapes: list[list[tuple[float, float]]]) -> Path:
    """Rings by area: the first is the border, the others are holes."""
    file = tmp_path / "flaechen.geojson"
    features = [
        {"properties": {"area_id": area}, "geometry": {"type": "Polygon", "coordinates": rings}}
        for area, rings in shapes.items()
    ]
    file.write_text(json.dumps({"features": features}), "utf-8")
    return file


def _square(west: float, east: float) -> list[tuple[float, float]]:
    return [(west, 0.0), (east, 0.0), (east, 4.0), (west, 4.0), (west, 0.0)]


@pytest.mark.parametrize(
    ("lon", "lat", "area"),
    [
        (1.0, 1.0, "A"),
        (0.0, 1.0, "A"),  # on the border of one
        (4.0, 1.0, None),  # on the border of both
        (2.0, 2.0, None),  # in a hole
        (1.5, 2.0, "A"),  # on the border of the hole
        (8.5, 1.0, None),  # in two that overlap
        (20.0, 1.0, None),
    ],
)
def test_a_border_a_hole_and_two_shapes_are_never_guessed(
    tmp_path: Path, lon: float, lat: float, area: str | None
) -> None:
    """Whichever shape stood first in the file would decide on whose money it is."""
    hole = [(1.5, 1.5), (2.5, 1.5), (2.5, 2.5), (1.5, 2.5), (1.5, 1.5)]
    rings = {"A": [_square(0, 4), hole], "B": [_square(4, 9)], "C": [_square(8, 12)]}

    assert area_at(Point(lon=lon, lat=lat), _shapes(tmp_path, **rings)) == area
    assert area_at(Point(lon=lon, lat=lat), _shapes(tmp_path, **dict(reversed(rings.items())))) == area


def test_a_changed_file_of_shapes_is_read_again(tmp_path: Path) -> None:
    """A worker lives longer than a file."""
    there = Point(lon=1, lat=1)

    assert area_at(there, _shapes(tmp_path, A=[_square(0, 4)])) == "A"
    assert area_at(there, _shapes(tmp_path, NEU=[_square(0, 4)])) == "NEU"


def test_the_only_area_of_a_process_is_everybodys(tmp_path: Path) -> None:
    """A Bürgerhaushalt of the whole district asks nobody where a proposal belongs."""
    single = OPEN.model_copy(update={"areas": PROCESS.areas[:1]})
    placed = place(a_proposal(area_id=None, area_origin="unknown"), single, tmp_path / "none.geojson")

    assert (placed.area_id, placed.area_origin) == (PROCESS.areas[0].id, "only")
