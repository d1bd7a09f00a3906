"""The German words that people read, each in one place; an effect's stand with the effect."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from kiezbruecke import german
from kiezbruecke.ledger import MessageState
from kiezbruecke.ledger.events import OPENED, SHOWN
from kiezbruecke.ledger.people import How, Person
from kiezbruecke.ledger.todo import HEALED, MENDED, Answer, Kind
from kiezbruecke.records import CommitmentState, OrderState, ReceiptOutcome

STATES: Mapping[MessageState, tuple[str, str]] = {  # of one message, of several
    MessageState.HELD: ("wartet auf Freigabe", "warten auf Freigabe"),
    MessageState.WAITING: ("wartet", "warten"),
    MessageState.CLAIMED: ("in Arbeit", "in Arbeit"),
    MessageState.SENDING: ("wird gesendet", "werden gesendet"),
    MessageState.DELIVERED: ("zugestellt", "zugestellt"),
    MessageState.CONFIRMED: ("bestätigt", "bestätigt"),
    MessageState.REFUSED: ("abgewiesen", "abgewiesen"),
    MessageState.IN_DOUBT: ("ungewiss", "ungewiss"),
}

KINDS: Mapping[Kind, tuple[str, str]] = {  # the word, and what it means for whoever reads it
    Kind.SET_ASIDE: (
        "zurückgestellt",
        "Der Fall oder die Zeile wartet; alle anderen gehen weiter. Ist eine Liste falsch, hilft eine berichtigte.",
    ),
    Kind.REFUSED: (
        "abgewiesen",
        "Das Ziel hat die Nachricht abgelehnt. Das Geld einer abgewiesenen Festlegung ist frei.",
    ),
    Kind.IN_DOUBT: ("ungewiss", "Niemand weiß, ob die Nachricht ankam: am Ziel nachsehen."),
    Kind.FOLLOW_UP: ("von Hand", "Keine Nachricht kann das nachholen: am Ziel von Hand berichtigen."),
    Kind.OVERDUE: ("überfällig", "Seit Tagen keine Antwort: abwarten oder einfordern."),
    Kind.CLEARING: ("Klärung", "Eine Rückmeldung passt zu keiner Nachricht: mit der Absenderin klären."),
    Kind.DIFFERENCE: (
        "Betrag weicht ab",
        "Gebucht ist ein anderer Betrag, als angeordnet war: gleich im HKR berichtigen.",
    ),
    Kind.CONTRADICTION: (
        "Widerspruch",
        "Zu einer Nachricht wurde Erfolg und Fehler gemeldet: am Ziel klären, was gilt.",
    ),
    Kind.WARNING: ("Warnung", "Zugestellt, aber mit einem Hinweis."),
    Kind.ALTERED: ("Verändert", "Die Daten wurden an der Software vorbei verändert; nichts ging hinaus (IT-Betrieb)."),
    Kind.VANISHED: ("Quelle prüfen", "Mehr als die Hälfte der Vorschläge ist auf einmal verschwunden."),
    Kind.INCOMPLETE: (
        "Quelle unvollständig",
        "Ein Teil der Quelle war nicht zu lesen; was davon bekannt ist, bleibt, wie es war.",
    ),
    Kind.TROUBLE: ("Störung", "Der IT-Betrieb behebt sie; der nächste gelungene Lauf nimmt den Punkt von der Liste."),
    Kind.RECOVERING: ("Abgleich nötig", "Das Ziel weiß mehr als das Hauptbuch; bis zum Abgleich geht nichts hinaus."),
    Kind.BOUNCED: ("Rückläufer", "Eine Zahlung ist zurückgekommen; es fehlt eine neue Bankverbindung."),
    Kind.UNRELEASED: (
        "neu freizugeben",
        "Die Anordnung gilt nicht mehr; ohne eine neue geht nichts hinaus. Der Punkt erledigt sich damit.",
    ),
    Kind.PRESENT: (
        "liegt es vor?",
        "Nach einer zurückgespielten Sicherung: bitte am Ziel nachsehen.",
    ),
}

ANSWERS: Mapping[Answer, str] = {  # what follows from it
    Answer.DONE: "Gesehen und geklärt; der Punkt ist vom Tisch.",
    Answer.RELEASE: "Gesehen, die Beschlussliste gilt. Ist angenommen, geht der Fall hinaus; sonst bleibt es dabei.",
    Answer.DISMISS: "Diese Zeile gilt nicht; sie zählt auch nicht mehr gegen das Budget.",
    Answer.RESEND: "Eine neue Nachricht mit neuem Kennzeichen geht hinaus; erst, wenn die Ursache behoben ist.",
    Answer.ARRIVED: "Sie liegt am Ziel und gilt als zugestellt.",
    Answer.NOT_ARRIVED: "Sie liegt nicht am Ziel; dieselbe Nachricht geht noch einmal hinaus.",
    Answer.CORRECTED: "Dort steht jetzt unser Betrag; die Nachricht gilt als bestätigt.",
    Answer.TAKEN_BACK: "Dort steht nichts mehr; die Nachricht gilt als abgewiesen, das Geld ist frei.",
    Answer.THERE: "Es liegt am Ziel und gilt als zugestellt; es geht nicht noch einmal hinaus.",
    Answer.NOT_THERE: "Es liegt nicht am Ziel; nach dem Abgleich geht es hinaus.",
    Answer.REALLY_GONE: "Wer beim nächsten Einlesen fehlt, gilt als verschwunden.",
    Answer.ASSIGN: "Der Vorschlag gehört zu dieser Bezirksregion, bis die Plattform oder ein Beschluss sie nennt.",
    Answer.HAS_HAPPENED: "Dort ist es geschehen; die Nachricht gilt als bestätigt.",
    Answer.HAS_NOT_HAPPENED: "Dort ist es nicht geschehen; die Nachricht gilt als abgewiesen, ihr Geld ist frei.",
}

SETTLED: Mapping[str, str] = {  # by itself, without a person
    HEALED: "von selbst erledigt: die Ursache ist behoben",
    MENDED: "von selbst erledigt: eine spätere Liste hat es berichtigt",
}

_NEXT_RUN = "Die Software handelt danach, sobald die Strecke das nächste Mal läuft."
THEN: Mapping[Answer, str] = {  # said when it was given
    Answer.DONE: "Der Punkt ist von der Liste genommen; gesendet wird deswegen nichts.",
    Answer.RELEASE: _NEXT_RUN,
    Answer.DISMISS: _NEXT_RUN,
    Answer.RESEND: _NEXT_RUN,
    Answer.ARRIVED: "Die Nachricht gilt als zugestellt.",
    Answer.NOT_ARRIVED: _NEXT_RUN,
    Answer.CORRECTED: "Die Nachricht gilt als bestätigt.",
    Answer.TAKEN_BACK: "Die Nachricht gilt als abgewiesen und steht neu auf der Liste.",
    Answer.THERE: "Die Nachricht gilt als zugestellt.",
    Answer.NOT_THERE: "Nach dem Abgleich geht sie hinaus.",
    Answer.REALLY_GONE: "Beim nächsten Einlesen gilt als verschwunden, was fehlt.",
    Answer.ASSIGN: "Auf der nächsten Beschlussliste dieser Bezirksregion steht er mit.",
    Answer.HAS_HAPPENED: "Die Nachricht gilt als bestätigt.",
    Answer.HAS_NOT_HAPPENED: "Die Nachricht gilt als abgewiesen und steht neu auf der Liste.",
}

COMMITMENTS: Mapping[CommitmentState, str] = {
    CommitmentState.REQUESTED: "angefordert",
    CommitmentState.BOOKED: "gebucht",
    CommitmentState.REFUSED: "abgewiesen",
    CommitmentState.CANCEL_REQUESTED: "Aufhebung angefordert",
    CommitmentState.CANCELLED: "aufgehoben",
}

ORDERS: Mapping[OrderState, str] = {
    OrderState.ORDERED: "angeordnet",
    OrderState.SENT: "gesendet",
    OrderState.IN_DOUBT: "ungewiss",
    OrderState.REJECTED: "abgewiesen",
    OrderState.BOOKED: "gebucht",
    OrderState.PAID: "ausgezahlt",
    OrderState.BOUNCED: "zurückgekommen",
    OrderState.RECEIVED: "eingegangen",
    OrderState.CANCELLED: "aufgehoben",
}
ORDER_KINDS: Mapping[str, str] = {"payment": "Auszahlung", "refund": "Rückforderung"}

RECEIPTS: Mapping[ReceiptOutcome, str] = {  # what a word that came back proves
    ReceiptOutcome.DELIVERED: "angekommen",
    ReceiptOutcome.CONFIRMED: "bestätigt",
    ReceiptOutcome.REFUSED: "abgewiesen",
    ReceiptOutcome.NOTED: "zur Kenntnis",
}

RECEIVED: Mapping[str, str] = {"0402": "Importbestätigung", "0403": "Empfangsbestätigung"}  # xdomea says numbers

MODES: Mapping[str, str] = {"live": "in Betrieb", "dry_run": "Probelauf, sendet nichts", "off": "aus"}

NEEDS = ("Punkt braucht", "Punkte brauchen")
OPERATIONS = "IT-Betrieb"

STEPS: Mapping[str, str] = {
    "collect": "einlesen",
    "prepare": "vorbereiten",
    "deliver": "zustellen",
    "reconcile": "abgleichen",
    "housekeeping": "Fristen überwachen",
    "resend": "noch einmal senden",
}

COUNTS: Mapping[str, tuple[str, str]] = {  # of one, of several; what has no word here counts records, not things
    "new_proposal": ("neuer Vorschlag", "neue Vorschläge"),
    "changed_proposal": ("geänderter Vorschlag", "geänderte Vorschläge"),
    "changed_applicant": ("geänderte Angabe zur Antragstellung", "geänderte Angaben zur Antragstellung"),
    "new_decision": ("neuer Beschluss", "neue Beschlüsse"),
    "changed_decision": ("geänderter Beschluss", "geänderte Beschlüsse"),
    "new_budget": ("neue Budgetzeile", "neue Budgetzeilen"),
    "changed_budget": ("geänderte Budgetzeile", "geänderte Budgetzeilen"),
    "new_application": ("neue Antragszeile", "neue Antragszeilen"),
    "new_settlement": ("neue Nachweiszeile", "neue Nachweiszeilen"),
    "new_paper": ("neue Drucksache", "neue Drucksachen"),
    "changed_paper": ("geänderte Drucksache", "geänderte Drucksachen"),
    "echo": ("eigene Antwort, wie sie dort steht", "eigene Antworten, wie sie dort stehen"),
    "back": ("wieder da", "wieder da"),
    "receipts": ("neue Rückmeldung", "neue Rückmeldungen"),
    "gone": ("verschwunden", "verschwunden"),
    "gaps": ("Lücke der Quelle", "Lücken der Quelle"),
    "set_aside": ("zurückgestellt", "zurückgestellt"),
    "prepared": ("vorbereitet", "vorbereitet"),
    "previewed": ("nur zur Ansicht vorbereitet", "nur zur Ansicht vorbereitet"),
    "delivered": ("zugestellt", "zugestellt"),
    "refused": ("abgewiesen", "abgewiesen"),
    "not_sent": ("nicht gesendet", "nicht gesendet"),
    "in_doubt": ("ungewiss", "ungewiss"),
    "found": ("nach Rückfrage angekommen", "nach Rückfrage angekommen"),
    "not_there": ("nach Rückfrage nicht angekommen", "nach Rückfrage nicht angekommen"),
    "again": ("geht mit denselben Bytes noch einmal", "gehen mit denselben Bytes noch einmal"),
    "resent": ("geht auf Wunsch noch einmal", "gehen auf Wunsch noch einmal"),
    "reports": ("Transportbericht", "Transportberichte"),
    "left": ("liegen geblieben", "liegen geblieben"),
    "paced": ("wartet, bis wieder gesendet werden darf", "warten, bis wieder gesendet werden darf"),
    "matched": (
        "aufgehobene Rückmeldung hat wieder ihre Nachricht",
        "aufgehobene Rückmeldungen haben wieder ihre Nachricht",
    ),
    "held": ("wartet auf eine Person, die am Ziel nachsieht", "warten auf eine Person, die am Ziel nachsieht"),
    "known": ("am Ziel wie hier", "am Ziel wie hier"),
    "confirmed": ("vom Ziel übernommen und bestätigt", "vom Ziel übernommen und bestätigt"),
    "different": ("am Ziel mit anderem Betrag", "am Ziel mit anderem Betrag"),
    "overdue": ("überfällig", "überfällig"),
    "void": ("wartet auf eine neue Anordnung", "warten auf eine neue Anordnung"),
    "drift": ("Abweichung, die eine Zuordnung bricht", "Abweichungen, die eine Zuordnung brechen"),
    "overtaken": ("Schritt von einem neueren Lauf abgelöst", "Schritte von einem neueren Lauf abgelöst"),
}

EVENTS: Mapping[str, str] = {
    "rows": "Stand besiegelt",
    "proposal.recorded": "Vorschlag erhalten",
    "proposal.changed": "Vorschlag geändert",
    "proposal.gone": "Vorschlag auf der Plattform verschwunden",
    "proposal.back": "Vorschlag wieder da",
    "applicant.recorded": "Angaben zur Antragstellung erhalten",
    "applicant.changed": "Angaben zur Antragstellung geändert",
    "applicant.gone": "Angaben zur Antragstellung mit dem Vorschlag verschwunden",
    "applicant.back": "Angaben zur Antragstellung wieder da",
    "decision.recorded": "Beschluss erhalten",
    "application.recorded": "Antragszeile erhalten",
    "settlement.recorded": "Verwendungsnachweis erhalten",
    "order.ordered": "Anordnung wartet",
    "order.sent": "Anordnung zugestellt",
    "order.in_doubt": "Anordnung ungewiss",
    "order.rejected": "Anordnung abgewiesen",
    "order.booked": "Anordnung gebucht",
    "order.paid": "ausgezahlt",
    "order.bounced": "Zahlung zurückgekommen",
    "order.received": "Geld zurückerhalten",
    "order.cancelled": "Anordnung aufgehoben",
    "release.bescheinigen": "sachlich und rechnerisch richtig gezeichnet",
    "release.sachlich": "sachlich richtig gezeichnet",
    "release.rechnerisch": "rechnerisch richtig gezeichnet",
    "release.anordnen": "angeordnet",
    "release.zurueckhalten": "bei der Freigabe zurückgehalten",
    "message.prepared": "Nachricht vorbereitet",
    "message.waiting": "Nachricht wartet wieder",
    "message.delivered": "Nachricht zugestellt",
    "message.confirmed": "Nachricht bestätigt",
    "message.refused": "Nachricht abgewiesen",
    "message.in_doubt": "Nachricht ungewiss",
    "message.held": "Nachricht wartet auf eine Person",
    "message.taken_over": "vom Ziel übernommen",
    "commitment.let_go": "Festlegung hinfällig, ihr Geld ist frei",
    "attention.opened": "auf die Liste gesetzt",
    "attention.closed": "von der Liste genommen",
    "case.baseline": "als von Hand erfasst markiert",
    "evidence.accepted": "von Hand Geändertes gilt, wie es steht",
    OPENED: "Einsicht",
    SHOWN: "Konto gezeigt",
}

FIELDS: Mapping[str, str] = {  # of one message, point or destination, looked at alone
    "address": "Adresse",
    "amount": "Betrag",
    "answer": "Antwort",
    "answer_reason": "Begründung",
    "answered_by": "entschieden von",
    "answered_account": "Anmeldung",
    "answers": "mögliche Antworten",
    "batch": "Stapel",
    "case": "Fall",
    "case_reference": "Fall",
    "case_id": "Schlüssel des Falls",
    "closed_at": "erledigt am",
    "connector": "Anschluss",
    "created_at": "vorbereitet am",
    "dedupes": "erkennt Wiederholungen",
    "destination": "Ziel",
    "effect": "Wirkung",
    "file": "Datei",
    "generation": "Generation",
    "id": "Nummer",
    "key": "Schlüssel",
    "kind": "Art",
    "look_up": "kann gefragt werden",
    "mapping": "Zuordnung",
    "message": "Schlüssel der Nachricht",
    "message_reference": "Fremdkennzeichen der Nachricht",
    "paused_at": "angehalten seit",
    "paused_because": "Grund der Pause",
    "paused_by": "angehalten von",
    "paused_account": "Anmeldung",
    "their_words": "Wortlaut der Antwort",
    "messages": "Nachrichten",
    "number": "laufende Nummer",
    "opened_at": "seit",
    "owner": "wer",
    "incarnation": "Nummernkreis",
    "reason": "was",
    "recovering": "wird abgeglichen",
    "reference": "Fremdkennzeichen",
    "related_reference": "bezieht sich auf",
    "remote_id": "Kennung am Ziel",
    "route": "Strecke",
    "rule": "Regel",
    "sha256": "SHA-256",
    "state": "Zustand",
    "subject": "Gegenstand",
    "test": "Test",
    "ticket": "Sendungskennung",
    "updated_at": "zuletzt",
}


def state(given: MessageState) -> str:
    """The state of one message."""
    return STATES[given][0]


def states(many: Mapping[MessageState, int]) -> str:
    """`4 warten, 1 abgewiesen`."""
    return ", ".join(f"{count} {STATES[one][count != 1]}" for one, count in sorted(many.items()))


def counts(done: Mapping[str, int]) -> list[tuple[str, int]]:
    """What a run did, where people have a word for it, in the order in which it is told."""
    return [(several[many != 1], many) for word, several in COUNTS.items() if (many := done.get(word, 0))]


def told(done: Mapping[str, int]) -> str:
    """`60 neue Vorschläge, 1 zurückgestellt`; empty where nothing has happened."""
    return ", ".join(f"{many} {word}" for word, many in counts(done))


def who(name: str, account: str) -> str:
    """Who has done something: the name that was given, and the log-in that gave it."""
    return str(Person(name, account, How.UNKNOWN))


def paused(route: str, person: str, reason: str, at: datetime | None, connection: str = "") -> str:
    """Who has stopped it, since when and why; where all of a connection rests, how that goes on."""
    since = f" seit {german.moment(at)}" if at else ""
    if not connection:
        return f"{route} ist angehalten{since}, von {person}: {reason}"
    return (
        f"{route} ruht, denn {connection} ist angehalten{since}, von {person}: {reason}. "
        f"Weiter geht es mit kiezbruecke destination resume {connection}"
    )


def event(kind: str) -> str:
    """An event; a receipt keeps its standard's name."""
    if kind.startswith("receipt."):
        return f"Rückmeldung {receipt(kind.removeprefix('receipt.'))}"
    return EVENTS.get(kind, kind)


def receipt(name: str) -> str:
    """What came back, by its standard's name; a number gets a word."""
    return f"{RECEIVED[name]} ({name})" if name in RECEIVED else name


def mode(said: str) -> str:
    """How a route runs; `live (test)` sends to a test environment."""
    name, _, test = said.partition(" ")
    return f"{MODES.get(name, name)}{', an eine Testumgebung' if test else ''}"
