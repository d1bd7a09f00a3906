"""Routes: one DAG each. A collecting route empties a source, a sending route does what is due.

mappings/routes/<name>.yaml                             one file, one route
mappings/routes/<set>/*.yaml + a process file's routes  the routes of a set, for one process (`sets.py`)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from kiezbruecke.content.sets import NAME, Layer, Made, Names, made_routes
from kiezbruecke.errors import ConfigurationError, InputError
from kiezbruecke.german import BERLIN
from kiezbruecke.plain_yaml import holds, place_of, read_yaml


class _Route(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: str = Field(pattern=NAME)
    process: str
    owner: str
    operations: str = Field("it-betrieb", description="Who is named on the list where the connection is out of order")
    title: str = Field("", description="One German line for people")
    schedule: str | None = Field(None, description="Cron, Europe/Berlin")
    after: Names = Field((), description="Also start when one of these routes has brought something")
    options: dict[str, Any] = Field({}, alias="with", description="What mappings read as route.*")
    ask: bool = Field(False, description="Also ask in Airflow's required actions about points that stop the route")
    drift: Literal["warn", "stop"] = Field("warn", description="What a change that breaks a mapping does to a run")


class CollectingRoute(_Route):
    """Empties one source or box."""

    collect: str = Field(description="A connection")
    mapping: Names = Field(description="Inbound mappings; the item's kind chooses")


class Pace(BaseModel):
    """How fast a route may speak to people. What does not go now waits, and is no failure."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    per_hour: int | None = Field(None, ge=1, description="How many messages may leave in an hour, of all its processes")
    quiet: str = Field("", pattern=r"^(\d\d:\d\d-\d\d:\d\d)?$", description="When none leaves, in Berlin: 20:00-07:00")

    @field_validator("quiet")
    @classmethod
    def _are_times(cls, given: str) -> str:
        if given and len(set(_times(given))) < 2:
            raise ValueError("from and to are the same time")
        return given

    def is_quiet(self, at: datetime) -> bool:
        """Whether nobody is to be disturbed at this moment."""
        if not self.quiet:
            return False
        begin, end = _times(self.quiet)
        moment = at.astimezone(BERLIN).time()
        return begin <= moment < end if begin < end else moment >= begin or moment < end


def _times(span: str) -> tuple[time, time]:
    begin, end = (time.fromisoformat(one) for one in span.split("-"))
    return begin, end


class SendingRoute(_Route):
    """Does what is due at one destination."""

    due: str = Field(description="The rule of the effect")
    effect: str = Field(description="A file of kiezbruecke/effects; asked of it when the route is checked or runs")
    mapping: str = Field(description="Outbound mapping")
    destination: str = Field(description="A connection")
    environment: Literal["live", "test"] = "live"
    mode: Literal["off", "dry_run", "live"] = "dry_run"
    start_from: date
    window: int = Field(1, ge=1, le=100, description="How many messages a crash may leave in doubt at once")
    connections: int = Field(1, ge=1, le=16, description="How many of a window are sent side by side")
    answer_within_days: int = Field(3, ge=1, description="After this a missing receipt raises attention")
    pace: Pace = Pace()
    release: Literal["none", "four_eyes"] = Field(
        "none", description="four_eyes: leaves with the marks of two persons only (kiezbruecke release)"
    )


Route = CollectingRoute | SendingRoute


@dataclass(frozen=True)
class RoutePlace:
    """A route's name, the files that say it, and how it is read; reading raises ConfigurationError."""

    name: str
    files: tuple[Path, ...]  # its own – or the set's, and the process's that makes it
    read: Callable[[], Route]
    layers: tuple[Layer, ...] = ()
    off: bool = False  # its process is prepared and not in use: it can be checked, and never runs

    @property
    def file(self) -> Path:
        """The file to look at first."""
        return self.files[0]

    def at(self, *keys: str | int) -> str:
        """`file:line:column` of the last word on a key, or of where it can be said."""
        return _at(self.layers, *keys) if self.layers else str(self.file)


def route_places(content: Path) -> list[RoutePlace]:
    """All routes in use, sorted by name. Nothing but process files is read: a broken route is found when it is read."""
    own = [RoutePlace(file.stem, (file,), partial(read_route, file), (Layer(file),)) for file in _own_files(content)]
    places = [*own, *(_place(made) for made in made_routes(content) if not made.off)]
    twice = {name for name, count in Counter(place.name for place in places).items() if count > 1}
    single = [place for place in places if place.name not in twice]
    return sorted([*single, *(_refused(name, places) for name in twice)], key=lambda place: place.name)


def places_of(content: Path, process_id: str) -> list[RoutePlace]:
    """The routes that are made for a process by its file, in use or not, sorted by name."""
    file = content / "mappings" / "processes" / f"{process_id}.yaml"
    made = (_place(made) for made in made_routes(content, only=file))
    return sorted(made, key=lambda place: place.name)


def routes(content: Path) -> dict[str, Route]:
    """All routes in use by name; raises ConfigurationError for the first broken one."""
    return {place.name: place.read() for place in route_places(content)}


def find_route(content: Path, name: str) -> Route:
    """One route by name; no other is read, so a broken one disturbs nobody."""
    places = route_places(content)
    for place in places:
        if place.name == name:
            return place.read()
    for made in made_routes(content):
        if made.name == name and made.off:
            where, helps = str(made.files[-1]), "take the line 'mode: off' away when its connections are there"
            raise ConfigurationError(f"the route '{name}' is not in use: its process is off", where=where, helps=helps)
    known = ", ".join(place.name for place in places)
    raise InputError("Eine Strecke dieses Namens gibt es nicht", where=name, expected=known)


def read_route(file: Path) -> Route:
    """Read one route file; raises ConfigurationError with file, line and column."""
    return _read(file.stem, read_yaml(file), (Layer(file),))


def _own_files(content: Path) -> list[Path]:
    return sorted((content / "mappings" / "routes").glob("*.yaml"))


def _place(made: Made) -> RoutePlace:
    read = partial(_read_made, made)
    return RoutePlace(made.name, made.files, read, made.layers, made.off)


def _read_made(made: Made) -> Route:
    return _read(made.name, made.body(), made.layers)


def _refused(name: str, places: list[RoutePlace]) -> RoutePlace:
    """Two routes of one name would share a DAG, pauses and a history: neither runs."""
    files = [place.files[-1] for place in places if place.name == name]

    def refuse() -> Route:
        raise ConfigurationError(
            f"the route '{name}' stands twice", where=str(files[0]), expected=f"once; see {files[1]}"
        )

    return RoutePlace(name, tuple(files), refuse)


def _read(name: str, body: dict[str, Any], layers: tuple[Layer, ...]) -> Route:
    model = CollectingRoute if "collect" in body else SendingRoute
    try:
        route = model.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        near = get_close_matches(path, [field.alias or key for key, field in model.model_fields.items()], 1)
        helps = f"did you mean '{near[0]}'?" if near and first["type"] == "extra_forbidden" else ""
        raise ConfigurationError(f"{path}: {first['msg']}", where=_at(layers, *first["loc"][:1]), helps=helps) from None
    if route.name != name:
        what, expected = f"the route is called '{route.name}'", f"'{name}', like its file"
        raise ConfigurationError(what, where=_at(layers, "name"), expected=expected)
    if isinstance(route, SendingRoute) and route.connections > route.window:
        what = f"connections: {route.connections} is more than window: {route.window}"
        helps = "only messages of one window are sent side by side; window is how many a crash may leave in doubt"
        expected = f"at most {route.window}, or a larger window"
        raise ConfigurationError(what, where=_at(layers, "connections"), expected=expected, helps=helps)
    return route


def _at(layers: tuple[Layer, ...], *keys: str | int) -> str:
    """Where the last word on a key was said, or where it can be said."""
    for layer in reversed(layers):
        if holds(layer.file, (*layer.path, *keys)):
            return place_of(layer.file, (*layer.path, *keys))
    return place_of(layers[-1].file, (*layers[-1].path, *keys))
