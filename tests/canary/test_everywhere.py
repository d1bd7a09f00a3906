"""A canary citizen goes through everything, also where it breaks: she may be found in the records, and nowhere else.

mein.berlin sandbox (export on) ─▶ pipeline at log level DEBUG ─▶ every sink, as bytes, ZIPs and PDFs opened
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert

from connectors.meinberlin.client import MeinBerlin
from kiezbruecke.connector import Cursor, Item
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import now
from kiezbruecke.mapping import Mapping
from tests.canary.conftest import HERSELF, INITIATOR, MAIL, NAME, PHONE, Aviary, her
from tests.needles import hits, hits_in_file


def test_she_goes_the_whole_way_and_is_in_the_records_only(aviary: Aviary) -> None:
    """Her contact is read, kept for the clerks, and part of nothing that is sent, said or logged."""
    aviary.go()
    records = b"".join(aviary.cells()["records", "body"])

    assert hits(records, HERSELF) >= {NAME, MAIL, PHONE}
    assert len(aviary.world.filed()) == 3
    assert len(aviary.world.orders()) == 3
    assert aviary.leaks() == {}
    assert aviary.sinks.log.getvalue()
    assert aviary.sinks.said.getvalue()


@pytest.mark.parametrize(
    "changes",
    [
        {"moderator_status": NAME},
        {"created": NAME},
        {"name": ""},
        {"creator": [NAME]},
        {"contact_email": {"mail": MAIL}},
        {"asked_text": NAME},
        {"point": {"lon": NAME, "lat": PHONE}},
    ],
    ids="+".join,
)
def test_what_is_wrong_with_her_record_is_said_without_her(
    aviary: Aviary, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    """Rule, field, source – never the value."""
    fetch = MeinBerlin.fetch

    def broken(client: MeinBerlin, cursor: Cursor) -> Iterator[Item]:
        for item in fetch(client, cursor):
            body = {**item.body, **(item.rest.fetch() if item.rest else {})}
            yield replace(item, body={**body, **{key: changes[key] for key in changes if key in body}}, rest=None)

    monkeypatch.setattr(MeinBerlin, "fetch", broken)
    aviary.go("kk-tk-meinberlin")

    assert aviary.world.points("set_aside")
    assert aviary.leaks() == {}


def test_a_broken_proposal_stays_on_the_list_although_its_applicant_is_fine(
    aviary: Aviary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two items of one source may have the same external id; one that is fine must not settle the other."""
    fetch = MeinBerlin.fetch

    def nameless(client: MeinBerlin, cursor: Cursor) -> Iterator[Item]:
        for item in fetch(client, cursor):
            yield replace(item, body={**item.body, "name": ""}) if item.kind == "proposal" else item

    monkeypatch.setattr(MeinBerlin, "fetch", nameless)
    aviary.go("kk-tk-meinberlin")

    assert len(aviary.world.points("set_aside")) == 3


FAULTS = {
    "meinberlin": (
        "truncated_body",
        "html_instead_of_json",
        "field_retyped",
        "export_broken",
        "export_column_missing",
        "detail_changed",
    ),
    "xta": (
        *("commit_then_lose", "truncated_answer", "transport_red", "refuse_import", "quoting_fault"),
        *("mixed_import", "other_process", "odd_charset", "other_message", "answer_in_attachment"),
    ),
    "hkr": ("commit_then_lose", "reject_line", "refuse_one", "truncated_answer"),
}


def test_a_platform_that_breaks_tells_nobody_about_her(aviary: Aviary) -> None:
    """Broken answers are quoted gladly by libraries."""
    for fault in FAULTS["meinberlin"]:
        aviary.world.sandboxes["meinberlin"].arm(fault, 2)  # once for the command, once for the task
        aviary.go("kk-tk-meinberlin")

    assert aviary.sinks.errors
    assert aviary.leaks() == {}


@pytest.mark.parametrize("sandbox", ["xta", "hkr"])
def test_a_destination_that_breaks_tells_nobody_about_her(aviary: Aviary, sandbox: str) -> None:
    """Refused, lost, half an answer, a log-in page, a fault that quotes her in its code, name, role and reason."""
    aviary.go("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-meinberlin")
    routes = ("kk-tk-eakte", "kk-tk-eakte-postfach") if sandbox == "xta" else ("kk-tk-hkr", "kk-tk-hkr-rueckmeldungen")
    for fault in FAULTS[sandbox]:
        aviary.world.sandboxes[sandbox].arm(fault, 2)  # once for the command, once for the task
        aviary.go(*routes)

    assert aviary.leaks() == {}


def test_dead_endpoints_and_refused_accounts_tell_nobody_about_her(aviary: Aviary) -> None:
    """One clear line with the address of ours."""
    aviary.world.connect(meinberlin_tk={"export_password": "falsch"})
    aviary.go("kk-tk-meinberlin")
    for connection in aviary.world.connections.values():
        if "host" in connection:
            connection["host"] = "http://127.0.0.1:9"
    aviary.world.connect(meinberlin_tk=INITIATOR)
    aviary.go()

    assert aviary.leaks() == {}


@pytest.mark.parametrize("method", ["read", "write_traced"])
def test_an_error_that_quotes_her_is_withheld(aviary: Aviary, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """A bug of ours may put anything into an exception's text."""

    def quoting(*_: Any) -> Any:
        raise ValueError(f"cannot use {NAME} {MAIL}")

    aviary.go("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-meinberlin")
    monkeypatch.setattr(Mapping, method, quoting)
    aviary.change(name="Sitzbank am neuen Wasserwerk")
    aviary.go("kk-tk-meinberlin", "kk-tk-eakte")

    assert "ValueError" in "".join(aviary.sinks.errors) + aviary.sinks.log.getvalue()
    assert aviary.leaks() == {}


def test_a_fault_that_quotes_her_at_every_call_is_heard_without_her(aviary: Aviary) -> None:
    """Reserving, sending, asking, listing: whatever is called, the other side answers with her name and number."""
    aviary.go("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-meinberlin")
    for calls in (99, 1):
        aviary.world.sandboxes["xta"].arm("quoting_fault", calls)
        aviary.go("kk-tk-eakte", "kk-tk-eakte-postfach")

    assert any("no MessageID" in text for text in aviary.sinks.errors)
    assert aviary.leaks() == {}


def test_a_database_that_refuses_her_record_does_not_quote_it(aviary: Aviary) -> None:
    """Databases like to show the parameters of the statement that failed."""
    with aviary.world.ledger.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON records BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        )
    aviary.go("kk-tk-meinberlin")

    assert any("IntegrityError" in text or "OperationalError" in text for text in aviary.sinks.errors)
    assert aviary.leaks() == {}


def test_what_the_ledger_deletes_is_gone_from_its_file(aviary: Aviary) -> None:
    """An answer that no mapping could read is kept until one can; then nothing of it stays in a free page."""
    word, file = her("unread"), aviary.world.state / "ledger.sqlite3"
    row = {
        "subject": "s",
        "source": "s",
        "process_id": "p",
        "kind": "k",
        "external_id": "1",
        "raw_ref": "r",
        "at": now(),
    }
    with aviary.world.ledger.write() as connection:
        connection.execute(insert(t.unread), row | {"raw": word.encode() * 1000})
    before = _written_out(file, word)
    with aviary.world.ledger.write() as connection:
        connection.execute(delete(t.unread))

    assert before == {word}
    assert _written_out(file, word) == set()


def _written_out(file: Path, word: str) -> set[str]:
    """Whether the word is in the database's file, once its log of writes is empty."""
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return hits_in_file(file, [word])
