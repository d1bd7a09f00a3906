"""Example keeps what every source and target promises. TODO: below, a test for each quirk of the real system."""

from __future__ import annotations

import json

from connectors._line import Line, Wire
from kiezbruecke.connector import Message
from kiezbruecke.records import Process
from kiezbruecke.testing import Counterpart, Stand, check_source, check_target, sample_message

PROCESS = Process(id="kk-2026", name="Kiezkassen 2026", reference_prefix="KK26", bezirk_id="09", fiscal_year=2026)
STAND = Stand("example", PROCESS, extra={"space": "kiez", "page_size": 2})


def copies(counterpart: Counterpart, message: Message) -> int:
    """How often the system holds a message: it keeps one per key."""
    received = json.loads(Line(Wire()).get(f"{counterpart.connection.host}/_sandbox/received").content)
    return int(str(message.key) in received)


TestSource = check_source(
    STAND,
    fill=lambda _: None,  # testdata/things.json holds three
    broken=("server_error", "html_answer", "truncated_list"),
    lost=("taken_lost",),
)
TestTarget = check_target(
    STAND,
    message=sample_message,
    copies=copies,
    lost=("commit_then_lose", "truncated_answer"),
    not_taken=("lose_before_commit", "server_error"),
)
