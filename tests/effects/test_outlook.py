"""What the report says of a line is what the pipeline does with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kiezbruecke.cases.join import subject_of
from kiezbruecke.effects import effect
from kiezbruecke.effects.outlook import Way, what_follows, what_follows_for_budgets
from kiezbruecke.ledger import MessageState
from kiezbruecke.ledger.reading import MessageHead, StoredCase
from kiezbruecke.records import Decision, Outcome
from tests.builders import (
    GRUENAU,
    JUNE,
    PROCESS,
    a_budget,
    a_case,
    a_commitment,
    a_correction,
    a_lane,
    a_line,
    a_message,
    a_proposal,
    known,
    standing,
    the_only,
)

FILE = Way(effect("file.create"), a_lane("eakte-tk", "file"))
MONEY = Way(effect("commitment.book"), a_lane())
LISTE = Way(effect("status.list"), a_lane("statusliste-tk", "status"))
WAYS = (FILE, MONEY, LISTE)


def says(case: StoredCase, line: Decision | None = None, ways: Any = WAYS, **given: Any) -> str:
    """Of the last line, where no other is named."""
    return what_follows(standing(case, **given), line or case.decisions[-1], ways)


def filed(state: MessageState = MessageState.CONFIRMED) -> MessageHead:
    """The message that created the file of the accepted case."""
    return a_message("file.create", state, basis=FILE.effect.basis_of(standing(known(a_line()))))


def test_a_granting_line_says_where_it_goes() -> None:
    """Not only `übernommen`."""
    assert says(known(a_line())) == "geht in die E-Akte und ins HKR"


def test_what_a_correction_leads_to_is_said() -> None:
    """The budget system is told by itself, the e-file is not."""
    sent = (a_message(), a_message("file.create"))
    given = {"messages": sent, "commitment": a_commitment()}

    assert says(known(a_line(), a_correction(amount="700.00"), **given)) == (
        "in die E-Akte: von Hand, siehe Zu-tun-Liste; ins HKR: Festlegung ändern"
    )
    assert says(known(a_line(), a_correction(Outcome.REJECTED), **given)) == (
        "gilt: abgelehnt; in die E-Akte: von Hand, siehe Zu-tun-Liste; ins HKR: Festlegung aufheben"
    )


def test_what_only_waits_is_not_called_sent() -> None:
    """It lies here."""
    assert says(known(a_line(), messages=(filed(MessageState.WAITING),)), ways=(FILE,)) == "geht in die E-Akte"


def test_what_was_sent_is_said_and_what_was_refused_too() -> None:
    """Each way by itself."""
    sent = filed()

    assert says(known(a_line(), messages=(sent,))) == "geht ins HKR; gesendet in die E-Akte"
    refused = replace(sent, state=MessageState.REFUSED)
    assert says(known(a_line(), messages=(refused,))) == "geht ins HKR; in die E-Akte: abgewiesen, siehe Zu-tun-Liste"


def test_what_will_never_be_due_says_so() -> None:
    """It was taken over, never sent, and nobody was told."""
    late = Way(MONEY.effect, replace(MONEY.lane, start_from=JUNE))
    by_hand = known(a_line(), baselines=frozenset({MONEY.lane.name}))

    assert says(known(a_line()), ways=(late,)) == "ins HKR geht nichts: vor dem Beginn am 19.06.2026"
    assert says(by_hand, ways=(MONEY,)) == "ins HKR geht nichts: von Hand erfasst"
    assert says(known(a_line()), ways=()) == "gilt; gesendet wird nichts, denn keine Strecke ist in Betrieb"


def test_what_grants_nothing_says_what_people_see() -> None:
    """The word of the public list."""
    assert says(known(a_line(Outcome.REJECTED))) == "gilt: abgelehnt; gesendet wird nichts"


@pytest.mark.parametrize(
    ("case", "budgets", "reason"),
    [
        (a_case(a_line()), None, "steht in der Liste, aber keine Plattform kennt diese Referenznummer"),
        (known(a_line(amount="1200.00")), None, "bewilligt 1.200,00 €, beantragt waren 1.000,00 €"),
        (known(a_line()), [], "2026-00001: Für Müggelheim gibt es kein Budget"),
    ],
    ids=["unknown", "more", "no budget"],
)
def test_what_is_set_aside_waits_and_says_why(case: StoredCase, budgets: Any, reason: str) -> None:
    """The same words as on the list, without the place where they stand."""
    assert says(case, budgets=budgets) == f"wartet: {reason}"


def test_a_stray_line_does_not_hold() -> None:
    """And what stands waits meanwhile."""
    case = known(a_line(), a_line(sheet="liste-9", row=7, area_id=GRUENAU, amount="300.00"), proposal=a_proposal())

    assert says(case) == (
        "gilt nicht: kommt aus einer anderen Bezirksregion (Grünau); "
        "es gilt weiter liste-1.xlsx, Zeile 2: angenommen, 850,00 €"
    )
    assert says(case, case.decisions[0]).startswith("wartet: 2026-00001 (liste-9.xlsx, Zeile 7) kommt aus")
    thrown = [subject_of(case, the_only(standing(case)))]
    assert says(case, dismissed=thrown) == "gilt nicht: von Hand verworfen"
    assert says(case, case.decisions[0], dismissed=thrown) == "geht in die E-Akte und ins HKR"


def test_a_line_that_was_corrected_or_repeated_names_the_one_that_holds() -> None:
    """Who reads the old report finds the new one."""
    corrected, repeated = known(a_line(), a_correction(amount="700.00")), known(a_line(), a_line(sheet="liste-2"))

    assert says(corrected, corrected.decisions[0]) == (
        "gilt nicht mehr; es gilt liste-2.xlsx, Zeile 2: angenommen, 700,00 €"
    )
    assert says(repeated) == "gilt schon, aus liste-1.xlsx, Zeile 2: angenommen, 850,00 €"


def test_both_lines_of_a_sheet_that_says_two_things_wait_or_do_not_hold() -> None:
    """None of them is guessed."""
    case = known(a_line(), a_line(row=9, amount="300.00"))

    assert says(case, case.decisions[0]).startswith("wartet: ")
    assert says(case) == "gilt nicht: steht in derselben Liste schon in Zeile 2"


def test_a_budget_line_says_whether_it_holds() -> None:
    """The budget sheet has a report, too."""
    lines = [
        a_budget(), a_budget("3000.00", row=3), a_budget("100.00", row=4, area_id=GRUENAU),
        a_budget("200.00", row=5, area_id=GRUENAU, reason="Aufstockung"), a_budget(row=6, fiscal_year=2027),
    ]  # fmt: skip

    assert list(what_follows_for_budgets(PROCESS, lines).values()) == [
        "gilt: 2.600,00 €, freigegeben",
        "gilt nicht: ändert das Budget ohne Grund",
        "gilt nicht mehr: eine andere Zeile gilt",
        "gilt: 200,00 €, freigegeben",
        "gilt nicht: das Verfahren ist das von 2026",
    ]
