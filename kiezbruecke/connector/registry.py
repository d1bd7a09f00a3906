"""Finds connectors by entry point; the engine imports none of them by name."""

from __future__ import annotations

from functools import cache
from importlib import import_module, metadata
from typing import Any

from kiezbruecke.connector.manifest import Manifest, read_manifest
from kiezbruecke.connector.protocols import BatchTarget, Closing, Connection, Context, Source, Target
from kiezbruecke.errors import ConfigurationError

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
    raise ConfigurationError(
        f"no connector speaks connection type '{connection.type}'",
        where=f"connection {connection.id}",
        expected=", ".join(manifest.connection_type for manifest in manifests().values()),
    )


def open_source(connection: Connection, context: Context) -> Source:
    """The source behind a connection."""
    manifest = manifest_for(connection)
    if manifest.source is None:
        raise ConfigurationError(f"connector '{manifest.name}' is no source", where=f"connection {connection.id}")
    source: Source = _load(manifest.source)(connection, context)
    return source


def open_target(connection: Connection, context: Context) -> Target | BatchTarget:
    """The target behind a connection."""
    manifest = manifest_for(connection)
    if manifest.target is None:
        raise ConfigurationError(f"connector '{manifest.name}' is no target", where=f"connection {connection.id}")
    target: Target | BatchTarget = _load(manifest.target)(connection, context)
    return target


def close(client: object) -> None:
    """Let a source or target give back what it holds open: at a stage's end, and before a fork. Any other is left."""
    if isinstance(client, Closing):
        client.close()


def _load(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
