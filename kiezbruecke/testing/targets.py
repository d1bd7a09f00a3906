"""What the engine relies on when it sends, as tests for any target; see `kiezbruecke.testing`.

Single messages and carriers go through the same promises: a target of carriers gets each message in one of its own.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any, ClassVar

import pytest

from kiezbruecke.connector import (
    Answer,
    Batch,
    BatchHead,
    BatchTarget,
    CannotTell,
    Found,
    Message,
    NotThere,
    Target,
    Ticket,
    close,
)
from kiezbruecke.errors import ConfigurationError, NotSent, Rejected
from kiezbruecke.records import Receipt, ReceiptOutcome
from kiezbruecke.testing.stand import (
    FOREIGN,
    IMPATIENT,
    LOGIN,
    SECRET,
    SOON,
    Counterpart,
    OnAStand,
    Stand,
    nobody,
    silence,
    told,
)

THREADS, EACH = 4, 3


def check_target(
    stand: Stand,
    *,
    message: Callable[[int], Message],
    copies: Callable[[Counterpart, Message], int],
    lost: Sequence[str] = (),
    not_taken: Sequence[str] = (),
) -> type[TargetPromises]:
    """A test class for a target of single messages: `TestTarget = check_target(…)`.

    `message(number)` makes a message that the system takes, another one for each number. `copies` says how often the
    system holds a message's effect. `lost` are faults of the sandbox after which it has the message and its answer is
    lost, `not_taken` such that it has not and its answer is lost as well.
    """
    given = TargetGiven(message, copies, tuple(lost), tuple(not_taken))
    return type("TargetPromises", (TargetPromises,), {"stand": stand, "given": given, "numbers": count(1)})


def check_batch_target(
    stand: Stand,
    *,
    message: Callable[[int], Message],
    copies: Callable[[Counterpart, Message], int],
    lost: Sequence[str] = (),
    not_taken: Sequence[str] = (),
) -> type[BatchTargetPromises]:
    """A test class for a target of carriers; see `check_target`."""
    given = TargetGiven(message, copies, tuple(lost), tuple(not_taken))
    return type("BatchTargetPromises", (BatchTargetPromises,), {"stand": stand, "given": given, "numbers": count(1)})


@dataclass(frozen=True)
class TargetGiven:
    """What only the connector's author can know; see `check_target`."""

    message: Callable[[int], Message]
    copies: Callable[[Counterpart, Message], int]
    lost: tuple[str, ...]
    not_taken: tuple[str, ...]


@dataclass(frozen=True)
class Outgoing:
    """What goes out in one step: one message with its ticket, or in a carrier of its own. Stored before it is sent."""

    message: Message
    ticket: Ticket | None = None
    batch: Batch | None = None


class TargetPromises(OnAStand):
    """Each test is one promise, its docstring says what the engine would do wrong without it."""

    given: ClassVar[TargetGiven]
    numbers: ClassVar[count[int]]  # of the messages of this target alone

    # -- the two kinds of targets --------------------------------------------------------------------------------

    def open(self, counterpart: Counterpart) -> Any:
        """A new client, as after a restart."""
        target = self.stand.target(counterpart.connection)
        assert isinstance(target, Target)
        return target

    def prepare(self, target: Any) -> Outgoing:
        """The next message, with what is stored before it is sent."""
        message = self.given.message(next(self.numbers))
        return Outgoing(message, target.reserve(message))

    def send(self, target: Any, outgoing: Outgoing) -> Receipt:
        """Send the stored bytes."""
        receipt: Receipt = target.send(outgoing.message, outgoing.ticket)
        return receipt

    def look_up(self, target: Any, outgoing: Outgoing) -> Answer:
        """Ask what became of it; the engine takes a question that fails for CannotTell."""
        try:
            answer: Answer = target.look_up(outgoing.message, outgoing.ticket)
        except Exception as error:  # noqa: BLE001 - as the engine does
            return CannotTell(type(error).__name__)
        return answer

    def test_the_manifest_says_what_kind_of_target_it_is(self, counterpart: Counterpart) -> None:
        """`batch`: people choose a window by it, and the engine sends accordingly."""
        assert self.stand.manifest.can.batch == isinstance(self.open(counterpart), BatchTarget)

    # -- sending -------------------------------------------------------------------------------------------------

    def test_what_is_sent_arrives_once_and_the_receipt_finds_back(self, counterpart: Counterpart) -> None:
        """A receipt is matched by id only: our key, our Fremdkennzeichen, or their ticket."""
        target = self.open(counterpart)
        receipt = self.send(target, outgoing := self.prepare(target))
        ticket = outgoing.ticket and outgoing.ticket.id
        close(target)

        assert receipt.outcome in (ReceiptOutcome.DELIVERED, ReceiptOutcome.CONFIRMED)
        assert {receipt.key, receipt.reference, receipt.ticket} != {None}
        assert receipt.key in (None, outgoing.message.key)
        assert receipt.reference in (None, outgoing.message.reference)
        assert receipt.ticket in (None, ticket)
        assert self.given.copies(counterpart, outgoing.message) == 1

    def test_the_same_bytes_twice_have_one_effect(self, counterpart: Counterpart) -> None:
        """`dedupes`: out of doubt the engine sends again, also from another process."""
        if not self.stand.manifest.can.dedupes:
            pytest.skip("the manifest does not claim that repetition is harmless")
        target = self.open(counterpart)
        self.send(target, outgoing := self.prepare(target))
        again = self.send(self.open(counterpart), outgoing)

        assert again.outcome in (ReceiptOutcome.DELIVERED, ReceiptOutcome.CONFIRMED)
        assert self.given.copies(counterpart, outgoing.message) == 1

    def test_a_lost_answer_is_doubt_and_heals(self, counterpart: Counterpart) -> None:
        """The message is there. NotSent or Rejected would be lies, and NotThere would have it sent again for good."""
        for fault in self.given.lost:
            self._is_doubt_and_heals(counterpart, fault, there=True)

    def test_a_message_that_got_lost_is_doubt_and_heals(self, counterpart: Counterpart) -> None:
        """From here it looks like a lost answer. Found would be a lie: nobody would send it again."""
        for fault in self.given.not_taken:
            self._is_doubt_and_heals(counterpart, fault, there=False)

    def test_a_refused_connection_is_certain(self, counterpart: Counterpart) -> None:
        """Not one byte has left: it waits, and nobody has to ask."""
        outgoing = self.prepare(self.open(counterpart))
        with self._unreachable(counterpart) as gone, pytest.raises(NotSent):
            self.send(self.open(gone), outgoing)

        assert self.given.copies(counterpart, outgoing.message) == 0

    def test_silence_after_the_request_is_doubt_and_ends_with_the_patience(self, counterpart: Counterpart) -> None:
        """It may have been read; and a run that waits for ever holds its slot for ever."""
        self.only_over_http()
        outgoing = self.prepare(self.open(counterpart))
        begun = time.monotonic()
        with silence() as address, pytest.raises(Exception) as raised:  # noqa: PT011 - it must not claim to know
            self.send(self.open(self._impatient(counterpart, address)), outgoing)

        assert not isinstance(raised.value, NotSent | Rejected)
        assert time.monotonic() - begun < SOON

    # -- asking --------------------------------------------------------------------------------------------------

    def test_what_arrived_is_found_or_nothing_is_said(self, counterpart: Counterpart) -> None:
        """`look_up` in the manifest: it can be asked, and what it says is so."""
        target = self.open(counterpart)
        self.send(target, outgoing := self.prepare(target))
        answer = self.look_up(self.open(counterpart), outgoing)

        assert self._is_honest(answer, there=True)
        assert isinstance(answer, Found) or not self.stand.manifest.can.look_up

    def test_what_never_left_is_not_found(self, counterpart: Counterpart) -> None:
        """Found would settle a message that nobody has."""
        target = self.open(counterpart)

        assert self._is_honest(self.look_up(target, self.prepare(target)), there=False)

    def test_nobody_there_tells_nothing(self, counterpart: Counterpart) -> None:
        """A question that was not heard proves nothing: NotThere would send the message a second time."""
        target = self.open(counterpart)
        self.send(target, outgoing := self.prepare(target))
        with nobody() as address:
            self.only_over_http()
            answer = self.look_up(self.open(self._impatient(counterpart, address)), outgoing)

        assert isinstance(answer, CannotTell)

    # -- secrets, and the client itself ----------------------------------------------------------------------------

    def test_a_secret_never_goes_to_another_machine_in_the_clear(self) -> None:
        """Refused before the first byte."""
        self.only_over_http()
        with pytest.raises(ConfigurationError) as raised:
            self.stand.target(self.stand.with_secrets(self.stand.connection(FOREIGN)))

        assert SECRET not in told(raised.value)

    def test_a_secret_is_never_shown(self, counterpart: Counterpart, caplog: pytest.LogCaptureFixture) -> None:
        """Errors are stored and logged, clients are printed."""
        self.only_over_http()
        outgoing = self.prepare(self.open(counterpart))
        with nobody() as address, caplog.at_level(logging.DEBUG):
            gone = self._impatient(counterpart, address)
            target = self.open(replace(gone, connection=self.stand.with_secrets(gone.connection)))
            with pytest.raises(NotSent) as raised:
                self.send(target, outgoing)

        shown = f"{told(raised.value)}\n{target!r}\n{vars(target)!r}\n{caplog.text}"
        assert SECRET not in shown
        assert LOGIN not in shown

    def test_close_may_come_twice_and_is_no_end(self, counterpart: Counterpart) -> None:
        """The engine closes at a stage's end; a client that is used again opens anew."""
        target = self.open(counterpart)
        self.send(target, self.prepare(target))
        close(target)
        close(target)

        self.send(target, outgoing := self.prepare(target))
        close(target)
        assert self.given.copies(counterpart, outgoing.message) == 1

    def test_targets_in_several_threads_share_nothing(self, counterpart: Counterpart) -> None:
        """`parallel`: each thread has a target of its own; every receipt is about its own message."""
        if not self.stand.manifest.can.parallel:
            pytest.skip("the manifest does not claim that several may send at once")

        def work(_: int) -> list[tuple[Outgoing, Receipt]]:
            target = self.open(counterpart)
            parcels = [self.prepare(target) for _ in range(EACH)]
            sent = [(outgoing, self.send(target, outgoing)) for outgoing in parcels]
            close(target)
            return sent

        with ThreadPoolExecutor(THREADS) as threads:
            sent = [pair for pairs in threads.map(work, range(THREADS)) for pair in pairs]

        assert [receipt.key for _, receipt in sent] == [outgoing.message.key for outgoing, _ in sent]
        assert [self.given.copies(counterpart, outgoing.message) for outgoing, _ in sent] == [1] * THREADS * EACH

    # -- how it is tried -------------------------------------------------------------------------------------------

    def _is_doubt_and_heals(self, counterpart: Counterpart, fault: str, *, there: bool) -> None:
        target = self.open(counterpart)
        outgoing = self.prepare(target)
        counterpart.arm(fault)
        with pytest.raises(Exception) as raised:  # noqa: PT011 - whatever it is, it must not claim to know
            self.send(target, outgoing)

        assert not isinstance(raised.value, NotSent | Rejected), fault
        assert self._is_honest(self.look_up(target, outgoing), there=there), fault
        self._heals(counterpart, outgoing, fault)

    def _heals(self, counterpart: Counterpart, outgoing: Outgoing, fault: str) -> None:
        receipt = self.send(self.open(counterpart), outgoing)
        assert receipt.outcome in (ReceiptOutcome.DELIVERED, ReceiptOutcome.CONFIRMED), fault
        assert self.given.copies(counterpart, outgoing.message) == 1, fault

    def _is_honest(self, answer: Answer, *, there: bool) -> bool:
        if isinstance(answer, CannotTell):
            return True
        return isinstance(answer, Found if there else NotThere)

    def _impatient(self, counterpart: Counterpart, address: str) -> Counterpart:
        extra = {**counterpart.connection.extra, **IMPATIENT}
        return replace(counterpart, connection=replace(counterpart.connection, host=address, port=None, extra=extra))

    @contextmanager
    def _unreachable(self, counterpart: Counterpart) -> Any:
        if self.stand.gone is not None:
            yield self.stand.gone(counterpart)
            return
        with nobody() as address:
            yield self._impatient(counterpart, address)


class BatchTargetPromises(TargetPromises):
    """The same for carriers, and that a carrier's bytes can be made again."""

    def open(self, counterpart: Counterpart) -> Any:
        """A new client, as after a restart."""
        target = self.stand.target(counterpart.connection)
        assert isinstance(target, BatchTarget)
        return target

    def prepare(self, target: Any) -> Outgoing:
        """The next message in a carrier of its own."""
        message = self.given.message(next(self.numbers))
        return Outgoing(message, batch=self._carrier(target, [message]))

    def send(self, target: Any, outgoing: Outgoing) -> Receipt:
        """Send the stored bytes; its message must be among the receipts."""
        assert outgoing.batch is not None
        receipts: Mapping[Any, Receipt] = target.send(outgoing.batch, [outgoing.message])
        return receipts[outgoing.message.key]

    def look_up(self, target: Any, outgoing: Outgoing) -> Answer:
        """Ask what became of it; a missing key means CannotTell."""
        try:
            answers: Mapping[Any, Answer] = target.look_up(outgoing.batch, [outgoing.message])
        except Exception as error:  # noqa: BLE001 - as the engine does
            return CannotTell(type(error).__name__)
        return answers.get(outgoing.message.key, CannotTell())

    def test_the_same_arguments_give_the_same_bytes(self, counterpart: Counterpart) -> None:
        """The carrier is stored and goes again after a crash: a clock or a random number in it would be another one."""
        messages = [self.given.message(next(self.numbers)) for _ in range(3)]
        first = self._carrier(self.open(counterpart), messages)
        time.sleep(0.01)
        second = self._carrier(self.open(counterpart), messages)

        assert (first.file_name, first.payload) == (second.file_name, second.payload)
        assert all(self.given.copies(counterpart, message) == 0 for message in messages)

    def test_every_message_of_a_carrier_gets_its_receipt(self, counterpart: Counterpart) -> None:
        """One that is missing is in doubt, and a person may have to ask."""
        target = self.open(counterpart)
        messages = [self.given.message(next(self.numbers)) for _ in range(3)]
        receipts = target.send(self._carrier(target, messages), messages)

        assert {key: receipt.key for key, receipt in receipts.items()} == {one.key: one.key for one in messages}
        assert [self.given.copies(counterpart, message) for message in messages] == [1, 1, 1]

    def _carrier(self, target: Any, messages: Sequence[Message]) -> Batch:
        first = messages[0]
        when = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
        head = BatchHead(f"stand-{first.key.hex[:16]}", first.destination, when, self.stand.process.fiscal_year)
        return Batch(head, *target.compose(head, messages, ()))
