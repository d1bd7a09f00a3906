"""Puts lists into a folder. Every version is a new file that never changes; `.ok` says that it is whole."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from connectors.folder import files
from connectors.folder.settings import Settings
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
)
from kiezbruecke.errors import ConfigurationError, NotSent, Rejected
from kiezbruecke.mapping import table_header
from kiezbruecke.records import Receipt, ReceiptOutcome

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.csv")


class FolderTarget:
    """Target of the status list: one file per batch, always the full list."""

    def __init__(self, connection: Connection, context: Context) -> None:
        self._settings = Settings.from_connection(connection)
        self._connection_id = connection.id
        if self._settings.profile != "status-list":
            raise ConfigurationError(
                f"a folder with profile '{self._settings.profile}' is no target",
                where=f"connection {connection.id}",
                expected="status-list",
            )
        self._header = _line(table_header(self._settings.profile, context.content))

    def compose(self, head: BatchHead, messages: Sequence[Message], standing: Sequence[Message]) -> tuple[str, bytes]:
        """The whole list: a case's newer line replaces its standing one; sorted, so order tells nothing."""
        lines = {message.case_id: message.payload for message in (*standing, *messages)}
        prefix = "TEST-" if head.test else ""
        body = b"".join((self._header, *sorted(map(_line, lines.values()))))
        return f"{prefix}statusliste-{head.fiscal_year}-{head.id}.csv", codecs.BOM_UTF8 + body

    def send(self, batch: Batch, messages: Sequence[Message]) -> Mapping[UUID, Receipt]:
        """Put the file there, then its `.ok`. The same bytes again are harmless; other bytes are refused."""
        final = self._place(batch)
        if not self._is_there(final, batch.payload):
            self._write(final, batch.payload)
        marker = _marker(final)
        if not marker.exists():
            files.replace(marker, _marker_text(final, batch.payload))
        return self._receipts(batch, messages, final)

    def look_up(self, batch: Batch, messages: Sequence[Message]) -> Mapping[UUID, Answer]:
        """There with its `.ok`: confirmed. Without it nobody reads it yet: sending again completes it."""
        try:
            final = self._place(batch)
            if not (final.exists() and _marker(final).exists()):
                return {message.key: NotThere() for message in messages}
            if files.sha256(final) != _digest(batch.payload):
                return {message.key: CannotTell("the name is taken by another content") for message in messages}
        except (OSError, NotSent) as error:
            return {message.key: CannotTell(type(error).__name__) for message in messages}
        return {key: Found(receipt) for key, receipt in self._receipts(batch, messages, final).items()}

    def _place(self, batch: Batch) -> Path:
        """Where the file belongs. A missing folder is not made: it may be a share that is not mounted."""
        if not _FILE_NAME.fullmatch(batch.file_name):
            raise Rejected(
                "the batch's file name cannot be used",
                where=batch.file_name,
                expected="letters, digits, . _ -",
            )
        if not self._settings.path.is_dir():
            raise NotSent(
                "the folder is missing",
                where=f"connection {self._connection_id}",
                expected=str(self._settings.path),
            )
        return self._settings.path / batch.file_name

    def _is_there(self, final: Path, payload: bytes) -> bool:
        if not final.exists():
            return False
        if files.sha256(final) != _digest(payload):
            raise Rejected(
                "a file with this name and another content lies there",
                where=final.name,
                expected="a new name",
            )
        return True

    def _write(self, final: Path, payload: bytes) -> None:
        """Until the rename nothing is there, so a failure is certain; after it only the disk knows."""
        part: Path | None = None
        try:
            part = files.write_part(final, payload)
            part.rename(final)
        except OSError as error:
            if part:
                files.discard(part)
            raise NotSent(
                "the file cannot be written", where=final.name, helps=error.strerror or type(error).__name__
            ) from None
        files.sync_folder(final.parent)

    def _receipts(self, batch: Batch, messages: Sequence[Message], final: Path) -> dict[UUID, Receipt]:
        put_at = datetime.fromtimestamp(final.stat().st_mtime, UTC)
        return {
            message.key: Receipt(
                source=self._connection_id,
                external_id=f"{batch.head.id}:{message.key}",
                outcome=ReceiptOutcome.CONFIRMED,
                event="abgelegt",
                key=message.key,
                reference=message.reference,
                remote_id=final.name,
                occurred_at=put_at,
            )
            for message in messages
        }


def _line(payload: bytes) -> bytes:
    """A message's line as it was stored, with one end of line."""
    return payload.removeprefix(codecs.BOM_UTF8).rstrip(b"\r\n") + b"\r\n"


def _marker(final: Path) -> Path:
    return final.with_name(f"{final.name}.ok")


def _marker_text(final: Path, payload: bytes) -> bytes:
    """The form that `sha256sum -c` reads."""
    return f"{_digest(payload)}  {final.name}\n".encode()


def _digest(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()
