"""Takes in the areas that a district brings: a list as CSV, their shapes as GeoJSON. Checked before they are ours."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiezbruecke.content.areas import SHAPE_KEYS
from kiezbruecke.errors import InputError
from kiezbruecke.machine import read_file, read_text
from kiezbruecke.mapping.values import fold

COLUMNS = ("id", "name", "aliases", "bezirk_id", "lor_version")
_ID = re.compile(r"[0-9A-Z]{1,6}")  # it is the Unterkonto of a booking, and part of the Fremdkennzeichen
_WIDE = 200  # letters of a name


@dataclass(frozen=True)
class GivenAreas:
    """A list of areas as it was given: a file's name and digest, and its rows in our columns."""

    file: Path
    digest: str
    rows: tuple[tuple[str, str, str, str, str], ...]

    def as_csv(self, title: str) -> str:
        """The code list; the line on top says where it is from."""
        out = io.StringIO()
        writer = csv.writer(out, delimiter=";", lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(self.rows)
        return (
            f"# Areas of {title}, as given by the district: {self.file.name}, SHA-256 {self.digest}.\n{out.getvalue()}"
        )

    @property
    def names(self) -> Mapping[str, str]:
        """The id by every name that is read as the area's: number, name, aliases, without regard to case and blanks."""
        return {
            fold(word): row[0] for row in self.rows for word in (row[0], row[1], *row[2].split("|")) if word.strip()
        }


def given_areas(file: Path, bezirk: str) -> GivenAreas:
    """A list with the columns id;name, and aliases;bezirk_id;lor_version if there are any; raises InputError."""
    try:
        text = read_text(file, what="the list")
    except FileNotFoundError:
        raise InputError("Diese Datei gibt es nicht", where=str(file)) from None
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    found = list(csv.reader(lines, delimiter=";"))
    header = [cell.strip().lower() for cell in found[0]] if found else []
    if "id" not in header or "name" not in header or set(header) - set(COLUMNS):
        expected = f"Spalten mit Semikolon: {';'.join(COLUMNS)}; nötig sind id und name"
        raise InputError("Die erste Zeile nennt andere Spalten", where=str(file), expected=expected)
    rows = tuple(_row(file, number, header, cells, bezirk) for number, cells in enumerate(found[1:], 2))
    if not rows:
        raise InputError("Es steht keine Bezirksregion darin", where=str(file))
    _refuse_ambiguous(file, rows)
    return GivenAreas(file, hashlib.sha256(read_file(file)).hexdigest(), rows)


def given_shapes(file: Path, key: str, areas: GivenAreas) -> str:
    """The shapes as our GeoJSON: of each area its number and name and the geometry, nothing else; raises InputError."""
    body = _geojson(file)
    features = [_feature(file, number, one, key, areas) for number, one in enumerate(body, 1)]
    ids = [one["properties"][SHAPE_KEYS[0]] for one in features]
    for row in areas.rows:
        if row[0] not in ids:
            helps = "ohne Fläche würde ein Punkt, der dort liegt, einer anderen Bezirksregion fehlen"
            raise InputError(f"Für {row[1]} ({row[0]}) gibt es keine Fläche", where=str(file), helps=helps)
    listed = ",\n".join(json.dumps(one, ensure_ascii=False) for one in features)
    return f'{{"type": "FeatureCollection", "features": [\n{listed}\n]}}\n'


def _row(file: Path, number: int, header: list[str], cells: list[str], bezirk: str) -> tuple[str, str, str, str, str]:
    where = f"{file}, Zeile {number}"
    if len(cells) != len(header):
        raise InputError("Die Zeile hat mehr oder weniger Spalten als die erste", where=where)
    said = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    if not _ID.fullmatch(said["id"]):
        what = f"„{said['id']}“ kann keine Nummer sein: Sie wird das Unterkonto der Festlegung"
        raise InputError(what, where=where, expected="1 bis 6 Ziffern oder Großbuchstaben, etwa LI01")
    if not 0 < len(said["name"]) <= _WIDE:
        raise InputError("Der Name fehlt oder ist zu lang", where=where, expected=f"1 bis {_WIDE} Zeichen")
    if said.get("bezirk_id", bezirk) not in ("", bezirk):
        raise InputError("Die Zeile gehört einem anderen Bezirk", where=where, expected=bezirk)
    return said["id"], said["name"], said.get("aliases", ""), bezirk, said.get("lor_version", "")


def _refuse_ambiguous(file: Path, rows: tuple[tuple[str, str, str, str, str], ...]) -> None:
    """A name that two areas answer to would be a guess in every sheet."""
    known: dict[str, str] = {}
    for row in rows:
        own = {fold(word) for word in (row[0], row[1], *row[2].split("|")) if word.strip()}
        for word in sorted(own):
            if word in known:
                raise InputError(f"„{word}“ steht für {known[word]} und für {row[0]}", where=str(file))
        known |= dict.fromkeys(own, row[0])


def _geojson(file: Path) -> list[Any]:
    try:
        body = json.loads(read_text(file, what="the shapes"))
        features = body["features"]
    except FileNotFoundError:
        raise InputError("Diese Datei gibt es nicht", where=str(file)) from None
    except (ValueError, KeyError, TypeError):
        raise InputError("Das ist kein GeoJSON", where=str(file), expected="eine FeatureCollection") from None
    if not isinstance(features, list) or not features:
        raise InputError("Es steht keine Fläche darin", where=str(file))
    return features


def _feature(file: Path, number: int, one: Any, key: str, areas: GivenAreas) -> dict[str, Any]:
    where = f"{file}, Fläche {number}"
    properties = one.get("properties") if isinstance(one, dict) else None
    if not isinstance(properties, dict):
        raise InputError("Die Fläche hat keine Merkmale (properties)", where=where)
    names = (key,) if key else SHAPE_KEYS
    said = next((str(properties[name]) for name in names if properties.get(name) is not None), None)
    if said is None:
        expected = ", ".join(str(name) for name in properties)
        helps = "mit --geojson-property sagen, welches Merkmal die Nummer oder den Namen trägt"
        raise InputError(f"Das Merkmal {' oder '.join(names)} fehlt", where=where, expected=expected, helps=helps)
    area_id = areas.names.get(fold(said))
    if area_id is None:
        raise InputError(f"„{said}“ steht nicht in der Liste der Bezirksregionen", where=where)
    name = next(row[1] for row in areas.rows if row[0] == area_id)
    geometry = one.get("geometry")
    _refuse_bad_shape(geometry, f"{where} ({name})")
    return {"type": "Feature", "properties": {SHAPE_KEYS[0]: area_id, "name": name}, "geometry": geometry}


def _refuse_bad_shape(geometry: Any, where: str) -> None:
    from shapely.geometry import shape  # noqa: PLC0415 - 0.3 s, only here
    from shapely.validation import explain_validity  # noqa: PLC0415

    if not isinstance(geometry, dict) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        raise InputError("Das ist keine Fläche", where=where, expected="Polygon oder MultiPolygon")
    for lon, lat in _points(geometry.get("coordinates"), where):
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            expected = "Länge und Breite in WGS84 (EPSG:4326)"
            raise InputError("Die Koordinaten sind keine Grade", where=where, expected=expected)
    try:
        found = shape(geometry)
    except (ValueError, TypeError, KeyError, IndexError):
        raise InputError("Die Fläche lässt sich nicht lesen", where=where) from None
    if not found.is_valid or found.is_empty:
        helps = re.sub(r"\[.*", "", explain_validity(found)).strip()
        raise InputError("Die Fläche ist nicht eindeutig, etwa kreuzt sich ihr Rand", where=where, helps=helps)


def _points(part: Any, where: str) -> Iterator[tuple[float, float]]:
    if isinstance(part, list) and len(part) >= 2 and all(isinstance(one, int | float) for one in part):
        yield float(part[0]), float(part[1])
    elif isinstance(part, list):
        for one in part:
            yield from _points(one, where)
    else:
        raise InputError("Die Fläche lässt sich nicht lesen", where=where)
