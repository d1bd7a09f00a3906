"""The sandbox's HTML pages and workbooks, shaped like the recorded ones."""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from connectors.meinberlin._platform import APPS, STATUS, Row, badges, path_of, reference

LONGEST_ADDRESS, LONGEST_CELL = 2079, 32767  # characters, as a spreadsheet takes them
WIDGETS = {"budgeting": "proposals", "kiezkasse": "kiezkasse-proposals"}


def whole(title: str, body: str) -> str:
    """A page of the platform."""
    return (
        f'<!DOCTYPE html>\n<html lang="de-DE">\n<head>\n<meta charset="utf-8" />\n'
        f"<title>{html.escape(title)} &mdash; meinBerlin</title>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def module_page(module: Row) -> str:
    """The only page that names a module's key: apiUrl in the widget's attributes."""
    attributes = json.dumps({"apiUrl": f"/api/modules/{module['id']}/{APPS[module['type']]}/"})
    widget = WIDGETS[module["type"]]
    body = f'<div data-mb-widget="{widget}" data-attributes="{html.escape(attributes)}"></div>'
    return whole(module["title"], body)


def detail_page(row: Row) -> str:
    """A proposal's own page, the only public place of description and feedback."""
    pills = "\n".join(map(_pill, (badge for badge in badges(row) if badge[0] != "moderator_status")))
    feedback = ""
    if row["moderator_status"] or row["feedback"]:
        feedback = (
            '<section id="moderator-feedback" class="moderator-feedback">\n<h2>Rückmeldung</h2>\n'
            f"<strong>Status: </strong>{html.escape(STATUS.get(row['moderator_status'] or '', ''))}\n"
            f'<div class="ck-content moderator-feedback__content">{row["feedback"]}</div>\n</section>'
        )
    return whole(
        row["name"],
        f'<article class="item-detail ">\n<h1 class="item-detail__title">{html.escape(row["name"])}</h1>\n'
        f'<strong>{html.escape(row["creator"])}</strong>\n<time datetime="{row["created"]}"></time>\n'
        f'<ul class="pill__list">\n{pills}\n</ul>\n<section class="item-detail__content">\n'
        f'<div class="ck-content">{row["description"]}</div>\n'
        f'<div class="item-detail__reference"><strong>Referenznr.:</strong> {reference(row)}</div>\n'
        "</section>\n"
        f"{feedback}\n</article>",
    )


def _pill(badge: Sequence[str]) -> str:
    kind = {"category": "pill--category", "label": "pill--label"}.get(badge[0], "")
    marker = '<i class="fas fa-map-marker-alt" aria-hidden="true"></i>' if badge[0] == "point_label" else ""
    return f'        <li class="pill\n {kind}\n">{marker}\n            {html.escape(badge[1])}\n        </li>'


def login_page(token: str, problem: str = "") -> str:
    """The log-in form of allauth; a failed log-in is this page again."""
    message = f'<li class="message message--error">{problem}</li>\n' if problem else ""
    return whole(
        "Anmelden",
        f'{message}<form class="login" method="post" action="/accounts/login/">\n'
        f'<input type="hidden" name="csrfmiddlewaretoken" value="{token}">\n'
        '<input type="email" name="login"><input type="password" name="password">\n</form>',
    )


def error_page() -> str:
    """404 and 403 outside the API are HTML."""
    return whole("Fehler", "<h1>Fehler</h1>")


def workbook(rows: Sequence[Row], module: Row, origin: str, renamed: Mapping[str, str]) -> bytes:
    """The export 'ideas' of a module; `renamed` gives columns another header."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    header = _BUDGETING if module["type"] == "budgeting" else _KIEZKASSE
    sheet.append([renamed.get(name, name) for name in header])
    for row in sorted(rows, key=lambda one: one["pk"]):
        cells = _cells(row, module, origin)
        sheet.append([_cell(sheet, cells[name]) for name in header])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


_HEAD = ["Referenznr.", "Link", "Titel", "Beschreibung"]
_TAIL = ["Kategorie", "Merkmale", "Anzahl Kommentare", "Ort (Längengrad)", "Ort (Breitengrad)",
         "Ortsbezeichnung", "Urheber", "Erstellt", "Status", "Rückmeldung", "Notiz"]  # fmt: skip
_BUDGETING = [*_HEAD, "Kosten", "Kontakt E-Mail", "Kontakt Telefon", *_TAIL, "Unterstützung"]
_KIEZKASSE = [*_HEAD, "budget", "Eigene Beteiligung an dem Vorschlag", "Positive Bewertungen",
              "Negative Bewertungen", *_TAIL]  # fmt: skip


def _cells(row: Row, module: Row, origin: str) -> dict[str, Any]:
    lon, lat = row["point"] or (None, None)
    return {
        "Referenznr.": reference(row),
        "Link": origin + path_of(row, module),
        "Titel": row["name"],
        "Beschreibung": _plain(row["description"]),
        "Kosten": row["budget"],
        "budget": row["budget"],
        "Eigene Beteiligung an dem Vorschlag": "Ja" if row["own_contribution"] else "Nein",
        "Kontakt E-Mail": row["contact_email"] or None,
        "Kontakt Telefon": row["contact_phone"] or None,
        "Positive Bewertungen": row["positive_rating_count"],
        "Negative Bewertungen": row["negative_rating_count"],
        "Unterstützung": row["positive_rating_count"],
        "Kategorie": row["category"] or None,
        "Merkmale": ", ".join(row["labels"]) or None,
        "Anzahl Kommentare": row["comment_count"],
        "Ort (Längengrad)": lon,
        "Ort (Breitengrad)": lat,
        "Ortsbezeichnung": row["point_label"] or None,
        "Urheber": row["creator"],
        "Erstellt": row["created"],
        "Status": STATUS.get(row["moderator_status"] or ""),
        "Rückmeldung": _plain(row["feedback"]),
        "Notiz": row["remark"] or None,
    }


def _cell(sheet: Any, value: Any) -> Any:
    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        cell.data_type = "s"  # titles like =HYPERLINK(…) stay text
    return cell


def _plain(markup: str) -> str | None:
    """What the platform makes of a text in a cell: run together, cut at `<c`, and nothing of a long address."""
    text = re.sub(r"<[a-zA-Z/!][^>]*(>|$)", "", html.unescape(re.sub(r"<[^>]*>", "", markup)))
    if re.match(r"(https?|ftp|mailto|internal|external):", text) and len(text) > LONGEST_ADDRESS:
        return None
    return text[:LONGEST_CELL] or None
