"""What a connector is to the engine: a source hands over items, a target takes messages and says what became of them.

    source ──Item──▶ (inbound mapping) ──▶ record            Message ──▶ target ──Receipt──▶

A client speaks its system's own language and returns these types. It knows no mapping, no ledger, no
Airflow and has no retry loop; it always has timeouts. Writing the same thing twice must be harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from kiezbruecke.records import Process, Receipt

UNREAD = "#unread"
"""Behind an external id: the thing itself could not even be had. Once it can be, its item has the plain id."""


@dataclass(frozen=True)
class Connection:
    """A concrete remote party (an Airflow connection): where it is and how to get in. Never logged whole."""

    id: str
    type: str
    host: str = ""
    port: int | None = None
    schema: str = ""
    login: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Context:
    """What a client is told besides its connection: the process, the route's `with:` and the content root."""

    process: Process
    options: Mapping[str, Any] = field(default_factory=dict)
    content: Path = Path()
    test: bool = False


@dataclass(frozen=True)
class Rest:
    """Further fields of an item's body, which cost a call of their own. Absent is not empty.

    `fetch` brings `fields` (names of the body's first level), or those of them that can be had now; it is called only
    where the item's records were not read with the same `version`. What does not come is absent: the records keep what
    they hold of it. What `fetch` could not bring is asked for again in the next run, and told as a `Gap`.
    """

    fields: frozenset[str]
    version: str  # as long as it stays the same, so do the fields
    fetch: Callable[[], Mapping[str, Any]] = field(repr=False, compare=False)


@dataclass(frozen=True)
class Item:
    """One thing a source hands over, in the platform's terms, its protocol's quirks resolved.

    `external_id` is stable and unique within the source: the same thing read twice has the same id.
    `kind` chooses the inbound mapping (`proposal`, `applicant`, `decision-line`, `0402`, `FESTGELEGT` …).
    `body` is a dict (JSON, row) or bytes (XML). `raw` are the bytes to be kept as evidence, where they matter.
    `problem`, where the connector itself cannot understand the thing: one German line for people, without values. No
    mapping reads such an item. It is the connector's word, never a field that came from outside. `rest`: see there.
    `as_read`: such an item as far as it could be understood; what mappings refuse of that is told with the problem, and
    nothing of it is kept.
    `secrets`: the fields of `body` that hold account data. Whoever keeps such a body seals it, and says none of it.
    `names`: what the thing is about, the surest name first, where it may come again as another item: a line of a sheet
    that was mended. A problem is listed under the first name; whatever is read well later and bears it mends it.
    """

    kind: str
    external_id: str
    body: Mapping[str, Any] | bytes = field(repr=False)
    raw: bytes | None = field(default=None, repr=False)
    raw_ref: str = ""
    problem: str | None = None
    rest: Rest | None = field(default=None, repr=False)
    names: tuple[str, ...] = field(default=(), repr=False)
    as_read: Item | None = field(default=None, repr=False)
    secrets: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Gap:
    """What a source could not have this time although it read on: a point on the list, until a run has it again.

    `subject` names the thing, the same in every run; `problem` is one German line for people: what happened, what
    stays as it was, who does what. `module_id`: this module's list was not read to its end, so nothing of it is gone.
    """

    subject: str
    problem: str
    module_id: int | None = None


@dataclass(frozen=True)
class Handled:
    """An item after it was stored: `problem` is None, or the one line why it was set aside."""

    item: Item
    problem: str | None = None
    known: bool = False  # nothing new: the same item had been stored before


class Cursor(Protocol):
    """How far a source was read. It moves only when what was read is stored."""

    value: str

    def advance(self, value: str) -> None:
        """Remember `value`; committed together with the items yielded so far."""


@runtime_checkable
class Remembers(Protocol):
    """What a cursor may offer besides: the ledger's memory, for sources that keep a thing until it is acknowledged."""

    def stored(self, external_ids: Collection[str]) -> Collection[str]:
        """Those of the ids whose items are stored: they need not be fetched again."""


class Source(Protocol):
    """Hands over items; see `Item`."""

    def fetch(self, cursor: Cursor) -> Iterator[Item]:
        """Yield every item that may be new. Raises SourceError if it cannot be read to the end.

        A source whose manifest says `listing: full` yields everything it has at every call: what it had
        before and does not yield now is gone; but for the modules that it names as a `Gap` (see `Gapped`).
        """

    def acknowledge(self, handled: Sequence[Handled]) -> None:
        """Tell the system that these items are stored (XTA close, moving a sheet). Called only after the commit.

        It may be called again for the same items after a crash, and must then be harmless.
        """


@runtime_checkable
class Reporting(Protocol):
    """A source that tells its people what follows from what it handed over, as a report beside a sheet. Optional."""

    def tell_what_follows(self, follows: Mapping[str, str]) -> None:
        """Per external id the German words that hold now; ids of other sources stand among them and mean nothing.

        Called after the commit, and again when the words change. The same words again write nothing; half of them are
        never seen. Raises SourceError where they could not be told: then they are told in the next run.
        """


@dataclass(frozen=True)
class SheetLine:
    """What became, or would become, of one line of a sheet, in the words of the report beside it."""

    row: int
    reference: str
    outcome: str
    hint: str  # what is wrong and what helps, or what was understood without being written


@dataclass(frozen=True)
class SheetLook:
    """What a source would make of a file that somebody holds in hand; nothing of it is kept.

    `items` are those that `fetch` would hand over, one per line, or none where `problem` says why the file cannot be
    used. `twin`: the name under which the same content lies there already. `lines` says what the report would, once
    the items were handled.
    """

    name: str
    digest: str
    items: tuple[Item, ...] = field(repr=False)
    notes: tuple[str, ...]
    problem: str = ""
    twin: str = ""
    lines: Callable[[Sequence[Handled]], Sequence[SheetLine]] = field(repr=False, compare=False, default=lambda _: ())


@dataclass(frozen=True)
class KeptSheet:
    """A sheet that lies at a source: `place` is `done`, `failed`, or empty while it waits to be read."""

    name: str
    place: str
    at: datetime
    digest: str
    has_report: bool


@runtime_checkable
class TakesSheets(Protocol):
    """A source that people fill with files: what a file would be read as, putting it there, what lies there. Optional.

    Whoever calls has asked who it is; the source asks nobody. Raises SourceError where the place cannot be used.
    """

    def look(self, name: str, body: bytes) -> SheetLook:
        """Read a file as `fetch` would, and keep nothing."""

    def put(self, name: str, body: bytes) -> tuple[str, bool]:
        """Put exactly these bytes where `fetch` finds them, whole or not at all; the name they have there.

        False where the same content lies there already: then nothing was written. Nothing is ever overwritten.
        """

    def kept(self, at_most: int) -> Sequence[KeptSheet]:
        """The sheets that wait or were handled, the newest first."""

    def report(self, sheet: KeptSheet) -> bytes | None:
        """The report beside a handled sheet; None where it is gone."""


class MarkKind(StrEnum):
    """What a person vouches for with a mark on an order (VV zu § 70 LHO)."""

    FACTUAL = "sachlich"  # sachlich richtig
    ARITHMETICAL = "rechnerisch"  # rechnerisch richtig
    ORDERED = "angeordnet"


@dataclass(frozen=True)
class Mark:
    """One person's mark on the bytes of one message. A carrier adds it where its contract has a place for it."""

    kind: MarkKind
    person: str = field(repr=False)  # the name
    account: str = field(repr=False)  # the log-in
    at: datetime
    how: str = "airflow"  # who vouches for the log-in


@dataclass(frozen=True)
class Message:
    """The bytes for one effect at one destination, stored before the first send; retries send these bytes."""

    key: UUID
    destination: str
    generation: int
    case_id: UUID
    effect: str  # 'file.create'; what it is stands in kiezbruecke/effects
    number: int
    reference: str  # Fremdkennzeichen, at most 25 characters
    payload: bytes = field(repr=False)
    file_name: str
    media_type: str
    created_at: datetime
    test: bool
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False)  # JSON values a target needs beside the bytes
    marks: tuple[Mark, ...] = ()  # of an order; given after its bytes were written, so they are no part of these


@dataclass(frozen=True)
class Ticket:
    """An id of theirs for a message of ours (XTA MessageID), committed before the message is sent."""

    id: str


@dataclass(frozen=True)
class Found:
    """The target has it; `receipt` says what is known of it."""

    receipt: Receipt


@dataclass(frozen=True)
class NotThere:
    """The target can prove that it never arrived."""


@dataclass(frozen=True)
class CannotTell:
    """The target cannot say (yet); or it was not reached, and others need not be asked after either."""

    why: str = ""
    reached: bool = True


Answer = Found | NotThere | CannotTell


@runtime_checkable
class Target(Protocol):
    """Takes one message at a time."""

    def reserve(self, message: Message) -> Ticket | None:
        """Ask for an id of theirs; committed before `send`. A lost answer leaves a harmless orphan."""

    def send(self, message: Message, ticket: Ticket | None) -> Receipt:
        """Send the stored bytes. Raises NotSent or Rejected where that is certain; anything else means doubt."""

    def look_up(self, message: Message, ticket: Ticket | None) -> Answer:
        """Find a message again. NotThere only if the target can prove it."""


class Probe(Protocol):
    """Tries a connection as a run would use it. Optional: named by the manifest's `probe`."""

    def __call__(self, connection: Connection, content: Path, processes: Sequence[Process]) -> str:
        """Log in and read something harmless; one German line of what was found, without content and secrets.

        Nothing is changed on the other side, no log-in is tried twice, nothing is asked that a run would not ask.
        Raises what a run would raise, with its trouble. `processes` are those whose routes use the connection.
        """


@dataclass(frozen=True)
class TheirStand:
    """The last that a destination has of us: it shows a restored ledger that it is old."""

    last_batch: str = ""  # a carrier's id of ours; empty where none ever arrived
    last_answer: int = 0


@dataclass(frozen=True)
class TheirOrder:
    """A message as its destination has it. `receipt` says what became of it; `raw` are their own bytes."""

    reference: str
    effect: str
    amount: Decimal
    area: str
    fiscal_year: int
    receipt: Receipt
    raw: bytes = field(repr=False)
    related_reference: str | None = None
    voucher: str = ""
    test: bool = False


@runtime_checkable
class HasStand(Protocol):
    """A target that can say what it has of us last. Optional."""

    def stand(self) -> TheirStand:
        """Ask for it; raises where it cannot be had (an older contract, no answer)."""


@runtime_checkable
class HasOrders(Protocol):
    """A target that can be asked what it has under our Fremdkennzeichen. Optional."""

    def orders(self, beginnings: Sequence[str]) -> Sequence[TheirOrder]:
        """All that is there under Fremdkennzeichen that begin so; what is missing is proven not to be there.

        Raises where they cannot be had whole, NotImplementedError where the system does not know the question.
        """


@runtime_checkable
class Archiving(Protocol):
    """A source that keeps what it has handed over, and can hand it over again. Optional."""

    def archived(self) -> Iterator[Item]:
        """The same items with the same ids, in the order in which they came; they are not acknowledged again."""


@runtime_checkable
class Gapped(Protocol):
    """A source that reads on where a part of it cannot be had. Optional; a source that is no such one raises."""

    def gaps(self) -> Sequence[Gap]:
        """What the last `fetch` and the rests of its items could not have; asked when all of them are stored."""


@dataclass(frozen=True)
class Received:
    """What a sender is told: an HTTP status, one English line without content, and when to come again (seconds)."""

    status: int
    text: str
    again_after: int | None = None


class Receiver(Protocol):
    """Takes what others send by themselves, and keeps it for the source of the same connection. Called by threads."""

    max_bytes: int  # of one body; more is not read

    def receive(self, headers: Mapping[str, str], body: bytes, at: datetime) -> Received:
        """2xx only when it is kept durably, once. `headers`: names in small letters; `at`: now, UTC."""


@runtime_checkable
class Closing(Protocol):
    """A source or target that holds something open between its calls. Optional: see `registry.close`."""

    def close(self) -> None:
        """Give it back; twice is harmless, and a later call opens anew."""


@dataclass(frozen=True)
class BatchHead:
    """What is fixed about a carrier before its bytes exist."""

    id: str  # at most 35 characters, stable
    destination: str
    created_at: datetime
    fiscal_year: int
    test: bool = False


@dataclass(frozen=True)
class Batch:
    """A carrier of many messages: its id, file name and bytes are stored with the claims, in one transaction."""

    head: BatchHead
    file_name: str
    payload: bytes = field(repr=False)


@runtime_checkable
class BatchTarget(Protocol):
    """Takes many messages in one carrier; the unit of the ledger stays one message."""

    def compose(self, head: BatchHead, messages: Sequence[Message], standing: Sequence[Message]) -> tuple[str, bytes]:
        """File name and bytes of the carrier; pure: the same arguments give the same bytes.

        `standing` are the messages that still hold from earlier batches, for targets whose manifest
        says `full_list` (a status list is always the whole list).
        """

    def send(self, batch: Batch, messages: Sequence[Message]) -> Mapping[UUID, Receipt]:
        """Send the stored bytes. A receipt per message key; a missing one means doubt for that message."""

    def look_up(self, batch: Batch, messages: Sequence[Message]) -> Mapping[UUID, Answer]:
        """Ask what became of the batch, per message key; a missing key means CannotTell."""
