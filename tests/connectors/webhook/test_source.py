"""What landed is handed over once, in the order of its states, and becomes records."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from connectors.webhook.receiver import WebhookReceiver
from connectors.webhook.source import WebhookSource
from kiezbruecke.connector import Connection, Context, Handled, Item
from kiezbruecke.records import Process
from kiezbruecke.testing import Counterpart, Stand, check_source
from tests.connectors.webhook.conftest import KEY, ROOT, body_of, headers_of, secret

PROCESS = Process(id="kk-tk-2026", name="Test", reference_prefix="KK26", bezirk_id="09", fiscal_year=2026)


class Position:
    """A cursor that is not needed."""

    value = ""

    def advance(self, value: str) -> None:
        self.value = value


def land(connection: Connection, body: bytes, event: str) -> None:
    now = datetime.now(UTC)
    said = WebhookReceiver(connection).receive(headers_of(body, event, at=now.timestamp()), body, now)
    assert said.status == 202, said


def fetch(connection: Connection) -> tuple[WebhookSource, list[Item]]:
    source = WebhookSource(connection, Context(PROCESS))
    return source, list(source.fetch(Position()))


def take(connection: Connection) -> list[Item]:
    source, items = fetch(connection)
    source.acknowledge([Handled(item) for item in items])
    return items


def titles(items: list[Item]) -> list[str]:
    return [item.body["titel"] for item in items if isinstance(item.body, dict)]


def test_the_newest_state_of_a_thing_comes_last(connection: Connection) -> None:
    """Senders repeat in any order."""
    land(connection, body_of(titel="neu", at="2026-11-29T12:05:00Z"), "e-2")
    land(connection, body_of(titel="alt", at="2026-11-29T12:00:00+01:00"), "e-1")

    assert titles(fetch(connection)[1]) == ["alt", "neu"]


def test_an_older_state_that_comes_late_is_passed_by(connection: Connection, landing: Path) -> None:
    """What was taken already is newer."""
    land(connection, body_of(titel="neu", at="2026-11-29T12:05:00Z"), "e-2")
    take(connection)
    land(connection, body_of(titel="alt", at="2026-11-29T12:00:00Z"), "e-1")
    land(connection, body_of(18, titel="anderes", at="2026-11-29T11:00:00Z"), "e-3")

    assert titles(take(connection)) == ["anderes"]
    assert len(list((landing / "taken").iterdir())) == 3
    assert not list((landing / "waiting").iterdir())


def test_what_is_not_acknowledged_comes_again(connection: Connection) -> None:
    """Killed between the commit and here."""
    land(connection, body_of(), "e-1")
    _, first = fetch(connection)
    _, again = fetch(connection)

    assert [one.external_id for one in first] == [one.external_id for one in again] == ["17"]


def test_a_fact_without_a_name_has_the_id_of_its_event(connection: Connection) -> None:
    """A decision is never replaced by another one."""
    land(connection, body_of(None, ergebnis="angenommen"), "e-1")
    land(connection, body_of(None, ergebnis="abgelehnt"), "e-2")

    assert {item.external_id for item in fetch(connection)[1]} == {"e-1", "e-2"}


def test_a_file_that_somebody_has_spoilt_is_a_point_and_stops_nobody(connection: Connection, landing: Path) -> None:
    """One odd item never stops a source."""
    land(connection, body_of(titel="Bank"), "e-1")
    (landing / "waiting" / "kaputt.json").write_bytes(b"\x00" * 10)
    (landing / "waiting" / "leer.json").write_bytes(b"")
    (landing / "waiting" / "verweis.json").symlink_to("/etc/passwd")
    items = take(connection)

    assert [item.external_id for item in items if not item.problem] == ["17"]
    assert len([item for item in items if item.problem]) == 2
    assert not [one for one in (landing / "waiting").iterdir() if not one.is_symlink()]


def test_everything_can_be_read_again_from_the_archive(connection: Connection) -> None:
    """After a restored backup."""
    land(connection, body_of(titel="alt", at="2026-11-29T12:00:00Z"), "e-1")
    land(connection, body_of(titel="neu", at="2026-11-29T12:05:00Z"), "e-2")
    take(connection)
    source = WebhookSource(connection, Context(PROCESS))

    assert titles(list(source.archived())) == ["alt", "neu"]
    assert take(connection) == []


def begin(folder: Path) -> Counterpart:
    connection = Connection("stand", "kb_webhook", extra={"path": str(folder), "secret": secret(KEY)})
    return Counterpart(connection, arm=lambda _: None)


def gone(counterpart: Counterpart) -> Counterpart:
    """The folder is not there."""
    extra = {**counterpart.connection.extra, "path": f"{counterpart.connection.extra['path']}/missing"}
    return replace(counterpart, connection=replace(counterpart.connection, extra=extra))


def fill(counterpart: Counterpart) -> None:
    number = len(list(Path(counterpart.connection.extra["path"]).rglob("*.json")))
    for one in (number, number + 1):
        land(counterpart.connection, json.dumps(json.loads(body_of(one))).encode(), f"e-{one}")


TestSource = check_source(Stand("webhook", PROCESS, ROOT, begin=begin, gone=gone), fill=fill)
