"""The source: answers of the budget system's bookkeeping, in files with a trailer. A file counts whole or not at all.

    answers/x.csv + x.csv.ok ──totals hold──▶ items ──all stored──▶ answers/gelesen
                             ──totals do not──▶ one line on the list ──▶ answers/fehlerhaft

An answer's id is made of its own words: the same answer in another file, or twice in one, is the same answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from connectors.hkr_file.handover import MARKER
from connectors.hkr_file.places import PART, Place, present
from connectors.hkr_file.settings import Settings
from connectors.hkr_file.stack import Damaged, read_stack
from connectors.hkr_file.target import Shelves
from kiezbruecke.connector import Connection, Context, Cursor, Handled, Item
from kiezbruecke.errors import ConfigurationError, DeliveryError, SourceError
from kiezbruecke.mapping.schema.tables import TableLayout, read_table
from kiezbruecke.troubles import trouble_of

PROBLEM = "answer-file-problem"
READ, BROKEN = "gelesen", "fehlerhaft"
_HELPS = "nichts daraus wurde übernommen; bitte beim HKR-Verfahren eine unversehrte Datei anfordern"


@dataclass
class _File:
    """An answer file between reading and moving away; `waiting`: ids of its items that are not stored yet."""

    name: str
    digest: str
    folder: str
    waiting: set[str] = field(default_factory=set)


class AnswerFiles:
    """The answers of an HKR system as items (Source)."""

    def __init__(self, connection: Connection, context: Context) -> None:
        self.settings = Settings.from_connection(connection)
        if not self.settings.answers:
            raise ConfigurationError(
                "extra.answers is empty", where=self.settings.where, expected="the folder of the answers"
            )
        self._table = read_answer_table(context, self.settings)
        self._shelves = Shelves(self.settings)
        self._place = self._shelves.answers()
        self._open: list[_File] = []

    def close(self) -> None:
        """Give the connection back."""
        self._shelves.close()

    def fetch(self, cursor: Cursor) -> Iterator[Item]:  # noqa: ARG002 - moving a file away is the cursor
        """Yield the answers of every file that lies there with its `.ok`; a damaged one is one item, and stops none."""
        self._open = []
        with closing(self._shelves):
            for name in self._whole():
                yield from self._items(name)

    def archived(self) -> Iterator[Item]:
        """The answers of all files that were read before and are kept, with their old ids."""
        kept = self._shelves.answers(READ)
        with closing(self._shelves):
            try:
                names = [name for name in kept.names() if not name.endswith((MARKER, PART))]
                for name in names:
                    yield from self._kept(name, kept.read(name, self.settings.max_bytes + 1))
            except FileNotFoundError:
                return  # none was read yet
            except (OSError, DeliveryError) as error:
                raise self._unreadable(error) from None

    def _kept(self, name: str, body: bytes) -> list[Item]:
        digest, _, given = name.partition("-")
        if not hashlib.sha256(body).hexdigest().startswith(digest):
            return [_problem(given, digest, Damaged("ihr Inhalt ist nicht mehr der, der gelesen wurde"))]
        return self._rows(given, body)

    def acknowledge(self, handled: Sequence[Handled]) -> None:
        """Move the files of which all is stored. Killed before it, they are read again and bring nothing new."""
        done = {one.item.external_id for one in handled}
        for file in self._open:
            file.waiting -= done
        with closing(self._shelves):
            for file in [file for file in self._open if not file.waiting]:
                self._move(file)
                self._open.remove(file)

    def _whole(self) -> list[str]:
        try:
            names = set(self._place.names())
        except (OSError, DeliveryError) as error:
            raise self._unreadable(error) from None
        return sorted(name for name in names if f"{name}{MARKER}" in names and not name.endswith((MARKER, PART)))

    def _items(self, name: str) -> Iterator[Item]:
        try:
            marker = present(lambda: self._place.read(f"{name}{MARKER}", 500)) or b""
            body = self._place.read(name, self.settings.max_bytes + 1)
        except FileNotFoundError:
            return  # another run has moved it
        except (OSError, DeliveryError) as error:
            raise self._unreadable(error) from None
        digest = hashlib.sha256(body).hexdigest()
        try:
            items = self._read(name, body, marker, digest)
            folder = READ
        except (Damaged, UnicodeDecodeError) as damaged:
            items, folder = [_problem(name, digest, damaged)], BROKEN
        self._open.append(_File(name, digest, folder, {item.external_id for item in items}))
        yield from items

    def _read(self, name: str, body: bytes, marker: bytes, digest: str) -> list[Item]:
        if len(body) > self.settings.max_bytes:
            raise Damaged(f"sie ist größer als {self.settings.max_bytes} Byte")
        if marker.split(b" ")[0] != digest.encode():
            raise Damaged("ihr Inhalt ist nicht der, den die Datei .ok nennt")
        return self._rows(name, body)

    def _rows(self, name: str, body: bytes) -> list[Item]:
        rows = read_stack(self._table, body)
        return [_item(self._table, name, row, line, cells) for row, (line, cells) in enumerate(rows, start=1)]

    def _move(self, file: _File) -> None:
        """Its name gets the beginning of its hash: the same name may come again with other answers."""
        to, kept = self._shelves.answers(file.folder), f"{file.digest[:12]}-{file.name}"
        try:
            self._rename(file.name, kept, to)
            self._rename(f"{file.name}{MARKER}", f"{kept}{MARKER}", to)
        except (OSError, DeliveryError) as error:
            raise SourceError(
                f"an answer file is stored but cannot be moved to {file.folder}/",
                where=self.settings.where,
                expected="this folder, with write access; the next run tries again",
                helps=_why(error),
                trouble=trouble_of(error),
            ) from None

    def _rename(self, name: str, kept: str, to: Place) -> None:
        """The same file that was moved before is only taken away here; of two runs at once one moves it."""
        if present(lambda: to.read(kept, 1)) is not None:
            self._place.remove(name)
            return
        try:
            self._place.rename(name, kept, to)
        except (OSError, DeliveryError):
            if present(lambda: to.read(kept, 1)) is None:
                raise

    def _unreadable(self, error: Exception) -> SourceError:
        return SourceError(
            "Die Rückmeldedateien sind nicht lesbar",
            where=f"Verbindung {self.settings.connection}",
            helps=_why(error),
            trouble=trouble_of(error),
        )


def read_answer_table(context: Context, settings: Settings) -> TableLayout:
    """How answer files look; raises ConfigurationError."""
    table = read_table(context.content, settings.answers_profile)
    if table.file is None or not table.item:
        raise ConfigurationError(
            f"the table '{table.name}' describes no answer file",
            where=settings.where,
            expected="a table with item: and file:, such as hkr-rueckmeldung",
        )
    return table


def _item(table: TableLayout, name: str, row: int, line: bytes, cells: dict[str, str]) -> Item:
    external_id = hashlib.sha256(line).hexdigest()[:40]
    body = {"sheet": name, "row": row, **cells}
    return Item(table.item, external_id, body, raw=line, raw_ref=f"{name}#{row}", names=(external_id, f"Datei {name}"))


def _problem(name: str, digest: str, damaged: Exception) -> Item:
    why = str(damaged) if isinstance(damaged, Damaged) else "ihr Zeichensatz ist nicht der vereinbarte"
    told = f"Rückmeldedatei {name}: {why}; {_HELPS}"
    return Item(PROBLEM, digest, {"sheet": name}, raw_ref=name, problem=told, names=(f"Datei {name}",))


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__
