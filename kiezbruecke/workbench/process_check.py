"""What a process still lacks until it can be put to use: what is wrong, what is open, which connections it needs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from kiezbruecke.cases.areas import read_shapes
from kiezbruecke.connector import Manifest, manifests
from kiezbruecke.content.owners import FILE as OWNERS
from kiezbruecke.content.owners import owner_of, reaches_nobody, read_owners
from kiezbruecke.content.processes import open_places, read_code_lists, read_process
from kiezbruecke.content.routes import CollectingRoute, Route, RoutePlace, places_of, route_places
from kiezbruecke.content.sets import is_off
from kiezbruecke.errors import ConfigurationError, KiezbrueckeError
from kiezbruecke.fitting import mappings_of, refuse_unfit_words
from kiezbruecke.german import BERLIN
from kiezbruecke.mapping import Mapping, load_mapping
from kiezbruecke.mapping.codelists.checking import check_list
from kiezbruecke.mapping.codelists.uses import find_uses
from kiezbruecke.plain_yaml import place_of
from kiezbruecke.probing import party_of
from kiezbruecke.records import Process

Known = Callable[[str], bool]


@dataclass(frozen=True)
class Needed:
    """A connection that the routes of a process name."""

    name: str
    routes: tuple[str, ...]
    types: tuple[str, ...]  # Airflow's connection types that can be what the routes need; one, as a rule
    form: dict[str, Any]  # Airflow's JSON form, with „…“ where only the district knows
    known: bool = False
    used: bool = True  # by a route that is on; what is off lacks nothing

    @property
    def missing(self) -> bool:
        """Whether somebody has to make it before the process can run."""
        return self.used and not self.known

    @property
    def variable(self) -> str:
        """Where commands look it up."""
        return "KIEZBRUECKE_CONN_" + self.name.upper().replace("-", "_")

    @property
    def command(self) -> str:
        """How Airflow is told."""
        return f"airflow connections add {self.name} --conn-json '{json.dumps(self.form, ensure_ascii=False)}'"


@dataclass(frozen=True)
class ProcessReport:
    """A process as it stands."""

    id: str
    off: bool
    process: Process | None = None
    routes: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()  # one line each, with file and line
    open: tuple[tuple[str, str], ...] = ()  # place, and what is to stand there
    connections: tuple[Needed, ...] = field(default=())
    unread: tuple[tuple[str, str], ...] = ()  # place, and whose post goes to an invented address: before going live

    @property
    def ready(self) -> bool:
        """Whether it can be put to use, or is."""
        return not self.errors and not self.open and not any(one.missing for one in self.connections)


def report_of(content: Path, process_id: str, known: Known = lambda _: False) -> ProcessReport:
    """Everything about a process; `known`: whether a connection of this name is there. Calls nobody."""
    file = content / "mappings" / "processes" / f"{process_id}.yaml"
    try:
        process, lists = read_process(content, process_id), read_code_lists(content, process_id)
        off, places = is_off(file), places_of(content, process_id)
        opened = tuple((_shown(content, place), text) for place, text in open_places(file))
        opened += tuple(_of_namesakes(content, file, places) if off else ())
    except KiezbrueckeError as error:
        return ProcessReport(process_id, off=False, errors=(_shown(content, error.line()),))
    errors = [*_of_lists(content, process), *(_shown(content, why) for why in _of_routes(content, places, lists))]
    found = dict(_readable(places))
    return ProcessReport(
        process_id,
        off,
        process,
        tuple(place.name for place in places),
        tuple(errors),
        opened,
        tuple(_needed(content, found, known)),
        tuple(_unread(content, process, found)),
    )


def _of_namesakes(content: Path, file: Path, places: list[RoutePlace]) -> Iterator[tuple[str, str]]:
    """Last year's process may still have the routes; two of one name would both be refused."""
    used = {place.name: place.files[-1].stem for place in route_places(content)}
    for other in sorted({used[place.name] for place in places if place.name in used}):
        yield _shown(content, place_of(file, ("routes", "prefix"))), f"zuerst {other} auf „mode: off“: dieselben Namen"


def _of_lists(content: Path, process: Process) -> Iterator[str]:
    name = f"{process.area_list}.csv"
    findings = check_list(content, name, find_uses(content), datetime.now(BERLIN).date())
    yield from (finding.line() for finding in findings if finding.severity == "error")
    shapes = content / "mappings" / "codelists" / f"{process.area_list}.geojson"
    try:
        strangers = {area_id for area_id, _ in read_shapes(shapes)} - {area.id for area in process.areas}
    except ConfigurationError as error:
        yield _shown(content, error.line())
        return
    for one in sorted(strangers):
        yield f"{shapes.relative_to(content)}: a shape of '{one}', which is no area of {name}"


def _of_routes(content: Path, places: list[RoutePlace], lists: Any) -> Iterator[str]:
    names = {place.name for place in (*places, *route_places(content))}
    for place in places:
        try:
            route = refuse_unfit_words(place, content, names)
            for mapping in mappings_of(route):
                load_mapping(mapping, content, lists)
        except KiezbrueckeError as error:
            yield error.line()


def _unread(content: Path, process: Process, routes: dict[str, Route]) -> Iterator[tuple[str, str]]:
    """Whose post reaches nobody: the addresses that are shipped are nobody's."""
    owners = read_owners(content)
    named = {process.owner, *(name for route in routes.values() for name in (route.owner, route.operations))}
    lines = {pattern for name in named for pattern in owners if owner_of(owners, name) is owners[pattern]}
    for pattern in owners:
        if pattern in lines and (invented := [one for one in owners[pattern].to if reaches_nobody(one)]):
            yield _shown(content, place_of(content / OWNERS, (pattern, "to"))), ", ".join(invented)


def _readable(places: list[RoutePlace]) -> Iterator[tuple[str, Route]]:
    for place in places:
        try:
            yield place.name, place.read()
        except ConfigurationError:
            continue  # said already


# -- its connections -----------------------------------------------------------------------------------------------


def _needed(content: Path, routes: dict[str, Route], known: Known) -> Iterator[Needed]:
    for name in dict.fromkeys(party_of(route) for route in routes.values()):
        using = {short: route for short, route in routes.items() if party_of(route) == name}
        fitting = [one for one in manifests().values() if all(_can(one, route, content) for route in using.values())]
        sure = [one for one in fitting if all(_can(one, route, content, sure=True) for route in using.values())]
        found = [one for one in fitting if one.name in name] or sure or fitting
        form = _form(found[0], using, content) if found else {}
        types = tuple(one.connection_type for one in found)
        used = any(isinstance(route, CollectingRoute) or route.mode != "off" for route in using.values())
        yield Needed(name, tuple(using), types, form, known(name), used)


def _can(manifest: Manifest, route: Route, content: Path, *, sure: bool = False) -> bool:
    """Whether a connector speaks what the route reads or sends; `sure`: it names it, and not only `*`."""
    if isinstance(route, CollectingRoute):
        kinds = {kind for mapping in _mappings(route, content) for kind in mapping.reads}
        wanted, offered = kinds, manifest.item_kinds if manifest.source else ()
    else:
        of_profiles = (effect for profile in manifest.profiles.values() for effect in profile.effects)
        wanted, offered = {route.effect}, (*manifest.effects, *of_profiles)
    return any(fnmatchcase(one, known) for one in wanted for known in offered if not (sure and known == "*"))


def _form(manifest: Manifest, using: dict[str, Route], content: Path) -> dict[str, Any]:
    """What must be filled in, and what follows from the routes: the profile of a folder is the table that is read."""
    mappings = [mapping for route in using.values() for mapping in _mappings(route, content)]
    sources = [one.definition.source.shape for one in mappings if one.definition.source.kind == "table"]
    tables = [*sources, *(one.target.removeprefix("table ") for one in mappings if one.target.startswith("table "))]
    required = [name for name, said in manifest.fields.items() if said.required]
    extra = {name: tables[0] if name == "profile" and tables else "…" for name in required}
    hosts = {"http": "https://…", "sftp": "…", "none": ""}
    host = hosts[manifest.transport]
    address = {"host": host, "login": "…", "password": "…"} if host else {}
    return {"conn_type": manifest.connection_type, **address, **({"extra": extra} if extra else {})}


def _mappings(route: Route, content: Path) -> Iterator[Mapping]:
    for name in mappings_of(route):
        try:
            yield load_mapping(name, content)
        except ConfigurationError:
            continue


def _shown(content: Path, line: str) -> str:
    """Paths as they stand in the content."""
    return line.replace(f"{content}/", "")
