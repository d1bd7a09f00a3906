"""One XTA sandbox per test, and a message for it."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from uuid import UUID, uuid5

import pytest

from connectors.xta.mailbox import Mailbox
from connectors.xta.target import XtaTarget
from kiezbruecke.connector import Connection, Context, Handled, Item, Message
from kiezbruecke.sandbox import Running, start
from kiezbruecke.standards import xdomea

ROOT = Path(__file__).parents[3]
TESTDATA = Path(__file__).parent / "testdata"
PROCESS = UUID("ca9d500c-8f17-560b-bb69-9b532de788d6")
DOCUMENTS = (
    ("8b26ea67-4651-5edb-a789-7346a690662c_Beschlussprotokoll.pdf", b"%PDF-1.4 Protokoll"),
    ("cf8d0021-30b0-572c-b73d-49c9fc0fb45f_Vorschlag-4711.pdf", b"%PDF-1.4 Vorschlag"),
)


def official_folder() -> Path | None:
    """The official schemas: the variable, else beside the checkout as in CI."""
    places = [os.environ.get("KIEZBRUECKE_OFFICIAL", ""), str(ROOT.parent / "shared" / "standards")]
    return next((Path(place) for place in places if place and (Path(place) / "xta").is_dir()), None)


def payload(number: int = 1, documents: tuple[tuple[str, bytes], ...] = DOCUMENTS) -> bytes:
    """A 0401 as a ZIP; the hashes are those of DOCUMENTS, whatever is packed."""
    xml = (TESTDATA / "0401.xml").read_text("utf-8").replace("@UUID@", str(uuid5(PROCESS, str(number))))
    for mark, (_, content) in zip(("@HASH1@", "@HASH2@"), DOCUMENTS, strict=True):
        xml = xml.replace(mark, hashlib.sha512(content).hexdigest())
    return xdomea.package(xdomea.message_name(PROCESS, "0401"), xml.encode(), documents)


def a_message(**changes: Any) -> Message:
    message = Message(
        key=uuid5(PROCESS, "1"),
        destination="eakte-tk",
        generation=1,
        case_id=PROCESS,
        effect="file.create",
        number=1,
        reference="KK26-090517-00001-D1",
        payload=payload(),
        file_name=xdomea.message_name(PROCESS, "0401", ending="zip"),
        media_type="application/zip",
        created_at=datetime(2026, 11, 23, 8, tzinfo=UTC),
        test=False,
    )
    return replace(message, **changes)


@dataclass
class Xta:
    """The sandbox, and our two ends of it."""

    running: Running
    connection: Connection

    @property
    def target(self) -> XtaTarget:
        return XtaTarget(self.connection, context())

    @property
    def mailbox(self) -> Mailbox:
        return Mailbox(self.connection, context())

    def received(self) -> list[dict[str, Any]]:
        with urlopen(f"{self.running.url}/_sandbox/received", timeout=5) as answer:
            body: list[dict[str, Any]] = json.load(answer)
        return body

    def items(self) -> list[Item]:
        """Everything in the box; nothing is acknowledged."""
        return list(self.mailbox.fetch(NoCursor()))

    def empty(self) -> list[Item]:
        """Everything in the box, acknowledged."""
        mailbox = self.mailbox
        items = list(mailbox.fetch(NoCursor()))
        mailbox.acknowledge([Handled(item) for item in items])
        return items


class NoCursor:
    """A box needs none."""

    value = ""

    def advance(self, value: str) -> None:
        raise AssertionError(value)


def context() -> Context:
    return Context(process=None, content=ROOT)  # type: ignore[arg-type]


def connect(url: str, **extra: Any) -> Connection:
    given = {"party": "xyz:110090090000", "receiver": "abc:110090090001", "deadline": 20, **extra}
    return Connection("eakte-tk", "kb_xta", host=url, extra=given)


@pytest.fixture
def start_xta(tmp_path: Path) -> Iterator[Callable[..., Xta]]:
    """Start a sandbox with options; stopped at the end of the test."""
    started: list[Running] = []

    def begin(*options: str, state: Path | None = None, **extra: Any) -> Xta:
        folder = state or tmp_path / f"xta{len(started)}"
        running = start("connectors.xta.sandbox:create", folder, options=[f"content={ROOT}", *options])
        started.append(running)
        return Xta(running, connect(running.url, **extra))

    yield begin
    for running in started:
        running.stop()


@pytest.fixture(scope="session")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Starting a process costs most of a second: tests without options of their own share one."""
    running = start("connectors.xta.sandbox:create", tmp_path_factory.mktemp("xta"), options=[f"content={ROOT}"])
    yield running
    running.stop()


@pytest.fixture
def xta(_shared: Running) -> Xta:
    """The shared sandbox, its memory wiped."""
    (_shared.state / "faults.json").unlink(missing_ok=True)
    with closing(sqlite3.connect(_shared.state / "xta.sqlite3")) as database, database:
        for table in ("reserved", "taken", "box", "paging"):
            database.execute(f"DELETE FROM {table}")
    return Xta(_shared, connect(_shared.url))
