"""What goes out: nobody is starved, nothing goes twice, and nobody's words but ours are kept."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from connectors._line import NoAnswer
from connectors.folder.target import FolderTarget
from kiezbruecke import attention, pipeline
from kiezbruecke.connector import Answer, Connection, Found, Message, NotThere, Ticket
from kiezbruecke.content.routes import SendingRoute, find_route
from kiezbruecke.errors import ConfigurationError, NotSent, Rejected, SourceError
from kiezbruecke.ledger import MessageState, claims, events
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.ledger.reading import list_messages
from kiezbruecke.ledger.reset import reset_destination
from kiezbruecke.records import Receipt, ReceiptOutcome
from kiezbruecke.sandbox import start
from kiezbruecke.stages.running import Steps
from kiezbruecke.stages.work import Counts, Sending
from tests.builders import PROCESS, ROOT, by
from tests.ledger.conftest import EFILE, FILES, Desk, draft
from tests.world import World, line, wipe


@dataclass
class Doors:
    """A target that never takes some messages, each in one way of failing."""

    bad: set[str]
    failure: Exception
    at_the_door: bool = False
    taken: list[str] = field(default_factory=list)

    def reserve(self, message: Message) -> Ticket | None:
        """An id of theirs."""
        if self.at_the_door and message.reference in self.bad:
            raise self.failure
        return None

    def send(self, message: Message, ticket: Ticket | None) -> Receipt:
        """Take it, or not."""
        if message.reference in self.bad:
            raise self.failure
        self.taken.append(message.reference)
        return Receipt(source=EFILE, outcome=ReceiptOutcome.DELIVERED, event="angenommen", key=message.key)

    def look_up(self, message: Message, ticket: Ticket | None) -> Answer:
        """Say where it is."""
        if message.reference in self.taken:
            return Found(Receipt(outcome=ReceiptOutcome.DELIVERED, event="angenommen"))
        return NotThere()


def deliver(desk: Desk, doors: Doors) -> Counts:
    """One run of the route on this ledger; the scheduler's retry is another one."""
    route = find_route(ROOT, "kk-tk-eakte")
    assert isinstance(route, SendingRoute)
    work = Sending(ROOT, route, PROCESS, desk.ledger, Connection(EFILE, "kb_xta"), desk.run(FILES, route.name))
    work.target = doors
    counts = Counts()
    try:
        pipeline.deliver_messages(work, counts)
    except NotSent:
        counts["unreachable"] = 1
    return counts


@pytest.fixture
def six(desk: Desk) -> list[Draft]:
    """Six messages, oldest first."""
    files = [draft(desk.decide(f"P-{one}", one), reference=f"KK26-E{one}") for one in range(1, 7)]
    desk.prepare(*files)
    return files


@pytest.mark.parametrize("failure", [RuntimeError("9070"), NotSent("no connection")], ids=["in doubt", "not sent"])
def test_three_failing_messages_do_not_starve_the_lane(desk: Desk, six: list[Draft], failure: Exception) -> None:
    """The breaker opens after three; as the oldest they were the first in every run, and nobody else ever left."""
    doors = Doors({file.reference for file in six[:3]}, failure)
    for _ in range(3):
        deliver(desk, doors)

    assert doors.taken == [file.reference for file in six[3:]]


def test_three_messages_without_an_id_do_not_starve_the_lane(desk: Desk, six: list[Draft]) -> None:
    """The same where already the asking for an id of theirs fails."""
    doors = Doors({file.reference for file in six[:3]}, NotSent("no id"), at_the_door=True)
    for _ in range(3):
        deliver(desk, doors)

    assert doors.taken == [file.reference for file in six[3:]]


def test_a_destination_that_is_down_is_left_alone_after_three_tries(desk: Desk, six: list[Draft]) -> None:
    """Fairness must not become insistence."""
    doors = Doors({file.reference for file in six}, NotSent("no connection"))

    assert deliver(desk, doors)["not_sent"] == 3


def test_a_refusals_own_words_are_not_kept(desk: Desk, six: list[Draft]) -> None:
    """Their fault texts may name people; the code is ours to keep."""
    words = "Erna Kanarienvogel darf nicht"
    refused = six[0]
    deliver(desk, Doors({refused.reference}, Rejected(words, receipt_code="XTA 9013", where=words, helps=words)))
    chain = " ".join(str(event.body) for event in events.events_of(desk.ledger, refused.identity.case_id))
    [point] = desk.points("refused")

    assert "XTA 9013" in chain
    assert "XTA 9013" in point.reason
    assert "Kanarienvogel" not in chain + point.reason


def test_a_refusal_without_a_code_keeps_no_words_either(desk: Desk, six: list[Draft]) -> None:
    """No code is no reason to take the text for one."""
    deliver(desk, Doors({six[0].reference}, Rejected("ERNA KANARIENVOGEL")))

    assert desk.state(six[0]) is MessageState.REFUSED
    assert "KANARIENVOGEL" not in desk.points("refused")[0].reason


# --- after a reset, with real sandboxes


@pytest.mark.parametrize("route", ["kk-tk-eakte", "kk-tk-hkr"])
@pytest.mark.parametrize("reached", ["prepared", "delivered", "confirmed"])
def test_a_rebuilt_destination_gets_each_case_once(world: World, route: str, reached: str) -> None:
    """The old message went too, or the old batch with it, or nothing at all."""
    box, destination = (
        ("kk-tk-eakte-postfach", "eakte-tk") if route == "kk-tk-eakte" else ("kk-tk-hkr-rueckmeldungen", "hkr-tk")
    )
    world.drop(line("P-1"), line("P-2", "100,-"))
    world.run("kk-tk-budgets", "kk-tk-beschluesse")
    pipeline.prepare(world.house, route)
    if reached != "prepared":
        pipeline.deliver(world.house, route)
    if reached == "confirmed":
        world.run(box)
    wipe(world.sandboxes)
    reset_destination(world.ledger, destination, person=by("IT"), reason="neu aufgebaut")
    world.run(route, box, route, box)

    if route == "kk-tk-eakte":
        assert world.filed() == ["100.00", "850.00"]
    else:
        assert [order[2] for order in world.orders()] == ["850.00", "100.00"]
    assert [head.state for head in world.messages(destination) if head.generation == 2] == [MessageState.CONFIRMED] * 2
    assert world.points() == []


# --- the status list


def test_a_long_status_list_is_one_file(world: World) -> None:
    """A window of 100 published a list in which thirty applicants were missing."""
    world.drop(*(line(f"P-{number}", "1,-") for number in range(1, 131)))
    world.run("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-statusliste")
    [file] = (world.state / "ausgang").glob("*.csv")

    assert len(file.read_text("utf-8-sig").splitlines()) == 131


def test_a_refused_status_line_goes_again_when_a_person_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """`neu_senden` did nothing, because the line had not changed."""

    def refuse(*_given: object) -> None:
        raise Rejected("der Ordner ist gesperrt", receipt_code="GESPERRT")

    world.drop(line("P-1"))
    world.run("kk-tk-budgets", "kk-tk-beschluesse")
    with monkeypatch.context() as patch:
        patch.setattr(FolderTarget, "send", refuse)
        world.run("kk-tk-statusliste")
    world.run("kk-tk-statusliste")
    quiet = list((world.state / "ausgang").glob("*.csv"))
    [point] = world.points("refused")
    attention.decide(world.ledger, point, "neu_senden", person=by("A. Muster"), reason="entsperrt")
    world.run("kk-tk-statusliste")

    assert quiet == []
    assert "P-1" in world.status_list()


# --- a run never ends well with work left


@pytest.mark.parametrize("at_the_door", [False, True])
def test_a_run_that_leaves_something_ends_red_and_counts_it(desk: Desk, six: list[Draft], at_the_door: bool) -> None:
    """Those that went after it made the run look well, and nobody was told of the one that waits."""
    counts = deliver(desk, Doors({six[0].reference}, NotSent("no connection"), at_the_door))

    assert counts["delivered"] == 5
    assert counts["left"] == 1
    assert counts["unreachable"] == 1


def test_what_waits_behind_the_breaker_is_counted_as_well(desk: Desk, six: list[Draft]) -> None:
    """Three were tried, six are left."""
    counts = deliver(desk, Doors({file.reference for file in six}, NotSent("no connection")))

    assert counts["left"] == 6


def test_what_a_person_is_asked_about_leaves_the_run_well(desk: Desk, six: list[Draft]) -> None:
    """Red for days would hide the next failure; the point is on the list."""
    run = desk.run(FILES, "kk-tk-eakte")
    [(message, _)] = claims.claim(desk.ledger, run, 1)
    claims.begin_sending(desk.ledger, run, [message.key])
    claims.settle(desk.ledger, run, message.key, MessageState.IN_DOUBT)
    before = claims.left(desk.ledger, run)
    claims.open_doubt(desk.ledger, run, message, "spk-tk", "")

    assert (before, claims.left(desk.ledger, run)) == (6, 5)


def test_what_can_never_succeed_is_not_in_doubt_for_ever(desk: Desk, six: list[Draft]) -> None:
    """A server that refuses the form of a request has taken nothing: the second time the message waits, with why."""
    doors = Doors({six[0].reference}, NoAnswer("no SOAP answer", 415))
    states = []
    for _ in range(3):
        deliver(desk, doors)
        states.append(desk.state(six[0]))

    assert states == [MessageState.IN_DOUBT, MessageState.WAITING, MessageState.WAITING]
    keys = [head.key for head, _ in list_messages(desk.ledger)]
    assert len(claims.noted_before(desk.ledger, keys, "HTTP 415")) == 1


def test_a_server_that_is_tired_is_doubt_each_time(desk: Desk, six: list[Draft]) -> None:
    """What it answered may have come from a proxy, after the message was taken."""
    doors = Doors({six[0].reference}, NoAnswer("an envelope without fault", 503))
    for _ in range(3):
        deliver(desk, doors)

        assert desk.state(six[0]) is MessageState.IN_DOUBT


# --- who is told


def test_a_destination_that_is_dead_is_a_point_for_it_operations(world: World) -> None:
    """With why and what helps; and it goes by itself when the next run has got through."""
    world.drop(line("P-1"))
    world.run("kk-tk-budgets", "kk-tk-beschluesse")
    alive = world.connections["eakte-tk"]["host"]
    _move(world, "http://127.0.0.1:1")
    for _ in range(2):
        with pytest.raises(NotSent):
            world.run("kk-tk-eakte")
    [point] = world.points("trouble")
    _move(world, alive)
    world.run("kk-tk-eakte")

    assert point.owner == "it-betrieb-tk"
    assert "Adresse nicht erreichbar" in point.reason
    assert "eakte-tk" in point.reason
    assert world.points("trouble") == []
    assert world.filed() == ["850.00"]


def test_preparing_alone_heals_nothing(world: World) -> None:
    """It asks nobody outside."""
    world.drop(line("P-1"))
    world.run("kk-tk-budgets", "kk-tk-beschluesse")
    _move(world, "http://127.0.0.1:1")
    with pytest.raises(NotSent):
        world.run("kk-tk-eakte")
    pipeline.prepare(world.house, "kk-tk-eakte")

    assert len(world.points("trouble")) == 1


def test_a_missing_certificate_is_a_point_before_anything_is_tried(world: World, tmp_path: Path) -> None:
    missing = str(tmp_path / "gone.pem")
    world.connect(eakte_tk={"ca_file": missing})
    with pytest.raises(ConfigurationError):
        world.run("kk-tk-eakte-postfach")

    [point] = world.points("trouble")
    assert missing in point.reason


def test_what_was_mended_with_nothing_to_send_is_over_as_well(world: World, tmp_path: Path) -> None:
    """The destination is asked: else the point would stand until the next decision."""
    world.connect(eakte_tk={"ca_file": str(tmp_path / "gone.pem")})
    with pytest.raises(ConfigurationError):
        world.run("kk-tk-eakte")
    before = len(world.points("trouble"))
    world.connect(eakte_tk={"ca_file": ""})
    world.run("kk-tk-eakte")

    assert (before, world.points("trouble")) == (1, [])


def test_a_connection_that_is_not_there_is_a_point(world: World) -> None:
    there = world.connections.pop("eakte-tk")
    world.connect()
    with pytest.raises(ConfigurationError):
        world.run("kk-tk-eakte")
    [point] = world.points("trouble")
    world.connections["eakte-tk"] = there
    world.connect()
    world.run("kk-tk-eakte")

    assert "Verbindung ist nicht angelegt" in point.reason
    assert world.points("trouble") == []


def test_a_refused_password_is_called_so(world: World, tmp_path: Path) -> None:
    """For the orders as well as for the answers; the first try after the right one takes everything along."""
    world.drop(line("P-1"))
    world.run("kk-tk-budgets", "kk-tk-beschluesse")
    options = [f"content={ROOT}", "login=kb:richtig"]
    running = start("connectors.hkr.sandbox:create", tmp_path / "locked", options=options)
    try:
        world.connections["hkr-tk"] |= {"host": running.url, "login": "kb", "password": "falsch"}
        world.connect()
        for route in ("kk-tk-hkr", "kk-tk-hkr", "kk-tk-hkr-rueckmeldungen"):
            with pytest.raises((NotSent, SourceError)):
                world.run(route)
        with pytest.raises(SourceError, match="own sums cannot be read"):
            pipeline.reconcile(world.house, "kk-tk-hkr")
        refused, states = world.points("trouble"), [head.state for head in world.messages("hkr-tk")]
        world.connections["hkr-tk"]["password"] = "richtig"
        world.connect()
        world.run("kk-tk-hkr", "kk-tk-hkr-rueckmeldungen")
    finally:
        running.stop()

    assert ["Kennwort abgewiesen (HTTP 401)" in point.reason for point in refused] == [True, True]
    assert "falsch" not in "".join(point.reason for point in refused)
    assert states == [MessageState.WAITING]
    assert world.points("trouble") == []
    assert [head.state for head in world.messages("hkr-tk")] == [MessageState.CONFIRMED]


def test_a_full_disk_is_one_line_and_a_point(world: World) -> None:
    """What the system raises has a text that may quote, and no code; whoever reads it must know what to do."""

    def write(_work: Sending, _counts: Counts) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/srv/Erna Kanarienvogel.csv")

    with pytest.raises(SourceError, match="the disk is full") as raised:
        Steps({}, {"reconcile": write}).run(world.house, "kk-tk-statusliste")

    [point] = world.points("trouble")
    assert "Platte voll. Was hilft: Platz schaffen" in point.reason
    assert "Kanarienvogel" not in f"{point.reason}{raised.value}{raised.value.__cause__}"


def _move(world: World, host: str) -> None:
    world.connections["eakte-tk"]["host"] = host
    world.connect()
