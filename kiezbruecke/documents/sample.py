"""A made-up case that fills every field: what a template is tried with, so that its errors quote nobody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from kiezbruecke.documents.sheets import Setting, decision_title, proposal_title, values_of
from kiezbruecke.records import Decision, Outcome, Proposal, Votes

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


def samples() -> Iterator[tuple[dict[str, Any], date]]:
    """Values with title, and a day: a full case, and one from paper that has next to nothing."""
    for proposal, decision in ((_PROPOSAL, _DECISION), (None, _BARE)):
        values = values_of(proposal, decision, _SETTING if proposal else Setting("Friedrichshagen", ""))
        for title in (proposal_title(proposal, decision), decision_title(decision)):
            yield {**values, "title": title}, _DAY
