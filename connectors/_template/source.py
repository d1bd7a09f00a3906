"""Example as a source: page by page, the cursor moves behind what was handed over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connectors._template.client import CALL_FAILED, Client, Page
from connectors._template.settings import Settings
from kiezbruecke.connector import Connection, Context, Cursor, Handled, Item
from kiezbruecke.errors import SourceError


class ExampleSource:
    """What lies in a space (Source)."""

    def __init__(self, connection: Connection, context: Context) -> None:  # noqa: ARG002 - the process is not asked
        self._where = f"connection {connection.id}"
        self._client = Client(Settings.from_connection(connection))

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def fetch(self, cursor: Cursor) -> Iterator[Item]:
        """Everything after the cursor. It is committed with the items yielded so far, so it never runs ahead."""
        last, more = int(cursor.value or 0), True
        while more:
            page = self._page(last)
            for thing in page.things:
                last = thing.number
                yield Item("thing", str(thing.number), thing.body)
                cursor.advance(str(last))
            more = page.more and bool(page.things)

    def acknowledge(self, handled: Sequence[Handled]) -> None:
        """Tell Example what is stored here. TODO: `pass`, where the system need not know."""
        for each in handled:
            try:
                self._client.acknowledge(int(each.item.external_id))
            except CALL_FAILED as error:
                raise self._broken(error) from error

    def _page(self, last: int) -> Page:
        try:
            return self._client.things_after(last)
        except CALL_FAILED as error:
            raise self._broken(error) from error

    def _broken(self, error: Exception) -> SourceError:
        return SourceError(f"Example cannot be read ({type(error).__name__})", where=self._where, helps="tried again")
