"""The target: one pain.001.001.09 of stored payments, handed over once; the bank's word comes later, as files.

handed over, or there already ─▶ delivered      unclear ─▶ doubt: the note is asked, never a second file out of doubt
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from io import BytesIO
from uuid import UUID

from connectors._line import NoAnswer
from connectors.bank.pain001 import blocks_of, write
from connectors.bank.payment import ID, checked, read_payment
from connectors.bank.settings import Settings
from connectors.bank.ways import way_of
from kiezbruecke.connector import (
    Answer,
    Batch,
    BatchHead,
    CannotTell,
    Connection,
    Context,
    Found,
    Message,
    NotThere,
    TheirStand,
)
from kiezbruecke.errors import DeliveryError, NotSent, RecordError
from kiezbruecke.records import Receipt, ReceiptOutcome
from kiezbruecke.standards.store import parse, validator

log = logging.getLogger(__name__)

_FAILED = (DeliveryError, NoAnswer, OSError, ValueError)


class BankTarget:
    """A cash office or bank that takes SEPA files (BatchTarget)."""

    def __init__(self, connection: Connection, context: Context) -> None:
        self._settings = Settings.from_connection(connection)
        self._content = context.content
        self._way = way_of(self._settings)

    def close(self) -> None:
        """Give the connection back."""
        self._way.close()

    def compose(
        self,
        head: BatchHead,
        messages: Sequence[Message],
        standing: Sequence[Message],  # noqa: ARG002 - no full list here
    ) -> tuple[str, bytes]:
        """File name and bytes of the file; raises RecordError naming the payment that a bank would refuse."""
        self._refuse_head(head)
        payments = [read_payment(message.payload, message.reference) for message in messages]
        out = BytesIO()
        write(out, head, self._settings.debtor, blocks_of(head, payments))
        body = out.getvalue()
        self._valid(body, f"Datei {head.id}")
        return f"{head.id}.xml", body

    def send(self, batch: Batch, messages: Sequence[Message]) -> Mapping[UUID, Receipt]:
        """Hand the stored bytes over; raises NotSent, Rejected, or anything else for doubt."""
        self._tell(batch, messages)
        self._way.hand_over(batch.head.id, batch.file_name, batch.payload)
        return self._receipts(batch, messages)

    def look_up(self, batch: Batch, messages: Sequence[Message]) -> Mapping[UUID, Answer]:
        """Ask for the note of the file. Found only where it is about these very bytes."""
        keys = [message.key for message in messages]
        try:
            note = self._way.note_of(batch.head.id)
        except _FAILED as error:
            return dict.fromkeys(
                keys, CannotTell(type(error).__name__, reached=not isinstance(error, OSError | NotSent))
            )
        if note is None:
            return dict.fromkeys(keys, NotThere())
        if note.sha256 != hashlib.sha256(batch.payload).hexdigest():
            return dict.fromkeys(keys, CannotTell("unter diesem Namen liegt eine andere Datei"))
        return {key: Found(receipt) for key, receipt in self._receipts(batch, messages).items()}

    def stand(self) -> TheirStand:
        """The last file of ours that was handed over; raises where nobody can say."""
        return TheirStand(self._way.last_batch())

    def _receipts(self, batch: Batch, messages: Sequence[Message]) -> dict[UUID, Receipt]:
        return {
            message.key: Receipt(
                source=self._settings.connection,
                external_id=f"{batch.head.id}/{message.reference}",
                outcome=ReceiptOutcome.DELIVERED,
                event="UEBERGEBEN",
                key=message.key,
                reference=message.reference,
            )
            for message in messages
        }

    def _tell(self, batch: Batch, messages: Sequence[Message]) -> None:
        """What people should know of a file, without a name of anybody."""
        characters = self._settings.characters
        payments = (read_payment(message.payload, message.reference) for message in messages)
        changed = sum(checked(one, characters).name != one.name for one in payments)
        if changed:
            log.info("%s: %s name(s) written in the characters '%s'", batch.head.id, changed, characters)
        if len(messages) == 1:
            log.warning("%s: a file with one payment, so the bank verifies the payee (VoP)", batch.head.id)

    def _refuse_head(self, head: BatchHead) -> None:
        if not ID.fullmatch(head.id):
            raise RecordError("der Name des Stapels taugt nicht als MsgId", where=f"Datei {head.id}")
        if head.test and not self._settings.test_bank:
            raise RecordError(
                "eine Teststrecke zahlt nicht über einen echten Anschluss",
                where=f"Datei {head.id}",
                expected="eine Verbindung mit dem Kennzeichen Testanschluss",
            )

    def _valid(self, body: bytes, where: str) -> None:
        checker = validator(self._content, "pain", "001.001.09")
        assert checker is not None  # a profile always gives one
        if problems := checker.problems(parse(body, where)):
            raise RecordError(f"entspricht nicht dem Profil pain 001.001.09: {problems[0]}", where=where)
