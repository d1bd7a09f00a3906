"""Routes as people look at them: what they are, what they did last, what is stuck in them and since when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from kiezbruecke.content.routes import Route, RoutePlace, SendingRoute, find_route, route_places
from kiezbruecke.desk.recoveries import RecoveryView, recoveries
from kiezbruecke.desk.view import DeskView
from kiezbruecke.effects import rule_of
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.house import House
from kiezbruecke.ledger import Ledger, MessageState
from kiezbruecke.ledger.reading import Preview, last_runs, route_statuses
from kiezbruecke.ledger.runs import paused_routes
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
    recovering: tuple[RecoveryView, ...] = ()
    """Destinations to which nothing goes out until a person has ended that"""

    @property
    def calm(self) -> bool:
        """Whether nobody is needed."""
        return not self.attention and not self.recovering and not any(one.error for one in self.routes)


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
    return [_route(place, paused) for place in route_places(house.content)]


def route(house: House, name: str) -> RouteView:
    """One route; raises ConfigurationError if there is none of this name."""
    find_route(house.content, name)
    return next(one for one in routes(house) if one.route == name)


def status(house: House) -> HouseStatus:
    """Every route, the list, what recovers; five statements, however many routes there are, if nothing does."""
    broken = {place.name: _error(place) for place in route_places(house.content)}
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
        recovering=tuple(recoveries(house)),
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


def _route(place: RoutePlace, paused: frozenset[str]) -> RouteView:
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
        mode="angehalten" if found.name in paused else _mode(found),
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


def _error(place: RoutePlace) -> str | None:
    try:
        _read(place)
    except ConfigurationError as error:
        return error.line()
    return None
