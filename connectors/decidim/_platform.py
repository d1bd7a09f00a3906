"""What the sandbox's Decidim is: its things as GraphQL shows them, and what an answer does to a proposal.

Plain dicts, with functions for fields that take arguments: graphql-core calls them; `__typename` says what they are.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from graphql import GraphQLError

from connectors.decidim._recorded import Row

MOST = 50  # nodes of a page, whatever is asked for
NOW = "2026-05-20T10:00:00+02:00"


class Platform:
    """The state in one file, so that it survives a kill; one process, so no lock."""

    def __init__(self, file: Path, version: str) -> None:
        self._file, self.version = file, version

    def read(self) -> Row:
        """All of it."""
        body: Row = json.loads(self._file.read_text("utf-8"))
        return body

    def write(self, body: Row) -> None:
        """All of it, whole or not at all."""
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps(body, ensure_ascii=False), "utf-8")
        part.replace(self._file)


class Seen:
    """The platform as one call sees it: whose it is, and what the root fields give."""

    def __init__(self, platform: Platform, account: Row | None, *, refusing: bool = False) -> None:
        self._platform, self._account, self._refusing = platform, account, refusing
        self.body = platform.read()

    def root(self) -> Row:
        """Both roots in one: their names do not meet."""
        user = self._account and {"id": self._account["id"], "name": self._account["name"], "nickname": "programm"}
        return {
            "decidim": {"version": f"{self._platform.version}.0", "applicationName": "Nachbau"},
            "session": {"user": user} if user else None,
            "organization": {"name": texts({"de": "Bezirk"})},
            "participatoryProcess": self._process,
            "participatoryProcesses": lambda _: [self._as_process(one) for one in self.body["processes"]],
            "component": self._component,
        }

    # Reading

    def _process(self, _: Any, id: str = "", slug: str = "") -> Row | None:  # noqa: A002 - the schema's name
        found = (one for one in self.body["processes"] if one["id"] == id or one["slug"] == slug)
        process = next(found, None)
        return process and self._as_process(process)

    def _as_process(self, process: Row) -> Row:
        own = [one for one in self.body["components"] if one["process"] == process["id"] and one["published"]]
        return {
            **process,
            "title": texts(process["title"]),
            "components": lambda _, **__: [self._as_component(one) for one in own],
        }

    def _component(self, info: Any, id: str) -> Row | None:  # noqa: A002 - the schema's name
        found = next((one for one in self.body["components"] if one["id"] == id and one["published"]), None)
        if found is None:
            raise fault("ComponentInterface not found", "NOT_FOUND_ERROR")
        if info.operation.operation.value == "mutation":
            return self._as_mutation(found)
        return self._as_component(found)

    def _as_component(self, component: Row) -> Row:
        shown = {
            "__typename": component["type"],
            "id": component["id"],
            "name": texts(component["name"]),
            "weight": 0,
            "participatorySpace": {"id": component["process"], "type": "process", "title": texts({"de": "Kiezkasse"})},
        }
        if component["type"] == "Proposals":
            own = [one for one in self.body["proposals"] if one["component"] == component["id"] and one["published"]]
            own.sort(key=lambda one: int(one["id"]))
            shown["proposals"] = connection(own, self._proposal_node)
            shown["proposal"] = lambda _, **given: self._one_proposal(own, given["id"])
        if component["type"] == "Budgets":
            own = [one for one in self.body["budgets"] if one["component"] == component["id"]]
            shown["budgets"] = connection(own, self._budget_node)
        return shown

    def _one_proposal(self, own: Sequence[Row], key: str) -> Any:
        found = next((one for one in own if one["id"] == key), None)
        return found and self._proposal_node(found)

    def _proposal_node(self, row: Row) -> Any:
        return (
            self._hidden(row)
            if row["hidden"]
            else {
                "__typename": "Proposal",
                **{name: row[name] for name in ("id", "reference", "withdrawn", "address")},
                **{name: texts(row[name], row["machine"].get(name, {})) for name in ("title", "body", "answer")},
                "state": row["state"] if row["state_published"] else None,
                "answeredAt": row["answered_at"],
                "publishedAt": row["published_at"],
                "createdAt": row["created_at"],
                "updatedAt": row["updated_at"],
                "coordinates": {"latitude": row["latitude"], "longitude": row["longitude"]},
                "voteCount": row["votes"],
                "authors": [{**one, "__typename": "AuthorUser", "nickname": f"u{one['id']}"} for one in row["authors"]],
                "taxonomies": [{"id": one["id"], "name": texts(one["name"])} for one in row["taxonomies"]],
                "url": f"https://beteiligung.example/processes/kiezkasse-2026/f/{row['component']}/proposals/{row['id']}",
            }
        )

    def _budget_node(self, row: Row) -> Row:
        own = [one for one in self.body["projects"] if one["budget"] == row["id"]]
        return {
            **row,
            "title": texts(row["title"]),
            "description": texts({}),
            "weight": 0,
            "projects": [self._project_node(one) for one in own],
        }

    def _project_node(self, row: Row) -> Any:
        address = f"https://beteiligung.example/processes/kiezkasse-2026/f/12/budgets/{row['budget']}"
        return (
            self._hidden(row)
            if row["hidden"]
            else {
                **{name: row[name] for name in ("id", "reference", "budget_amount", "selected", "address")},
                "title": texts(row["title"]),
                "description": texts(row["description"]),
                "selectedAt": row["selected_at"],
                "confirmedVotes": row["votes"],
                "relatedProposals": [
                    self._proposal_node(one) for one in self.body["proposals"] if one["id"] in row["related"]
                ],
                "createdAt": row["created_at"],
                "updatedAt": row["updated_at"],
                "coordinates": {"latitude": row["latitude"], "longitude": row["longitude"]},
                "taxonomies": [{"id": one["id"], "name": texts(one["name"])} for one in row["taxonomies"]],
                "budgetUrl": address,
                "url": f"{address}/projects/{row['id']}",
            }
        )

    def _hidden(self, row: Row) -> GraphQLError | None:
        """What stands instead of a hidden thing: 0.31 is silent about it, 0.32 says that there is something."""
        loud = self._platform.version >= "0.32"
        return fault(f"{row['id']} is not visible", "UNAUTHORIZED_OBJECT_ERROR") if loud else None

    # Answering

    def _as_mutation(self, component: Row) -> Row | None:
        kind = f"{component['type']}Mutation"
        return {"__typename": kind, "proposal": lambda _, **given: self._proposal_mutation(component, given["id"])}

    def _proposal_mutation(self, component: Row, key: str) -> Row | None:
        own = (one for one in self.body["proposals"] if one["component"] == component["id"] and one["id"] == key)
        row = next(own, None)
        if row is None or (row["hidden"] and self._platform.version >= "0.32"):
            if self._platform.version >= "0.32":
                raise fault("Proposal not found", "NOT_FOUND_ERROR")
            return None
        return {"answer": lambda _, **given: self._answer(component, row, given["input"]["attributes"])}

    def _answer(self, component: Row, row: Row, given: Row) -> Any:
        allowed = self._account is not None and self._account["admin"] and component["answering"]
        if not allowed or self._refusing:
            if self._platform.version >= "0.32":
                raise fault("You do not have permission to perform this mutation", "MUTATION_NOT_AUTHORIZED_ERROR")
            return None
        new = {
            "state": given.get("state", row["state"] or "not_answered"),
            "answer": given.get("answerContent", row["answer"]),
            "cost": given.get("cost", row["cost"]),
            "cost_report": given.get("costReport", row["cost_report"]),
            "execution_period": given.get("executionPeriod", row["execution_period"]),
        }
        if wrong := _wrong(component, new):
            raise GraphQLError("invalid", extensions={"code": "ATTRIBUTE_VALIDATION_ERROR", "_message": wrong})
        shown_before, before = row["state_published"], row["state"] if row["state_published"] else None
        row.update(new, answered_at=NOW, updated_at=NOW, state_published=shown_before or component["publishes"])
        self.body["answers"].append({"proposal": row["id"], **new})
        if row["state_published"] and new["state"] != before:
            to = [one["name"] for one in row["authors"]]
            self.body["mails"].append({"proposal": row["id"], "state": new["state"], "to": to})
        self._platform.write(self.body)
        return self._proposal_node(row)


def fault(message: str, code: str) -> GraphQLError:
    """An error as Decidim's API words it."""
    return GraphQLError(message, extensions={"code": code})


def texts(words: Row, machine: Row | None = None) -> Row | None:
    """A TranslatedField; nothing at all where nothing was ever written."""
    if not words and not machine:
        return None
    several = [{"locale": key, "text": text, "machineTranslated": False} for key, text in words.items()]
    several += [{"locale": key, "text": text, "machineTranslated": True} for key, text in (machine or {}).items()]
    return {
        "locales": [one["locale"] for one in several],
        "translation": lambda _, locale: words.get(locale),
        "translations": lambda _, locales=None: [one for one in several if not locales or one["locale"] in locales],
    }


def connection(rows: Sequence[Row], node: Callable[[Row], Any]) -> Callable[..., Row]:
    """A Relay connection whose cursors are offsets, base64 without padding, as everywhere in Decidim."""

    def page(_: Any, first: int = MOST, after: str = "", **__: Any) -> Row:
        begin = _offset(after)
        size = min(first, MOST)
        part = rows[begin : begin + size]
        nodes = [node(row) for row in part]
        end = begin + len(part)
        return {
            "nodes": nodes,
            "edges": [{"cursor": _cursor(begin + place), "node": one} for place, one in enumerate(nodes, 1)],
            "pageInfo": {
                "hasNextPage": end < len(rows), "hasPreviousPage": begin > 0,
                "startCursor": _cursor(begin + 1), "endCursor": _cursor(end),
            },
        }  # fmt: skip

    return page


def _cursor(number: int) -> str:
    return base64.urlsafe_b64encode(str(number).encode()).decode().rstrip("=")


def _offset(cursor: str | None) -> int:
    try:
        return int(base64.urlsafe_b64decode(f"{cursor or ''}==") or 0)
    except (ValueError, binascii.Error):
        return 0


def _wrong(component: Row, new: Row) -> list[Row]:
    """What the form for answers does not take."""
    found = [] if new["state"] in component["states"] else [_error("internalState", "is not included in the list")]
    if new["state"] == "rejected" and not any((new["answer"] or {}).values()):
        found.append(_error("answer", "cannot be blank"))
    if new["state"] == "accepted" and component["costs"]:
        blank = {"cost": new["cost"] is None}
        blank |= {name: not any((new[key] or {}).values()) for name, key in _COSTS.items()}
        found += [_error(name, "cannot be blank") for name, missing in blank.items() if missing]
    return found


_COSTS = {"costReport": "cost_report", "executionPeriod": "execution_period"}


def _error(name: str, message: str) -> Row:
    return {"path": ["attributes", name], "message": message}
