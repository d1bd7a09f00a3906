"""A sender that signs by itself, a landing folder, and the service as a process."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from kiezbruecke.connector import Connection

ROOT = Path(__file__).parents[3]
KEY, OLD_KEY, FOREIGN_KEY = (bytes([n]) * 32 for n in (7, 8, 9))
NAME = "ideen-tk"
COMMAND = (sys.executable, "-c", "from kiezbruecke.cli import main; main()")


def secret(key: bytes) -> str:
    """A key as people write it."""
    return "whsec_" + base64.b64encode(key).decode()


def body_of(number: Any = 17, *, at: str = "2026-11-29T12:00:00Z", kind: str = "vorschlag", **data: Any) -> bytes:
    """A delivery about one thing."""
    named = {"id": number, **data} if number is not None else data
    return json.dumps({"type": kind, "version": 1, "timestamp": at, "data": named}).encode()


def headers_of(body: bytes, event: str, *, key: bytes = KEY, at: float | None = None) -> dict[str, str]:
    """The three headers of Standard Webhooks 1.0, made as its specification says."""
    timestamp = str(int(time.time() if at is None else at))
    digest = hmac.digest(key, b".".join((event.encode(), timestamp.encode(), body)), hashlib.sha256)
    signature = "v1," + base64.b64encode(digest).decode()
    return {"webhook-id": event, "webhook-timestamp": timestamp, "webhook-signature": signature}


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    """An empty landing folder."""
    folder = tmp_path / "ablage"
    folder.mkdir()
    return folder


@pytest.fixture
def connection(landing: Path) -> Connection:
    """The connection of the landing folder."""
    return Connection(NAME, "kb_webhook", extra={"path": str(landing), "secret": secret(KEY)})


@dataclass
class Service:
    """The command `webhook serve` in a process of its own."""

    process: subprocess.Popen[bytes]
    port: int
    counted: int = field(default=0)

    def post(self, body: bytes, headers: dict[str, str], name: str = NAME) -> tuple[int, dict[str, str], str]:
        """One request; status, headers, text."""
        line = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            line.request("POST", f"/webhook/{name}", body, headers)
            answer = line.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()
        finally:
            line.close()

    def deliver(self, body: bytes, event: str, **given: Any) -> int:
        """One signed delivery; its status."""
        return self.post(body, headers_of(body, event, **given))[0]

    def kill(self) -> None:
        """kill -9"""
        self.process.kill()
        self.process.wait(5)


def start_service(landing: Path, state: Path) -> Service:
    """Start it on a free port, wait for its address."""
    settings = {"conn_type": "kb_webhook", "extra": {"path": str(landing), "secret": secret(KEY), "max_bytes": 20_000}}
    command = [*COMMAND, "webhook", "serve", NAME, "--port", "0", "--json"]
    environment = {**os.environ, "KIEZBRUECKE_CONN_IDEEN_TK": json.dumps(settings)}
    log = (state / "service.log").open("ab")
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log)
    log.close()
    assert process.stdout
    with process.stdout as said:
        address = json.loads(said.readline())["connections"][NAME]
    return Service(process, int(address.split(":")[2].partition("/")[0]))


@pytest.fixture
def service(landing: Path, tmp_path: Path) -> Iterator[Service]:
    """The service at the landing folder."""
    running = start_service(landing, tmp_path)
    yield running
    if running.process.poll() is None:
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(10) in (0, 130, -signal.SIGTERM)
