"""Four eyes: two people, each on exactly what they were shown; one effect or none."""

from __future__ import annotations

import re
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from kiezbruecke import attention, clock, pipeline, release
from kiezbruecke.connector import Batch, MarkKind, Message
from kiezbruecke.errors import InputError
from kiezbruecke.german import BERLIN
from kiezbruecke.ledger import MessageState, Run, claims, evidence, releases, takeover
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.people import How, Person
from kiezbruecke.records import BudgetStatus
from kiezbruecke.release import ActKind, Approver
from tests.world import change_route

from .conftest import CERTIFIER, ORDERER, PAYMENTS, ROUTE, Office, everybody_known, person, say


def test_nothing_leaves_before_three_marks(office: Office) -> None:
    """Held is held: no run takes it, neither at first nor with two of its marks."""
    payment = office.pay()
    before = office.take()
    office.certify()
    between = office.take()
    office.order()

    assert (before, between) == ([], [])
    assert [message.key for message in office.take()] == [payment.identity.key]
    assert office.state(payment) is MessageState.SENDING


def test_the_marks_travel_with_the_message(office: Office) -> None:
    """The budget system is told who certified and who ordered, under which log-in (VV zu § 70 LHO)."""
    office.pay()
    office.both()
    [message] = office.take()

    assert [(mark.kind, mark.person, mark.account, mark.how) for mark in message.marks] == [
        (MarkKind.FACTUAL, CERTIFIER.person.name, "muster", "airflow"),
        (MarkKind.ARITHMETICAL, CERTIFIER.person.name, "muster", "airflow"),
        (MarkKind.ORDERED, ORDERER.person.name, "anders", "airflow"),
    ]


def test_what_is_shown_are_numbers(office: Office) -> None:
    """Count, sum, per area; and beside the last time what is different. No name, no account."""
    office.pay("850")
    office.pay("100.50")
    office.both()
    office.pay("20")
    view = office.show()
    said = view.model_dump_json()

    assert (view.count, view.sum) == (1, Decimal("20.00"))
    assert [(one.name, one.count, one.sum, one.last_count, one.last_sum) for one in view.areas] == [
        ("Müggelheim", 1, Decimal("20.00"), 2, Decimal("950.50"))
    ]
    assert "Rita" not in said
    assert "a-" not in said


def test_a_double_click_is_one_act(office: Office) -> None:
    """The second click finds nothing more to do, and says so."""
    office.pay()
    view = office.show()
    office.certify(view=view)
    with pytest.raises(InputError, match="Es wartet nichts mehr darauf"):
        office.certify(view=view)
    view = office.show(ActKind.ORDER)
    office.order(view=view)
    with pytest.raises(InputError, match="Es wartet nichts mehr darauf"):
        office.order(view=view)

    assert office.acts() == [("bescheinigen", "airflow:muster", 1, 85000), ("anordnen", "airflow:anders", 1, 85000)]
    assert len(office.take()) == 1
    assert office.take() == []


def test_two_browsers_at_once_are_one_act(office: Office) -> None:
    """Both have seen the same, both click at the same moment: one of them orders, the other one hears why not."""
    office.pay()
    office.certify()
    view = office.show(ActKind.ORDER)
    barrier, said = threading.Barrier(4), []

    def click(name: str) -> None:
        barrier.wait()
        try:
            said.append(str(office.order(person(name, "leitung"), view)))
        except InputError as error:
            said.append(error.what)

    both = [threading.Thread(target=click, args=(f"Kim K{number}",)) for number in range(4)]
    [one.start() for one in both]
    [one.join(60) for one in both]

    assert min(said) == "1"
    assert len([one for one in said if "Es wartet nichts mehr darauf" in one]) == 3
    assert len(office.acts()) == 2
    assert len(office.take()) == 1


@pytest.mark.parametrize("kind", [ActKind.CERTIFY, ActKind.ORDER])
def test_one_message_more_is_another_view(office: Office, kind: ActKind) -> None:
    """What has come since the person looked was not shown to them."""
    office.pay()
    if kind is ActKind.ORDER:
        office.certify()
    view = office.show(kind)
    office.pay("20")
    if kind is ActKind.ORDER:
        office.certify()

    with pytest.raises(InputError, match=r"2 Anordnungen statt 1; 870,00 € statt 850,00 €\. Es ist nichts geschehen"):
        office.order(view=view) if kind is ActKind.ORDER else office.certify(view=view)
    assert office.take() == []


def test_another_message_of_the_same_sum_is_another_view(office: Office) -> None:
    """Number and sum may be equal, and it is somebody else who would be paid."""
    first = office.pay()
    view = office.show(only=[first.reference])
    other = office.pay()

    with pytest.raises(InputError, match="andere Anordnungen"):
        office.certify(view=view, only=[other.reference])


def test_a_mark_of_somebody_else_is_another_view(office: Office) -> None:
    """Two certifiers at once: the second one sees first what the other one has done."""
    office.pay()
    view = office.show()
    office.certify(person("Kim Kunz", "fachkraft"), kind=ActKind.FACTUAL)

    with pytest.raises(InputError, match="jemand anderes hat inzwischen gezeichnet"):
        office.certify(view=view)


def test_what_is_no_token_is_refused(office: Office) -> None:
    """Nobody signs what they have not seen."""
    office.pay()
    with pytest.raises(InputError, match="kein Kennwert"):
        release.certify(office.house, ROUTE, "egal", CERTIFIER, "geprüft", holders=everybody_known)


def test_sachlich_and_rechnerisch_may_be_two_people(office: Office) -> None:
    """And may be one; the orderer is neither of them."""
    office.pay()
    office.certify(person("Kim Kunz", "fachkraft"), kind=ActKind.FACTUAL)
    assert office.show(ActKind.ORDER).count == 0
    office.certify(person("Jo Jung", "fachkraft"), kind=ActKind.ARITHMETICAL)
    office.order()
    [message] = office.take()

    assert [mark.account for mark in message.marks] == ["kunz", "jung", "anders"]


@pytest.mark.parametrize("account", ["muster", "Muster"])
def test_who_certifies_does_not_order(office: Office, account: str) -> None:
    """Whatever roles one has; and the database says the same, of the same log-in in any spelling."""
    office.pay()
    office.certify()
    both = Approver(Person("Erika Muster", account, How.AIRFLOW), frozenset({"fachkraft", "leitung"}))

    with pytest.raises(InputError, match="Wer bescheinigt hat, ordnet nicht an"):
        office.order(both)
    number = {"ordered": t.approvals.c.factual, "ordered_account": f"airflow:{account}"}
    with pytest.raises(IntegrityError), office.ledger.engine.begin() as connection:
        connection.execute(update(t.approvals).values(**number))
    assert office.take() == []


def test_nothing_is_ordered_before_it_is_certified(office: Office) -> None:
    """The table's constraint, below all functions."""
    office.pay()
    office.certify(kind=ActKind.FACTUAL)
    number = {"ordered": t.approvals.c.factual, "ordered_account": "airflow:anders"}
    with pytest.raises(IntegrityError), office.ledger.engine.begin() as connection:
        connection.execute(update(t.approvals).values(**number))


STRANGERS = {
    "of the machine": (person("Bert Anders", "leitung", how=How.OS), "bei Airflow angemeldet"),
    "without a role": (person("Bert Anders"), "keine Rolle"),
    "with the certifier's role": (person("Bert Anders", "fachkraft"), "keine Rolle"),
    "of another district": (person("Bert Anders", "nachbar"), "keine Rolle"),
    "with a role that is none": (person("Bert Anders", "chefin"), "keine Rolle"),
}


@pytest.mark.parametrize(("who", "says"), STRANGERS.values(), ids=STRANGERS)
def test_who_may_not_order_is_refused(office: Office, who: Approver, says: str) -> None:
    """Airflow's log-in, the process's role, the role's routes: all three."""
    office.pay()
    office.certify()
    with pytest.raises(InputError, match=says):
        office.order(who)
    assert office.take() == []


def test_a_log_in_without_account_is_nobody(office: Office) -> None:
    """A run that the clock has started names nobody."""
    office.pay()
    with pytest.raises(InputError, match="unter welcher Anmeldung"):
        office.certify(Approver(Person("Erika Muster", "", How.AIRFLOW), frozenset({"fachkraft"})))


@pytest.mark.parametrize("reason", ["Rechnung\x07geprüft", "a\nb", " "])
def test_a_reason_is_a_line_of_text(office: Office, reason: str) -> None:
    """It is shown on screens and kept for ever."""
    office.pay()
    with pytest.raises(InputError, match=r"Steuerzeichen|Begründung"):
        release.certify(office.house, ROUTE, office.show().shown, CERTIFIER, reason, holders=everybody_known)


@pytest.mark.parametrize(
    ("payee", "holder"), [("Anders, BERT", "Kiezverein"), ("Kiezverein", "Bert  Ánders"), ("Bert und Ute Anders", "x")]
)
def test_nobody_releases_a_payment_to_themselves(office: Office, payee: str, holder: str) -> None:
    """Neither who has applied nor whose the account is, however the name is written."""
    office.pay(payee=payee, holder=holder)
    office.certify()
    with pytest.raises(InputError, match=r"gibt es nicht selbst frei") as refused:
        office.order()
    assert office.order(person("Kim Kunz", "leitung")) == 1
    assert payee not in refused.value.line()


def test_who_is_paid_certifies_nothing_of_it_either(office: Office) -> None:
    """Payee is none of the three."""
    office.pay(payee="Erika Muster")
    with pytest.raises(InputError, match="gibt es nicht selbst frei"):
        office.certify()


def test_without_the_vault_nobody_releases(office: Office) -> None:
    """Whose account it is cannot be compared then."""
    office.pay()
    view = release.show(office.house, ROUTE, ActKind.CERTIFY, holders=lambda *_: {})

    assert [one.kind for one in view.cautions] == ["unread_holder"]
    with pytest.raises(InputError, match="hier nicht lesbar"):
        release.certify(office.house, ROUTE, view.shown, CERTIFIER, "geprüft", holders=lambda *_: {})


def test_a_role_has_a_limit(office: Office) -> None:
    """So much per payment and no cent more; a role without a limit is bound by the process's alone."""
    office.pay("1000.00")
    large = office.pay("1000.01")
    small = person("Kim Kunz", "anordnung")
    office.certify()

    with pytest.raises(InputError, match=r"1\.000,00 €") as refused:
        office.order(small)
    assert refused.value.where == large.reference
    assert office.order(small, only=[office.drafts[0].reference]) == 1
    assert office.order() == 1


def test_the_process_has_a_limit(office: Office) -> None:
    """`most_per_order`; close to it a person is told to look twice."""
    say(office.house.content, most_per_order=1000)
    near = office.pay("800.01")
    office.pay("800.00")
    office.certify()
    assert _cautions(office, ActKind.ORDER)["near_limit"] == (near.reference,)

    say(office.house.content, most_per_order=800)
    with pytest.raises(InputError, match="800,00 €"):
        office.order()


@pytest.mark.parametrize(
    ("day", "says"),
    [
        (date(2026, 12, 11), "Kassenschluss war am 10.12.2026"),
        (date(2027, 1, 1), "Haushaltsjahr 2026 läuft heute nicht"),
    ],
)
def test_nothing_is_ordered_after_the_cut_off_or_the_year(office: Office, day: date, says: str) -> None:
    """What is left then is for a person, outside."""
    say(office.house.content, order_until=date(2026, 12, 10))
    office.pay()
    office.certify()
    clock.say(day)
    with pytest.raises(InputError, match=says):
        office.order()


def test_an_order_ends_with_the_cut_off(office: Office) -> None:
    """On the last day it holds until midnight, however many days an order holds otherwise."""
    say(office.house.content, order_until=date(2026, 5, 4))
    office.pay()
    office.both()
    with office.ledger.read() as connection:
        until = connection.execute(select(t.releases.c.valid_until).order_by(t.releases.c.id.desc())).scalars().first()

    assert until is not None
    assert until.astimezone(BERLIN).date() == datetime.now(BERLIN).date()


def test_a_blocked_budget_stops_an_order(office: Office) -> None:
    """A freeze between looking and clicking is another view; looked at again it says why not."""
    office.pay()
    office.certify()
    view = office.show(ActKind.ORDER)
    office.desk.grant("1000000", BudgetStatus.BLOCKED)

    with pytest.raises(InputError, match="die Freigabe eines Budgets"):
        office.order(view=view)
    with pytest.raises(InputError, match="Kein freigegebenes Budget: Müggelheim"):
        office.order()


def test_a_freeze_after_the_order_holds_it_back(office: Office) -> None:
    """Ordered, and not gone yet: it waits for a new order, which a person gives when the money is free again."""
    payment = office.pay()
    office.both()
    office.desk.grant("1000000", BudgetStatus.BLOCKED)
    taken = office.take()
    state, points = office.state(payment), [point.reason for point in office.desk.points("unreleased")]
    office.desk.grant("1000000")
    again = office.take()
    office.order()

    assert (taken, again, state) == ([], [], MessageState.HELD)
    assert points == [points[0]]
    assert payment.reference in points[0]
    assert [one.key for one in office.take()] == [payment.identity.key]
    assert office.desk.points("unreleased") == []


def test_a_freeze_after_the_claim_holds_it_back(office: Office) -> None:
    """It is looked at once more directly before the first byte."""
    payment = office.pay()
    office.both()
    run = office.desk.run(PAYMENTS, ROUTE)
    claimed = claims.claim(office.ledger, run)
    office.desk.grant("1000000", BudgetStatus.BLOCKED)
    office_run = claims.begin_sending(office.ledger, run, [message.key for message, _ in claimed])

    assert len(claimed) == 1
    assert office_run == []
    assert office.state(payment) is MessageState.HELD


def test_an_order_runs_out(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """After `release_days` it is void; what was certified stays, and one person orders anew."""
    payment = office.pay()
    office.both()
    monkeypatch.setattr(releases, "now", lambda: datetime.now(UTC) + timedelta(days=3, seconds=1))
    taken = office.take()
    monkeypatch.undo()

    assert taken == []
    assert office.state(payment) is MessageState.HELD
    assert office.order() == 1
    assert len(office.take()) == 1


def test_housekeeping_tells_that_an_order_has_run_out(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where no run comes: its owner hears of it."""
    payment = office.pay()
    office.both()
    assert pipeline.housekeeping(office.house).get("void") is None
    monkeypatch.setattr(releases, "now", lambda: datetime.now(UTC) + timedelta(days=3, seconds=1))
    counts = pipeline.housekeeping(office.house)

    assert counts["void"] == 1
    assert office.state(payment) is MessageState.HELD
    assert [point.owner for point in office.desk.points("unreleased")] == ["spk-tk"]


def test_a_stored_carrier_waits_for_its_voided_message(office: Office) -> None:
    """Its bytes hold both payments: they go when both may, with the same bytes, and once."""
    first, second = office.pay(), office.pay("20")
    office.both()
    run = office.desk.run(PAYMENTS, ROUTE)
    batch, _ = _batch(office, run)
    office.desk.grant("1000000", BudgetStatus.BLOCKED)
    nothing = claims.begin_sending(office.ledger, run, [first.identity.key, second.identity.key], batch.head.id)
    office.desk.grant("1000000")
    office.order(only=[first.reference])
    run = office.desk.run(PAYMENTS, ROUTE)
    half, carried = _batch(office, run)
    still = claims.begin_sending(office.ledger, run, [message.key for message in carried], half.head.id)
    office.order()
    run = office.desk.run(PAYMENTS, ROUTE)
    whole, carried = _batch(office, run)
    going = claims.begin_sending(office.ledger, run, [message.key for message in carried], whole.head.id)

    assert (nothing, still) == ([], [])
    assert (whole.head.id, whole.payload) == (batch.head.id, batch.payload)
    assert {*going} == {first.identity.key, second.identity.key}


def test_what_is_on_a_carrier_is_not_held_back_alone(office: Office) -> None:
    """Whether the carrier has arrived nobody knows; refusing one of its messages would be a guess."""
    payment = office.pay()
    office.both()
    run = office.desk.run(PAYMENTS, ROUTE)
    _batch(office, run)
    office.desk.grant("1000000", BudgetStatus.BLOCKED)
    claims.begin_sending(office.ledger, run, [payment.identity.key])

    with pytest.raises(InputError, match="schon in der Lieferung"):
        release.hold_back(office.house, ROUTE, payment.reference, ORDERER, "falsch")


def test_after_a_restored_backup_a_person_looks_before_anybody_releases(office: Office) -> None:
    """The backup is from before the order: the payment may have been sent since. Nobody can order it unseen."""
    payment = office.pay()
    office.certify()
    run = office.desk.run(PAYMENTS, ROUTE)
    assert takeover.hold_for_a_person(office.ledger, run, [payment.identity.key], "spk-tk") == 1
    assert (office.show().count, office.show(ActKind.ORDER).count) == (0, 0)

    [point] = office.desk.points("present")
    who = Person("Kim Kunz", "kunz", How.OS)
    attention.decide(office.ledger, point, "liegt_nicht_vor", person=who, reason="nachgesehen")
    assert office.take() == []
    assert office.order() == 1
    assert len(office.take()) == 1


def test_a_void_order_that_is_withdrawn_asks_nobody_any_more(office: Office) -> None:
    """The decision was corrected meanwhile: the point has healed."""
    payment = office.pay()
    office.both()
    office.desk.grant("1000000", BudgetStatus.BLOCKED)
    assert office.take() == []
    assert len(office.desk.points("unreleased")) == 1
    claims.withdraw(office.ledger, office.desk.run(PAYMENTS, ROUTE), [payment.identity.key])

    assert office.state(payment) is MessageState.REFUSED
    assert office.desk.points("unreleased") == []


def test_held_back_is_refused_and_told(office: Office) -> None:
    """It never leaves, the money of its order is free for another one, and a point says so."""
    payment = office.pay()
    with pytest.raises(InputError, match="keine Rolle"):
        release.hold_back(office.house, ROUTE, payment.reference, person("Jo Jung", "chefin"), "falsch")
    release.hold_back(office.house, ROUTE, payment.reference, CERTIFIER, "falsche Summe")
    with pytest.raises(InputError, match="keine solche Nachricht"):
        release.hold_back(office.house, ROUTE, payment.reference, CERTIFIER, "falsche Summe")

    assert office.state(payment) is MessageState.REFUSED
    assert [payment.reference in point.reason for point in office.desk.points("refused")] == [True]
    assert office.acts() == [("zurueckhalten", "airflow:muster", 1, 85000)]
    assert office.show().count == 0


def test_the_same_account_and_sum_within_sixty_days(office: Office) -> None:
    """The most frequent way in which somebody is paid twice."""
    first, second = office.pay(), office.pay()
    office.pay("850.01")
    office.pay(account="b")

    assert _cautions(office)["same_payment"] == (first.reference, second.reference)


def test_a_known_applicant_with_a_new_account(office: Office) -> None:
    """Somebody may have changed the account in a mail."""
    office.pay()
    office.both()
    office.take()
    other = office.pay("20", account="b", holder="Rita Roe")
    office.pay("30", payee="Kim Kunz")

    assert _cautions(office)["new_account"] == (other.reference,)


def test_a_holder_with_another_name(office: Office) -> None:
    """Yes or no: neither of the names is shown."""
    other = office.pay(payee="Rita Roe", holder="Kim Kunz")
    office.pay("20", payee="Dr. Röe, Rita", holder="RITA ROEE Dr")
    office.pay("30", payee="Röe, Rita", holder="rita roee")
    view = office.show()

    assert _cautions(office)["other_name"] == (other.reference,)
    assert not {"Rita", "Kunz", "Roe"} & set(re.findall(r"\w+", view.model_dump_json()))


def test_a_single_payment_as_a_file_needs_vop(office: Office) -> None:
    """Of a collective file the payer may waive it; of a single payment nobody can."""
    say(office.house.content, channel="pain")
    office.pay(channel="pain")
    single = _cautions(office)
    office.pay("20", channel="pain")

    assert "single_payment" in single
    assert "single_payment" not in _cautions(office)


def test_due_after_the_cut_off(office: Office) -> None:
    """Ordered in time, paid too late."""
    say(office.house.content, order_until=date(2026, 5, 31))
    late = office.pay()

    assert _cautions(office)["after_cut_off"] == (late.reference,)


def test_a_route_without_four_eyes_has_nothing_to_release(office: Office) -> None:
    with pytest.raises(InputError, match="verlangt keine Freigabe"):
        release.show(office.house, "kk-tk-eakte", ActKind.ORDER)


def test_a_route_that_asks_for_no_release_any_more_sends_nothing_unreleased(office: Office) -> None:
    """What was stored with the need of marks keeps it, whatever the file says later."""
    office.pay()
    change_route(office.house.content, ROUTE, release="none")

    assert office.take() == []


TAMPERED = {
    "a byte": lambda c: c.execute(update(t.message_bytes).values(payload=b"<zahlung>9</zahlung>")),
    "the digest": lambda c: c.execute(update(t.messages).values(sha256="f" * 64)),
    "the sum": lambda c: c.execute(update(t.messages).values(amount_cents=1)),
    "the order's account": lambda c: c.execute(update(t.orders).values(account="x-Rita Roe")),
    "who has certified": lambda c: c.execute(update(t.approvals).values(factual_account="airflow:jung")),
    "the budget": lambda c: c.execute(update(t.budgets).values(title="99999")),
}


@pytest.mark.tampers
@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED)
def test_what_was_changed_behind_our_back_is_not_ordered(office: Office, change: Any) -> None:
    """Looked at afterwards, so the view is the changed one: the evidence refuses it."""
    office.pay()
    office.certify()
    with office.ledger.engine.begin() as connection:
        change(connection)
    with pytest.raises(InputError, match="an der Software vorbei verändert"):
        office.order()
    assert office.acts() == [("bescheinigen", "airflow:muster", 1, 85000)]


@pytest.mark.tampers
def test_a_byte_changed_after_the_order_does_not_leave(office: Office) -> None:
    office.pay()
    office.both()
    with office.ledger.engine.begin() as connection:
        connection.execute(update(t.message_bytes).values(payload=b"<zahlung>9</zahlung>"))

    assert office.take() == []
    assert [point.kind for point in office.desk.points("altered")] == ["altered"]


FORGED = {
    "a mark put in": lambda c: c.execute(
        update(t.approvals).values(ordered=t.approvals.c.factual, ordered_account="airflow:anders")
    ),
    "the row taken away": lambda c: c.execute(delete(t.approvals)),
}


@pytest.mark.tampers
@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_forged_release_is_refused_and_named(office: Office, forge: Any) -> None:
    """Whoever may write into the database writes a mark, and sets the message free: nothing leaves, verify names it."""
    payment = office.pay()
    office.certify()
    with office.ledger.engine.begin() as connection:
        forge(connection)
        connection.execute(update(t.messages).values(state="waiting"))

    assert office.take() == []
    broken = "\n".join(evidence.verify(office.ledger).broken)
    assert f"approval:{payment.identity.key}" in broken


@pytest.mark.tampers
def test_an_order_made_longer_is_named(office: Office) -> None:
    """`valid_until` stands in a sealed row."""
    office.pay()
    office.both()
    with office.ledger.engine.begin() as connection:
        connection.execute(update(t.releases).values(valid_until=datetime(2099, 1, 1, tzinfo=UTC)))

    assert "release:" in "\n".join(evidence.verify(office.ledger).broken)


def _cautions(office: Office, kind: ActKind = ActKind.CERTIFY) -> dict[str, tuple[str, ...]]:
    return {one.kind: one.references for one in office.show(kind).cautions}


def _batch(office: Office, run: Run) -> tuple[Batch, list[Message]]:
    found = claims.claim_batch(
        office.ledger,
        run,
        lambda _, some, __: ("f", b"+".join(message.payload for message in some)),
        year=2026,
        test=False,
        full_list=False,
    )
    assert found is not None
    return found
