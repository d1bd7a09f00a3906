"""What a standard makes of a message's XML on its way: around it a ZIP, beside it documents, their names, its facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from kiezbruecke.records.views import MessageView


@dataclass(frozen=True)
class Packed:
    """A message as it travels. `facts` is what its connector must know beside the bytes."""

    payload: bytes
    file_name: str
    media_type: str
    facts: Mapping[str, Any]


class Packer(Protocol):
    """A standard that packs its own messages: a module of `kiezbruecke.standards` may be one."""

    @property
    def MEDIA_TYPE(self) -> str:  # noqa: N802 - a module's constant
        """Of what `pack` makes."""
        ...

    def pack(self, message: MessageView, xml: bytes, files: Sequence[tuple[str, bytes]]) -> Packed:
        """The message with its documents (name and bytes, in order); same content, same bytes."""
        ...

    def xml_of(self, payload: bytes) -> bytes:
        """The XML in what `pack` has made; raises RecordError."""
        ...
