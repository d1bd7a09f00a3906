"""What the sandbox remembers: ids it gave out, messages it took, and the box of answers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

_TABLES = """
CREATE TABLE IF NOT EXISTS reserved (id TEXT PRIMARY KEY, party TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS taken (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, file TEXT NOT NULL, process_id TEXT NOT NULL,
    message_uuid TEXT NOT NULL, object_uuid TEXT NOT NULL, amount TEXT NOT NULL, test INTEGER NOT NULL,
    imported INTEGER NOT NULL, status INTEGER NOT NULL, reason TEXT NOT NULL, meta BLOB NOT NULL, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS box (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, party TEXT NOT NULL, hidden INTEGER NOT NULL,
    closed INTEGER NOT NULL DEFAULT 0, code TEXT NOT NULL, file TEXT NOT NULL, meta BLOB NOT NULL,
    content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS paging (id TEXT PRIMARY KEY, after INTEGER NOT NULL, size INTEGER NOT NULL);
"""


@dataclass(frozen=True)
class Taken:
    """A message that was taken over. `status` as in a transport report (3 = it went no further); `imported`: by the
    e-file behind."""

    id: str
    file: str
    process_id: str
    message_uuid: str
    object_uuid: str
    amount: str
    test: bool
    imported: bool
    status: int
    reason: str
    meta: bytes
    at: str


@dataclass(frozen=True)
class Letter:
    """An answer in somebody's box; `hidden` = how many lists it does not show up in yet."""

    id: str
    party: str
    hidden: int
    code: str
    file: str
    meta: bytes
    content: bytes


class Store:
    """The sandbox's memory. Each method is one transaction; taking a message and answering it is one, too."""

    def __init__(self, state: Path) -> None:
        self._state = state
        with self._transaction() as database:
            database.executescript(_TABLES)

    def reserve(self, message_id: str, party: str) -> None:
        """Remember an id that was given out."""
        with self._transaction() as database:
            database.execute("INSERT INTO reserved VALUES (?, ?)", (message_id, party))

    def knows(self, message_id: str) -> bool:
        """True for an id that was given out here."""
        with self._transaction() as database:
            found = database.execute("SELECT 1 FROM reserved WHERE id = ?", (message_id,)).fetchone()
        return found is not None

    def take(self, message: Taken, content: bytes, letters: Sequence[Letter]) -> None:
        """Keep a message with its file, and put the answers into the box."""
        folder = self._state / message.id
        folder.mkdir(exist_ok=True)
        (folder / message.file).write_bytes(content)
        with self._transaction() as database:
            _insert(database, "taken", message)
            for letter in letters:
                _insert(database, "box", letter)

    def taken(self, message_id: str) -> Taken | None:
        """A message that was taken over, or None."""
        return next((message for message in self.all_taken() if message.id == message_id), None)

    def all_taken(self) -> list[Taken]:
        """Everything that was taken over, in its order."""
        with self._transaction() as database:
            rows = database.execute("SELECT * FROM taken ORDER BY number").fetchall()
        return [Taken(**_known(Taken, row)) for row in rows]

    def uncover(self, party: str) -> None:
        """A list was asked for: what is hidden comes one list nearer."""
        with self._transaction() as database:
            database.execute("UPDATE box SET hidden = hidden - 1 WHERE hidden > 0 AND party = ?", (party,))

    def open_letters(self, party: str, after: int = 0) -> list[tuple[int, Letter]]:
        """What lies in a box, not closed, with the numbers that paging counts by."""
        query = "SELECT * FROM box WHERE party = ? AND number > ? AND NOT closed AND hidden = 0 ORDER BY number"
        with self._transaction() as database:
            rows = database.execute(query, (party, after)).fetchall()
        return [(row["number"], Letter(**_known(Letter, row))) for row in rows]

    def close(self, party: str, message_id: str) -> bool:
        """Forget a letter; False if there is none (any more)."""
        query = "UPDATE box SET closed = 1 WHERE party = ? AND id = ? AND NOT closed"
        with self._transaction() as database:
            return database.execute(query, (party, message_id)).rowcount == 1

    def remember_page(self, request_id: str, after: int, size: int) -> None:
        """Remember how far a list was read."""
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO paging VALUES (?, ?, ?)", (request_id, after, size))

    def page(self, request_id: str) -> tuple[int, int] | None:
        """How far a list was read, and its page size."""
        with self._transaction() as database:
            row = database.execute("SELECT after, size FROM paging WHERE id = ?", (request_id,)).fetchone()
        return row and (row[0], row[1])

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._state / "xta.sqlite3")) as database, database:
            database.row_factory = sqlite3.Row
            yield database


def _insert(database: sqlite3.Connection, table: Literal["taken", "box"], row: Taken | Letter) -> None:
    names = [field.name for field in fields(row)]
    marks = ", ".join(f":{name}" for name in names)
    statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - our own names
    database.execute(statement, asdict(row))


def _known(kind: type[Taken | Letter], row: sqlite3.Row) -> dict[str, Any]:
    """A row's values for the fields of a kind; SQLite knows no booleans."""
    named = {field.name: row[field.name] for field in fields(kind)}
    return {name: bool(value) if name in ("test", "imported") else value for name, value in named.items()}
