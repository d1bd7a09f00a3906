"""A field that a later version adds changes no record of today: what people have said rests on digests."""

from __future__ import annotations

import json
from datetime import date

from kiezbruecke.records import Decision, Outcome

LINE = Decision(
    origin="0:2",
    sheet="april.csv",
    row=2,
    process_id="kk-tk-2026",
    area_id="090416",
    decided_on=date(2026, 4, 24),
    reference_number="P-1",
    outcome=Outcome.ACCEPTED,
)


def test_an_added_field_that_holds_nothing_is_not_in_the_canonical_form() -> None:
    """Else every decision would be another one after the update, and every release void."""
    body = json.loads(LINE.canonical())

    assert body.keys() == LINE.model_dump().keys() - {"paper_reference", "paper_url"}
    assert Decision.model_validate_json(LINE.canonical()) == LINE
    assert Decision.model_validate_json(LINE.canonical()).digest() == LINE.digest()


def test_an_added_field_that_holds_something_is_part_of_it() -> None:
    """A line that names a Drucksache is another line, and comes back as it was."""
    named = LINE.model_copy(update={"paper_reference": "X/0815"})

    assert named.digest() != LINE.digest()
    assert Decision.model_validate_json(named.canonical()) == named
