"""Where the grant of a case stands: voted, granted, final, settled. Derived anew of records that never change.

    decision (voted) ─▶ application with the day of its Bescheid (granted) ─▶ days go by, or a waiver (final)
                                                          settlement: proven, or the difference came back (settled)

A clerk hands in the same list again and again, with one more column filled in. So a later line may say what an earlier
one left open; what stood there it changes only with `Korrektur = ja` and a reason. Rules: §§ 23, 44 LHO, AV No. 1, 7.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

from kiezbruecke.cases.join import Standing
from kiezbruecke.german import day, euros
from kiezbruecke.ledger.reading import StoredOrder
from kiezbruecke.ledger.states import GRANT
from kiezbruecke.records import Application, GrantState, OrderState, Settlement

Line = TypeVar("Line", Application, Settlement)
_ABOUT_THE_LINE = frozenset({"origin", "sheet", "row", "correction", "reason", "recorded_by"})


@dataclass(frozen=True)
class Grant:
    """A grant as it stands on a day. `problems` are German sentences; as long as there is one, no money moves."""

    state: GrantState
    application: Application | None = None
    settlement: Settlement | None = None
    final_on: date | None = None  # from this day on nobody can object; None as long as there is no Bescheid
    problems: tuple[str, ...] = ()


def grant_of(standing: Standing, today: date) -> Grant | None:
    """The grant of a case; None where nothing was ever granted."""
    case = standing.case
    if standing.decision is None or not (standing.grants or case.orders or case.commitment):
        return None
    application, problems = line_that_counts(case.applications)
    settlement, more = line_that_counts(case.settlements)
    final_on = _final_on(standing, application)
    state = _state(standing, application, settlement, final_on, today)
    if application is not None:
        problems += _faults(standing, application)
    return Grant(state, application, settlement, final_on, (*problems, *more))


def payment_of(standing: Standing) -> StoredOrder | None:
    """The case's live payment: there is at most one."""
    return next((one for one in standing.case.orders if one.kind == "payment" and one.state.live), None)


def refund_of(standing: Standing) -> StoredOrder | None:
    """The case's live refund claim: there is at most one."""
    return next((one for one in standing.case.orders if one.kind == "refund" and one.state.live), None)


def refund_due(standing: Standing, settlement: Settlement | None) -> Decimal:
    """What of the payment was not spent; zero as long as nothing is paid or proven."""
    paid = payment_of(standing)
    if paid is None or paid.state is not OrderState.PAID or settlement is None:
        return Decimal("0.00")
    return max(paid.amount - settlement.spent, Decimal("0.00"))


def is_proven(standing: Standing) -> bool:
    """Whether what was paid is proven to have been spent, or has come back."""
    settlement, _ = line_that_counts(standing.case.settlements)
    return _is_proven(standing, settlement)


def line_that_counts(lines: Sequence[Line]) -> tuple[Line | None, tuple[str, ...]]:
    """What all lines say together, in the order they became known, and what they contradict each other in."""
    counting: Line | None = None
    problems: dict[str, str] = {}
    for line in lines:
        if counting is None or (line.correction and line.reason):
            counting, problems = _filled(line, counting), {}
        elif changed := _changed(counting, line):
            problems[line.origin] = (
                f"{line.sheet}, Zeile {line.row} ändert {changed} gegenüber {counting.sheet}, Zeile {counting.row}, "
                "ohne „Korrektur = ja“ und Begründung"
            )
        else:
            counting = _filled(line, counting)
    return counting, tuple(problems.values())


def _filled(line: Line, before: Line | None) -> Line:
    """The later line, with what it leaves open as the earlier one had it."""
    if before is None:
        return line
    empty = {name for name in _said_fields(line) if _is_empty(getattr(line, name))}
    return line.model_copy(update={name: getattr(before, name) for name in empty})


def _changed(before: Line, line: Line) -> str:
    """Which fields say something else than before, as the sheet calls them; what is left open says nothing."""
    names = [name for name in _said_fields(line) if not _is_empty(getattr(line, name))]
    changed = [name for name in names if not _is_empty(old := getattr(before, name)) and old != getattr(line, name)]
    return ", ".join(dict.fromkeys(_WORDS.get(name, name) for name in changed))


def _said_fields(line: Application | Settlement) -> Iterable[str]:
    return (name for name in type(line).model_fields if name not in _ABOUT_THE_LINE)


def _is_empty(value: object) -> bool:
    return value is None or value == ""


_WORDS = {
    "account": "die Bankverbindung",
    "account_hint": "die Bankverbindung",
    "amount": "den beantragten Betrag",
    "applicant_name": "den Namen",
    "applied_on": "den Tag des Antrags",
    "area_id": "die Bezirksregion",
    "expected_costs": "die Gesamtkosten",
    "notice_on": "den Tag des Bescheids",
    "proven_on": "den Tag des Nachweises",
    "spent": "den nachgewiesenen Betrag",
    "starts_on": "den Beginn",
    "waiver_on": "den Tag des Verzichts",
}


def _final_on(standing: Standing, application: Application | None) -> date | None:
    """The day from which nobody can object: that of the waiver, else the Bescheid and the days to object in."""
    if application is None or application.notice_on is None:
        return None
    if application.waiver_on is not None:
        return max(application.waiver_on, application.notice_on)
    payments = standing.process.payments
    return application.notice_on + timedelta(days=payments.objection_days) if payments is not None else None


def _state(
    standing: Standing,
    application: Application | None,
    settlement: Settlement | None,
    final_on: date | None,
    today: date,
) -> GrantState:
    """The events that have happened by today, one after the other, through the machine."""
    events = ["vote"]
    if not standing.grants:
        events.append("withdraw")
    if application is not None and application.notice_on is not None and application.notice_on <= today:
        events.append("issue the Bescheid")
    if final_on is not None and final_on <= today:
        events.append("become final")
    if _is_proven(standing, settlement):
        events.append("prove")
    state = ""
    for event in events:
        state = GRANT.steps[state].get(event, state)
    return GrantState(state)


def _is_proven(standing: Standing, settlement: Settlement | None) -> bool:
    paid = payment_of(standing)
    if paid is None or paid.state is not OrderState.PAID or settlement is None:
        return False
    back = refund_of(standing)
    returned = back.amount if back is not None and back.state is OrderState.RECEIVED else Decimal("0.00")
    return settlement.spent + returned >= paid.amount


def _faults(standing: Standing, application: Application) -> tuple[str, ...]:
    decision, place = standing.decision, f"{application.sheet}, Zeile {application.row}"
    assert decision is not None
    found = []
    if standing.grants and application.amount < standing.amount:
        found.append(f"beantragt sind {euros(application.amount)}, bewilligt {euros(standing.amount)}")
    if application.area_id and application.area_id != standing.area_id:
        found.append("die Bezirksregion ist eine andere als die des Beschlusses")
    if application.notice_on is not None:
        if application.notice_on < decision.decided_on:
            found.append(f"der Bescheid vom {day(application.notice_on)} liegt vor dem Beschluss")
        if application.starts_on is not None and application.starts_on < application.notice_on:
            found.append(f"das Projekt beginnt am {day(application.starts_on)}, vor dem Bescheid")
    return tuple(f"{place}: {text}" for text in found)
