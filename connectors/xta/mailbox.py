"""A message box as a source: what lies in it is handed over, and closed only after it was stored.

    getStatusList ─▶ getNextStatusList …          ids
         └─▶ getMessage each ─▶ Item              stored by the engine
                                └─▶ close         acknowledged: the server may forget it

A message that cannot be understood does not stop the others: it becomes an item of the kind `unknown` with
the bytes as they came. A message that could not be fetched stays in the box and is tried again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import uuid4

from connectors import _soap
from connectors.xta.client import Content, Encrypted, XtaClient
from connectors.xta.settings import Settings
from connectors.xta.target import UNKNOWN_ID, shut_out
from kiezbruecke.connector import Connection, Context, Cursor, Handled, Item
from kiezbruecke.errors import NotSent, RecordError, SourceError
from kiezbruecke.standards import xdomea

KINDS = ("0402", "0403")
PATIENCE = 3  # so many messages in a row may fail before the server counts as down
UNREAD = "#unread"


class Mailbox:
    """The own box at an XTA server."""

    def __init__(self, connection: Connection, context: Context) -> None:
        self._settings = Settings.from_connection(connection)
        self._client = XtaClient(self._settings, context.content)
        self._request_ids: dict[str, list[str]] = {}

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def fetch(self, cursor: Cursor) -> Iterator[Item]:  # noqa: ARG002 - the box itself knows what is new
        """Every message of the box. Raises SourceError at the end if something could not be read."""
        failed: list[BaseException] = []
        in_a_row = 0
        for message_id in self._listed(failed):
            try:
                item = self._item(message_id)
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
                f"{len(failed)} message(s) or page(s) could not be read: {_soap.describe(failed[-1])}",
                where=self._settings.msgbox_url,
                helps="what is missing stays in the box and is fetched again",
                trouble=shut_out(failed[-1]),
            ) from failed[-1]

    def acknowledge(self, handled: Sequence[Handled]) -> None:
        """Close what is stored, one by one. What is closed already is fine; what could not be read stays."""
        failed: list[BaseException] = []
        for each in handled:
            if each.item.external_id.endswith(UNREAD):
                continue
            try:
                self._close(each.item.external_id)
            except _soap.CALL_FAILED as error:
                failed.append(error)
                if len(failed) >= PATIENCE or isinstance(error, NotSent):
                    break
        if failed:
            raise SourceError(
                f"stored messages could not be closed: {_soap.describe(failed[-1])}",
                where=self._settings.msgbox_url,
                helps="they come again and are then known",
                trouble=shut_out(failed[-1]),
            ) from failed[-1]

    def _listed(self, failed: list[BaseException]) -> list[str]:
        """The ids of all pages, before the first message is fetched: closing would move the pages."""
        seen: dict[str, None] = {}
        try:
            page = self._client.status_list(self._settings.list_items)
            while new := [line.message_id for line in page.messages if line.message_id not in seen]:
                seen.update(dict.fromkeys(new))
                self._request_ids.update((message_id, [page.request_id]) for message_id in new)
                if not page.pending:
                    break
                page = self._client.next_status_list(page.request_id)
        except _soap.CALL_FAILED as error:
            failed.append(error)
        return list(seen)

    def _item(self, message_id: str) -> Item:
        """A message, or `unknown` with an id of its own where its content could not even be had."""
        try:
            fetched = self._client.get_message(message_id)
        except _soap.Fault as fault:
            if fault.code != UNKNOWN_ID:
                raise
            return _unread(message_id, "Das Postfach führt die Nachricht auf, gibt sie aber nicht heraus")
        except Encrypted:
            return _unread(message_id, "Die Nachricht ist verschlüsselt; ein Schlüssel ist nicht vereinbart")
        except ValueError:
            return _unread(message_id, "Der Inhalt der Nachricht ist kein gültiges Base64")
        self._request_ids[message_id].insert(0, fetched.request_id)
        return read_item(message_id, fetched.content)

    def _close(self, message_id: str) -> None:
        """Close with the request id of getMessage, else of the list: servers differ in which one they mean.

        9070 is what we want (closed before), or a request id that the server does not mean: the next one is tried.
        """
        known = [request_id for request_id in self._request_ids.get(message_id, []) if request_id]
        for request_id in known or [f"urn:uuid:{uuid4()}"]:
            try:
                return self._client.acknowledge([message_id], request_id)
            except _soap.Fault as fault:
                if fault.code != UNKNOWN_ID:
                    raise
        return None


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
    return Item("unknown", message_id, {}, raw=raw, problem=problem)


def _unread(message_id: str, problem: str) -> Item:
    """Its own id, so that the message is no old acquaintance when it can be read one day; it is never closed."""
    return _unknown(f"{message_id}{UNREAD}", problem)
