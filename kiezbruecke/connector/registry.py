"""Finds connectors by entry point; the engine imports none of them by name."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from kiezbruecke.connector.manifest import Manifest, read_manifest
from kiezbruecke.connector.protocols import BatchTarget, Closing, Connection, Context, Probe, Receiver, Source, Target
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.records import Process

GROUP = "kiezbruecke.connectors"


@cache
def manifests() -> dict[str, Manifest]:
    """All installed connectors' manifests by name, sorted."""
    points = sorted(metadata.entry_points(group=GROUP), key=lambda point: point.name)
    return {point.name: read_manifest(point.value) for point in points}


def manifest_for(connection: Connection) -> Manifest:
    """The manifest of the connector that speaks this connection's type, as it is true of its profile."""
    for manifest in manifests().values():
        if manifest.connection_type == connection.type:
            return manifest.of_profile(connection.extra.get("profile"))
    known = [manifest.connection_type for manifest in manifests().values()]
    near = get_close_matches(connection.type, known, 1)
    raise ConfigurationError(
        f"no connector speaks connection type '{connection.type}'",
        where=f"connection {connection.id}",
        expected=", ".join(known),
        helps=f"did you mean '{near[0]}'?" if near else "",
    )


def open_source(connection: Connection, context: Context) -> Source:
    """The source behind a connection."""
    manifest = manifest_for(connection)
    if manifest.source is None:
        raise ConfigurationError(f"connector '{manifest.name}' is no source", where=f"connection {connection.id}")
    source: Source = _load(manifest.source)(connection, context)
    return source


def source_offers(connection: Connection, optional: type) -> bool:
    """Whether the source behind a connection offers an optional protocol; nothing is opened for the question."""
    manifest = manifest_for(connection)
    return manifest.source is not None and issubclass(_load(manifest.source), optional)


def open_target(connection: Connection, context: Context) -> Target | BatchTarget:
    """The target behind a connection."""
    manifest = manifest_for(connection)
    if manifest.target is None:
        raise ConfigurationError(f"connector '{manifest.name}' is no target", where=f"connection {connection.id}")
    target: Target | BatchTarget = _load(manifest.target)(connection, context)
    return target


def open_receiver(connection: Connection) -> Receiver:
    """What takes the deliveries of a connection."""
    manifest = manifest_for(connection)
    if manifest.receiver is None:
        raise ConfigurationError(
            f"connector '{manifest.name}' takes no deliveries", where=f"connection {connection.id}"
        )
    receiver: Receiver = _load(manifest.receiver)(connection)
    return receiver


def check_settings(connection: Connection) -> None:
    """Whether the connection is whole, as its client would find it; raises ConfigurationError. Calls nobody."""
    _load(manifest_for(connection).settings).from_connection(connection)


def probe(connection: Connection, content: Path, processes: Sequence[Process]) -> str:
    """Log in as a run would; see `protocols.Probe`. Raises ConfigurationError where the connector has none."""
    manifest = manifest_for(connection)
    if manifest.probe is None:
        what, helps = f"connector '{manifest.name}' cannot be tried", "its manifest names no probe"
        raise ConfigurationError(what, where=f"connection {connection.id}", helps=helps)
    call: Probe = _load(manifest.probe)
    return call(connection, content, processes)


def close(client: object) -> None:
    """Let a source or target give back what it holds open: at a stage's end, and before a fork. Any other is left."""
    if isinstance(client, Closing):
        client.close()


def _load(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
