"""Airflow's processes import while its database is made, and begin only when they are told to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.airflow


@pytest.mark.parametrize(("word", "ran"), [(b"\n", True), (b"", False)])
def test_nothing_begins_without_the_word(root: Path, word: bytes, ran: bool) -> None:
    """Whoever was killed before it gave the word leaves nobody behind."""
    command = [sys.executable, "-m", "demo.warm", "version"]

    done = subprocess.run(command, cwd=root, input=word, capture_output=True, check=True, timeout=120)

    assert done.stdout.decode().strip().startswith("3.3") is ran
