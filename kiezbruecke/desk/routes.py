"""Routes as people look at them: what they are, what they did last, what is stuck in them and since when."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

from kiezbruecke.content.routes import Route, RoutePlace, SendingRoute, find_route, route_places
from kiezbruecke.desk.view import DeskView
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.fitting import refuse_broken_mappings, refuse_unfit_party, refuse_unfit_settings, refuse_unfit_words
from kiezbruecke.house import Connect, House
from kiezbruecke.ledger import Ledger, MessageState
from kiezbruecke.ledger.reading import Preview, last_runs, route_statuses
from kiezbruecke.ledger.runs import paused_routes
from kiezbruecke.ledger.todo import count_open_points

_Reader = Callable[[RoutePlace], Route]


class RouteView(DeskView):
    """A route file; where it is broken only name and error say anything."""

    route: str
    title: str = ""
    kind: str = ""
    """`holt` or `sendet`"""
    connection: str = ""
    """The source or the destination"""
    mode: str = ""
    """`live`, `dry_run`, `off`, behind it `(test)`; `angehalten` where a person has paused it"""
    schedule: str | None = None
    """Cron, Europe/Berlin"""
    after: str = ""
    """The routes that wake it"""
    owner: str = ""
    error: str | None = None


class RouteCheckView(DeskView):
    """What is wrong with a route before it runs."""

    route: str
    errors: tuple[str, ...]
    """One line each, with file, line and column; empty where it may run"""


class RouteStatusView(DeskView):
    """What a route did last, and what is stuck in it."""

    route: str
    last_run: datetime | None
    last_step: str
    error: str | None
    """Of the file, else of the last step"""
    broken: bool
    """Whether the file cannot be read"""
    paused: bool
    messages: Mapping[MessageState, int]
    """How many are in which state"""
    oldest_unsettled: datetime | None
    """When the one that has waited longest was moved last"""


class HouseStatus(DeskView):
    """All routes, and how many points need a person."""

    routes: tuple[RouteStatusView, ...]
    attention: int

    @property
    def calm(self) -> bool:
        """Whether nobody is needed."""
        return not self.attention and not any(one.error for one in self.routes)


class RunView(DeskView):
    """One step of a route that ran or runs."""

    id: int
    step: str
    started_at: datetime
    ended_at: datetime | None
    """Null while it runs, or where it was killed"""
    counts: Mapping[str, int]
    """What it did, by word"""
    error: str | None


class PreviewView(DeskView):
    """What a dry run would have sent for one case."""

    case: str
    case_id: UUID
    effect: str
    file: str
    bytes: int
    at: datetime


def routes(house: House) -> list[RouteView]:
    """All route files, by name; one statement."""
    with house.ledger.read() as connection:
        paused = paused_routes(connection)
    places = route_places(house.content)
    reads = _reader(house, places)
    return [_route(place, paused, reads) for place in places]


def route(house: House, name: str) -> RouteView:
    """One route; raises ConfigurationError if there is none of this name."""
    find_route(house.content, name)
    return next(one for one in routes(house) if one.route == name)


def check_routes(content: Path, connect: Connect, name: str | None = None) -> list[RouteCheckView]:
    """Every route, or one: its words, its mapping, and its connection as it is known here. No ledger is needed."""
    places = route_places(content)
    names = frozenset(place.name for place in places)
    if name is not None and name not in names:
        find_route(content, name)
    wanted = [place for place in places if name in (None, place.name)]
    return [_check(place, content, connect, names) for place in wanted]


def status(house: House) -> HouseStatus:
    """Every route and the list; four statements, however many routes there are."""
    places = route_places(house.content)
    reads = _reader(house, places)
    broken = {place.name: _error(place, reads) for place in places}
    known = route_statuses(house.ledger, list(broken))
    return HouseStatus(
        routes=tuple(
            RouteStatusView(
                route=name,
                last_run=one.last_run,
                last_step=one.last_step,
                error=broken[name] or one.last_error or None,
                broken=broken[name] is not None,
                paused=one.paused,
                messages=one.states,
                oldest_unsettled=one.oldest_unsettled,
            )
            for name, one in known.items()
        ),
        attention=count_open_points(house.ledger),
    )


def runs(ledger: Ledger, name: str, at_most: int) -> list[RunView]:
    """A route's last steps, the newest first; one statement."""
    return [
        RunView(
            id=run.id,
            step=run.step,
            started_at=run.started_at,
            ended_at=run.ended_at,
            counts=run.counts or {},
            error=run.error,
        )
        for run in last_runs(ledger, name, at_most)
    ]


def preview_view(one: Preview) -> PreviewView:
    """A preview without its bytes."""
    return PreviewView(
        case=one.case,
        case_id=one.case_id,
        effect=one.effect,
        file=one.file_name,
        bytes=len(one.payload),
        at=one.at,
    )


def _route(place: RoutePlace, paused: frozenset[str], reads: _Reader) -> RouteView:
    try:
        found = reads(place)
    except ConfigurationError as error:
        return RouteView(route=place.name, error=error.line())
    sends = isinstance(found, SendingRoute)
    return RouteView(
        route=found.name,
        title=found.title,
        kind="sendet" if sends else "holt",
        connection=_connection(found),
        mode="angehalten" if found.name in paused else _mode(found),
        schedule=found.schedule,
        after=", ".join(found.after),
        owner=found.owner,
    )


def _check(place: RoutePlace, content: Path, connect: Connect, names: frozenset[str]) -> RouteCheckView:
    """Paths as they stand in the content."""
    errors = (error.replace(f"{content}/", "") for error in _wrong(place, content, connect, names))
    return RouteCheckView(route=place.name, errors=tuple(errors))


def _wrong(place: RoutePlace, content: Path, connect: Connect, names: frozenset[str]) -> Iterator[str]:
    try:
        found = refuse_unfit_words(place, content, names)
        refuse_broken_mappings(found, content)
    except ConfigurationError as error:
        yield error.line()
        return
    try:
        party = connect(_connection(found))
        refuse_unfit_party(found, party)
        refuse_unfit_settings(party)
    except ConfigurationError as error:
        yield f"{place.at('destination' if isinstance(found, SendingRoute) else 'collect')}: {error.line()}"


def _connection(found: Route) -> str:
    return found.destination if isinstance(found, SendingRoute) else found.collect


def _mode(found: Route) -> str:
    if not isinstance(found, SendingRoute):
        return "live"
    return found.mode if found.environment == "live" else f"{found.mode} (test)"


def _reader(house: House, places: Sequence[RoutePlace]) -> _Reader:
    """Reads a route, if its words are known and fit each other."""
    names = frozenset(place.name for place in places)
    return lambda place: refuse_unfit_words(place, house.content, names)


def _error(place: RoutePlace, reads: _Reader) -> str | None:
    try:
        reads(place)
    except ConfigurationError as error:
        return error.line()
    return None
