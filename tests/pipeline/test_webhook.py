"""The page about webhooks, done as it says: deliveries become proposals, once, in their newest state."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from kiezbruecke.connections import from_json
from kiezbruecke.connector import Connection, open_receiver
from kiezbruecke.ledger.reading import read_process_cases
from tests.world import ROOT, World

PAGE = ROOT / "docs/how-to/webhook.md"
FILES = re.compile(r"^<!-- file: (\S+) -->\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
DELIVERY = re.compile(r"```json\n(\{\"type\".*?)```", re.DOTALL)
KEY = b"\x07" * 32
CANARY = "Erika Kanarienvogel"


@pytest.fixture
def ideas(odd_world: World) -> tuple[World, Connection]:
    """A district with the files of the page and its connection."""
    for path, text in FILES.findall(PAGE.read_text("utf-8")):
        file = odd_world.content / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    folder = odd_world.state / "ideen"
    folder.mkdir()
    secret = "whsec_" + base64.b64encode(KEY).decode()
    found: dict[str, Any] = {"conn_type": "kb_webhook", "extra": {"path": str(folder), "secret": secret}}
    odd_world.connections["ideen-tk"] = found
    odd_world.connect()
    return odd_world, from_json("ideen-tk", found)


def deliver(connection: Connection, event: str, body: dict[str, Any]) -> int:
    raw, now = json.dumps(body).encode(), str(int(time.time()))
    made = base64.b64encode(hmac.digest(KEY, f"{event}.{now}.".encode() + raw, hashlib.sha256)).decode()
    headers = {"webhook-id": event, "webhook-timestamp": now, "webhook-signature": f"v1,{made}"}
    return open_receiver(connection).receive(headers, raw, datetime.now(UTC)).status


def example() -> dict[str, Any]:
    """The delivery that the page shows."""
    found: dict[str, Any] = json.loads(DELIVERY.findall(PAGE.read_text("utf-8"))[0])
    return found


def proposals(world: World) -> list[tuple[str, str, str]]:
    cases = read_process_cases(world.ledger, "kk-tk-2026").cases
    found = [one.proposal for one in cases if one.proposal]
    return [(one.external_id, one.title, str(one.requested_amount)) for one in found]


def test_deliveries_become_proposals_in_their_newest_state(ideas: tuple[World, Connection]) -> None:
    """Repeated, changed, an older state that comes late: one proposal."""
    world, connection = ideas
    body = example()
    newer = {**body, "timestamp": "2026-11-29T14:00:00+01:00", "data": {**body["data"], "titel": "Zwei Bänke am See"}}
    older = {**body, "timestamp": "2026-11-29T12:00:00+01:00", "data": {**body["data"], "titel": "Bank"}}

    assert [deliver(connection, "e-1", body), deliver(connection, "e-1", body)] == [202, 202]
    world.run("kk-tk-ideen")
    assert proposals(world) == [("I-17", "Bank am See", "850.00")]
    assert [deliver(connection, "e-2", newer), deliver(connection, "e-3", older)] == [202, 202]
    world.run("kk-tk-ideen")
    world.run("kk-tk-ideen")

    assert proposals(world) == [("I-17", "Zwei Bänke am See", "850.00")]
    assert world.points() == []


def test_of_two_states_that_come_together_the_newer_one_stays(ideas: tuple[World, Connection]) -> None:
    """Nobody had collected the first one yet; it came second."""
    world, connection = ideas
    body = example()
    newer = {**body, "timestamp": "2026-11-29T14:00:00+01:00", "data": {**body["data"], "titel": "Zwei Bänke am See"}}
    assert [deliver(connection, "e-2", newer), deliver(connection, "e-1", body)] == [202, 202]
    world.run("kk-tk-ideen")
    world.run("kk-tk-ideen")

    assert proposals(world) == [("I-17", "Zwei Bänke am See", "850.00")]


def test_what_the_mapping_cannot_use_is_a_point_and_mends_itself(
    ideas: tuple[World, Connection], caplog: pytest.LogCaptureFixture
) -> None:
    """The form is right, the content is not: the administration sees it, and nobody's name is in it."""
    world, connection = ideas
    body = example()
    wrong = {**body, "data": {**body["data"], "eingereicht": CANARY}}
    deliver(connection, "e-1", wrong)
    world.run("kk-tk-ideen")
    [point] = world.points()

    assert CANARY not in point.reason
    assert CANARY not in caplog.text
    deliver(connection, "e-2", {**body, "timestamp": "2026-11-29T15:00:00+01:00"})
    world.run("kk-tk-ideen")
    assert world.points() == []
    assert [one[0] for one in proposals(world)] == ["I-17"]
