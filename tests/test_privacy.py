"""What we write is for our own account: folders of 0700, files of 0600, and a warning where others can read."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.folder.outbox import Outbox
from kiezbruecke.ledger import upgrade
from kiezbruecke.privacy import open_to_others
from tests.world import ROOT


@pytest.fixture(autouse=True)
def _open_handed() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def command(state: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "KIEZBRUECKE_CONTENT": str(ROOT), "KIEZBRUECKE_STATE": str(state)}
    return subprocess.run(
        [sys.executable, "-c", "from kiezbruecke.cli import main; main()", *words],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )


def test_a_new_ledger_is_for_nobody_else(tmp_path: Path) -> None:
    """With all that SQLite puts beside it: there stand people's names and addresses."""
    upgrade(f"sqlite:///{tmp_path}/var/ledger.sqlite3")

    assert mode(tmp_path / "var") == 0o700
    assert {mode(file) for file in (tmp_path / "var").glob("ledger.sqlite3*")} == {0o600}


def test_commands_keep_what_they_write(tmp_path: Path) -> None:
    done = command(tmp_path / "var", "ledger", "upgrade")

    assert done.returncode == 0, done.stderr
    assert mode(tmp_path / "var") == 0o700
    assert {mode(file) for file in (tmp_path / "var").iterdir()} == {0o600}


def test_status_warns_where_others_can_read(tmp_path: Path) -> None:
    state = tmp_path / "var"
    command(state, "ledger", "upgrade")
    (state / "connections.json").write_text("{}", "utf-8")
    quiet = command(state, "status").stderr
    state.chmod(0o755)
    loud = command(state, "status").stderr

    assert "Andere Konten" not in quiet
    assert f"{state}/connections.json" in loud
    assert "ledger.sqlite3" not in loud


def test_a_file_behind_a_closed_door_is_not_open(tmp_path: Path) -> None:
    file = tmp_path / "a" / "ledger.sqlite3"
    file.parent.mkdir(mode=0o700)
    file.touch(0o644)

    assert open_to_others(tmp_path / "none", [file]) == []
    file.parent.chmod(0o755)
    assert open_to_others(tmp_path / "none", [file]) == [file]


@pytest.mark.parametrize(("folder", "expected"), [(0o700, 0o600), (0o750, 0o640), (0o755, 0o644)])
def test_what_people_share_may_be_read_by_whoever_may_read_the_folder(
    tmp_path: Path, folder: int, expected: int
) -> None:
    """The status list is fetched by another account; ours keeps everything to itself."""
    tmp_path.chmod(folder)
    os.umask(0o077)
    Outbox(tmp_path, "statusliste-tk").put("a.csv", b"a")

    assert {mode(file) for file in tmp_path.iterdir()} == {expected}
