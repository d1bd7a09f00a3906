"""Kills `make demo` with SIGKILL – while it starts, in the middle of sending, when the first is paid – and carries on.

    copy of this checkout ─ (make demo ─ kill -9) three times ─ make demo ─ exit 0, everything once?

    python tools/kill_demo.py [KEYS]        (or: make kill)

Works in a copy with a state of its own; Airflow and the sandboxes live on after the kill, as they would. The last
demonstration compares ledger, e-file and budget system with demo/expected.json itself. KEYS is what `kiezbruecke
message list --json` said after a demonstration that nobody killed: the same messages must be there, no other. (But for
the status list: how often it is written depends on what was known when.)
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", ".*_cache")
STARTING_SECONDS, FILED = 6, 5


def main() -> int:
    """Kill three times, run once more, compare; 0 if all is there once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("keys", nargs="?", type=Path, help="message list --json of a demonstration without a kill")
    keys: Path | None = parser.parse_args().keys
    folder = Path(tempfile.mkdtemp(prefix="kb-kill-"))
    copy = shutil.copytree(ROOT, folder / "kiezbruecke", ignore=NOT_COPIED, symlinks=True)
    (copy / ".venv").symlink_to(ROOT / ".venv")
    began = time.monotonic()
    _kill_when(copy, "while it starts", lambda: time.monotonic() - began > STARTING_SECONDS)
    _kill_when(copy, f"after {FILED} files", lambda: len(list(copy.glob("var/sandbox/xta/*/*.zip"))) >= FILED)
    _kill_when(copy, "when HKR has the first payment", lambda: _has_payments(copy / "var/sandbox/hkr/books.sqlite3"))
    subprocess.run(["make", "demo"], cwd=copy, check=True)
    if keys is not None:
        _compare(_keys(json.loads(keys.read_text("utf-8"))), _keys(json.loads(_messages(copy))))
    shutil.rmtree(folder)
    print(f"killed three times, and everything is there once ({time.monotonic() - began:.0f} s)")
    return 0


def _kill_when(copy: Path, words: str, ready: Callable[[], bool]) -> None:
    """Start a demonstration, kill make and all that belongs to its group at that moment."""
    demo = subprocess.Popen(["make", "demo"], cwd=copy, start_new_session=True)
    while not ready():
        if demo.poll() is not None:
            raise SystemExit(f"the demonstration ended before it could be killed {words}; see {copy}")
        time.sleep(0.05)
    os.killpg(demo.pid, signal.SIGKILL)
    demo.wait()
    print(f"kill -9 {words}", flush=True)


def _has_payments(books: Path) -> bool:
    """Whether the budget system's own books hold a payment by now."""
    with closing(sqlite3.connect(f"{books.resolve().as_uri()}?mode=ro", uri=True, timeout=30)) as database:
        return bool(database.execute("select count(*) from payments").fetchone()[0])


def _messages(copy: Path) -> str:
    command = [str(copy / ".venv/bin/kiezbruecke"), "message", "list", "--json"]
    return subprocess.run(command, cwd=copy, check=True, capture_output=True, text=True).stdout


def _keys(messages: list[dict[str, str]]) -> list[str]:
    return sorted(message["key"] for message in messages if message["effect"] != "status.list")


def _compare(wanted: list[str], found: list[str]) -> None:
    if not wanted or wanted != found:
        missing, more = set(wanted) - set(found), set(found) - set(wanted)
        raise SystemExit(f"not the same messages: {len(missing)} missing, {len(more)} more, of {len(wanted)}")


if __name__ == "__main__":
    sys.exit(main())
