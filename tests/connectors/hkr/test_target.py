"""The target against the sandbox: what is known after every kind of answer, and after none."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from connectors._soap import DeadlineExceeded, NoAnswer
from connectors.hkr.client import Balance, Contradiction
from kiezbruecke.connector import BatchTarget, CannotTell, Found, NotThere
from kiezbruecke.errors import AlreadyUsed, NotSent, RecordError, Rejected
from kiezbruecke.records import ReceiptOutcome

ONE, TWO = "KK26-090416-00001-F1", "KK26-090416-00002-F1"


def test_an_accepted_batch_delivers_every_message(desk, two):
    """One receipt per message key, with the amount and their id."""
    receipts = desk.send(*two)

    assert [receipts[m.key].outcome for m in two] == [ReceiptOutcome.DELIVERED] * 2
    assert receipts[two[0].key].amount == Decimal("850.00")
    assert receipts[two[0].key].remote_id == "HKR-00000001"
    assert isinstance(desk.target, BatchTarget)


def test_the_same_bytes_twice_are_booked_once(desk, two):
    """dedupes: repeating a batch out of doubt is harmless."""
    desk.send(*two)
    again = desk.send(*two)

    assert {r.event for r in again.values()} == {"BEREITS_VORHANDEN"}
    assert {r.outcome for r in again.values()} == {ReceiptOutcome.DELIVERED}
    assert [(row["received"], row["accepted"], row["answers"]) for row in desk.received()] == [
        (2, 1, "FESTGELEGT"),
        (2, 1, "FESTGELEGT"),
    ]


def test_a_refused_line_does_not_hinder_the_others(desk, two):
    """F23: part of a batch is refused; sums still have to be right."""
    desk.arm("reject_line")
    receipts = desk.send(*two)

    assert receipts[two[0].key].outcome is ReceiptOutcome.REFUSED
    assert receipts[two[0].key].code == "SACHBEARBEITUNG"
    assert receipts[two[1].key].outcome is ReceiptOutcome.DELIVERED


def test_another_batch_under_a_known_id_is_refused_whole(desk, make, two):
    """Our ids are unique: whoever gives one away twice has forgotten the first, and must stop; the first one stands."""
    desk.send(two[0])
    with pytest.raises(AlreadyUsed):
        desk.send(two[1], make("KK26-090416-00003-F1", "1.00"))

    assert desk.events() == [(ONE, "FESTGELEGT", "850.00")]


def test_an_order_that_is_there_from_another_batch_counts_as_delivered(desk, two):
    """DOPPELT is no refusal: the effect holds. Refusing it would free money that HKR has committed."""
    desk.send(two[0])
    receipts = desk.send(*two, id="KK26-S-0002")

    first = receipts[two[0].key]
    assert (first.outcome, first.code, first.warning) == (ReceiptOutcome.DELIVERED, "DOPPELT", True)
    assert desk.events() == [(ONE, "FESTGELEGT", "850.00"), (TWO, "FESTGELEGT", "99.99")]


def test_another_order_under_a_known_fremdkennzeichen_is_refused(desk, make, two):
    """The first one wins; the second goes to a person."""
    desk.send(two[0])
    other = make(ONE, "900.00")
    receipts = desk.send(other, id="KK26-S-0002")

    assert receipts[other.key].outcome is ReceiptOutcome.REFUSED
    assert receipts[other.key].code == "ABWEICHEND"


def test_a_test_batch_is_refused_by_a_productive_system(open_desk, two):
    """F49: test data never gets into productive books."""
    desk = open_desk("production=1")
    receipts = desk.send(*two, test=True)

    assert {r.code for r in receipts.values()} == {"TEST"}
    assert desk.events() == []


def test_a_voucher_number_is_used_once_a_year(desk, make):
    """Belegnummer is unique per year; a second use shows."""
    one, other = make(ONE, "1.00", voucher="00000001"), make(TWO, "2.00", voucher="00000001")
    receipts = desk.send(one, other)

    assert receipts[other.key].code == "BELEGNUMMER"


# -- doubt ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["commit_then_lose", "reset", "slow_drip", "truncated_answer", "wrong_sum"])
def test_after_a_lost_answer_the_other_side_says_that_it_has_the_batch(desk, two, fault):
    """F8, F10, F11, F30: it is booked, we do not know; asking settles it and repeating books nothing new."""
    batch = desk.batch(*two)
    desk.arm(fault)
    with pytest.raises((OSError, NoAnswer, Contradiction)) as caught:
        desk.target.send(batch, two)
    answers = desk.look_up(batch, *two)
    again = desk.target.send(batch, two)

    assert not isinstance(caught.value, NotSent | Rejected)
    assert all(isinstance(answer, Found) for answer in answers.values())
    assert {answer.receipt.outcome for answer in answers.values()} == {ReceiptOutcome.DELIVERED}
    assert {receipt.outcome for receipt in again.values()} == {ReceiptOutcome.DELIVERED}
    assert desk.events() == [(ONE, "FESTGELEGT", "850.00"), (TWO, "FESTGELEGT", "99.99")]


@pytest.mark.parametrize("fault", ["lose_before_commit", "html_answer", "busy"])
def test_after_an_answer_lost_before_booking_the_other_side_proves_that_nothing_came(desk, two, fault):
    """F9, F12, F13: UNBEKANNT is proof; then the batch goes again."""
    batch = desk.batch(*two)
    desk.arm(fault)
    with pytest.raises((OSError, NoAnswer)):
        desk.target.send(batch, two)
    answers = desk.look_up(batch, *two)
    receipts = desk.target.send(batch, two)

    assert answers == {m.key: NotThere() for m in two}
    assert {r.outcome for r in receipts.values()} == {ReceiptOutcome.DELIVERED}


def test_slow_drip_is_cut_by_the_deadline(desk, two):
    """F11: a byte now and then outlives every read timeout."""
    desk.arm("slow_drip")

    with pytest.raises(DeadlineExceeded):
        desk.send(*two)


@pytest.mark.parametrize("fault", ["html_answer", "busy", "reset", "slow_drip", "truncated_answer", "in_progress"])
def test_a_question_without_a_clear_answer_tells_nothing(desk, two, fault):
    """An unreadable answer to a question is no proof of anything."""
    batch = desk.batch(*two)
    desk.target.send(batch, two)
    desk.arm(fault)
    answers = desk.look_up(batch, *two)

    assert {type(answer) for answer in answers.values()} == {CannotTell}


def test_a_question_about_refusals_gives_the_first_words_again(desk, two):
    """FrageStapelStatus answers like the first transmission, per Fremdkennzeichen."""
    batch = desk.batch(*two)
    desk.arm("reject_line")
    first = desk.target.send(batch, two)
    found = desk.look_up(batch, *two)

    assert [found[m.key].receipt.outcome for m in two] == [first[m.key].outcome for m in two]
    assert found[two[0].key].receipt.code == "SACHBEARBEITUNG"


def test_a_server_that_is_down_is_certain_knowledge(paper, two):
    """Not one byte has left: tried again without a question."""
    batch = paper.batch(*two)

    with pytest.raises(NotSent):
        paper.target.send(batch, two)
    assert {type(answer) for answer in paper.look_up(batch, *two).values()} == {CannotTell}


def test_a_batch_against_the_contract_is_rejected_whole(desk, two):
    """faultcode Client.SCHEMA: read, refused, nothing happened."""
    batch = desk.batch(*two)
    broken = replace(batch, payload=batch.payload.replace(b">68406<", b">6<"))

    with pytest.raises(Rejected) as caught:
        desk.target.send(broken, two)
    assert caught.value.receipt_code == "HKR SCHEMA"
    assert desk.received() == []


def test_a_batch_with_wrong_sums_is_refused_whole(desk, two):
    """A total that was changed on the way."""
    batch = desk.batch(*two)
    changed = replace(batch, payload=batch.payload.replace(b"949.99", b"949.98"))
    receipts = desk.target.send(changed, two)

    assert {receipt.code for receipt in receipts.values()} == {"SUMME"}


def test_what_arrived_survives_a_kill(desk, two):
    """The sandbox commits before it answers."""
    batch = desk.batch(*two)
    desk.target.send(batch, two)
    desk.restart()

    assert all(isinstance(answer, Found) for answer in desk.look_up(batch, *two).values())
    assert [row["received"] for row in desk.received()] == [1, 1]


def test_a_login_is_sent_and_needed(open_desk, two):
    """Basic authentication; a refused log-in is doubt, which a question settles when the password is right."""
    desk = open_desk("login=kb:geheim")
    batch = desk.batch(*two)
    with pytest.raises(NoAnswer, match="401"):
        desk.target.send(batch, two)
    desk.login = ("kb", "geheim")

    assert desk.look_up(batch, *two) == {m.key: NotThere() for m in two}
    assert {r.outcome for r in desk.target.send(batch, two).values()} == {ReceiptOutcome.DELIVERED}


# -- compose -------------------------------------------------------------------------------------------------


def test_the_same_messages_give_the_same_bytes(paper, two):
    """Same arguments, same bytes; the bytes are stored before the first send."""
    batch = paper.batch(*two)

    assert batch.payload == paper.batch(*two).payload
    assert batch.file_name == "KK26-S-0001.xml"
    assert b"<hkr:ErstelltAm>2026-11-23T06:30:00.000Z<" in batch.payload
    assert b"<hkr:Anzahl>2<" in batch.payload
    assert b"<hkr:SummeFestlegung>949.99<" in batch.payload


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"decision": ""}, "Beschluss fehlt"),
        ({"kind": "FESTLEGUNG_AENDERUNG"}, "BezugFremdkennzeichen fehlt"),
        ({"year": "2025"}, "Haushaltsjahr"),
        ({"area": "090416x"}, r"Anordnung/Buchungsstelle/Unterkonto \(KK26-090416-00001-F1\)"),
    ],
)
def test_an_order_that_breaks_a_rule_never_gets_into_a_batch(paper, make, given, says):
    """Duties per kind, the batch's year, the schema: known before anything is sent."""
    with pytest.raises(RecordError, match=says):
        paper.batch(make(ONE, "1.00", **given))


@pytest.mark.parametrize("amount", ["0.00", "-1.00", "1.234", "1,50", "NaN", "1e3", "1000000000.00", "850"])
def test_no_amount_but_euros_with_two_places_gets_into_a_batch(paper, make, amount):
    """F27. The text of the error holds no value."""
    with pytest.raises(RecordError) as caught:
        paper.batch(make(ONE, amount))
    assert amount not in caught.value.what


def test_a_fremdkennzeichen_stands_once_in_a_batch_and_is_the_messages_own(paper, make, two):
    """Receipts find back by it."""
    with pytest.raises(RecordError, match="zweimal"):
        paper.batch(two[0], two[0])
    with pytest.raises(RecordError, match="nicht das der Nachricht"):
        paper.batch(replace(two[0], reference=TWO))


def test_foreign_content_of_a_payload_cannot_reach_the_batch(paper, two):
    """F31: a payload with a DOCTYPE is no order."""
    evil = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + two[0].payload

    with pytest.raises(RecordError):
        paper.batch(replace(two[0], payload=evil))


# -- balances ------------------------------------------------------------------------------------------------


def test_balances_are_their_own_books(desk, two, make):
    """Per area, committed and paid, with its day – for the reconciliation in euros."""
    desk.send(*two, make("KK26-090311-00003-F1", "0.01", area="090311"))
    balances = desk.target.balances(2026)

    assert [(b.area, b.chapter, b.title, b.committed, b.paid) for b in balances] == [
        ("090311", "3306", "68406", Decimal("0.01"), Decimal("0.00")),
        ("090416", "3306", "68406", Decimal("949.99"), Decimal("0.00")),
    ]
    assert isinstance(balances[0], Balance)
    assert balances[0].day.isoformat() == "2026-11-23"
    assert desk.target.balances(2025) == ()


def test_a_wrong_balance_is_handed_on_as_they_say_it(desk, two):
    """The difference is for reconciliation to find, not for the client to hide."""
    desk.send(*two)
    desk.arm("wrong_balance")

    assert desk.target.balances(2026)[0].committed == Decimal("950.00")
