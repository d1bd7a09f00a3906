"""What a record is read from, as one digest: while it stays the same, an item need not be read again.

item (kind, body, where it lies)  +  everything else that decides what the mappings make of it  ──▶  digest
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping as Body
from collections.abc import Sequence

from kiezbruecke.connector import Item
from kiezbruecke.effects.effect import digest
from kiezbruecke.mapping import Mapping


class InputDigests:
    """The digests of a run's items. `decides`: what, besides an item and its mappings, decides what becomes of it."""

    def __init__(self, mappings: Sequence[Mapping], *decides: str) -> None:
        self._mappings, self._decides = mappings, decides
        self._keys: dict[str, tuple[int, bytes]] = {}

    def of(self, item: Item) -> str:
        """The digest of an item and of all that decides what is read of it (BLAKE2b, hex)."""
        _, key = self._of_kind(item.kind)
        found = hashlib.blake2b(_bytes(item.body), key=key, digest_size=32)
        found.update(f"\x1f{item.raw_ref}".encode())
        return found.hexdigest()

    def readers(self, kind: str) -> int:
        """How many mappings read items of a kind, so how many records an item becomes."""
        return self._of_kind(kind)[0]

    def _of_kind(self, kind: str) -> tuple[int, bytes]:
        if kind not in self._keys:
            readers = [mapping.digest for mapping in self._mappings if kind in mapping.reads]
            self._keys[kind] = len(readers), bytes.fromhex(digest(kind, *readers, *self._decides))
        return self._keys[kind]


def _bytes(body: Body[str, object] | bytes) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(dict(body), sort_keys=True, default=_typed).encode()


def _typed(value: object) -> str:
    """A sum and its text, a day and its text are not the same."""
    return f"{type(value).__name__}:{value}"
