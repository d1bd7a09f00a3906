"""XTA keeps what every source and target promises."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.request import urlopen
from uuid import uuid5

from kiezbruecke.connector import Message
from kiezbruecke.records import Process as ProcessRecord
from kiezbruecke.testing import Counterpart, Stand, check_source, check_target

from .conftest import PROCESS, ROOT, a_message, payload

KK = ProcessRecord(id="kk", name="KK", reference_prefix="KK26", bezirk_id="09", fiscal_year=2026)
STAND = Stand(
    "xta",
    KK,
    ROOT,
    extra={"party": "xyz:110090090000", "receiver": "abc:110090090001"},
    options=(f"content={ROOT}",),
)


def a_numbered_message(number: int) -> Message:
    return replace(a_message(payload=payload(number)), key=uuid5(PROCESS, str(number)))


def copies(counterpart: Counterpart, message: Message) -> int:
    """By the nachrichtenUUID, which is the message's key."""
    with urlopen(f"{counterpart.connection.host}/_sandbox/received", timeout=5) as answer:
        return sum(one["message_uuid"] == str(message.key) for one in json.load(answer))


def fill(counterpart: Counterpart) -> None:
    """Whoever sends two messages finds their answers in the box."""
    target = STAND.target(counterpart.connection)
    for number in (1, 2):
        message = a_numbered_message(number)
        target.send(message, target.reserve(message))  # type: ignore[union-attr, call-arg]
    target.close()  # type: ignore[union-attr]


# A call that is lost once is made again in the same run; what stays lost: test_mailbox.py.
TestSource = check_source(STAND, fill=fill)
TestTarget = check_target(
    STAND,
    message=a_numbered_message,
    copies=copies,
    lost=("commit_then_lose", "reset", "truncated_answer", "html_answer", "empty_202"),
    not_taken=("lose_before_commit", "fault_903x"),
)
