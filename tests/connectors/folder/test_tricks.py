"""The inbox belongs to nobody's tricks: what others put, link or exchange there moves and reads nothing of ours."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from connectors.folder.names import arrived_name, free_names, own_name
from kiezbruecke.errors import SourceError


@pytest.mark.parametrize("name", ["done", "failed"])
def test_an_archive_that_is_a_link_gets_nothing(desk: Any, tmp_path: Path, name: str) -> None:
    """A dropped evil_dag.py was moved into Airflow's dags."""
    dags = tmp_path / "dags"
    dags.mkdir()
    (desk.path / name).symlink_to(dags)
    desk.drop("evil_dag.py", b"import os")
    desk.drop("liste.csv", desk.decision_csv(desk.decision()))

    with pytest.raises(SourceError, match=f"cannot be moved to {name}/.*it is a link or a file"):
        desk.run()

    assert list(dags.iterdir()) == []


def test_an_ending_that_somebody_runs_is_not_kept(desk: Any) -> None:
    desk.drop("evil_dag.py", b"import os")

    (item,) = desk.run()

    assert "evil_dag.py: Die Datei hat ein fremdes Format" in item.problem
    assert desk.names("failed") == ["evil_dag.py.unbekannt", "evil_dag.py.unbekannt.bericht.csv"]


@pytest.mark.parametrize("trick", ["link", "pipe"])
def test_a_file_that_is_exchanged_between_look_and_open_is_not_read(
    desk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trick: str
) -> None:
    """A secret was read through a link; a run hung on a pipe."""
    secret = tmp_path / "secret"
    secret.write_bytes(desk.decision_csv(desk.decision()))
    path = desk.drop("liste.csv", desk.decision_csv(desk.decision("P-1")))
    source = desk.source()
    arrivals = source._inbox.complete()
    path.unlink()
    path.symlink_to(secret) if trick == "link" else os.mkfifo(path)
    monkeypatch.setattr(source._inbox, "complete", lambda: arrivals)

    assert desk.fetch(source) == []


def test_a_file_that_is_exchanged_for_another_after_it_was_read_stays(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is moved is what was read; the other is a new sheet."""
    path = desk.drop("liste.csv", desk.decision_csv(desk.decision()))
    other = desk.decision_csv(desk.decision("P-9"))
    source = desk.source()
    real = os.rename

    def exchange(src: Any, dst: Any, **where: Any) -> None:
        if src == "liste.csv":
            monkeypatch.undo()
            path.rename(desk.path / ".aside")
            path.write_bytes(other)
        real(src, dst, **where)

    monkeypatch.setattr(os, "rename", exchange)
    desk.run(source)

    assert path.read_bytes() == other
    assert "liste.csv" not in desk.names("done")


def test_a_report_overwrites_nobody_elses_file(desk: Any) -> None:
    """Somebody drops a file that is called like the report of another."""
    theirs = b"theirs"
    desk.drop("x.txt.bericht.csv", theirs)
    desk.run()
    desk.drop("x.txt", b"x")
    desk.run()

    assert (desk.failed / "x.txt.bericht.csv").read_bytes() == theirs
    assert len(desk.names("failed")) == 4
    assert desk.names() == []


@pytest.mark.parametrize(
    "name", ["ü" * 118 + ".csv", "x" * 240 + ".csv", "..evil.csv", "... ...csv", "liste", "-rf.csv"]
)
def test_no_name_keeps_a_file_for_ever(desk: Any, name: str) -> None:
    """A name of 240 characters made every run fail: its report had no room."""
    for number in (1, 2):
        desk.drop(name, desk.decision_csv(desk.decision(f"P-{number}")))
        assert len(desk.run()) == 1

    assert desk.names() == []
    kept = desk.names("done") + desk.names("failed")
    assert len(kept) == 4
    assert not [one for one in kept if one.startswith(".")]


@pytest.mark.parametrize(
    "name", ["liste.csv", "x" * 240 + ".csv", "evil.py", "..a.xlsx", "M\udcfcggel.csv", "a", "ü" * 90]
)
def test_the_name_of_an_item_is_the_same_in_inbox_and_archive(name: str) -> None:
    """The same content gives the same item, whenever it is read again."""
    digest = "0123456789abcdef" * 4

    assert {arrived_name(kept, digest) for kept in free_names(name, digest)} == {arrived_name(name, digest)}
    assert len(f"{own_name(name)}-{digest}-99.bericht.csv".encode()) < 255


def modes(desk: Any) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in [desk.done, *desk.done.iterdir()]}


def test_reports_and_archives_are_read_by_nobody_else(desk: Any) -> None:
    desk.path.chmod(0o755)
    desk.drop("liste.csv", desk.decision_csv(desk.decision()))
    desk.run()

    assert modes(desk) == {"done": 0o700, "liste.csv": 0o600, "liste.csv.bericht.csv": 0o600}


def test_the_group_that_may_write_into_the_inbox_may_read_its_reports(desk: Any) -> None:
    """Clerks drop there as users of their own; a report that they cannot read is none."""
    desk.path.chmod(0o2770)
    desk.drop("liste.csv", desk.decision_csv(desk.decision()))
    desk.run()

    assert modes(desk) == {"done": 0o2750, "liste.csv": 0o640, "liste.csv.bericht.csv": 0o640}


def test_a_link_in_the_outbox_is_no_file_of_ours(tmp_path: Path) -> None:
    """Neither found as delivered nor written through."""
    from connectors.folder.outbox import Outbox
    from kiezbruecke.errors import Rejected

    outside = tmp_path / "outside"
    outside.write_bytes(b"x")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "a.json").symlink_to(outside)

    with pytest.raises(Rejected):
        Outbox(folder, "x").put("a.json", b"x")
    assert outside.read_bytes() == b"x"
