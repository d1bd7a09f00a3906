"""The way of a record, on one screen. Read this file first.

              inbound mapping                outbound mapping
    source ──collect──▶ record ──▶ CASE ──prepare──▶ message ──▶ deliver ──▶ destination
      ▲                              ▲                                          │
      └─ a route whose destination   └── event ◀── collect ◀── receipt ◀── reconcile
         is the participation tool

A collecting route empties a source or a message box: `collect`.
A sending route does what is due: `prepare`, `deliver`, `reconcile`, in this order.

Every step can be stopped anywhere and started again. Whatever is sent was stored before; whatever is acknowledged was
stored before; what nobody knows is asked, or sent again with the same bytes and the same id – never as something new.
A run looks at what has changed since the route looked last; what it costs is what changed.
A step that a newer run has overtaken is the last of its run: the lane is the newer one's.

The steps are plain functions of their work and counts; what surrounds them (modes, pauses, fences, errors) stands in
`stages/running.py`. Everybody who calls brings the House: content, ledger, connections.
"""

from __future__ import annotations

from collections.abc import Mapping

from kiezbruecke.errors import InputError
from kiezbruecke.house import House
from kiezbruecke.ledger.database import now
from kiezbruecke.ledger.finding import keep_findable
from kiezbruecke.ledger.people import Person, signed
from kiezbruecke.ledger.reading import MessageHead
from kiezbruecke.ledger.uploads import drop_old_uploads
from kiezbruecke.stages import (
    anchoring,
    collecting,
    delivering,
    looking_ahead,
    preparing,
    reconciling,
    recovering,
    telling,
)
from kiezbruecke.stages.looking_ahead import AreaOutlook, HandedIn, LineOutlook, SheetOutlook, SheetRoute, SheetThere
from kiezbruecke.stages.resending import Resending
from kiezbruecke.stages.running import Steps
from kiezbruecke.stages.work import Collecting, Counts, Sending

__all__ = [
    "AreaOutlook",
    "Counts",
    "HandedIn",
    "House",
    "LineOutlook",
    "SheetOutlook",
    "SheetRoute",
    "SheetThere",
    "close_the_day",
    "collect",
    "deliver",
    "hand_over",
    "housekeeping",
    "look_ahead",
    "morning_post",
    "outstanding",
    "prepare",
    "reconcile",
    "recover",
    "resend",
    "run",
    "sheet_report",
    "sheet_routes",
    "sheets_there",
]


def collect_items(work: Collecting, counts: Counts) -> None:
    """Empty a source: every item becomes records or a receipt, or is set aside with a reason."""
    for items in collecting.chunks(work):
        taken = collecting.read(work, items)  # inbound mappings, of what is not as it was
        collecting.watch(work, taken, counts)  # has the source changed its shape?
        stored = collecting.keep(work, taken)  # one transaction, with the cursor
        collecting.acknowledge(work, stored)  # only now does the source hear of it
        counts.add(stored.counts)
    collecting.tell_gaps(work, counts)  # what the source could not have this time
    collecting.mark_gone(work, counts)
    reconciling.fetch_sums_behind_answers(work, counts)
    telling.tell(work)  # those who filled in a sheet hear what follows from its lines


def prepare_messages(work: Sending, counts: Counts) -> None:
    """Join what is known into cases, ask the route's rule what is due, store the bytes of every message."""
    survey = preparing.survey(work)  # what has changed since this route looked last
    if survey is None:
        return
    for standings in preparing.cases_as_they_stand(work, survey):
        due, points = preparing.what_is_due(work, standings)
        drafts, problems = preparing.write_messages(work, due)  # outbound mapping
        preparing.keep(work, survey, drafts, [*points, *problems], counts)  # one transaction
    preparing.finish(work, survey)


def deliver_messages(work: Sending, counts: Counts) -> None:
    """Send what is prepared. Doubt that an earlier run has left is asked after first."""
    delivering.ask_about_doubts(work, counts)
    for parcel in delivering.parcels(work):  # a few messages, or a carrier of many
        delivering.send(work, parcel, counts)
    delivering.stop_if_something_is_left(work, counts)


def reconcile_both_sides(work: Sending, counts: Counts) -> None:
    """Compare with the destination: doubts, transport reports, their own sums, what is overdue."""
    delivering.ask_about_doubts(work, counts)
    reconciling.ask_for_transport_reports(work, counts)
    reconciling.remind(work, counts)
    reconciling.fetch_their_sums(work)


STEPS = Steps(
    collecting={"collect": collect_items},
    sending={"prepare": prepare_messages, "deliver": deliver_messages, "reconcile": reconcile_both_sides},
)


def run(house: House, name: str, *, everything: bool = False) -> Counts:
    """A whole route in one go, as the command line does it; `everything` looks also at what has not changed."""
    return STEPS.run(house, name, everything=everything)


def collect(house: House, name: str, *, everything: bool = False) -> Counts:
    """Empty the source of a collecting route."""
    return STEPS.run_one(house, name, "collect", everything=everything)


def prepare(house: House, name: str, *, everything: bool = False) -> Counts:
    """Store what is due at a sending route's destination; nothing leaves."""
    return STEPS.run_one(house, name, "prepare", everything=everything)


def deliver(house: House, name: str) -> Counts:
    """Send what the route has prepared."""
    return STEPS.run_one(house, name, "deliver")


def reconcile(house: House, name: str) -> Counts:
    """Compare with the destination."""
    return STEPS.run_one(house, name, "reconcile")


def resend(house: House, head: MessageHead, *, person: Person, reason: str) -> Counts:
    """One message once more with the same bytes and id, because a person says so; raises InputError with why not."""
    step = Resending(head, signed(person, reason, f"message resend {head.reference}"))
    counts = Steps(collecting={}, sending={"resend": step}).run_one(house, head.route, "resend")
    if not counts:
        step.why_not = f"Die Strecke {head.route} ist angehalten, oder sie sendet nicht"
    if step.why_not:
        raise InputError(f"{step.why_not}. Es geht nichts hinaus", where=head.reference)
    return counts


def housekeeping(house: House) -> Counts:
    """Look at what waits too long, in every sending route, hold the chains' ends, keep cases findable, clear away."""
    counts = reconciling.remind_everywhere(house)
    anchoring.carry_out(house)
    keep_findable(house.ledger)
    drop_old_uploads(house.ledger)
    return counts


def morning_post(house: House) -> Counts:
    """Tell every owner what has gone, what waits and what needs them, once a day (`mailing.py`)."""
    from kiezbruecke import mailing  # noqa: PLC0415 - its tables are XLSX, and openpyxl takes a third of a second

    late = mailing.tell_late(house)
    return Counts({"alarms": late} if late else {}) + mailing.morning_post(house)


def close_the_day(house: House) -> Mapping[str, int]:
    """Compare both sides of every process, and say so in files; raises Differing where they differ."""
    from kiezbruecke.desk import evening  # noqa: PLC0415 - no route needs the views of the desk

    return evening.close_the_day(house, now())


def recover(house: House, destination: str) -> recovering.RecoveryFindings:
    """After a restored backup: all of the way back that needs no person (`stages/recovering.py`)."""
    return recovering.recover(house, destination, collect_items, prepare_messages)


def look_ahead(house: House, name: str, file: str, body: bytes) -> SheetOutlook:
    """What would follow from a sheet if a route read it now; nothing is stored (`stages/looking_ahead.py`)."""
    return looking_ahead.look_ahead(house, name, file, body)


def hand_over(house: House, name: str, file: str, body: bytes, *, look: str, person: Person) -> HandedIn:
    """Put the sheet that was looked at (`look`: its SHA-256) where the route finds it; twice is once."""
    return looking_ahead.hand_over(house, name, file, body, look=look, person=person)


def sheet_routes(house: House) -> list[SheetRoute]:
    """The routes that take sheets."""
    return looking_ahead.sheet_routes(house)


def sheets_there(house: House, name: str) -> list[SheetThere]:
    """The sheets that lie at a route's source, with who handed them over."""
    return looking_ahead.sheets_there(house, name)


def sheet_report(house: House, name: str, look: str) -> tuple[str, bytes]:
    """Name and bytes of the report beside a handled sheet (`look`: its SHA-256)."""
    return looking_ahead.sheet_report(house, name, look)


def outstanding(house: House) -> dict[str, int]:
    """How much each route still has to do: due or unsent messages, answers that are waited for."""
    return reconciling.outstanding(house)
