"""Budgets and commitments: what is held back, what is booked, never more than the area has.

book asked ─▶ held        confirmed ─▶ booked = held        refused ─▶ held = 0
change asked ─▶ held = the larger of old and new total; confirmed ─▶ the new one; refused ─▶ the old one
cancel asked ─▶ held stays; only their AUFGEHOBEN makes the money free again
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Connection, Row, func, insert, select, update

from kiezbruecke.connector import Effect
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger, now
from kiezbruecke.ledger.dialects import insert_or_ignore, one_at_a_time
from kiezbruecke.ledger.runs import Run, guard
from kiezbruecke.ledger.states import MessageState
from kiezbruecke.records import Budget, BudgetStatus, CommitmentState

_EFFECTS = frozenset({Effect.COMMITMENT_BOOK, Effect.COMMITMENT_CHANGE, Effect.COMMITMENT_CANCEL})


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


def hold(
    connection: Connection,
    case_id: UUID,
    effect: Effect,
    area: tuple[str, int, str],
    total: int,
    reference: str,
) -> str | None:
    """Hold `total` cents for a case in (process, year, area); the German reason if that is not possible."""
    budget = _locked_budget(connection, area)
    commitment = connection.execute(
        select(t.commitments).where(t.commitments.c.case_id == case_id).with_for_update()
    ).one_or_none()
    held = commitment.held_cents if commitment else 0
    if effect is Effect.COMMITMENT_CANCEL:
        _set_state(connection, case_id, CommitmentState.CANCEL_REQUESTED)
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
        "state": CommitmentState.REQUESTED.value,
        "held_cents": held + more,
        "at": now(),
    }
    if commitment is None:
        connection.execute(insert(t.commitments).values(case_id=case_id, booked_cents=0, reference=reference, **values))
        return None
    if effect is Effect.COMMITMENT_BOOK:
        values["reference"] = reference
    connection.execute(update(t.commitments).where(t.commitments.c.case_id == case_id).values(**values))
    return None


def follow(connection: Connection, message: Row[Any], after: MessageState) -> None:
    """What a message's confirmation or refusal means for its commitment; inside the same transaction."""
    if message.effect not in _EFFECTS or message.test:
        return
    if after not in (MessageState.CONFIRMED, MessageState.REFUSED):
        return
    commitment = connection.execute(
        select(t.commitments).where(t.commitments.c.case_id == message.case_id).with_for_update()
    ).one()
    booked = _booked_after(Effect(message.effect), after, commitment.booked_cents, message.amount_cents)
    state = _state_after(Effect(message.effect), after)
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


def _booked_after(effect: Effect, after: MessageState, booked: int, amount: int) -> int:
    if after is MessageState.REFUSED:
        return booked
    return 0 if effect is Effect.COMMITMENT_CANCEL else amount


def _state_after(effect: Effect, after: MessageState) -> CommitmentState:
    if after is MessageState.REFUSED:
        return CommitmentState.REFUSED if effect is Effect.COMMITMENT_BOOK else CommitmentState.BOOKED
    return CommitmentState.CANCELLED if effect is Effect.COMMITMENT_CANCEL else CommitmentState.BOOKED


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
