"""Content of a case: the documents as they were sent, and the words that came back. Whoever looks is written down."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from kiezbruecke.desk.messages import stored_message
from kiezbruecke.desk.view import DeskView
from kiezbruecke.effects import effect
from kiezbruecke.errors import InputError, RecordError
from kiezbruecke.german import BERLIN
from kiezbruecke.house import House
from kiezbruecke.ledger import Ledger
from kiezbruecke.ledger.claims import find_message
from kiezbruecke.ledger.database import now
from kiezbruecke.ledger.events import OPENED, events_of, note_opening
from kiezbruecke.ledger.people import Person
from kiezbruecke.ledger.receipts import heard_of
from kiezbruecke.records import ReceiptOutcome
from kiezbruecke.standards import zips

_ZIP = b"PK\x03\x04"
_NUMBERED = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}_")


class SentFileView(DeskView):
    """A file of a message, as it was sent."""

    name: str
    size: int
    """Bytes"""
    media_type: str

    @property
    def called(self) -> str:
        """Its name as people say it: without the number that xdomea puts before the names of all files."""
        return _NUMBERED.sub("", self.name.rpartition("/")[2])


class ReceiptView(DeskView):
    """A word that came back."""

    reference: str
    """Fremdkennzeichen of the message that it is about"""
    source: str
    """The connection from which it came"""
    event: str
    outcome: ReceiptOutcome
    at: datetime
    code: str
    words: tuple[str, ...]
    """Content: their own text, word for word"""


@dataclass(frozen=True)
class SentFile:
    """A file with its bytes."""

    view: SentFileView
    data: bytes = field(repr=False)


def receipts(ledger: Ledger, case_id: UUID) -> tuple[ReceiptView, ...]:
    """What came back about a case's messages, oldest first; one statement."""
    return tuple(
        ReceiptView(
            reference=one.reference,
            source=one.source,
            event=one.event,
            outcome=one.outcome,
            at=one.at,
            code=one.code,
            words=one.words,
        )
        for one in heard_of(ledger, case_id)
    )


def documents(house: House, message: str) -> tuple[SentFileView, ...]:
    """The files of a message: those of its package, else the message itself. Raises InputError."""
    return tuple(one.view for one in _documents(house, message).values())


def open_document(house: House, message: str, name: str, person: Person) -> SentFile:
    """One file of a message; that this person has opened it is in the case's evidence first. Raises InputError."""
    head = stored_message(house.ledger, message)
    found = _documents(house, message).get(name)
    if found is None:
        raise InputError("Dieses Dokument gibt es nicht", where=head.reference)
    note_opening(house.ledger, person, head.case_id, f"{head.reference}: {name}")
    return found


def note_case_opening(ledger: Ledger, person: Person, case_id: UUID) -> None:
    """Write down that this person looks at the case: once a day, so that reloading a page fills nothing."""
    today = now().astimezone(BERLIN).date()
    for one in reversed(events_of(ledger, case_id)):
        if one.at.astimezone(BERLIN).date() != today:
            break
        same = (one.body.get("account"), one.body.get("how")) == (person.account, person.how)
        if one.kind == OPENED and same and one.body.get("what") == _CASE:
            return
    note_opening(ledger, person, case_id, _CASE)


_CASE = "Fall"


def _documents(house: House, message: str) -> Mapping[str, SentFile]:
    head = stored_message(house.ledger, message)
    if effect(head.effect).confidential:
        return {}  # account data is shown to nobody
    whole = find_message(house.ledger, head.key)
    assert whole is not None
    files: Mapping[str, bytes] = {whole.file_name or head.reference: whole.payload}
    if whole.payload.startswith(_ZIP):
        try:
            files = zips.read(whole.payload, head.reference)
        except RecordError:
            raise InputError("Die Dokumente dieser Nachricht sind nicht zu lesen", where=head.reference) from None
    return {name: SentFile(_view(name, data), data) for name, data in files.items()}


def _view(name: str, data: bytes) -> SentFileView:
    kind = mimetypes.guess_type(name, strict=True)[0] or "application/octet-stream"
    return SentFileView(name=name, size=len(data), media_type=kind)
