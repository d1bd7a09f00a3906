"""The target: builds the file from stored lines, hands it over, and says only what the folder can prove.

handed over with its `.ok` ─▶ delivered; what became of the orders says an answer file
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from uuid import UUID

from connectors._batches import last_batch
from connectors.hkr_file.handover import Handover
from connectors.hkr_file.places import LocalFolder, Place
from connectors.hkr_file.settings import Settings
from connectors.hkr_file.sftp import Line, RemoteFolder
from connectors.hkr_file.stack import Sender, write_stack
from kiezbruecke.connector import Answer, Batch, BatchHead, Connection, Context, Found, Message, TheirStand
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.schema.tables import TableLayout, read_table
from kiezbruecke.records import Receipt, ReceiptOutcome

HANDED_OVER = "UEBERGEBEN"
"""Our word: the file lies there whole. Whether they accept its orders comes back by file."""


class FileBatches:
    """An HKR system that takes files, as the target of orders (BatchTarget)."""

    def __init__(self, connection: Connection, context: Context) -> None:
        self.settings = Settings.from_connection(connection)
        self._table = read_batch_table(context.content, self.settings.profile, self.settings.where)
        self._shelves = Shelves(self.settings)
        self._handover = Handover(self._shelves.batches, self._shelves.taken, self.settings.where)

    def close(self) -> None:
        """Give the connection back."""
        self._shelves.close()

    def compose(
        self,
        head: BatchHead,
        messages: Sequence[Message],
        standing: Sequence[Message],  # noqa: ARG002 - no full list here
    ) -> tuple[str, bytes]:
        """File name and bytes; raises RecordError naming the order that cannot be in it."""
        origin = Sender(self.settings.dienststelle, self.settings.vorverfahren)
        return file_name(self._table, head), write_stack(self._table, head, origin, messages)

    def send(self, batch: Batch, messages: Sequence[Message]) -> Mapping[UUID, Receipt]:
        """Hand the stored bytes over; raises NotSent, AlreadyUsed, or anything else for doubt."""
        with closing(self._shelves):
            self._handover.put(batch.file_name, batch.payload)
        return {message.key: self._receipt(batch, message) for message in messages}

    def look_up(self, batch: Batch, messages: Sequence[Message]) -> Mapping[UUID, Answer]:
        """Look for the file by name and hash. What was taken away by somebody unknown proves nothing."""
        with closing(self._shelves):
            found = self._handover.find(batch.file_name, batch.payload)
        if not isinstance(found, bool):
            return dict.fromkeys((message.key for message in messages), found)
        return {message.key: Found(self._receipt(batch, message)) for message in messages}

    def stand(self) -> TheirStand:
        """The last file of ours that lies there, or that they have taken and kept; nothing proves that none came."""
        with closing(self._shelves):
            places = (self._shelves.batches, *([self._shelves.taken] if self._shelves.taken else []))
            return TheirStand(
                last_batch([name for place in places for name in place.names()], self.settings.connection)
            )

    def _receipt(self, batch: Batch, message: Message) -> Receipt:
        return Receipt(
            source=self.settings.connection,
            external_id=f"{batch.head.id}/{message.reference}",
            outcome=ReceiptOutcome.DELIVERED,
            event=HANDED_OVER,
            key=message.key,
            reference=message.reference,
            remote_id=batch.file_name,
        )


class Shelves:
    """The folders of a connection: here, or all of them over one line, which ends with each call of the engine."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._line = Line(settings) if settings.host else None
        self.batches = self._place(settings.path)
        self.taken = self._place(settings.taken) if settings.taken else None

    def answers(self, *below: str) -> Place:
        """The folder of the answers, or one in it."""
        return self._place("/".join((self._settings.answers.rstrip("/"), *below)))

    def close(self) -> None:
        """End the line, where there is one."""
        if self._line:
            self._line.close()

    def _place(self, path: str) -> Place:
        return RemoteFolder(self._line, path) if self._line else LocalFolder(Path.cwd() / path, self._settings.where)


def file_name(table: TableLayout, head: BatchHead) -> str:
    """`<batch>.txt`; a test says so in its name as well."""
    assert table.file is not None
    ending = table.file.ending or ("txt" if table.format == "fixed" else "csv")
    return f"{'TEST-' if head.test else ''}{head.id}.{ending}"


def read_batch_table(content: Path, profile: str, where: str) -> TableLayout:
    """The layout of a connection; raises ConfigurationError for a table that is no file."""
    table = read_table(content, profile)
    if table.file is None or table.item:
        expected = "a table with file: that is written, such as kiezbruecke-fixed"
        raise ConfigurationError(f"the table '{profile}' describes no batch file", where=where, expected=expected)
    return table
