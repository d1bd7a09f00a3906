"""Publishes open data: at every real change the whole dataset, as files that belong together (`publication.py`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from connectors.folder.publication import Edition, files_of, read_publication, refuse_unfit_table
from connectors.folder.settings import Settings
from connectors.folder.shelf import Shelf, version_of
from connectors.folder.table import read_list
from connectors.folder.target import receipts, whole_list
from kiezbruecke.connector import Answer, Batch, BatchHead, Connection, Context, Found, Message
from kiezbruecke.german import BERLIN
from kiezbruecke.records import Receipt
from kiezbruecke.standards import zips

_ENDING = ".zip"


class OpenDataTarget:
    """Target of open data: one set of files per batch, always the whole list.

    A batch's bytes are a ZIP of the files: they are stored before the first one is written, and a retry writes these.
    """

    def __init__(self, connection: Connection, context: Context) -> None:
        settings = Settings.from_connection(connection)
        where = f"connection {connection.id}, process {context.process.id}"
        self._connection_id = connection.id
        self._shelf = Shelf(settings.path, connection.id)
        self._table = read_list(context.content, settings.profile, where)
        refuse_unfit_table(self._table, where)
        self._facts = read_publication(context.options, where)
        self._process = context.process

    def compose(self, head: BatchHead, messages: Sequence[Message], standing: Sequence[Message]) -> tuple[str, bytes]:
        """The whole list: a case's newer line replaces its standing one; sorted, so order tells nothing."""
        lines = whole_list(messages, standing)
        changed = max(message.created_at for message in lines).astimezone(BERLIN).date()
        name = self._name(test=head.test)
        edition = Edition(name, sorted(message.payload for message in lines), changed)
        made = files_of(edition, self._table, self._facts, self._process.fiscal_year)
        return f"{version_of(name, head.id)}{_ENDING}", zips.write(made.items())

    def send(self, batch: Batch, messages: Sequence[Message]) -> Mapping[UUID, Receipt]:
        """Put the set there and switch to it. The same bytes again are harmless; other bytes are refused."""
        return receipts(self._connection_id, batch, messages, self._shelf.put(*self._set(batch)))

    def look_up(self, batch: Batch, messages: Sequence[Message]) -> Mapping[UUID, Answer]:
        """There, whole and shown: confirmed; the other answers are about the whole set."""
        found = self._shelf.find(*self._set(batch))
        if not isinstance(found, datetime):
            return dict.fromkeys((message.key for message in messages), found)
        return {key: Found(one) for key, one in receipts(self._connection_id, batch, messages, found).items()}

    def _set(self, batch: Batch) -> tuple[str, str, Mapping[str, bytes]]:
        version = batch.file_name.removesuffix(_ENDING)
        return self._name(test=batch.head.test), version, zips.read(batch.payload)

    def _name(self, *, test: bool) -> str:
        return f"{'TEST-' if test else ''}{self._process.id}"
