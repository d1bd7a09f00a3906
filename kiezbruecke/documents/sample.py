"""A made-up case that fills every field: what a template is tried with, so that its errors quote nobody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from kiezbruecke.documents.drafts import NOTICE, ORDER, GrantedProject, PaymentOrder, values_of_notice, values_of_order
from kiezbruecke.documents.sheets import Setting, decision_title, proposal_title, values_of
from kiezbruecke.records import Application, Decision, Outcome, Payments, Proposal, Votes

_DAY = date(2026, 3, 12)
_SETTING = Setting("Friedrichshagen", "Kiezkassen 2026", "Bezirksamt Beispielbezirk", "KK26-090517-00001-E1")
_PROPOSAL = Proposal(
    source="plattform",
    external_id="1",
    reference_number="2026-00001",
    process_id="kk-2026",
    url="https://beteiligung.example/vorschlaege/2026-00001/",
    title="Sommerfest",
    description_text="Ein Fest für alle.\nMit Musik.",
    category="Kultur",
    labels=("Fest", "Ehrenamt"),
    requested_amount=Decimal("1000.00"),
    point_label="S-Bahnhof",
    created_at=datetime(2026, 2, 3, 10, tzinfo=UTC),
    modified_at=datetime(2026, 2, 6, 10, tzinfo=UTC),
)
_DECISION = Decision(
    origin="0:2",
    sheet="beschlussliste.xlsx",
    row=2,
    process_id="kk-2026",
    area_id="090517",
    decided_on=_DAY,
    reference_number="2026-00001",
    title="Sommerfest",
    outcome=Outcome.ACCEPTED_REDUCED,
    approved_amount=Decimal("850.00"),
    votes=Votes(yes=34, no=3, abstain=1),
    rank=1,
    conditions="Lärmschutz beachten.",
    protocol_ref="Protokoll 3",
    paper_reference="X/0815",
    paper_url="https://bvv.example/vo020?nummer=4711",
    correction=True,
    reason="Angebot günstiger",
    recorded_by="SPK 1",
)
_BARE = _DECISION.model_copy(
    update={"title": "", "rank": None, "conditions": "", "protocol_ref": "", "reason": "", "recorded_by": ""}
    | {"paper_reference": "", "paper_url": ""}
)

_APPLICATION = Application(
    origin="0:2",
    sheet="antragsliste.xlsx",
    row=2,
    process_id="kk-2026",
    area_id="090517",
    reference_number="2026-00001",
    applied_on=_DAY,
    amount=Decimal("850.00"),
    expected_costs=Decimal("1200.00"),
    starts_on=date(2026, 6, 1),
    notice_on=date(2026, 4, 1),
    account="0" * 64,
    account_hint="DE89…3000",
    applicant_name="Nachbarschaftsverein",
)
_NOTHING_MORE = {"applied_on": None, "expected_costs": None, "starts_on": None, "notice_on": None, "account_hint": ""}
_PAYMENTS = Payments(channel="hkr")
_ORDER = PaymentOrder(
    Decimal("850.00"), date(2026, 5, 11), "11050001", "KK26-090517-00001-F1", "Kiezkasse KK26", "vorbereitet"
)


def samples_of(part: str) -> Iterator[tuple[dict[str, Any], date]]:
    """The samples that a part is tried with: of a paper that people sign, with a grant and an order."""
    return _drafts(part) if part in (NOTICE, ORDER) else samples()


def _drafts(part: str) -> Iterator[tuple[dict[str, Any], date]]:
    for proposal, decision, known, basis in (
        (_PROPOSAL, _DECISION, {}, ("§§ 23, 44 LHO Berlin",)),
        (None, _BARE, _NOTHING_MORE, ()),
    ):
        application = _APPLICATION.model_copy(update=known)
        grant = GrantedProject(proposal, decision, application, Decimal("850.00"), 2026, "3300/68406", basis, _PAYMENTS)
        yield values_of_notice(grant, _SETTING) if part == NOTICE else values_of_order(grant, _ORDER, _SETTING), _DAY


def samples() -> Iterator[tuple[dict[str, Any], date]]:
    """Values with title, and a day: a full case, and one from paper that has next to nothing."""
    for proposal, decision in ((_PROPOSAL, _DECISION), (None, _BARE)):
        values = values_of(proposal, decision, _SETTING if proposal else Setting("Friedrichshagen", ""))
        for title in (proposal_title(proposal, decision), decision_title(decision)):
            yield {**values, "title": title}, _DAY
