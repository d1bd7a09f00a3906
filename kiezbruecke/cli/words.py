"""The German words for states, kinds and events that people read in tables."""

from __future__ import annotations

from collections.abc import Mapping

STATES: Mapping[str, str] = {
    "held": "wartet auf Freigabe",
    "waiting": "wartet",
    "claimed": "in Arbeit",
    "sending": "wird gesendet",
    "delivered": "zugestellt",
    "confirmed": "bestätigt",
    "refused": "abgewiesen",
    "in_doubt": "ungewiss",
}

KINDS: Mapping[str, str] = {
    "set_aside": "zurückgestellt",
    "refused": "abgewiesen",
    "in_doubt": "ungewiss",
    "clearing": "Klärung",
    "difference": "Betrag weicht ab",
    "contradiction": "Widerspruch",
    "warning": "Warnung",
    "overdue": "überfällig",
    "follow_up": "von Hand",
    "vanished": "Quelle prüfen",
}

STEPS: Mapping[str, str] = {
    "collect": "holen",
    "prepare": "vorbereiten",
    "deliver": "zustellen",
    "reconcile": "abgleichen",
    "housekeeping": "Fristen prüfen",
}

EVENTS: Mapping[str, str] = {
    "proposal.recorded": "Vorschlag erhalten",
    "proposal.changed": "Vorschlag geändert",
    "proposal.gone": "Vorschlag auf der Plattform verschwunden",
    "proposal.back": "Vorschlag wieder da",
    "applicant.recorded": "Angaben zur Antragstellung erhalten",
    "applicant.changed": "Angaben zur Antragstellung geändert",
    "decision.recorded": "Beschluss erhalten",
    "message.prepared": "Nachricht vorbereitet",
    "message.waiting": "Nachricht wartet wieder",
    "message.delivered": "Nachricht zugestellt",
    "message.confirmed": "Nachricht bestätigt",
    "message.refused": "Nachricht abgewiesen",
    "message.in_doubt": "Nachricht ungewiss",
    "commitment.let_go": "Festlegung hinfällig, ihr Geld ist frei",
    "attention.opened": "auf die Liste gesetzt",
    "attention.closed": "von der Liste genommen",
    "case.baseline": "als von Hand erfasst markiert",
}


def event(kind: str) -> str:
    """An event in German; a receipt keeps its standard's name."""
    if kind.startswith("receipt."):
        return f"Rückmeldung {kind.removeprefix('receipt.')}"
    return EVENTS.get(kind, kind)
