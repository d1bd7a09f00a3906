"""The way through a folder that the cash office shares with us.

    out/   KK26-S-1.xml, then KK26-S-1.xml.ok     the cash office takes both away
    sent/  KK26-S-1.json                          our note: written when the file is whole and before its .ok
    in/    files of the bank  ─▶ done/ | failed/

Nobody takes a file before its `.ok`, and no `.ok` is written before the note. So without a note nothing was handed
over, and with one nothing is handed over again, wherever the file is by now.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from connectors._batches import last_batch
from connectors._files import NoFileError, OpenFolder
from connectors.bank.pain001 import payments_of
from connectors.bank.settings import Settings
from connectors.bank.ways import Arrival, Note
from connectors.folder.inbox import DONE, FAILED, Inbox
from connectors.folder.outbox import MARKER, Outbox, folder_of
from kiezbruecke.errors import AlreadyUsed

OUT, SENT, IN = "out", "sent", "in"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,34}")
_LONGEST_NOTE = 256 * 1024 * 1024


class FolderWay:
    """The folder of one connection."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self._path, self._connection = path, settings.connection
        self._outbox = Outbox(path / OUT, settings.connection)
        self._inbox = Inbox(path / IN, settings.settle_seconds, settings.max_bytes)

    def close(self) -> None:
        """Nothing is held open."""

    def hand_over(self, batch_id: str, file_name: str, payload: bytes) -> None:
        """Put the file there with its note, or do nothing where the note says that it was there."""
        folder_of(self._path, self._connection)
        digest = hashlib.sha256(payload).hexdigest()
        known = self._read_note(batch_id)
        if known and known.sha256 != digest:
            raise AlreadyUsed("another file was handed over under this name", where=file_name, expected="a new name")
        if known and not self._lies_without_marker(file_name):
            return  # handed over; the cash office may have taken it
        note = Note(digest, payments_of(payload))
        self._outbox.put(file_name, payload, partial(self._write_note, batch_id, note))

    def note_of(self, batch_id: str) -> Note | None:
        """A missing folder proves nothing: it may be a share that is not mounted."""
        with OpenFolder.open(self._path) as folder, folder.sub(SENT):
            pass
        known = self._read_note(batch_id)
        return None if known and self._lies_without_marker(f"{batch_id}.xml") else known

    def last_batch(self) -> str:
        """By the notes, which stay."""
        with OpenFolder.open(self._path) as folder, folder.sub(SENT) as sent:
            return last_batch(sent.names(), self._connection)

    def arrivals(self) -> Sequence[Arrival]:
        """The files that have settled."""
        found = self._inbox.complete()
        return [Arrival(one.path.name, one.path.name, one.size) for one in found if _is_xml(one.path.name)]

    @contextmanager
    def open(self, arrival: Arrival) -> Iterator[BinaryIO]:
        """Read piece by piece: a statement may be larger than memory."""
        with OpenFolder.open(self._path / IN) as inbox, inbox.stream(arrival.id) as (handle, _):
            yield handle

    def done(self, arrival: Arrival, *, failed: bool) -> None:
        """Move it; one that is gone was moved before."""
        with OpenFolder.open(self._path / IN) as inbox, inbox.sub(FAILED if failed else DONE, make=True) as archive:
            seen = inbox.look(arrival.id)
            if seen is None:
                return
            try:
                inbox.move(arrival.id, archive, _free(archive, arrival.name), seen)
            except (FileNotFoundError, NoFileError):
                return
            inbox.sync()

    def _lies_without_marker(self, file_name: str) -> bool:
        out = self._path / OUT
        return (out / file_name).is_file() and not (out / f"{file_name}{MARKER}").is_file()

    def _read_note(self, batch_id: str) -> Note | None:
        if not _NAME.fullmatch(batch_id):
            return None  # a report may name anything
        try:
            with OpenFolder.open(self._path) as folder, folder.sub(SENT) as sent:
                return Note.from_json(sent.read(f"{batch_id}.json", _LONGEST_NOTE)[0])
        except FileNotFoundError:
            return None

    def _write_note(self, batch_id: str, note: Note) -> None:
        with OpenFolder.open(self._path) as folder, folder.sub(SENT, make=True) as sent:
            sent.replace(f"{batch_id}.json", note.as_json())
            folder.sync()


def _is_xml(name: str) -> bool:
    return name.lower().endswith(".xml")


def _free(archive: OpenFolder, name: str) -> str:
    """A name that nothing has there: banks begin anew with their numbers."""
    stem, number, free = name[: -len(".xml")], 1, name
    while archive.is_taken(free):
        number += 1
        free = f"{stem}-{number}.xml"
    return free
