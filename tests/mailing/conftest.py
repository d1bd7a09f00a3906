"""A small district with a real mail server in a process of its own."""

from __future__ import annotations

import email
import ipaddress
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.world import ROOT, World, make_world, odd_world, processes, world

__all__ = ["make_world", "odd_world", "processes", "world"]


@dataclass
class Post:
    """The mail server: what it has taken, and its switches."""

    folder: Path
    port: int
    cert: Path | None

    def letters(self, to: str = "") -> list[EmailMessage]:
        """What arrived, or what arrived for somebody."""
        files = sorted(self.folder.glob("*.eml"), key=lambda file: int(file.stem))
        read = [email.message_from_bytes(file.read_bytes(), policy=default) for file in files]
        return [one for one in read if isinstance(one, EmailMessage) and to in str(one["To"])]

    def envelopes(self) -> list[dict[str, Any]]:
        return [json.loads(file.read_text()) for file in sorted(self.folder.glob("*.json"))]

    def switch(self, name: str, *, on: bool = True) -> None:
        if on:
            (self.folder / name).touch()
        else:
            (self.folder / name).unlink()


@pytest.fixture
def start_post(tmp_path: Path) -> Iterator[Callable[..., Post]]:
    """Start a mail server; with `tls` it wants STARTTLS and a log-in."""
    running = []

    def start(*, tls: bool = False) -> Post:
        folder, port_file = tmp_path / "postamt", tmp_path / "port"
        folder.mkdir()
        cert = make_certificate(tmp_path / "post.pem") if tls else None
        command = [
            sys.executable,
            "-m",
            "tests.smtp_server",
            str(folder),
            str(port_file),
            *([str(cert)] if cert else []),
        ]
        running.append(subprocess.Popen(command, cwd=ROOT))
        while not port_file.exists():
            assert running[-1].poll() is None
            time.sleep(0.02)
        return Post(folder, int(port_file.read_text()), cert)

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture
def post(start_post: Callable[..., Post], world: World) -> Post:
    """A mail server without TLS, which the district's connection names."""
    found = start_post()
    name_it(world, found)
    return found


def name_it(world: World, post: Post, **extra: Any) -> None:
    """Make Airflow's connection for it."""
    given = {
        "disable_ssl": True,
        "disable_tls": post.cert is None,
        "from_email": "kiezbruecke@bezirk.example",
        "timeout": 5,
    }
    log_in = {"login": "kiezbruecke", "password": "geheim"} if post.cert else {}
    trust = {"ca_file": str(post.cert)} if post.cert else {}
    world.connections["smtp_default"] = {
        "conn_type": "smtp",
        "host": "127.0.0.1",
        "port": post.port,
        **log_in,
        "extra": {**given, **trust, **extra},
    }
    world.connect()


def make_certificate(file: Path, ends: datetime | None = None) -> Path:
    """A certificate of the server's own, with its key; it ends tomorrow unless said."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "post")]),
    )
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(ends or now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return file
