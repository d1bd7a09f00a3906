"""Budgets and commitments: what is held back, what is booked, never more than the area has.

book asked ─▶ held        confirmed ─▶ booked = held        refused ─▶ held = 0
change asked ─▶ held = the larger of old and new total; confirmed ─▶ the new one; refused ─▶ the old one
cancel asked ─▶ held stays; only their AUFGEHOBEN makes the money free again
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Connection, Row, func, insert, select, update

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger, now
from kiezbruecke.ledger.dialects import insert_or_ignore, one_at_a_time
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.ledger.runs import Run, guard
from kiezbruecke.ledger.states import MessageState
from kiezbruecke.records import Budget, BudgetStatus, CommitmentState


@dataclass(frozen=True)
class Balance:
    """An area's money in cents: ours."""

    process_id: str
    fiscal_year: int
    area_id: str
    status: str
    amount: int
    committed: int
    booked: int


class TheirSum(Protocol):
    """What a finance system says of one area: its number, euros committed and paid."""

    @property
    def area(self) -> str: ...
    @property
    def committed(self) -> Decimal: ...
    @property
    def paid(self) -> Decimal: ...


def cents(amount: Decimal) -> int:
    """Euros with two places as integer cents."""
    return int(amount.scaleb(2).to_integral_exact())


def euros(amount: int) -> Decimal:
    """Integer cents as euros with two places."""
    return Decimal(amount).scaleb(-2)


def set_budgets(ledger: Ledger, run: Run, budgets: Iterable[Budget]) -> None:
    """Make the given budget lines the ones that count; a cut below what is committed blocks new ones."""
    with ledger.write() as connection:
        one_at_a_time(connection)
        guard(connection, run)
        for budget in budgets:
            _set_budget(connection, budget)


@dataclass(frozen=True)
class CommitmentOrder:
    """What an order to the budget system does to the commitment of its case: asked, confirmed, refused."""

    asked: CommitmentState
    confirmed: CommitmentState
    refused: CommitmentState
    begins: bool = False  # the commitment carries this order's reference from now on

    @property
    def frees(self) -> bool:
        """Whether its confirmation makes the money free again; until then what is held stays held."""
        return self.confirmed is CommitmentState.CANCELLED

    def hold(self, connection: Connection, drafts: Sequence[Draft]) -> Mapping[UUID, str]:
        """Hold what the drafts ask for, in their order; per key of one that finds no money, the German reason."""
        reasons = {draft.identity.key: self._hold(connection, draft) for draft in drafts}
        return {key: reason for key, reason in reasons.items() if reason}

    def follow(self, connection: Connection, moved: Sequence[tuple[Row[Any], MessageState]]) -> None:
        """What confirmations and refusals mean for the commitments; inside the same transaction."""
        for message, after in moved:
            if after in (MessageState.CONFIRMED, MessageState.REFUSED):
                self._follow(connection, message, after)

    def _hold(self, connection: Connection, draft: Draft) -> str | None:
        case_id, area, total = draft.identity.case_id, draft.area, draft.amount_cents
        assert area is not None
        assert total is not None
        budget = _locked_budget(connection, area)
        commitment = connection.execute(
            select(t.commitments).where(t.commitments.c.case_id == case_id).with_for_update()
        ).one_or_none()
        held = commitment.held_cents if commitment else 0
        if self.frees:
            _set_state(connection, case_id, self.asked)
            return None
        if held and _area_of(commitment) != area:
            return "Die Festlegung steht auf einer anderen Bezirksregion; sie ist erst dort aufzuheben"
        more = max(0, total - held)
        if reason := _refusal(budget, more):
            return reason
        _change_budget(connection, area, more)
        process_id, fiscal_year, area_id = area
        values: dict[str, Any] = {
            "process_id": process_id,
            "fiscal_year": fiscal_year,
            "area_id": area_id,
            "state": self.asked.value,
            "held_cents": held + more,
            "at": now(),
        }
        if commitment is None:
            connection.execute(
                insert(t.commitments).values(case_id=case_id, booked_cents=0, reference=draft.reference, **values)
            )
            return None
        if self.begins:
            values["reference"] = draft.reference
        connection.execute(update(t.commitments).where(t.commitments.c.case_id == case_id).values(**values))
        return None

    def _follow(self, connection: Connection, message: Row[Any], after: MessageState) -> None:
        commitment = connection.execute(
            select(t.commitments).where(t.commitments.c.case_id == message.case_id).with_for_update()
        ).one()
        booked, state = commitment.booked_cents, self.refused
        if after is MessageState.CONFIRMED:
            booked, state = 0 if self.frees else message.amount_cents, self.confirmed
        _change_budget(connection, _area_of(commitment), booked - commitment.held_cents)
        connection.execute(
            update(t.commitments)
            .where(t.commitments.c.case_id == message.case_id)
            .values(state=state.value, booked_cents=booked, held_cents=booked, at=now())
        )


def let_go(connection: Connection, case_ids: Iterable[UUID]) -> None:
    """The destination was rebuilt and knows nothing of these commitments: their money is free until booked anew."""
    for case_id in case_ids:
        row = connection.execute(select(t.commitments).where(t.commitments.c.case_id == case_id)).one_or_none()
        if row is None:
            continue
        _change_budget(connection, _area_of(row), -row.held_cents)
        values = {"state": CommitmentState.REFUSED.value, "booked_cents": 0, "held_cents": 0, "at": now()}
        connection.execute(update(t.commitments).where(t.commitments.c.case_id == case_id).values(**values))


def balances(ledger: Ledger, process_id: str) -> list[Balance]:
    """Every area's budget with what is held and booked, by area."""
    with ledger.read() as connection:
        c = t.commitments.c
        query = select(c.area_id, func.sum(c.booked_cents)).where(c.process_id == process_id).group_by(c.area_id)
        booked = {area_id: int(amount) for area_id, amount in connection.execute(query).all()}
        rows = connection.execute(
            select(t.budgets).where(t.budgets.c.process_id == process_id).order_by(t.budgets.c.area_id)
        ).all()
    return [
        Balance(
            row.process_id,
            row.fiscal_year,
            row.area_id,
            row.status,
            row.amount_cents,
            row.committed_cents,
            booked.get(row.area_id, 0),
        )
        for row in rows
    ]


def store_theirs(ledger: Ledger, destination: str, fiscal_year: int, sums: Iterable[TheirSum]) -> None:
    """Keep the destination's own sums, in place of those of its last answer."""
    committed: dict[str, int] = defaultdict(int)
    paid: dict[str, int] = defaultdict(int)
    for one in sums:  # an area may have several Buchungsstellen
        committed[one.area] += cents(one.committed)
        paid[one.area] += cents(one.paid)
    with ledger.write() as connection:
        connection.execute(
            t.balances.delete().where(t.balances.c.destination == destination, t.balances.c.fiscal_year == fiscal_year)
        )
        for area_id, amount in committed.items():
            connection.execute(
                insert(t.balances).values(
                    destination=destination,
                    fiscal_year=fiscal_year,
                    area_id=area_id,
                    committed_cents=amount,
                    paid_cents=paid[area_id],
                    at=now(),
                )
            )


def theirs(ledger: Ledger, fiscal_year: int) -> dict[str, int]:
    """Committed cents per area according to the destinations' last answers."""
    sums: dict[str, int] = {}
    with ledger.read() as connection:
        query = select(t.balances.c.area_id, t.balances.c.committed_cents).where(
            t.balances.c.fiscal_year == fiscal_year
        )
        for area_id, committed in connection.execute(query).all():
            sums[area_id] = sums.get(area_id, 0) + committed
    return sums


def _set_budget(connection: Connection, budget: Budget) -> None:
    area = (budget.process_id, budget.fiscal_year, budget.area_id)
    amount = 0 if budget.status is BudgetStatus.REVOKED else cents(budget.amount)
    values: dict[str, Any] = {
        "amount_cents": amount,
        "status": budget.status.value,
        "chapter": budget.chapter,
        "title": budget.title,
        "at": now(),
    }
    process_id, fiscal_year, area_id = area
    key = {"process_id": process_id, "fiscal_year": fiscal_year, "area_id": area_id}
    insert_or_ignore(connection, t.budgets, {**key, **values, "committed_cents": 0, "limit_cents": amount})
    row = _locked_budget(connection, area)
    assert row is not None
    if (row.amount_cents, row.status, row.chapter, row.title) == (
        amount,
        *(values[k] for k in ("status", "chapter", "title")),
    ):
        return
    connection.execute(
        update(t.budgets).where(*_is(area)).values(**values, limit_cents=max(amount, row.committed_cents))
    )


def _locked_budget(connection: Connection, area: tuple[str, int, str]) -> Row[Any] | None:
    return connection.execute(select(t.budgets).where(*_is(area)).with_for_update()).one_or_none()


def _refusal(budget: Row[Any] | None, more: int) -> str | None:
    if budget is None:
        return "Für die Bezirksregion gibt es kein Budget"
    if more == 0:
        return None
    if budget.status != BudgetStatus.RELEASED:
        return "Das Budget der Bezirksregion ist nicht freigegeben"
    if budget.committed_cents + more > budget.amount_cents:
        return "Das Budget der Bezirksregion reicht nicht"
    return None


def _change_budget(connection: Connection, area: tuple[str, int, str], difference: int) -> None:
    if difference:
        connection.execute(
            update(t.budgets).where(*_is(area)).values(committed_cents=t.budgets.c.committed_cents + difference)
        )


def _set_state(connection: Connection, case_id: UUID, state: CommitmentState) -> None:
    connection.execute(
        update(t.commitments).where(t.commitments.c.case_id == case_id).values(state=state.value, at=now())
    )


def _area_of(commitment: Row[Any] | None) -> tuple[str, int, str]:
    assert commitment is not None
    return commitment.process_id, commitment.fiscal_year, commitment.area_id


def _is(area: tuple[str, int, str]) -> tuple[Any, ...]:
    process_id, fiscal_year, area_id = area
    return (
        t.budgets.c.process_id == process_id,
        t.budgets.c.fiscal_year == fiscal_year,
        t.budgets.c.area_id == area_id,
    )
