"""Asks a destination what it has under our Fremdkennzeichen, and writes that down as messages of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal
from uuid import UUID

from kiezbruecke import clock
from kiezbruecke.cases.grants import line_that_counts
from kiezbruecke.cases.join import Standing
from kiezbruecke.connector import HasOrders, TheirOrder
from kiezbruecke.effects import effect
from kiezbruecke.ledger.draft import Draft, Identity, OrderTerms
from kiezbruecke.ledger.money import cents
from kiezbruecke.ledger.takeover import Theirs
from kiezbruecke.records.identity import fremdkennzeichen
from kiezbruecke.stages.work import Sending

_NUMBER = re.compile(r"(?<=[A-Z])(\d+)$")
_KINDS: Mapping[str, Literal["payment", "refund"]] = {"payment.order": "payment", "refund.claim": "refund"}
UNKNOWN_ACCOUNT = "unbekannt"  # in the place of a mark, of an order that was taken over without its application


def their_orders(work: Sending, standings: Sequence[Standing]) -> list[tuple[UUID, list[Theirs]]] | None:
    """Per case everything that the destination has of it; None where it cannot be asked for that."""
    if not isinstance(work.target, HasOrders):
        return None
    asked = {beginning: standing for standing in standings for beginning in _beginnings(work, standing)}
    try:
        found = work.target.orders(list(asked)) if asked else []
    except NotImplementedError:
        return None
    theirs: dict[UUID, list[Theirs]] = {standing.case.id: [] for standing in standings}
    for order in found:
        standing = asked[_NUMBER.sub("", order.reference)]
        theirs[standing.case.id].append(_theirs(work, standing, order))
    return list(theirs.items())


def _beginnings(work: Sending, standing: Standing) -> Iterator[str]:
    """A case's Fremdkennzeichen without their numbers, for every area that it was ever in."""
    areas = {standing.area_id, *(one.area_id for one in standing.case.decisions)}
    for area in sorted(filter(None, areas)):
        mark = fremdkennzeichen(work.process, area, standing.case.reference, effect(work.route.effect).letter, 1)
        yield mark[:-1]


def _theirs(work: Sending, standing: Standing, order: TheirOrder) -> Theirs:
    number = _NUMBER.search(order.reference)
    assert number is not None
    what = effect(order.effect)
    identity = Identity(work.route.destination, work.generation, standing.case.id, order.effect, int(number[1]))
    draft = Draft(
        identity=identity,
        reference=order.reference,
        basis=what.basis_of(standing, order.amount),
        payload=order.raw,
        file_name=f"{order.reference}.xml",
        media_type="application/xml",
        owner=work.route.owner,
        voucher=order.voucher,
        related_reference=order.related_reference,
        amount_cents=cents(order.amount),
        area=(work.process.id, order.fiscal_year, order.area),
        test=order.test,
        order=_terms(work, standing, order),
    )
    return Theirs(draft, order.receipt)


def _terms(work: Sending, standing: Standing, order: TheirOrder) -> OrderTerms | None:
    """What they have does not say whose account it is: that of the application as it stands, or nobody's we know."""
    payments = work.process.payments
    kind = _KINDS.get(order.effect)
    if kind is None or payments is None:
        return None
    application, _ = line_that_counts(standing.case.applications)
    account = application.account if application is not None and application.account else UNKNOWN_ACCOUNT
    due_on = order.receipt.occurred_on or clock.today()
    return OrderTerms(kind, payments.channel, due_on, account=account if kind == "payment" else "")
