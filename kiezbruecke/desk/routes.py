"""Routes as people look at them: what they are, what they did last, what is stuck in them and since when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from kiezbruecke.content.routes import Route, RoutePlace, SendingRoute, find_route, route_places
from kiezbruecke.desk.view import DeskView
from kiezbruecke.effects import rule_of
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.house import House
from kiezbruecke.ledger import Ledger, MessageState
from kiezbruecke.ledger.reading import Preview, RouteStatus, last_runs, route_statuses
from kiezbruecke.ledger.runs import Pause, Pauses, read_pauses
from kiezbruecke.ledger.todo import count_open_points


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


class RouteStatusView(DeskView):
    """What a route did last, and what is stuck in it."""

    route: str
    last_run: datetime | None
    last_step: str
    owner: str
    """Who looks after it; empty where the file is broken"""
    error: str | None
    """Of the file, else of the last run of a step that has not gone well since"""
    failed_step: str
    broken: bool
    """Whether the file cannot be read"""
    paused: bool
    """Whether a person has stopped it, or its source or destination"""
    paused_by: str
    paused_because: str
    paused_at: datetime | None
    messages: Mapping[MessageState, int]
    """How many are in which state"""
    oldest_unsettled: datetime | None
    """When the one that has waited longest was moved last"""


class HouseStatus(DeskView):
    """All routes, and how many points need a person."""

    routes: tuple[RouteStatusView, ...]
    attention: int

    @property
    def failing(self) -> tuple[RouteStatusView, ...]:
        """The routes that cannot be read or whose last try went wrong."""
        return tuple(one for one in self.routes if one.error)

    @property
    def calm(self) -> bool:
        """Whether nobody is needed."""
        return not self.attention and not self.failing


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
        pauses = read_pauses(connection)
    return [_route(place, pauses) for place in route_places(house.content)]


def route(house: House, name: str) -> RouteView:
    """One route; raises ConfigurationError if there is none of this name."""
    find_route(house.content, name)
    return next(one for one in routes(house) if one.route == name)


def status(house: House) -> HouseStatus:
    """Every route and the list; four statements, however many routes there are."""
    found = {place.name: _read_or_error(place) for place in route_places(house.content)}
    abouts = {name: "" if isinstance(one, str) else _connection(one) for name, one in found.items()}
    known = route_statuses(house.ledger, abouts)
    return HouseStatus(
        routes=tuple(_status(found[name], one) for name, one in known.items()),
        attention=count_open_points(house.ledger),
    )


def pause(house: House, name: str) -> Pause | None:
    """Who has stopped this route, or its source or destination, if somebody has; one statement."""
    with house.ledger.read() as connection:
        return read_pauses(connection).of(name, _connection(find_route(house.content, name)))


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


def _status(found: Route | str, known: RouteStatus) -> RouteStatusView:
    """`found`: the route, or why its file cannot be read."""
    broken = isinstance(found, str)
    return RouteStatusView(
        route=known.route,
        last_run=known.last_run,
        last_step=known.last_step,
        owner="" if isinstance(found, str) else found.owner,
        error=found if isinstance(found, str) else known.last_error or None,
        failed_step="" if broken else known.failed_step,
        broken=broken,
        paused=known.paused is not None,
        paused_by=known.paused.person if known.paused else "",
        paused_because=known.paused.reason if known.paused else "",
        paused_at=known.paused.at if known.paused else None,
        messages=known.states,
        oldest_unsettled=known.oldest_unsettled,
    )


def _route(place: RoutePlace, pauses: Pauses) -> RouteView:
    try:
        found = _read(place)
    except ConfigurationError as error:
        return RouteView(route=place.name, error=error.line())
    sends = isinstance(found, SendingRoute)
    return RouteView(
        route=found.name,
        title=found.title,
        kind="sendet" if sends else "holt",
        connection=_connection(found),
        mode="angehalten" if pauses.of(found.name, _connection(found)) else _mode(found),
        schedule=found.schedule,
        after=", ".join(found.after),
        owner=found.owner,
    )


def _connection(found: Route) -> str:
    return found.destination if isinstance(found, SendingRoute) else found.collect


def _mode(found: Route) -> str:
    if not isinstance(found, SendingRoute):
        return "live"
    return found.mode if found.environment == "live" else f"{found.mode} (test)"


def _read(place: RoutePlace) -> Route:
    """The route, if its effect is known and its rule is the effect's."""
    found = place.read()
    if isinstance(found, SendingRoute):
        rule_of(found)
    return found


def _read_or_error(place: RoutePlace) -> Route | str:
    try:
        return _read(place)
    except ConfigurationError as error:
        return error.line()
