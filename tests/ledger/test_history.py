"""What sources say is kept with its history; what they do not show any more is gone, never deleted."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from kiezbruecke.connector import Item
from kiezbruecke.ledger import Ledger, events, history, reading
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.history import Taken
from kiezbruecke.records import Applicant, Proposal, ProposalStatus

from .conftest import PROCESS, Desk

SOURCE = "meinberlin-tk"


def test_every_version_of_a_record_is_kept(desk: Desk, ledger: Ledger) -> None:
    """Who asks a year later must see what was known when it was sent."""
    _say(desk, _proposal(1), _proposal(1, title="Bank am See"), _proposal(1, title="Bank am See"))

    with ledger.read() as connection:
        versions = connection.execute(select(t.record_history.c.version).order_by(t.record_history.c.version))
        assert versions.scalars().all() == [1, 2]
    [case] = reading.read_process_cases(ledger, PROCESS).cases
    assert case.proposal is not None
    assert case.proposal.title == "Bank am See"


def test_the_same_record_again_is_nothing_new(desk: Desk) -> None:
    """A source that is read every half hour must not fill the evidence."""
    _say(desk, _proposal(1))
    again = _say(desk, _proposal(1))

    assert (again.new, again.updated, again.handled[0].known) == (0, 0, True)


def test_the_cursor_moves_with_what_it_stands_for(desk: Desk, ledger: Ledger) -> None:
    """A cursor that is stored alone would lose what lies between."""
    desk.store([], "hkr-tk", "41")
    desk.store([], "hkr-tk", "42")
    desk.store([], "hkr-tk", "")

    assert history.read_cursor(ledger, "hkr-tk") == "42"
    assert history.read_cursor(ledger, "nobody") == ""


def test_a_broken_item_is_set_aside_and_heals(desk: Desk) -> None:
    """The others go on; and who mends it needs to close nothing by hand."""
    item = Item("proposal", "1", {})
    desk.store([Taken(item, problem="Zeile 3: kein Betrag"), Taken(Item("proposal", "2", {}), (_proposal(2),))], SOURCE)
    before = [point.reason for point in desk.points("set_aside")]
    desk.store([Taken(item, (_proposal(1),))], SOURCE)

    assert before == ["Zeile 3: kein Betrag"]
    assert desk.points() == []


def test_what_is_not_listed_any_more_is_gone_and_may_come_back(desk: Desk, ledger: Ledger) -> None:
    """A withdrawn proposal keeps its history; a moderator's mistake is undone by showing it again (F37)."""
    one, two = _proposal(1), _proposal(2)
    _say(desk, one, two)
    gone = _mark_gone(desk, one)
    shown = [_status(ledger, "2026-00002")]
    _say(desk, one, two)
    shown.append(_status(ledger, "2026-00002"))

    assert gone == 1
    assert shown == [ProposalStatus.GONE, ProposalStatus.SUBMITTED]
    kinds = [event.kind for event in events.events_of(ledger, _case(ledger, "2026-00002"))]
    assert kinds == ["proposal.recorded", "proposal.gone", "proposal.back"]


def test_a_source_that_shows_nothing_has_lost_nothing(desk: Desk, ledger: Ledger) -> None:
    """An empty answer is no proof: where more than half would vanish, a person is asked first."""
    proposals = [_proposal(number) for number in range(1, 13)]
    _say(desk, *proposals)
    gone = _mark_gone(desk)
    asked = [point.kind for point in desk.points()]
    still = _status(ledger, "2026-00001")
    later = _mark_gone(desk, *proposals)

    assert (gone, asked, still) == (0, ["vanished"], ProposalStatus.SUBMITTED)
    assert (later, desk.points()) == (0, [])


def test_who_asked_goes_with_the_proposal(desk: Desk, ledger: Ledger) -> None:
    """Whoever has deleted an account has taken back the address, too."""
    proposal = _proposal(1)
    applicant = Applicant(source=SOURCE, external_id="1", process_id=PROCESS, reference_number="2026-00001")
    _say(desk, proposal)
    desk.store([Taken(Item("applicant", "1", {}), (applicant,))], SOURCE)
    gone = _mark_gone(desk)

    with ledger.read() as connection:
        moments = connection.execute(select(t.records.c.kind, t.records.c.gone_at)).all()
    assert gone == 1
    assert {row.kind: row.gone_at is not None for row in moments} == {"proposal": True, "applicant": True}


def test_nothing_is_gone_in_a_module_that_was_not_read(desk: Desk, ledger: Ledger) -> None:
    """Its server was tired; what the other module does not show any more is gone all the same."""
    mine, other = _proposal(1, module_id=7), _proposal(2, module_id=8)
    _say(desk, mine, other)
    gone = _mark_gone(desk, unread={7})

    assert gone == 1
    assert (_status(ledger, "2026-00001"), _status(ledger, "2026-00002")) == (
        ProposalStatus.SUBMITTED,
        ProposalStatus.GONE,
    )


def test_a_module_that_was_not_read_is_no_reason_to_believe_the_others(desk: Desk) -> None:
    """Of what was read, more than half has vanished: the many that were not looked at do not count."""
    here = [_proposal(number, module_id=7) for number in range(1, 13)]
    there = [_proposal(number, module_id=8) for number in range(20, 60)]
    _say(desk, *here, *there)

    assert (_mark_gone(desk, unread={8}), [point.kind for point in desk.points()]) == (0, ["vanished"])


def test_records_of_another_source_are_not_touched(desk: Desk, ledger: Ledger) -> None:
    """Each listing speaks for itself only."""
    _say(desk, _proposal(1))
    run = desk.run("other|collect")
    history.mark_gone(ledger, run, history.Origin("other", "kk-tk-2026", "spk"), ("proposal",), set())

    assert _status(ledger, "2026-00001") is ProposalStatus.SUBMITTED


def test_a_paper_number_is_unique_per_area_only(desk: Desk, ledger: Ledger) -> None:
    """Every assembly has its own P-1."""
    desk.decide("P-1", 1)
    desk.decide("P-1", 2, area_id="090311")
    desk.decide("2026-00001", 3)
    desk.decide("2026-00001", 4, area_id="090311")

    areas = [(case.reference, case.area_id) for case in reading.read_process_cases(ledger, PROCESS).cases]

    assert sorted(areas) == [("2026-00001", ""), ("P-1", "090311"), ("P-1", "090416")]


def _proposal(number: int, **given: object) -> Proposal:
    values: dict[str, object] = {
        "source": SOURCE,
        "external_id": str(number),
        "reference_number": f"2026-{number:05d}",
        "process_id": PROCESS,
        "title": f"Vorschlag {number}",
        "requested_amount": Decimal(100),
        "created_at": datetime(2026, 3, 1, tzinfo=UTC),
    }
    return Proposal.model_validate({**values, **given})


def _say(desk: Desk, *proposals: Proposal) -> history.Stored:
    said = [desk.store([Taken(Item("proposal", one.external_id, {}), (one,))], SOURCE) for one in proposals]
    return said[-1]


def _mark_gone(desk: Desk, *seen: Proposal, unread: Collection[int] = ()) -> int:
    run, origin = desk.run(f"{SOURCE}|collect"), history.Origin(SOURCE, "kk-tk-2026", "spk")
    ids = {one.external_id for one in seen}
    return history.mark_gone(desk.ledger, run, origin, ("proposal", "applicant"), ids, unread)


def _status(ledger: Ledger, reference: str) -> ProposalStatus:
    [case] = reading.find_case(ledger, reference)
    assert case.proposal is not None
    return case.proposal.status


def _case(ledger: Ledger, reference: str) -> UUID:
    [case] = reading.find_case(ledger, reference)
    return case.id
