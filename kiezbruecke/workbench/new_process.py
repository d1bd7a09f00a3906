"""Writes the few files of a new process: its own file, made from another one's, and the list of its areas.

    mappings/processes/kk-tk-2026.yaml ─┐                      ┌─▶ mappings/processes/kf-li-2027.yaml   (mode: off)
    what the district brings ───────────┴─▶ drafted, tried ────┼─▶ mappings/codelists/bezirksregionen-li.csv
    (areas as CSV, shapes as GeoJSON)                          └─▶ mappings/codelists/bezirksregionen-li.geojson

What belongs to the other district – addresses, filing keys, modules – is not copied: a TODO stands there, and a process
with one cannot be put to use (`content/sets.py`). Tried in a copy first; written whole, or nothing is.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from kiezbruecke.content.processes import TODO, process_files
from kiezbruecke.content.sets import NAME
from kiezbruecke.errors import ConfigurationError, InputError
from kiezbruecke.machine import read_text, write_file
from kiezbruecke.mapping.codelists.reading import read_translation
from kiezbruecke.mapping.values import Unusable
from kiezbruecke.plain_yaml import read_yaml
from kiezbruecke.records.participation import LABEL
from kiezbruecke.workbench.given_areas import given_areas, given_shapes
from kiezbruecke.workbench.process_check import ProcessReport, report_of

_PREFIX = re.compile(r"[A-Z0-9]{2,6}")
_YEAR = re.compile(r"-(20\d\d)$")
_OF_ONE_YEAR = ("modules", "assemblies")  # another year has others
_OF_ONE_DISTRICT = ("legal_basis", "codelists")
_OF_ONE_KIND = ("texts",)  # what citizens read names the procedure
_OWNED = ("owner", "operations")
Path_ = tuple[str, ...]


@dataclass(frozen=True)
class ProcessRequest:
    """What a person asks for; empty where the other process or its kind says it."""

    id: str
    like: str
    district: str  # short name, as it stands in connections: li
    name: str
    year: int
    label: str = ""
    kind: str = ""
    bezirk: str = ""  # number or name
    reference_prefix: str = ""
    areas: Path | None = None
    shapes: Path | None = None
    shape_property: str = ""
    without: tuple[str, ...] = ()  # routes of the set that it does not have


@dataclass(frozen=True)
class NewProcess:
    """The files that were written, in the content, and what is still to be done."""

    files: tuple[Path, ...]
    report: ProcessReport


def new_process(content: Path, wanted: ProcessRequest) -> NewProcess:
    """Draft, try in a copy, write; raises InputError or ConfigurationError, and then nothing was written."""
    files = _draft(content, wanted)
    with tempfile.TemporaryDirectory() as folder:
        copy = _copy(content, Path(folder))
        _write(copy, files)
        report = report_of(copy, wanted.id)
    if report.errors:
        raise ConfigurationError(report.errors[0], helps="nothing was written")
    _write(content, files)
    return NewProcess(tuple(content / name for name in files), report)


def _draft(content: Path, wanted: ProcessRequest) -> dict[str, str]:
    """The text of every file, by its place in the content; the process comes last, for it puts the others to use."""
    source = _source(content, wanted)
    _refuse_bad_words(content, wanted)
    bezirk = _bezirk(content, wanted, source)
    areas, files = _areas(content, wanted, bezirk, source)
    name = f"mappings/processes/{wanted.id}.yaml"
    if (content / name).exists():
        raise InputError("Dieses Verfahren gibt es schon; es wurde nichts verändert", where=name)
    return {**files, name: _process(content, wanted, bezirk, areas)}


def _source(content: Path, wanted: ProcessRequest) -> Mapping[str, Any]:
    known = [file.stem for file in process_files(content)]
    if wanted.like not in known:
        raise InputError(f"Ein Verfahren „{wanted.like}“ gibt es nicht", where="--from", expected=", ".join(known))
    body = read_yaml(content / "mappings" / "processes" / f"{wanted.like}.yaml")
    if not isinstance(body.get("routes"), dict):
        raise InputError(f"„{wanted.like}“ macht keine Strecken aus einem Satz", where="--from")
    return body


def _refuse_bad_words(content: Path, wanted: ProcessRequest) -> None:
    if not re.fullmatch(NAME, wanted.id):
        expected = "Kleinbuchstaben, Ziffern, Bindestriche, etwa kf-li-2027"
        raise InputError(f"„{wanted.id}“ ist keine Kennung", expected=expected)
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,29}", wanted.district):
        raise InputError(f"„{wanted.district}“ ist kein Kürzel", where="--district", expected="etwa li")
    if not wanted.name.strip():
        raise InputError("Der Name fehlt", where="--name", expected="etwa „Kiezfonds Lichtenberg 2027“")
    if len(wanted.label) > LABEL:
        raise InputError("Das Wort ist zu lang", where="--label", expected=f"höchstens {LABEL} Zeichen")
    shorts = sorted({file.stem for folder in _sets(content, wanted.like) for file in folder.glob("*.yaml")})
    for short in wanted.without:
        if short not in shorts:
            raise InputError(
                f"Eine Strecke „{short}“ hat der Satz nicht", where="--without", expected=", ".join(shorts)
            )


def _bezirk(content: Path, wanted: ProcessRequest, source: Mapping[str, Any]) -> str:
    """The district's number: as given, by number or name; the other process's where the short name is the same."""
    if not wanted.bezirk:
        if wanted.district == source["routes"].get("district"):
            return str(source["bezirk_id"])
        raise InputError("Welcher Bezirk?", where="--bezirk", expected="Nummer oder Name, etwa 11 oder Lichtenberg")
    try:
        return read_translation(content, "berlin-bezirke").translate(wanted.bezirk)
    except Unusable:
        what, expected = f"Einen Bezirk „{wanted.bezirk}“ gibt es nicht", "Nummer oder Name, etwa 11 oder Lichtenberg"
        raise InputError(what, where="--bezirk", expected=expected) from None


# -- its areas -----------------------------------------------------------------------------------------------------


def _areas(content: Path, wanted: ProcessRequest, bezirk: str, source: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """The name of the list of areas, and what is to be written for it."""
    name = f"bezirksregionen-{wanted.district}"
    if wanted.areas is None:
        if wanted.shapes is not None:
            raise InputError("Flächen allein nützen nichts", where="--geojson", helps="die Liste mit --areas nennen")
        if bezirk == str(source["bezirk_id"]):
            return str(source["areas"]), {}
        if (content / "mappings" / "codelists" / f"{name}.csv").is_file():
            return name, {}
        helps = "kein anderer Bezirk kennt sie: eine CSV-Datei mit den Spalten id;name, eine Zeile je Bezirksregion"
        raise InputError("Die Liste der Bezirksregionen fehlt", where="--areas", helps=helps)
    given = given_areas(wanted.areas, bezirk)
    files = {f"mappings/codelists/{name}.csv": given.as_csv(wanted.name)}
    if wanted.shapes is not None:
        files[f"mappings/codelists/{name}.geojson"] = given_shapes(wanted.shapes, wanted.shape_property, given)
    for file in files:
        if (content / file).exists():
            helps = "ohne --areas wird die Liste genommen, die da ist"
            raise InputError("Diese Datei gibt es schon; es wurde nichts verändert", where=file, helps=helps)
    return name, files


# -- its file ------------------------------------------------------------------------------------------------------


def _process(content: Path, wanted: ProcessRequest, bezirk: str, areas: str) -> str:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes, yaml.width = True, 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.representer.add_representer(type(None), _null)
    body: CommentedMap = yaml.load(read_text(content / "mappings" / "processes" / f"{wanted.like}.yaml"))
    same = bezirk == str(body["bezirk_id"])
    _say_what_it_is(body, content, wanted, bezirk, areas)
    _say_its_routes(body, content, wanted, same=same)
    body.yaml_set_start_comment(
        f"{wanted.name}. Made from {wanted.like}; `kiezbruecke process check {wanted.id}` says what is missing."
    )
    out = StringIO()
    yaml.dump(body, out)
    return out.getvalue()


def _null(representer: Any, _: None) -> Any:
    """A route that is taken away says so in a word."""
    return representer.represent_scalar("tag:yaml.org,2002:null", "null")


def _say_what_it_is(body: CommentedMap, content: Path, wanted: ProcessRequest, bezirk: str, areas: str) -> None:
    same = bezirk == str(body["bezirk_id"])
    of_kind = () if wanted.kind in ("", body.get("process_kind", "kiezkasse")) else _OF_ONE_KIND
    for key in (*_OF_ONE_YEAR, *(() if same else _OF_ONE_DISTRICT), *of_kind, "label", "proposal_label"):
        body.pop(key, None)
    before = str(body["routes"]["district"])
    body["id"], body["name"] = wanted.id, wanted.name
    body["process_kind"] = wanted.kind or body.get("process_kind", "kiezkasse")
    if wanted.label:
        body.insert(list(body).index("process_kind") + 1, "label", wanted.label)
    body["reference_prefix"] = _reference_prefix(content, wanted)
    body["bezirk_id"], body["fiscal_year"], body["areas"] = DoubleQuotedScalarString(bezirk), wanted.year, areas
    if not same:
        body["organisation"] = f"{TODO} Dienststelle, wie sie auf den Blättern der Akte stehen soll"
    if "owner" in body:
        body["owner"] = _renamed(str(body["owner"]), before, wanted.district)


def _reference_prefix(content: Path, wanted: ProcessRequest) -> str:
    """What begins every Fremdkennzeichen: letters of the id and the year, and nobody else's."""
    taken = {str(read_yaml(file).get("reference_prefix")) for file in process_files(content)}
    if wanted.reference_prefix:
        if not _PREFIX.fullmatch(wanted.reference_prefix):
            raise InputError("Das ist kein Kürzel", where="--prefix", expected="2 bis 6 Großbuchstaben und Ziffern")
        candidates = [wanted.reference_prefix]
    else:
        kind, year = re.sub(r"[^A-Z0-9]", "", wanted.id.partition("-")[0].upper()), f"{wanted.year % 100:02d}"
        district = re.sub(r"[^A-Z0-9]", "", wanted.district.upper())
        candidates = [kind[:4] + year, kind[:1] + district[:3] + year, kind[:2] + district[:2] + year]
    for one in candidates:
        if one not in taken and _PREFIX.fullmatch(one):
            return one
    what, helps = f"Das Kürzel {candidates[0]} hat schon ein anderes Verfahren", "ein anderes mit --prefix nennen"
    raise InputError(what, where="--prefix", helps=helps)


def _say_its_routes(body: CommentedMap, content: Path, wanted: ProcessRequest, *, same: bool) -> None:
    routes = body["routes"]
    before = str(routes["district"])
    routes["prefix"], routes["district"] = _YEAR.sub("", wanted.id)[:30].rstrip("-"), wanted.district
    routes.pop("mode", None)
    routes.insert(
        list(routes).index("extends") + 1,
        "mode",
        "off",
        comment="nothing runs yet; take this line away when the connections are there",
    )
    sending = routes.setdefault("sending", CommentedMap())
    sending["mode"], sending["start_from"] = "dry_run", date(wanted.year, 1, 1)
    changes = routes.setdefault("changes", CommentedMap())
    for short, said in changes.items():
        if isinstance(said, dict):
            _say_anew(said, content, wanted, before, short, same=same)
    for short in wanted.without:
        changes[short] = None
    for short in [short for short, said in changes.items() if said == {}]:
        del changes[short]
    if not changes:
        del routes["changes"]


def _say_anew(
    said: dict[str, Any], content: Path, wanted: ProcessRequest, before: str, short: str, *, same: bool
) -> None:
    """What one route is told: owners under the new short name, and what only the other district knew as a TODO."""
    for key in _OWNED:
        if key in said:
            said[key] = _renamed(str(said[key]), before, wanted.district)
    options = said.get("with")
    if same or not isinstance(options, dict):
        return
    base = _options_of_sets(content, wanted.like, short)
    _forget_comments(options)
    for path, value in list(_leaves(options)):
        parent = _at(options, path[:-1])
        if _at(base, path) is not None:
            del parent[path[-1]]  # the set has a word for it that is everybody's
        elif not isinstance(value, bool):
            parent[path[-1]] = f"{TODO} {'.'.join(path)}"


def _forget_comments(body: Any) -> None:
    """They are about the other district's words."""
    if isinstance(body, CommentedMap):
        body.ca.items.clear()
        body.ca.comment = None
        for part in body.values():
            _forget_comments(part)


def _leaves(body: Mapping[str, Any], above: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    for key, value in body.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key), value


def _at(body: Any, path: Collection[str]) -> Any:
    for key in path:
        body = body.get(key) if isinstance(body, dict) else None
    return body


def _renamed(owner: str, before: str, after: str) -> str:
    """`spk-tk` becomes `spk-li`."""
    return f"{owner.removesuffix(f'-{before}')}-{after}" if owner.endswith(f"-{before}") else owner


def _options_of_sets(content: Path, like: str, short: str) -> dict[str, Any]:
    """What the sets of the other process say under `with` of one route; the last that says anything."""
    files = [folder / f"{short}.yaml" for folder in reversed(_sets(content, like))]
    said = [read_yaml(file).get("with") for file in files if file.is_file()]
    return next((options for options in said if options), {})


def _sets(content: Path, like: str) -> list[Path]:
    names = read_yaml(content / "mappings" / "processes" / f"{like}.yaml")["routes"]["extends"]
    return [content / "mappings" / "routes" / name for name in ([names] if isinstance(names, str) else names)]


# -- tried, then written -------------------------------------------------------------------------------------------


def _copy(content: Path, folder: Path) -> Path:
    """The content as a check sees it; only what is written into is copied."""
    (folder / "mappings").mkdir()
    (folder / "schemas").symlink_to(content / "schemas", target_is_directory=True)
    for one in (content / "mappings").iterdir():
        if one.name in ("processes", "codelists"):
            shutil.copytree(one, folder / "mappings" / one.name)
        else:
            (folder / "mappings" / one.name).symlink_to(one)
    return folder


def _write(content: Path, files: Mapping[str, str]) -> None:
    """All of them, or none: what stops the writing takes away what was written."""
    written: list[Path] = []
    try:
        for name, text in files.items():
            write_file(content / name, text)
            written.append(content / name)
    except BaseException:
        for file in written:
            file.unlink(missing_ok=True)
        raise
