"""Budgets and commitments: what is held back, what is booked, never more than the area has.

book asked ─▶ held        confirmed ─▶ booked = held        refused ─▶ held = 0
change asked ─▶ held = the larger of old and new total; confirmed ─▶ the new one; refused ─▶ the old one
cancel asked ─▶ held stays; only their AUFGEHOBEN makes the money free again
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.database import Ledger, now
from kiezbruecke.ledger.dialects import one_at_a_time
from kiezbruecke.ledger.draft import Draft
from kiezbruecke.ledger.events import append_event, touch
from kiezbruecke.ledger.runs import Run, guard
from kiezbruecke.ledger.seals import BUDGET, COMMITMENT, THEIR_SUMS
from kiezbruecke.ledger.sets import among, rows_among, write_all
from kiezbruecke.ledger.states import MessageState
from kiezbruecke.records import Budget, BudgetStatus, CommitmentState

Area = tuple[str, int, str]  # process, fiscal year, area
LET_GO = "commitment.let_go"

_b, _c = t.budgets.c, t.commitments.c
_THIS_BUDGET = (
    _b.process_id == bindparam("process"),
    _b.fiscal_year == bindparam("year"),
    _b.area_id == bindparam("area"),
)
_BUDGETS = (
    select(t.budgets)
    .where(_b.process_id == bindparam("process"), _b.fiscal_year == bindparam("year"), among(_b.area_id))
    .order_by(_b.area_id)
    .with_for_update()
)
_LINE: dict[str, Any] = {
    "amount_cents": bindparam("new_amount"),
    "limit_cents": bindparam("new_limit"),
    "status": bindparam("new_status"),
    "chapter": bindparam("new_chapter"),
    "title": bindparam("new_title"),
    "at": bindparam("moment"),
}
_ADD_BUDGET = insert(t.budgets).values(
    process_id=bindparam("process"),
    fiscal_year=bindparam("year"),
    area_id=bindparam("area"),
    committed_cents=0,
    **_LINE,
)
_SET_BUDGET = update(t.budgets).where(*_THIS_BUDGET).values(**_LINE)
_CHANGE_BUDGET = update(t.budgets).where(*_THIS_BUDGET).values(committed_cents=_b.committed_cents + bindparam("more"))
_MOVE_BUDGET = (
    update(t.budgets)
    .where(*_THIS_BUDGET)
    .values(
        paid_cents=_b.paid_cents + bindparam("paid"),
        refunded_cents=_b.refunded_cents + bindparam("refunded"),
    )
)
_RAISE_LIMIT = (
    update(t.budgets).where(*_THIS_BUDGET, _b.limit_cents < bindparam("least")).values(limit_cents=bindparam("least"))
)
_COMMITMENTS = select(t.commitments).where(among(_c.case_id)).order_by(_c.case_id).with_for_update()
_ADD_COMMITMENT = insert(t.commitments)
_CHANGE_COMMITMENT = (
    update(t.commitments)
    .where(_c.case_id == bindparam("case"))
    .values(
        process_id=bindparam("process"),
        fiscal_year=bindparam("year"),
        area_id=bindparam("area"),
        state=bindparam("asked"),
        booked_cents=bindparam("booked"),
        held_cents=bindparam("held"),
        reference=bindparam("name"),
        at=bindparam("moment"),
    )
)


@dataclass(frozen=True)
class Balance:
    """An area's money in cents: ours."""

    process_id: str
    fiscal_year: int
    area_id: str
    status: str
    amount: int
    committed: int  # held: what is bound, and what is paid
    booked: int
    paid: int
    refunded: int

    @property
    def sums(self) -> Sums:
        """What they must have confirmed, too."""
        return Sums(self.booked, self.paid, self.refunded)

    @property
    def bound(self) -> int:
        """What is held and not paid."""
        return self.committed - self.paid

    @property
    def free(self) -> int:
        """`amount = free + bound + paid - refunded`, always."""
        return self.amount - self.committed + self.refunded


class Sums(NamedTuple):
    """An area's money in cents that both sides must agree about: committed in all, paid (net of returns), refunded."""

    committed: int
    paid: int
    refunded: int


NOTHING = Sums(0, 0, 0)


class TheirSum(Protocol):
    """What a finance system says of one area: its number, euros committed, paid (net of returns) and refunded."""

    @property
    def area(self) -> str: ...
    @property
    def committed(self) -> Decimal: ...
    @property
    def paid(self) -> Decimal: ...
    @property
    def refunded(self) -> Decimal: ...


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
        put_budgets(connection, budgets)


def put_budgets(connection: Connection, budgets: Iterable[Budget]) -> None:
    """The same inside a transaction in which the lines were read: a slower run brings back no budget that was cut."""
    lines = {_area_of(budget): _line(budget, now()) for budget in budgets}
    known = locked_budgets(connection, lines)
    new = [{**line, "new_limit": line["new_amount"]} for area, line in lines.items() if area not in known]
    changed = [
        {**lines[area], "new_limit": max(lines[area]["new_amount"], row.committed_cents - row.refunded_cents)}
        for area, row in known.items()
        if not _stands_in(row, lines[area])
    ]
    write_all(connection, _ADD_BUDGET, new)
    write_all(connection, _SET_BUDGET, changed)
    for line in (*new, *changed):
        touch(connection, BUDGET, line["process"], line["year"], line["area"])


def add_moved(connection: Connection, paid: Mapping[Area, int], refunded: Mapping[Area, int]) -> None:
    """Cents that have left an area's budget for good, or come back into it; negative where a payment came back."""
    areas = sorted(area for area in {*paid, *refunded} if paid.get(area) or refunded.get(area))
    locked_budgets(connection, areas)
    moves = [_named(area, paid=paid.get(area, 0), refunded=refunded.get(area, 0)) for area in areas]
    write_all(connection, _MOVE_BUDGET, moves)
    for area in areas:
        touch(connection, BUDGET, *area)


def hold_what_was_paid(connection: Connection, paid: Mapping[UUID, int]) -> None:
    """So many cents of these cases have left: they are held, also where their commitment was cancelled before.

    Also beyond the budget – the money is spent –, whose limit rises with it: nobody can bind it a second time.
    """
    drawer = _Drawer(connection)
    drawer.open_cases(paid)
    more: dict[Area, int] = defaultdict(int)
    for case, known in drawer.commitments.items():
        if (lacking := paid[case] - known.held) > 0:
            more[known.area] += lacking
            drawer.take(known.area, lacking)
            drawer.commitments[case] = replace(known, held=paid[case])
    raised = ((area, row) for area, row in locked_budgets(connection, more).items())
    write_all(connection, _RAISE_LIMIT, [_named(area, least=_net(row) + more[area]) for area, row in raised])
    drawer.close()


def _net(budget: Row[Any]) -> int:
    return int(budget.committed_cents - budget.refunded_cents)


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
        drawer = _Drawer(connection, [_area_of_draft(draft) for draft in drafts])
        drawer.open_cases(draft.identity.case_id for draft in drafts)
        reasons = {draft.identity.key: self._hold(drawer, draft) for draft in drafts}
        drawer.close()
        return {key: reason for key, reason in reasons.items() if reason}

    def follow(self, connection: Connection, moved: Sequence[tuple[Row[Any], MessageState]]) -> None:
        """What confirmations and refusals mean for the commitments; inside the same transaction."""
        settled = [one for one in moved if one[1] in (MessageState.CONFIRMED, MessageState.REFUSED)]
        drawer = _Drawer(connection)
        drawer.open_cases(message.case_id for message, _ in settled)
        for message, after in settled:
            if message.state == MessageState.CONFIRMED:  # a person has found out that it never happened
                drawer.book_back(message)
            self._follow(drawer, message, after)
        drawer.close()

    def _hold(self, drawer: _Drawer, draft: Draft) -> str | None:
        case_id, area, total = draft.identity.case_id, _area_of_draft(draft), draft.amount_cents
        assert total is not None
        known = drawer.commitments.get(case_id)
        if self.frees:
            if known is not None:
                drawer.commitments[case_id] = replace(known, state=self.asked.value)
            return None
        held = known.held if known else 0
        if known and held and known.area != area:
            return "Die Festlegung steht auf einer anderen Bezirksregion; sie ist erst dort aufzuheben"
        more = max(0, total - held)
        if reason := drawer.refusal(area, more):
            return reason
        drawer.take(area, more)
        reference = draft.reference if known is None or self.begins else known.reference
        booked = known.booked if known else 0
        drawer.commitments[case_id] = _Held(area, self.asked.value, booked, held + more, reference)
        return None

    def _follow(self, drawer: _Drawer, message: Row[Any], after: MessageState) -> None:
        known = drawer.commitments[message.case_id]
        booked, state = known.booked, self.refused
        if after is MessageState.CONFIRMED:
            booked, state = 0 if self.frees else message.amount_cents, self.confirmed
        drawer.take(known.area, booked - known.held)
        drawer.commitments[message.case_id] = replace(known, state=state.value, booked=booked, held=booked)


def let_go(connection: Connection, case_ids: Iterable[UUID]) -> None:
    """The destination was rebuilt and knows nothing of these commitments: their money is free until booked anew."""
    drawer = _Drawer(connection)
    drawer.open_cases(case_ids)
    for case_id, known in drawer.commitments.items():
        append_event(connection, case_id, LET_GO, {"reference": known.reference, "cents": known.held})
        drawer.take(known.area, -known.held)
        drawer.commitments[case_id] = replace(known, state=CommitmentState.REFUSED.value, booked=0, held=0)
    drawer.close()


@dataclass(frozen=True)
class _Held:
    """A case's commitment, in cents."""

    area: Area
    state: str
    booked: int
    held: int
    reference: str


class _Drawer:
    """Budgets and commitments, locked and read once; what is decided on them in order is written at the end."""

    def __init__(self, connection: Connection, areas: Iterable[Area] = ()) -> None:
        self._connection = connection
        self._budgets = locked_budgets(connection, areas)
        self._taken: dict[Area, int] = defaultdict(int)
        self._before: dict[UUID, _Held] = {}
        self.commitments: dict[UUID, _Held] = {}

    def open_cases(self, case_ids: Iterable[UUID]) -> None:
        """Take these cases' commitments out."""
        self._before = {row.case_id: _held(row) for row in rows_among(self._connection, _COMMITMENTS, case_ids)}
        self.commitments = dict(self._before)

    def refusal(self, area: Area, more: int) -> str | None:
        """Why an area cannot give so much more."""
        return _refusal(self._budgets.get(area), more, self._taken[area])

    def book_back(self, message: Row[Any]) -> None:
        """What was booked before this message, which has changed nothing after all."""
        before = _booked_before(self._connection, message)
        self.commitments[message.case_id] = replace(self.commitments[message.case_id], booked=before)

    def take(self, area: Area, difference: int) -> None:
        """Hold so much more of an area's budget, or less."""
        self._taken[area] += difference

    def close(self) -> None:
        """Write down what has changed."""
        changed = {case: held for case, held in self.commitments.items() if held != self._before.get(case)}
        new = [_commitment(case, held) for case, held in changed.items() if case not in self._before]
        write_all(self._connection, _ADD_COMMITMENT, new)
        known = [_change(case, held) for case, held in sorted(changed.items()) if case in self._before]
        write_all(self._connection, _CHANGE_COMMITMENT, known)
        taken = {area: more for area, more in sorted(self._taken.items()) if more}
        write_all(self._connection, _CHANGE_BUDGET, [_named(area, more=more) for area, more in taken.items()])
        for area in taken:
            touch(self._connection, BUDGET, *area)
        for case in changed:
            touch(self._connection, COMMITMENT, case, case=case)


def _booked_before(connection: Connection, message: Row[Any]) -> int:
    """The total that the last confirmed message before this one has left, in cents; a cancellation is the last."""
    m = t.messages.c
    earlier = (
        *(m.case_id == message.case_id, m.destination == message.destination, m.generation == message.generation),
        *(m.effect.like(f"{message.effect.partition('.')[0]}.%"), m.number < message.number, m.test.is_(False)),
    )
    query = select(m.amount_cents).where(*earlier, m.state == MessageState.CONFIRMED).order_by(m.number.desc()).limit(1)
    return connection.execute(query).scalar_one_or_none() or 0


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
            row.paid_cents,
            row.refunded_cents,
        )
        for row in rows
    ]


def store_theirs(ledger: Ledger, run: Run, destination: str, fiscal_year: int, sums: Iterable[TheirSum]) -> None:
    """Keep the destination's own sums, in place of those of its last answer."""
    committed: dict[str, int] = defaultdict(int)
    paid: dict[str, int] = defaultdict(int)
    refunded: dict[str, int] = defaultdict(int)
    for one in sums:  # an area may have several Buchungsstellen
        committed[one.area] += cents(one.committed)
        paid[one.area] += cents(one.paid)
        refunded[one.area] += cents(one.refunded)
    with ledger.write() as connection:
        one_at_a_time(connection)  # two that ask at once would both delete what is there, and both insert
        guard(connection, run)
        connection.execute(
            t.balances.delete().where(t.balances.c.destination == destination, t.balances.c.fiscal_year == fiscal_year)
        )
        touch(connection, THEIR_SUMS, destination, fiscal_year)
        for area_id, amount in committed.items():
            connection.execute(
                insert(t.balances).values(
                    destination=destination,
                    fiscal_year=fiscal_year,
                    area_id=area_id,
                    committed_cents=amount,
                    paid_cents=paid[area_id],
                    refunded_cents=refunded[area_id],
                    at=now(),
                )
            )


def theirs(ledger: Ledger, fiscal_year: int) -> dict[str, Sums]:
    """What the destinations' last answers say per area, in cents."""
    b = t.balances.c
    query = (
        select(b.area_id, func.sum(b.committed_cents), func.sum(b.paid_cents), func.sum(b.refunded_cents))
        .where(b.fiscal_year == fiscal_year)
        .group_by(b.area_id)
    )
    with ledger.read() as connection:
        rows = connection.execute(query).all()
    return {area_id: Sums(*map(int, sums)) for area_id, *sums in rows}


def locked_budgets(connection: Connection, areas: Iterable[Area]) -> dict[Area, Row[Any]]:
    """The areas' budgets, locked in their order; without those that have none."""
    years: dict[tuple[str, int], list[str]] = defaultdict(list)
    for process_id, fiscal_year, area_id in areas:
        years[process_id, fiscal_year].append(area_id)
    found = {}
    for (process, year), ids in sorted(years.items()):
        for row in rows_among(connection, _BUDGETS, ids, process=process, year=year):
            found[process, year, row.area_id] = row
    return found


def _line(budget: Budget, at: datetime) -> dict[str, Any]:
    amount = 0 if budget.status is BudgetStatus.REVOKED else cents(budget.amount)
    values = {"new_amount": amount, "new_status": budget.status.value}
    names = {"new_chapter": budget.chapter, "new_title": budget.title}
    return {**_named(_area_of(budget)), **values, **names, "moment": at}


def _stands_in(row: Row[Any], line: Mapping[str, Any]) -> bool:
    found = (row.amount_cents, row.status, row.chapter, row.title)
    return found == tuple(line[name] for name in ("new_amount", "new_status", "new_chapter", "new_title"))


def _area_of(budget: Budget) -> Area:
    return budget.process_id, budget.fiscal_year, budget.area_id


def _refusal(budget: Row[Any] | None, more: int, taken: int) -> str | None:
    """`taken`: what was taken of it since the row was read."""
    if budget is None:
        return "Für die Bezirksregion gibt es kein Budget"
    if more == 0:
        return None
    if budget.status != BudgetStatus.RELEASED:
        return "Das Budget der Bezirksregion ist nicht freigegeben"
    if budget.committed_cents - budget.refunded_cents + taken + more > budget.amount_cents:
        return "Das Budget der Bezirksregion reicht nicht"
    return None


def _area_of_draft(draft: Draft) -> Area:
    assert draft.area is not None
    return draft.area


def _named(area: Area, **more: Any) -> dict[str, Any]:
    process_id, fiscal_year, area_id = area
    return {"process": process_id, "year": fiscal_year, "area": area_id, **more}


def _held(row: Row[Any]) -> _Held:
    area = (row.process_id, row.fiscal_year, row.area_id)
    return _Held(area, row.state, row.booked_cents, row.held_cents, row.reference)


def _change(case_id: UUID, held: _Held) -> dict[str, Any]:
    return {
        **_named(held.area),
        "case": case_id,
        "asked": held.state,
        "booked": held.booked,
        "held": held.held,
        "name": held.reference,
        "moment": now(),
    }


def _commitment(case_id: UUID, held: _Held) -> dict[str, Any]:
    process_id, fiscal_year, area_id = held.area
    return {
        "case_id": case_id,
        "process_id": process_id,
        "fiscal_year": fiscal_year,
        "area_id": area_id,
        "state": held.state,
        "booked_cents": held.booked,
        "held_cents": held.held,
        "reference": held.reference,
        "at": now(),
    }
