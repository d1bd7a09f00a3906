"""The sandbox's first state, made from the recordings: lists 17, 24, 25 and the exports' further fields."""

from __future__ import annotations

import html
import io
import json
from importlib import resources
from typing import Any

from openpyxl import load_workbook

from connectors.meinberlin._platform import BADGES, NEW, Row, badges

PASSWORD = "sandkasten-2026"  # noqa: S105 - of the sandbox's invented accounts
USERS = [
    {"login": "middleware-kiezkasse@example.org", "password": PASSWORD, "role": "moderator"},
    {"login": "initiative@example.org", "password": PASSWORD, "role": "initiator"},
    {"login": "ohne-rechte@example.org", "password": PASSWORD, "role": "plain"},
    {"login": "unbestaetigt@example.org", "password": PASSWORD, "role": "unconfirmed"},
]
TASKED = ("budgeting",)  # the legacy type knows no moderation tasks
TASKS = ["Förderfähigkeit geprüft", "Kostenplan liegt vor", "Datenschutz-Einwilligung liegt vor"]
_MODULES = (
    (1, "budgeting", "kiezkasse-friedrichshagen-2026", "Kiezkasse Friedrichshagen 2026", "public"),
    (2, "kiezkasse", "kiezkasse-altglienicke-2023", "Kiezkasse Altglienicke 2023", "public"),
    (3, "budgeting", "kiezkasse-kopenick-nord-2027", "Kiezkasse Köpenick Nord 2027", "public"),
    (4, "budgeting", "kiezkasse-testbezirk-intern", "Kiezkasse Testbezirk intern", "private"),
    (5, "budgeting", "kiezkasse-entwurf", "Kiezkasse Entwurf", "draft"),
)
_LISTS = {1: ["17_pb_page_size_100"], 2: ["24_kk_list_p1", "25_kk_list_p2"], 3: ["26_pb2_running_list"],
          4: ["32_private_module_moderator"]}  # fmt: skip
_EXPORTS = {1: "79_export_pb_initiator.xlsx", 2: "82_export_kk_initiator.xlsx"}


def recording(name: str) -> Row:
    """One recorded answer: status, headers, body."""
    answer: Row = json.loads(_file(f"{name}.json"))["response"]
    return answer


def recorded_state() -> Row:
    """Users, projects, modules and proposals as they were before the recording's writes."""
    bodies = {key: [recording(name)["body"] for name in names] for key, names in _LISTS.items()}
    return {
        "users": USERS,
        "projects": recording("01_projects_all")["body"],
        "modules": [_module(*facts, bodies.get(facts[0], [])) for facts in _MODULES],
        "proposals": [row for key, pages in bodies.items() for row in _proposals(key, pages)],
    }


def _module(key: int, kind: str, slug: str, title: str, access: str, pages: list[Row]) -> Row:
    filters: Row = pages[0]["filters"] if pages else {}
    orderings = [choice[0] for choice in filters.get("ordering", {}).get("choices", ())]
    return {
        "id": key, "type": kind, "slug": slug, "title": title, "access": access,
        "support": "-positive_rating_count" in orderings,
        "categories": _choices(filters, "category"),
        "labels": _choices(filters, "labels"),
        "tasks": [[3 * key - 2 + place, task] for place, task in enumerate(TASKS)] if kind in TASKED else [],
    }  # fmt: skip


def _choices(filters: Row, name: str) -> list[list[Any]]:
    return [[int(key), text] for key, text in filters.get(name, {}).get("choices", ()) if key]


def _proposals(module: int, pages: list[Row]) -> list[Row]:
    exported = _export(_EXPORTS[module]) if module in _EXPORTS else {}
    return [
        _filled(_proposal(module, item, exported.get(item["reference_number"], {})), item, page)
        for page in pages
        for item in page["results"]
    ]


def _filled(row: Row, item: Row, page: Row) -> Row:
    """Modules 3 and 4 have no recorded export: labels are made up to the recorded number of further badges."""
    missing = item["additional_item_badges_for_list_count"] + BADGES - len(badges(row))
    spare = [name for _, name in _choices(page["filters"], "labels") if name not in row["labels"]]
    further = missing if len(badges(row)) >= BADGES else 0
    return {**row, "labels": [*row["labels"], *spare[:further]]}


def _proposal(module: int, item: Row, exported: Row) -> Row:
    found: dict[str, str] = {badge[0]: badge[1] for badge in item["item_badges_for_list"] if badge[0] != "label"}
    labels = [badge[1] for badge in item["item_badges_for_list"] if badge[0] == "label"]
    digits = "".join(filter(str.isdigit, found["budget"]))
    same = {key: item[key] for key in ("pk", "name", "creator", "created", "modified", "moderator_status")}
    counts = {key: item[key] for key in ("comment_count", "positive_rating_count", "negative_rating_count")}
    return {
        **NEW, "module": module, **same, **counts,
        "is_archived": item.get("is_archived", False),
        "budget": int(digits or 0),
        "category": exported.get("Kategorie") or found.get("category", ""),
        "labels": exported["Merkmale"].split(", ") if exported.get("Merkmale") else labels,
        "point": item["point"] and item["point"]["geometry"]["coordinates"],
        "point_label": exported.get("Ortsbezeichnung") or found.get("point_label", ""),
        "description": _paragraph(exported.get("Beschreibung")),
        "contact_email": exported.get("Kontakt E-Mail") or "",
        "contact_phone": exported.get("Kontakt Telefon") or "",
        "feedback": _paragraph(exported.get("Rückmeldung")),
        "remark": exported.get("Notiz") or "",
        "own_contribution": exported.get("Eigene Beteiligung an dem Vorschlag") == "Ja",
    }  # fmt: skip


def _paragraph(text: str | None) -> str:
    return f"<p>{html.escape(text, quote=False)}</p>" if text else ""


def _export(name: str) -> dict[str, Row]:
    lines = load_workbook(io.BytesIO(_file(name))).worksheets[0].iter_rows(values_only=True)
    header = [str(cell) for cell in next(lines)]
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    return {str(row["Referenznr."]): row for row in rows}


def _file(name: str) -> bytes:
    return resources.files("connectors.meinberlin").joinpath("testdata", name).read_bytes()
