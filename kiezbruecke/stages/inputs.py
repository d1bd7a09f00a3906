"""What a record is read from, as one digest: while it stays the same, an item need not be read again.

item (kind, body, where it lies)  +  everything else that decides what the mappings make of it  ──▶  digest
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping as Body
from pathlib import Path

from kiezbruecke import __version__
from kiezbruecke.connector import Item
from kiezbruecke.effects.effect import digest
from kiezbruecke.stages.work import Collecting


class InputDigests:
    """The digests of a run's items; made once, for the mappings are the same for all of them."""

    def __init__(self, work: Collecting) -> None:
        self._keys: dict[str, tuple[int, bytes]] = {}
        self._work = work

    def of(self, item: Item) -> str:
        """The digest of an item and of all that decides what is read of it (BLAKE2b, hex)."""
        _, key = self._of_kind(item.kind)
        found = hashlib.blake2b(_bytes(item.body), key=key, digest_size=32)
        found.update(f"\x1f{item.raw_ref}".encode())
        return found.hexdigest()

    def readers(self, kind: str) -> int:
        """How many mappings of the route read items of a kind, so how many records an item becomes."""
        return self._of_kind(kind)[0]

    def _of_kind(self, kind: str) -> tuple[int, bytes]:
        if kind not in self._keys:
            self._keys[kind] = self._key(kind)
        return self._keys[kind]

    def _key(self, kind: str) -> tuple[int, bytes]:
        work = self._work
        readers = [mapping for mapping in work.mappings if kind in mapping.reads]
        parts = (
            __version__,
            kind,
            *(mapping.digest for mapping in readers),
            work.process.model_dump_json(),
            json.dumps(work.route.options, sort_keys=True, default=str),
            work.route.collect,
            str(work.generation),
            _digest_of(work.polygons),
        )
        return len(readers), bytes.fromhex(digest(*parts))


def _bytes(body: Body[str, object] | bytes) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(dict(body), sort_keys=True, default=str).encode()


def _digest_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""
