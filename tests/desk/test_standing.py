"""A case read alone stands as it does among all cases of its process: same decision, same disagreements, same state."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiezbruecke import attention
from kiezbruecke.cases.join import Reason
from kiezbruecke.connector import Item
from kiezbruecke.ledger import Ledger
from kiezbruecke.ledger.database import make_engine
from kiezbruecke.ledger.history import Taken
from kiezbruecke.ledger.reading import find_case
from kiezbruecke.ledger.todo import Answer
from kiezbruecke.records import BudgetStatus, Decision, Outcome, Proposal, ProposalStatus
from kiezbruecke.records.identity import case_id
from tests.builders import GRUENAU, MUEGGELHEIM, PROCESS, a_budget, a_line, a_proposal, by
from tests.ledger.conftest import Desk, draft

AREAS = st.sampled_from([MUEGGELHEIM, MUEGGELHEIM, MUEGGELHEIM, GRUENAU, "999999"])
REFERENCES = st.sampled_from(["2026-00001", "2026-00002", "2026-00003", "2026-00004", "P-1", "P-2", "P-3"])
AMOUNTS = st.sampled_from(["400.00", "400.00", "850.00", "850.01", None])
ACCEPTED = [Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.ACCEPTED_REDUCED]
LINES = st.builds(
    lambda outcome, amount, sheet, row, correction, **given: a_line(
        outcome, amount, sheet=f"liste-{sheet}", row=row, correction=correction, **given
    ),
    st.sampled_from([*ACCEPTED, Outcome.REJECTED, Outcome.WAITING_LIST, Outcome.WITHDRAWN]),
    AMOUNTS,
    st.integers(1, 3),
    st.integers(2, 40),
    st.booleans(),
    reference_number=REFERENCES,
    area_id=AREAS,
    decided_on=st.sampled_from([date(2026, 4, 24), date(2026, 6, 19)]),
    reason=st.sampled_from(["", "Protokoll berichtigt"]),
    title=st.sampled_from(["Fest", 'Über „alles“ mit "area_id":"090311" \\" darin, "outcome":"accepted"']),
)
PROPOSALS = st.builds(
    lambda source, reference, **given: a_proposal(
        source=f"meinberlin-{source}", external_id=reference, reference_number=reference, **given
    ),
    st.sampled_from(["tk", "tk", "tk", "xk"]),
    st.sampled_from(["2026-00001", "2026-00002", "2026-00003", "2026-00005"]),
    area_id=st.one_of(AREAS, st.none()),
    asked=st.sampled_from(["500.00", None, None]),
    status=st.sampled_from([ProposalStatus.SUBMITTED, ProposalStatus.SUBMITTED, ProposalStatus.GONE]),
)
BUDGETS = st.builds(
    lambda row, amount, **given: a_budget(amount, row=row, **given),
    st.integers(3, 9),
    st.sampled_from(["850.00", "1250.00", "3000.00"]),
    status=st.sampled_from([BudgetStatus.RELEASED, BudgetStatus.RELEASED, BudgetStatus.BLOCKED]),
    area_id=AREAS,
    reason=st.sampled_from(["", "Nachtrag"]),
    fiscal_year=st.sampled_from([PROCESS.fiscal_year, PROCESS.fiscal_year, PROCESS.fiscal_year + 1]),
)
FIRST_BUDGET = st.builds(a_budget, st.sampled_from(["0.01", "0.01", "800.00", "1250.00"]))
WORLDS = st.tuples(
    st.lists(LINES, min_size=3, max_size=12),
    st.lists(PROPOSALS, max_size=4),
    st.tuples(FIRST_BUDGET, st.lists(BUDGETS, max_size=1)).map(lambda told: [told[0], *told[1]]),
    st.sets(REFERENCES, max_size=1),
    st.booleans(),
)


@given(told=WORLDS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_case_read_alone_stands_as_among_all(fresh_sqlite: Callable[[], str], told: Any) -> None:
    """The desk never answers anything else than the pipeline, whatever sheets, platforms and people said."""
    _compare(fresh_sqlite(), told)


@given(told=WORLDS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_case_read_alone_stands_as_among_all_on_postgresql(fresh_postgresql: Callable[[], str], told: Any) -> None:
    """There the columns that the sum rests on are spelled differently."""
    _compare(fresh_postgresql(), told)


@pytest.mark.parametrize("second", ["1750.00", "1750.01"])
def test_another_cases_sum_holds_a_case_back(ledger: Ledger, second: str) -> None:
    """On the cent, without loading the other case."""
    desk = Desk(ledger)
    _store(desk, [a_line(reference_number="P-1"), a_line(reference_number="P-2", row=3, amount=second)])
    _store(desk, [a_budget("2600.00")])
    [case] = find_case(ledger, "P-1")
    found = [one.reason for one in attention.read_standing(ledger, PROCESS, case).disagreements]

    assert found == ([] if second == "1750.00" else [Reason.OVER_BUDGET])


def test_of_two_platforms_words_the_later_one_places_a_case(ledger: Ledger) -> None:
    """As the pipeline reads it: its sum counts there, and nowhere else."""
    desk = Desk(ledger)
    both = {"reference_number": "2026-00002", "external_id": "2"}
    _store(desk, [a_line(reference_number="P-1"), a_line(reference_number="2026-00002", row=3, amount="2000.00")])
    _store(
        desk, [a_budget("2600.00"), a_proposal(None, **both), a_proposal(None, source="xk", area_id=GRUENAU, **both)]
    )
    [case] = find_case(ledger, "P-1")

    assert attention.read_standing(ledger, PROCESS, case).disagreements == ()


def _compare(url: str, told: Any) -> None:
    ledger = Ledger(make_engine(url))
    desk = Desk(ledger)
    lines, proposals, budgets, sent, answered = told
    try:
        _store(desk, [*budgets, *lines, *proposals])
        for reference in sorted(sent):
            _send(desk, reference, lines)
        if answered:
            _answer(desk)
        whole = attention.read_standings(ledger, PROCESS)
        alone = [attention.read_standing(ledger, PROCESS, _found(ledger, one.case.id)) for one in whole]
    finally:
        ledger.close()
    assert alone == whole


def _found(ledger: Ledger, case: Any) -> Any:
    [found] = find_case(ledger, str(case))
    return found


def _store(desk: Desk, records: list[Any]) -> None:
    """Two words of one origin are one record: the later one."""
    by_source: dict[str, list[Any]] = {}
    for record in records:
        by_source.setdefault(record.source if isinstance(record, Proposal) else "listen-tk", []).append(record)
    for source, some in by_source.items():
        taken = [Taken(Item(one.kind, str(one.identity), {}), (one,)) for one in some]
        desk.store(taken, source=source)


def _send(desk: Desk, reference: str, lines: list[Decision]) -> None:
    """A message about one of the cases that a line made."""
    line = next((one for one in lines if one.reference_number == reference), None)
    if line is not None:
        paper = line.area_id if reference.startswith("P-") else ""
        desk.prepare(draft(case_id(PROCESS.id, reference, paper)))


def _answer(desk: Desk) -> None:
    """People say what they may say, once and for what contradicts now."""
    run = desk.run("kk-tk", "kk-tk-hkr")
    standings = attention.read_standings(desk.ledger, PROCESS)
    attention.keep_contradictions(desk.ledger, run, PROCESS, attention.contradictions(PROCESS, standings), None)
    for point in desk.points("set_aside"):
        for answer in point.answers[:1]:
            area = PROCESS.areas[0] if answer is Answer.ASSIGN else None
            attention.decide(desk.ledger, point, answer, person=by("A. Muster"), reason="gesehen", area=area)
