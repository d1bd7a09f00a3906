"""The status list: each version a whole new file, put there once, found again, never overwritten."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest

from connectors import _files as files
from connectors.folder.target import FolderTarget
from kiezbruecke.connector import (
    Batch,
    BatchHead,
    BatchTarget,
    CannotTell,
    Connection,
    Context,
    Found,
    Message,
    NotThere,
)
from kiezbruecke.errors import ConfigurationError, NotSent, Rejected
from kiezbruecke.records import Process

SPACE = UUID("6b1f2f0a-8f56-5d0c-9d0e-6b7a1c5e2026")
HEAD = BatchHead("b-000001", "statusliste-tk", datetime(2026, 4, 24, 8, tzinfo=UTC), 2026)
HEADER = "Referenznummer;Bezirksregion;Titel;Stand;Bewilligt (€);Stand vom"


def message(case: str, line: str, number: int = 1) -> Message:
    return Message(
        key=uuid5(SPACE, f"{case}/{number}"),
        destination="statusliste-tk",
        generation=1,
        case_id=uuid5(SPACE, case),
        effect="status.list",
        number=number,
        reference=f"KK26-{case}",
        payload=f"{line}\r\n".encode(),
        file_name="",
        media_type="text/csv",
        created_at=HEAD.created_at,
        test=False,
    )


FIRST = message("a", "2026-00001;Müggelheim;Sommerfest;bewilligt;850,00;24.04.2026")
SECOND = message("b", "2026-00002;Grünau;Bank;in Prüfung;;24.04.2026")


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    folder = tmp_path / "listen"
    folder.mkdir()
    return folder


@pytest.fixture
def target(lists: Path, content: Path, process: Process) -> FolderTarget:
    extra = {"path": str(lists), "profile": "status-list"}
    return FolderTarget(
        Connection("statusliste-tk", "kb_folder", extra=extra), Context(process=process, content=content)
    )


@pytest.fixture
def batch(target: FolderTarget) -> Batch:
    return Batch(HEAD, *target.compose(HEAD, [FIRST, SECOND], []))


def test_the_list_is_whole_sorted_and_made_for_excel(target: FolderTarget) -> None:
    """A byte order mark, or Excel reads MÃ¼ggelheim; a newer line replaces the case's standing one."""
    newer = message("a", "2026-00001;Müggelheim;Sommerfest;ausgezahlt;850,00;02.05.2026", number=2)
    name, body = target.compose(HEAD, [newer], [SECOND, FIRST])

    assert name == "statusliste-2026-b-000001.csv"
    assert body.startswith(b"\xef\xbb\xbf")
    assert body.decode("utf-8-sig").split("\r\n") == [
        HEADER,
        "2026-00001;Müggelheim;Sommerfest;ausgezahlt;850,00;02.05.2026",
        "2026-00002;Grünau;Bank;in Prüfung;;24.04.2026",
        "",
    ]


def test_composing_is_pure(target: FolderTarget) -> None:
    """The order in which the ledger hands over messages is no part of the list."""
    assert target.compose(HEAD, [FIRST, SECOND], []) == target.compose(HEAD, [SECOND], [FIRST])


def test_a_test_list_says_so_in_its_name(target: FolderTarget) -> None:
    """Nobody should pass it on."""
    head = BatchHead("b-1", "statusliste-tk", HEAD.created_at, 2026, test=True)

    assert target.compose(head, [FIRST], [])[0] == "TEST-statusliste-2026-b-1.csv"


def test_sending_puts_the_list_and_its_mark(target: FolderTarget, batch: Batch, lists: Path) -> None:
    """The mark has the form of sha256sum and comes last."""
    receipts = target.send(batch, [FIRST, SECOND])

    digest = hashlib.sha256(batch.payload).hexdigest()
    assert (lists / batch.file_name).read_bytes() == batch.payload
    assert (lists / f"{batch.file_name}.ok").read_text() == f"{digest}  {batch.file_name}\n"
    assert len(list(lists.iterdir())) == 2
    receipt = receipts[FIRST.key]
    assert (receipt.outcome, receipt.event, receipt.key) == ("confirmed", "abgelegt", FIRST.key)
    assert receipt.reference == "KK26-a"


def test_sending_twice_changes_nothing(target: FolderTarget, batch: Batch, lists: Path) -> None:
    """Same bytes, same name: the same receipts."""
    first = target.send(batch, [FIRST, SECOND])
    before = (lists / batch.file_name).stat()

    assert target.send(batch, [FIRST, SECOND]) == first
    assert (lists / batch.file_name).stat() == before


def test_another_content_under_the_name_is_never_overwritten(target: FolderTarget, batch: Batch, lists: Path) -> None:
    """Someone's file stays as it is; a person decides."""
    (lists / batch.file_name).write_bytes(b"other")

    with pytest.raises(Rejected, match="another content"):
        target.send(batch, [FIRST])
    assert (lists / batch.file_name).read_bytes() == b"other"


def test_asking_finds_what_was_put(target: FolderTarget, batch: Batch, lists: Path) -> None:
    """Not there, there without its mark, whole, or someone else's."""
    assert target.look_up(batch, [FIRST]) == {FIRST.key: NotThere()}
    (lists / batch.file_name).write_bytes(batch.payload)
    assert target.look_up(batch, [FIRST]) == {FIRST.key: NotThere()}
    receipts = target.send(batch, [FIRST])
    assert target.look_up(batch, [FIRST]) == {FIRST.key: Found(receipts[FIRST.key])}
    (lists / batch.file_name).write_bytes(b"other")
    assert isinstance(target.look_up(batch, [FIRST])[FIRST.key], CannotTell)


def test_a_share_that_is_not_mounted_is_not_made(target: FolderTarget, batch: Batch, lists: Path) -> None:
    """Else the list would lie on a local disk and nobody would miss it."""
    lists.rmdir()

    with pytest.raises(NotSent, match="the folder is missing"):
        target.send(batch, [FIRST])
    assert isinstance(target.look_up(batch, [FIRST])[FIRST.key], CannotTell)
    assert not lists.exists()


def test_a_full_disk_leaves_nothing_behind(
    target: FolderTarget, batch: Batch, lists: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F42: certain that nothing is there, so it is tried again."""

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", full)
        with pytest.raises(NotSent, match="No space left"):
            target.send(batch, [FIRST])
    assert list(lists.iterdir()) == []
    assert FIRST.key in target.send(batch, [FIRST])


def test_a_mark_that_cannot_be_written_is_doubt_and_heals(
    target: FolderTarget, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list is there already, so it is not certain that nothing left."""

    def fails(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files, "replace", fails)
        with pytest.raises(OSError, match="No space"):
            target.send(batch, [FIRST])
    assert target.look_up(batch, [FIRST]) == {FIRST.key: NotThere()}
    target.send(batch, [FIRST])
    assert isinstance(target.look_up(batch, [FIRST])[FIRST.key], Found)


class Killed(BaseException):
    """The process ends here."""


def test_killed_at_every_step_the_list_is_there_once(
    target: FolderTarget, batch: Batch, lists: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the rename nothing, after it the whole; another try completes it."""
    for number in range(1, 40):
        for path in lists.iterdir():
            path.unlink()
        with monkeypatch.context() as patch:
            _crash_at(number, patch)
            try:
                target.send(batch, [FIRST])
                killed = False
            except Killed:
                killed = True
        seen = {path.name for path in lists.iterdir() if not path.name.startswith(".")}
        assert seen <= {batch.file_name, f"{batch.file_name}.ok"}
        assert batch.file_name not in seen or (lists / batch.file_name).read_bytes() == batch.payload

        target.send(batch, [FIRST])
        assert isinstance(target.look_up(batch, [FIRST])[FIRST.key], Found)
        if not killed:
            return
    pytest.fail("sending has more steps than this test kills")


def _crash_at(number: int, patch: pytest.MonkeyPatch) -> None:
    count = 0

    def wrap(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count == number:
                raise Killed
            result = real(*args, **kwargs)
            count += 1
            if count == number:
                raise Killed
            return result

        return call

    for name in ("rename", "replace", "fsync"):
        patch.setattr(os, name, wrap(getattr(os, name)))


def test_a_name_that_leads_elsewhere_is_refused(target: FolderTarget) -> None:
    """The name comes from the ledger, and still."""
    with pytest.raises(Rejected, match="file name"):
        target.send(Batch(HEAD, "../../etc/passwd.csv", b""), [])


def test_a_folder_of_sheets_is_no_target(desk: Any, process: Process, content: Path) -> None:
    """Nothing of ours belongs among the clerks' sheets."""
    extra = {"path": str(desk.path), "profile": "decision-sheet"}
    with pytest.raises(ConfigurationError, match="is no target"):
        FolderTarget(Connection("x", "kb_folder", extra=extra), Context(process=process, content=content))


def test_it_is_a_batch_target(target: FolderTarget) -> None:
    """As the manifest says."""
    assert isinstance(target, BatchTarget)
