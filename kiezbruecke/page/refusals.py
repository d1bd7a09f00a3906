"""What the page says when it cannot do what was asked: German, on a page of its own, and nothing of it is a secret."""

from __future__ import annotations

from dataclasses import dataclass

from kiezbruecke.content.roles import Right

_RIGHTS = {
    Right.SEE: "das zu sehen",
    Right.READ: "diese Inhalte zu lesen",
    Right.ANSWER: "das zu beantworten oder auszulösen",
    Right.EDIT: "das zu ändern",
    Right.RELEASE: "Geld freizugeben",
    Right.UNMASK: "ein Konto ganz zu sehen",
}


@dataclass
class PageRefusal(Exception):
    """The page's answer instead of what was asked for."""

    status: int
    title: str
    text: str
    again: bool = False
    """Whether what was typed is shown, to be sent again"""


def not_found(what: str) -> PageRefusal:
    """`what`: „Diesen Fall“, „Diese Seite“."""
    return PageRefusal(404, f"{what} gibt es hier nicht", "Vielleicht ist die Adresse unvollständig.")


def not_allowed(right: Right) -> PageRefusal:
    """Whoever is logged in has not got the right; what it is about is not said."""
    return PageRefusal(
        403,
        "Dafür fehlt Ihnen das Recht",
        f"Ihre Anmeldung hat nicht das Recht, {_RIGHTS[right]}. Rechte vergibt die Administration.",
    )


NOT_LOGGED_IN = PageRefusal(
    401,
    "Bitte melden Sie sich an",
    "Sie sind nicht angemeldet, oder die Anmeldung ist abgelaufen.",
    again=True,
)
NO_ROLE = PageRefusal(
    403,
    "Für diese Seite haben Sie kein Recht",
    "Ihre Anmeldung hat hier keine Rolle. Rechte vergibt die Administration.",
)
FOREIGN = PageRefusal(
    403,
    "Diese Eingabe kam nicht von dieser Seite",
    "Es ist nichts geschehen. Bitte öffnen Sie die Seite neu und geben Sie es dort ein.",
)
STALE = PageRefusal(
    403,
    "Bitte prüfen und noch einmal absenden",
    "Das Formular gehört zu einer früheren Anmeldung. Es ist nichts geschehen; Ihre Eingaben stehen unten.",
    again=True,
)
TOO_LARGE = PageRefusal(413, "Das ist zu viel auf einmal", "Es ist nichts geschehen. Möglich sind 10 MB.")
UNREADABLE = PageRefusal(
    400, "Diese Eingabe ist nicht zu lesen", "Es ist nichts geschehen. Bitte öffnen Sie die Seite neu."
)
AWAY = PageRefusal(
    503,
    "Das Hauptbuch ist gerade nicht erreichbar",
    "Es ist nichts geschehen und nichts verloren. Bitte versuchen Sie es in einigen Minuten noch einmal; "
    "bleibt es dabei, hilft der IT-Betrieb.",
    again=True,
)
BROKEN = PageRefusal(
    500,
    "Das hat nicht geklappt",
    "Der Fehler liegt bei uns. Der IT-Betrieb findet ihn im Protokoll des Servers; die Uhrzeit hilft dabei.",
)
