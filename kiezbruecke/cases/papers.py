"""The Drucksache behind a decision: what the sheet names, beside what the council's information system says of it.

    decision sheet: number, link ─┐
    council's system: Paper ──────┴─▶ Proof, with a note where both do not fit

A proof is shown, and stops nothing: the single grants are decided by the assembly of the Kiezkasse, not by the council.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from kiezbruecke.records import Decision, Paper

_BEFORE_NUMBER = re.compile(r"^(drucksachen?|drs\.?|ds\.?)\s+(nr\.?\s+)?", re.IGNORECASE)
_REFUSED = re.compile(r"abgelehnt|ablehnung|nicht (beschlossen|zugestimmt|angenommen)|zurückgezogen", re.IGNORECASE)


@dataclass(frozen=True)
class Proof:
    """A Drucksache as people may look at it; `note` is one German line where something does not fit."""

    reference: str
    url: str
    title: str = ""
    result: str = ""
    resolution: str = ""
    decided_on: date | None = None
    note: str = ""


def numbers_of(reference: str) -> frozenset[str]:
    """How a number that a clerk has written may stand in the council's system: `Drs. X/0815` is `X/0815`."""
    return frozenset({reference, _BEFORE_NUMBER.sub("", reference)})


def proof_of(decision: Decision, papers: Sequence[Paper], *, any_known: bool) -> Proof | None:
    """What proves a decision; None where its line names nothing. `papers`: those of its number, oldest first;
    `any_known`: whether the process has any at all, so that one which is missing means something."""
    reference, url = decision.paper_reference, decision.paper_url
    if not reference and not url:
        return None
    if not papers:
        note = "Unter den abgeholten Drucksachen ist keine mit dieser Nummer" if reference and any_known else ""
        return Proof(reference, url, note=note)
    paper = next((one for one in reversed(papers) if not one.deleted), papers[-1])
    return Proof(
        reference,
        paper.url or url,
        paper.title,
        paper.result,
        paper.resolution,
        paper.decided_on,
        _note(decision, paper, sum(not one.deleted for one in papers)),
    )


def _note(decision: Decision, paper: Paper, many: int) -> str:
    if paper.deleted:
        return "Im Ratsinformationssystem ist diese Drucksache gelöscht"
    if many > 1:
        return f"{many} Drucksachen tragen diese Nummer; gezeigt ist die zuletzt bekannt gewordene"
    if decision.outcome.grants and _REFUSED.search(paper.result):
        return "Die Beschlussliste bewilligt; die Drucksache ist nicht beschlossen worden"
    return "" if paper.result or paper.resolution else "Zu dieser Drucksache ist noch kein Ergebnis vermerkt"
