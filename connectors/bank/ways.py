"""How files go to a bank and come from it: what target and source ask of a way, whichever it is.

hand_over ─▶ the file is there, and its note      note_of ─▶ what was handed over, or the proof that it was not
arrivals ─▶ open ─▶ done                          a file of the bank, until everything of it is stored
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Protocol, Self

from connectors.bank.settings import Settings


@dataclass(frozen=True)
class Note:
    """What is known of a file that was handed over: no name, no account, no sum."""

    sha256: str
    payments: Mapping[str, Sequence[str]]  # Fremdkennzeichen by PmtInfId

    def as_json(self) -> bytes:
        """One line of JSON."""
        return json.dumps({"sha256": self.sha256, "zahlungen": self.payments}, sort_keys=True).encode() + b"\n"

    @classmethod
    def from_json(cls, raw: bytes) -> Self:
        """The same read back; raises ValueError for anything else."""
        body = json.loads(raw)
        try:
            payments = {str(block): [str(one) for one in some] for block, some in body["zahlungen"].items()}
            return cls(str(body["sha256"]), payments)
        except (KeyError, TypeError, AttributeError):
            raise ValueError("no note of a payment file") from None


@dataclass(frozen=True)
class Arrival:
    """A file of the bank that waits; `id` is what the way knows it by."""

    id: str
    name: str
    size: int


class BankWay(Protocol):
    """A folder, or a gateway over HTTP."""

    def hand_over(self, batch_id: str, file_name: str, payload: bytes) -> None:
        """Raises NotSent, Rejected or AlreadyUsed where that is certain. The same bytes again are harmless."""

    def note_of(self, batch_id: str) -> Note | None:
        """What was handed over under this MsgId; None is the proof that nothing was. Raises where nobody can say."""

    def last_batch(self) -> str:
        """The MsgId of the last file that was handed over; empty where none was. Raises where nobody can say."""

    def arrivals(self) -> Sequence[Arrival]:
        """The complete files that wait, the oldest first; raises what `FAILED` names."""

    def open(self, arrival: Arrival) -> AbstractContextManager[BinaryIO]:
        """A file from its beginning; it can be read again for its digest."""

    def done(self, arrival: Arrival, *, failed: bool) -> None:
        """Everything of the file is stored. Twice is harmless."""

    def close(self) -> None:
        """Give back what is held open."""


def way_of(settings: Settings) -> BankWay:
    """The way that the connection has chosen."""
    from connectors.bank.folder import FolderWay  # noqa: PLC0415 - both ways know this module
    from connectors.bank.gateway import GatewayWay  # noqa: PLC0415

    if settings.path is not None:
        return FolderWay(settings.path, settings)
    return GatewayWay(settings)
