"""The service over the line: what is answered with 202 lies on disk, whatever happens next; floods are borne."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path

from tests.connectors.webhook.conftest import (
    COMMAND,
    FOREIGN_KEY,
    KEY,
    ROOT,
    Service,
    body_of,
    headers_of,
    secret,
    start_service,
)

SENDER = re.compile(r"<!-- sender -->\n```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def kept(landing: Path) -> int:
    folder = landing / "waiting"
    return len(list(folder.glob("*.json"))) if folder.exists() else 0


def test_a_delivery_is_answered_when_it_is_kept_and_a_replay_changes_nothing(service: Service, landing: Path) -> None:
    """202, 202, and one file."""
    body = body_of(titel="Bank")
    headers = headers_of(body, "e-1")

    assert [service.post(body, headers)[0] for _ in range(3)] == [202, 202, 202]
    assert kept(landing) == 1


def test_the_sender_on_the_page_is_understood(service: Service, landing: Path) -> None:
    """Six lines that somebody copies, with nothing but the key, the address and a delivery."""
    [lines] = SENDER.findall((ROOT / "docs/how-to/webhook.md").read_text("utf-8"))
    url = f"http://127.0.0.1:{service.port}/webhook/ideen-tk"
    names = {"secret": secret(KEY), "url": url, "delivery": json.loads(body_of(titel="Bank"))}
    exec(lines, names)

    assert names["status"] == 202
    assert kept(landing) == 1


def test_who_is_not_signed_too_large_or_at_a_wrong_address_is_refused(service: Service, landing: Path) -> None:
    """And hears nothing about who is meant."""
    body, large = body_of(), b"x" * 30_000

    assert service.deliver(body, "e-1", key=FOREIGN_KEY) == 401
    assert service.deliver(large, "e-2") == 413
    assert service.post(body, headers_of(body, "e-3"), name="niemand")[0] == 404
    assert kept(landing) == 0


def test_a_body_that_lies_about_its_length_is_bounded(service: Service, landing: Path) -> None:
    """Chunked, without an end."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as line:
        line.sendall(b"POST /webhook/ideen-tk HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        answer = b""
        try:
            for _ in range(100):
                line.sendall(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")
            answer = line.recv(1000)
        except OSError:
            answer = answer or b"cut"

    assert answer == b"cut" or b" 413 " in answer
    assert service.deliver(body_of(), "e-1") == 202
    assert kept(landing) == 1


def test_what_was_answered_survives_a_kill(service: Service, landing: Path, tmp_path: Path) -> None:
    """kill -9 in the middle of a flood: everything that was told 202 lies there; the next service knows it."""
    told: list[str] = []

    def deliver(number: int) -> None:
        body = body_of(number, titel="Bank")
        try:
            if service.deliver(body, f"e-{number}") == 202:
                told.append(f"e-{number}")
        except (OSError, HTTPException):  # no answer, or half of one
            return

    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(deliver, number) for number in range(300)]
        while len(told) < 40:
            time.sleep(0.005)
        service.kill()
        for job in jobs:
            job.result()
    lying = {
        json.loads(file.read_bytes().partition(b"\n")[0])["event"] for file in (landing / "waiting").glob("*.json")
    }

    assert lying >= set(told)
    again = start_service(landing, tmp_path)
    try:
        number = int(told[0].removeprefix("e-"))
        assert again.deliver(body_of(number, titel="Bank"), told[0]) == 202
        assert kept(landing) == len(lying)
    finally:
        again.kill()


def test_two_at_once_with_one_id_are_one(service: Service, landing: Path) -> None:
    """A sender that lost patience sends it again while the first is still being written."""
    body = body_of(titel="Bank")
    headers = headers_of(body, "e-1")
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: service.post(body, headers)[0], range(24)))

    assert set(statuses) <= {202, 503}
    assert kept(landing) == 1


def test_idle_lines_do_not_shut_the_door_for_ever(service: Service) -> None:
    """Too many at once hear 503; when they are gone, the door is open."""
    idle = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(60)]
    time.sleep(0.2)
    body = body_of()
    crowded = service.deliver(body, "e-1")
    for line in idle:
        line.close()
    time.sleep(0.3)

    assert crowded in (202, 503)
    assert service.deliver(body, "e-1") == 202


def test_nothing_is_served_readable_to_other_machines() -> None:
    """No certificate, no other address."""
    command = [*COMMAND, "webhook", "serve", "ideen-tk", "--host", "0.0.0.0", "--port", "0"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)

    assert ended.returncode == 2
    assert "--cert" in ended.stderr
