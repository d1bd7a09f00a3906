"""`open.list`: the line of a granted project in the open data differs from the last one that was published."""

from __future__ import annotations

from kiezbruecke.cases.join import Standing
from kiezbruecke.cases.publishing import granted_first_on, public_of
from kiezbruecke.effects.effect import Due, Effect, FollowUp
from kiezbruecke.effects.lane import Lane
from kiezbruecke.ledger import MessageState


def open_data(standing: Standing, lane: Lane) -> Due | FollowUp | None:
    """A line for what was granted once; while something contradicts it, what is published stays as it is."""
    public = public_of(standing)
    if public is None or standing.disagreements:
        return None
    sent = lane.sent(standing)
    basis = OPEN_LIST.basis_of(standing)
    if not sent and not _may_begin(standing, lane):
        return None
    if sent and sent[-1].basis == basis and sent[-1].state is not MessageState.REFUSED:
        return None
    if lane.is_refused(sent, basis):
        return None
    return Due(OPEN_LIST, lane.next_number(standing), basis, public.granted or None)


def _may_begin(standing: Standing, lane: Lane) -> bool:
    """From the go-live line on; what was taken back before it was published here is told as well."""
    first = granted_first_on(standing)
    return first is not None and first >= lane.start_from and lane.name not in standing.case.baselines


OPEN_LIST = Effect(
    name="open.list",
    letter="D",
    title="Offene Daten",
    basis=(
        "standing.area_id",
        "standing.area_name",
        "public.title",
        "public.requested",
        "public.granted",
        "public.decided_on",
        "public.key",
    ),
    rule="open_data",
    due=open_data,
    informs=True,
    in_list=True,
)
EFFECTS = (OPEN_LIST,)
