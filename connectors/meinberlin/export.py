"""The XLSX export of a module: the only place of contact data, for an initiator's session only.

    log in ─▶ GET …/export/…/ideas/ ─▶ one row per proposal, by reference number

It is loaded only where a proposal has changed. The moderators' internal note is left where it is, and so are
descriptions, feedback and labels: they are cut and run together here, see `details`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors._line import shown_type
from connectors._tables import Row, SheetProblem, TableLimits, read_workbook
from connectors.meinberlin.session import LOGIN, NotAllowedError, Session
from connectors.meinberlin.web import Reply
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.records import Module

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

# Header of the sheet → field of an item, by the type of the module.
CONTACT = {"Kontakt E-Mail": "contact_email", "Kontakt Telefon": "contact_phone"}
COLUMNS = {"budgeting": CONTACT, "kiezkasse": {"Eigene Beteiligung an dem Vorschlag": "own_contribution"}}
KEY = "Referenznr."

ExportRow = Mapping[str, Any]


class Exporter:
    """Downloads exports with the account's session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, module: Module) -> dict[str, ExportRow]:
        """The rows by reference number; raises NotAllowedError, SourceError or ConfigurationError."""
        self._session.log_in()
        path = f"/dashboard/modules/{module.slug}/export/{module.type}/ideas/"
        reply = self._session.get(path, f"{XLSX}, text/html;q=0.5")
        if reply.status == 403:
            raise NotAllowedError(
                "the account is no initiator of the project",
                "das Konto gehört nicht zur Initiative des Projekts und darf ihn nicht laden",
            )
        if reply.status == 302 and LOGIN in reply.location:
            raise NotAllowedError("the platform wants another log-in", "die Plattform verlangt eine neue Anmeldung")
        if reply.status == 404:
            raise ConfigurationError(
                "the platform knows no such module",
                where=reply.where,
                helps=f"mend the slug of module {module.id}",
            )
        self._session.refuse_redirect(reply)
        if reply.status != 200 or reply.media_type != XLSX:
            raise reply.broken(f"answered {reply.status} {shown_type(reply.media_type)}".strip(), "200 and an XLSX")
        return _rows(reply, COLUMNS[module.type])


def _rows(reply: Reply, columns: Mapping[str, str]) -> dict[str, ExportRow]:
    lines = _lines(reply)
    header = [str(cell.value) for cell in lines[0].cells] if lines else []
    for name in (KEY, *columns):
        if name not in header:
            raise reply.broken(f"column '{name}' is missing", ", ".join((KEY, *columns)))
    rows = {}
    for line in lines[1:]:
        values = [line.cell(place).value for place in range(len(header))]
        if reference := str(values[header.index(KEY)]):
            rows[reference] = _row(header, values, columns)
    return rows


def _lines(reply: Reply) -> Sequence[Row]:
    """The sheet's filled lines; a cut or swollen file is a SourceError. A formula counts as the text that it is."""
    try:
        return read_workbook(reply.body, TableLimits())[0].rows
    except (SheetProblem, IndexError):
        raise reply.broken("the XLSX is cut or damaged, or too large", "a whole workbook") from None


def _row(header: Sequence[str], line: Sequence[Any], columns: Mapping[str, str]) -> ExportRow:
    """The first column of a name counts: a module may call its category like a column of the platform."""
    return {field: str(line[header.index(name)]) for name, field in columns.items()}
