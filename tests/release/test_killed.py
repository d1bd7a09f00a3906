"""kill -9 at every commit of every act: afterwards it has happened or it has not, and asked again it happens once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress

import pytest
from sqlalchemy import select

from kiezbruecke import release
from kiezbruecke.errors import InputError
from kiezbruecke.ledger import Ledger, MessageState, evidence
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import make_engine
from kiezbruecke.release import ActKind
from tests.crash_points import count_points, die_at
from tests.ledger.conftest import VAULT

from .conftest import CERTIFIER, ORDERER, ROUTE, Office, everybody_known, house_on


def _certify(office: Office, reference: str, shown: str) -> None:
    release.certify(office.house, ROUTE, shown, CERTIFIER, "geprüft", only=[reference], holders=everybody_known)


def _order(office: Office, reference: str, shown: str) -> None:
    release.order(office.house, ROUTE, shown, ORDERER, only=[reference], holders=everybody_known)


def _hold_back(office: Office, reference: str, shown: str) -> None:
    release.hold_back(office.house, ROUTE, reference, ORDERER, "falsch")


Act = Callable[[Office, str, str], None]
ACTS: dict[str, tuple[Act, ActKind, MessageState]] = {
    "certify": (_certify, ActKind.CERTIFY, MessageState.HELD),
    "order": (_order, ActKind.ORDER, MessageState.WAITING),
    "hold back": (_hold_back, ActKind.CERTIFY, MessageState.REFUSED),
}


@pytest.mark.parametrize(("act", "kind", "after"), ACTS.values(), ids=ACTS)
def test_an_act_that_is_killed_happens_once(
    office: Office, url: str, act: Act, kind: ActKind, after: MessageState
) -> None:
    """The person looks again, and clicks again where it has not happened."""

    def prepared() -> tuple[str, str]:
        payment = office.pay("20")
        if kind is ActKind.ORDER:
            office.certify()
        view = office.show(kind, only=[payment.reference])
        office.ledger.engine.dispose()  # a child would share what is open here
        return payment.reference, view.shown

    def inside(reference: str, shown: str) -> Callable[[], None]:
        def work() -> None:
            with closing(Ledger(make_engine(url), VAULT)) as own:
                act(Office(house_on(office.house.content, own), office.desk), reference, shown)

        return work

    points = count_points(inside(*prepared()))
    assert points
    for number in range(1, len(points) + 1):
        reference, shown = prepared()
        die_at(number, inside(reference, shown))
        with suppress(InputError):
            act(office, reference, shown)

    with office.ledger.read() as connection:
        states = connection.execute(select(t.messages.c.state).where(t.messages.c.effect == "payment.order")).scalars()
        marks = connection.execute(select(t.releases.c.id).where(t.releases.c.kind == office.acts()[-1][0])).all()
    assert {*states} == {after.value}
    assert len(marks) == len(points) + 1
    assert evidence.verify(office.ledger).broken == ()


def test_a_run_that_is_killed_sends_once(office: Office, url: str) -> None:
    """Between claim and first byte: the next run takes it, or asks after it; its marks are as they were."""

    def take() -> None:
        with closing(Ledger(make_engine(url), VAULT)) as own:
            Office(house_on(office.house.content, own), type(office.desk)(own)).take()

    def prepared() -> None:
        office.pay("20")
        office.both()
        office.ledger.engine.dispose()

    prepared()
    points = count_points(take)
    for number in range(1, len(points) + 1):
        prepared()
        die_at(number, take)
        office.take()
    with office.ledger.read() as connection:
        sent = (
            connection.execute(
                select(t.attempts.c.message_key)
                .where(t.attempts.c.after == MessageState.SENDING.value)
                .join(t.messages, t.messages.c.key == t.attempts.c.message_key)
                .where(t.messages.c.effect == "payment.order")
            )
            .scalars()
            .all()
        )

    assert len(sent) == len({*sent}) == len(office.drafts)
