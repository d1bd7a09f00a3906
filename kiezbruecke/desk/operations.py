"""What whoever operates the house looks at: which route ran, when it runs next, what is stuck and why, what ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

from cryptography import x509

from kiezbruecke.connector import Connection, manifest_for
from kiezbruecke.content.routes import route_places
from kiezbruecke.desk.points import points
from kiezbruecke.desk.routes import RouteStatusView, RouteView, routes, status
from kiezbruecke.desk.view import DeskView
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.german import BERLIN
from kiezbruecke.house import House
from kiezbruecke.ledger.pauses import Pause, read_pauses
from kiezbruecke.ledger.states import UNSETTLED
from kiezbruecke.ledger.todo import Kind

_MOST_BYTES = 1_000_000  # of a certificate's file


class RouteNow(DeskView):
    """A route, what it did last, what it does next, and why it does not."""

    route: str
    title: str
    kind: str
    connection: str
    mode: str
    owner: str
    operations: str
    """Who is told where its connection is out of order, and may pause it"""
    last_run: datetime | None
    last_step: str
    next_run: datetime | None
    """By its clock; other routes may wake it earlier. Null where it has none, is off or rests"""
    after: str
    stuck: int
    """Messages that are not settled"""
    oldest: datetime | None
    """When the one that has waited longest was moved last"""
    why: tuple[str, ...]
    """What is in the way, German"""
    paused: bool
    paused_by: str
    paused_because: str
    paused_at: datetime | None
    paused_connection: str
    """The destination or source that rests; empty where the route itself does"""


class PartyNow(DeskView):
    """A connection that routes are about."""

    connection: str
    connector: str
    routes: tuple[str, ...]
    operations: str
    """Who may pause it: whoever operates all its routes; empty where they have several"""
    waiting: int
    recovering: bool
    paused: bool
    paused_by: str
    paused_because: str
    paused_at: datetime | None
    certificate_ends: date | None
    """Of our own certificate that ends first; null where there is none, or it cannot be read here"""
    days_left: int | None
    error: str
    """Why nothing is known of it"""


class Operations(DeskView):
    """The house at work."""

    routes: tuple[RouteNow, ...]
    parties: tuple[PartyNow, ...]


def operations(house: House, at: datetime) -> Operations:
    """All routes and connections; eight statements, if nothing recovers."""
    house_now = status(house, counted=UNSETTLED)
    known = {one.route: one for one in house_now.routes}
    recovering = {one.destination for one in house_now.recovering}
    troubles: dict[str, list[str]] = defaultdict(list)
    for point in points(house, kind=Kind.TROUBLE):
        troubles[point.route].append(point.reason)
    operated = _who_operates(house.content)
    found = [
        _route(one, known[one.route], troubles[one.route], operated.get(one.route, ""), at) for one in routes(house)
    ]
    by_party: dict[str, list[RouteNow]] = defaultdict(list)
    for one in found:
        if one.connection:
            by_party[one.connection].append(one)
    today = at.astimezone(BERLIN).date()
    with house.ledger.read() as connection:
        pauses = read_pauses(connection).connections
    return Operations(
        routes=tuple(found),
        parties=tuple(
            _party(house, name, some, today, recovering=name in recovering, pause=pauses.get(name))
            for name, some in sorted(by_party.items())
        ),
    )


def _route(one: RouteView, now: RouteStatusView, troubles: Sequence[str], operated: str, at: datetime) -> RouteNow:
    error = [now.error] if now.error and not troubles else []
    rests = now.paused or now.broken or one.mode.startswith("off")
    return RouteNow(
        route=one.route,
        title=one.title or one.route,
        kind=one.kind,
        connection=one.connection,
        mode=one.mode,
        owner=one.owner,
        operations=operated,
        last_run=now.last_run,
        last_step=now.last_step,
        next_run=None if rests else next_run(one.schedule, at),
        after=one.after,
        stuck=sum(now.messages.values()),
        oldest=now.oldest_unsettled,
        why=(*troubles, *error),
        paused=now.paused,
        paused_by=now.paused_by,
        paused_because=now.paused_because,
        paused_at=now.paused_at,
        paused_connection=now.paused_connection,
    )


def next_run(cron: str | None, at: datetime) -> datetime | None:
    """When a clock strikes next, in Berlin; None where there is none, or it cannot be read."""
    from croniter import CroniterError, croniter  # type: ignore[import-untyped]  # noqa: PLC0415 - Airflow's

    if cron is None:
        return None
    try:
        found: datetime = croniter(cron, at.astimezone(BERLIN)).get_next(datetime)
    except CroniterError:
        return None
    return found


def certificate_end(party: Connection) -> date | None:
    """The last day of our own certificate; None where the connection has none, or this machine cannot read it."""
    name = party.extra.get("client_cert")
    if not name:
        return None
    with suppress(OSError, ValueError):
        file = Path(str(name))
        if file.stat().st_size <= _MOST_BYTES:
            found = x509.load_pem_x509_certificates(file.read_bytes())
            return min(one.not_valid_after_utc for one in found).astimezone(BERLIN).date()
    return None


def _who_operates(content: Path) -> dict[str, str]:
    """By route; one that cannot be read has nobody."""
    found = {}
    for place in route_places(content):
        with suppress(ConfigurationError):
            found[place.name] = place.read().operations
    return found


def _party(
    house: House, name: str, about: list[RouteNow], today: date, *, recovering: bool, pause: Pause | None
) -> PartyNow:
    connector, ends, error = "", None, ""
    try:
        party = house.connect(name)
        connector, ends = manifest_for(party).title, certificate_end(party)
    except ConfigurationError as found:
        error = found.line()
    operated = {one.operations for one in about}
    return PartyNow(
        connection=name,
        connector=connector,
        routes=tuple(one.route for one in about),
        operations=operated.pop() if len(operated) == 1 else "",
        waiting=sum(one.stuck for one in about),
        recovering=recovering,
        paused=pause is not None,
        paused_by=pause.person.name if pause else "",
        paused_because=pause.reason if pause else "",
        paused_at=pause.at if pause else None,
        certificate_ends=ends,
        days_left=(ends - today).days if ends else None,
        error=error,
    )
