"""The files keep what every source and target of carriers promises, in a folder and over SFTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.request import urlopen

from kiezbruecke.connector import Batch, BatchHead, Connection, Message
from kiezbruecke.sandbox import start
from kiezbruecke.testing import Counterpart, Stand, check_batch_target, check_source
from kiezbruecke.testing.stand import nobody

from .conftest import CREATE, PROCESS, ROOT, WHEN, Desk, order


@dataclass(frozen=True)
class FileStand(Stand):
    """The sandbox is asked over HTTP, and reached through its folder or its SFTP server."""

    over: str = "folder"

    @contextmanager
    def open(self, folder: Path) -> Iterator[Counterpart]:
        """A sandbox of its own; the connection leads to its files."""
        running = start(CREATE, folder, options=("today=2026-11-23", "login=kb:richtig"))
        desk = Desk(running, self.over, password="richtig")
        connection = replace(desk.connection, login="kb" if self.over == "sftp" else "")
        try:
            yield Asked(connection, running.arm, running.url)
        finally:
            running.stop()


@dataclass(frozen=True)
class Asked(Counterpart):
    """A counterpart whose books are asked at another address than it is reached at."""

    books: str = ""

    def ask(self, what: str) -> list[dict[str, object]]:
        with urlopen(f"{self.books}/_sandbox/{what}", timeout=10) as answer:
            found: list[dict[str, object]] = json.load(answer)
        return found


def out_of_reach(counterpart: Counterpart) -> Counterpart:
    """Nobody listens there any more, or the share is not mounted."""
    connection: Connection = counterpart.connection
    if not connection.host:
        extra = {**connection.extra, "path": "/nirgends/eingang", "answers": "/nirgends/rueck"}
        return replace(counterpart, connection=replace(connection, extra=extra))
    with nobody() as address:
        port = int(address.rpartition(":")[2])
    return replace(counterpart, connection=replace(connection, port=port))


def a_message(number: int) -> Message:
    return order(f"KK26-090416-{number:05d}-F1", f"{number}.50")


def copies(counterpart: Counterpart, sent: Message) -> int:
    """How often the books hold the order."""
    assert isinstance(counterpart, Asked)
    return sum(bool(one["state"]) for one in counterpart.ask("received") if one["reference"] == sent.reference)


def fill(counterpart: Counterpart) -> None:
    """Two orders bring two answers."""
    target = FOLDER.target(counterpart.connection)
    orders = [a_message(number) for number in (90_001, 90_002)]
    head = BatchHead("stand-fill", "hkr-datei", WHEN, 2026)
    target.send(Batch(head, *target.compose(head, orders, ())), orders)  # type: ignore[arg-type, union-attr, call-arg]
    target.close()  # type: ignore[union-attr]
    copies(counterpart, orders[0])


FOLDER = FileStand("hkr_file", PROCESS, ROOT, gone=out_of_reach)
SFTP = FileStand("hkr_file", PROCESS, ROOT, gone=out_of_reach, over="sftp", account=("kb", "richtig"))

TestFolderSource = check_source(FOLDER, fill=fill)
TestFolderTarget = check_batch_target(FOLDER, message=a_message, copies=copies)
TestSftpSource = check_source(SFTP, fill=fill)
TestSftpTarget = check_batch_target(
    SFTP,
    message=a_message,
    copies=copies,
    lost=("cut_after_marker",),
    not_taken=("cut_before_rename", "cut_after_rename"),
)
