"""One chain over all chains. An anchor holds the ends of what has grown since the last one; its hash is kept elsewhere.

Whoever may write into the database can compute every chain anew. An anchor that was carried out of it – a file, a log,
a mail, signed where there is a key – shows that: what stood before it cannot be changed, cut off or taken away any
more. What came after the last anchor is only guarded by the chains themselves.

Nobody waits for an anchor: it reads what is committed, and writes into tables that no worker touches (ADR 17).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from sqlalchemy import Connection, func, select, union_all

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger, now
from kiezbruecke.ledger.dialects import insert_or_ignore
from kiezbruecke.ledger.sets import write_all

_c, _j, _e, _n, _d = t.cases.c, t.journals.c, t.events.c, t.anchors.c, t.anchored.c
_GROWN = union_all(
    *(
        select(head.id, head.last_event.label("seq"), head.last_hash.label("hash")).where(
            head.last_event
            > func.coalesce(select(func.max(_d.seq)).where(_d.chain == head.id).correlate(table).scalar_subquery(), 0)
        )
        for table, head in ((t.cases, _c), (t.journals, _j))
    )
)
_NEWEST = select(t.anchors).order_by(_n.seq.desc()).limit(1)


@dataclass(frozen=True)
class Anchor:
    """An anchor as it is carried out of the database. No content, no names: a number, a time, a hash."""

    seq: int
    at: datetime
    hash: str
    signature: str = ""  # Ed25519 over the other three, hex

    def signed(self, key: bytes) -> Anchor:
        """The same with a signature. `key`: an Ed25519 private key in PEM."""
        private = load_pem_private_key(key, None)
        if not isinstance(private, Ed25519PrivateKey):
            raise ConfigurationError("the key for anchors is of another kind", expected="Ed25519, in PEM")
        return Anchor(self.seq, self.at, self.hash, private.sign(self._words()).hex())

    def is_signed_by(self, key: bytes) -> bool:
        """Whether the signature is this public key's (PEM)."""
        public = load_pem_public_key(key)
        if not isinstance(public, Ed25519PublicKey):
            raise ConfigurationError("the key for anchors is of another kind", expected="Ed25519, in PEM")
        try:
            public.verify(bytes.fromhex(self.signature), self._words())
        except InvalidSignature:
            return False
        return True

    def text(self) -> str:
        """One line of JSON."""
        values = {"anchor": self.seq, "at": self.at.isoformat(), "hash": self.hash, "signature": self.signature}
        return json.dumps({name: value for name, value in values.items() if value})

    @classmethod
    def of(cls, text: str, where: str) -> Anchor:
        """What `text` wrote."""
        try:
            said = json.loads(text)
            return cls(int(said["anchor"]), datetime.fromisoformat(said["at"]), said["hash"], said.get("signature", ""))
        except (ValueError, KeyError, TypeError):
            raise ConfigurationError("not an anchor", where=where, expected="a file of 'ledger anchor'") from None

    def _words(self) -> bytes:
        return "\x1f".join((str(self.seq), self.at.astimezone(UTC).isoformat(), self.hash)).encode()


def drop_anchor(ledger: Ledger) -> Anchor | None:
    """Hold the ends of all chains that have grown; the newest anchor there is then. Two at once: one of them holds."""
    with ledger.read() as connection:
        last = connection.execute(_NEWEST).one_or_none()
        grown = sorted((row.id, row.seq, row.hash) for row in connection.execute(_GROWN).all())
    if grown:
        seq, at, digest = (last.seq if last else 0) + 1, now(), _digest(grown)
        previous = last.hash if last else ""
        values = {"seq": seq, "at": at, "digest": digest, "previous": previous}
        with ledger.write() as connection:
            if insert_or_ignore(connection, t.anchors, {**values, "hash": _hash(seq, at, digest, previous)}):
                rows = [{"anchor": seq, "chain": chain, "seq": end, "hash": link} for chain, end, link in grown]
                write_all(connection, t.anchored.insert(), rows)
    with ledger.read() as connection:
        newest = connection.execute(_NEWEST).one_or_none()
    return Anchor(newest.seq, newest.at, newest.hash) if newest else None


def broken_anchors(connection: Connection) -> Iterator[str]:
    """What is not as the anchors hold it: the anchors' own chain, and every chain's links up to its last anchor."""
    previous = ""
    held = _held(connection)
    for number, row in enumerate(connection.execute(select(t.anchors).order_by(_n.seq)).all(), 1):
        digest = _digest(held.pop(row.seq, ()))
        expected = _hash(number, row.at, digest, previous)
        if row.seq != number or row.previous != previous or row.digest != digest or row.hash != expected:
            yield f"Anker {row.seq}: wurde verändert, oder einer davor fehlt"
            return
        previous = row.hash
    if held:
        yield f"Anker {min(held)}: fehlt"
    linked = (_e.case_id == _d.chain) & (_e.seq == _d.seq) & (_e.hash == _d.hash)
    gone = select(_d.anchor, _d.chain, _d.seq).outerjoin(t.events, linked).where(_e.hash.is_(None))
    for row in connection.execute(gone.order_by(_d.anchor, _d.chain)).all():
        yield f"Kette {row.chain}: Glied {row.seq}, das Anker {row.anchor} festhält, wurde verändert oder entfernt"


def differs_from(connection: Connection, anchor: Anchor) -> str:
    """Why the ledger is not the one that this anchor was taken of; empty if it is."""
    row = connection.execute(select(t.anchors).where(_n.seq == anchor.seq)).one_or_none()
    if row is None:
        return f"Anker {anchor.seq}: fehlt"
    return "" if row.hash == anchor.hash else f"Anker {anchor.seq}: ist ein anderer, als hinausgetragen wurde"


def _held(connection: Connection) -> dict[int, list[tuple[UUID, int, str]]]:
    held: dict[int, list[tuple[UUID, int, str]]] = {}
    for row in connection.execute(select(t.anchored).order_by(_d.anchor)).all():
        held.setdefault(row.anchor, []).append((row.chain, row.seq, row.hash))
    return held


def _digest(ends: Iterable[tuple[UUID, int, str]]) -> str:
    lines = (f"{chain} {seq} {link}" for chain, seq, link in sorted(ends))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _hash(seq: int, at: datetime, digest: str, previous: str) -> str:
    words = (previous, str(seq), at.astimezone(UTC).isoformat(), digest)
    return hashlib.sha256("\x1f".join(words).encode()).hexdigest()
