"""What is taken and what is not: signature, time, size, form, repetition, room."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.webhook.delivery import Delivery, NotADeliveryError
from connectors.webhook.receiver import WebhookReceiver
from connectors.webhook.settings import Settings
from connectors.webhook.signature import is_signed
from kiezbruecke.connector import Connection
from kiezbruecke.errors import ConfigurationError
from tests.connectors.webhook.conftest import FOREIGN_KEY, KEY, OLD_KEY, body_of, headers_of, secret

NOW = datetime(2026, 11, 29, 13, tzinfo=UTC)
CANARY = "Erika Kanarienvogel"


def receive(connection: Connection, body: bytes, headers: dict[str, str]) -> int:
    return WebhookReceiver(connection).receive(headers, body, NOW).status


def signed(body: bytes, event: str = "e-1", key: bytes = KEY, seconds: int = 0) -> dict[str, str]:
    return headers_of(body, event, key=key, at=NOW.timestamp() + seconds)


def test_the_example_of_the_specification_fits() -> None:
    """Standard Webhooks 1.0 gives key, id, time, body and signature."""
    keys = Settings(path=Path(), secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").keys
    fits = is_signed(
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        keys,
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
        b'{"test": 2432232314}',
    )

    assert fits


def test_a_delivery_is_kept_as_it_was_signed(connection: Connection, landing: Path) -> None:
    """Byte by byte, with what proves who sent it."""
    body = body_of(titel="Bank")

    assert receive(connection, body, signed(body)) == 202
    [kept] = (landing / "waiting").iterdir()
    head, _, rest = kept.read_bytes().partition(b"\n")
    assert rest == body
    assert json.loads(head)["event"] == "e-1"
    assert kept.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"webhook-signature": ""}, 401),
        ({"webhook-signature": "v1,AAAA"}, 401),
        ({"webhook-signature": "v1a," + "A" * 88}, 401),
        ({"webhook-id": "e-2"}, 401),
        ({"webhook-id": ""}, 400),
        ({"webhook-id": "../../etc/passwd"}, 400),
        ({"webhook-timestamp": "heute"}, 400),
        ({"webhook-timestamp": "²"}, 400),
    ],
)
def test_what_is_not_signed_is_not_kept(
    connection: Connection, landing: Path, change: dict[str, str], status: int
) -> None:
    """Nothing of a stranger reaches the disk."""
    body = body_of()

    assert receive(connection, body, signed(body) | change) == status
    assert not [one for one in landing.rglob("*") if one.is_file()]


def test_another_body_or_another_key_is_not_signed(connection: Connection) -> None:
    """One sign more, and a key that we do not have."""
    body = body_of()

    assert receive(connection, body + b" ", signed(body)) == 401
    assert receive(connection, body, signed(body, key=FOREIGN_KEY)) == 401


def test_while_keys_change_both_hold(connection: Connection) -> None:
    """Sender and receiver cannot change at the same second; a sender may sign with both."""
    body, changing = body_of(), replace(connection, extra={**connection.extra, "old_secret": secret(OLD_KEY)})
    both = signed(body, "e-3", key=FOREIGN_KEY)
    both["webhook-signature"] += " " + signed(body, "e-3")["webhook-signature"]

    assert receive(changing, body, signed(body, "e-1", key=OLD_KEY)) == 202
    assert receive(changing, body, signed(body, "e-2")) == 202
    assert receive(changing, body, both) == 202
    assert receive(connection, body, signed(body, "e-4", key=OLD_KEY)) == 401


@pytest.mark.parametrize(("seconds", "status"), [(-299, 202), (299, 202), (-301, 400), (301, 400), (-(10**9), 400)])
def test_the_window_closes_on_both_sides(connection: Connection, seconds: int, status: int) -> None:
    """A replay has an old time, and a clock may go before."""
    body = body_of()

    assert receive(connection, body, signed(body, seconds=seconds)) == status


def test_the_same_again_is_kept_once_and_another_content_is_refused(connection: Connection, landing: Path) -> None:
    """Senders repeat until they hear 202; an id that stands for two things is a fault of theirs."""
    body, other = body_of(titel="Bank"), body_of(titel="Fest")

    assert [receive(connection, body, signed(body, seconds=n)) for n in (0, 1, 2)] == [202, 202, 202]
    assert receive(connection, other, signed(other)) == 409
    assert len(list((landing / "waiting").iterdir())) == 1


def test_where_too_much_waits_the_sender_is_asked_to_come_again(connection: Connection, landing: Path) -> None:
    """A flood of signed deliveries fills no disk."""
    small = replace(connection, extra={**connection.extra, "max_waiting": 3})
    body = body_of()
    statuses = [receive(small, body, signed(body, f"e-{n}")) for n in range(5)]
    last = WebhookReceiver(small).receive(signed(body, "e-9"), body, NOW)

    assert statuses == [202, 202, 202, 503, 503]
    assert last.again_after
    assert receive(small, body, signed(body, "e-1")) == 202  # it is there
    assert len(list((landing / "waiting").iterdir())) == 3


def test_a_disk_that_takes_nothing_is_no_success(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """202 only for what lies there."""

    def full(*_: Any) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr("connectors._files.OpenFolder.add", full)
    body = body_of()

    assert receive(connection, body, signed(body)) == 503


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no JSON",
        b"\xff\xfe{}",
        b"[]",
        b"{}",
        b'{"type": "a", "type": "b"}',
        b'{"type": "a", "version": 1, "data": {"Erika Kanarienvogel": {"a": 1, "a": 2}}}',
        b'{"type": "vorschlag", "version": 2, "timestamp": "2026-11-29T12:00:00Z", "data": {}}',
        b'{"type": "vorschlag", "version": true, "timestamp": "2026-11-29T12:00:00Z", "data": {}}',
        b'{"type": "vorschlag", "version": 1, "timestamp": "2026-11-29T12:00:00", "data": {}}',
        b'{"type": "vorschlag", "version": 1, "timestamp": "2026-11-29T12:00:00Z", "data": []}',
        b'{"type": "../x", "version": 1, "timestamp": "2026-11-29T12:00:00Z", "data": {}}',
        b'{"type": "vorschlag", "version": 1, "timestamp": "2026-11-29T12:00:00Z", "data": {"id": {}}}',
        b'{"type": "vorschlag", "version": 1, "timestamp": "2026-11-29T12:00:00Z", "data": {"sum": NaN}}',
        b'{"type": "a", "version": 1, "timestamp": "2026-11-29T12:00:00Z", "data": {}, "Erika Kanarienvogel": 1}',
        b'{"type": "Erika Kanarienvogel", "version": 1, "timestamp": "2026-11-29T12:00:00Z", "data": {}}',
        b"[" * 100_000,
        b'{"a":' * 3_000 + b"1" + b"}" * 3_000,
    ],
)
def test_a_body_that_is_no_delivery_is_told_at_once(connection: Connection, landing: Path, body: bytes) -> None:
    """Whoever sends it can mend it now; nothing of it is kept or quoted."""
    said = WebhookReceiver(connection).receive(signed(body), body, NOW)

    assert said.status == 422
    assert CANARY not in said.text
    assert "\n" not in said.text
    assert not [one for one in landing.rglob("*") if one.is_file()]


def test_a_key_that_stands_twice_is_told_with_its_path(connection: Connection) -> None:
    """The last one would win, and the sender may have meant the other."""
    body = (
        b'{"type": "a", "version": 1, "timestamp": "2026-11-29T12:00:00Z", "data": {"parts": [{"sum": 1, "sum": 2}]}}'
    )

    said = WebhookReceiver(connection).receive(signed(body), body, NOW)

    assert (said.status, said.text) == (422, "a key stands twice: data.parts[1].sum")


def test_numbers_stay_exact() -> None:
    """0.1 + 0.2 is no sum of money."""
    read = Delivery.read(
        b'{"type": "a", "version": 1, "timestamp": "2026-11-29T12:00:00Z", "data": {"sum": 1234567890123.45}}'
    )

    assert str(read.values["sum"]) == "1234567890123.45"


@given(st.binary(max_size=300))
def test_no_body_does_anything_else_than_be_refused(body: bytes) -> None:
    """The door's own promise."""
    with pytest.raises(NotADeliveryError):
        Delivery.read(body)


@pytest.mark.parametrize("key", ["", "geheim", "whsec_", "whsec_AAAA", "whsec_" + "A" * 200, secret(KEY)[6:]])
def test_a_weak_or_misspelled_key_is_refused_and_not_quoted(landing: Path, key: str) -> None:
    """A key that is too short can be guessed."""
    connection = Connection("ideen-tk", "kb_webhook", extra={"path": str(landing), "secret": key})
    with pytest.raises(ConfigurationError) as raised:
        Settings.from_connection(connection)

    assert len(key) < 10 or key not in raised.value.line()
