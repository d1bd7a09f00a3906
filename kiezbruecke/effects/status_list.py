"""`status.list`: the line of a case in the list for those who asked differs from the last one that was written."""

from __future__ import annotations

from kiezbruecke.cases.join import Standing
from kiezbruecke.cases.timeline import status_of
from kiezbruecke.effects.effect import Due, Effect, FollowUp
from kiezbruecke.effects.lane import Lane
from kiezbruecke.ledger import MessageState


def status_changed(standing: Standing, lane: Lane) -> Due | FollowUp | None:
    """A new line where the status that people see has changed since the last one."""
    sent = lane.sent(standing)
    basis = STATUS_LIST.basis_of(standing)
    if sent and sent[-1].basis == basis and sent[-1].state is not MessageState.REFUSED:
        return None
    if lane.is_refused(sent, basis):
        return None
    number = lane.next_number(standing)
    return Due(STATUS_LIST, number, basis, status_of(standing).amount)


STATUS_LIST = Effect(
    name="status.list",
    letter="S",
    title="Statusliste",
    basis=("standing.title", "standing.area_name", "status.state", "status.amount", "status.since"),
    rule="status_changed",
    due=status_changed,
    informs=True,
    in_list=True,
)
EFFECTS = (STATUS_LIST,)
