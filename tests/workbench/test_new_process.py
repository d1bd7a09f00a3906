"""A new process from another one: the few files, what is still to be filled in, and that half of it is never there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kiezbruecke.content.processes import read_code_lists, read_process
from kiezbruecke.content.routes import find_route, places_of, route_places
from kiezbruecke.errors import ConfigurationError, InputError, MachineError
from kiezbruecke.workbench import new_process as module
from kiezbruecke.workbench.new_process import ProcessRequest, new_process
from kiezbruecke.workbench.process_check import report_of

AREAS = "id;name;aliases\nLI01;Seeufer;Ufer|Am See\nLI02;Am Wasserturm;\n"
PROCESS = "mappings/processes/kf-li-2027.yaml"
LIST = "mappings/codelists/bezirksregionen-li.csv"
SHAPES = "mappings/codelists/bezirksregionen-li.geojson"
NEXT_YEAR = ProcessRequest("kk-tk-2027", "kk-tk-2026", "tk", "Kiezkassen Treptow-Köpenick 2027", 2027)


@pytest.fixture
def wanted(tmp_path: Path) -> ProcessRequest:
    """What a second district asks for."""
    file = tmp_path / "gebiete.csv"
    file.write_text(AREAS, "utf-8")
    named = ProcessRequest("kf-li-2027", "kk-tk-2026", "li", "Kiezfonds Lichtenberg 2027", 2027, kind="kiezfonds")
    return replace(named, bezirk="Lichtenberg", areas=file, without=("meinberlin", "antworten"))


def test_a_district_is_a_process_file_and_a_list(content: Path, wanted: ProcessRequest) -> None:
    """The rest it has in common with the others."""
    before = _files(content)
    made = new_process(content, wanted)
    process = read_process(content, wanted.id)

    assert sorted(_files(content) - before) == [LIST, PROCESS]
    assert [str(file.relative_to(content)) for file in made.files] == [LIST, PROCESS]
    assert (process.label, process.reference_prefix, process.bezirk_id) == ("Kiezfonds", "KF27", "11")
    assert [(area.id, area.name, area.aliases) for area in process.areas] == [
        ("LI01", "Seeufer", ("Ufer", "Am See")),
        ("LI02", "Am Wasserturm", ()),
    ]
    assert read_code_lists(content, wanted.id) == {"bezirksregionen": "bezirksregionen-li"}


def test_nothing_of_the_other_district_is_in_its_file(content: Path, wanted: ProcessRequest) -> None:
    """A filing key of another district would file there."""
    new_process(content, wanted)
    text = (content / PROCESS).read_text("utf-8")

    for word in ("Köpenick", "-tk\n", "0115/10/12", "TEST-0815", "mueggelheim", "Kiezkasse"):
        assert word not in text, word


def test_it_rests_until_somebody_puts_it_to_use(content: Path, wanted: ProcessRequest) -> None:
    """Collecting routes are live at once, and a task without its pool waits for ever."""
    before = [place.name for place in route_places(content)]
    new_process(content, wanted)

    assert [place.name for place in route_places(content)] == before
    with pytest.raises(ConfigurationError, match=r"'kf-li-hkr' is not in use: its process is off"):
        find_route(content, "kf-li-hkr")


def test_what_is_open_keeps_it_from_being_put_to_use(content: Path, wanted: ProcessRequest) -> None:
    """A TODO as filing key would stand in a file for years."""
    made = new_process(content, wanted)
    file = content / PROCESS
    file.write_text(
        "".join(line for line in file.read_text("utf-8").splitlines(True) if "mode: off" not in line), "utf-8"
    )

    assert [text for _, text in made.report.open][1:] == [
        "TODO sender.institution",
        "TODO receiver.institution",
        "TODO filing.key",
    ]
    for place in places_of(content, wanted.id):
        with pytest.raises(ConfigurationError, match=r"kf-li-2027\.yaml:\d+:\d+: something must still be filled in"):
            place.read()


def test_it_names_every_connection_with_what_it_must_be(content: Path, wanted: ProcessRequest) -> None:
    """IT operations creates them from this list and from nothing else."""
    connections = {one.name: one for one in new_process(content, wanted).report.connections}

    assert {name: one.types for name, one in connections.items()} == {
        "antraege-li": ("kb_folder", "kb_webhook"),
        "beschluesse-li": ("kb_folder", "kb_webhook"),
        "budgets-li": ("kb_folder", "kb_webhook"),
        "eakte-li": ("kb_xta",),
        "hkr-li": ("kb_hkr",),
        "nachweise-li": ("kb_folder", "kb_webhook"),
        "statusliste-li": ("kb_folder",),
        "offene-daten-li": ("kb_folder",),
    }
    assert connections["offene-daten-li"].form["extra"] == {"path": "…", "profile": "offene-daten"}
    assert connections["hkr-li"].variable == "KIEZBRUECKE_CONN_HKR_LI"
    assert connections["budgets-li"].form["extra"] == {"path": "…", "profile": "budget-sheet"}
    assert connections["hkr-li"].command.startswith(
        'airflow connections add hkr-li --conn-json \'{"conn_type": "kb_hkr"'
    )


def test_next_year_keeps_what_the_district_knows(content: Path) -> None:
    """Only year and modules are others; the names of the routes stay, so last year's must rest first."""
    made = new_process(content, NEXT_YEAR)
    before, after = read_process(content, "kk-tk-2026"), read_process(content, "kk-tk-2027")

    assert [file.name for file in made.files] == ["kk-tk-2027.yaml"]
    assert (after.areas, after.organisation, after.legal_basis) == (
        before.areas,
        before.organisation,
        before.legal_basis,
    )
    assert (after.modules, after.reference_prefix) == ((), "KK27")
    assert [text for _, text in made.report.open] == ["zuerst kk-tk-2026 auf „mode: off“: dieselben Namen"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"like": "kk-tk-2025"}, "Ein Verfahren „kk-tk-2025“ gibt es nicht"),
        ({"id": "KF li"}, "ist keine Kennung"),
        ({"id": "kk-tk-2026"}, "gibt es schon"),
        ({"district": "Lichtenberg!"}, "ist kein Kürzel"),
        ({"bezirk": ""}, "Welcher Bezirk"),
        ({"bezirk": "Potsdam"}, "Einen Bezirk „Potsdam“ gibt es nicht"),
        ({"label": "K" * 41}, "Das Wort ist zu lang"),
        ({"kind": "kiezpott"}, "process_kind"),
        ({"reference_prefix": "KK26"}, "hat schon ein anderes Verfahren"),
        ({"areas": None}, "Die Liste der Bezirksregionen fehlt"),
        ({"areas": Path("nirgends.csv")}, "Diese Datei gibt es nicht"),
        ({"without": ("mailberlin",)}, "Eine Strecke „mailberlin“ hat der Satz nicht"),
    ],
)
def test_what_cannot_be_leaves_nothing_behind(
    content: Path, wanted: ProcessRequest, change: dict[str, object], expected: str
) -> None:
    """One line: what, where, what helps."""
    before = _files(content)
    with pytest.raises(ConfigurationError, match=expected):
        new_process(content, replace(wanted, **change))  # type: ignore[arg-type]
    assert _files(content) == before


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "nennt andere Spalten"),
        ("id;name\n", "keine Bezirksregion"),
        ("nummer;name\n1;A\n", "nennt andere Spalten"),
        ("id;name\nLI01\n", "Zeile 2: Die Zeile hat mehr oder weniger"),
        ("id;name\nli-01;A\n", "„li-01“ kann keine Nummer sein"),
        ("id;name\nLI01;\n", "Der Name fehlt"),
        ("id;name;aliases\nLI01;A;See\nLI02;B;see \n", "„see“ steht für LI01 und für LI02"),
        ("id;name;bezirk_id\nLI01;A;09\n", "gehört einem anderen Bezirk"),
    ],
)
def test_a_list_that_could_be_misread_is_refused(
    content: Path, wanted: ProcessRequest, text: str, expected: str
) -> None:
    """Numbers become accounts of bookings, names are what clerks type."""
    assert wanted.areas is not None
    wanted.areas.write_text(text, "utf-8")
    with pytest.raises(InputError, match=expected):
        new_process(content, wanted)


def test_a_full_disk_takes_the_list_away_again(
    content: Path, wanted: ProcessRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list without its process would be in the way of the next try."""
    write, calls = module.write_file, []

    def fails_at_last(file: Path, text: str) -> None:
        calls.append(file)
        if len(calls) == 4:  # twice in the copy, then the list, then the process
            raise MachineError("no space left on device", where=str(file))
        write(file, text)

    monkeypatch.setattr(module, "write_file", fails_at_last)
    before = _files(content)
    with pytest.raises(MachineError):
        new_process(content, wanted)
    assert _files(content) == before


def test_shapes_are_taken_over_by_number_or_name_and_with_nothing_else(content: Path, wanted: ProcessRequest) -> None:
    """A district's export names them as it likes and says more than we need."""
    shapes = _geojson(wanted, ("Seeufer", 13.0), ("am wasserturm", 13.2), key="STADTTEIL")
    new_process(content, replace(wanted, shapes=shapes, shape_property="STADTTEIL"))
    body = json.loads((content / SHAPES).read_text("utf-8"))

    assert [one["properties"] for one in body["features"]] == [
        {"area_id": "LI01", "name": "Seeufer"},
        {"area_id": "LI02", "name": "Am Wasserturm"},
    ]
    assert report_of(content, wanted.id).errors == ()


@pytest.mark.parametrize(
    ("shapes", "key", "expected"),
    [
        ([("LI01", 13.0)], "area_id", "Für Am Wasserturm .LI02. gibt es keine Fläche"),
        ([("LI01", 13.0), ("LI03", 13.2)], "area_id", "„LI03“ steht nicht in der Liste"),
        ([("LI01", 13.0), ("LI02", 389000.0)], "area_id", "sind keine Grade"),
        ([("LI01", 13.0), ("LI02", 13.2)], "BZR", "Das Merkmal area_id oder lor_bzr_id fehlt"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(
    content: Path, wanted: ProcessRequest, shapes: list[tuple[str, float]], key: str, expected: str
) -> None:
    """A shape that is missing would send its points nowhere, and one too many to a stranger."""
    with pytest.raises(InputError, match=expected):
        new_process(content, replace(wanted, shapes=_geojson(wanted, *shapes, key=key)))


def _geojson(wanted: ProcessRequest, *shapes: tuple[str, float], key: str) -> Path:
    assert wanted.areas is not None
    file = wanted.areas.with_name("flaechen.geojson")
    features = [
        {"type": "Feature", "properties": {key: name, "einwohner": 17}, "geometry": _square(west)}
        for name, west in shapes
    ]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    return file


def _square(west: float) -> dict[str, object]:
    ring = [[west, 52.0], [west + 0.1, 52.0], [west + 0.1, 52.1], [west, 52.1], [west, 52.0]]
    return {"type": "Polygon", "coordinates": [ring]}


def _files(content: Path) -> set[str]:
    return {file.relative_to(content).as_posix() for file in content.rglob("*") if file.is_file()}
