"""Payments and claims against the sandbox: what it books, pays, gets back and refuses, and what is read of that."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from time import process_time
from urllib.error import HTTPError
from uuid import UUID

import pytest

from connectors.hkr import papers
from kiezbruecke.connector import CannotTell, Found, Mark, MarkKind, NotThere
from kiezbruecke.errors import NotSent, RecordError
from kiezbruecke.records import ReceiptOutcome

from .conftest import IBAN, ONE, OTHER_IBAN, TWO, WHEN, cancelling, claim, marks, message, payee, payment

PAID, AGAIN, BACK, CLAIM = (f"KK26-090416-00001-{end}" for end in ("Z1", "Z2", "Z3", "R1"))
DAY, LATER = "2026-11-24", "2026-11-27"


@pytest.fixture
def bound(desk):
    """The sandbox with one commitment of 850 euros."""
    desk.send(message(ONE, "850.00"), id="S-bound")
    return desk


def reason(desk, one):
    """The code under which the books refuse an order: at once, or at booking."""
    if code := desk.send(one, id=f"S-{one.reference}")[one.key].code:
        return code
    return desk.fetch()[-1].body.get("Grundcode", "")


def books(desk):
    """Committed, paid and refunded, as they say it."""
    return [(one.committed, one.paid, one.refunded) for one in desk.target.balances(2026)]


def euro(*amounts):
    return tuple(map(Decimal, amounts))


# -- the way of a payment ------------------------------------------------------------------------------------


def test_a_payment_is_booked_at_once_and_paid_on_a_day_of_the_cash_office(bound):
    """GEBUCHT, then BEZAHLT, never before it is due; the commitment stays, what is paid shows."""
    receipts = bound.send(payment(PAID, "850.00", due=DAY))
    early = bound.day("2026-11-23")
    before = books(bound)
    done = bound.day(DAY)

    assert [receipt.outcome for receipt in receipts.values()] == [ReceiptOutcome.DELIVERED]
    assert (early["paid"], done["paid"], bound.day(DAY)["paid"]) == (0, 1, 0)
    assert bound.of(PAID) == [("GEBUCHT", "850.00"), ("BEZAHLT", "850.00")]
    assert (before, books(bound)) == ([euro("850.00", "0.00", "0.00")], [euro("850.00", "850.00", "0.00")])


def test_what_comes_back_is_not_paid_and_can_be_ordered_again(bound):
    """Days later, for an account that is gone; a new order to another account goes through."""
    bound.control("bounces", "PUT", {"IBAN": [IBAN]})
    bound.send(payment(PAID, "850.00"))
    bound.day(DAY)
    paid = books(bound)
    same_day = bound.day(DAY)
    back = bound.day(LATER)
    bound.send(payment(AGAIN, "850.00", payee=payee(OTHER_IBAN)), id="S-again")
    bound.day(LATER)
    bound.day("2026-11-30")

    assert (same_day["returned"], back["returned"]) == (0, 1)
    assert paid == books(bound) == [euro("850.00", "850.00", "0.00")]
    assert bound.of(PAID)[-1] == ("RUECKLAEUFER", "850.00")
    assert bound.of(AGAIN) == [("GEBUCHT", "850.00"), ("BEZAHLT", "850.00")]
    assert [one.body["Grundcode"] for one in bound.fetch() if one.body["Ereignis"] == "RUECKLAEUFER"] == ["AC04"]


@pytest.mark.parametrize("armed", ["switch", "fault"])
def test_one_payment_alone_can_be_made_to_come_back(bound, armed):
    """By its Fremdkennzeichen, or the next that is paid."""
    if armed == "fault":
        bound.arm("bounce")
    else:
        bound.control("bounces", "PUT", {"Fremdkennzeichen": [PAID]})
    bound.send(payment(PAID, "400.00"))
    bound.send(payment(AGAIN, "400.00"), id="S-2")
    for on in (DAY, LATER):
        bound.day(on)

    assert bound.of(PAID)[-1][0] == "RUECKLAEUFER"
    assert bound.of(AGAIN)[-1][0] == "BEZAHLT"
    assert bound.sums() == [("090416", "850.00", "0.00", "400.00", "400.00", "0.00")]


def test_a_claim_brings_money_back_and_leaves_the_payment(bound):
    """EINGEGANGEN under the claim's own Fremdkennzeichen; paid stays paid, refunded stands beside it."""
    bound.send(payment(PAID, "850.00"))
    bound.day(DAY)
    bound.send(claim(CLAIM, "37.60", PAID), id="S-claim")
    bound.day(LATER)

    assert bound.of(CLAIM) == [("GEBUCHT", "37.60"), ("EINGEGANGEN", "37.60")]
    assert books(bound) == [euro("850.00", "850.00", "37.60")]


def test_a_payment_that_is_booked_can_be_taken_back(bound):
    """AUFGEHOBEN under the cancelling order's Fremdkennzeichen; it is never paid, and the money can be ordered anew."""
    bound.send(payment(PAID, "850.00"))
    bound.send(cancelling(BACK, "850.00", PAID), id="S-back")
    bound.send(payment(AGAIN, "850.00"), id="S-again")
    bound.day(DAY)

    assert bound.of(PAID) == [("GEBUCHT", "850.00")]
    assert bound.of(BACK) == [("AUFGEHOBEN", "850.00")]
    assert books(bound) == [euro("850.00", "850.00", "0.00")]


def test_the_sandbox_can_pay_at_once(open_desk):
    """`auto_pay`: for whoever has no patience."""
    desk = open_desk("auto_pay=1")
    desk.send(message(ONE, "850.00"), payment(PAID, "850.00"))

    assert desk.of(PAID) == [("GEBUCHT", "850.00"), ("BEZAHLT", "850.00")]


def test_the_sandbox_can_be_asked_what_happened_and_when_but_names_no_payee(bound):
    """Times and sums of every order; neither IBAN nor name, in answers or on the disk."""
    bound.send(payment(PAID, "850.00"))
    bound.day(DAY)
    row = next(one for one in bound.received() if one["Fremdkennzeichen"] == PAID)
    kept = b"".join(file.read_bytes() for file in bound.state.iterdir() if file.name.startswith("books"))

    assert (row["Art"], row["Betrag"], row["received"], row["accepted"]) == ("AUSZAHLUNG", "850.00", 1, 1)
    assert row["received_at"][:3] == row["accepted_at"][:3] == "202"
    assert (row["paid_at"], row["returned_at"]) == (DAY, "")
    assert bound.sums() == [("090416", "850.00", "0.00", "850.00", "0.00", "0.00")]
    assert IBAN not in json.dumps(bound.received()) + json.dumps(bound.sums())
    assert IBAN.encode() not in kept
    assert b"Kiezverein" not in kept


@pytest.mark.parametrize(
    ("name", "method", "body"), [("day", "POST", {"date": "27.11.2026"}), ("day", "POST", []), ("bounces", "PUT", [1])]
)
def test_a_control_that_is_not_understood_says_what_it_expects(desk, name, method, body):
    """And does nothing."""
    with pytest.raises(HTTPError) as caught:
        desk.control(name, method, body)

    assert (caught.value.code, json.load(caught.value)["error"].split(":")[0]) == (422, "expected")


# -- what the books refuse -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"related": TWO}, "BEZUG"),
        ({"area": "090311"}, "BUCHUNGSSTELLE"),
        ({"due": "2027-01-04"}, "FAELLIGKEIT"),
        ({"payee": payee("DE89370400440532013001")}, "IBAN"),
        ({"payee": payee("DE8937040044053201300")}, "IBAN"),
    ],
)
def test_a_payment_that_cannot_be_is_refused_and_nothing_is_paid(bound, given, code):
    """Another commitment, another area, another year, check digits that do not hold."""
    assert reason(bound, payment(PAID, "1.00", **given)) == code
    assert bound.day(DAY)["paid"] == 0


def test_never_more_than_its_commitment_is_paid(bound):
    """Not by a cent, and not by two orders together."""
    bound.send(payment(PAID, "849.99"))

    assert reason(bound, payment(AGAIN, "0.02")) == "UEBERSCHRITTEN"
    assert reason(bound, payment(BACK, "0.01")) == ""


def test_a_commitment_never_falls_below_what_is_ordered(bound):
    """Neither by a change nor by a cancellation, as long as the order is not taken back."""
    bound.send(payment(PAID, "500.00"))
    lower = message(f"{ONE[:-1]}2", "499.99", kind="FESTLEGUNG_AENDERUNG", related=ONE)
    away = message(f"{ONE[:-1]}3", "850.00", kind="FESTLEGUNG_AUFHEBUNG", related=ONE)

    assert [reason(bound, one) for one in (lower, away)] == ["ANGEORDNET", "ANGEORDNET"]
    assert books(bound) == [euro("850.00", "0.00", "0.00")]


def test_a_cancelled_commitment_pays_nothing(bound):
    """BezugFremdkennzeichen must be booked."""
    bound.send(message(f"{ONE[:-1]}2", "850.00", kind="FESTLEGUNG_AUFHEBUNG", related=ONE))

    assert reason(bound, payment(PAID, "1.00")) == "BEZUG"


def test_what_is_paid_cannot_be_taken_back_nor_what_was_never_there(bound):
    """AUSGEFUEHRT: then only a claim helps."""
    bound.send(payment(PAID, "850.00"))
    bound.day(DAY)

    assert reason(bound, cancelling(BACK, "850.00", PAID)) == "AUSGEFUEHRT"
    assert reason(bound, cancelling("KK26-090416-00001-Z4", "850.00", AGAIN)) == "BEZUG"


def test_a_claim_is_about_a_payment_that_was_paid_and_no_more_than_it(bound):
    """Both together would be money from nowhere."""
    bound.send(payment(PAID, "850.00"))
    early = reason(bound, claim(CLAIM, "37.60", PAID))
    bound.day(DAY)

    assert early == "BEZUG"
    assert reason(bound, claim("KK26-090416-00001-R2", "850.01", PAID)) == "UEBERSCHRITTEN"
    assert reason(bound, claim("KK26-090416-00001-R3", "850.00", PAID)) == ""


@pytest.mark.parametrize("late", ["today", "due"])
def test_after_the_cutoff_nothing_is_paid(open_desk, late):
    """Whether it comes too late or is due too late; what is booked already is DOPPELT all the same."""
    desk = open_desk("cutoff=2026-11-22" if late == "today" else "cutoff=2026-11-25")
    desk.send(message(ONE, "850.00"))

    assert reason(desk, payment(PAID, "1.00", due="2026-11-26")) == "ANNAHMESCHLUSS"


@pytest.mark.parametrize(
    ("place", "code"),
    [
        (b"Haushaltsjahr>2026</hkr:Haushaltsjahr><hkr:Kapitel", "HAUSHALTSJAHR"),
        (b"Haushaltsjahr>2026", "BUCHUNGSSTELLE"),
    ],
)
def test_a_payment_of_another_year_is_refused(bound, place, code):
    """Of another year than its batch; or the batch is of another year than the commitment."""
    order = payment(PAID, "1.00", due="2027-01-04" if code == "BUCHUNGSSTELLE" else DAY)
    batch = bound.batch(order)
    changed = replace(batch, payload=batch.payload.replace(place, place.replace(b"2026", b"2027")))
    receipts = bound.target.send(changed, [order])

    assert [one.code for one in receipts.values()] + [one.body.get("Grundcode", "") for one in bound.fetch()[1:]] == (
        [code] if code == "HAUSHALTSJAHR" else ["", code]
    )


def test_what_comes_back_in_a_later_year_is_no_money_of_this_one(bound):
    """It is income of the later year and refills nothing."""
    bound.send(payment(PAID, "850.00"))
    bound.day(DAY)
    bound.send(claim(CLAIM, "37.60", PAID, due="2027-01-04"), id="S-claim")
    bound.day("2027-01-04")

    assert bound.of(CLAIM)[-1] == ("EINGEGANGEN", "37.60")
    assert books(bound) == [euro("850.00", "850.00", "0.00")]


@pytest.mark.parametrize("name", ["SachlichRichtig", "RechnerischRichtig", "Angeordnet"])
def test_the_books_refuse_an_order_that_lacks_a_mark(bound, name):
    """Whoever sends it: their own check, not ours."""
    order = payment(PAID, "1.00")
    batch = bound.batch(order)
    begin, end = f"<hkr:{name}>".encode(), f"</hkr:{name}>".encode()
    before, _, rest = batch.payload.partition(begin)
    without = replace(batch, payload=before + rest.partition(end)[2])
    receipts = bound.target.send(without, [order])

    assert [one.code for one in receipts.values()] == ["PFLICHTFELD"]


def test_the_books_refuse_an_order_whose_orderer_has_certified(bound):
    """Four eyes are theirs to check, too."""
    order = payment(PAID, "1.00")
    batch = bound.batch(order)
    changed = replace(batch, payload=batch.payload.replace(b">c.lang<", b">A.Meier<"))
    receipts = bound.target.send(changed, [order])

    assert [one.code for one in receipts.values()] == ["VERMERK"]


def test_a_second_order_under_a_fremdkennzeichen_pays_nothing(bound):
    """The same with other marks is there already; another one is refused. Paid is once."""
    bound.send(payment(PAID, "400.00"))
    again = replace(payment(PAID, "400.00"), marks=marks(ordered="d.neu"))
    other = payment(PAID, "400.01")
    said = [bound.send(one, id=f"S-{number}")[one.key] for number, one in enumerate((again, other))]
    bound.day(DAY)

    assert [(one.outcome, one.code, one.warning) for one in said] == [
        (ReceiptOutcome.DELIVERED, "DOPPELT", True),
        (ReceiptOutcome.REFUSED, "ABWEICHEND", False),
    ]
    assert bound.sums() == [("090416", "850.00", "0.00", "400.00", "0.00", "0.00")]


@pytest.mark.parametrize(
    ("iban", "holds"),
    [(IBAN, True), (OTHER_IBAN, True), ("GB82WEST12345698765432", True), ("DE98370400440532013000", False)],
)
def test_the_sandbox_counts_check_digits_by_itself(iban, holds):
    """ISO 13616; two digits that changed places show."""
    assert papers.iban_holds(iban) is holds


# -- what leaves ---------------------------------------------------------------------------------------------


def test_the_marks_of_people_stand_in_the_batch_and_not_in_the_message(paper):
    """Person by log-in, time, method; names stay here. The totals are per direction."""
    orders = [message(ONE, "850.00"), payment(PAID, "850.00"), claim(CLAIM, "37.60"), cancelling(BACK, "1.00", PAID)]
    body = paper.batch(*orders).payload.decode()

    assert "Richtig" not in orders[1].payload.decode()
    for name, person in (
        ("SachlichRichtig", "a.meier"),
        ("RechnerischRichtig", "b.kurz@ba.example"),
        ("Angeordnet", "c.lang"),
    ):
        mark = (
            f"<hkr:{name}><hkr:Person>{person}</hkr:Person><hkr:Zeit>2026-11-23T06:30:00.000Z</hkr:Zeit>"
            f"<hkr:Verfahren>airflow</hkr:Verfahren></hkr:{name}>"
        )
        assert body.count(mark) == 3
    assert "Name von" not in body
    for direction, total in (("Auszahlung", "851.00"), ("Annahme", "37.60"), ("Festlegung", "850.00")):
        assert f"<hkr:Summe{direction}>{total}<" in body


@pytest.mark.parametrize("missing", list(MarkKind))
@pytest.mark.parametrize("order", [payment(PAID, "1.00"), claim(PAID, "1.00"), cancelling(PAID, "1.00", AGAIN)])
def test_no_money_moves_without_all_three_marks(paper, order, missing):
    """The line names the order and the mark, and nobody's name."""
    without = replace(order, marks=tuple(mark for mark in order.marks if mark.kind is not missing))
    with pytest.raises(RecordError, match=rf"Anordnung {PAID}: der Vermerk „{missing.value}“ fehlt") as caught:
        paper.batch(without)
    assert "meier" not in caught.value.line()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (marks(ordered="A.Meier"), "wer anordnet, hat auch festgestellt"),
        ((*marks(), Mark(MarkKind.ORDERED, "N", "d.neu", WHEN)), "steht zweimal"),
        (marks(factual="mit leer zeichen"), r"Anordnung/SachlichRichtig/Person \(KK26-090416-00001-Z1\)"),
    ],
)
def test_marks_that_cannot_be_never_get_into_a_batch(paper, given, says):
    """An orderer who has certified, a fourth mark, a log-in that the contract cannot hold."""
    with pytest.raises(RecordError, match=says):
        paper.batch(replace(payment(PAID, "1.00"), marks=given))


@pytest.mark.parametrize(("given", "says"), [({"due": ""}, "Faelligkeit fehlt"), ({"payee": ""}, "Empfaenger fehlt")])
def test_a_payment_has_a_day_and_a_payee(paper, given, says):
    """Rule 8 of the contract."""
    with pytest.raises(RecordError, match=says):
        paper.batch(payment(PAID, "1.00", **given))


def test_ten_thousand_orders_cost_less_than_half_a_millisecond_each(paper):
    """From stored bytes to a valid batch; the whole chain may take one. CPU time: the same on a busy machine."""
    count = 10_000
    one = payment(PAID, "8.50", voucher="99999999")
    places = {PAID.encode(): b"KK26-090416-%05d-Z1", b"99999999": b"%08d"}
    orders = [numbered(one, number, places) for number in range(count)]
    began = process_time()
    batch = paper.batch(*orders)
    each = (process_time() - began) / count

    assert b"<hkr:SummeAuszahlung>85000.00<" in batch.payload
    assert each < 0.0005


def numbered(one, number, places):
    """The same order under another number: quicker than writing it anew."""
    payload = one.payload
    for old, new in places.items():
        payload = payload.replace(old, new % number)
    return replace(one, key=UUID(int=number), reference=f"KK26-090416-{number:05d}-Z1", payload=payload)


# -- doubt and faults ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["commit_then_lose", "reset", "truncated_answer", "wrong_sum"])
def test_a_payment_whose_answer_is_lost_is_paid_once(bound, fault):
    """Asked, found, sent once more: one booking, one payment."""
    order = payment(PAID, "850.00")
    batch = bound.batch(order)
    bound.arm(fault)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - each fault has its own; what it is not is asserted
        bound.target.send(batch, [order])
    found = bound.look_up(batch, order)
    bound.target.send(batch, [order])
    bound.day(DAY)

    assert not isinstance(caught.value, NotSent)
    assert [type(one) for one in found.values()] == [Found]
    assert bound.of(PAID) == [("GEBUCHT", "850.00"), ("BEZAHLT", "850.00")]
    assert bound.sums()[0][3] == "850.00"


def test_of_a_batch_one_payment_may_be_refused(bound):
    """Partly: the sums of what was accepted still agree."""
    bound.arm("reject_line")
    orders = [payment(PAID, "400.00"), payment(AGAIN, "400.00")]
    receipts = bound.send(*orders)
    bound.day(DAY)

    assert [receipts[one.key].outcome for one in orders] == [ReceiptOutcome.REFUSED, ReceiptOutcome.DELIVERED]
    assert bound.sums()[0][3] == "400.00"


def test_bad_words_never_change_the_books(bound, bookmark):
    """Doubled, replayed, reordered, unknown, a wrong sum: each is an answer under its own number, read once."""
    orders = [f"KK26-090416-00001-Z{number}" for number in range(1, 6)]
    faults = ["duplicate_ack", "replayed_ack", "reordered_ack", "unknown_event", "wrong_amount"]
    for fault, reference in zip(faults, orders, strict=True):
        bound.arm(fault)
        bound.send(payment(reference, "10.00"), id=f"S-{fault}")
    cursor = bookmark()
    first = bound.fetch(cursor)
    again = bound.fetch(cursor)
    said = [(one.body["Fremdkennzeichen"][-2:], one.body["Ereignis"], one.body["Betrag"]) for one in first]

    assert said == [
        ("F1", "FESTGELEGT", "850.00"),
        ("Z1", "GEBUCHT", "10.00"),
        ("Z1", "GEBUCHT", "10.00"),
        ("Z2", "GEBUCHT", "10.00"),
        ("F1", "FESTGELEGT", "850.00"),
        ("Z3", "BEZAHLT", "10.00"),
        ("Z3", "GEBUCHT", "10.00"),
        ("Z4", "STORNIERT", "10.00"),
        ("Z5", "GEBUCHT", "10.01"),
    ]
    assert [one.external_id for one in first] == [str(number) for number in range(1, 10)]
    assert again == []
    assert bound.sums() == [("090416", "850.00", "40.00", "10.00", "0.00", "0.00")]


def test_a_system_of_the_first_version_gets_no_payment(bound):
    """One clear line; commitments go on, and nothing has left."""
    bound.arm("only_1_0")
    order = payment(PAID, "850.00")
    with pytest.raises(NotSent, match=r"speaks hkr 1\.0, which carries commitments only; payments need hkr 1\.1"):
        bound.send(order)
    bound.arm("only_1_0")
    commitment = bound.send(message(TWO, "1.00"), id="S-two")

    assert [one["Fremdkennzeichen"] for one in bound.received()] == [ONE, TWO]
    assert [one.outcome for one in commitment.values()] == [ReceiptOutcome.DELIVERED]


def test_a_target_asks_once_what_they_speak(bound):
    """Before its first payment; later a system of 1.0 would be noticed no more, and none grows younger."""
    target = bound.target
    for number, reference in enumerate((PAID, AGAIN)):
        order = payment(reference, "1.00")
        target.send(bound.batch(order, id=f"S-{number}"), [order])
        bound.arm("only_1_0")

    assert bound.control("faults")["armed"] == {"only_1_0": 1}


def test_a_payment_that_never_arrived_is_proven_not_to_be_there(bound):
    """UNBEKANNT, as for commitments."""
    order = payment(PAID, "1.00")
    batch = bound.batch(order)
    unasked = bound.look_up(batch, order)
    bound.arm("in_progress")
    bound.send(order)

    assert list(unasked.values()) == [NotThere()]
    assert [type(one) for one in bound.look_up(batch, order).values()] == [CannotTell]


# -- after a restored backup ---------------------------------------------------------------------------------


def test_after_a_restored_backup_every_kind_is_found_by_its_fremdkennzeichen(bound):
    """What they have of a case, with its last word: booked, paid, come back, received, cancelled, refused."""
    bound.send(
        payment(PAID, "100.00"),
        payment(AGAIN, "100.00"),
        payment(BACK, "100.00"),
        payment("KK26-090416-00001-Z5", "900.00"),
    )
    bound.control("bounces", "PUT", {"Fremdkennzeichen": [AGAIN]})
    bound.send(cancelling("KK26-090416-00001-Z4", "100.00", BACK), id="S-back")
    bound.day(DAY)
    bound.day(LATER)
    bound.send(claim(CLAIM, "10.00", PAID), id="S-claim")
    found = {one.reference[-2:]: one for one in bound.target.orders(["KK26-090416-00001"])}

    assert {end: (one.effect, one.receipt.event, one.receipt.outcome.value) for end, one in found.items()} == {
        "F1": ("commitment.book", "FESTGELEGT", "confirmed"),
        "Z1": ("payment.order", "BEZAHLT", "confirmed"),
        "Z2": ("payment.order", "RUECKLAEUFER", "confirmed"),
        "Z3": ("payment.order", "GEBUCHT", "confirmed"),
        "Z4": ("payment.cancel", "AUFGEHOBEN", "confirmed"),
        "Z5": ("payment.order", "ABGEWIESEN", "refused"),
        "R1": ("refund.claim", "GEBUCHT", "confirmed"),
    }
    assert {one.receipt.verdict for one in found.values()} == {ReceiptOutcome.CONFIRMED, ReceiptOutcome.REFUSED}
    assert (found["Z2"].receipt.code, found["Z2"].receipt.text) == ("", "AC04")
    assert (found["Z1"].amount, found["Z1"].related_reference) == (Decimal("100.00"), ONE)
    assert IBAN.encode() not in b"".join(one.raw for one in found.values())
    assert bound.target.stand().last_batch == "S-claim"
