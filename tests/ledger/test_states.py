"""Whatever happens in whatever order: no message takes a step backwards, and no sum runs away."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from kiezbruecke.errors import Overtaken
from kiezbruecke.ledger import Ledger, MessageState, Run, claims, evidence, reading
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import make_engine
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.ledger.states import UNSETTLED, may_follow
from kiezbruecke.records import ReceiptOutcome

from .conftest import Desk, Fresh, receipt

FINAL = {MessageState.CONFIRMED, MessageState.REFUSED}
UNSENT = {MessageState.WAITING, MessageState.CLAIMED, MessageState.SENDING, MessageState.IN_DOUBT}
ARRIVED = {MessageState.DELIVERED, *FINAL}
SUMS = ("100.00", "250.50", "700.00")
BUDGET = 90000


@pytest.mark.parametrize("state", list(MessageState))
def test_a_step_backwards_is_never_legal(state: MessageState) -> None:
    """The table of steps: what has arrived never becomes unsent, what is final stays."""
    following = {after for after in MessageState if may_follow(state, after)}

    assert not (state in ARRIVED and following & UNSENT)
    assert not (state in FINAL and following)
    assert (state in UNSETTLED) == bool(following)
    looked_at = {MessageState.HELD, *UNSENT - {MessageState.SENDING}}  # a person looks first
    assert MessageState.HELD not in following or state in looked_at


def test_no_order_of_moves_leads_backwards(fresh: Fresh) -> None:
    """Runs, answers and take-overs in any order (F17, F18, F20, F21): the machine is the judge, not our imagination."""

    class Machine(_Moves):
        open_ledger = staticmethod(lambda: Ledger(make_engine(fresh())))

    quick = settings(
        max_examples=12,
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )

    run_state_machine_as_test(Machine, settings=quick)


class _Moves(RuleBasedStateMachine):
    """Three cases with one order each, and everything that can happen to them."""

    @initialize()
    def begin(self) -> None:
        """Three orders that together want more than there is."""
        self.desk = Desk(self.open_ledger())  # type: ignore[attr-defined]
        self.desk.grant("900")
        self.orders: list[Draft] = []
        for number, euros in enumerate(SUMS, 1):
            case = self.desk.decide(f"P-{number}", number)
            order = self.desk.book(case, euros)
            if (order.identity.key,) in self._keys():
                self.orders.append(order)
        self.runs: list[Run] = [self.desk.run()]
        self.answers = 0

    @rule()
    def a_newer_run(self) -> None:
        """A scheduler starts the route anew."""
        self.runs.append(self.desk.run())

    @rule(which=st.integers(0, 3))
    def claim(self, which: int) -> None:
        """A run, maybe an old one, takes what waits."""
        self._try(lambda run: claims.claim(self.desk.ledger, run), which)

    @rule(which=st.integers(0, 3))
    def begin_sending(self, which: int) -> None:
        """A run, maybe an old one, wants to send."""
        keys = [order.identity.key for order in self.orders]
        self._try(lambda run: claims.begin_sending(self.desk.ledger, run, keys), which)

    @rule(which=st.integers(0, 3), order=st.integers(0, 2), state=st.sampled_from(sorted(MessageState)))
    def settle(self, which: int, order: int, state: MessageState) -> None:
        """A run, maybe an old one, says what became of a message."""
        key = self._order(order).identity.key
        self._try(lambda run: claims.settle(self.desk.ledger, run, key, state), which)

    @rule(which=st.integers(0, 3))
    def take_over(self, which: int) -> None:
        """A run asks what others left behind."""
        self._try(lambda run: claims.take_over(self.desk.ledger, run), which)

    @rule(order=st.integers(0, 2), outcome=st.sampled_from(list(ReceiptOutcome)))
    def answer(self, order: int, outcome: ReceiptOutcome) -> None:
        """A word comes back: early, late, twice, contradicting."""
        self.answers += 1
        self.desk.answer(self._order(order), outcome, self.answers)

    @rule(order=st.integers(0, 2), outcome=st.sampled_from(list(ReceiptOutcome)), which=st.integers(0, 3))
    def settle_by_receipt(self, order: int, outcome: ReceiptOutcome, which: int) -> None:
        """The answer to the call itself."""
        one = self._order(order)
        self._try(lambda run: claims.settle(self.desk.ledger, run, one.identity.key, receipt(one, outcome)), which)

    @invariant()
    def every_step_was_legal(self) -> None:
        """Each message's attempts are a path through the table of steps."""
        if not hasattr(self, "orders"):
            return
        for order in self.orders:
            steps = reading.attempts_of(self.desk.ledger, order.identity.key)
            assert all(may_follow(MessageState(one.before), MessageState(one.after)) for one in steps)
            for one, following in pairwise(steps):
                assert following.before in (one.after, "claimed"), (one, following)

    @invariant()
    def the_money_is_covered(self) -> None:
        """Held is the sum of what is held per case, and never more than the budget; refused holds nothing."""
        if not hasattr(self, "orders"):
            return
        total = 0
        for order in self.orders:
            _, booked, held = self.desk.commitment(order.identity.case_id)
            total += held
            state, wanted = self.desk.state(order), order.amount_cents or 0
            assert booked == (wanted if state is MessageState.CONFIRMED else 0)
            assert held == (0 if state is MessageState.REFUSED else wanted)
        assert total == self.desk.committed() <= BUDGET

    def teardown(self) -> None:
        """The evidence must tell all of it."""
        if hasattr(self, "orders"):
            assert evidence.verify(self.desk.ledger).broken == ()
            self.desk.ledger.close()

    def _try(self, work: object, which: int) -> None:
        run = self.runs[-1 - min(which, len(self.runs) - 1)]
        try:
            work(run)  # type: ignore[operator]
        except Overtaken:
            assert run is not self.runs[-1], "the newest run was overtaken"

    def _order(self, index: int) -> Draft:
        return self.orders[index % len(self.orders)]

    def _keys(self) -> set[tuple[object, ...]]:
        with self.desk.ledger.read() as connection:
            return {tuple(row) for row in connection.execute(select(t.messages.c.key)).all()}
