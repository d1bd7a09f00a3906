"""What a connector is: a manifest, a source, a target, and the types that pass between them and the engine."""

from kiezbruecke.connector.manifest import Capabilities, Manifest, read_manifest
from kiezbruecke.connector.protocols import (
    Answer,
    Batch,
    BatchHead,
    BatchTarget,
    CannotTell,
    Connection,
    Context,
    Cursor,
    Found,
    Handled,
    Item,
    Message,
    NotThere,
    Source,
    Target,
    Ticket,
)
from kiezbruecke.connector.registry import manifest_for, manifests, open_source, open_target

__all__ = [
    "Answer",
    "Batch",
    "BatchHead",
    "BatchTarget",
    "CannotTell",
    "Capabilities",
    "Connection",
    "Context",
    "Cursor",
    "Found",
    "Handled",
    "Item",
    "Manifest",
    "Message",
    "NotThere",
    "Source",
    "Target",
    "Ticket",
    "manifest_for",
    "manifests",
    "open_source",
    "open_target",
    "read_manifest",
]
