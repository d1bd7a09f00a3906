"""A message box as a source: what lies in it is handed over, and closed only after it was stored.

    getStatusList ─▶ getNextStatusList …          ids; what the ledger holds already is not fetched again
         └─▶ getMessage each ─▶ Item              stored by the engine
                                └─▶ close         acknowledged: the server may forget it

A message that cannot be understood does not stop the others: it becomes an item of the kind `unknown` with
the container as it came. What could not be fetched is asked for again, behind the others and from a new list: reading
changes nothing. What fails then as well stays in the box for the next run.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from connectors import _mtom, _soap
from connectors.xta.client import Content, Encrypted, Fetched, NotOurs, XtaClient
from connectors.xta.settings import Settings
from connectors.xta.target import UNKNOWN_ID, shut_out
from kiezbruecke.connector import UNREAD, Connection, Context, Cursor, Handled, Item, Remembers
from kiezbruecke.errors import RecordError, SourceError
from kiezbruecke.standards import xdomea
from kiezbruecke.standards.parse import in_utf8

KINDS = ("0402", "0403")
PATIENCE = 5  # so many calls in a row may fail before the server counts as down
ROUNDS = 3  # so often a call that failed is tried in one run
AT_ONCE = 50  # messages per close
LONGEST = 180  # an id that is longer has a short one with us
_FURTHER = re.compile(r"#[2-9]$")  # an answer beside the one that bears the message's id


@dataclass
class _Luck:
    """How the calls of a round went."""

    failed: list[BaseException] = field(default_factory=list)
    in_a_row: int = 0

    def went_well(self) -> None:
        self.in_a_row = 0

    def went_wrong(self, error: BaseException) -> None:
        self.failed.append(error)
        self.in_a_row += 1

    @property
    def is_out(self) -> bool:
        """Whether the server counts as down."""
        return self.in_a_row >= PATIENCE


class Mailbox:
    """The own box at an XTA server."""

    def __init__(self, connection: Connection, context: Context) -> None:
        self._settings = Settings.from_connection(connection)
        self._client = XtaClient(self._settings, context.content)
        self._request_ids: dict[str, list[str]] = {}  # by MessageID: of getMessage, of the list
        self._ids: dict[str, str] = {}  # MessageIDs by external id, where that is another
        self._one_by_one = False  # the server does not close several at once

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def fetch(self, cursor: Cursor) -> Iterator[Item]:
        """Every message of the box. Raises SourceError at the end if something could not be read."""
        handed: set[str] = set()
        known: set[str] = set()
        luck, unclear = _Luck(), list[str]()
        for _ in range(ROUNDS):
            luck, unclear = _Luck(), []
            listed = [one for one in self._listed(luck) if one not in handed]
            known |= _stored(cursor, {_external_id(one): one for one in listed})
            yield from self._fetched([one for one in listed if one not in known], handed, unclear, luck)
            if not luck.failed or luck.is_out:
                break
        for message_id in unclear:
            yield _unread(_external_id(message_id), "Das Postfach gibt die Nachricht nicht lesbar heraus")
        closing = self._closed_again(sorted(known))
        if luck.failed:
            raise SourceError(
                f"{len(luck.failed)} message(s) or page(s) could not be read: {_soap.describe(luck.failed[-1])}",
                where=self._settings.msgbox_url,
                helps="what is missing stays in the box and is fetched again",
                trouble=shut_out(luck.failed[-1]),
            ) from luck.failed[-1]
        self._complain(closing)

    def acknowledge(self, handled: Sequence[Handled]) -> None:
        """Close what is stored. What is closed already is fine; what could not be read stays.

        Of several answers in one message the last bears its id: when that one is stored, all of them are.
        """
        ids = [each.item.external_id for each in handled]
        plain = [one for one in ids if not one.endswith(UNREAD) and not _FURTHER.search(one)]
        left = [self._ids.get(one, one) for one in dict.fromkeys(plain)]
        luck = _Luck()
        for _ in range(ROUNDS):
            luck = _Luck()
            left = self._close_all(left, luck)
            if not left or luck.is_out:
                break
        self._complain(luck)

    def _complain(self, luck: _Luck) -> None:
        if luck.failed:
            raise SourceError(
                f"stored messages could not be closed: {_soap.describe(luck.failed[-1])}",
                where=self._settings.msgbox_url,
                helps="they stay in the box, are not read again, and are closed in the next run",
                trouble=shut_out(luck.failed[-1]),
            ) from luck.failed[-1]

    # -- reading ---------------------------------------------------------------------------------------------

    def _listed(self, luck: _Luck) -> list[str]:
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
            luck.went_wrong(error)
        return list(seen)

    def _fetched(self, message_ids: Iterable[str], handed: set[str], unclear: list[str], luck: _Luck) -> Iterator[Item]:
        """The items of messages; notes which were handed over, and which came as something that is no answer."""
        luck.went_well()
        for message_id in message_ids:
            try:
                items = self._items(message_id)
            except _soap.CALL_FAILED as error:
                luck.went_wrong(error)
                if isinstance(error, _soap.NoAnswer) and error.status in (0, 200):
                    unclear.append(message_id)
                if luck.is_out:
                    return
            else:
                luck.went_well()
                handed.add(message_id)
                yield from items

    def _items(self, message_id: str) -> list[Item]:
        """A message's answers, or `unknown` with an id of its own where its content could not even be had."""
        external_id = _external_id(message_id)
        self._ids[external_id] = message_id
        try:
            fetched = self._client.get_message(message_id)
        except _soap.Fault as fault:
            if fault.code != UNKNOWN_ID:
                raise
            return [_unread(external_id, "Das Postfach führt die Nachricht auf, gibt sie aber nicht heraus")]
        except Encrypted:
            return [_unread(external_id, "Die Nachricht ist verschlüsselt; ein Schlüssel ist nicht vereinbart")]
        except NotOurs:
            problem = "Das Postfach gibt an ihrer Stelle eine fremde Nachricht heraus; sie wurde nicht übernommen"
            return [_unread(external_id, problem)]
        except ValueError:
            return [_unread(external_id, "Der Inhalt der Nachricht ist kein gültiges Base64")]
        self._request_ids[message_id].insert(0, fetched.request_id)
        try:
            return read_items(external_id, fetched)
        except Exception:  # noqa: BLE001 - one odd message must not keep the others in the box
            problem = "Die Nachricht ist so ungewöhnlich, dass sie nicht gelesen werden kann"
            return [_unknown(external_id, problem, fetched.whole())]

    # -- closing ---------------------------------------------------------------------------------------------

    def _closed_again(self, message_ids: Collection[str]) -> _Luck:
        """What an earlier run has stored and could not close; one by one, as not every server minds a list of ids."""
        luck = _Luck()
        for message_id in message_ids:
            if luck.is_out:
                break
            self._tried([message_id], luck)
        return luck

    def _close_all(self, message_ids: Sequence[str], luck: _Luck) -> list[str]:
        """Close messages, several in one call where the server allows it; those that are left."""
        left: list[str] = []
        by_list: dict[str, list[str]] = {}
        for message_id in message_ids:
            by_list.setdefault(self._request_ids.get(message_id, [""])[-1], []).append(message_id)
        for request_id, ids in by_list.items():
            size = AT_ONCE if request_id and not self._one_by_one else 1
            for some in (ids[start : start + size] for start in range(0, len(ids), size)):
                if luck.is_out or not self._tried(some, luck):
                    left += some
        return left

    def _tried(self, message_ids: Sequence[str], luck: _Luck) -> bool:
        try:
            self._close(message_ids)
        except _soap.CALL_FAILED as error:
            luck.went_wrong(error)
            return False
        luck.went_well()
        return True

    def _close(self, message_ids: Sequence[str]) -> None:
        if len(message_ids) > 1:
            try:
                return self._client.acknowledge([*message_ids], self._request_ids[message_ids[0]][-1])
            except _soap.Fault:  # one of them is closed already, or the server wants them one by one
                self._one_by_one = True
        for message_id in message_ids:
            self._close_one(message_id)
        return None

    def _close_one(self, message_id: str) -> None:
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


def read_items(external_id: str, fetched: Fetched) -> list[Item]:
    """The answers in a message, each once and the last with the message's id; else one `unknown` with the reason.

    Whatever is not a single answer keeps the container whole: it is closed, and the server forgets it.
    """
    raw = fetched.whole() if len(fetched.contents) > 1 else fetched.contents[0].content
    read = [read_item(external_id, content) for content in fetched.contents]
    answers = {(item.kind, item.body): item for item in read if item.problem is None}
    if not answers:
        return [_unknown(external_id, read[0].problem or "", fetched.whole())]
    kinds = list(answers)[:9]
    ids = [*(f"{external_id}#{number}" for number in range(2, len(kinds) + 1)), external_id]
    return [Item(kind, name, body, raw=raw) for (kind, body), name in zip(kinds, ids, strict=True)]


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
    """The standard leaves the form open; seen are a ZIP (xdomea) and the bare XML, in the charset of its type."""
    if content.content.startswith(b"PK"):
        return xdomea.unpack(content.content, "ZIP aus dem Postfach", lenient=True).xml
    _, parameters = _mtom.media_type(content.media_type)
    if not (charset := parameters.get("charset")):
        return content.content
    try:
        return in_utf8(content.content, charset)
    except (LookupError, UnicodeDecodeError):
        raise RecordError(
            "ist nicht in der Zeichenkodierung geschrieben, die ihr Inhaltstyp nennt",
            where="Nachricht aus dem Postfach",
        ) from None


def _external_id(message_id: str) -> str:
    """The MessageID, if it is not too long for the ledger."""
    if len(message_id) <= LONGEST:
        return message_id
    return f"{message_id[:100]}#{hashlib.sha256(message_id.encode()).hexdigest()}"


def _stored(cursor: Cursor, ids: dict[str, str]) -> set[str]:
    """The MessageIDs of what is stored already, of those in `ids` by their external ids."""
    if not isinstance(cursor, Remembers):
        return set()
    return {ids[external_id] for external_id in cursor.stored(ids.keys())}


def _unknown(message_id: str, problem: str, raw: bytes | None = None) -> Item:
    return Item("unknown", message_id, {}, raw=raw, problem=problem)


def _unread(external_id: str, problem: str) -> Item:
    """Its own id, so that the message is no old acquaintance when it can be read one day; it is never closed."""
    return _unknown(f"{external_id}{UNREAD}", problem)
