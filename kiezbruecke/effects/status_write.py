"""`status.write`: the answer goes home, to the platform where the idea was written down (docs/adr/0018).

decided, with a text ─▶ told ─▶ another decision ─▶ told again      granted, and not any more ─▶ a person tells it
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal, cast

from pydantic import Field

from kiezbruecke.cases.join import Standing
from kiezbruecke.cases.timeline import state_of
from kiezbruecke.content.texts import Values
from kiezbruecke.effects.effect import Due, DueCase, Effect, FollowUp, digest
from kiezbruecke.effects.lane import Lane
from kiezbruecke.errors import RecordError
from kiezbruecke.ledger.reading import MessageHead
from kiezbruecke.ledger.states import UNSETTLED
from kiezbruecke.records import Proposal, ProposalStatus, Record
from kiezbruecke.records.views import CaseState, StoryKind, View

Told = Literal[
    CaseState.GRANTED,
    CaseState.COMMITTED,
    CaseState.IN_PAYMENT,
    CaseState.PAID,
    CaseState.SETTLED,
    CaseState.REJECTED,
    CaseState.NOT_ELIGIBLE,
    CaseState.WAITING_LIST,
    CaseState.DEFERRED,
    CaseState.FORWARDED,
    CaseState.WITHDRAWN,
]


class BeforeView(View):
    """What we had last written at the platform; where we never wrote, the status that was collected."""

    status: str = Field("", json_schema_extra={"maxLength": 50}, description="In the platform's own token")
    lines: tuple[str, ...] = Field((), description="Our own public lines; none where we never wrote")


class AnswerView(View):
    """What people read of a case on its platform."""

    state: Told = Field(description="The state whose text it is")
    external_id: str = Field(json_schema_extra={"maxLength": 100}, description="Key of the proposal on its platform")
    page: str = Field(json_schema_extra={"maxLength": 500}, description="Address of the proposal there")
    lines: tuple[str, ...] = Field(description="Public text, one paragraph each (`mappings/texts`)")
    amount: Decimal | None = Field(None, description="Granted sum; empty where nothing is granted")
    before: BeforeView = Field(description="What stood there before, as far as it is ours")


def answer(standing: Standing, lane: Lane) -> Due | FollowUp | None:
    """What people should read is not what they were told last; one answer is on its way at a time."""
    sent = lane.sent(standing)
    if any(message.state in UNSETTLED for message in sent) or not _may_be_told(standing, lane):
        return None
    state = lane.texts.told_as(state_of(standing))
    if state is None:
        return None
    basis, last = _basis(standing, state), lane.last_there(standing)
    if last is not None and last.basis == basis:
        return None
    if lane.is_refused(sent, basis):
        return None
    if last is not None and last.amount_cents is not None and not standing.grants and not _is_released(standing):
        return _taken_back(standing)
    amount = standing.amount if standing.grants else None
    return Due(
        WRITE, lane.next_number(standing), basis, amount, seen=str(sent[-1].key) in lane.resend if sent else False
    )


def overtaken(standing: Standing, message: MessageHead, lane: Lane) -> bool:
    """Whether an answer that waits says anything else than what may be told now."""
    state = lane.texts.told_as(state_of(standing)) if _may_be_told(standing, lane) else None
    return state is None or message.basis != _basis(standing, state)


def as_people_read_it(payload: bytes) -> Sequence[str]:
    """The platform's status and the public lines."""
    body = json.loads(payload)
    return [f"[{body['status']}]", *body["lines"]]


def repeats(payload: bytes, before: Record, after: Record) -> bool:
    """Whether a proposal has changed by our own answer and by nothing else: a colleague's words beside it are news."""
    if not isinstance(before, Proposal) or not isinstance(after, Proposal):
        return False
    said = json.loads(payload)
    ours = {*_folded(said["lines"]), *_folded(said["before"]["lines"])}
    theirs = [[line for line in _lines(one) if line not in ours] for one in (before, after)]
    told = after.source_status == said["status"] and {*_folded(said["lines"])} <= {*_lines(after)}
    return told and theirs[0] == theirs[1] and _but_for_the_answer(before) == _but_for_the_answer(after)


def _but_for_the_answer(proposal: Proposal) -> Proposal:
    return proposal.model_copy(
        update={
            "modified_at": None,
            "source_status": "",
            "source_status_label": "",
            "status": ProposalStatus.SUBMITTED,
            "feedback_text": "",
        }
    )


def _lines(proposal: Proposal) -> list[str]:
    return _folded([line for line in proposal.feedback_text.splitlines() if line.strip()])


def _folded(lines: Sequence[str]) -> list[str]:
    return [" ".join(line.split()) for line in lines]


def _may_be_told(standing: Standing, lane: Lane) -> bool:
    """Its idea came from this very platform and is there; a decision since the go-live line stands uncontradicted."""
    proposal, decision = standing.proposal, standing.decision
    if proposal is None or proposal.source != lane.destination or proposal.status is ProposalStatus.GONE:
        return False
    if decision is None or standing.disagreements or lane.name in standing.case.baselines:
        return False
    return decision.decided_on >= lane.start_from


def _basis(standing: Standing, state: CaseState) -> str:
    """What is told rests on the state, the sum and the day – not on the words: a better text is no news."""
    assert standing.decision is not None
    return digest(WRITE.basis_of(standing), state)


def _is_released(standing: Standing) -> bool:
    """The platform says granted, the sheet a final no, and nothing is in question: so a person has said which holds."""
    assert standing.proposal is not None
    assert standing.decision is not None
    return standing.proposal.status is ProposalStatus.ACCEPTED and standing.decision.outcome.final


def _taken_back(standing: Standing) -> FollowUp:
    assert standing.decision is not None
    text = (
        f"{standing.case.reference}: Öffentlich steht noch, dass der Vorschlag bewilligt ist; der Beschluss sagt jetzt "
        f"„{standing.decision.outcome.word}“. Eine Bewilligung wird nie von selbst zurückgenommen: bitte mit den "
        "Antragstellenden sprechen und Status und Text auf der Plattform von Hand ändern"
    )
    return FollowUp(text, digest("taken back", standing.decision.digest()))


def _views(of: DueCase) -> Mapping[str, AnswerView]:
    standing, decision, proposal = of.standing, of.standing.decision, of.standing.proposal
    assert proposal is not None
    state = of.texts.told_as(state_of(standing))
    if state is None:  # of a stored message, whose case has gone on
        raise RecordError("der Fall steht jetzt so, dass es dazu nichts zu sagen gibt", where=standing.case.reference)
    values = Values(
        amount=of.due.amount,
        decided_on=decision and decision.decided_on,
        area_name=standing.area_name,
        title=standing.title,
        reference=standing.case.reference,
        process=of.process.name,
        organisation=of.process.organisation,
    )
    lines = of.texts.texts[state].fill(values)
    told = AnswerView(
        state=cast("Told", state),  # a text is of one of these states
        external_id=proposal.external_id,
        page=proposal.url,
        lines=lines,
        amount=of.due.amount,
        before=_before(of),
    )
    return {"answer": told}


def _before(of: DueCase) -> BeforeView:
    """Our own last words; where a person has seen what stands there now, or we never wrote, what was collected."""
    proposal = of.standing.proposal
    assert proposal is not None
    if of.due.seen:
        return BeforeView(status=proposal.source_status, lines=tuple(_lines(proposal)))
    if not of.last:
        return BeforeView(status=proposal.source_status)
    body = json.loads(of.last)
    return BeforeView(status=body["status"], lines=tuple(body["lines"]))


WRITE = Effect(
    name="status.write",
    letter="A",
    title="Antwort",
    place="auf die Plattform",
    partner="Die Plattform",
    happened=(StoryKind.ANSWERED, "Die Antwort steht auf der Plattform."),
    basis=("standing.amount", "standing.decision.decided_on"),
    rule="answer",
    due=answer,
    outdated=overtaken,
    informs=True,
    tells=True,
    recalls=True,
    read_as=as_people_read_it,
    echoes=repeats,
    views=_views,
    view_models={"answer": AnswerView},
)
EFFECTS = (WRITE,)
