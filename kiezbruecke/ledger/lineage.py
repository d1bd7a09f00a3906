"""Keeps which rule of which mapping gave which value of a message: numbers and hashes, never the values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.accounts import about_message
from kiezbruecke.ledger.database import Ledger, now
from kiezbruecke.ledger.dialects import insert_or_ignore
from kiezbruecke.ledger.events import touch
from kiezbruecke.ledger.seals import VERSION


@dataclass(frozen=True)
class MappingVersion:
    """What the rule numbers of one digest mean: a mapping's rules as plain JSON, each with its number under `rule`."""

    digest: str
    name: str
    version: int
    rules: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Lineage:
    """A message's sealed lineage, the bytes it was sealed with, and what its numbers mean, if that is known."""

    sealed: bytes
    payload: bytes
    media_type: str
    version: MappingVersion | None


def remember_version(connection: Connection, version: MappingVersion) -> None:
    """Write down what the numbers mean, once per digest."""
    values = {"digest": version.digest, "name": version.name, "version": version.version}
    known = select(t.mapping_versions.c.digest).where(t.mapping_versions.c.digest == version.digest)
    if connection.execute(known).one_or_none() is None:
        rules = [dict(rule) for rule in version.rules]
        insert_or_ignore(connection, t.mapping_versions, {**values, "rules": rules, "at": now()})
        touch(connection, VERSION, version.digest)


def read_lineage(ledger: Ledger, key: UUID) -> Lineage | None:
    """What is kept of a message's lineage; None for an unknown message."""
    m, b, v = t.messages.c, t.message_bytes.c, t.mapping_versions.c
    query = (
        select(b.lineage, b.payload, m.media_type, v.digest, v.name, v.version, v.rules)
        .join_from(t.messages, t.message_bytes, b.key == m.key)
        .outerjoin(t.mapping_versions, m.mapping_digest == v.digest)
        .where(m.key == key)
    )
    with ledger.read() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        return None
    version = MappingVersion(row.digest, row.name, row.version, row.rules) if row.digest else None
    payload = ledger.vault.open(row.payload, about_message(key))
    return Lineage(row.lineage, payload, row.media_type, version)
