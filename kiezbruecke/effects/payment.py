"""`payment.*`, `refund.claim`: what was granted is ordered to be paid; what was not spent of it is claimed back.

    grant final, account known, commitment booked ─▶ order ─▶ (two people) ─▶ sent ─▶ booked ─▶ paid
    taken back before it was paid                 ─▶ cancel: only their AUFGEHOBEN makes the money free
    the same over a bank, which takes no cancel   ─▶ a person calls; the bank's word, or theirs, settles it
    came back (other account data, or a person)   ─▶ order, with the next number
    proven less than paid                         ─▶ claim the difference

An order's amount, payee and account never change: what is wrong is cancelled, and ordered anew with the next number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial

from pydantic import BaseModel

from kiezbruecke.cases.grants import Grant, grant_of, payment_of, refund_due, refund_of
from kiezbruecke.cases.join import Standing
from kiezbruecke.cases.timeline import booked
from kiezbruecke.effects.effect import Due, DueCase, Effect, FollowUp, Waits, digest, is_held
from kiezbruecke.effects.lane import Lane
from kiezbruecke.german import day, euros
from kiezbruecke.ledger import MessageState, orders
from kiezbruecke.ledger.draft import OrderTerms
from kiezbruecke.ledger.reading import MessageHead, StoredOrder
from kiezbruecke.ledger.states import UNSETTLED, WITHDRAWN
from kiezbruecke.ledger.todo import Answer
from kiezbruecke.records import SEPA, GrantState, OrderState, Payments
from kiezbruecke.records.views import PayeeView, PaymentView, StoryKind

REFUND_DAYS = 30  # so long the payee has to pay back


def payment(standing: Standing, lane: Lane) -> Due | FollowUp | Waits | None:
    """One order per final grant; whatever is said later of an issued one cancels it, or asks a person."""
    terms = standing.process.payments
    sent = lane.sent(standing)
    grant, live = grant_of(standing, lane.today), payment_of(standing)
    if terms is None or grant is None or _is_elsewhere(standing, lane, live):
        return None
    if live is not None and live.channel == SEPA and live.state is OrderState.SENT and not lane.test:
        return _recall(standing, grant, live)
    if _is_busy(lane, sent):
        return None
    if live is not None:
        return _correction(standing, lane, grant, live)
    if not _may_be_paid(standing, lane, grant):
        return None
    return _why_not(standing, lane, grant, terms) or _order(standing, lane, grant, terms, sent)


def refund(standing: Standing, lane: Lane) -> Due | FollowUp | Waits | None:
    """The difference between what was paid and what was proven, once."""
    terms, sent = standing.process.payments, lane.sent(standing)
    grant, paid, back = grant_of(standing, lane.today), payment_of(standing), refund_of(standing)
    if terms is None or grant is None or paid is None or standing.shaken or _is_busy(lane, sent):
        return None
    amount = refund_due(standing, grant.settlement)
    if back is not None:
        return _other_refund(standing, back, amount) if amount != back.amount else None
    if not amount or lane.name in standing.case.baselines:
        return None
    if reason := "; ".join(grant.problems) or _out_of_time(standing, lane, terms):
        return Waits(f"Zurückzufordern sind {euros(amount)}. {reason}")
    basis = CLAIM.basis_of(standing, amount)
    given = OrderTerms("refund", terms.channel, lane.today + timedelta(days=REFUND_DAYS))
    related = None if paid.channel == SEPA else paid.reference  # the budget system does not know what a bank has paid
    due = Due(CLAIM, lane.next_number(standing), basis, amount, related, order=given)
    return None if lane.is_refused(sent, basis) else due


def _is_busy(lane: Lane, sent: list[MessageHead]) -> bool:
    """One order of a case is on its way at a time; and a test moves no money."""
    if lane.test or any(message.state in UNSETTLED for message in sent):
        return True
    return any(str(message.key) in lane.blocked for message in sent)


def _is_elsewhere(standing: Standing, lane: Lane, live: StoredOrder | None) -> bool:
    """Whether the live order went to another destination than this lane's: that one's lane corrects it."""
    if live is None:
        return False
    return any(one.key == live.key and one.destination != lane.destination for one in standing.case.messages)


def overtaken(standing: Standing, message: MessageHead, lane: Lane) -> bool:
    """Whether an order that waits, or is not released yet, is another than would be written now."""
    ordered = next((one for one in standing.case.orders if one.key == message.key), None)
    grant = grant_of(standing, lane.today)
    if message.effect != ORDER.name or ordered is None or grant is None:
        return False
    return bool(grant.problems or _differs(standing, grant, ordered)) or grant.state is not GrantState.FINAL


def _cancel_overtaken(standing: Standing, message: MessageHead, lane: Lane) -> bool:
    """Whether what a person was to cancel holds again, or is paid already."""
    grant, live = grant_of(standing, lane.today), payment_of(standing)
    if live is None or live.reference != message.related_reference or live.state is not OrderState.BOOKED:
        return True
    return grant is not None and not _differs(standing, grant, live)


def _claim_overtaken(standing: Standing, message: MessageHead, lane: Lane) -> bool:
    """Whether another sum is to be claimed than the one that waits, or none."""
    grant = grant_of(standing, lane.today)
    if grant is None:
        return False
    return bool(grant.problems) or refund_due(standing, grant.settlement) * 100 != message.amount_cents


def _may_be_paid(standing: Standing, lane: Lane, grant: Grant) -> bool:
    """It is granted for good, nothing contradicts it, and the budget system holds exactly this sum for it."""
    if grant.state is not GrantState.FINAL and not grant.problems:
        return False
    return standing.grants and not standing.disagreements and booked(standing) and lane.may_begin(standing)


def _why_not(standing: Standing, lane: Lane, grant: Grant, terms: Payments) -> Waits | None:
    """What holds back money that is due otherwise, in one German sentence."""
    application = grant.application
    if grant.problems:
        return Waits("; ".join(grant.problems))
    if application is None or not application.account:
        return Waits("Für die Auszahlung fehlt die Bankverbindung; bitte in der Antragsliste nachtragen")
    if terms.most_per_order is not None and standing.amount > terms.most_per_order:
        return Waits(f"Der Betrag {euros(standing.amount)} ist größer als {euros(terms.most_per_order)} je Anordnung")
    reason = _out_of_time(standing, lane, terms) or _needs_an_answer(standing, lane, application.account)
    return Waits(reason) if reason else None


def _needs_an_answer(standing: Standing, lane: Lane, account: str) -> str:
    """Why the last order is followed by another one only if a person says so."""
    last = next((one for one in reversed(standing.case.orders) if one.kind == "payment"), None)
    if last is None or str(last.key) in lane.resend:
        return ""
    if last.state is OrderState.BOUNCED and last.account == account:
        return f"{last.reference} ist zurückgekommen; es fehlt eine neue Bankverbindung oder Ihre Antwort"
    if _cancelled_there(standing, lane, last):
        return f"{last.reference} wurde im HKR aufgehoben, ohne dass es verlangt war; es fehlt Ihre Antwort"
    return ""


def _cancelled_there(standing: Standing, lane: Lane, last: StoredOrder) -> bool:
    """Whether somebody has cancelled it there by hand: only a person knows why, and whether it shall be paid at all."""
    if last.state is not OrderState.CANCELLED:
        return False
    return not any(
        (one.key == last.key and one.state is MessageState.REFUSED)  # taken back before it left
        or (one.related_reference == last.reference and one.state is MessageState.CONFIRMED)
        for one in lane.sent(standing)
    )


def _out_of_time(standing: Standing, lane: Lane, terms: Payments) -> str:
    """Why an order is too late, if so: nothing crosses cut-off or year's end without a person (§§ 45, 72 LHO)."""
    year = standing.process.fiscal_year
    if lane.today.year != year:
        return (
            f"Das Haushaltsjahr {year} ist vorbei oder hat noch nicht begonnen; bitte im HKR von Hand anordnen "
            "und den Fall hier als erledigt melden"
        )
    if terms.order_until is not None and lane.today > terms.order_until:
        return f"Der Annahmeschluss der Kasse war am {day(terms.order_until)}; bitte von Hand anordnen"
    return ""


def _order(standing: Standing, lane: Lane, grant: Grant, terms: Payments, sent: list[MessageHead]) -> Due | None:
    assert grant.application is not None
    account = grant.application.account
    basis = digest(ORDER.basis_of(standing), account)
    if lane.is_refused(sent, basis):
        return None
    given = OrderTerms("payment", terms.channel, lane.today, account=account)
    return Due(ORDER, lane.next_number(standing), basis, standing.amount, order=given)


def _correction(standing: Standing, lane: Lane, grant: Grant, live: StoredOrder) -> Due | FollowUp | None:
    """What becomes of an order that is on its way or done, where what it says does not hold any more."""
    wrong = _differs(standing, grant, live)
    if standing.shaken:
        return None
    if not wrong:
        return _contradicted(standing, grant, live)
    if live.state is OrderState.BOOKED:
        number, basis = lane.next_number(standing), digest(CANCEL.basis_of(standing, live.amount), live.reference)
        last = lane.sent(standing)[-1:]
        refused = last and last[0].effect == CANCEL.name and last[0].state is MessageState.REFUSED
        if refused and last[0].note != WITHDRAWN:
            return _by_hand(standing, live, f"Die Aufhebung wurde abgewiesen; {wrong}")
        return Due(CANCEL, number, basis, live.amount, live.reference)
    if live.state is OrderState.PAID:
        return _by_hand(standing, live, f"Ausgezahlt ist schon; {wrong}. Bitte von Hand klären, was zu tun ist")
    return None


def _recall(standing: Standing, grant: Grant, live: StoredOrder) -> FollowUp | None:
    """A file that was handed over takes nothing back: a person stops the payment there, or hears that it is too late.

    The bank's word settles it, whatever it is. Where the cash office never let the file go, only the person knows.
    """
    wrong = "" if standing.shaken else _differs(standing, grant, live)
    if not wrong:
        return None if standing.shaken else _contradicted(standing, grant, live)
    what = (
        f"{wrong}. Die SEPA-Datei ist übergeben. Bitte sofort bei Kasse und Bank anrufen und die Zahlung anhalten "
        "lassen; die Rückmeldung der Bank erledigt den Punkt. Kommt keine, weil nichts ausgeführt wurde: „storniert“"
    )
    return replace(_by_hand(standing, live, what), answers=(Answer.TAKEN_BACK, Answer.DONE), message=live.key)


def _contradicted(standing: Standing, grant: Grant, live: StoredOrder) -> FollowUp | None:
    """A sheet that says something else without saying that it corrects stops no issued order; a person hears of it."""
    if not grant.problems or live.state not in (OrderState.SENT, OrderState.BOOKED):
        return None
    return _by_hand(standing, live, f"Angeordnet ist schon; {'; '.join(grant.problems)}")


def _differs(standing: Standing, grant: Grant, ordered: StoredOrder) -> str:
    """What of an order does not hold any more, in German; empty where all does."""
    if not standing.grants:
        return "der Beschluss bewilligt nicht mehr"
    if ordered.amount != standing.amount:
        return f"bewilligt sind jetzt {euros(standing.amount)}"
    commitment = standing.case.commitment
    if commitment is not None and commitment.area_id != standing.area_id:
        return "die Bezirksregion ist eine andere"
    if grant.application is None:
        return ""
    return "die Bankverbindung ist eine andere" if grant.application.account != ordered.account else ""


def _by_hand(standing: Standing, live: StoredOrder, what: str) -> FollowUp:
    text = f"{standing.case.reference} ({live.reference}, {euros(live.amount)}): {what}"
    return FollowUp(text, digest("order", live.reference, what))


def _other_refund(standing: Standing, back: StoredOrder, amount: Decimal) -> FollowUp:
    what = f"zurückzufordern sind {euros(amount)}, gefordert wurden {euros(back.amount)}; bitte im HKR berichtigen"
    return FollowUp(f"{standing.case.reference} ({back.reference}): {what}", digest("refund", back.reference, what))


def _views(of: DueCase) -> Mapping[str, BaseModel]:
    """The order, and whose account it goes to where the vault has told it."""
    standing, due, process = of.standing, of.due, of.process
    assert due.amount is not None
    commitment = standing.case.commitment
    ordered = next((one for one in standing.case.orders if one.reference == of.message.reference), None)
    related = next((one for one in standing.case.orders if one.reference == due.related_reference), None)
    about = due.order or ordered or related
    assert about is not None
    view = PaymentView(
        reference=of.message.reference,
        related_reference=due.related_reference,
        commitment_reference=commitment.reference if commitment else "",
        voucher=of.message.voucher,
        instalment=about.instalment,
        amount=due.amount,
        due_on=about.due_on,
        fiscal_year=process.fiscal_year,
        purpose=f"{process.label} {of.message.reference}",
        grounds=f"{process.label} {standing.area_name}",
    )
    return {"payment": view, **({"payee": of.payee} if of.payee is not None else {})}


_BASIS = ("effect.name", "cents", "standing.area_id", "standing.budget_line")
_MODELS: Mapping[str, type[BaseModel]] = {"payment": PaymentView, "payee": PayeeView}
_moving_money = partial(  # what all orders have in common: nobody sends one alone
    Effect,
    partner="Das HKR",
    basis=_BASIS,
    takes_voucher=True,
    must_be_released=True,
    first_state=is_held,
    views=_views,
)
ORDER = _moving_money(
    name="payment.order",
    letter="Z",
    title="Auszahlung anordnen",
    place="zur Auszahlung",
    will="{amount} werden zur Auszahlung vorgelegt; sie gehen erst nach den Unterschriften hinaus",
    rule="payment",
    due=payment,
    confidential=True,
    outdated=overtaken,
    hold=orders.hold_payments,
    follow=orders.follow,
    hear=orders.settle,
    view_models=_MODELS,
)
CANCEL = _moving_money(
    name="payment.cancel",
    letter="Z",
    title="Auszahlung aufheben",
    will="die Auszahlung über {amount} wird zur Aufhebung vorgelegt",
    confidential=True,
    outdated=_cancel_overtaken,
    follow=orders.follow_cancels,
    view_models=_MODELS,
)
CLAIM = _moving_money(
    name="refund.claim",
    letter="R",
    title="Rückforderung",
    place="zur Rückforderung",
    will="{amount} werden zur Rückforderung vorgelegt",
    happened=(StoryKind.CHANGED, "Nicht verwendetes Geld wird zurückgezahlt: {amount}."),
    rule="refund",
    due=refund,
    outdated=_claim_overtaken,
    hold=orders.hold_refunds,
    follow=orders.follow,
    hear=orders.settle,
    view_models={"payment": PaymentView},
)
EFFECTS = (ORDER, CANCEL, CLAIM)
