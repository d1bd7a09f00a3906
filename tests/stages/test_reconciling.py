"""Transport reports: each message is asked after soon and then less and less often, and nobody asks a silent server."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from kiezbruecke.connector import Answer, CannotTell, Connection, Found, Manifest, Message, Ticket
from kiezbruecke.content.routes import SendingRoute, find_route
from kiezbruecke.ledger import MessageState, claims
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.records import Receipt, ReceiptOutcome
from kiezbruecke.stages import reconciling
from kiezbruecke.stages.work import Counts, Sending
from tests.builders import PROCESS, ROOT
from tests.ledger.conftest import FILES, Desk, draft, receipt

MORNING = datetime(2026, 4, 27, 6, tzinfo=UTC)


@dataclass
class Server:
    """A target that is only asked; what it answers, and who was asked after."""

    answer: Answer = CannotTell("still open")  # noqa: RUF009 - frozen
    asked: list[str] = field(default_factory=list)

    def reserve(self, message: Message) -> Ticket | None:
        """Not used here."""
        raise NotImplementedError

    def send(self, message: Message, ticket: Ticket | None) -> Receipt:
        """Not used here."""
        raise NotImplementedError

    def look_up(self, message: Message, ticket: Ticket | None) -> Answer:
        """What was prepared."""
        self.asked.append(message.reference)
        return self.answer


@dataclass
class Clock:
    """The ledger's time."""

    at: datetime = MORNING

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(claims, "now", made)
    return made


def delivered(desk: Desk, count: int) -> list[Draft]:
    """Messages to the e-file that it has taken, each with a ticket."""
    made = [draft(desk.decide(f"P-{number}", number)) for number in range(1, count + 1)]
    desk.prepare(*made)
    run = desk.run(FILES)
    claims.claim(desk.ledger, run, count)
    claims.keep_tickets(desk.ledger, run, {one.identity.key: Ticket(f"urn:{one.reference}") for one in made})
    claims.begin_sending(desk.ledger, run, [one.identity.key for one in made])
    results = {one.identity.key: (receipt(one, ReceiptOutcome.DELIVERED), "") for one in made}
    claims.settle_all(desk.ledger, run, results)  # type: ignore[arg-type]
    return made


def ask(desk: Desk, server: Server) -> Counts:
    """The step of one run."""
    route = find_route(ROOT, "kk-tk-eakte")
    assert isinstance(route, SendingRoute)
    party = Connection(route.destination, "kb_xta")
    work = Sending(ROOT, route, PROCESS, desk.ledger, party, desk.run(FILES))
    work.manifest = Manifest.model_construct(can=Manifest.model_fields["can"].get_default(call_default_factory=True))
    work.manifest = work.manifest.model_copy(update={"can": work.manifest.can.model_copy(update={"look_up": True})})
    work.target = server
    counts = Counts()
    reconciling.ask_for_transport_reports(work, counts)
    return counts


def test_a_message_is_asked_after_soon_and_then_less_and_less_often(desk: Desk, clock: Clock) -> None:
    """A run every ten minutes used to ask for every message each time: 144 questions a day."""
    delivered(desk, 1)
    server, minutes = Server(), []
    for _ in range(3 * 144):
        before = len(server.asked)
        ask(desk, server)
        if len(server.asked) > before:
            minutes.append((clock.at - MORNING) // timedelta(minutes=1))
        clock.at += timedelta(minutes=10)

    gaps = [later - earlier for earlier, later in pairwise(minutes)]
    assert minutes[0] == 0
    assert gaps == sorted(gaps)
    assert max(gaps) <= 24 * 60
    assert len(minutes) < 10


def test_one_run_asks_a_limited_number_and_the_next_those_that_were_asked_least(
    desk: Desk, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large delivery must not keep people waiting for the run's end."""
    made = delivered(desk, 7)
    monkeypatch.setattr(reconciling, "REPORTS", 3)
    server = Server()
    for _ in range(3):
        ask(desk, server)

    assert sorted(server.asked) == sorted(one.reference for one in made)


def test_a_server_that_does_not_answer_is_not_asked_for_each_message(desk: Desk, clock: Clock) -> None:
    """Thirty seconds of silence per message are a run that never ends."""
    delivered(desk, 9)
    server = Server(CannotTell("DeadlineExceeded", reached=False))
    ask(desk, server)

    assert len(server.asked) == reconciling.SILENT


def test_a_red_report_is_a_refusal(desk: Desk, clock: Clock) -> None:
    """It was lost on the way: somebody must know."""
    [made] = delivered(desk, 1)
    counts = ask(desk, Server(Found(receipt(made, ReceiptOutcome.REFUSED, external_id="red"))))

    assert counts == {"reports": 1}
    assert desk.state(made) is MessageState.REFUSED
