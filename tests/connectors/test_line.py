"""One line for all calls: when a connection is used again, and what is known when it breaks."""

from __future__ import annotations

import gzip
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from connectors import _line
from connectors._line import DeadlineExceeded, Line, NoAnswer, Wire
from kiezbruecke.errors import NotSent

Talk = Callable[[socket.socket, int], None]
"""Answers one connection; told which one it is, from 1."""


class Server:
    """A server of raw bytes, each connection in a thread of its own; counts connections and requests."""

    def __init__(self, talk: Talk) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/a"
        self.connections = 0
        self._talk = talk
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._one, args=(connection, self.connections), daemon=True).start()

    def _one(self, connection: socket.socket, number: int) -> None:
        with connection, suppress(OSError):
            self._talk(connection, number)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def serve() -> Iterator[Callable[[Talk], Server]]:
    servers: list[Server] = []

    def begin(talk: Talk) -> Server:
        servers.append(Server(talk))
        return servers[-1]

    yield begin
    for server in servers:
        server.close()


@pytest.fixture
def line() -> Iterator[Line]:
    with closing(Line(Wire(deadline=5, read_timeout=2))) as made:
        yield made


def hear(connection: socket.socket) -> bytes:
    """One whole request of ours."""
    heard = b""
    while b"\r\n\r\n" not in heard:
        if not (more := connection.recv(65536)):
            raise ConnectionError
        heard += more
    head, _, body = heard.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def say(connection: socket.socket, body: bytes = b"yes", *headers: str) -> None:
    """One whole answer."""
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers]
    connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def patient(connection: socket.socket, _: int) -> None:
    """Keeps the connection open and answers for ever."""
    while True:
        hear(connection)
        say(connection)


def silent(_: socket.socket, __: int) -> None:
    """Takes a connection and says nothing."""
    time.sleep(5)


def test_a_server_that_keeps_connections_open_is_called_over_one(serve: Callable[[Talk], Server], line: Line) -> None:
    """A connection for each call costs ten times the call, with TLS a hundred times."""
    server = serve(patient)

    answers = [line.post(server.url, b"q", {}).content for _ in range(20)]

    assert answers == [b"yes"] * 20
    assert server.connections == 1


def test_a_handshake_serves_many_calls(self_signed: tuple[Path, Path]) -> None:
    """A new TLS connection costs ten milliseconds of CPU."""
    certificate, key = self_signed
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    def talk(connection: socket.socket, _: int) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            patient(secure, 1)

    with closing(Server(talk)) as server, closing(Line(Wire(ca_file=str(certificate), deadline=5))) as line:
        url = server.url.replace("http:", "https:")
        answers = [line.post(url, bytes(100_000), {}).content for _ in range(10)]

    assert answers == [b"yes"] * 10
    assert server.connections == 1


def test_a_server_that_closes_without_saying_so_loses_no_call(serve: Callable[[Talk], Server], line: Line) -> None:
    """It reads one request, does not repeat `close` and ends the connection: the next call notices before it sends."""

    def once(connection: socket.socket, _: int) -> None:
        hear(connection)
        say(connection)

    server = serve(once)
    answers = []
    for _ in range(20):
        answers.append(line.post(server.url, b"q", {}).content)
        time.sleep(0.01)  # the end of the connection is on its way

    assert answers == [b"yes"] * 20
    assert server.connections == 20


def test_a_server_that_says_close_gets_a_new_connection(serve: Callable[[Talk], Server], line: Line) -> None:
    def closing_one(connection: socket.socket, _: int) -> None:
        hear(connection)
        say(connection, b"yes", "Connection: close")
        connection.recv(1)  # it says so, and leaves the end to us

    server = serve(closing_one)

    assert [line.post(server.url, b"q", {}).content for _ in range(3)] == [b"yes"] * 3
    assert server.connections == 3


def test_a_connection_that_was_idle_for_too_long_is_not_trusted(
    serve: Callable[[Talk], Server], line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server may be about to close it at the very moment in which we write: that would look like doubt."""
    monkeypatch.setattr(_line, "IDLE", 0.05)
    server = serve(patient)

    line.post(server.url, b"q", {})
    time.sleep(0.1)
    line.post(server.url, b"q", {})

    assert server.connections == 2


def test_a_server_may_say_how_long_it_keeps_a_connection(serve: Callable[[Talk], Server], line: Line) -> None:
    """Keep-Alive: timeout=1 leaves no time that could be trusted."""

    def hasty(connection: socket.socket, _: int) -> None:
        while True:
            hear(connection)
            say(connection, b"yes", "Keep-Alive: timeout=1, max=100")

    server = serve(hasty)
    line.post(server.url, b"q", {})
    line.post(server.url, b"q", {})

    assert server.connections == 2


@pytest.mark.parametrize("late", [False, True])
def test_a_word_that_nobody_asked_for_ends_the_trust(serve: Callable[[Talk], Server], line: Line, late: bool) -> None:
    """A second answer to one request would be taken for the answer to the next one: the wrong receipt."""

    def chattering(connection: socket.socket, _: int) -> None:
        while True:
            hear(connection)
            yes = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"
            other = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother"
            connection.sendall(yes if late else yes + other)
            if late:
                time.sleep(0.02)
                connection.sendall(other)

    server = serve(chattering)
    answers = []
    for _ in range(3):
        answers.append(line.post(server.url, b"q", {}).content)
        time.sleep(0.1)

    assert answers == [b"yes"] * 3
    assert server.connections == 3


def test_a_kept_connection_that_breaks_after_the_first_byte_is_doubt(
    serve: Callable[[Talk], Server], line: Line
) -> None:
    """It had been healthy when the request began: nobody knows whether it was read."""

    def breaking(connection: socket.socket, number: int) -> None:
        hear(connection)
        say(connection)
        if number == 1:
            hear(connection)
            return  # the second request is read, and never answered

    server = serve(breaking)
    line.post(server.url, b"q", {})

    with pytest.raises((OSError, NoAnswer)) as raised:
        line.post(server.url, b"q", {})

    assert not isinstance(raised.value, NotSent)
    assert server.connections == 1


def test_the_deadline_holds_on_a_kept_connection(serve: Callable[[Talk], Server]) -> None:
    """One byte after the other outlives every single read; the call as a whole must end."""

    def dripping(connection: socket.socket, _: int) -> None:
        hear(connection)
        say(connection)
        hear(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)

    server = serve(dripping)
    with closing(Line(Wire(deadline=0.6, read_timeout=5))) as line:
        line.post(server.url, b"q", {})
        begun = time.monotonic()
        with pytest.raises(DeadlineExceeded, match=r"within 0\.6 s"):
            line.post(server.url, b"q", {})

    assert time.monotonic() - begun < 3
    assert server.connections == 1


def test_a_peer_that_does_not_take_the_request_meets_the_deadline(serve: Callable[[Talk], Server]) -> None:
    """Sending blocks as well; what has left of it has left."""
    server = serve(silent)
    with closing(Line(Wire(deadline=0.5, read_timeout=5))) as line, pytest.raises(DeadlineExceeded):
        line.post(server.url, bytes(20_000_000), {})


def test_silence_ends_with_the_read_timeout(serve: Callable[[Talk], Server]) -> None:
    server = serve(silent)
    with (
        closing(Line(Wire(deadline=60, read_timeout=0.3))) as line,
        pytest.raises(DeadlineExceeded, match=r"not a byte within 0\.3 s"),
    ):
        line.get(server.url)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf",
        b"SSH-2.0-OpenSSH\r\n",
        b"",
    ],
)
def test_what_is_no_whole_answer_is_doubt(serve: Callable[[Talk], Server], line: Line, answer: bytes) -> None:
    def half(connection: socket.socket, _: int) -> None:
        hear(connection)
        connection.sendall(answer)

    with pytest.raises((OSError, NoAnswer)) as raised:
        line.post(serve(half).url, b"q", {})

    assert not isinstance(raised.value, NotSent)


def test_a_chunked_answer_is_read_to_its_end_and_the_connection_kept(
    serve: Callable[[Talk], Server], line: Line
) -> None:
    def chunks(connection: socket.socket, _: int) -> None:
        while True:
            hear(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n2\r\n, \r\n0\r\n\r\n")

    server = serve(chunks)

    assert [line.get(server.url).content for _ in range(3)] == [b"yes, "] * 3
    assert server.connections == 1


def test_a_redirect_is_an_answer_and_never_followed(serve: Callable[[Talk], Server], line: Line) -> None:
    """Secrets and bytes go where the connection says, nowhere else."""

    def elsewhere(connection: socket.socket, _: int) -> None:
        hear(connection)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")

    response = line.post(serve(elsewhere).url, b"q", {})

    assert (response.status_code, response.headers.get("location")) == (302, "http://127.0.0.1:1/")


def test_nothing_leaves_for_an_address_that_cannot_be_one(line: Line) -> None:
    for url in ("http://127.0.0.1:1/a\nb", "http://..example/", "http://name.invalid/"):
        with pytest.raises(NotSent):
            line.post(url, b"q", {})


def test_a_log_in_is_sent_as_utf_8_and_never_shown(serve: Callable[[Talk], Server]) -> None:
    heard: list[bytes] = []

    def listen(connection: socket.socket, _: int) -> None:
        heard.append(hear(connection))
        say(connection)

    wire = Wire(user="Jörg", password="geheim")
    with closing(Line(wire)) as line:
        line.post(serve(listen).url, b"q", {})

    assert b"Authorization: Basic SsO2cmc6Z2VoZWlt" in heard[0]
    assert "geheim" not in repr(wire)
    assert "geheim" not in repr(line)


def test_threads_at_one_line_get_their_own_answers(serve: Callable[[Talk], Server], line: Line) -> None:
    """Each target has a line of its own; if one is shared after all, no answer may be somebody else's."""

    def echo(connection: socket.socket, _: int) -> None:
        while True:
            say(connection, hear(connection).partition(b"\r\n\r\n")[2])

    server, wrong = serve(echo), []

    def ask(name: str) -> None:
        for number in range(50):
            word = f"{name}-{number}".encode()
            if line.post(server.url, word, {}).content != word:
                wrong.append(word)

    threads = [threading.Thread(target=ask, args=(f"thread-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert wrong == []
    assert server.connections < 100


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_after_a_fork_the_child_opens_its_own(serve: Callable[[Talk], Server], line: Line) -> None:
    """Two processes on one connection would read each other's answers; the parent's must survive the child's end."""
    server = serve(patient)
    line.get(server.url)
    child = os.fork()
    if child == 0:
        os._exit(0 if line.get(server.url).content == b"yes" else 1)
    _, status = os.waitpid(child, 0)

    assert status == 0
    assert line.get(server.url).content == b"yes"
    assert server.connections == 2


def test_close_gives_the_connection_back(serve: Callable[[Talk], Server], line: Line) -> None:
    """A worker that stays must not hold lines to everybody it ever spoke with."""
    ended = threading.Event()

    def watch(connection: socket.socket, _: int) -> None:
        hear(connection)
        say(connection)
        if connection.recv(1) == b"":
            ended.set()

    line.get(serve(watch).url)
    line.close()

    assert ended.wait(5)


def test_a_forgotten_line_gives_its_connection_back(serve: Callable[[Talk], Server]) -> None:
    server = serve(patient)
    line = Line(Wire())
    line.get(server.url)
    idle = line._idle
    del line

    assert idle == {}


def test_a_packed_answer_is_unpacked(serve: Callable[[Talk], Server], line: Line) -> None:
    """`identity` was asked for; a proxy on the way may pack all the same."""

    def talk(connection: socket.socket, _: int) -> None:
        hear(connection)
        say(connection, gzip.compress(b"Sommerfest"), "Content-Encoding: gzip")

    assert line.get(serve(talk).url).content == b"Sommerfest"


@pytest.mark.parametrize(
    ("body", "coding", "why"),
    [
        (gzip.compress(bytes(50_000_000)), "gzip", "more than 1000 bytes"),
        (gzip.compress(os.urandom(200))[:-20], "gzip", "cut"),
        (b"Sommerfest", "gzip", "cannot be unpacked"),
        (b"Sommerfest", "br", "a packed answer"),
    ],
    ids=["bomb", "cut", "not packed", "another way"],
)
def test_what_comes_out_of_a_packed_answer_is_limited(
    serve: Callable[[Talk], Server], body: bytes, coding: str, why: str
) -> None:
    """50 kB may hold 50 MB: the limit is that of what comes out, and memory never holds more."""

    def talk(connection: socket.socket, _: int) -> None:
        hear(connection)
        say(connection, body, f"Content-Encoding: {coding}")

    wire = Wire(deadline=5, max_answer_bytes=1000 if len(body) < 1000 else 100_000)
    with closing(Line(wire)) as line, pytest.raises(NoAnswer, match=why.replace("1000", str(wire.max_answer_bytes))):
        line.get(serve(talk).url)
