"""The sandbox's first state, made of the examples in testdata, and as many further proposals as somebody asks for."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

Row = dict[str, Any]
KEY, SECRET = "kb-programm", "sandkasten-2026"
STATES = ["not_answered", "evaluating", "accepted", "rejected", "bewilligt_gekuerzt"]
EXTRA = 1000  # ids of further proposals begin behind this


def recorded_state(extra: int) -> Row:
    """Accounts, components, proposals, budgets and projects."""
    pages = [_data(f"proposals_p{number}")["component"]["proposals"] for number in (1, 2)]
    nodes = [edge["node"] for page in pages for edge in page["edges"]]
    budgets = _data("budgets")["component"]["budgets"]["nodes"]
    return {
        "accounts": [{"id": "7", "key": KEY, "secret": SECRET, "name": "Programm Kiezbrücke", "admin": True},
                     {"id": "8", "key": "kb-leser", "secret": SECRET, "name": "Programm Leser", "admin": False}],
        "processes": [{"id": "3", "slug": "kiezkasse-2026", "title": {"de": "Kiezkasse 2026"}}],
        "components": [
            {"id": "9", "type": "Proposals", "process": "3", "name": {"de": "Vorschläge"}, "states": STATES,
             "answering": True, "publishes": True, "costs": False, "published": True},
            {"id": "12", "type": "Budgets", "process": "3", "name": {"de": "Abstimmung"}, "published": True},
            {"id": "13", "type": "Meetings", "process": "3", "name": {"de": "Treffen"}, "published": True},
        ],
        "proposals": [*map(_proposal, nodes), *(further(EXTRA + number) for number in range(1, extra + 1))],
        "budgets": [_budget(one) for one in budgets],
        "projects": [_project(one, budget["id"]) for budget in budgets for one in budget["projects"]],
        "tokens": {}, "answers": [], "mails": [],
    }  # fmt: skip


def further(number: int) -> Row:
    """A proposal that nobody has answered."""
    return {
        **NEW, "id": str(number), "reference": f"TK-PROP-2026-03-{number}",
        "title": {"de": f"Vorschlag Nummer {number}"}, "body": {"de": f"<p>Text zu {number}.</p>"},
    }  # fmt: skip


NEW: Row = {
    "component": "9", "state": None, "state_published": False, "answer": {}, "answered_at": None, "withdrawn": False,
    "hidden": False, "published": True, "address": None, "latitude": None, "longitude": None, "votes": None,
    "cost": None, "cost_report": {}, "execution_period": {}, "taxonomies": [], "machine": {},
    "authors": [{"id": "20", "name": "Mika Muster", "deleted": False}],
    "published_at": "2026-03-01T10:00:00+01:00", "created_at": "2026-03-01T09:58:12+01:00",
    "updated_at": "2026-03-01T10:00:00+01:00",
}  # fmt: skip


def _proposal(node: Row) -> Row:
    return {
        **NEW, "id": node["id"], "reference": node["reference"], "state": node["state"],
        "state_published": node["state"] is not None, "answered_at": node["answeredAt"],
        "withdrawn": node["withdrawn"], "address": node["address"], "votes": node["voteCount"],
        **{name: _texts(node[name]) for name in ("title", "body", "answer")}, **node["coordinates"],
        "authors": node["authors"],
        "taxonomies": [{"id": one["id"], "name": {"de": one["name"]["translation"]}} for one in node["taxonomies"]],
        "published_at": node["publishedAt"], "created_at": node["createdAt"], "updated_at": node["updatedAt"],
    }  # fmt: skip


def _budget(node: Row) -> Row:
    title = {"de": node["title"]["translation"]}
    return {"id": node["id"], "component": "12", "total_budget": node["total_budget"], "title": title}


def _project(node: Row, budget: str) -> Row:
    return {
        "id": node["id"], "budget": budget, "reference": f"TK-PROJ-2026-04-{node['id']}",
        "title": {"de": node["title"]["translation"]}, "description": {"de": "<p>Für alle im Kiez.</p>"},
        "budget_amount": node["budget_amount"], "selected": node["selected"], "hidden": False, "related": [],
        "address": None, "latitude": None, "longitude": None, "taxonomies": [], "votes": None,
        "selected_at": node["updatedAt"] if node["selected"] else None,
        "created_at": "2026-04-01T09:00:00+02:00", "updated_at": node["updatedAt"],
    }  # fmt: skip


def _texts(words: Row) -> Row:
    return {one["locale"]: one["text"] for one in words["translations"]}


def _data(name: str) -> Row:
    file = resources.files("connectors.decidim").joinpath("testdata", f"{name}.json")
    data: Row = json.loads(file.read_text("utf-8"))["response"]["body"]["data"]
    return data
