"""`letter.write`: who asked is told in writing that the money is granted, once per case."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from kiezbruecke.cases.join import Standing
from kiezbruecke.effects import Due, Effect, FollowUp, Lane
from kiezbruecke.effects.effect import DueCase
from kiezbruecke.ledger import MessageState
from kiezbruecke.records import Applicant
from kiezbruecke.records.views import View


class LetterView(View):
    """What only this letter says."""

    salutation: str
    granted: Decimal


def letter(standing: Standing, lane: Lane) -> Due | FollowUp | None:
    """Granted, and not written yet. A sum that changes later is another matter, for a person."""
    sent, basis = lane.sent(standing), WRITE.basis_of(standing)
    if any(message.state is not MessageState.REFUSED for message in sent):
        return None
    if not lane.may_begin(standing) or lane.is_refused(sent, basis):
        return None
    return Due(WRITE, lane.next_number(standing), basis, standing.amount)


def _views(of: DueCase) -> Mapping[str, LetterView]:
    assert of.due.amount is not None
    return {"letter": LetterView(salutation=_salutation(of.standing.case.applicant), granted=of.due.amount)}


def _salutation(applicant: Applicant | None) -> str:
    name = applicant.legal_name or applicant.display_name if applicant else ""
    return f"Guten Tag {name}," if name else "Sehr geehrte Damen und Herren,"


WRITE = Effect(
    name="letter.write",
    letter="B",
    title="Bewilligungsschreiben",
    basis=("standing.grants", "standing.amount"),
    rule="letter",
    due=letter,
    once=True,
    views=_views,
    view_models={"letter": LetterView},
)
EFFECTS = (WRITE,)
