"""What a source yields is kept, whatever happens afterwards: to the source, to a mapping, to a destination."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import select

from kiezbruecke import attention, pipeline
from kiezbruecke.connector import UNREAD, Connection, Cursor, Gap, Handled, Item, Manifest, Remembers, Rest
from kiezbruecke.content.routes import CollectingRoute, find_route
from kiezbruecke.errors import ConfigurationError, RecordError, SourceError
from kiezbruecke.ledger import MessageState, events, history
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.reset import reset_destination
from kiezbruecke.ledger.todo import Kind, open_points
from kiezbruecke.records import Receipt, ReceiptOutcome, Record
from kiezbruecke.records.identity import case_id
from kiezbruecke.stages.work import Collecting, Counts
from tests.builders import PROCESS, ROOT, a_line, a_proposal, by
from tests.ledger.conftest import HKR, Desk, draft

Read = Callable[[Item], Record]


@dataclass
class Box:
    """A source that yields what it has not been told to forget; at the end it may fail."""

    items: list[Item]
    fails: bool = False
    deaf: bool = False  # the run dies before it could acknowledge
    hard_of_hearing: bool = False  # it answers to no acknowledgement
    failure: Exception = field(default_factory=lambda: SourceError("the connection was cut"))
    asked: Callable[[list[str]], Collection[str]] = field(default=lambda _: ())  # the cursor's memory
    heard: list[str] = field(default_factory=list)

    def fetch(self, cursor: Cursor) -> Iterator[Item]:
        """All that was not acknowledged."""
        yield from [item for item in self.items if item.external_id not in self.heard]
        cursor.advance("read")
        assert isinstance(cursor, Remembers)
        self.asked = cursor.stored
        if self.fails:
            raise self.failure

    def acknowledge(self, handled: Sequence[Handled]) -> None:
        """Remember it."""
        if self.deaf:
            raise KeyboardInterrupt
        if self.hard_of_hearing:
            raise SourceError("the box cannot be told")
        self.heard += [one.item.external_id for one in handled]


@dataclass
class Reading:
    """A mapping that does what the test says."""

    work: Read
    reads: tuple[str, ...] = ("0402", "proposal")
    digest: str = "of the mapping"
    name: str = "reading"
    target: str = "record Proposal"

    def read(self, item: Item, roots: Mapping[str, Any]) -> Record:
        """The record of an item."""
        return self.work(item)

    def faults(self, item: Item, roots: Mapping[str, Any]) -> list[RecordError]:
        """No more than `read` says."""
        return []


def broken(item: Item) -> Record:
    """A code list that lacks a value."""
    raise RecordError(f"unbekannter Code in {item.external_id}")


def mended(item: Item) -> Record:
    """The same after somebody has added it."""
    assert isinstance(item.body, bytes)
    return Receipt(outcome=ReceiptOutcome.NOTED, event=item.body.decode(), external_id=item.external_id)


def collect(
    desk: Desk,
    box: Box,
    read: Read = mended,
    listing: str = "new",
    route: str = "kk-tk-eakte-postfach",
    *,
    digest: str = "of the mapping",
    everything: bool = False,
    mapping: type[Reading] = Reading,
) -> Counts:
    """One run of a collecting route on this ledger."""
    made = find_route(ROOT, route)
    assert isinstance(made, CollectingRoute)
    party = Connection(made.collect, "kb_xta")
    work = Collecting(ROOT, made, PROCESS, desk.ledger, party, desk.run(f"{made.collect}|collect", route))
    work.manifest = Manifest.model_construct(listing=listing)
    work.source = box
    work.mappings = (mapping(read, digest=digest),)  # type: ignore[assignment]
    work.everything = everything
    counts = Counts()
    pipeline.collect_items(work, counts)
    return counts


def answer(number: int = 1, body: bytes = b"<answer/>") -> Item:
    """One word from the box."""
    return Item("0402", f"m{number}", body, raw=b"<envelope/>")


def unread(desk: Desk) -> list[Item]:
    """What the ledger keeps for a better mapping."""
    return history.read_unread(desk.ledger, "eakte-tk", PROCESS.id)


# --- a source that fails on the way


@pytest.mark.parametrize("count", [1, 100, 130])
def test_what_was_yielded_before_an_error_is_stored_and_acknowledged(desk: Desk, count: int) -> None:
    """One message that could not be fetched made all of its chunk fetched again, for ever."""
    box = Box([answer(number) for number in range(count)], fails=True)
    with pytest.raises(SourceError):
        collect(desk, box)

    assert len(box.heard) == count
    assert _receipts(desk) == count


@pytest.mark.parametrize("error", [ValueError("odd"), LookupError("odd"), SourceError("cut"), RecursionError()])
def test_however_a_source_fails_what_it_yielded_is_stored(desk: Desk, error: Exception) -> None:
    """A bug in a client, or an item nobody had thought of, cost the whole chunk, in every run."""
    box = Box([answer(1), answer(2)], fails=True, failure=error)
    with pytest.raises(type(error)):
        collect(desk, box)

    assert (_receipts(desk), box.heard) == (2, ["m1", "m2"])


@pytest.mark.parametrize("error", [ValueError, LookupError, UnicodeDecodeError("x", b"", 0, 1, ""), MemoryError()])
def test_one_odd_item_never_stops_a_source(desk: Desk, error: Any, caplog: pytest.LogCaptureFixture) -> None:
    """It becomes a point without a word of its content; all others are read, and it is tried again."""

    def read(item: Item) -> Record:
        if item.external_id == "m1":
            raise error if isinstance(error, Exception) else error("Kanari")
        return mended(item)

    box = Box([answer(number) for number in range(3)])
    collect(desk, box, read)
    [point] = desk.points("set_aside")

    assert (_receipts(desk), len(box.heard)) == (2, 3)
    assert point.subject == "eakte-tk:0402:m1"
    assert "IT-Betrieb" in point.reason
    assert "Kanari" not in point.reason + caplog.text
    assert [item.external_id for item in unread(desk)] == ["m1"]

    collect(desk, box)

    assert (desk.points("set_aside"), unread(desk), _receipts(desk)) == ([], [], 3)


def test_a_broken_mapping_stops_the_run(desk: Desk) -> None:
    """It is broken for all items: IT operations mends it, and nothing is set aside."""

    def read(_: Item) -> Record:
        raise ConfigurationError("the code list is missing")

    with pytest.raises(ConfigurationError):
        collect(desk, Box([answer()]), read)

    assert desk.points() == []


def test_what_lies_behind_a_chunk_that_could_not_be_acknowledged_is_read_all_the_same(desk: Desk) -> None:
    """A box of 150 answers came home in portions, because the first lost close ended each run."""
    box = Box([answer(number) for number in range(250)], hard_of_hearing=True)
    with pytest.raises(SourceError, match="cannot be told"):
        collect(desk, box)

    assert _receipts(desk) == 250
    assert box.heard == []


def test_a_box_is_told_what_is_stored_already(desk: Desk) -> None:
    """So it need not hand it over again: a receipt, and what is kept for a better mapping."""
    collect(desk, Box([answer(1)], hard_of_hearing=False))
    collect(desk, Box([answer(2)]), broken)
    box = Box([])
    collect(desk, box)

    assert {*box.asked(["m1", "m2", "m3"])} == {"m1", "m2"}


def test_with_everything_a_box_is_asked_for_all(desk: Desk) -> None:
    collect(desk, Box([answer(1)]))
    box = Box([])
    collect(desk, box, everything=True)

    assert {*box.asked(["m1"])} == set()


def test_a_message_that_can_be_had_at_last_is_no_point_any_more(desk: Desk) -> None:
    """A list that names what it does not hand out may do so tomorrow."""
    collect(desk, Box([Item("unknown", f"m1{UNREAD}", {}, problem="nicht herausgegeben")]))
    before = [point.kind for point in desk.points()]
    collect(desk, Box([answer(1)]))

    assert (before, desk.points("set_aside")) == (["set_aside"], [])


def test_the_error_of_a_source_goes_on(desk: Desk) -> None:
    """Operations must hear of it, also where nothing came before it."""
    with pytest.raises(SourceError, match="the connection was cut"):
        collect(desk, Box([], fails=True))


def test_a_listing_that_broke_off_lets_nothing_vanish(desk: Desk) -> None:
    """Half a listing is no proof that the other half is gone."""
    desk.store([history.Taken(Item("proposal", "1", {}), (a_proposal(external_id="1"),))], "eakte-tk")
    with pytest.raises(SourceError):
        collect(desk, Box([answer()], fails=True), listing="full")

    with desk.ledger.read() as connection:
        assert connection.execute(select(t.records.c.gone_at)).scalars().all() == [None]


# --- what is as it was


def proposals(*titles: str) -> list[Item]:
    """A listing of proposals by their titles."""
    return [Item("proposal", str(number), {"title": title}) for number, title in enumerate(titles, 1)]


@dataclass
class Reader:
    """A mapping of proposals that counts what it was asked to read."""

    asked: list[str] = field(default_factory=list)

    def __call__(self, item: Item) -> Record:
        """The proposal; one without a title cannot be read."""
        self.asked.append(item.external_id)
        assert not isinstance(item.body, bytes)
        if not item.body["title"]:
            raise RecordError("ohne Titel")
        number = f"2026-{int(item.external_id):05d}"
        return a_proposal(external_id=item.external_id, reference_number=number, title=item.body["title"])


def test_what_is_as_it_was_is_neither_read_nor_written(desk: Desk) -> None:
    """A run over a hundred thousand settled proposals must cost next to nothing."""
    reader = Reader()
    collect(desk, Box(proposals("Bank", "Baum")), reader, "full")
    before = _stored(desk)
    counts = collect(desk, Box(proposals("Bank", "Baum")), reader, "full")

    assert reader.asked == ["1", "2"]
    assert (counts["items"], counts["new"], counts["updated"], counts["changed"]) == (2, 0, 0, 0)
    assert _stored(desk) == before


@pytest.mark.parametrize("change", ["item", "mapping", "on demand"])
def test_what_changed_is_read_again(desk: Desk, change: str) -> None:
    """The item, or what reads it, or because somebody asks for everything."""
    reader = Reader()
    collect(desk, Box(proposals("Bank", "Baum")), reader, "full")
    titles = ("Bank am See", "Baum") if change == "item" else ("Bank", "Baum")
    digest = "of another" if change == "mapping" else "of the mapping"
    collect(desk, Box(proposals(*titles)), reader, "full", digest=digest, everything=change == "on demand")

    assert reader.asked[2:] == (["1"] if change == "item" else ["1", "2"])


def test_what_was_broken_in_between_is_read_again(desk: Desk) -> None:
    """A, then broken, then A once more: its point must heal."""
    reader = Reader()
    for title in ("Bank", "", "Bank"):
        collect(desk, Box(proposals(title)), reader, "full")

    assert reader.asked == ["1", "1", "1"]
    assert desk.points() == []


def test_what_was_gone_and_is_back_tells_its_case(desk: Desk) -> None:
    """It was not read again, yet everybody who looks at the case must hear that it is there."""
    reader = Reader()
    for titles in (("Bank", "Baum"), ("Bank",), ("Bank", "Baum")):
        collect(desk, Box(proposals(*titles)), reader, "full")
    back = case_id(PROCESS.id, "2026-00002")

    kinds = [event.kind for event in events.events_of(desk.ledger, back)]
    assert kinds == ["proposal.recorded", "proposal.gone", "proposal.back"]
    assert reader.asked == ["1", "2"]


def _stored(desk: Desk) -> list[Any]:
    with desk.ledger.read() as connection:
        rows: list[Any] = []
        for table in (t.records, t.record_history, t.cases, t.events, t.changes):
            rows += connection.execute(select(table)).all()
    return rows


# --- what no mapping could read


def test_what_could_not_be_read_is_kept_with_its_bytes(desk: Desk) -> None:
    """The box forgets what it was told is stored; the answer itself was lost."""
    box = Box([answer(body=b"<new-code/>")])
    collect(desk, box, broken)

    assert unread(desk) == box.items
    assert [item.raw for item in unread(desk)] == [b"<envelope/>"]
    assert box.heard == ["m1"]


def test_fields_survive_the_wait_too(desk: Desk) -> None:
    """Not every source speaks XML."""
    item = Item("0402", "m1", {"Straße": "Müggelseedamm", "codes": ["1", "2"]})
    collect(desk, Box([item]), broken)

    assert unread(desk) == [item]


def test_a_mended_mapping_heals_what_was_set_aside(desk: Desk) -> None:
    """Nobody has to fetch it again, and nobody could."""
    box = Box([answer()])
    collect(desk, box, broken)
    before = [point.kind for point in desk.points()]
    counts = collect(desk, box)

    assert (before, desk.points("set_aside"), unread(desk)) == (["set_aside"], [], [])
    assert counts["receipts"] == 1


def test_what_is_read_again_is_not_acknowledged_again(desk: Desk) -> None:
    """The source has forgotten it: a second close of the same id is an error there."""
    box = Box([answer()])
    for read in (broken, broken, mended):
        collect(desk, box, read)

    assert box.heard == ["m1"]


def test_what_a_dead_run_could_not_acknowledge_is_acknowledged_later(desk: Desk) -> None:
    """It stands in the ledger and in the box; taken for heard of, it would stay in the box for ever."""
    box = Box([answer()], deaf=True)
    with pytest.raises(KeyboardInterrupt):
        collect(desk, box, broken)
    box.deaf = False
    collect(desk, box, broken)

    assert box.heard == ["m1"]
    assert len(unread(desk)) == 1


def test_a_person_ends_the_reading_again(desk: Desk) -> None:
    """`erledigt` means that somebody has dealt with it; else the point came back in the next run."""
    box = Box([answer()])
    collect(desk, box, broken)
    attention.decide(desk.ledger, desk.points()[0], "erledigt", person=by("A. Muster"), reason="angerufen")
    collect(desk, box, broken)

    assert (unread(desk), desk.points()) == ([], [])


def test_a_decision_with_a_number_that_its_process_does_not_know_is_set_aside(desk: Desk) -> None:
    """No Fremdkennzeichen could be made of it: the case would wait for ever, and nobody would know for what."""
    collect(desk, Box([answer()]), lambda _: a_line(reference_number="BHH-1"))

    (point,) = desk.points()
    assert point.reason.endswith("gehört nicht zum Verfahren; erwartet: eine wie 2026-00001 oder P-1")


def test_what_the_connector_calls_broken_is_not_kept(desk: Desk) -> None:
    """A sheet with a wrong header comes anew as a corrected file: no mapping could ever read the old one."""
    collect(desk, Box([Item("sheet-problem", "s1", {}, problem="Spalte fehlt")]))

    assert [point.reason for point in desk.points()] == ["Spalte fehlt"]
    assert unread(desk) == []


def test_what_the_connector_calls_broken_is_kept_with_its_bytes_where_there_are_any(desk: Desk) -> None:
    """The box forgets the message, and a mended connector or a person may still want to read it."""
    collect(desk, Box([Item("unknown", "m1", {}, raw=b"<zip/>", problem="unbekannter Nachrichtentyp")]))

    assert [item.raw for item in unread(desk)] == [b"<zip/>"]


def test_what_the_connector_says_of_an_item_stands_after_it_was_read_again(desk: Desk) -> None:
    """The reason on the attention list is the first one, not that no mapping reads an item without a body."""
    box = Box([Item("unknown", "m1", {}, raw=b"<zip/>", problem="unbekannter Nachrichtentyp")])
    collect(desk, box)
    collect(desk, box)

    assert [point.reason for point in desk.points()] == ["unbekannter Nachrichtentyp"]
    assert unread(desk) == box.items


def test_a_foreign_field_named_problem_is_data(desk: Desk) -> None:
    """A form may ask for the problem: what somebody wrote there stood on the attention list, and was not kept."""
    item = Item("0404", "m1", {"problem": "Frau Kanarienvogel hört nichts"})
    collect(desk, Box([item]))

    assert [point.reason for point in desk.points()] == [
        "Keine Zuordnung dieser Strecke liest ein Element der Art „0404“"
    ]
    assert unread(desk) == [item]


def test_what_no_mapping_reads_is_kept(desk: Desk) -> None:
    """The mapping for a new kind of answer is written after the first one came."""
    collect(desk, Box([Item("0404", "m1", b"<new/>")]))

    assert [item.kind for item in unread(desk)] == ["0404"]


def test_a_full_listing_keeps_no_unread_items(desk: Desk) -> None:
    """It says everything again in the next run."""
    collect(desk, Box([answer()]), broken, "full")

    assert unread(desk) == []


def test_an_unreadable_item_of_a_full_listing_is_seen(desk: Desk) -> None:
    """Its proposal stands on the platform: a failing mapping must not report it as deleted."""
    desk.store([history.Taken(answer(), (a_proposal(external_id="m1"),))], "eakte-tk")
    counts = collect(desk, Box([answer()]), broken, "full")

    assert counts["gone"] == 0


# --- what was mended


def named(number: int, *names: str, problem: str | None = None) -> Item:
    """A thing with its names; each number is another thing."""
    return Item("0402", str(number), b"<answer/>", raw=b"raw", problem=problem, names=names)


def test_what_comes_again_and_can_be_read_closes_its_point(desk: Desk) -> None:
    """Fifteen lines were mended, and their points stood for ever."""
    collect(desk, Box([named(1, "a", problem="unlesbar")]), mended)
    collect(desk, Box([named(2, "b", "a")]), mended)

    assert (_open(desk), unread(desk)) == ([], [])


def test_what_is_another_thing_closes_no_point(desk: Desk) -> None:
    """Nor does the same thing that still cannot be read, nor what shares only a lesser name."""
    collect(desk, Box([named(1, "a", "x", problem="unlesbar")]), mended)
    collect(desk, Box([named(2, "b", "x"), named(3, "a", problem="unlesbar")]), mended)

    assert len(_open(desk)) == 2


@pytest.mark.parametrize("again", [False, True])
def test_the_last_word_in_a_chunk_counts(desk: Desk, again: bool) -> None:
    """Both files lay there: the mended one first, or the broken one."""
    items = [named(1, "a", problem="unlesbar"), named(2, "a")]
    collect(desk, Box(items[::-1] if again else items), mended)

    assert len(_open(desk)) == (1 if again else 0)


@pytest.mark.parametrize("at_once", [False, True])
def test_the_same_broken_thing_again_is_no_news_once_another_has_mended_it(desk: Desk, at_once: bool) -> None:
    """A second copy of the faulty sheet put back on the list what its correction had settled."""
    faulty, good = named(1, "a", problem="unlesbar"), named(2, "a")
    for items in ([faulty, good],) if at_once else ([faulty], [good]):
        collect(desk, Box(items), mended)
    counts = collect(desk, Box([faulty]), mended)

    assert (_open(desk), unread(desk), counts.get("set_aside", 0)) == ([], [], 0)


def test_another_broken_thing_of_that_name_is_news(desk: Desk) -> None:
    """Nobody has mended that one; and what a mended mapping has healed may break again."""
    for box in ([named(1, "a", problem="unlesbar")], [named(2, "a")], [named(3, "a", problem="unlesbar")]):
        collect(desk, Box(box), mended)
    collect(desk, Box([named(4, "b")]), broken)
    collect(desk, Box([]), mended)
    collect(desk, Box([named(4, "b")]), broken)

    assert len(_open(desk)) == 2


def test_what_waits_and_cannot_be_read_again_is_counted_once(desk: Desk) -> None:
    """Every run said that it had set aside eight lines, and they were the same eight."""
    counted = [collect(desk, Box(items), broken)["set_aside"] for items in ([named(1, "a")], [], [named(2, "b")])]

    assert counted == [1, 0, 1]


def _open(desk: Desk) -> list[str]:
    return [point.subject for point in open_points(desk.ledger) if point.kind is Kind.SET_ASIDE]


# --- a destination that was rebuilt


def test_a_rebuilt_destination_may_count_its_answers_from_one_again(desk: Desk) -> None:
    """Its answer number 1 was taken for the old number 1, and the new booking waited for ever."""
    desk.grant("1000")
    case = desk.decide()
    states = []
    for generation in (1, 2):
        order = draft(case, "commitment.book", 1, "500", generation=generation)
        desk.prepare(order)
        desk.deliver(order)

        def confirm(item: Item, reference: str = order.reference) -> Record:
            return Receipt(
                outcome=ReceiptOutcome.CONFIRMED, event="FESTGELEGT", external_id=item.external_id, reference=reference
            )

        counts = collect(desk, Box([answer(1)]), confirm, route="kk-tk-hkr-rueckmeldungen")
        states.append((counts["receipts"], desk.state(order), desk.commitment(case)))
        if generation == 1:
            reset_destination(desk.ledger, HKR, person=by("IT"), reason="neu aufgebaut")

    assert states == [(1, MessageState.CONFIRMED, ("booked", 50000, 50000))] * 2


def _receipts(desk: Desk) -> int:
    with desk.ledger.read() as connection:
        return len(connection.execute(select(t.receipts.c.id)).all())


# --- what did not come this time


@dataclass
class Platform(Box):
    """A listing whose proposals have a text on a page of its own; the page may be out of reach, a module too."""

    texts: dict[str, str] = field(default_factory=dict)
    version: str = "1"
    asked: list[str] = field(default_factory=list)
    missing: list[Gap] = field(default_factory=list)

    def fetch(self, cursor: Cursor) -> Iterator[Item]:
        """All of it, at every call."""
        yield from [replace(item, rest=self._rest(item.external_id)) for item in self.items]
        cursor.advance("read")

    def gaps(self) -> Sequence[Gap]:
        """As the test says."""
        return self.missing

    def _rest(self, number: str) -> Rest:
        def fetch() -> Mapping[str, Any]:
            self.asked.append(number)
            return {"text": self.texts[number]} if number in self.texts else {}

        return Rest(frozenset({"text"}), self.version, fetch)


@dataclass
class WithText(Reading):
    """A mapping that reads the text, too."""

    def filled_from(self, fields: frozenset[str]) -> frozenset[str]:
        """Which fields of the record come from which of the item."""
        return frozenset({"description_text"} if "text" in fields else ())


def described(item: Item) -> Record:
    """A proposal with what is known of its text."""
    assert not isinstance(item.body, bytes)
    return a_proposal(
        external_id=item.external_id,
        reference_number=f"2026-{int(item.external_id):05d}",
        title=item.body["title"],
        description_text=item.body.get("text", ""),
    )


def visit(desk: Desk, platform: Platform, **given: Any) -> Counts:
    """One run over a platform."""
    return collect(desk, platform, described, "full", mapping=WithText, **given)


def texts(desk: Desk) -> list[str]:
    """What the ledger holds of the proposals' titles and texts."""
    with desk.ledger.read() as connection:
        bodies = map(json.loads, connection.execute(select(t.records.c.body).order_by(t.records.c.seq)).scalars())
    return [f"{body['title']}: {body['description_text']}" for body in bodies]


def test_what_is_absent_is_not_empty(desk: Desk) -> None:
    """A page that was out of reach for an hour wiped five hundred descriptions, and the run was green."""
    platform = Platform(proposals("Bank", "Baum"), texts={"1": "am See", "2": "im Park"})
    visit(desk, platform)
    platform.texts, platform.version, platform.items = {}, "2", proposals("Bank 2", "Baum 2")
    visit(desk, platform)

    assert texts(desk) == ["Bank 2: am See", "Baum 2: im Park"]


def test_what_could_not_be_had_is_asked_for_again(desk: Desk) -> None:
    """Nothing else may have changed when it can be had at last; and what was had is not asked for again."""
    platform = Platform(proposals("Bank", "Baum"), texts={"1": "am See"})
    visit(desk, platform)
    platform.texts["2"] = "im Park"
    visit(desk, platform)
    visit(desk, platform)

    assert texts(desk) == ["Bank: am See", "Baum: im Park"]
    assert platform.asked == ["1", "2", "2"]


def test_a_rest_is_fetched_only_where_its_version_is_another(desk: Desk) -> None:
    """Votes and comments change every day: five hundred pages for them are too many."""
    platform = Platform(proposals("Bank", "Baum"), texts={"1": "am See", "2": "im Park"})
    visit(desk, platform)
    platform.items, platform.asked = proposals("Bank 2", "Baum"), []
    visit(desk, platform)

    assert (texts(desk), platform.asked) == (["Bank 2: am See", "Baum: im Park"], [])


@pytest.mark.parametrize("change", ["version", "mapping", "on demand"])
def test_a_rest_is_fetched_where_something_may_have_changed(desk: Desk, change: str) -> None:
    """What the ledger keeps was made by the mapping of that day; a mended one must see the text itself."""
    platform = Platform(proposals("Bank"), texts={"1": "am See"})
    visit(desk, platform)
    platform.texts = {"1": "am Fluss"}
    platform.version = "2" if change == "version" else "1"
    visit(
        desk,
        platform,
        digest="of another" if change == "mapping" else "of the mapping",
        everything=change == "on demand",
    )

    assert texts(desk) == ["Bank: am Fluss"]


def test_a_gap_is_a_point_that_heals_by_itself(desk: Desk) -> None:
    """Whoever is asked must hear of it once, and not any more when it is there again."""
    platform = Platform(
        proposals("Bank"), texts={"1": "am See"}, missing=[Gap("modul-7", "Modul 7 war nicht zu lesen")]
    )
    counts = visit(desk, platform)
    visit(desk, platform)
    told = [(point.kind, point.reason) for point in desk.points()]
    platform.missing = []
    visit(desk, platform)

    assert told == [("incomplete", "Modul 7 war nicht zu lesen")]
    assert (counts["gaps"], desk.points()) == (1, [])
