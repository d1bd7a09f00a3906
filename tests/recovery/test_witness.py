"""The file outside the ledger: it only grows, survives anything, and is written before the first byte leaves."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

import pytest

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.ledger.witness import FileWitness, Tally


def test_it_never_goes_back(tmp_path: Path) -> None:
    witness = FileWitness(tmp_path / "witness.json")
    for mark in (Tally(5, 1), Tally(3, 2), Tally(4, 1)):
        witness.write("hkr-tk", mark)

    assert witness.read("hkr-tk") == Tally(5, 2)
    assert witness.read("eakte-tk") is None


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    """Routes run side by side."""
    witness = FileWitness(tmp_path / "witness.json")

    def write(name: str) -> None:
        for number in range(1, 21):
            witness.write(name, Tally(number, 1))

    threads = [Thread(target=write, args=(f"z{index}",)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {witness.read(f"z{index}") for index in range(4)} == {Tally(20, 1)}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"hkr-tk": 5}', '{"hkr-tk": {"sends": "x", "incarnation": 1}}'])
def test_what_cannot_be_read_knows_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "witness.json").write_text(content, "utf-8")

    assert FileWitness(tmp_path / "witness.json").read("hkr-tk") is None


def test_where_it_cannot_be_written_nothing_is_sent(tmp_path: Path) -> None:
    """Or a restored backup would go unnoticed later."""
    (tmp_path / "file").write_text("no folder", "utf-8")

    with pytest.raises(ConfigurationError, match="witness"):
        FileWitness(tmp_path / "file" / "witness.json").write("hkr-tk", Tally(1, 1))
