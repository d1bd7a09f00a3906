"""Decidim keeps what every source and target promises."""

from __future__ import annotations

import json
from urllib.request import urlopen

from connectors.decidim._recorded import EXTRA, SECRET
from kiezbruecke.connector import Message
from kiezbruecke.testing import Counterpart, Stand, check_source, check_target

from .conftest import ACCOUNT, PROCESS
from .test_target import answer

READ = Stand("decidim", PROCESS, with_={"components": [9, 12]}, options=("extra=70",), account=(ACCOUNT, SECRET))
WRITE = Stand("decidim", PROCESS, options=("extra=120",), account=(ACCOUNT, SECRET))


def message(number: int) -> Message:
    """Each number has a proposal of its own."""
    return answer(f"9/{EXTRA + number}")


def copies(counterpart: Counterpart, sent: Message) -> int:
    """How often an answer was written, however often it was sent."""
    key = json.loads(sent.payload)["external_id"].partition("/")[2]
    with urlopen(f"{counterpart.connection.host}/_sandbox/state", timeout=5) as found:
        state = json.load(found)
    assert all(row["state"] == "accepted" for row in state["answers"])
    return sum(row["proposal"] == key for row in state["answers"])


TestSource = check_source(
    READ,
    fill=lambda _: None,  # the sandbox begins with five proposals, seventy more, and two projects
    broken=("server_error", "html_answer", "truncated_list", "reset", "far_too_many"),
)
TestTarget = check_target(
    WRITE,
    message=message,
    copies=copies,
    lost=("commit_then_lose", "truncated_answer"),
    not_taken=("lose_before_commit", "server_error", "html_answer", "reset"),
)
