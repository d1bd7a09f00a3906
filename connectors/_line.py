"""One HTTP call with a deadline: afterwards one knows whether a byte has left, and nobody waits for ever.

    Line.call ─▶ NotSent           no byte of the request has left (refused, name unknown, TLS failed)
              ─▶ DeadlineExceeded  a read, or the call as a whole, took too long
              ─▶ NoAnswer          more than the agreed size, less than was promised, or no HTTP
              ─▶ Response          read to its end; a redirect is an answer like any other, nothing follows it

A connection is kept for the next call, and trusted again only if it lay idle for less than `IDLE` seconds and nothing
has come over it since: neither its end nor a word that nobody asked for. What fails after the first byte of a request
is doubt, on a kept connection as well. Plain http goes to this machine only. Nothing here knows SOAP, and nothing reads
the environment.
"""

from __future__ import annotations

import base64
import http.client
import io
import os
import re
import select
import socket
import ssl
import time
import weakref
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address
from typing import TYPE_CHECKING, cast
from urllib.parse import SplitResult, urlsplit

import certifi

from kiezbruecke import __version__, german
from kiezbruecke.errors import ConfigurationError, NotSent
from kiezbruecke.troubles import Cause, Trouble, is_permanent, of_status, trouble_of

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

IDLE = 4.0  # seconds; the shortest that common servers keep an idle connection is five
_KEEPS = re.compile(r"timeout=(\d+)")  # of the header Keep-Alive
_PORTS = {"http": 80, "https": 443}
_TYPES = frozenset(
    (
        *("application/json", "application/octet-stream", "application/pdf", "application/soap+xml", "application/xml"),
        *("application/xop+xml", "application/zip", "multipart/related", "text/html", "text/plain", "text/xml"),
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )
)
_STANDARD = {"Accept-Encoding": "identity", "User-Agent": f"Kiezbruecke/{__version__}"}


class NoAnswer(Exception):
    """Something came back, but no answer; `status` is its HTTP status. What happened is unknown."""

    def __init__(self, what: str, status: int = 0) -> None:
        self.status = status
        self.permanent = f"HTTP {status}" if is_permanent(status) else ""
        self.trouble = of_status(status) or (Trouble(Cause.NO_SERVICE) if status else None)
        super().__init__(f"{what} (HTTP {status})" if status else what)


class DeadlineExceeded(TimeoutError):
    """The call took too long and was cut. What happened is unknown."""

    trouble = Trouble(Cause.SILENT)


def shown_type(media_type: str) -> str:
    """A media type as our lines may name it: a common one as it is; any other is a stranger's word."""
    return media_type if media_type in _TYPES else "another media type" if media_type else "no content type"


@dataclass(frozen=True)
class Wire:
    """How to carry: times in seconds, files as PEM. An empty `ca_file` means certifi's authorities."""

    ca_file: str = ""
    client_cert: str = ""
    client_key: str = field(default="", repr=False)
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    deadline: float = 120.0
    max_answer_bytes: int = 64 * 1024 * 1024
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Response:
    """The part of an HTTP response that matters, read to its end."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    cookies: tuple[str, ...] = field(default=(), repr=False)
    """Each `Set-Cookie` as it came: a mapping of headers holds one of a name only."""


class Line:
    """A client's connections, one per address. Threads share none: a connection in use is nobody else's.

    After a fork the child opens its own. `close` gives them back; so does the end of the line itself.
    """

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self._idle: dict[tuple[str, str], _Connection] = {}
        self._process = os.getpid()
        self._end = weakref.finalize(self, _close_all, self._idle)

    def close(self) -> None:
        """Close what is open; a later call opens anew."""
        _close_all(self._idle)

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Response:
        """Get and read to the end; see `call`."""
        return self.call("GET", url, b"", headers or {})

    def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Response:
        """Post and read to the end; see `call`."""
        return self.call("POST", url, content, headers)

    def call(self, method: str, url: str, content: bytes, headers: Mapping[str, str]) -> Response:
        """One call within deadline and size; raises NotSent only if no byte has left."""
        parts, clock = urlsplit(url), _Clock(self.wire)
        connection = self._take(parts) or self._open(parts, clock)
        try:
            response = connection.exchange(clock, method, parts, content, {**self._standard, **headers})
        except BaseException as error:
            connection.close()
            if isinstance(error, Exception) and not connection.begun:
                raise _not_sent(error, parts) from error
            if (named := _named(error, clock)) is not None:
                raise named from error
            raise
        self._keep(parts, connection)
        return response

    @cached_property
    def _standard(self) -> Mapping[str, str]:
        if not self.wire.user:
            return _STANDARD
        pair = base64.b64encode(f"{self.wire.user}:{self.wire.password}".encode())
        return {**_STANDARD, "Authorization": f"Basic {pair.decode()}"}

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return tls(self.wire)

    def _take(self, parts: SplitResult) -> _Connection | None:
        """An idle connection that can be trusted. What a parent had open before a fork is the parent's."""
        if self._process != os.getpid():
            self._process = os.getpid()
            self.close()
        kept = self._idle.pop((parts.scheme, parts.netloc), None)
        if kept is None or kept.is_fresh():
            return kept
        kept.close()
        return None

    def _keep(self, parts: SplitResult, connection: _Connection) -> None:
        if connection.idle_for <= 0:
            connection.close()
            return
        other = self._idle.pop((parts.scheme, parts.netloc), None)  # where two threads use one line after all
        self._idle[parts.scheme, parts.netloc] = connection
        if other is not None:
            other.close()

    def _open(self, parts: SplitResult, clock: _Clock) -> _Connection:
        sock = None
        try:
            sock = self._connect(parts, clock)
            if parts.scheme == "https":
                sock.settimeout(clock.left(self.wire.connect_timeout))
                sock = self._tls.wrap_socket(sock, server_hostname=parts.hostname)
            else:
                _refuse_other_machine(sock, parts)
        except (OSError, ValueError) as error:  # a name that cannot be one is a ValueError
            if sock is not None:
                sock.close()
            raise _not_sent(error, parts, self._trouble(error, parts, clock)) from error
        except ConfigurationError:
            if sock is not None:
                sock.close()
            raise
        return _Connection(_Socket(sock))

    def _trouble(self, error: Exception, parts: SplitResult, clock: _Clock) -> Trouble | None:
        found = trouble_of(error)
        if found is not None and found.cause is Cause.TLS_EXPIRED:
            return Trouble(found.cause, self._expired(parts, clock))
        return found

    def _expired(self, parts: SplitResult, clock: _Clock) -> str:
        """The day on which the server's certificate ended: another handshake, in which nothing of ours is shown."""
        from cryptography import x509  # noqa: PLC0415 - takes its time, and few certificates have ended

        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with (
                self._connect(parts, clock) as sock,
                context.wrap_socket(sock, server_hostname=parts.hostname) as secure,
            ):
                found = x509.load_der_x509_certificate(secure.getpeercert(binary_form=True) or b"")
        except (OSError, ValueError):
            return ""
        return german.day(found.not_valid_after_utc)

    def _connect(self, parts: SplitResult, clock: _Clock) -> socket.socket:
        address = (parts.hostname or "", parts.port or _PORTS[parts.scheme])
        sock = socket.create_connection(address, timeout=clock.left(self.wire.connect_timeout))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock


def _close_all(idle: dict[tuple[str, str], _Connection]) -> None:
    while idle:
        idle.popitem()[1].close()


def tls(wire: Wire) -> ssl.SSLContext:
    """The rules of a handshake, with the wire's files; raises OSError (ssl.SSLError is one) where one is no good."""
    context = ssl.create_default_context(cafile=wire.ca_file or certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if wire.client_cert:
        context.load_cert_chain(wire.client_cert, wire.client_key, password="")  # or OpenSSL asks the terminal
    return context


def _refuse_other_machine(sock: socket.socket, parts: SplitResult) -> None:
    """What stands in the address is a name; where it leads is known only now."""
    if not ip_address(sock.getpeername()[0].partition("%")[0]).is_loopback:
        raise ConfigurationError(
            "nothing must travel over http but to this machine, and the name leads to another",
            where=f"{parts.scheme}://{parts.netloc}",
            helps="use https",
        )


def _not_sent(error: Exception, parts: SplitResult, trouble: Trouble | None = None) -> NotSent:
    where = f"{parts.scheme}://{parts.netloc}{parts.path}"
    known = trouble or trouble_of(error) or Trouble(Cause.UNREACHABLE)
    return NotSent(
        f"{known.english} – {type(error).__name__} before anything was sent",
        where=where,
        helps=known.english_helps,
        trouble=known,
    )


def _named(error: BaseException, clock: _Clock) -> Exception | None:
    """The error as this module names it, None for one that keeps its name. None of them proves anything."""
    if isinstance(error, TimeoutError):
        return DeadlineExceeded(clock.verdict())
    if isinstance(error, http.client.HTTPException) and not isinstance(error, OSError):
        return NoAnswer(f"no whole answer: {type(error).__name__}")
    return None


class _Clock:
    """What is left of one call's time."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self._until = time.monotonic() + wire.deadline

    def left(self, at_most: float) -> float:
        """Seconds for the next step; raises TimeoutError when there are none."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(left, at_most)

    def verdict(self) -> str:
        """Which patience has ended."""
        if time.monotonic() >= self._until:
            return f"no whole answer within {self.wire.deadline:g} s"
        return f"not a byte within {self.wire.read_timeout:g} s"


class _Connection:
    """An open connection: whether a request has begun on it, and how long it may lie idle after its answer."""

    def __init__(self, sock: _Socket) -> None:
        self.idle_for = 0.0
        self._since = 0.0
        self._sock = sock
        self._http = http.client.HTTPConnection("unused")  # writes and reads; the socket is given, nothing connects
        self._http.sock = sock

    @property
    def begun(self) -> bool:
        """Whether the first byte of a request may have left."""
        return self._sock.begun

    def exchange(
        self, clock: _Clock, method: str, parts: SplitResult, content: bytes, headers: Mapping[str, str]
    ) -> Response:
        """One request and its whole answer."""
        self._sock.start(clock)
        path = SplitResult("", "", parts.path or "/", parts.query, "").geturl()
        self._http.request(method, path, content or None, {"Host": parts.netloc, **headers})
        self._sock.flush()
        with self._http.getresponse() as answer:
            body = _read(answer, clock.wire.max_answer_bytes)
            self.idle_for = _idle_for(answer) if answer.isclosed() else 0.0
        self._since = time.monotonic()
        found = cast("Mapping[str, str]", answer.headers)  # reads like one, whatever the case of a name
        return Response(answer.status, found, body, tuple(answer.headers.get_all("Set-Cookie", ())))

    def is_fresh(self) -> bool:
        """Whether it may carry another request."""
        return time.monotonic() - self._since < self.idle_for and not self._sock.has_more()

    def close(self) -> None:
        """Give it back."""
        self._sock.end()


def _read(answer: http.client.HTTPResponse, limit: int) -> bytes:
    body = answer.read(limit + 1)
    if len(body) > limit:
        raise NoAnswer(f"more than {limit} bytes", answer.status)
    if answer.length:  # what Content-Length promised and did not come
        raise NoAnswer("no whole answer: shorter than it says", answer.status)
    coding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    return body if coding in ("", "identity") else _unpacked(body, coding, limit, answer.status)


def _unpacked(body: bytes, coding: str, limit: int, status: int) -> bytes:
    """What somebody on the way has packed although `identity` was asked for; the limit holds for what comes out."""
    if coding not in ("gzip", "x-gzip"):
        raise NoAnswer("a packed answer", status)
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        content = unpacking.decompress(body, limit + 1)
    except zlib.error:
        raise NoAnswer("a packed answer that cannot be unpacked", status) from None
    if len(content) > limit:
        raise NoAnswer(f"more than {limit} bytes", status)
    if not unpacking.eof:
        raise NoAnswer("no whole answer: a packed one is cut", status)
    return content


def _idle_for(answer: http.client.HTTPResponse) -> float:
    if answer.will_close:
        return 0.0
    said = _KEEPS.search(answer.headers.get("Keep-Alive", ""))
    return min(IDLE, int(said[1]) - 1.0) if said else IDLE


class _Socket:
    """A socket as http.client uses one, each of whose steps gets what is left of the call's time.

    Head and body of a request leave together, when both are known to be well formed.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.begun = False
        self._sock = sock
        self._timeout = -1.0
        self._outgoing: list[bytes] = []
        self._reader: _Reader | None = None
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def start(self, clock: _Clock) -> None:
        """Begin another call."""
        self._clock, self.begun = clock, False

    def sendall(self, content: bytes) -> None:
        """Take a part of the request; see `flush`."""
        self._outgoing.append(content)

    def flush(self) -> None:
        """Send the request; a peer that takes it drop by drop meets the deadline, too."""
        rest = memoryview(b"".join(self._outgoing))
        self._outgoing.clear()
        while rest:
            self._be_patient()
            self.begun = True
            rest = rest[self._sock.send(rest) :]

    def receive(self, buffer: WriteableBuffer) -> int:
        """Read what is there, at most as long as there is time."""
        self._be_patient()
        return self._sock.recv_into(buffer)

    def makefile(self, _mode: str) -> _Reader:
        """The reader of one answer."""
        self._reader = _Reader(self)
        return self._reader

    def close(self) -> None:
        """Nothing: http.client closes before it has read the answer; see `end`."""

    def end(self) -> None:
        """Close it."""
        self._sock.close()

    def has_more(self) -> bool:
        """Whether something has come that nobody asked for, or the end."""
        if self._reader is not None and self._reader.left_over:
            return True
        if isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
            return True
        return bool(self._poll.poll(0))

    def _be_patient(self) -> None:
        timeout = self._clock.left(self._clock.wire.read_timeout)
        if timeout != self._timeout:  # setting it is a system call
            self._timeout = timeout
            self._sock.settimeout(timeout)


class _Reader(io.BufferedReader):
    """Reads one answer; at its end it knows whether more had come than belongs to it."""

    def __init__(self, sock: _Socket) -> None:
        self.left_over = False
        self._incoming = _Incoming(sock)
        super().__init__(self._incoming)

    def close(self) -> None:
        """End reading; the socket stays open."""
        if not self.closed:
            self._incoming.ended = True
            self.left_over = bool(self.peek(1))
        super().close()


class _Incoming(io.RawIOBase):
    def __init__(self, sock: _Socket) -> None:
        self.ended = False
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        return 0 if self.ended else self._sock.receive(buffer)
