"""Routes as people look at them: what they are, what they did last, what is stuck in them and since when."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

from kiezbruecke.content.routes import Route, RoutePlace, SendingRoute, find_route, route_places
from kiezbruecke.desk.recoveries import RecoveryView, recoveries
from kiezbruecke.desk.view import DeskView
from kiezbruecke.effects import effect
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.fitting import refuse_broken_mappings, refuse_unfit_party, refuse_unfit_settings, refuse_unfit_words
from kiezbruecke.house import Connect, House
from kiezbruecke.ledger import Ledger, MessageState
from kiezbruecke.ledger.pauses import Pause, Pauses, read_pauses
from kiezbruecke.ledger.reading import Preview, RouteStatus, last_runs, route_statuses
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
    paused_account: str
    """The log-in that gave this name"""
    paused_because: str
    paused_at: datetime | None
    paused_connection: str
    """The destination or source that rests, so that the route does; empty where the route itself was stopped"""
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
    def failing(self) -> tuple[RouteStatusView, ...]:
        """The routes that cannot be read or whose last try went wrong."""
        return tuple(one for one in self.routes if one.error)

    @property
    def calm(self) -> bool:
        """Whether nobody is needed."""
        return not self.attention and not self.recovering and not self.failing


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
    text: tuple[str, ...]
    """What people would read of it, line by line; empty where programs read it"""


def routes(house: House) -> list[RouteView]:
    """All route files, by name; one statement."""
    with house.ledger.read() as connection:
        pauses = read_pauses(connection)
    places = route_places(house.content)
    reads = _reader(house, places)
    return [_route(place, pauses, reads) for place in places]


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


def status(house: House, *, counted: Collection[MessageState] = tuple(MessageState)) -> HouseStatus:
    """Every route, the list, what recovers; five statements, however many routes there are, if nothing does.

    `counted`: the states of which a route says how many of its messages are in them; where it is none, four statements.
    """
    places = route_places(house.content)
    reads = _reader(house, places)
    found = {place.name: _read_or_error(place, reads) for place in places}
    abouts = {name: "" if isinstance(one, str) else _connection(one) for name, one in found.items()}
    known = route_statuses(house.ledger, abouts, counted=counted)
    return HouseStatus(
        routes=tuple(_status(found[name], one) for name, one in known.items()),
        attention=count_open_points(house.ledger),
        recovering=tuple(recoveries(house)),
    )


def training_routes(content: Path) -> list[str]:
    """The routes that send to a test environment; one whose file is broken sends nowhere."""
    found = []
    for place in route_places(content):
        try:
            route_ = place.read()
        except ConfigurationError:
            continue
        if isinstance(route_, SendingRoute) and route_.environment != "live" and route_.mode != "off":
            found.append(route_.name)
    return found


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
        text=tuple(effect(one.effect).read_as(one.payload)),
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
        paused_by=known.paused.person.name if known.paused else "",
        paused_account=known.paused.person.account if known.paused else "",
        paused_because=known.paused.reason if known.paused else "",
        paused_at=known.paused.at if known.paused else None,
        paused_connection=known.paused.connection if known.paused else "",
        messages=known.states,
        oldest_unsettled=known.oldest_unsettled,
    )


def _route(place: RoutePlace, pauses: Pauses, reads: _Reader) -> RouteView:
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
        mode="angehalten" if pauses.of(found.name, _connection(found)) else _mode(found),
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
    if _mode(found) == "off":
        return  # it goes nowhere, so nobody need have a connection for it
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


def _read_or_error(place: RoutePlace, reads: _Reader) -> Route | str:
    try:
        return reads(place)
    except ConfigurationError as error:
        return error.line()
