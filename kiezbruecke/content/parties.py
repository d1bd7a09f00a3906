"""Whether a connection can be what a route names it for, as far as manifests tell: asked at a parse, and before a run.

What needs the effects themselves stands in `kiezbruecke/fitting.py`; this reads no client and no engine.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from kiezbruecke.connections import ENVIRONMENT
from kiezbruecke.connector import Connection, Manifest, manifest_for
from kiezbruecke.content.routes import CollectingRoute, Route, SendingRoute
from kiezbruecke.errors import ConfigurationError


def refuse_wrong_party(route: Route, party: Connection) -> None:
    """Raises ConfigurationError for a type that nobody speaks, or a connector that cannot do what the route says."""
    manifest = manifest_for(party)
    if isinstance(route, CollectingRoute):
        if manifest.source is None:
            where, expected = f"route {route.name}, collect", "a connection to something that can be read"
            raise ConfigurationError(f"{manifest.title} is no source", where=where, expected=expected)
        return
    _refuse_wrong_environment(route, party)
    _refuse_what_it_cannot(route, manifest)
    _refuse_connections(route, manifest)


def _refuse_what_it_cannot(route: SendingRoute, manifest: Manifest) -> None:
    """The destination must take the effect, and the window must be one that can be asked after."""
    where = f"route {route.name}"
    if not any(fnmatchcase(route.effect, known) for known in manifest.effects):
        known = ", ".join(manifest.effects)
        raise ConfigurationError(f"{manifest.title} cannot do {route.effect}", where=where, expected=known)
    if route.window > 1 and not (manifest.can.dedupes or manifest.can.look_up):
        raise ConfigurationError(
            f"window: {route.window} would leave so many messages in doubt after a crash",
            where=where,
            expected="1, because the destination neither recognises a repetition nor can be asked",
        )


def _refuse_connections(route: SendingRoute, manifest: Manifest) -> None:
    """Where nobody promises that several may send at once, they would get in each other's way."""
    if route.connections > 1 and (manifest.can.batch or not manifest.can.parallel):
        raise ConfigurationError(
            f"{manifest.title} cannot send over {route.connections} connections at once",
            where=f"route {route.name}, connections",
            expected="1",
        )


def _refuse_wrong_environment(route: SendingRoute, party: Connection) -> None:
    """A test route refuses every destination whose connection does not call itself a test."""
    environment = str(party.extra.get(ENVIRONMENT, "production"))
    if route.environment == "test" and environment != "test":
        raise ConfigurationError(
            "a test route may not send to a production destination",
            where=f"route {route.name}",
            expected=f"connection {party.id} with extra environment: test",
        )
