"""What knows, outside the ledger, how often this ledger has begun to send: proof that a restored one is old.

ledger commits number n ─▶ witness keeps n ─▶ first byte        restored ledger: n - 3, witness: n
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kiezbruecke.errors import ConfigurationError, MachineError
from kiezbruecke.machine import alone

FILE = "witness.json"
VARIABLE = "KIEZBRUECKE_WITNESS"


@dataclass(frozen=True, order=True)
class Tally:
    """How often sending to a destination was begun, and in which incarnation of its numbers."""

    sends: int = 0
    incarnation: int = 1


class Witness(Protocol):
    """Keeps the highest mark of each destination. Several may disagree: the highest wins."""

    @property
    def name(self) -> str:
        """What people call it, German."""

    @property
    def costly(self) -> bool:
        """Written at the beginning and the end of a step only; others with every begin of sending."""

    def read(self, destination: str) -> Tally | None:
        """The mark of a destination; None where it knows none."""

    def write(self, destination: str, mark: Tally) -> None:
        """Keep a mark, on the disk before this returns; a lower one changes nothing."""


class FileWitness:
    """A small JSON file, replaced whole. What cannot be read knows nothing; what cannot be written stops the run."""

    costly = False

    def __init__(self, file: Path) -> None:
        self._file = file
        self.name = f"Datei {file.name}"

    def read(self, destination: str) -> Tally | None:
        """See `Witness`."""
        return self._marks().get(destination)

    def write(self, destination: str, mark: Tally) -> None:
        """See `Witness`."""
        try:
            with alone(self._file):
                marks = self._marks()
                known = marks.get(destination, Tally(0, 0))
                highest = Tally(max(known.sends, mark.sends), max(known.incarnation, mark.incarnation))
                if highest != known:
                    self._replace({**marks, destination: highest})
        except (OSError, MachineError) as error:
            raise ConfigurationError(
                "the witness of what was sent cannot be written",
                where=self._file.name,
                expected=f"a place that can be written, beside the state or where {VARIABLE} says",
                helps=error.what if isinstance(error, MachineError) else error.strerror or type(error).__name__,
            ) from None

    def _marks(self) -> dict[str, Tally]:
        try:
            found = json.loads(self._file.read_text("utf-8"))
            return {name: Tally(int(one["sends"]), int(one["incarnation"])) for name, one in found.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def _replace(self, marks: dict[str, Tally]) -> None:
        body = {name: {"sends": one.sends, "incarnation": one.incarnation} for name, one in sorted(marks.items())}
        part = self._file.with_name(f"{self._file.name}.part")
        with part.open("w", encoding="utf-8") as handle:
            json.dump(body, handle, indent=1)
            handle.flush()
            os.fsync(handle.fileno())
        part.replace(self._file)
        folder = os.open(self._file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
