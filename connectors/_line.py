"""One HTTP call with a deadline: afterwards one knows whether a byte has left, and nobody waits for ever.

    Line.post ─▶ NotSent           no byte of the request has left (refused, name unknown, TLS failed)
              ─▶ DeadlineExceeded  the call as a whole took too long; requests' timeouts are per read only
              ─▶ NoAnswer          more than the agreed size
              ─▶ Response          read to its end

Nothing here knows SOAP or zeep.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from kiezbruecke.errors import NotSent


class NoAnswer(Exception):
    """Something came back, but no SOAP answer; `status` is its HTTP status. What happened is unknown."""

    def __init__(self, what: str, status: int = 0) -> None:
        self.status = status
        super().__init__(f"{what} (HTTP {status})" if status else what)


class DeadlineExceeded(TimeoutError):
    """The call as a whole took too long and was cut. What happened is unknown."""


@dataclass(frozen=True)
class Wire:
    """How to carry: hashable, because clients are kept per process and wire."""

    verify: bool | str = True
    cert: tuple[str, str] | None = field(default=None, repr=False)
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    deadline: float = 120.0
    max_answer_bytes: int = 64 * 1024 * 1024
    huge: bool = False
    """Allow text nodes beyond 10 MB in answers (inline base64); the size limit above still holds."""
    mtom: tuple[str, ...] = ()
    """Elements (`{namespace}name`) whose base64 travels in MIME parts; empty = requests without MTOM."""
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Response:
    """The part of an HTTP response that matters, read to its end."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)


class Line:
    """One HTTP connection per call: a connection that the server closed while idle would look like doubt."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.session = requests.Session()
        self.session.trust_env = False  # or proxies and REQUESTS_CA_BUNDLE override what the connection says
        self.session.verify = wire.verify
        self.session.cert = wire.cert
        if wire.user:
            self.session.auth = (wire.user, wire.password)
        self.session.mount("http://", _Adapter())
        self.session.mount("https://", _Adapter())

    def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Response:
        """Post and read to the end, within deadline and size; raises NotSent only if no byte has left."""
        call = _Call()
        with _on_the_clock(call, self.wire.deadline):
            try:
                return self._exchange(url, content, headers)
            except (OSError, HTTPError) as error:  # requests' errors are OSErrors
                if not call.begun:
                    why = f"{type(error).__name__} before anything was sent"
                    raise NotSent(why, where=url, helps="is the address right, the server up?") from error
                if call.cut:
                    raise DeadlineExceeded(f"no whole answer within {self.wire.deadline:g} s") from error
                raise

    def _exchange(self, url: str, content: bytes, headers: Mapping[str, str]) -> Response:
        timeout = (self.wire.connect_timeout, self.wire.read_timeout)
        every = {"Connection": "close", "Accept-Encoding": "identity", **headers}
        with self.session.post(
            url, data=content, headers=every, timeout=timeout, stream=True, allow_redirects=False
        ) as response:
            body = self._read(response)
        if (call := _current.get()) is not None and call.cut:  # cut, but it looked like the end of the body
            raise requests.ReadTimeout
        return Response(response.status_code, response.headers, body)

    def _read(self, response: requests.Response) -> bytes:
        chunks, size = [], 0
        for chunk in response.iter_content(65536):
            size += len(chunk)
            if size > self.wire.max_answer_bytes:
                raise NoAnswer(f"more than {self.wire.max_answer_bytes} bytes", response.status_code)
            chunks.append(chunk)
        return b"".join(chunks)


@dataclass
class _Call:
    """What is known of a call while it runs."""

    begun: bool = False
    cut: bool = False
    twins: list[socket.socket] = field(default_factory=list)

    def end(self) -> None:
        """Cut its connections: a read in another thread then returns at once."""
        self.cut = True
        for twin in self.twins:
            with suppress(OSError):
                twin.shutdown(socket.SHUT_RDWR)


_current: ContextVar[_Call | None] = ContextVar("_current", default=None)


@contextmanager
def _on_the_clock(call: _Call, deadline: float) -> Iterator[None]:
    """Timeouts are per read, and one byte a second outlives them: a timer cuts the call as a whole."""
    timer = threading.Timer(deadline, call.end)
    timer.daemon = True
    token = _current.set(call)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        _current.reset(token)
        for twin in call.twins:
            twin.close()


class _Watched:
    """A connection that tells its call about its socket, and about the first byte of the request."""

    sock: socket.socket | ssl.SSLSocket | None

    def _new_conn(self) -> socket.socket:
        sock: socket.socket = super()._new_conn()  # type: ignore[misc]
        if (call := _current.get()) is not None:
            call.twins.append(sock.dup())  # TLS takes the original over; the twin stays valid
        return sock

    def send(self, content: Any) -> None:
        """Send a part of the request, connecting first if need be."""
        if self.sock is None:
            self.connect()  # type: ignore[attr-defined]
        if (call := _current.get()) is not None:
            call.begun = True
        super().send(content)  # type: ignore[misc]


class _PlainConnection(_Watched, HTTPConnection):
    pass


class _TlsConnection(_Watched, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Adapter(HTTPAdapter):
    """requests' adapter over watched connections."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Let the pools open our kind of connection."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
