"""What a citizen is told, at the platform and by mail: once for every real change, and never for anything else."""

from __future__ import annotations

from kiezbruecke.ledger import MessageState
from tests.home.conftest import Home
from tests.world import line

GRANTED = (
    "<p>Die Kiezkassenversammlung Müggelheim hat am 24.04.2026 für diesen Vorschlag gestimmt.</p>"
    "<p>wird umgesetzt – bewilligt: 850,00 €</p>"
    "<p>Bitte beginnen Sie noch nicht und geben Sie noch kein Geld aus: Erst muss der schriftliche Bescheid da sein. "
    "Das Bezirksamt meldet sich dazu bei Ihnen.</p>"
)


def test_a_decision_is_told_once(home: Home) -> None:
    """Status and text stand there, one mail went out, and further runs find nothing to say."""
    home.decide(line("2026-00001"), line("2026-00002", "", "abgelehnt"))
    counts = home.answer()
    home.answer()
    home.collect()
    home.answer()

    assert counts["delivered"] == 2
    assert (home.row(1)["moderator_status"], home.row(2)["moderator_status"]) == ("ACCEPTED", "REJECTED")
    assert home.row(1)["feedback"] == GRANTED
    assert sorted(mail["pk"] for mail in home.mails()) == [1, 2]
    assert {head.state for head in home.messages()} == {MessageState.CONFIRMED}
    assert home.points() == []
