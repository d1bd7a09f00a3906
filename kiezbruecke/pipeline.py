"""The way of a record, on one screen. Read this file first.

              inbound mapping                outbound mapping
    source ──collect──▶ record ──▶ CASE ──prepare──▶ message ──▶ deliver ──▶ destination
      ▲                              ▲                                          │
      └─ a route whose destination   └── event ◀── collect ◀── receipt ◀── reconcile
         is the participation tool (later)

A collecting route empties a source or a message box: `collect`.
A sending route does what is due: `prepare`, `deliver`, `reconcile`, in this order.

Every step can be stopped anywhere and started again. Whatever is sent was stored before; whatever is acknowledged was
stored before; what nobody knows is asked, or sent again with the same bytes and the same id – never as something new.
"""

from __future__ import annotations

from kiezbruecke.stages import collecting, delivering, preparing, reconciling
from kiezbruecke.stages.work import (
    Collecting,
    Counts,
    Sending,
    collecting_stage,
    is_collecting,
    sending_stage,
)

__all__ = ["Counts", "collect", "deliver", "housekeeping", "outstanding", "prepare", "reconcile", "run"]


@collecting_stage
def collect(work: Collecting, counts: Counts) -> None:
    """Empty a source: every item becomes records or a receipt, or is set aside with a reason."""
    for items in collecting.chunks(work):
        collecting.watch(work, items, counts)  # has the source changed its shape?
        taken = [collecting.read(work, item) for item in items]  # inbound mappings
        stored = collecting.keep(work, taken)  # one transaction, with the cursor
        collecting.acknowledge(work, stored)  # only now does the source hear of it
        counts.add(stored.counts)
    collecting.mark_gone(work, counts)


@sending_stage
def prepare(work: Sending, counts: Counts) -> None:
    """Join what is known into cases, ask the route's rule what is due, store the bytes of every message."""
    standings = preparing.withdraw_outdated(work, preparing.join_cases(work))
    due, points = preparing.what_is_due(work, standings)
    drafts, problems = preparing.write_messages(work, due)  # outbound mapping
    preparing.keep(work, drafts, [*points, *problems], counts)


@sending_stage
def deliver(work: Sending, counts: Counts) -> None:
    """Send what is prepared. Doubt that an earlier run has left is asked after first."""
    delivering.ask_about_doubts(work, counts)
    for parcel in delivering.parcels(work):  # a few messages, or a carrier of many
        delivering.send(work, parcel, counts)
    delivering.stop_if_unreachable(work)


@sending_stage
def reconcile(work: Sending, counts: Counts) -> None:
    """Compare with the destination: doubts, transport reports, their own sums, what is overdue."""
    delivering.ask_about_doubts(work, counts)
    reconciling.ask_for_transport_reports(work, counts)
    reconciling.remind(work, counts)
    reconciling.fetch_their_sums(work)


def run(route: str) -> Counts:
    """A whole route in one go, as the command line does it."""
    if is_collecting(route):
        return collect(route)
    return prepare(route) + deliver(route) + reconcile(route)


def housekeeping() -> Counts:
    """Look at what waits too long, in every sending route; a broken route disturbs no other."""
    return reconciling.remind_everywhere()


def outstanding() -> dict[str, int]:
    """How much each route still has to do: due or unsent messages, answers that are waited for."""
    return reconciling.outstanding()
