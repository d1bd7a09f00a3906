"""Small builders for what the pure rules read: one line, one proposal, one case – all else by default."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from kiezbruecke.cases.join import Disagreement, Reason, Standing, join
from kiezbruecke.content.processes import read_process
from kiezbruecke.effects import Lane
from kiezbruecke.ledger import MessageState
from kiezbruecke.ledger.draft import Identity
from kiezbruecke.ledger.people import How, Person
from kiezbruecke.ledger.reading import MessageHead, Snapshot, StoredCase, StoredOrder
from kiezbruecke.records import (
    Application,
    Budget,
    BudgetStatus,
    Commitment,
    CommitmentState,
    Decision,
    OrderState,
    Outcome,
    Process,
    Proposal,
    ProposalStatus,
    Settlement,
)
from kiezbruecke.records.identity import case_id
from kiezbruecke.records.references import is_paper

ROOT = Path(__file__).resolve().parents[1]
PROCESS: Process = read_process(ROOT, "kk-tk-2026")
MUEGGELHEIM, GRUENAU = "090416", "090311"
REFERENCE = "2026-00001"
APRIL, JUNE = date(2026, 4, 24), date(2026, 6, 19)
WHEN = datetime(2026, 5, 4, 6, 15, tzinfo=UTC)


def by(name: str) -> Person:
    """Somebody who acts, at a log-in of this machine."""
    return Person(name, "amuster", How.OS)


def a_line(outcome: Outcome = Outcome.ACCEPTED, amount: str | None = "850.00", **given: Any) -> Decision:
    """One line of a decision sheet; `sheet` names the sheet, so lines of one sheet have the same."""
    sheet, row = given.pop("sheet", "liste-1"), given.pop("row", 2)
    if not outcome.grants and amount == "850.00":
        amount = None
    values: dict[str, Any] = {
        "origin": f"{sheet}:{row}",
        "sheet": f"{sheet}.xlsx",
        "row": row,
        "process_id": PROCESS.id,
        "area_id": MUEGGELHEIM,
        "decided_on": APRIL,
        "reference_number": REFERENCE,
        "title": "Sommerfest",
        "outcome": outcome,
        "approved_amount": None if amount is None else Decimal(amount),
    }
    return Decision(**{**values, **given})


def a_correction(outcome: Outcome = Outcome.ACCEPTED, amount: str | None = "850.00", **given: Any) -> Decision:
    """A line of a later sheet that changes an earlier one as it should."""
    return a_line(
        outcome, amount, **{"sheet": "liste-2", "correction": True, "reason": "Protokoll berichtigt", **given}
    )


def a_proposal(asked: str | None = "1000.00", **given: Any) -> Proposal:
    """What the platform says."""
    values: dict[str, Any] = {
        "source": "meinberlin-tk",
        "external_id": "1",
        "reference_number": REFERENCE,
        "process_id": PROCESS.id,
        "area_id": MUEGGELHEIM,
        "area_origin": "module",
        "title": "Sommerfest am Müggelseedamm",
        "requested_amount": None if asked is None else Decimal(asked),
        "created_at": WHEN,
        "status": ProposalStatus.SUBMITTED,
    }
    return Proposal(**{**values, **given})


def a_budget(amount: str = "2600.00", status: BudgetStatus = BudgetStatus.RELEASED, **given: Any) -> Budget:
    """One line of a budget sheet."""
    values: dict[str, Any] = {
        "origin": f"budgets:{given.get('row', 2)}",
        "process_id": PROCESS.id,
        "fiscal_year": PROCESS.fiscal_year,
        "area_id": MUEGGELHEIM,
        "amount": Decimal(amount),
        "chapter": "5950",
        "title": "97113",
        "status": status,
        "valid_from": date(2026, 1, 1),
    }
    given.pop("row", None)
    return Budget(**{**values, **given})


def an_application(row: int = 2, **given: Any) -> Application:
    """One line of an application sheet: applied for, announced by a Bescheid, with an account."""
    sheet = given.pop("sheet", "antraege-1")
    values: dict[str, Any] = {
        "origin": f"{sheet}:{row}",
        "sheet": f"{sheet}.xlsx",
        "row": row,
        "process_id": PROCESS.id,
        "area_id": MUEGGELHEIM,
        "reference_number": REFERENCE,
        "amount": Decimal("850.00"),
        "notice_on": date(2026, 5, 4),
        "waiver_on": date(2026, 5, 6),
        "account": "a" * 64,
        "account_hint": "DE12…3456",
    }
    return Application(**{**values, **given})


def a_settlement(spent: str = "850.00", row: int = 2, **given: Any) -> Settlement:
    """One line of a settlement sheet."""
    sheet = given.pop("sheet", "nachweise-1")
    values: dict[str, Any] = {
        "origin": f"{sheet}:{row}",
        "sheet": f"{sheet}.xlsx",
        "row": row,
        "process_id": PROCESS.id,
        "area_id": MUEGGELHEIM,
        "reference_number": REFERENCE,
        "proven_on": date(2026, 9, 1),
        "spent": Decimal(spent),
    }
    return Settlement(**{**values, **given})


def an_order(state: OrderState = OrderState.PAID, **given: Any) -> StoredOrder:
    """An order of the case of these tests."""
    values: dict[str, Any] = {
        "key": UUID(int=1),
        "kind": "payment",
        "instalment": 1,
        "channel": "hkr",
        "amount": Decimal("850.00"),
        "reference": "KK26-090416-00001-Z1",
        "due_on": date(2026, 6, 1),
        "account": "a" * 64,
        "moved_on": date(2026, 6, 3) if state is OrderState.PAID else None,
    }
    return StoredOrder(state=state, **{**values, **given})


def a_case(*lines: Decision, proposal: Proposal | None = None, **given: Any) -> StoredCase:
    """A case with its lines in the order they became known; without `proposal` no platform knows it."""
    reference = lines[0].reference_number if lines else (proposal.reference_number if proposal else REFERENCE)
    area = lines[0].area_id if lines and is_paper(reference) else ""
    return StoredCase(
        id=case_id(PROCESS.id, reference, area),
        process_id=PROCESS.id,
        reference=reference,
        area_id=area,
        proposal=proposal,
        decisions=lines,
        **given,
    )


def known(*lines: Decision, **given: Any) -> StoredCase:
    """The same, with a proposal on the platform."""
    proposal = given.pop("proposal", None) or a_proposal(
        reference_number=lines[0].reference_number, external_id=lines[0].reference_number, area_id=lines[0].area_id
    )
    return a_case(*lines, proposal=proposal, **given)


def joined(
    *cases: StoredCase,
    budgets: Iterable[Budget] | None = None,
    waived: Iterable[str] = (),
    dismissed: Iterable[str] = (),
) -> list[Standing]:
    """All cases as they stand, with Müggelheim's budget where no other is given."""
    lines = (a_budget(),) if budgets is None else tuple(budgets)
    return join(PROCESS, Snapshot(cases, lines), frozenset(waived), frozenset(dismissed))


def standing(case: StoredCase, **given: Any) -> Standing:
    """One case as it stands."""
    return joined(case, **given)[0]


def reasons(case: StoredCase, **given: Any) -> list[Reason]:
    """Why a case is set aside."""
    return [one.reason for one in standing(case, **given).disagreements]


def the_only(one: Standing) -> Disagreement:
    """The disagreement of a case that has exactly one."""
    (disagreement,) = one.disagreements
    return disagreement


def a_lane(destination: str = "hkr-tk", family: str = "commitment", **given: Any) -> Lane:
    """A destination's view from the beginning of the year on."""
    name, begin = f"{destination}|{family}", date(2026, 1, 1)
    values: dict[str, Any] = {"generation": 1, "family": family, "name": name, "start_from": begin}
    return Lane(destination=destination, **{**values, **given})


def a_message(
    effect: str = "commitment.book",
    state: MessageState = MessageState.CONFIRMED,
    amount: str = "850.00",
    **given: Any,
) -> MessageHead:
    """A message that was sent about the case of these tests."""
    destination = "hkr-tk" if effect.startswith("commitment") else "eakte-tk"
    if effect == "status.list":
        destination = "statusliste-tk"
    number, generation = given.get("number", 1), given.get("generation", 1)
    case = given.pop("case_id", case_id(PROCESS.id, REFERENCE))
    values: dict[str, Any] = {
        "key": Identity(destination, generation, case, effect, number).key,
        "destination": destination,
        "generation": generation,
        "case_id": case,
        "effect": effect,
        "number": number,
        "reference": f"KK26-{MUEGGELHEIM}-00001-F{number}",
        "related_reference": None,
        "voucher": "",
        "lane": "",
        "route": "",
        "owner": "",
        "state": state,
        "basis": "",
        "amount_cents": int(Decimal(amount) * 100),
        "sha256": "",
        "file_name": "",
        "mapping": "",
        "test": False,
        "ticket": None,
        "batch_id": None,
        "remote_id": "",
        "note": "",
        "created_at": WHEN,
        "updated_at": WHEN,
    }
    return MessageHead(**{**values, **given})


def a_list_line(told: str | None = None, **given: Any) -> MessageHead:
    """The line of the public list that was written last; `told` is the sum that it names."""
    amount = None if told is None else int(Decimal(told) * 100)
    return replace(a_message("status.list", **given), amount_cents=amount)


def a_commitment(amount: str = "850.00", state: CommitmentState = CommitmentState.BOOKED) -> Commitment:
    """What the budget system holds for the case of these tests."""
    return Commitment(
        case_id=case_id(PROCESS.id, REFERENCE),
        process_id=PROCESS.id,
        area_id=MUEGGELHEIM,
        fiscal_year=PROCESS.fiscal_year,
        amount=Decimal(amount),
        state=state,
        reference=f"KK26-{MUEGGELHEIM}-00001-F1",
    )
