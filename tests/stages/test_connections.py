"""Several connections to one destination: side by side inside a window, each message once, whatever breaks."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from connectors.xta.target import XtaTarget
from kiezbruecke import pipeline
from kiezbruecke.connector import Answer, Connection, Found, Message, NotThere, Ticket
from kiezbruecke.content.routes import SendingRoute, find_route
from kiezbruecke.errors import ConfigurationError, NotSent
from kiezbruecke.ledger import MessageState
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.records import Receipt, ReceiptOutcome
from kiezbruecke.stages.work import Counts, Sending
from tests.builders import PROCESS, ROOT
from tests.ledger.conftest import EFILE, FILES, Desk, draft
from tests.world import World, line

ROUTE = "kk-tk-eakte"


# --- over a real line, to a real e-file


class Gate(ThreadingHTTPServer):
    """Stands before the e-file, lets messages in only when `wanted` are there at once, and counts how many were."""

    daemon_threads = True

    def __init__(self, behind: str, wanted: int, patience: float = 20.0) -> None:
        super().__init__(("127.0.0.1", 0), _Porter)
        self.behind, self.wanted, self.patience = urlsplit(behind).netloc, wanted, patience
        self.most = self._inside = 0
        self._change = threading.Condition()

    @contextmanager
    def passing(self) -> Iterator[None]:
        """One message on its way."""
        with self._change:
            self._inside += 1
            self.most = max(self.most, self._inside)
            self._change.notify_all()
            self._change.wait_for(lambda: self.most >= self.wanted, self.patience)
        yield
        with self._change:
            self._inside -= 1


class _Porter(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Gate

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/SendXtaPort"):
            with self.server.passing():
                self._hand_on(body)
        else:
            self._hand_on(body)

    def _hand_on(self, body: bytes) -> None:
        line_ = http.client.HTTPConnection(self.server.behind, timeout=20)
        line_.request("POST", self.path, body, {name: value for name, value in self.headers.items() if name != "Host"})
        answer = line_.getresponse()
        content = answer.read()
        line_.close()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def gate_before(world: World, wanted: int) -> Iterator[Gate]:
    """All that goes to the e-file goes through this gate."""
    with Gate(world.sandboxes["xta"].url, wanted) as gate:
        serving = threading.Thread(target=gate.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        world.connections["eakte-tk"]["host"] = f"http://127.0.0.1:{gate.server_port}"
        world.connect()
        yield gate
        gate.shutdown()
        serving.join()


@pytest.fixture
def eight(odd_world: World) -> World:
    """Eight cases whose files are prepared."""
    odd_world.drop(*(line(f"P-{number}", f"{number},-") for number in range(1, 9)))
    odd_world.run("kk-tk-budgets", "kk-tk-beschluesse")
    pipeline.prepare(odd_world.house, ROUTE)
    return odd_world


SUMS = sorted(f"{number}.00" for number in range(1, 9))


@pytest.mark.parametrize("connections", [1, 8])
def test_as_many_are_on_their_way_at_once_as_the_route_has_connections(
    eight: World, connections: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted by the other side; each arrives once, and every client is closed when the step is over."""
    eight.route(ROUTE, window=8, connections=connections)
    clients = _watched(monkeypatch)
    with gate_before(eight, connections) as gate:
        counts = pipeline.deliver(eight.house, ROUTE)

    assert gate.most == connections
    assert counts["delivered"] == 8
    assert eight.filed() == SUMS
    assert {head.state for head in eight.messages("eakte-tk")} == {MessageState.DELIVERED}
    assert len(clients.sent) == connections
    assert {len(threads) for threads in clients.sent.values()} == {1}
    assert clients.closed == clients.sent.keys()


def test_clients_are_closed_after_an_error_as_well(eight: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server counts the lines that hang."""
    clients = _watched(monkeypatch)
    monkeypatch.setattr(pipeline.delivering, "stop_if_something_is_left", _fail)
    with pytest.raises(RuntimeError, match="afterwards"):
        pipeline.deliver(eight.house, ROUTE)

    assert clients.closed == clients.sent.keys() != set()


def _fail(_work: Sending, _counts: Counts) -> None:
    raise RuntimeError("afterwards")


def test_one_that_fails_among_eight_is_one(eight: World) -> None:
    """Its doubt is asked after by the next run; the others were settled beside it."""
    eight.route(ROUTE, window=8, connections=8)
    eight.sandboxes["xta"].arm("commit_then_lose")
    first = _deliver_anyway(eight)
    second = _deliver_anyway(eight)

    assert first == [MessageState.DELIVERED] * 7 + [MessageState.IN_DOUBT]
    assert second == [MessageState.DELIVERED] * 8
    assert eight.filed() == SUMS


def _deliver_anyway(world: World) -> list[MessageState]:
    with suppress(NotSent):
        pipeline.deliver(world.house, ROUTE)
    return sorted((head.state for head in world.messages("eakte-tk")), key=str)


@dataclass
class Watched:
    """Which clients sent in which threads, and which were closed."""

    sent: dict[int, set[int]] = field(default_factory=dict)
    closed: set[int] = field(default_factory=set)


def _watched(patch: pytest.MonkeyPatch) -> Watched:
    """The real client, watched."""
    seen, send, close = Watched(), XtaTarget.send, XtaTarget.close

    def watch_send(client: XtaTarget, message: Message, ticket: Ticket | None) -> Receipt:
        seen.sent.setdefault(id(client), set()).add(threading.get_ident())
        return send(client, message, ticket)

    def watch_close(client: XtaTarget) -> None:
        seen.closed.add(id(client))
        close(client)

    patch.setattr(XtaTarget, "send", watch_send)
    patch.setattr(XtaTarget, "close", watch_close)
    return seen


# --- what may be said in a route


@pytest.mark.parametrize(
    ("route", "keys", "told"),
    [
        ("kk-tk-hkr", {"connections": 4}, "cannot send over 4 connections at once"),
        ("kk-tk-statusliste", {"connections": 4}, "cannot send over 4 connections at once"),
        (ROUTE, {"connections": 4}, "connections: 4 is more than window: 1"),
        (ROUTE, {"window": 8, "connections": 9}, "connections: 9 is more than window: 8"),
        (ROUTE, {"window": 100, "connections": 17}, "connections: "),
        (ROUTE, {"connections": 0}, "connections: "),
    ],
)
def test_connections_that_cannot_be_are_refused(odd_world: World, route: str, keys: dict[str, int], told: str) -> None:
    """Before anything is sent, with the place in the file where it stands."""
    odd_world.route(route, **keys)

    with pytest.raises(ConfigurationError) as refused:
        pipeline.deliver(odd_world.house, route)
    assert told in refused.value.line()
    assert "connections" in refused.value.line()


# --- on both databases, with a destination that counts


@dataclass
class Teller:
    """A destination that knows how often it took each message, and breaks where it is told to."""

    breaks: dict[str, BaseException] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)

    def reserve(self, message: Message) -> Ticket | None:
        """No ids."""
        return None

    def send(self, message: Message, ticket: Ticket | None) -> Receipt:
        """Take it, or break."""
        if (error := self.breaks.pop(message.reference, None)) is not None:
            raise error
        self.taken.append(message.reference)
        return Receipt(source=EFILE, outcome=ReceiptOutcome.DELIVERED, event="angenommen", key=message.key)

    def look_up(self, message: Message, ticket: Ticket | None) -> Answer:
        """It knows exactly."""
        if message.reference in self.taken:
            return Found(Receipt(outcome=ReceiptOutcome.DELIVERED, event="angenommen"))
        return NotThere()


@pytest.fixture
def six(desk: Desk) -> list[Draft]:
    """Six messages, oldest first."""
    files = [draft(desk.decide(f"P-{one}", one), reference=f"KK26-E{one}") for one in range(1, 7)]
    desk.prepare(*files)
    return files


def deliver(desk: Desk, destination: Teller, connections: int, window: int) -> Counts:
    """One run of the route over so many connections."""
    route = find_route(ROOT, ROUTE)
    assert isinstance(route, SendingRoute)
    route = route.model_copy(update={"connections": connections, "window": window})
    work = Sending(ROOT, route, PROCESS, desk.ledger, Connection(EFILE, "kb_xta"), desk.run(FILES, route.name))
    work.target, work.others = destination, [destination] * (connections - 1)
    counts = Counts()
    pipeline.deliver_messages(work, counts)
    return counts


@pytest.mark.parametrize("connections", [1, 3])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(143)], ids=repr)
def test_being_told_to_stop_loses_nothing(desk: Desk, six: list[Draft], connections: int, error: BaseException) -> None:
    """What is known is written down, what is not known stays on its way, and the next run asks: each arrives once."""
    destination, before = Teller({six[3].reference: error}), threading.enumerate()
    with pytest.raises(type(error)):
        deliver(desk, destination, connections, window=6)
    states = {file.reference: desk.state(file) for file in six}
    deliver(desk, destination, connections, window=6)

    assert threading.enumerate() == before
    assert states[six[3].reference] is MessageState.SENDING
    assert {states[reference] for reference in destination.taken[:2]} == {MessageState.DELIVERED}
    assert [state for state in states.values() if state not in (MessageState.DELIVERED, MessageState.SENDING)] == []
    assert {desk.state(file) for file in six} == {MessageState.DELIVERED}
    assert sorted(destination.taken) == sorted(file.reference for file in six)


def test_a_full_memory_is_doubt_about_one(desk: Desk, six: list[Draft]) -> None:
    """It ends no process: the others go on, and what could not be held is asked after."""
    destination = Teller({six[3].reference: MemoryError()})
    with pytest.raises(NotSent, match="1 message"):
        deliver(desk, destination, 3, window=6)
    states = {file.reference: desk.state(file) for file in six}
    deliver(desk, destination, 3, window=6)

    assert states.pop(six[3].reference) is MessageState.IN_DOUBT
    assert {*states.values()} == {MessageState.DELIVERED}
    assert sorted(destination.taken) == sorted(file.reference for file in six)


def test_a_destination_that_is_down_is_left_alone(desk: Desk, six: list[Draft]) -> None:
    """Failures in a row count over all connections: after two windows of two there were more than three."""
    destination = Teller({file.reference: NotSent("down") for file in six})
    with pytest.raises(NotSent, match="6 message"):
        deliver(desk, destination, 2, window=2)

    assert destination.taken == []
    assert len(destination.breaks) == 2
    assert {desk.state(file) for file in six} == {MessageState.WAITING}
