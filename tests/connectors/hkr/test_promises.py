"""HKR keeps what every source and target of carriers promises."""

from __future__ import annotations

import json
from urllib.request import urlopen

import pytest

from kiezbruecke.connector import Batch, BatchHead, Message
from kiezbruecke.testing import Counterpart, Stand, check_batch_target, check_source

from .conftest import ONE, PROCESS, ROOT, WHEN, message, payment

STAND = Stand(
    "hkr",
    PROCESS,
    ROOT,
    extra={"dienststelle": "BA-TK-SPK"},
    options=(f"content={ROOT}", "today=2026-11-23", "login=kb:richtig"),
    account=("kb", "richtig"),
)


def a_message(number: int) -> Message:
    return message(f"KK26-090416-{number:05d}-F1", f"{number}.50")


def a_payment(number: int) -> Message:
    return payment(f"KK26-090416-{number:05d}-Z1", f"{number}.50", ONE)


def copies(counterpart: Counterpart, sent: Message) -> int:
    """How often the books hold the order; however often it was transmitted."""
    with urlopen(f"{counterpart.connection.host}/_sandbox/received", timeout=5) as answer:
        return sum(one["accepted"] for one in json.load(answer) if one["Fremdkennzeichen"] == sent.reference)


def bookings(counterpart: Counterpart, sent: Message) -> int:
    """How often a payment was booked; however often it was accepted."""
    with urlopen(f"{counterpart.connection.host}/_sandbox/received", timeout=5) as answer:
        said = [one["answers"] for one in json.load(answer) if one["Fremdkennzeichen"] == sent.reference]
    return ",".join(said).split(",").count("GEBUCHT")


def fill(counterpart: Counterpart) -> None:
    """Two orders bring two answers."""
    target = STAND.target(counterpart.connection)
    orders = [a_message(number) for number in (90_001, 90_002)]
    head = BatchHead("stand-fill", "hkr-tk", WHEN, 2026)
    target.send(Batch(head, *target.compose(head, orders, ())), orders)  # type: ignore[arg-type, union-attr]
    target.close()  # type: ignore[union-attr]


TestSource = check_source(
    STAND, fill=fill, broken=("html_answer", "busy", "reset", "truncated_answer", "wrong_answer_sum", "gap")
)
LOST = ("commit_then_lose", "reset", "truncated_answer", "wrong_sum")
NOT_TAKEN = ("lose_before_commit", "html_answer", "busy")
TestTarget = check_batch_target(STAND, message=a_message, copies=copies, lost=LOST, not_taken=NOT_TAKEN)


class TestPayments(
    check_batch_target(STAND, message=a_payment, copies=bookings, lost=LOST, not_taken=NOT_TAKEN)  # type: ignore[misc]
):
    """The same promises where it is about money."""

    @pytest.fixture(autouse=True)
    def _bound(self, counterpart: Counterpart) -> None:
        """A commitment that pays for them all."""
        target = STAND.target(counterpart.connection)
        order = message(ONE, "999999.00")
        head = BatchHead("stand-bound", "hkr-tk", WHEN, 2026)
        target.send(Batch(head, *target.compose(head, [order], ())), [order])  # type: ignore[union-attr]
        target.close()  # type: ignore[union-attr]
