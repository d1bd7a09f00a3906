"""Names that people and finance read: the case's key and the Fremdkennzeichen (at most 25 characters)."""

from __future__ import annotations

from uuid import UUID

from kiezbruecke.errors import RecordError
from kiezbruecke.records.base import name_id
from kiezbruecke.records.money import Application, Settlement
from kiezbruecke.records.participation import Applicant, Decision, Process, Proposal
from kiezbruecke.records.references import is_paper, pattern_of

LONGEST = 25


def case_key(record: Proposal | Applicant | Decision | Application | Settlement) -> tuple[str, str, str]:
    """(process, reference number, area): the area counts for paper proposals only."""
    area = record.area_id if not isinstance(record, Proposal | Applicant) and is_paper(record.reference_number) else ""
    return record.process_id, record.reference_number, area


def case_id(process_id: str, reference: str, area_id: str = "") -> UUID:
    """The id of a case; `area_id` is empty for numbers of a platform."""
    return name_id("case", process_id, reference, area_id)


def fremdkennzeichen(process: Process, area_id: str, reference: str, letter: str, number: int) -> str:
    """The readable twin of a message's key, e.g. `KK26-090517-00001-F1`, `KK26-090517-P0001-F1`.

    No two numbers of a process give the same; what of a number stands in it is its pattern's to say.
    """
    kind = pattern_of(process.references, reference)
    if kind is None:
        raise RecordError(
            "Die Referenznummer hat keine Form dieses Verfahrens",
            where=f"Fall {reference}",
            expected=" oder ".join(process.example_numbers),
        )
    text = f"{process.reference_prefix}-{area_id}-{kind.short(reference)}-{letter}{number}"
    if len(text) > LONGEST:
        raise RecordError(
            f"Das Fremdkennzeichen wird länger als {LONGEST} Zeichen",
            where=f"Fall {reference}",
            helps="Kürzel des Verfahrens kürzen, oder im Muster der Nummern (references) einklammern, was sich ändert",
        )
    return text
