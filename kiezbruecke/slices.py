"""Cuts what is long into pieces that fit into memory, a statement's parameters, a transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def slices(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in their order, at most `size` at a time (`itertools.batched` needs Python 3.12)."""
    return (items[start : start + size] for start in range(0, len(items), size))
