"""Names that people and finance read: the case's key and the Fremdkennzeichen (at most 25 characters)."""

from __future__ import annotations

import re
from uuid import UUID

from kiezbruecke.errors import RecordError
from kiezbruecke.records.base import name_id
from kiezbruecke.records.participation import Applicant, Decision, Proposal

PAPER = re.compile(r"^P-([1-9]\d{0,3})$")
PLATFORM = re.compile(r"^\d{4}-(\d{5,})$")


def is_paper(reference: str) -> bool:
    """Whether a reference number was given by a decision sheet (post, mail, the room)."""
    return PAPER.match(reference) is not None


def case_key(record: Proposal | Applicant | Decision) -> tuple[str, str, str]:
    """(process, reference number, area): the area counts for paper proposals only."""
    area = record.area_id if isinstance(record, Decision) and is_paper(record.reference_number) else ""
    return record.process_id, record.reference_number, area


def case_id(process_id: str, reference: str, area_id: str = "") -> UUID:
    """The id of a case; `area_id` is empty for numbers of a platform."""
    return name_id("case", process_id, reference, area_id)


def fremdkennzeichen(prefix: str, area_id: str, reference: str, letter: str, number: int) -> str:
    """The readable twin of a message's key, e.g. `KK26-090517-00001-F1`, `KK26-090517-P0001-F1`."""
    if match := PAPER.match(reference):
        middle = f"P{int(match[1]):04d}"
    elif match := PLATFORM.match(reference):
        middle = match[1]
    else:
        raise RecordError(
            "Die Referenznummer hat keine bekannte Form",
            where=f"Fall {reference}",
            expected="2026-00001 oder P-1",
        )
    text = f"{prefix}-{area_id}-{middle}-{letter}{number}"
    if len(text) > 25:
        raise RecordError(
            "Das Fremdkennzeichen wird länger als 25 Zeichen",
            where=f"Fall {reference}",
            helps="Kürzel des Verfahrens kürzen",
        )
    return text
