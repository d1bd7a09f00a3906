"""The target: builds a batch from stored orders, posts its bytes, turns their word into a receipt per order.

accepted, or there already ─▶ delivered      named in a message ─▶ refused      unclear ─▶ doubt: ask
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from connectors._soap import Fault
from connectors.hkr import contract
from connectors.hkr.client import UNCLEAR, Balance, Contradiction, Hkr, KnownOrder, OrderOutcome, Taken, describe
from connectors.hkr.contract import Order
from connectors.hkr.settings import Settings
from kiezbruecke.connector import (
    Answer,
    Batch,
    BatchHead,
    CannotTell,
    Connection,
    Context,
    Found,
    Message,
    NotThere,
    TheirOrder,
    TheirStand,
)
from kiezbruecke.errors import AlreadyUsed, NotSent, RecordError, shown
from kiezbruecke.records import Receipt, ReceiptOutcome
from kiezbruecke.standards.store import parse

ALREADY_BOOKED = "DOPPELT"
"""Their code for: this very order is here already, from another batch. Its effect holds: no refusal."""

USED_ID = "STAPEL"
"""Their code for: under this StapelId another batch arrived before. Ours are unique, so we have forgotten one."""

QUESTIONS = 500
"""At most so many in one FrageAnordnungen."""

EFFECTS = {
    "FESTLEGUNG": "commitment.book",
    "FESTLEGUNG_AENDERUNG": "commitment.change",
    "FESTLEGUNG_AUFHEBUNG": "commitment.cancel",
    "AUSZAHLUNG": "payment.order",
    "AUSZAHLUNG_AUFHEBUNG": "payment.cancel",
    "ANNAHME": "refund.claim",
}
BOOKED = ("FESTGELEGT", "AUFGEHOBEN", "GEBUCHT", "BEZAHLT", "EINGEGANGEN", "RUECKLAEUFER")
"""The last answers of which each proves that the order was booked; what came back was paid before."""

_ONLY_1_0 = (
    "the HKR system speaks hkr 1.0, which carries commitments only; payments need hkr 1.1 (schemas/hkr/1.0/README.md): "
    "ask its operator, or pay by another channel"
)
_KNOWN = ("ANGENOMMEN", "TEILWEISE", "ABGEWIESEN")


class HkrTarget:
    """An HKR system as the target of commitments, payments and claims (BatchTarget); also asked for its balances."""

    def __init__(self, connection: Connection, context: Context) -> None:
        self.settings = Settings.from_connection(connection)
        self._content = context.content
        self._client = Hkr(self.settings, context.content)
        self._pays = False

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()

    def compose(
        self,
        head: BatchHead,
        messages: Sequence[Message],
        standing: Sequence[Message],  # noqa: ARG002 - no full list here
    ) -> tuple[str, bytes]:
        """File name and bytes of the batch, valid by the contract; raises RecordError naming the order."""
        orders = [_order(message) for message in messages]
        _refuse_twins(orders)
        body = contract.write_batch(
            head,
            orders,
            dienststelle=self.settings.dienststelle,
            vorverfahren=self.settings.vorverfahren,
        )
        for order in orders:
            self._check(head, order)
        self._valid(body, f"Stapel {head.id}")
        return f"{head.id}.xml", body

    def send(self, batch: Batch, messages: Sequence[Message]) -> Mapping[UUID, Receipt]:
        """Post the stored bytes; raises NotSent, Rejected, or anything else for doubt."""
        orders = contract.read_batch(batch.payload)  # before the first byte leaves: later it could only be doubt
        if any(order.moves_money for order in orders.values()):
            self._must_pay()
        taken = self._client.submit(batch.payload)
        return self._receipts(messages, orders, taken, _first_word(batch, taken, orders))

    def _must_pay(self) -> None:
        """Whether they speak 1.1 is asked once per target, before the first payment; raises NotSent where they do not.

        After a restored backup a system of 1.0 could not be asked whether a payment is there. An unclear answer is
        raised as it is: the batch will be asked after, and proven not to be there.
        """
        if self._pays:
            return
        try:
            self._client.stand()
        except Fault as fault:
            if fault.role == "Client.SCHEMA":
                raise NotSent("No payment was sent", where=self.settings.url, helps=_ONLY_1_0) from fault
            raise
        self._pays = True

    def look_up(self, batch: Batch, messages: Sequence[Message]) -> Mapping[UUID, Answer]:
        """Ask what became of the batch. UNBEKANNT is their proof that it never arrived."""
        try:
            taken = self._client.batch_status(batch.head.id)
            return self._found(batch, messages, taken)
        except (*UNCLEAR, Contradiction) as error:
            return _all(messages, CannotTell(f"{type(error).__name__}: {describe(error)}"))

    def balances(self, fiscal_year: int) -> tuple[Balance, ...]:
        """What their own books say of a year. Raises if they cannot be read whole; nothing is guessed."""
        return self._client.balances(fiscal_year)

    def stand(self) -> TheirStand:
        """The last batch they have of us. Raises where they speak the first version of the contract."""
        last, highest = self._client.stand()
        return TheirStand(last, highest)

    def orders(self, beginnings: Sequence[str]) -> Sequence[TheirOrder]:
        """What they have under Fremdkennzeichen that begin so, 500 questions in a call; NotImplementedError by 1.0."""
        asked = list(dict.fromkeys(beginnings))
        pieces = [asked[start : start + QUESTIONS] for start in range(0, len(asked), QUESTIONS)]
        found = {order.reference: order for piece in pieces for order in self._ask_for(piece)}
        return [self._as_they_have_it(order) for order in found.values()]

    def _ask_for(self, beginnings: Sequence[str]) -> Sequence[KnownOrder]:
        try:
            return self._client.orders(beginnings)
        except Fault as fault:
            if fault.role == "Client.SCHEMA":
                raise NotImplementedError("FrageAnordnungen is a question of hkr 1.1") from fault
            raise

    def _as_they_have_it(self, order: KnownOrder) -> TheirOrder:
        """Booked, accepted and not booked yet, or refused. An event that we do not know proves nothing."""
        if order.kind not in EFFECTS:
            raise Contradiction("they have an order of a kind that was never sent")
        event = order.answer.body["Ereignis"] if order.answer else ""
        if order.accepted and event not in ("", "ABGEWIESEN", *BOOKED):
            raise Contradiction("the last answer to an order has an unknown Ereignis")
        outcome = ReceiptOutcome.CONFIRMED if event in BOOKED else ReceiptOutcome.DELIVERED
        refused = not order.accepted or event == "ABGEWIESEN"
        code = order.answer.body.get("Grundcode", "") if order.answer else order.code
        came_back = event == "RUECKLAEUFER"  # no complaint about the order: it was carried out
        receipt = Receipt(
            source=self.settings.connection,
            external_id=f"{order.batch_id}/{order.reference}",
            outcome=ReceiptOutcome.REFUSED if refused else outcome,
            event=event or ("ANGENOMMEN" if order.accepted else "ABGEWIESEN"),
            reference=order.reference,
            amount=contract.money(order.cents),
            code="" if came_back else code,
            text=code if came_back else "",
            remote_id=order.answer.body.get("HkrBelegnummer", "") if order.answer else "",
        )
        return TheirOrder(
            reference=order.reference,
            effect=EFFECTS[order.kind],
            amount=contract.money(order.cents),
            area=order.area,
            fiscal_year=order.year,
            receipt=receipt,
            raw=order.raw,
            test=order.test,
            related_reference=order.related or None,
            voucher=order.voucher,
        )

    def _found(self, batch: Batch, messages: Sequence[Message], taken: Taken) -> Mapping[UUID, Answer]:
        _same_batch(batch, taken)
        if taken.status == "UNBEKANNT":
            return _all(messages, NotThere())
        if taken.status not in _KNOWN:
            return _all(messages, CannotTell(f"HKR: {shown(taken.status)}"))
        orders = contract.read_batch(batch.payload)
        receipts = self._receipts(messages, orders, taken, _later_word(taken, orders))
        return {key: Found(receipt) for key, receipt in receipts.items()}

    def _receipts(
        self,
        messages: Sequence[Message],
        orders: Mapping[str, Order],
        taken: Taken,
        verdict: Mapping[str, OrderOutcome],
    ) -> dict[UUID, Receipt]:
        return {
            message.key: self._receipt(message, orders[message.reference], taken, verdict[message.reference])
            for message in messages
            if message.reference in orders
        }

    def _receipt(self, message: Message, order: Order, taken: Taken, line: OrderOutcome) -> Receipt:
        refused = line.code not in ("", ALREADY_BOOKED)
        return Receipt(
            source=self.settings.connection,
            external_id=f"{taken.batch_id}/{message.reference}",
            outcome=ReceiptOutcome.REFUSED if refused else ReceiptOutcome.DELIVERED,
            event="ABGEWIESEN" if refused else taken.status,
            key=message.key,
            reference=message.reference,
            amount=contract.money(order.cents),
            code=line.code,
            text=line.text,
            remote_id=taken.remote_id,
            warning=line.code == ALREADY_BOOKED,
        )

    def _check(self, head: BatchHead, order: Order) -> None:
        """What the schema cannot say: duties per kind, and that the order belongs to the batch's year."""
        where = f"Anordnung {order.reference}"
        if name := contract.missing_duty(order):
            raise RecordError(f"{name} fehlt", where=where, helps=f"Pflicht bei {order.kind}")
        if contract.text(order.element, "Buchungsstelle/Haushaltsjahr") != str(head.fiscal_year):
            raise RecordError("gehört nicht in das Haushaltsjahr des Stapels", where=where)

    def _valid(self, body: bytes, where: str) -> None:
        violation = contract.first_violation(self._content, parse(body, where))
        if violation:
            raise RecordError(f"entspricht nicht dem Vertrag hkr 1.1: {violation}", where=where)


def _order(message: Message) -> Order:
    """A message's order with its marks; its Fremdkennzeichen must be the message's, or no answer would find back."""
    order = Order.parse(message.payload, f"Nachricht {message.reference}")
    if order.reference != message.reference:
        raise RecordError(
            "das Fremdkennzeichen der Anordnung ist nicht das der Nachricht",
            where=f"Nachricht {message.reference}",
        )
    if order.moves_money:
        contract.add_marks(order, message.marks)
    return order


def _refuse_twins(orders: Sequence[Order]) -> None:
    seen: set[str] = set()
    for order in orders:
        if order.reference in seen:
            raise RecordError("steht zweimal im Stapel", where=f"Anordnung {order.reference}")
        seen.add(order.reference)


# -- what their word says about every order of the batch -----------------------------------------------------


def _first_word(batch: Batch, taken: Taken, orders: Mapping[str, Order]) -> dict[str, OrderOutcome]:
    """A line per order from the answer to a transmission; raises Contradiction if its sums do not hold."""
    _same_batch(batch, taken)
    if taken.status == "ABGEWIESEN" and taken.reason and taken.reason.code == USED_ID:
        raise AlreadyUsed("another batch was sent under this StapelId before", where=batch.head.id)
    if taken.status not in (*_KNOWN, "BEREITS_VORHANDEN"):
        raise Contradiction("the batch has an unknown Status")
    named = {line.reference: line for line in taken.lines}
    if len(named) != len(taken.lines) or not named.keys() <= orders.keys():
        raise Contradiction("the answer names an order twice, or one that is not in the batch")
    if taken.status == "ABGEWIESEN":
        reason = taken.reason or OrderOutcome("", taken.status)
        named = {ref: named.get(ref, OrderOutcome(ref, reason.code, reason.text)) for ref in orders}
    verdict = {reference: named.get(reference, OrderOutcome(reference)) for reference in orders}
    return _checked(taken, orders, verdict)


def _later_word(taken: Taken, orders: Mapping[str, Order]) -> dict[str, OrderOutcome]:
    """A line per order from the answer to a question; raises Contradiction if it is not about all of them."""
    verdict = {line.reference: line for line in taken.lines}
    if len(verdict) != len(taken.lines) or verdict.keys() != orders.keys():
        raise Contradiction("the lines of the answer are not the orders of the batch")
    return _checked(taken, orders, verdict)


def _checked(taken: Taken, orders: Mapping[str, Order], verdict: dict[str, OrderOutcome]) -> dict[str, OrderOutcome]:
    """Accepted and refused must together be the batch, in count and to the cent."""
    accepted = [orders[reference] for reference, line in verdict.items() if not line.code]
    if taken.count != len(accepted):
        raise Contradiction(f"AnzahlAngenommen is {taken.count}, by its messages it must be {len(accepted)}")
    if taken.cents != sum(order.cents for order in accepted):
        raise Contradiction("SummeAngenommen is not the sum of the orders that were accepted")
    return verdict


def _same_batch(batch: Batch, taken: Taken) -> None:
    if taken.batch_id != batch.head.id:
        raise Contradiction("the answer is about another batch")


def _all(messages: Iterable[Message], answer: Answer) -> dict[UUID, Answer]:
    return {message.key: answer for message in messages}
