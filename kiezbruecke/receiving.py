"""The service that takes deliveries over HTTP: whole, bounded, in time – and hands each to its connection's receiver.

    POST /webhook/<connection>    202 when it is kept; what else is said stands in the receiver
    GET  /health                  200

It judges nothing itself, knows no ledger and no Airflow, and may be ended and started at any time: what was answered
with 202 lies on disk, what was not is sent again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kiezbruecke.connector import Received, Receiver

log = logging.getLogger("kiezbruecke")
PATH = "/webhook/{connection}"
_IN_TIME = 20  # seconds for a whole body
_AT_ONCE = 32  # connections; whoever is too much hears 503 and comes again
_BACKLOG = 128


class _TooLarge(Exception):
    pass


def service(receivers: Mapping[str, Receiver]) -> Starlette:
    """The app for these connections, by name."""

    async def deliver(request: Request) -> Response:
        name = request.path_params["connection"]
        receiver = receivers.get(name)
        if receiver is None:
            return JSONResponse({"error": "nobody takes deliveries here"}, 404)
        try:
            said = await _received(request, receiver)
        except ClientDisconnect:
            return Response(status_code=400)
        if said.status >= 500:
            log.warning("%s: a delivery was not kept: %s", name, said.text)
        return _answer(said)

    async def health(_: Request) -> Response:
        return JSONResponse({"pid": os.getpid()})

    return Starlette(routes=[Route(PATH, deliver, methods=["POST"]), Route("/health", health)])


def serve(receivers: Mapping[str, Receiver], listener: socket.socket, tls: tuple[Path, Path] | None = None) -> None:
    """Take deliveries until SIGTERM or Ctrl-C. `tls`: certificate and key (PEM)."""
    certificate, key = tls or (None, None)
    config = uvicorn.Config(
        service(receivers),
        log_level="warning",
        access_log=False,  # an address may hold what a log may not
        server_header=False,
        limit_concurrency=_AT_ONCE,
        timeout_keep_alive=5,
        http="h11",
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


def listen(host: str, port: int) -> socket.socket:
    """A socket at an address of this machine; raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # TCP: asyncio then sets NODELAY
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


async def _received(request: Request, receiver: Receiver) -> Received:
    try:
        async with asyncio.timeout(_IN_TIME):
            body = await _body(request, receiver.max_bytes)
    except TimeoutError:
        return Received(408, f"the body did not come within {_IN_TIME} s")
    except _TooLarge:
        return Received(413, f"at most {receiver.max_bytes} bytes")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return await run_in_threadpool(receiver.receive, headers, body, datetime.now(UTC))


async def _body(request: Request, most: int) -> bytes:
    """The body, no more than allowed, whatever its length is said to be."""
    said = request.headers.get("content-length", "0")
    if not said.isdecimal() or int(said) > most:
        raise _TooLarge
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise _TooLarge
    return bytes(body)


def _answer(said: Received) -> Response:
    headers = {"Retry-After": str(said.again_after)} if said.again_after else {}
    text = json.dumps({"status" if said.status < 400 else "error": said.text})
    return Response(text, said.status, headers, "application/json")
