"""The sandbox's platform: modules, people and proposals in one JSON file, and how the API shows them."""

from __future__ import annotations

import hashlib
import json
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

Row = dict[str, Any]

STATUS = {
    "CONSIDERATION": "wird geprüft",
    "QUALIFIED": "für nächste Phase qualifiziert",
    "REJECTED": "wird nicht umgesetzt",
    "ACCEPTED": "wird umgesetzt",
}
APPS = {"budgeting": "proposals", "kiezkasse": "kiezkasse-proposals"}
PAGE_SIZE = 15  # what the platform says, whatever was asked for
BADGES = 3
NEW: Row = {
    "creator": "x", "created": "2026-04-01T12:00:00+02:00", "modified": None, "moderator_status": None,
    "is_archived": False, "budget": 0, "category": "", "labels": [], "point": None, "point_label": "",
    "comment_count": 0, "positive_rating_count": 0, "negative_rating_count": 0, "vote_count": 0,
    "description": "", "contact_email": "", "contact_phone": "", "feedback": "", "remark": "",
    "own_contribution": False, "completed_tasks": [],
}  # fmt: skip

EDITED = {*NEW, "name"} - {
    "modified", "comment_count", "positive_rating_count", "negative_rating_count", "vote_count"
}  # fmt: skip


@dataclass
class Platform:
    """The state on disk; tests may change the file at any time, it is read again when it changed."""

    file: Path
    lock: threading.RLock = field(default_factory=threading.RLock)
    _seen: tuple[int, int] = (0, 0)
    _state: Row = field(default_factory=dict)

    def state(self) -> Row:
        """All there is: users, projects, modules, proposals."""
        with self.lock:
            stat = self.file.stat()
            if self._seen != (stat.st_mtime_ns, stat.st_size):
                self._state = json.loads(self.file.read_text("utf-8"))
                self._seen = (stat.st_mtime_ns, stat.st_size)
            return self._state

    def save(self, state: Row) -> None:
        """Replace the file whole."""
        with self.lock:
            part = self.file.with_suffix(".part")
            part.write_text(json.dumps(state, ensure_ascii=False, indent=1), "utf-8")
            part.replace(self.file)

    def module(self, module_id: int) -> Row | None:
        """A module by key."""
        return next((module for module in self.state()["modules"] if module["id"] == module_id), None)

    def module_by_slug(self, slug: str) -> Row | None:
        """A module by slug."""
        return next((module for module in self.state()["modules"] if module["slug"] == slug), None)

    def proposals(self, module_id: int) -> list[Row]:
        """A module's proposals, archived ones too."""
        return [proposal for proposal in self.state()["proposals"] if proposal["module"] == module_id]

    def proposal(self, pk: int) -> Row | None:
        """A proposal by key."""
        return next((proposal for proposal in self.state()["proposals"] if proposal["pk"] == pk), None)

    def user(self, login: str, password: str) -> Row | None:
        """The account with this login and password."""
        users: Sequence[Row] = self.state()["users"]
        return next((user for user in users if (user["login"], user["password"]) == (login, password)), None)

    def put(self, *rows: Mapping[str, Any]) -> list[Row]:
        """Create proposals, or change the given fields of those that are known (by `pk`)."""
        with self.lock:
            state = self.state()
            put = [self._put(state["proposals"], row) for row in rows]
            self.save(state)
            return put

    def _put(self, proposals: list[Row], row: Mapping[str, Any]) -> Row:
        known = next((one for one in proposals if one["pk"] == row.get("pk")), None)
        if known is None:
            proposals.append({**NEW, "pk": 1 + max((one["pk"] for one in proposals), default=0), **row})
            return proposals[-1]
        if any(known[name] != row[name] for name in EDITED & row.keys()):
            known["modified"] = datetime.now(UTC).isoformat()  # as every form of the platform does
        known.update(row)
        return known

    def replace(self, row: Row, **kept: Row | None) -> None:
        """Save a whole row, whatever has become of it meanwhile, and keep a mail or a notification beside it."""
        with self.lock:
            state = self.state()
            state["proposals"] = [row if one["pk"] == row["pk"] else one for one in state["proposals"]]
            for name, thing in kept.items():
                state.setdefault(name, []).extend([thing] if thing else [])
            self.save(state)

    def delete(self, pk: int) -> None:
        """A citizen deletes an account: the proposal is gone without a trace."""
        with self.lock:
            state = self.state()
            state["proposals"] = [one for one in state["proposals"] if one["pk"] != pk]
            self.save(state)


def reference(row: Row) -> str:
    """Year of creation and key, such as 2026-00007. Half an hour after midnight the year is still the old one."""
    return f"{datetime.fromisoformat(row['created']).astimezone(UTC).year}-{row['pk']:05d}"


def searched(row: Row) -> str:
    """The number that a search finds: with the year in Berlin."""
    return f"{row['created'][:4]}-{row['pk']:05d}"


def path_of(row: Row, module: Row) -> str:
    """Where the detail page stands."""
    return f"/{module['type']}/{reference(row)}/"


def badges(row: Row) -> list[list[str]]:
    """All badges in the platform's order; the list shows the first three."""
    shown: list[list[str]] = []
    if row["moderator_status"]:
        shown.append(["moderator_status", STATUS[row["moderator_status"]], row["moderator_status"]])
    shown.append(["budget", f"{row['budget']:,}€".replace(",", ".") if row["budget"] else "Kosten: keine Angabe"])
    if row["point_label"]:
        shown.append(["point_label", row["point_label"]])
    if row["category"]:
        shown.append(["category", row["category"]])
    return shown + [["label", label] for label in row["labels"]]


def shown(row: Row, module: Row) -> Row:
    """A proposal as the list shows it."""
    all_badges = badges(row)
    point = row["point"]
    item: Row = {
        "additional_item_badges_for_list_count": max(0, len(all_badges) - BADGES),
        "comment_count": row["comment_count"],
        "created": row["created"],
        "creator": row["creator"],
        "get_moderator_status_display": STATUS.get(row["moderator_status"] or ""),
        "item_badges_for_list": all_badges[:BADGES],
        "moderator_status": row["moderator_status"],
        "modified": row["modified"],
        "name": row["name"],
        "negative_rating_count": row["negative_rating_count"],
        "pk": row["pk"],
        "positive_rating_count": row["positive_rating_count"],
        "reference_number": reference(row),
        "url": path_of(row, module),
    }
    if module["type"] == "budgeting":
        item |= {"is_archived": row["is_archived"], "session_token_voted": False, "vote_allowed": False}
        item["vote_count"] = row["vote_count"]
    item["point"] = point and {
        "type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": point}
    }  # fmt: skip
    return item


def select(rows: Sequence[Row], module: Row, query: Mapping[str, str], *, moderates: bool) -> list[Row]:
    """Filter and order as the platform does: values it does not know are silently ignored."""
    tests: list[Callable[[Row], bool]] = []
    categories = {str(pk): name for pk, name in module["categories"]}
    labels = {str(pk): name for pk, name in module["labels"]}
    if (status := query.get("moderator_status")) in STATUS:
        tests.append(lambda row: row["moderator_status"] == status)
    if category := categories.get(query.get("category", "")):
        tests.append(lambda row: row["category"] == category)
    if label := labels.get(query.get("labels", "")):
        tests.append(lambda row: label in row["labels"])
    if search := query.get("search", "").casefold():
        tests.append(lambda row: search in row["name"].casefold() or search in searched(row))
    if module["type"] == "budgeting" and (archived := query.get("is_archived", "false")) in ("true", "false"):
        tests.append(lambda row: row["is_archived"] is (archived == "true"))
    if moderates and (task := query.get("open_task", "")) in {str(pk) for pk, _ in module["tasks"]}:
        tests.append(lambda row: int(task) not in row["completed_tasks"])
    found = [row for row in rows if all(test(row) for test in tests)]
    return _order(found, query.get("ordering", ""), query.get("page", "1"))


def _order(rows: list[Row], ordering: str, number: str) -> list[Row]:
    """`number` of the page: what has equal times comes in another order with every question."""
    name = ordering.removeprefix("-")
    if name not in ("created", "comment_count", "positive_rating_count", "token_vote_count"):
        today = datetime.now(UTC).date().isoformat()  # dailyrandom: another order every day
        return sorted(rows, key=lambda row: hashlib.sha256(f"{today}{row['pk']}".encode()).digest())
    key = {"token_vote_count": "vote_count"}.get(name, name)
    if key == "created":
        rows = sorted(rows, key=lambda row: hashlib.sha256(f"{number}-{row['pk']}".encode()).digest())
        return sorted(rows, key=lambda row: datetime.fromisoformat(row["created"]), reverse=ordering[0] == "-")
    return sorted(rows, key=lambda row: row[key], reverse=ordering[0] == "-")


def page(
    rows: Sequence[Row], module: Row, kind: str, query: Mapping[str, str], address: str, *, moderates: bool
) -> Row | None:
    """One page of a list; None past its end."""
    asked = query.get("page_size", "")
    size = int(asked) if asked.isdecimal() and int(asked) > 0 else PAGE_SIZE
    last = max(1, math.ceil(len(rows) / size))
    wanted = query.get("page", "1")
    number = last if wanted == "last" else int(wanted) if wanted.isdecimal() else 0
    if not 1 <= number <= last:
        return None
    body: Row = {
        "count": len(rows),
        "next": _link(address, query, number + 1) if number < last else None,
        "previous": _link(address, query, number - 1) if number > 1 else None,
        "results": [shown(row, module) for row in rows[(number - 1) * size : number * size]],
        "page_size": PAGE_SIZE,
        "page_count": last,
        "page_elided_range": _elided(number, last),
        "locale": "de-DE",
    }
    if kind == "budgeting":
        body["token_info"] = None
    body["permissions"] = _permissions(module, kind)
    body["filters"] = _filters(module, kind, moderates=moderates)
    return body


def _link(address: str, query: Mapping[str, str], number: int) -> str:
    values = {key: value for key, value in query.items() if key != "page"}
    if number > 1:
        values["page"] = str(number)
    return f"{address}?{urlencode(sorted(values.items()))}" if values else address


def _elided(number: int, last: int) -> list[int | str]:
    """Django's get_elided_page_range with one page on each side and one at each end."""
    if last <= 4:
        return list(range(1, last + 1))
    before: list[int | str] = [1, "…", number - 1] if number > 4 else list(range(1, number))
    after: list[int | str] = [number + 1, "…", last] if number < last - 3 else list(range(number + 1, last + 1))
    return [*before, number, *after]


def _permissions(module: Row, kind: str) -> Row:
    fits = kind == module["type"]
    if kind == "kiezkasse":
        return {"view_comment_count": fits, "view_rate_count": fits}
    return {
        "view_comment_count": fits,
        "view_rate_count": False,
        "view_support_count": fits and module["support"],
        "view_vote_count": False,
        "has_voting_permission_and_valid_token": False,
    }


def _filters(module: Row, kind: str, *, moderates: bool) -> Row:
    everything = ["", "Alle"]
    icon = "/static/category_icons/icons/default_icon.svg"
    filters: Row = {}
    if module["categories"]:
        filters["category"] = {
            "label": "Kategorie",
            "choices": [everything, *([str(pk), name] for pk, name in module["categories"])],
            "icons": [[str(pk), icon] for pk, _ in module["categories"]],
        }
    if module["labels"]:
        labels = [[str(pk), name] for pk, name in module["labels"]]
        filters["labels"] = {"label": "Merkmal", "choices": [everything, *labels]}
    filters["moderator_status"] = {"label": "Status", "choices": [everything, *map(list, STATUS.items())]}
    if moderates and module["tasks"]:
        tasks = [[str(pk), name] for pk, name in module["tasks"]]
        filters["open_task"] = {"label": "offene Aufgaben", "choices": [everything, *tasks]}
    filters["ordering"] = {
        "label": "Reihenfolge",
        "choices": _orderings(module, kind),
        "default": "dailyrandom",
    }
    if kind == "budgeting":
        choices = [everything, ["false", "Nein"], ["true", "Ja"]]
        filters["is_archived"] = {"label": "Archiviert", "choices": choices, "default": "false"}
    return filters


def _orderings(module: Row, kind: str) -> list[list[str]]:
    choices = [["-created", "am aktuellsten"]]
    if kind == module["type"] and module["support"]:
        word = "am beliebtesten" if kind == "kiezkasse" else "meist unterstützt"
        choices.append(["-positive_rating_count", word])
    return [*choices, ["-comment_count", "meist kommentiert"], ["dailyrandom", "zufällig"]]
