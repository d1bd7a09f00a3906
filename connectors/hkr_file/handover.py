"""Hands a file over so that nobody ever reads half of it, and nobody's file is overwritten.

    x.txt.part ──read back: size and hash──▶ x.txt ──▶ x.txt.ok      readers take a file only when its .ok is there

Killed anywhere, the next run sees by names and hashes how far it was. A name that is taken by the same bytes is a
success; by other bytes it stops: the ledger has forgotten something.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from connectors.hkr_file.places import PART, Place, present
from kiezbruecke.connector import CannotTell, NotThere
from kiezbruecke.errors import AlreadyUsed, NotSent
from kiezbruecke.troubles import trouble_of

T = TypeVar("T")
MARKER = ".ok"
_MARKER_BYTES = 500


@dataclass(frozen=True)
class Handover:
    """The folder where files are put, and the one to which their reader moves those it has taken, where it does."""

    place: Place
    taken: Place | None
    where: str

    def put(self, name: str, payload: bytes) -> None:
        """Put the file and its `.ok` there. Raises NotSent before anything could be read, AlreadyUsed, or for doubt."""
        digest = _digest(payload)
        if self._before(lambda: self._state(name, digest)) != "over":
            self._bring(name, payload, digest)
            self._mark(name, digest)

    def find(self, name: str, payload: bytes) -> bool | NotThere | CannotTell:
        """True where it was handed over. NotThere only where it is proven that nobody has taken it."""
        digest = _digest(payload)
        try:
            state = self._state(name, digest)
        except AlreadyUsed:
            return CannotTell("the name is taken by another content")
        except NotSent:
            return CannotTell("not reached", reached=False)
        except OSError as error:
            return CannotTell(type(error).__name__)
        if state == "over":
            return True
        if state == "begun" or self.taken is not None:
            return NotThere()
        return CannotTell("it is not there (any more), and nobody says where files go that were taken")

    def _state(self, name: str, digest: str) -> str:
        """`over`, `begun` (here, and nobody may have read it), or `nothing`; raises AlreadyUsed for other bytes.

        A file moves from `place` to `taken`, so it is looked for in this order.
        """
        marker = present(lambda: self.place.read(f"{name}{MARKER}", _MARKER_BYTES))
        here = present(lambda: self.place.read(name, -1))
        taken = self.taken
        there = present(lambda: taken.read(name, -1)) if taken else None
        said = [marker.split(b" ")[0].decode("ascii", "replace")] if marker is not None else []
        held = [_digest(body) for body in (here, there) if body is not None]
        if any(one != digest for one in (*said, *held)):
            raise AlreadyUsed("a file with this name and another content is there", where=name, expected="a new name")
        if marker is not None or there is not None:
            return "over"
        part = here is not None or f"{name}{PART}" in self.place.names()
        return "begun" if part else "nothing"

    def _bring(self, name: str, payload: bytes, digest: str) -> None:
        """Until it has its name nobody reads it, so a failure is certain; the rename alone may be in doubt."""
        part = f"{name}{PART}"
        if self._before(lambda: present(lambda: self.place.read(name, -1))) is not None:
            self._before(lambda: self.place.remove(part))  # renamed, and killed before the old name was gone
            return
        self._before(lambda: self.place.write(part, payload))
        back = self._before(lambda: self.place.read(part, -1))
        if len(back) != len(payload) or _digest(back) != digest:
            raise NotSent("what was read back is not what was written", where=f"{self.where}, {name}")
        self.place.rename(part, name)

    def _mark(self, name: str, digest: str) -> None:
        """The form that `sha256sum -c` reads."""
        marker = f"{name}{MARKER}"
        self.place.write(f"{marker}{PART}", f"{digest}  {name}\n".encode())
        self.place.rename(f"{marker}{PART}", marker)

    def _before(self, step: Callable[[], T]) -> T:
        """A step before the file has its name: whatever fails, nothing has been handed over."""
        try:
            return step()
        except OSError as error:
            why = error.strerror or str(error) or type(error).__name__
            raise NotSent(
                "the file cannot be written", where=self.where, helps=why, trouble=trouble_of(error)
            ) from None


def _digest(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()
