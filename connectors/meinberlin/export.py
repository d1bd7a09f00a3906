"""The XLSX export of a module: description, feedback and contact, for an initiator's session only.

    log in (CSRF, cookie) ─▶ GET …/export/…/ideas/ ─▶ one row per proposal, by reference number

A refused log-in or a missing right means "not allowed": the proposals still come, without description.
Anything else that goes wrong is a SourceError: a description must not vanish because a server was tired.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from connectors._tables import Row, SheetProblem, read_workbook
from connectors.meinberlin.settings import Settings
from connectors.meinberlin.web import Reply, Web
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.records import Module
from kiezbruecke.troubles import Cause, Trouble

LOGIN = "/accounts/login/"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TOO_MANY = "Zu viele gescheiterte Anmeldeversuche"
UNPACKED_LIMIT = 256 * 1024 * 1024
MOST_ROWS = 100_000

# Header of the sheet → field of an item. `Notiz`, the moderators' internal note, is left where it is.
COLUMNS = {
    "Beschreibung": "description",
    "Rückmeldung": "feedback",
    "Ortsbezeichnung": "point_label",
    "Kosten": "asked_amount",
    "budget": "asked_amount",
    "Eigene Beteiligung an dem Vorschlag": "own_contribution",
    "Kontakt E-Mail": "contact_email",
    "Kontakt Telefon": "contact_phone",
}
KEY = "Referenznr."
FIXED = {*COLUMNS, KEY, "Link", "Titel", "Positive Bewertungen", "Negative Bewertungen", "Unterstützung", "Stimmen"}
REQUIRED = (KEY, "Beschreibung", "Rückmeldung", "Anzahl Kommentare")

ExportRow = Mapping[str, Any]


class NotAllowedError(Exception):
    """This account may not read the export; `why` is for the log and holds no name."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class Exporter:
    """A logged-in session that downloads exports; logs in when the first export is asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._web = Web(settings, basic=False)  # HTTP Basic is not honoured outside /api/
        self._refused = ""
        self._logged_in = False

    def close(self) -> None:
        """Give the connections back."""
        self._web.close()

    def log_in(self) -> None:
        """Log in as `read` does, once; raises NotAllowedError where the account is refused."""
        self._log_in_once()

    def read(self, module: Module) -> dict[str, ExportRow]:
        """The export's rows by reference number; raises NotAllowedError where the account has no right."""
        if not module.slug:
            raise NotAllowedError("the process names no slug for the module")
        self._log_in_once()
        path = f"/dashboard/modules/{module.slug}/export/{module.type}/ideas/"
        reply = self._web.get(path, accept=f"{XLSX}, text/html;q=0.5")
        if reply.status == 403:
            raise NotAllowedError("the account is no initiator of the project")
        if reply.status == 302 and LOGIN in reply.location:
            raise NotAllowedError("the platform wants another log-in")
        if reply.status == 404:
            raise ConfigurationError(
                "the platform knows no such module",
                where=reply.where,
                helps=f"mend the slug of module {module.id}",
            )
        self._web.refuse_redirect(reply)
        if reply.status != 200 or reply.media_type != XLSX:
            raise reply.broken(f"answered {reply.status} {reply.media_type}".strip(), "200 and an XLSX")
        return _rows(reply)

    def _log_in_once(self) -> None:
        """One attempt per run, never two: five failures in five minutes lock the account."""
        if self._refused:
            raise NotAllowedError(self._refused)
        if self._logged_in:
            return
        if self._settings.exporter is None:
            self._refused = "switched off" if not self._settings.export else "no account for it"
            raise NotAllowedError(self._refused)
        try:
            self._log_in(*self._settings.exporter)
        except NotAllowedError as refusal:
            self._refused = refusal.why
            raise
        self._logged_in = True

    def _log_in(self, login: str, password: str) -> None:
        page = self._web.get(LOGIN, accept="text/html")
        if page.status != 200:
            raise page.broken(f"answered {page.status}", "the log-in form")
        token = _csrf_token(page.text()) or self._web.cookie("csrftoken")
        if not token:
            raise page.broken("the log-in form holds no csrfmiddlewaretoken", "one")
        reply = self._web.post_form(LOGIN, {"login": login, "password": password, "csrfmiddlewaretoken": token})
        if reply.status == 302 and self._web.cookie("sessionid"):
            return
        if TOO_MANY in reply.text() or reply.status == 429:
            locked = Trouble(Cause.FORBIDDEN, "Anmeldung für einige Minuten gesperrt")
            raise reply.broken("the platform has locked the log-in for some minutes", "a log-in", locked)
        if reply.status == 200:  # a failed log-in is no error to the platform, but the form once more
            raise NotAllowedError("the platform refuses login and password")
        raise reply.broken(f"answered {reply.status}", "302 and a session")


@dataclass
class _Token(HTMLParser):
    """Finds the hidden field of Django's CSRF protection."""

    value: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = dict(attrs)
        if tag == "input" and fields.get("name") == "csrfmiddlewaretoken":
            self.value = self.value or fields.get("value") or ""


def _csrf_token(page: str) -> str:
    parser = _Token()
    parser.feed(page)
    return parser.value


def _rows(reply: Reply) -> dict[str, ExportRow]:
    lines = _lines(reply)
    header = [str(cell.value) for cell in lines[0].cells] if lines else []
    for name in REQUIRED:
        if name not in header:
            raise reply.broken(f"column '{name}' is missing", ", ".join(REQUIRED))
    rows = {}
    for line in lines[1:]:
        values = [line.cell(place).value for place in range(len(header))]
        if reference := str(values[header.index(KEY)]):
            rows[reference] = _row(header, values)
    return rows


def _lines(reply: Reply) -> list[Row]:
    """The sheet's filled lines; a cut or swollen file is a SourceError. A formula counts as the text that it is."""
    try:
        return read_workbook(reply.body, UNPACKED_LIMIT, MOST_ROWS)[0]
    except (SheetProblem, IndexError):
        raise reply.broken("the XLSX is cut or damaged, or too large", "a whole workbook") from None


def _row(header: Sequence[str], line: Sequence[Any]) -> ExportRow:
    """The first column of a field counts: a module may call its category like a column of the platform."""
    row: dict[str, Any] = {}
    for name, cell in zip(header, line, strict=False):
        if name in COLUMNS:
            row.setdefault(COLUMNS[name], cell if isinstance(cell, int) else str(cell))
    row["category"], row["labels"] = _category_and_labels(header, line)
    return {**dict.fromkeys(COLUMNS.values(), ""), **row}


def _category_and_labels(header: Sequence[str], line: Sequence[Any]) -> tuple[str, list[str]]:
    """Modules may rename the columns Kategorie and Merkmale: they are the two before `Anzahl Kommentare`."""
    end = header.index("Anzahl Kommentare")
    fixed = FIXED - {*header[: end - 2]}  # a name that stood before is the module's own
    if end < 2 or {*header[end - 2 : end]} & fixed:  # another order: better no category than a telephone number
        return "", []
    category, labels = map(str, line[end - 2 : end])
    return category, [label for label in labels.split(", ") if label]
