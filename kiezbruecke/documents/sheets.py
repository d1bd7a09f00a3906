"""What the sheets of a case can say: the proposal as its platform shows it, the decision as it was taken.

Texts as people read them; which of them stand where, and under which word, is the template's to say. Of people only
the office's recorder is named; who proposed is not, the applicant comes with the application.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from kiezbruecke.documents.letters import printable
from kiezbruecke.records import Decision, Proposal, Votes

_BERLIN = ZoneInfo("Europe/Berlin")
_LINK = re.compile(r"https?://[!-~]{1,2000}")


@dataclass(frozen=True)
class Setting:
    """Where a case belongs: names for people, and its Fremdkennzeichen."""

    area_name: str
    process_name: str
    organisation: str = ""
    reference: str = ""


def values_of(proposal: Proposal | None, decision: Decision, setting: Setting) -> dict[str, Any]:
    """All that a template may show, as `data.…`; empty texts where nothing is known, no proposal for one from paper."""
    return {
        "process": _one_line(setting.process_name),
        "organisation": _one_line(setting.organisation),
        "area": setting.area_name,
        "reference": decision.reference_number,
        "fremdkennzeichen": setting.reference,
        "proposal": _proposal(proposal) if proposal else None,
        "decision": _decision(decision),
    }


def proposal_title(proposal: Proposal | None, decision: Decision) -> str:
    """The heading of the proposal's sheet, on one line."""
    return _one_line(proposal.title if proposal else decision.title) or "(ohne Titel)"


def decision_title(decision: Decision) -> str:
    """The heading of the decision's sheet, on one line."""
    return _one_line(decision.title) or f"Vorschlag {decision.reference_number}"


def proposal_day(proposal: Proposal | None, decision: Decision) -> date:
    """The day of its last change on the platform, in Berlin; where nobody knows one, and on paper, of the meeting."""
    known = proposal and (proposal.modified_at or proposal.created_at)
    return known.astimezone(_BERLIN).date() if known else decision.decided_on


def _proposal(proposal: Proposal) -> dict[str, str | bool]:
    return {
        "place": proposal.point_label,
        "requested": euro(proposal.requested_amount),
        "category": proposal.category,
        "labels": ", ".join(proposal.labels),
        "created_on": german_date(proposal.created_at) if proposal.created_at else "",
        "modified_on": german_date(proposal.modified_at) if proposal.modified_at else "",
        "external_id": proposal.external_id,
        "url": proposal.url,
        "is_link": bool(_LINK.fullmatch(proposal.url)),
        "description": proposal.description_text,
    }


def _decision(decision: Decision) -> dict[str, str | bool]:
    return {
        "decided_on": german_date(decision.decided_on),
        "outcome": decision.outcome.word,
        "approved": euro(decision.approved_amount),
        "votes": _votes(decision.votes),
        "rank": str(decision.rank or ""),
        "protocol": decision.protocol_ref,
        "paper": decision.paper_reference,
        "paper_url": decision.paper_url,
        "paper_is_link": bool(_LINK.fullmatch(decision.paper_url)),
        "correction": "Ja, ersetzt eine frühere Zeile" if decision.correction else "",
        "sheet": f"{decision.sheet}, Zeile {decision.row}",
        "recorded_by": decision.recorded_by,
        "conditions": decision.conditions,
        "reason": decision.reason,
    }


def euro(amount: Decimal | None) -> str:
    """`1.234,50 €` with a space that does not break; empty for None."""
    if amount is None:
        return ""
    return f"{amount:,.2f}".translate(str.maketrans(",.", ".,")) + "\u00a0€"


def german_date(day: date | datetime) -> str:
    """`12.03.2026`; a moment counts as its day in Berlin."""
    local = day.astimezone(_BERLIN) if isinstance(day, datetime) else day
    return f"{local:%d.%m.%Y}"


def _votes(votes: Votes) -> str:
    parts = (("Ja", votes.yes), ("Nein", votes.no), ("Enthaltung", votes.abstain))
    return " · ".join(f"{name} {count}" for name, count in parts if count is not None)


def _one_line(text: str) -> str:
    return " ".join(printable(text).split())
