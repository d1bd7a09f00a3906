"""The bank keeps what every source and target of carriers promises, over HTTP and through a folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from connectors.bank import reports
from kiezbruecke.connector import Batch, BatchHead, Connection, Message
from kiezbruecke.sandbox import start
from kiezbruecke.testing import Counterpart, Stand, check_batch_target, check_source

from .conftest import CREATE, EXTRA, PROCESS, ROOT, TODAY, WHEN, make_folder, message, reference

OPTIONS = (f"today={TODAY}", "login=kb:richtig")
FILES = count(90_001, 2)  # each file of another two payments
STAND = Stand("bank", PROCESS, ROOT, extra=EXTRA, options=OPTIONS, account=("kb", "richtig"))


def a_message(number: int) -> Message:
    return message(reference(number), f"{number}.50")


def _ask(address: str, what: str, method: str = "GET") -> object:
    with urlopen(Request(f"{address}/_sandbox/{what}", method=method), timeout=5) as answer:
        return json.load(answer)


def copies(counterpart: Counterpart, sent: Message) -> int:
    """How often the bank would pay it; however often the file was transmitted."""
    rows = _ask(counterpart.connection.host, "received")
    assert isinstance(rows, list)
    return sum(one["reference"] == sent.reference for one in rows)


def fill(counterpart: Counterpart) -> None:
    """A file of two payments is answered by a report with two lines."""
    target = STAND.target(counterpart.connection)
    first = next(FILES)
    orders = [a_message(number) for number in (first, first + 1)]
    head = BatchHead(f"stand-fill-{first}", "bank-tk", WHEN, 2026)
    target.send(Batch(head, *target.compose(head, orders, ())), orders)  # type: ignore[arg-type, union-attr]
    target.close()  # type: ignore[union-attr]


TestSource = check_source(STAND, fill=fill, broken=("html_answer", "busy", "truncated_answer"), lost=("fetched_lost",))
TestTarget = check_batch_target(
    STAND,
    message=a_message,
    copies=copies,
    lost=("commit_then_lose", "truncated_answer", "wrong_digest"),
    not_taken=("lose_before_commit", "html_answer", "busy"),
)


@dataclass(frozen=True)
class FolderStand(Stand):
    """The bank's sandbox beside a folder that both share."""

    @contextmanager
    def open(self, folder: Path) -> Iterator[Counterpart]:
        shared = make_folder(folder / "shared")
        running = start(CREATE, folder / "state", options=(f"today={TODAY}", f"folder={shared}"))
        extra = {**EXTRA, "path": str(shared), "settle_seconds": 0}
        try:
            yield Counterpart(Connection("stand", "kb_bank", extra=extra), lambda name: _ask_arm(running.url, name))
        finally:
            running.stop()


def _ask_arm(address: str, name: str) -> None:
    body = json.dumps({name: 1}).encode()
    with urlopen(Request(f"{address}/_sandbox/faults", body, method="PUT"), timeout=5):
        pass


def _folder_copies(counterpart: Counterpart, sent: Message) -> int:
    """The complete files in `out` that hold it: the cash office takes each once."""
    out = Path(counterpart.connection.extra["path"]) / "out"
    return sum(
        sent.reference.encode() in file.read_bytes() for file in out.glob("*.xml") if Path(f"{file}.ok").is_file()
    )


def _gone(counterpart: Counterpart) -> Counterpart:
    extra = {**counterpart.connection.extra, "path": f"{counterpart.connection.extra['path']}-nicht-da"}
    return replace(counterpart, connection=replace(counterpart.connection, extra=extra))


def _put_two_words(counterpart: Counterpart) -> None:
    rows = [{"block": "S-1", "reference": reference(number)} for number in (1, 2)]
    body = reports.status("S1", WHEN.date(), "S", "PART", [(row, "ACTC", "") for row in rows])
    (Path(counterpart.connection.extra["path"]) / "in" / "one.xml").write_bytes(body)


class _NoHttp:
    """The suite asks the manifest, which speaks of HTTP: through a folder there is no line to be silent on."""

    def only_over_http(self) -> None:
        pytest.skip("through a folder")


FOLDER = FolderStand("bank", PROCESS, ROOT, gone=_gone)


class TestFolderSource(_NoHttp, check_source(FOLDER, fill=_put_two_words)):  # type: ignore[misc]
    """Through a folder."""


class TestFolderTarget(_NoHttp, check_batch_target(FOLDER, message=a_message, copies=_folder_copies)):  # type: ignore[misc]
    """Through a folder."""
