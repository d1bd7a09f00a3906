"""The landing zone: what was taken over HTTP lies here until the ledger has it, and after that as an archive.

    waiting/<digest of the event's id>.json     written and synced before the sender hears 202
    taken/<digest …>.json                       the ledger has it; so the same event is known when it comes again
    newest/<digest of type and name>            since when the newest taken state of a thing holds

A file is one line of JSON about the delivery, then the body as it was signed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from connectors._files import NoFileError, OpenFolder
from connectors.webhook.delivery import Delivery

WAITING, TAKEN, NEWEST = "waiting", "taken", "newest"
_LONGEST_HEAD = 2_000


class OtherContentError(Exception):
    """An event's id stands for another body already."""


class FullError(Exception):
    """As much lies here as may lie here."""


@dataclass(frozen=True)
class Landed:
    """One delivery as it lies on disk; times are UTC."""

    event: str
    timestamp: str
    signature: str
    arrived: str
    body: bytes = field(repr=False)

    def as_file(self) -> bytes:
        """One line about the delivery, then its body."""
        head = {name: value for name, value in asdict(self).items() if name != "body"}
        return json.dumps(head).encode() + b"\n" + self.body

    @classmethod
    def read(cls, raw: bytes) -> Landed:
        """From a file; raises ValueError."""
        head, _, body = raw.partition(b"\n")
        try:
            return cls(**json.loads(head), body=body)
        except TypeError:
            raise ValueError("no head") from None


class Landing:
    """The landing folder of one connection."""

    def __init__(self, folder: Path, max_bytes: int, max_waiting: int) -> None:
        self._folder, self._max_bytes, self._max_waiting = folder, max_bytes + _LONGEST_HEAD, max_waiting

    def put(self, one: Landed) -> bool:
        """Keep a delivery durably; False where it had come before. Raises OtherContentError, FullError, OSError."""
        name = file_name(one.event)
        with self._open(TAKEN) as taken, self._open(WAITING) as waiting:
            if taken.is_taken(name):
                return self._same(taken, name, one)
            if waiting.is_taken(name):
                return self._same(waiting, name, one)
            if len(waiting.names()) >= self._max_waiting:
                raise FullError
            try:
                waiting.add(name, one.as_file())
            except FileExistsError:
                return self._same(waiting, name, one)
        return True

    def waiting(self) -> list[tuple[str, bytes]]:
        """Name and bytes of every delivery that the ledger does not have yet."""
        return list(self._read(WAITING))

    def taken(self) -> list[tuple[str, bytes]]:
        """Those that it has."""
        return list(self._read(TAKEN))

    def take(self, name: str, delivery: Delivery | None) -> None:
        """The ledger has it. Stopped anywhere, it can be called again."""
        if delivery is not None and delivery.name:
            self._remember(delivery)
        with self._open(WAITING) as waiting, self._open(TAKEN) as taken:
            if seen := waiting.look(name):
                with suppress(FileNotFoundError, NoFileError):
                    waiting.move(name, taken, name, seen)
                waiting.sync()

    def is_overtaken(self, delivery: Delivery) -> bool:
        """Whether a newer state of the same thing was taken already: senders repeat, and repeat late."""
        newest = self._newest(delivery)
        return newest is not None and delivery.happened_at < newest

    def _remember(self, delivery: Delivery) -> None:
        newest = self._newest(delivery)
        if newest is None or newest < delivery.happened_at:
            with self._open(NEWEST) as folder:
                folder.replace(_thing(delivery), delivery.happened_at.isoformat().encode())

    def _newest(self, delivery: Delivery) -> datetime | None:
        if not delivery.name:
            return None
        try:
            with self._open(NEWEST) as folder:
                return datetime.fromisoformat(folder.read(_thing(delivery), 100)[0].decode()).astimezone(UTC)
        except (FileNotFoundError, ValueError):
            return None

    def _same(self, folder: OpenFolder, name: str, one: Landed) -> bool:
        if Landed.read(folder.read(name, self._max_bytes)[0]).body != one.body:
            raise OtherContentError
        return False

    def _read(self, name: str) -> Iterator[tuple[str, bytes]]:
        with self._open(name) as folder:
            for found in folder.names():
                if found.endswith(".json") and folder.look(found):
                    with suppress(FileNotFoundError, NoFileError):
                        yield found, folder.read(found, self._max_bytes)[0]

    @contextmanager
    def _open(self, name: str) -> Iterator[OpenFolder]:
        with OpenFolder.open(self._folder) as root, root.sub(name, make=True) as folder:
            yield folder


def file_name(event: str) -> str:
    """The name under which an event lies; an id from outside never becomes one."""
    return f"{hashlib.sha256(event.encode()).hexdigest()}.json"


def _thing(delivery: Delivery) -> str:
    return hashlib.sha256(f"{delivery.type}\x1f{delivery.name}".encode()).hexdigest()
