"""A message box as a source: what lies in it is handed over, and closed only after it was stored.

    getStatusList ─▶ getNextStatusList …          ids
         └─▶ getMessage each ─▶ Item              stored by the engine
                                └─▶ close         acknowledged: the server may forget it

A message that cannot be understood does not stop the others: it becomes an item of the kind `unknown` with
the bytes as they came. A message that could not be fetched stays in the box and is tried again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from uuid import uuid4

from connectors import _soap
from connectors.xta.client import Content, Encrypted, Listed, XtaClient
from connectors.xta.settings import Settings
from connectors.xta.target import UNKNOWN_ID
from kiezbruecke.connector import Connection, Context, Cursor, Handled, Item
from kiezbruecke.errors import NotSent, RecordError, SourceError
from kiezbruecke.standards import xdomea

KINDS = ("0402", "0403")
PATIENCE = 3  # so many messages in a row may fail before the server counts as down


class Mailbox:
    """The own box at an XTA server."""

    def __init__(self, connection: Connection, context: Context) -> None:
        self._settings = Settings.from_connection(connection)
        self._client = XtaClient(self._settings, context.content)
        self._request_ids: dict[str, str] = {}
        self._not_fetched: set[str] = set()

    def fetch(self, cursor: Cursor) -> Iterator[Item]:  # noqa: ARG002 - the box itself knows what is new
        """Every message of the box. Raises SourceError at the end if one could not be fetched."""
        failed, in_a_row = [], 0
        for listed in self._listed():
            try:
                item = self._item(listed)
            except _soap.CALL_FAILED as error:
                failed.append(error)
                in_a_row += 1
                if in_a_row >= PATIENCE or isinstance(error, NotSent):
                    break
            else:
                in_a_row = 0
                yield item
        if failed:
            raise SourceError(
                f"{len(failed)} message(s) could not be fetched: {_soap.describe(failed[-1])}",
                where=self._settings.msgbox_url,
                helps="they stay in the box and are fetched again",
            ) from failed[-1]

    def acknowledge(self, handled: Sequence[Handled]) -> None:
        """Close what is stored, one by one. What is closed already is fine; what was never fetched stays."""
        for each in handled:
            message_id = each.item.external_id
            if message_id not in self._not_fetched:
                self._close(message_id)

    def _listed(self) -> Iterator[Listed]:
        """All pages before the first message is fetched: closing and fetching would move the pages."""
        seen: dict[str, Listed] = {}
        try:
            page = self._client.status_list(self._settings.list_items)
            while True:
                new = [line for line in page.messages if line.message_id not in seen]
                seen.update((line.message_id, line) for line in new)
                self._request_ids.update((line.message_id, page.request_id) for line in new)
                if not page.pending or not new:
                    return iter(seen.values())
                page = self._client.next_status_list(page.request_id)
        except _soap.CALL_FAILED as error:
            raise SourceError(
                f"the box could not be listed: {_soap.describe(error)}", where=self._settings.msgbox_url
            ) from error

    def _item(self, listed: Listed) -> Item:
        message_id = listed.message_id
        self._not_fetched.add(message_id)
        try:
            fetched = self._client.get_message(message_id)
        except _soap.Fault as fault:
            if fault.code != UNKNOWN_ID:
                raise
            return _unknown(message_id, "Das Postfach führt die Nachricht auf, gibt sie aber nicht heraus")
        except Encrypted:
            return _unknown(message_id, "Die Nachricht ist verschlüsselt; ein Schlüssel ist nicht vereinbart")
        except ValueError:
            return _unknown(message_id, "Der Inhalt der Nachricht ist kein gültiges Base64")
        self._not_fetched.discard(message_id)
        if fetched.request_id:
            self._request_ids[message_id] = fetched.request_id
        return read_item(message_id, fetched.content)

    def _close(self, message_id: str) -> None:
        request_id = self._request_ids.get(message_id) or f"urn:uuid:{uuid4()}"
        try:
            self._client.close([message_id], request_id)
        except _soap.Fault as fault:
            if fault.code != UNKNOWN_ID:  # 9070: closed before, which is what we want
                raise _not_closed(fault, self._settings.msgbox_url) from fault
        except _soap.CALL_FAILED as error:
            raise _not_closed(error, self._settings.msgbox_url) from error


def read_item(message_id: str, content: Content) -> Item:
    """The item in a message's bytes: its XML and kind, or `unknown` with the reason."""
    try:
        xml = _xml(content)
        kind = xdomea.message_type(xml, "Nachricht aus dem Postfach")
    except RecordError as error:
        return _unknown(message_id, error.line(), content.content)
    if kind not in KINDS:
        problem = f"Nachrichten vom Typ {kind} werden hier nicht erwartet"
        return _unknown(message_id, problem, content.content)
    return Item(kind, message_id, xml, raw=content.content)


def _xml(content: Content) -> bytes:
    """The standard leaves the form open; seen are a ZIP (xdomea) and the bare XML."""
    if content.content.startswith(b"PK"):
        return xdomea.unpack(content.content, "ZIP aus dem Postfach").xml
    return content.content


def _unknown(message_id: str, problem: str, raw: bytes | None = None) -> Item:
    body: Mapping[str, str] = {"problem": problem}
    return Item("unknown", message_id, body, raw=raw)


def _not_closed(error: Exception, where: str) -> SourceError:
    return SourceError(
        f"a stored message could not be closed: {_soap.describe(error)}",
        where=where,
        helps="it comes again and is then known",
    )
