"""A hundred and twenty answers, a platform that goes wrong in every way it can, and moderators at work meanwhile."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

import requests

from kiezbruecke import pipeline
from kiezbruecke.errors import NotSent
from kiezbruecke.ledger import MessageState, evidence
from tests.connectors.meinberlin.test_moderation import Browser
from tests.home.conftest import ROUTE, Home, proposal
from tests.world import line

MANY = range(101, 221)
FAULTS = (
    "moderate_lost",
    "moderate_not_taken",
    "moderate_server_error",
    "moderate_session_gone",
    "moderate_token_old",
    "moderate_elsewhere",
    "moderate_down",
)
WORDS = {
    "angenommen": "bewilligt: 10,00 €",
    "abgelehnt": "nicht für diesen Vorschlag",
    "Warteliste": "auf die Warteliste",
}


def test_everybody_is_told_once_whatever_happens(home: Home) -> None:
    """Exactly one mail of ours for each of them, nothing in doubt, nothing waits for a person."""
    home.put(*(proposal(pk) for pk in MANY))
    home.collect()
    wanted = dict(zip(MANY, list(WORDS) * 40, strict=True))
    home.decide(*(_line(pk, outcome) for pk, outcome in wanted.items()))
    with moderators(home):
        for number in range(12):
            if not pipeline.outstanding(home.house)[ROUTE]:
                break
            home.arm(FAULTS[number % len(FAULTS)], 2)
            with suppress(NotSent):
                home.answer()
    home.arm(FAULTS[0], 0)
    home.answer()
    ours = Counter((mail["pk"], word) for mail in home.mails() for word in WORDS.values() if word in mail["text"])
    told = {(pk, WORDS[outcome]): 1 for pk, outcome in wanted.items()}

    assert ours == told
    assert Counter(head.state for head in home.messages()) == {MessageState.CONFIRMED: len(MANY)}
    assert home.points() == []
    assert evidence.verify(home.ledger).broken == ()


def _line(pk: int, outcome: str) -> str:
    return line(f"2026-{pk:05d}", "10,00" if outcome == "angenommen" else "", outcome)


@contextmanager
def moderators(home: Home) -> Iterator[None]:
    """A colleague archives and unarchives proposals meanwhile, as the platform's own program would save it."""
    over = Event()
    chance = random.Random(7)

    def work() -> None:
        colleague = Browser(home.platform.url)
        while not over.is_set():
            pk = chance.choice(MANY)
            with suppress(requests.RequestException):
                colleague.open(f"/budgeting/2026-{pk:05d}/moderate/")
                home.put({"pk": pk, "is_archived": chance.random() < 0.5})
            over.wait(0.05)

    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
