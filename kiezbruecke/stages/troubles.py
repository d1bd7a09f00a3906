"""A route that fails because of something outside is one point for IT operations; its next success closes it."""

from __future__ import annotations

import logging

from sqlalchemy.exc import DBAPIError

from kiezbruecke.connections import without_environment
from kiezbruecke.connector import probe
from kiezbruecke.content.routes import Route, SendingRoute
from kiezbruecke.errors import ConfigurationError, SourceError
from kiezbruecke.ledger import Ledger
from kiezbruecke.ledger.todo import Kind, Point, close_point, is_open, raise_point
from kiezbruecke.stages.work import Collecting, Sending
from kiezbruecke.troubles import Trouble, trouble_of

log = logging.getLogger("kiezbruecke")


def trouble_behind(error: Exception) -> Trouble | None:
    """Why a step failed, where it is a matter of IT operations. A wrong setting says by itself whether it is."""
    return error.trouble if isinstance(error, ConfigurationError) else trouble_of(error)


def tell(ledger: Ledger, route: Route, trouble: Trouble) -> None:
    """Put it on the list, or renew what stands there; where the ledger itself is out of order only the log has it."""
    try:
        with ledger.write() as connection:
            raise_point(connection, _point(route, trouble))
    except DBAPIError:
        log.warning("%s: %s; the list cannot be written", route.name, trouble.english)


def as_ours(route: Route, trouble: Trouble, error: Exception) -> SourceError:
    """Somebody else's error whose trouble is known: one line that helps, without the text, which may hold content."""
    what = f"{trouble.english} ({type(error).__name__})"
    return SourceError(what, where=f"connection {_connection(route)}", helps=trouble.english_helps, trouble=trouble)


def is_told(ledger: Ledger, route: Route) -> bool:
    """Whether it stands on the list."""
    return is_open(ledger, Kind.TROUBLE, _subject(route))


def is_over(work: Collecting | Sending) -> bool:
    """Where there was nothing to say to a destination that was in trouble, it is asked whether it is well again.

    Only by a step that has to do with it: `prepare` opens no client.
    """
    if "target" not in vars(work):
        return False
    try:
        probe(without_environment(work.party), work.content, [work.process])
    except Exception as error:  # noqa: BLE001 - a question that fails changes nothing
        log.warning("%s: still in trouble (%s)", work.route.name, type(error).__name__)
        return False
    return True


def healed(ledger: Ledger, route: Route) -> None:
    """The other side has answered: whatever it was, it is over."""
    with ledger.write() as connection:
        close_point(connection, Kind.TROUBLE, _subject(route))


def _point(route: Route, trouble: Trouble) -> Point:
    text = (
        f"Strecke {route.name}, Verbindung {_connection(route)}: {trouble.german}. Was hilft: {trouble.german_helps} "
        "Verloren ist nichts; ist es behoben, geht es von selbst weiter."
    )
    return Point(Kind.TROUBLE, _subject(route), route.name, route.operations, text)


def _subject(route: Route) -> str:
    return f"{_connection(route)}|{route.name}"


def _connection(route: Route) -> str:
    return route.destination if isinstance(route, SendingRoute) else route.collect
