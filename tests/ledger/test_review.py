"""What an adversarial review once broke: each of these was a defect, and must never be one again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from kiezbruecke import attention
from kiezbruecke.connector import Batch, BatchHead, Item, Message, Ticket
from kiezbruecke.content.routes import SendingRoute, find_route
from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.ledger import Ledger, MessageState, Run, claims, events, history, money, reading
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import now
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.ledger.drafts import generation_of
from kiezbruecke.ledger.history import Taken
from kiezbruecke.ledger.reset import reset_destination
from kiezbruecke.ledger.seals import MESSAGE
from kiezbruecke.records import ReceiptOutcome
from kiezbruecke.stages.preparing import outdated
from kiezbruecke.stages.work import lane_of
from tests.builders import ROOT, a_lane, a_proposal, by, joined

from .conftest import AREA, EFILE, FILES, HKR, PROCESS, YEAR, Desk, draft, receipt

GRUENAU = "090311"
CONFIRMED, REFUSED, DELIVERED = ReceiptOutcome.CONFIRMED, ReceiptOutcome.REFUSED, ReceiptOutcome.DELIVERED


def elsewhere(order: Draft) -> Draft:
    """The same order on another area's budget."""
    return replace(order, area=(PROCESS, YEAR, GRUENAU))


def answered(
    desk: Desk, euros: str, outcome: ReceiptOutcome, reference: str = "P-1", row: int = 1
) -> tuple[UUID, Draft]:
    """A case whose booking was delivered and answered."""
    case = desk.decide(reference, row)
    order = desk.book(case, euros)
    desk.deliver(order)
    desk.answer(order, outcome, row * 100)
    return case, order


def books(desk: Desk) -> dict[str, tuple[int, int]]:
    """Held and booked cents of both areas."""
    return {one.area_id: (one.committed, one.booked) for one in money.balances(desk.ledger, PROCESS)}


@pytest.fixture
def both(desk: Desk) -> Desk:
    """A desk with money in both areas."""
    desk.grant("1000")
    desk.grant("1000", area=GRUENAU)
    return desk


# --- the area of a case moves


def test_money_is_never_held_in_two_areas(both: Desk) -> None:
    """A change on another area's budget took from one and gave back to the other."""
    case, _ = answered(both, "500", CONFIRMED)
    both.prepare(elsewhere(draft(case, "commitment.change", 2, "800")))

    assert books(both) == {AREA: (50000, 50000), GRUENAU: (0, 0)}
    assert ["anderen Bezirksregion" in point.reason for point in both.points("set_aside")] == [True]


@pytest.mark.parametrize(("outcome", "held"), [(CONFIRMED, 50000), (REFUSED, 0)])
def test_a_free_commitment_follows_its_case_into_the_new_area(both: Desk, outcome: ReceiptOutcome, held: int) -> None:
    """After a refusal nothing is held; the answer to the new booking broke `committed_not_negative` or the books."""
    case, _ = answered(both, "500", REFUSED)
    again = elsewhere(draft(case, "commitment.book", 2, "500"))
    both.prepare(again)
    both.deliver(again)
    both.answer(again, outcome, 2)

    assert books(both) == {AREA: (0, 0), GRUENAU: (held, held)}


# --- a destination is reset


def test_a_reset_voids_what_is_under_way(desk: Desk) -> None:
    """Else the old message and its successor would both reach the rebuilt destination."""
    desk.grant("1000")
    waiting, delivered = draft(desk.decide("P-1", 1)), draft(desk.decide("P-2", 2))
    desk.prepare(waiting, delivered)
    desk.deliver(delivered)
    generation = reset_destination(desk.ledger, EFILE, person=by("IT"), reason="neu")

    assert generation == generation_of(desk.ledger, EFILE) == 2
    assert (desk.state(waiting), desk.state(delivered)) == (MessageState.REFUSED, MessageState.REFUSED)
    assert claims.claim(desk.ledger, desk.run(FILES)) == []


def test_a_reset_closes_the_points_about_old_messages(desk: Desk) -> None:
    """A resend of the old generation is nothing that anybody could still mean."""
    desk.grant("1000")
    answered(desk, "500", REFUSED)
    before = len(desk.points("refused"))
    reset_destination(desk.ledger, HKR, person=by("IT"), reason="neu")

    assert (before, desk.points()) == (1, [])


def test_a_reset_lets_the_money_go(desk: Desk) -> None:
    """The same money was held twice, so that an area with little left never got its bookings back."""
    desk.grant("600")
    case, _ = answered(desk, "500", CONFIRMED)
    reset_destination(desk.ledger, HKR, person=by("IT"), reason="neu")
    freed = desk.committed()
    anew = draft(case, "commitment.book", 1, "500", generation=2)
    desk.prepare(anew)
    desk.deliver(anew)
    desk.answer(anew, REFUSED, 7)

    assert freed == 0
    assert desk.commitment(case) == ("refused", 0, 0)
    assert desk.committed() == 0


def test_a_reset_reads_the_answers_from_the_beginning(desk: Desk) -> None:
    """The rebuilt destination counts from 1; a kept cursor would skip its first answers."""
    desk.store([], HKR, "17")
    desk.store([], EFILE, "4")
    reset_destination(desk.ledger, HKR, person=by("IT"), reason="neu")

    assert (history.read_cursor(desk.ledger, HKR), history.read_cursor(desk.ledger, EFILE)) == ("", "4")


# --- poison in a carrier, lanes, claims


def test_a_message_that_fits_into_no_carrier_holds_back_no_other(desk: Desk) -> None:
    """One poisoned order stopped every batch of the process, for ever."""
    first, poison, last = _orders(desk, 3)
    batch = _claim_batch(desk, desk.run(), poison)

    assert batch is not None
    assert {message.key for message in batch[1]} == {first.identity.key, last.identity.key}
    assert desk.state(poison) is MessageState.REFUSED
    assert [(point.kind, point.message_key) for point in desk.points()] == [("refused", poison.identity.key)]


def test_the_money_of_a_poisoned_order_is_free(desk: Desk) -> None:
    """It is refused like any other, not just pushed aside."""
    _, poison = _orders(desk, 2)
    _claim_batch(desk, desk.run(), poison)

    assert desk.commitment(poison.identity.case_id) == ("refused", 0, 0)
    assert desk.committed() == 10000


def test_a_carrier_of_poison_alone_is_no_carrier(desk: Desk) -> None:
    """An empty file would be sent, or the run would fail in every night."""
    (poison,) = _orders(desk, 1)

    assert _claim_batch(desk, desk.run(), poison) is None
    assert desk.state(poison) is MessageState.REFUSED


def test_two_processes_do_not_share_a_lane() -> None:
    """One's run claimed the other's messages and put next year's orders into this year's carrier."""
    route = _route("kk-tk-hkr")

    assert lane_of(route) != lane_of(route.model_copy(update={"process": "kk-tk-2027"}))


@pytest.mark.parametrize("name", ["kk-tk-hkr", "kk-tk-eakte"])
def test_tests_have_a_lane_of_their_own(name: str) -> None:
    """A test message travelled in the same carrier as live ones."""
    route = _route(name)

    assert lane_of(route) != lane_of(route.model_copy(update={"environment": "test"}))


def test_what_failed_waits_behind_what_was_never_tried(desk: Desk) -> None:
    """Claims by age alone let the oldest failures starve all others."""
    bad, good = _files(desk, 2)
    run = desk.run(FILES)
    claims.claim(desk.ledger, run, 1)
    claims.begin_sending(desk.ledger, run, [bad.identity.key])
    claims.settle(desk.ledger, run, bad.identity.key, MessageState.WAITING)

    assert _claimed(desk, desk.run(FILES)) == [good.identity.key, bad.identity.key]


def test_what_comes_out_of_doubt_waits_behind_what_was_never_tried(desk: Desk) -> None:
    """A message that ends in doubt every night must not be the first every morning."""
    bad, good = _files(desk, 2)
    run = desk.run(FILES)
    claims.claim(desk.ledger, run, 1)
    claims.begin_sending(desk.ledger, run, [bad.identity.key])
    run = desk.run(FILES)
    claims.take_over(desk.ledger, run)
    claims.settle_doubt(desk.ledger, run, bad.identity.key, "dieselben Bytes noch einmal")

    assert _claimed(desk, run) == [good.identity.key, bad.identity.key]


# --- overdue


def test_trying_in_vain_does_not_make_a_message_young(desk: Desk) -> None:
    """Each try touched `updated_at`, so what failed every night was never overdue."""
    (message,) = _files(desk, 1)
    _age(desk.ledger, message)
    run = desk.send(message.identity.key, lane=FILES)
    claims.settle(desk.ledger, run, message.identity.key, MessageState.WAITING, "NotSent")

    assert [head.key for head in reading.overdue(desk.ledger, FILES, _days_ago(3))] == [message.identity.key]


def test_what_was_never_claimed_is_overdue_too(desk: Desk) -> None:
    """A route whose runs do not happen must not be the quietest of all."""
    (message,) = _files(desk, 1)
    _age(desk.ledger, message)

    assert len(reading.overdue(desk.ledger, FILES, _days_ago(3))) == 1


def test_the_time_for_an_answer_begins_with_the_delivery(desk: Desk) -> None:
    """The destination cannot answer what it did not have."""
    (message,) = _files(desk, 1)
    _age(desk.ledger, message)
    desk.deliver(message)

    assert reading.overdue(desk.ledger, FILES, _days_ago(3)) == []


# --- what a full listing does not show


def test_an_item_that_could_not_be_read_is_not_gone(desk: Desk) -> None:
    """The platform shows it; only our mapping failed – and a person would be told of a deletion."""
    item = Item("proposal", "1", {})
    desk.store([Taken(item, (a_proposal(external_id="1"),))], "meinberlin-tk")
    desk.store([Taken(item, problem="unbekannter Status")], "meinberlin-tk")

    assert _mark_gone(desk, {"1"}) == 0


def test_another_processs_proposals_are_not_gone(desk: Desk) -> None:
    """Two processes on one platform deleted each other's proposals, in turns."""
    ours = a_proposal(external_id="1")
    theirs = a_proposal(external_id="2", reference_number="2027-00002", process_id="kk-tk-2027")
    desk.store([Taken(Item("proposal", "1", {}), (ours,))], "meinberlin-tk")
    run = desk.run("meinberlin-tk|collect", "r")
    origin = history.Origin("meinberlin-tk", "kk-tk-2027", "spk-tk")
    history.store(desk.ledger, run, origin, [Taken(Item("proposal", "2", {}), (theirs,))], "")

    assert (_mark_gone(desk, {"1"}), _gone(desk)) == (0, 0)


def test_half_of_a_platform_vanishes_only_when_a_person_says_so(desk: Desk) -> None:
    """An empty answer is no proof; but the way out must work."""
    many = [a_proposal(external_id=str(one), reference_number=f"2026-0000{one}") for one in range(1, 9)]
    desk.store([Taken(Item("proposal", one.external_id, {}), (one,)) for one in many], "meinberlin-tk")
    held_back = _mark_gone(desk, set())
    [point] = desk.points("vanished")
    attention.decide(desk.ledger, point, "wirklich_weg", person=by("A. Muster"), reason="Modul geschlossen")

    assert (held_back, _mark_gone(desk, set()), _gone(desk)) == (0, 8, 8)
    assert desk.points() == []


# --- no foreign text


@pytest.mark.parametrize("code", ["Erna Kanarienvogel, Seestr. 5", "erna.kanarienvogel@example.org", "X" * 21])
def test_foreign_text_in_a_code_reaches_neither_evidence_nor_lists(desk: Desk, code: str) -> None:
    """Their fault texts quote what people wrote; evidence is never deleted."""
    (message,) = _files(desk, 1)
    run = desk.send(message.identity.key, lane=FILES)
    refused = receipt(message, REFUSED, code=code, text=code)
    claims.settle(desk.ledger, run, message.identity.key, refused)

    assert not [word for word in code.replace(",", " ").split() if len(word) > 1 and word in _told(desk, message)]


def test_a_code_of_theirs_is_kept(desk: Desk) -> None:
    """Without it nobody could ask them."""
    (message,) = _files(desk, 1)
    run = desk.send(message.identity.key, lane=FILES)
    claims.settle(desk.ledger, run, message.identity.key, receipt(message, REFUSED, event="Ablehnung", code="XTA 9013"))

    assert "(Meldung XTA 9013)" in desk.points("refused")[0].reason


# --- answers that contradict


def test_a_contradiction_blocks_until_a_person_settles_it(desk: Desk) -> None:
    """Whether the money is bound there is just what nobody knows: no second booking beside it."""
    desk.grant("2000")
    _, order = answered(desk, "500", REFUSED)
    desk.answer(order, CONFIRMED, 2)
    blocked = attention.read_answers(desk.ledger).blocked
    [point] = desk.points("contradiction")
    attention.decide(desk.ledger, point, "erledigt", person=by("A. Muster"), reason="angerufen")

    assert blocked == {str(order.identity.key)}
    assert attention.read_answers(desk.ledger).blocked == frozenset()


def test_a_difference_blocks_until_a_person_settles_it(desk: Desk) -> None:
    """A change of a sum that they did not book would be reckoned from the wrong one."""
    desk.grant("1000")
    order = _differing(desk)

    assert attention.read_answers(desk.ledger).blocked == {str(order.identity.key)}


def test_first_refused_then_confirmed_may_not_be_sent_anew(desk: Desk) -> None:
    """The refused point offered `neu_senden`: a click would have booked twice."""
    desk.grant("1000")
    _, order = answered(desk, "500", REFUSED)
    desk.answer(order, CONFIRMED, 2)

    assert [point.kind for point in desk.points()] == ["contradiction"]


def test_what_they_took_back_stays_on_the_list(desk: Desk) -> None:
    """After `storniert` the case was refused and nobody could send it anew."""
    desk.grant("1000")
    order = _differing(desk)
    attention.decide(desk.ledger, desk.points("difference")[0], "storniert", person=by("A. Muster"), reason="angerufen")
    [refused] = desk.points()
    attention.decide(desk.ledger, refused, "neu_senden", person=by("A. Muster"), reason="neuer Versuch")

    assert (refused.kind, desk.state(order)) == ("refused", MessageState.REFUSED)
    assert attention.read_answers(desk.ledger).resend == {str(order.identity.key)}


@pytest.mark.tampers
def test_an_answer_about_a_message_that_went_on_says_so(desk: Desk) -> None:
    """The person was told `erledigt`, and nothing had happened."""
    (message,) = _files(desk, 1)
    desk.send(message.identity.key, lane=FILES)
    run = desk.run(FILES)
    claims.take_over(desk.ledger, run)
    [(found, _, _)] = claims.in_doubt(desk.ledger, run)
    claims.open_doubt(desk.ledger, run, found, "it", "")
    [point] = desk.points("in_doubt")
    with desk.ledger.write() as connection:
        connection.execute(update(t.messages).values(state=MessageState.DELIVERED.value))

    with pytest.raises(ConfigurationError, match="inzwischen weiter"):
        attention.decide(desk.ledger, point, "nicht_angekommen", person=by("A. Muster"), reason="angerufen")
    assert desk.state(message) is MessageState.DELIVERED
    assert [one.id for one in desk.points()] == [point.id]


def test_a_doubt_that_the_destination_ends_asks_nobody_any_more(desk: Desk) -> None:
    """The point stayed open, and both of its answers were refused because the message had gone on."""
    (message,) = _files(desk, 1)
    desk.send(message.identity.key, lane=FILES)
    run = desk.run(FILES)
    claims.take_over(desk.ledger, run)
    [(found, _, _)] = claims.in_doubt(desk.ledger, run)
    claims.open_doubt(desk.ledger, run, found, "it", "")
    claims.note_receipts(desk.ledger, run, {message.identity.key: receipt(message, DELIVERED)})

    assert (desk.state(message), desk.points()) == (MessageState.DELIVERED, [])


def test_a_yellow_report_is_told_once(desk: Desk) -> None:
    """The report is asked after in every run; who has settled the point must have peace."""
    (message,) = _files(desk, 1)
    desk.deliver(message)
    warning = receipt(message, DELIVERED, warning=True)
    claims.note_receipts(desk.ledger, desk.run(FILES), {message.identity.key: warning})
    [point] = desk.points("warning")
    attention.decide(desk.ledger, point, "erledigt", person=by("A. Muster"), reason="gesehen")
    claims.note_receipts(desk.ledger, desk.run(FILES), {message.identity.key: warning})

    assert desk.points() == []


# --- corrected while it waits


@pytest.mark.tampers
@pytest.mark.parametrize("touched", ["", "ticket"])
def test_only_what_nobody_has_touched_is_withdrawn(desk: Desk, touched: str) -> None:
    """What has an id of theirs may have left: it is corrected afterwards, not unsaid. (Carriers: `test_by_sepa.py`.)"""
    desk.grant("1000")
    case = desk.decide()
    desk.book(case, "850")
    if touched:
        claims.claim(desk.ledger, run := desk.run())
        claims.keep_tickets(desk.ledger, run, {draft(case, "commitment.book", 1, "850").identity.key: Ticket("x")})
    with desk.ledger.write() as connection:
        connection.execute(update(t.messages).values(state=MessageState.WAITING.value))
    desk.decide(row=2, approved_amount=Decimal("700.00"), correction=True, reason="Protokoll", origin=f"{'b' * 64}:2")

    assert len(_outdated(desk)) == (0 if touched else 1)


def test_a_withdrawn_order_frees_its_money_and_asks_nobody(desk: Desk) -> None:
    """It never left, so there is nothing that a person could decide."""
    desk.grant("1000")
    order = desk.book(case := desk.decide(), "850")

    assert claims.withdraw(desk.ledger, desk.run(), [order.identity.key]) == 1
    assert (desk.commitment(case), desk.committed(), desk.points()) == (("refused", 0, 0), 0, [])


def test_what_is_in_hand_is_not_withdrawn(desk: Desk) -> None:
    """The run that holds it may be sending it just now."""
    desk.grant("1000")
    order = desk.book(desk.decide(), "850")
    claims.claim(desk.ledger, run := desk.run())

    assert claims.withdraw(desk.ledger, run, [order.identity.key]) == 0
    assert desk.state(order) is MessageState.CLAIMED


# --- crosswise locks


def test_orders_and_answers_about_several_areas_do_not_lock_crosswise(both: Desk) -> None:
    """PostgreSQL ended one of the two with `DeadlockDetected`, and its whole route with it."""
    rounds, failures = 6, []
    for number in range(1, rounds + 1):
        cases = [both.decide(f"P-{number}{one}", number * 10 + one) for one in range(1, 5)]
        told, other = both.book(cases[0], "1"), elsewhere(draft(cases[1], "commitment.book", 1, "1"))
        both.prepare(other)
        both.deliver(told)
        both.deliver(other)
        new = (
            draft(cases[2], "commitment.book", 1, "1"),
            elsewhere(draft(cases[3], "commitment.book", 1, "1")),
        )
        refusals = [receipt(one, REFUSED, external_id=f"{number}-{one.reference}", key=None) for one in (other, told)]
        failures += _at_once(lambda: both.prepare(*new), lambda: both.hear(*refusals))  # noqa: B023 - joined here

    assert failures == []
    assert books(both) == {AREA: (rounds * 100, 0), GRUENAU: (rounds * 100, 0)}


@pytest.fixture(autouse=True)
def _slow_budgets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the moment between two locks long enough to meet."""
    if "crosswise" not in request.node.name:
        return
    locked, pause = money.locked_budgets, threading.Event()

    def slow(*given: object) -> object:
        row = locked(*given)  # type: ignore[arg-type]
        pause.wait(0.05)
        return row

    monkeypatch.setattr(money, "locked_budgets", slow)


# --- small tools


def _at_once(*works: Callable[[], object]) -> list[str]:
    failures: list[str] = []

    def attempt(work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - a thread's failure must reach the test
            failures.append(repr(error.__cause__ or error))

    threads = [threading.Thread(target=attempt, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return failures


def _orders(desk: Desk, count: int) -> list[Draft]:
    desk.grant("1000")
    return [desk.book(desk.decide(f"P-{one}", one), "100") for one in range(1, count + 1)]


def _files(desk: Desk, count: int) -> list[Draft]:
    files = [draft(desk.decide(f"P-{one}", one), reference=f"KK26-E{one}") for one in range(1, count + 1)]
    desk.prepare(*files)
    return files


def _differing(desk: Desk) -> Draft:
    order = desk.book(desk.decide(), "850")
    desk.deliver(order)
    desk.answer(order, CONFIRMED, amount=Decimal("805.00"))
    return order


def _claimed(desk: Desk, run: Run) -> list[UUID]:
    return [message.key for message, _ in claims.claim(desk.ledger, run)]


def _claim_batch(desk: Desk, run: Run, poison: Draft | None = None) -> tuple[Batch, list[Message]] | None:
    def compose(head: BatchHead, messages: Sequence[Message], _standing: Sequence[Message]) -> tuple[str, bytes]:
        if poison is not None and poison.identity.key in [message.key for message in messages]:
            raise RecordError("Die Buchungsstelle ist zu lang")
        return f"{head.id}.xml", b"<stapel/>"

    return claims.claim_batch(desk.ledger, run, compose, year=YEAR, test=False, full_list=False)


def _route(name: str) -> SendingRoute:
    route = find_route(ROOT, name)
    assert isinstance(route, SendingRoute)
    return route


def _age(ledger: Ledger, message: Draft) -> None:
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    with ledger.write() as connection:
        row = t.messages.c.key == message.identity.key
        connection.execute(update(t.messages).where(row).values(created_at=long_ago, updated_at=long_ago))
        events.touch(connection, MESSAGE, message.identity.key, case=message.identity.case_id)


def _days_ago(days: int) -> datetime:
    return now() - timedelta(days=days)


def _mark_gone(desk: Desk, seen: set[str]) -> int:
    run, origin = desk.run("meinberlin-tk|collect", "r"), history.Origin("meinberlin-tk", PROCESS, "spk-tk")
    return history.mark_gone(desk.ledger, run, origin, ("proposal",), seen)


def _gone(desk: Desk) -> int:
    with desk.ledger.read() as connection:
        query = select(func.count()).select_from(t.records).where(t.records.c.gone_at.is_not(None))
        return connection.execute(query).scalar_one()


def _told(desk: Desk, message: Draft) -> str:
    """Everything that is kept and shown about a message."""
    chain = [str(event.body) for event in events.events_of(desk.ledger, message.identity.case_id)]
    steps = [step.note for step in reading.attempts_of(desk.ledger, message.identity.key)]
    heads = [head.note for head, _ in reading.list_messages(desk.ledger)]
    return " ".join([*chain, *steps, *heads, *(point.reason for point in desk.points())])


def _outdated(desk: Desk) -> list[UUID]:
    (case,) = reading.read_process_cases(desk.ledger, PROCESS).cases
    (standing,) = joined(case)
    return outdated(standing, a_lane(HKR))
