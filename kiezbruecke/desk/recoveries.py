"""Destinations that stand still after a restored backup, as people look at them."""

from __future__ import annotations

from datetime import datetime

from kiezbruecke.desk.view import DeskView
from kiezbruecke.house import House
from kiezbruecke.ledger import recoveries as facts
from kiezbruecke.ledger.recoveries import StepKind


class RecoveryView(DeskView):
    """A destination to which nothing goes out until a person ends that."""

    destination: str
    since: datetime
    evidence: str
    """How it was noticed"""
    questions: int
    """How many cases wait for a person who looks there"""
    next_step: str


def recoveries(house: House) -> list[RecoveryView]:
    """All of them, by name; three statements each."""
    return [_view(house, name) for name in facts.recovering(house.ledger)]


def _view(house: House, name: str) -> RecoveryView:
    steps = facts.last_recovery(house.ledger, name)
    questions = facts.open_questions(house.ledger, name)
    compared = [step for step in steps if step.kind is StepKind.COMPARED]
    next_step = f"kiezbruecke recover run {name}"
    if questions:
        next_step = "auf der Liste beantworten, was am Ziel vorliegt: kiezbruecke todo list"
    elif compared and not compared[-1].body["differences"]:
        next_step = f"kiezbruecke recover end {name} --name … --reason …"
    evidence = str(steps[0].body["evidence"])
    return RecoveryView(
        destination=name, since=steps[0].at, evidence=evidence, questions=questions, next_step=next_step
    )
