"""What a record is read from, as one digest: while it stays the same, an item need not be read again.

item (kind, body, where it lies)  +  everything else that decides what the mappings make of it  ──▶  digest

The digest of an item that has a rest has two halves: one of what came, one of the rest that would come.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping as Body
from collections.abc import Sequence

from kiezbruecke.connector import Item
from kiezbruecke.effects.effect import digest
from kiezbruecke.mapping import Mapping

SIZE = 32  # bytes; as hexadecimal digits, the length of one half


class InputDigests:
    """The digests of a run's items. `decides`: what, besides an item and its mappings, decides what becomes of it."""

    def __init__(self, mappings: Sequence[Mapping], *decides: str) -> None:
        self._mappings, self._decides = mappings, decides
        self._keys: dict[str, tuple[int, bytes]] = {}

    def of(self, item: Item) -> str:
        """The digest of an item and of all that decides what is read of it (BLAKE2b, hex)."""
        came = [_bytes(item.body), f"\x1f{item.raw_ref}".encode()]
        if item.rest is None:
            return self._digest(item.kind, SIZE, *came)
        rest = json.dumps([item.rest.version, sorted(item.rest.fields)]).encode()
        return self._digest(item.kind, SIZE // 2, *came) + self._digest(item.kind, SIZE // 2, rest)

    def _digest(self, kind: str, size: int, *parts: bytes) -> str:
        found = hashlib.blake2b(key=self._of_kind(kind)[1], digest_size=size)
        for part in parts:
            found.update(part)
        return found.hexdigest()

    def readers(self, kind: str) -> int:
        """How many mappings read items of a kind, so how many records an item becomes."""
        return self._of_kind(kind)[0]

    def _of_kind(self, kind: str) -> tuple[int, bytes]:
        if kind not in self._keys:
            readers = [mapping.digest for mapping in self._mappings if kind in mapping.reads]
            self._keys[kind] = len(readers), bytes.fromhex(digest(kind, *readers, *self._decides))
        return self._keys[kind]


def without_rest(made_of: str) -> str:
    """The half of what came: a record that was read from it alone asks for its rest again."""
    return made_of[:SIZE]


def same_rest(made_of: str, before: str) -> bool:
    """Whether a record was read with the rest that would come now."""
    return before[SIZE:] == made_of[SIZE:] != ""


def _bytes(body: Body[str, object] | bytes) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(dict(body), sort_keys=True, default=_typed).encode()


def _typed(value: object) -> str:
    """A sum and its text, a day and its text are not the same."""
    return f"{type(value).__name__}:{value}"
