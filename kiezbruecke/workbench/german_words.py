"""German words for what a mapping says, for the page that a department reads and signs."""

from __future__ import annotations

from collections.abc import Mapping

from kiezbruecke import plugins

ROOTS: Mapping[str, str] = {
    "applicant": "Antragstellende Person",
    "area": "Bezirksregion",
    "budget": "Budget der Bezirksregion",
    "case": "Fall",
    "decision": "Beschluss",
    "envelope": "Umschlag der Quelle",
    "item": "Eintrag der Quelle",
    "message": "Nachricht",
    "process": "Verfahren",
    "proposal": "Vorschlag auf der Plattform",
    "route": "Einstellung der Strecke",
    "status": "Stand des Falls",
}

FIELDS: Mapping[str, str] = {
    "address": "Anschrift",
    "amount": "Betrag",
    "approved_amount": "bewilligte Summe",
    "area_id": "Nummer der Bezirksregion",
    "area_name": "Name der Bezirksregion",
    "chapter": "Kapitel",
    "conditions": "Auflagen",
    "created_at": "Zeitpunkt der Erstellung",
    "decided_on": "Tag der Sitzung",
    "description": "Beschreibung",
    "effect": "Wirkung",
    "email": "E-Mail-Adresse",
    "fiscal_year": "Haushaltsjahr",
    "id": "Kennung",
    "legal_name": "bürgerlicher oder eingetragener Name",
    "outcome": "Ergebnis",
    "phone": "Telefonnummer",
    "process_id": "Kennung des Verfahrens",
    "protocol_ref": "Zeichen des Protokolls",
    "recorded_by": "erfasst von",
    "reference": "Referenznummer oder Fremdkennzeichen",
    "reference_number": "Referenznummer",
    "related_reference": "Fremdkennzeichen der ersten Festlegung",
    "requested_amount": "beantragte Summe",
    "state": "Stand",
    "test": "Kennzeichen für Testnachrichten",
    "title": "Titel",
    "url": "Adresse im Netz",
    "voucher": "Belegnummer",
}

STEPS: Mapping[str, str] = {  # {} is the step's argument
    "address_part": "Teil der Anschrift: {}",
    "after": "was nach „{}“ steht",
    "before": "was vor „{}“ steht",
    "bracketed": "was am Ende in Klammern steht; leer ohne Klammern",
    "budget_badge": "Summe aus dem Kostenfeld von meinBerlin; keine Angabe und 0 gelten als leer",
    "cents": "als ganze Zahl in Cent",
    "clip": "auf höchstens {} Zeichen gekürzt",
    "collapse_space": "mehrfache Leerzeichen und Zeilenumbrüche zu einem Leerzeichen",
    "date_format": "Datum als {}",
    "bic": "als BIC geprüft",
    "decimal": "als Zahl gelesen",
    "decimal_places": "Zahl mit genau {} Nachkommastellen; feinere werden zurückgewiesen",
    "degrees": "geografische Koordinate in Grad",
    "digits": "nur die Ziffern",
    "din91379": "Zeichen nach DIN 91379; andere werden zurückgewiesen",
    "first": "der erste Wert",
    "german_date": "als Datum gelesen",
    "german_money": "als Geldbetrag gelesen",
    "hash": "als Prüfwert ({}) statt im Klartext",
    "html_to_text": "nur der Text, ohne Auszeichnung",
    "iban": "als IBAN geprüft",
    "integer": "als ganze Zahl gelesen",
    "iso_date": "als Datum gelesen (nur JJJJ-MM-TT)",
    "join": "mehrere Werte verbunden mit „{}“",
    "latin9": "in Zeichen nach ISO 8859-15; andere werden ersetzt",
    "latin9_changes": "wie viele Zeichen dabei ersetzt werden",
    "lower": "in Kleinbuchstaben",
    "money_text": "als Betrag mit Komma",
    "name_uuid": "als Kennung, aus dem Namen berechnet ({})",
    "nfc": "Buchstaben zusammengesetzt (Unicode NFC)",
    "nothing_if": "leer, wo nur „{}“ steht",
    "nothing_if_zero": "null gilt als leer",
    "pad": "mit Nullen auf {} Stellen ergänzt",
    "prefix": "davor gesetzt: „{}“",
    "sepa_text": "in Zeichen, die jede SEPA-Bank annimmt",
    "split": "getrennt bei „{}“",
    "start_of_day": "der Anfang des Tages in Berlin als Zeitpunkt",
    "suffix": "angehängt: „{}“",
    "text": "als Text",
    "time_format": "Zeitpunkt als {}",
    "timestamp": "als Zeitpunkt gelesen",
    "true_false": "als true oder false",
    "trim": "ohne Leerzeichen am Rand",
    "unformula": "ohne den Apostroph, der vor Formeln schützt",
    "upper": "in Großbuchstaben",
    "uuid": "als UUID geprüft",
    "yes_no": "als Ja oder Nein gelesen",
}


def source_words(path: str) -> str:
    """A source path in words: `decision.approved_amount` → `Beschluss: bewilligte Summe`."""
    root, _, rest = path.partition(".")
    if not (words := ROOTS.get(root) or _title_of_view(root)):
        return ""
    name = rest.rpartition(".")[2]
    return ": ".join(part for part in (words, FIELDS.get(name, "")) if part)


def step_words(name: str, argument: str | None) -> str:
    """A step in words; one without words is named."""
    return STEPS[name].format(argument) if name in STEPS else f"Schritt {name}"


def _title_of_view(root: str) -> str:
    """What only the messages of some effects have is called as the first of them."""
    return next((effect.title for effect in plugins.effects().values() if root in effect.view_models), "")
