"""What stands on the sheets of a case: the proposal as its platform shows it, the decision as it was taken.

No personal data: neither who proposed nor who recorded stands here; the applicant comes with the application.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from kiezbruecke.documents.pdf import Sheet, render
from kiezbruecke.records import Decision, Proposal, Votes

_BERLIN = ZoneInfo("Europe/Berlin")
_COPY = "Von der Kiezbrücke automatisch erzeugt aus den Angaben der Beteiligungsplattform."
_LINE = "Von der Kiezbrücke automatisch erzeugt aus dem Beschlussbogen; ersetzt keine Niederschrift."


def proposal_pdf(proposal: Proposal, area_name: str, process_name: str = "") -> bytes:
    """The proposal on one page or more; dated by its last change on the platform."""
    return render(
        Sheet(
            kind="Vorschlag",
            title=proposal.title,
            origin=process_name or "Bürgerbeteiligung",
            dated=(proposal.modified_at or proposal.created_at).astimezone(_BERLIN).date(),
            fields=_proposal_fields(proposal, area_name),
            texts=[("Beschreibung", proposal.description_text)],
            note=_COPY,
        )
    )


def paper_proposal_pdf(decision: Decision, area_name: str, process_name: str) -> bytes:
    """A proposal that came by post or in the room: only what the decision sheet says of it."""
    return render(
        Sheet(
            kind="Vorschlag (nicht über die Plattform eingereicht)",
            title=decision.title,
            origin=process_name,
            dated=decision.decided_on,
            fields=[
                ("Nummer im Beschlussbogen", decision.reference_number),
                ("Bezirksregion", area_name),
                ("Beschlussbogen", f"{decision.sheet}, Zeile {decision.row}"),
            ],
            note=_LINE,
        )
    )


def decision_pdf(decision: Decision, area_name: str, process_name: str) -> bytes:
    """The decision of the assembly on one page or more; dated by the day of the meeting."""
    return render(
        Sheet(
            kind="Beschluss",
            title=decision.title or f"Vorschlag {decision.reference_number}",
            origin=process_name,
            dated=decision.decided_on,
            fields=_decision_fields(decision, area_name),
            texts=[("Auflagen", decision.conditions), ("Begründung", decision.reason)],
            note=_LINE,
        )
    )


def _proposal_fields(proposal: Proposal, area_name: str) -> list[tuple[str, str]]:
    return [
        ("Vorschlagsnummer", proposal.reference_number),
        ("Bezirksregion", area_name),
        ("Ort", proposal.point_label),
        ("Beantragte Summe", euro(proposal.requested_amount) or "keine Angabe"),
        ("Kategorie", proposal.category),
        ("Schlagworte", ", ".join(proposal.labels)),
        ("Eingereicht am", german_date(proposal.created_at)),
        ("Zuletzt geändert am", german_date(proposal.modified_at) if proposal.modified_at else ""),
        ("Kennung der Plattform", proposal.external_id),
        ("Adresse (URL)", proposal.url),
    ]


def _decision_fields(decision: Decision, area_name: str) -> list[tuple[str, str]]:
    return [
        ("Vorschlagsnummer", decision.reference_number),
        ("Bezirksregion", area_name),
        ("Sitzung am", german_date(decision.decided_on)),
        ("Ergebnis", decision.outcome.word),
        ("Bewilligte Summe", euro(decision.approved_amount)),
        ("Abstimmung", _votes(decision.votes)),
        ("Rang", str(decision.rank or "")),
        ("Protokoll", decision.protocol_ref),
        ("Berichtigung", "Ja, ersetzt eine frühere Zeile" if decision.correction else ""),
        ("Beschlussbogen", f"{decision.sheet}, Zeile {decision.row}"),
    ]


def euro(amount: Decimal | None) -> str:
    """`1.234,50 €` with a space that does not break; empty for None."""
    if amount is None:
        return ""
    return f"{amount:,.2f}".translate(str.maketrans(",.", ".,")) + "\u00a0€"


def german_date(day: date | datetime) -> str:
    """`12.03.2026`; a moment counts as its day in Berlin."""
    local = day.astimezone(_BERLIN) if isinstance(day, datetime) else day
    return f"{local:%d.%m.%Y}"


def _votes(votes: Votes) -> str:
    parts = (("Ja", votes.yes), ("Nein", votes.no), ("Enthaltung", votes.abstain))
    return " · ".join(f"{name} {count}" for name, count in parts if count is not None)
