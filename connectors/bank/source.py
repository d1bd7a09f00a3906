"""The source: what the bank says, file by file. A file is read to its end before anything of it is believed.

    in ─▶ readable ─▶ words as items ─▶ stored ─▶ done           not readable ─▶ one problem ─▶ failed

Until then its words lie in a file without a name: it may be larger than memory. There is no cursor: a file waits until
everything of it is stored. Read again, it says the same under the same ids.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from tempfile import SpooledTemporaryFile
from typing import BinaryIO

from connectors._line import NoAnswer
from connectors.bank import camt, pain002
from connectors.bank.settings import Settings
from connectors.bank.stream import message_of
from connectors.bank.ways import Arrival, way_of
from connectors.bank.words import MOVEMENT, STATUS, BankWord
from kiezbruecke.connector import Connection, Context, Cursor, Handled, Item
from kiezbruecke.errors import DeliveryError, RecordError, SourceError
from kiezbruecke.mapping.codelists.reading import read_translation
from kiezbruecke.troubles import trouble_of

PROBLEM = "bankdatei"
UNKNOWN = "UNBEKANNT"
_IN_MEMORY = 4 * 1024 * 1024
_FAILED = (DeliveryError, NoAnswer, OSError, ValueError)


class BankSource:
    """The reports and statements of one account (Source)."""

    def __init__(self, connection: Connection, context: Context) -> None:
        self._settings = Settings.from_connection(connection)
        self._where = f"Verbindung {connection.id}"
        self._way = way_of(self._settings)
        self._known = {
            STATUS: ("Status", read_translation(context.content, "bank-status")),
            MOVEMENT: ("Art", read_translation(context.content, "bank-umsatz")),
        }
        self._waiting: dict[Arrival, set[str]] = {}  # ids of a file that are not stored yet
        self._failed: set[Arrival] = set()

    def close(self) -> None:
        """Give the connection back."""
        self._way.close()

    def fetch(self, cursor: Cursor) -> Iterator[Item]:  # noqa: ARG002 - see the module
        """Yield every word of every file that waits, each once."""
        told: set[str] = set()
        try:
            for arrival in self._way.arrivals():
                with self._way.open(arrival) as file:
                    yield from self._items(arrival, file, told)
        except _FAILED as error:
            raise self._unread(error) from error

    def acknowledge(self, handled: Sequence[Handled]) -> None:
        """A file is done when all that it says is stored; one that said nothing new goes with the next."""
        stored = {one.item.external_id for one in handled}
        for ids in self._waiting.values():
            ids.difference_update(stored)
        try:
            for arrival in [one for one, ids in self._waiting.items() if not ids]:
                self._way.done(arrival, failed=arrival in self._failed)
                del self._waiting[arrival]
        except _FAILED as error:
            raise self._unread(error) from error

    def _items(self, arrival: Arrival, file: BinaryIO, told: set[str]) -> Iterator[Item]:
        ids = set[str]()
        with SpooledTemporaryFile(_IN_MEMORY) as kept:
            try:
                for word in self._words(arrival, file):
                    ids.add(word.external_id)
                    kept.write(word.as_json())
            except RecordError as error:
                yield self._problem(arrival, file, error)
                return
            self._waiting[arrival] = ids
            kept.seek(0)
            for number, line in enumerate(kept, 1):
                word = BankWord.from_json(line)
                if word.external_id not in told:
                    told.add(word.external_id)
                    yield Item(word.kind, word.external_id, self._translated(word), raw_ref=f"{arrival.name}#{number}")

    def _words(self, arrival: Arrival, file: BinaryIO) -> Iterator[BankWord]:
        """Raises RecordError where the file is not one that we read, or cannot be read to its end."""
        where = f"Datei {arrival.name}"
        if arrival.size > self._settings.max_bytes:
            raise RecordError("ist zu groß", where=where, expected=f"höchstens {self._settings.max_bytes} Byte")
        message = message_of(file, where)
        if message == pain002.MESSAGE:
            words = pain002.read(file, self._payments, where)
        elif message in camt.MESSAGES:
            words = camt.read(file, message, self._settings.debtor_iban, where)
        else:
            raise RecordError(
                "ist keine Nachricht, die hier gelesen wird",
                where=where,
                expected=f"{pain002.MESSAGE}, {' oder '.join(camt.MESSAGES)}",
            )
        skips = self._settings.skip_unmatched
        return (one for one in words if one.kind != MOVEMENT or "EndToEndId" in one.body or not skips)

    def _payments(self, batch_id: str) -> Mapping[str, Sequence[str]]:
        """What our note of a file says; without one nobody knows, and a person must look."""
        try:
            note = self._way.note_of(batch_id)
        except FileNotFoundError:  # no note was ever written here
            note = None
        return note.payments if note else {}

    def _translated(self, word: BankWord) -> dict[str, str]:
        """A code that the list does not know is never taken for a success: a person must look."""
        field, known = self._known[word.kind]
        given = word.body.get(field, "")
        if given in known.entries:
            return word.body
        return {**word.body, field: UNKNOWN, "Grundcode": " ".join((given or "OHNE", word.body.get("Grundcode", "")))}

    def _problem(self, arrival: Arrival, file: BinaryIO, error: RecordError) -> Item:
        file.seek(0)
        known = hashlib.sha256()
        while piece := file.read(_IN_MEMORY):
            known.update(piece)
        digest = known.hexdigest()
        self._waiting[arrival] = {digest}
        self._failed.add(arrival)
        helps = "nichts daraus wurde übernommen; bitte die Bank oder die Kasse nach der Datei fragen"
        return Item(PROBLEM, digest, {"Datei": arrival.name}, raw_ref=arrival.name, problem=f"{error.line()}; {helps}")

    def _unread(self, error: Exception) -> SourceError:
        what = error.strerror if isinstance(error, OSError) else ""
        return SourceError(
            "Die Dateien der Bank sind nicht lesbar",
            where=self._where,
            helps=f"{what or type(error).__name__}; der nächste Lauf liest sie wieder",
            trouble=trouble_of(error),
        )
