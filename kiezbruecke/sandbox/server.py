"""A sandbox is a real server in its own process, with its own state on disk and fault switches.

    python -m kiezbruecke.sandbox connectors.xta.sandbox:create --state DIR [--port N] [--option k=v …]

`create(state: Path, faults: Faults, options: dict[str, str])` gives a Starlette app; `FAULTS` beside it names the
switches. Every sandbox also answers `GET/PUT /_sandbox/faults` ({"name": times}) and `GET /_sandbox/health`.
When it listens it writes `address.json` ({"pid", "port", "url"}) into its state folder.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.privacy import keep_private
from kiezbruecke.sandbox.faults import Faults


class AnswerLost(BaseException):
    """Raised by a handler: the connection is cut without a byte of answer (what came before has happened).

    No Exception: Starlette would answer that with a polite 500 first.
    """


class _Cut:
    """Cuts the connection when a handler raises AnswerLost; outermost, so that `send` is uvicorn's own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except AnswerLost:
            send.__self__.transport.abort()  # type: ignore[attr-defined]


def build(create: str, state: Path, options: dict[str, str]) -> ASGIApp:
    """The app of a sandbox with the control routes beside it."""
    module_name, _, name = create.partition(":")
    module = import_module(module_name)
    state.mkdir(parents=True, exist_ok=True)
    faults = Faults(state / "faults.json", tuple(module.FAULTS))
    app: Starlette = getattr(module, name)(state, faults, options)

    async def get_faults(_: Request) -> JSONResponse:
        return JSONResponse({"known": list(faults.known), "armed": faults.armed()})

    async def put_faults(request: Request) -> JSONResponse:
        try:
            for fault, times in (await request.json()).items():
                faults.arm(fault, int(times))
        except ConfigurationError as error:
            return JSONResponse({"error": str(error)}, 422)
        return JSONResponse(faults.armed())

    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"pid": os.getpid()})

    app.router.routes[0:0] = [
        Route("/_sandbox/faults", get_faults, methods=["GET"]),
        Route("/_sandbox/faults", put_faults, methods=["PUT"]),
        Route("/_sandbox/health", health),
    ]
    return _Cut(app)


def serve(create: str, state: Path, port: int, options: dict[str, str]) -> None:
    """Run a sandbox until SIGTERM."""
    app = build(create, state, options)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # TCP: asyncio then sets NODELAY
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    port = listener.getsockname()[1]
    part = state / "address.part"
    part.write_text(json.dumps({"pid": os.getpid(), "port": port, "url": f"http://127.0.0.1:{port}"}), "utf-8")
    part.replace(state / "address.json")
    config = uvicorn.Config(app, log_level="warning", access_log=False, http="h11", timeout_keep_alive=30)
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


@dataclass
class Running:
    """A sandbox that was started by this process."""

    process: subprocess.Popen[bytes]
    url: str
    state: Path

    def arm(self, name: str, times: int = 1) -> None:
        """Arm a fault switch of this sandbox."""
        Faults(self.state / "faults.json", (name,)).arm(name, times)

    def stop(self) -> None:
        """Ask it to end, wait, and end it if it does not."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)

    def kill(self) -> None:
        """End it the hard way (kill -9)."""
        self.process.kill()
        self.process.wait(5)


def start(create: str, state: Path, *, port: int = 0, options: Iterable[str] = (), within: float = 20.0) -> Running:
    """Start a sandbox in its own process and wait until it answers; raises ConfigurationError if it does not."""
    state.mkdir(parents=True, exist_ok=True)
    address = state / "address.json"
    address.unlink(missing_ok=True)
    command = [sys.executable, "-m", "kiezbruecke.sandbox", create, "--state", str(state), "--port", str(port)]
    for option in options:
        command += ["--option", option]
    log = state / "sandbox.log"
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)  # noqa: S603
    deadline = time.monotonic() + within
    while time.monotonic() < deadline and process.poll() is None:
        if address.exists():
            url: str = json.loads(address.read_text("utf-8"))["url"]
            if _answers(url):
                return Running(process, url, state)
        time.sleep(0.02)
    process.kill()
    raise ConfigurationError("the sandbox did not start", where=create, helps=f"see {log}")


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/_sandbox/health", timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False


def main(arguments: Any = None) -> None:
    """Command line of a sandbox process."""
    import argparse  # noqa: PLC0415

    parser = argparse.ArgumentParser(prog="python -m kiezbruecke.sandbox")
    parser.add_argument("create")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--option", action="append", default=[])
    given = parser.parse_args(arguments)
    keep_private()
    serve(given.create, given.state, given.port, dict(option.split("=", 1) for option in given.option))
