"""A small CONSUL Democracy: real GraphQL over the excerpt of its schema, with its limits and its own state.

    POST /graphql         {"query", "variables"}: executed by graphql-core; at most 25 nodes a page, depth 8, two
                          collections in a query; investments are those of all budgets, as CONSUL's resolver gives them
    GET/PUT /_sandbox/state      rows by list and id: budgets, investments (hidden ones are not shown)
    GET /_sandbox/requests       names of the queries

Options: budgets (2: a second one, with investments of its own), extra (further investments).
Its answers follow the type definitions of consuldemocracy/consuldemocracy; it was not recorded from a running one.
"""

from __future__ import annotations

import base64
import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLScalarType,
    GraphQLSchema,
    build_ast_schema,
    execute_sync,
    parse,
    validate,
)
from graphql.language import DocumentNode, FieldNode, OperationDefinitionNode, SelectionSetNode
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from kiezbruecke.sandbox import AnswerLost, Faults

FAULTS = (
    "server_error",  # 503
    "html_answer",  # a page with 200
    "truncated_list",  # half a document
    "reset",  # the connection is cut
    "schema_changed",  # budgets are not known to this version
    "field_retyped",  # investments: prices with a currency
    "null_node",  # investments: the first one shows nothing
    "vanish_between_pages",  # behind the first page of investments the first one is hidden
    "appear_between_pages",  # behind the first page of investments one appears before all others
    "circle",  # investments: the next page is always the first
)
MOST, DEPTH, COLLECTIONS = 25, 8, 2
Row = dict[str, Any]


def create(state: Path, faults: Faults, options: dict[str, str]) -> Starlette:
    """The app, as `kiezbruecke.sandbox` wants it."""
    file = state / "consul.json"
    if not file.exists():
        _write(file, _beginning(int(options.get("budgets", "1")), int(options.get("extra", "0"))))
    service = _Service(file, faults)
    return Starlette(
        routes=[
            Route("/graphql", service.graphql, methods=["POST"]),
            Route("/_sandbox/state", service.state, methods=["GET", "PUT"]),
            Route("/_sandbox/requests", service.asked),
        ]
    )


@cache
def schema() -> GraphQLSchema:
    """The excerpt, with BigInt as CONSUL writes it: a text."""
    text = resources.files("connectors.consul").joinpath("testdata", "schema_excerpt.graphql").read_text("utf-8")
    built = build_ast_schema(parse(text))
    number = built.type_map["BigInt"]
    assert isinstance(number, GraphQLScalarType)
    number.serialize = str  # type: ignore[assignment]
    return built


def beyond_limits(document: DocumentNode) -> str:
    """Which of CONSUL's limits a query breaks; empty where none."""
    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode):
            depth, collections = _measured(operation.selection_set)
            if depth > DEPTH:
                return f"Query has depth of {depth}, which exceeds max depth of {DEPTH}"
            if collections > COLLECTIONS:
                return f"Query requests {collections} collections, which exceeds the maximum of {COLLECTIONS}"
    return ""


def _measured(selection: SelectionSetNode | None) -> tuple[int, int]:
    """Depth, and how many fields are connections."""
    fields = [one for one in (selection.selections if selection else ()) if isinstance(one, FieldNode)]
    below = [_measured(one.selection_set) for one in fields]
    own = sum(_is_collection(one) for one in fields)
    return max((1 + depth for depth, _ in below), default=0), own + sum(count for _, count in below)


def _is_collection(field: FieldNode) -> bool:
    below = field.selection_set.selections if field.selection_set else ()
    return any(isinstance(one, FieldNode) and one.name.value in ("nodes", "edges") for one in below)


class _Service:
    """Keeps everything in one file, so that it survives a kill; one process, so no lock."""

    def __init__(self, file: Path, faults: Faults) -> None:
        self._file, self._faults = file, faults
        self._requests: list[str] = []

    async def graphql(self, request: Request) -> Response:
        given = await request.json()
        query, variables = str(given.get("query", "")), given.get("variables") or {}
        self._requests.append("investments" if "investments" in query else "budgets")
        if broken := self._broken():
            return broken
        content = json.dumps(self._execute(query, variables), ensure_ascii=False).encode()
        if "investments" in query and not variables.get("after"):
            self._move()
        if self._faults.take("truncated_list"):
            content = content[: len(content) // 2]
        return Response(content, media_type="application/json; charset=utf-8")

    def _execute(self, query: str, variables: Row) -> Row:
        try:
            document = parse(query)
        except GraphQLError as error:
            return {"errors": [error.formatted]}
        if limit := beyond_limits(document):
            return {"errors": [{"message": limit}]}
        if self._faults.take("schema_changed"):
            message = "Field 'budgets' doesn't exist on type 'Query'"
            return {"errors": [{"message": message, "extensions": {"code": "undefinedField"}}]}
        if wrong := validate(schema(), document):
            return {"errors": [{**one.formatted, "extensions": {"code": "undefinedField"}} for one in wrong]}
        result = execute_sync(schema(), document, self._root(), variable_values=variables)
        assert isinstance(result, ExecutionResult)
        errors = {"errors": [error.formatted for error in result.errors]} if result.errors else {}
        return {**errors, "data": result.data}

    def _root(self) -> Row:
        body = json.loads(self._file.read_text("utf-8"))
        budgets = [self._as_budget(one, body) for one in body["budgets"]]
        return {
            "budgets": lambda _, **given: self._connection(budgets, **given),
            "budget": lambda _, **given: _found(budgets, given["id"]),
        }

    def _as_budget(self, budget: Row, body: Row) -> Row:
        """The investments are those of all budgets: CONSUL's resolver forgets whose they are."""
        shown = [self._as_investment(one) for one in body["investments"] if not one.get("hidden")]
        return {**budget, "investments": lambda _, **given: self._investments(shown, **given)}

    def _as_investment(self, one: Row) -> Row:
        author = {"id": "1", "username": one["author"]} if one["author"] else None
        return {**one, "public_author": author, "milestones": {"nodes": [], "pageInfo": {"hasNextPage": False}}}

    def _investments(self, rows: list[Row], **given: Any) -> Row:
        nodes: list[Row | None] = list(rows)
        if self._faults.take("null_node"):
            nodes[0] = None
        if self._faults.take("field_retyped"):
            nodes = [{**one, "price": f"{one['price']} EUR"} if one else one for one in nodes]
        found = self._connection(nodes, **given)
        if self._faults.take("circle"):
            found["pageInfo"] |= {"hasNextPage": True, "endCursor": _cursor(1)}
        return found

    def _connection(self, rows: list[Any], first: int | None = None, after: str | None = None, **_: Any) -> Row:
        start = int(base64.b64decode(after).decode()) if after else 0
        some = rows[start : start + min(first or MOST, MOST)]
        end = start + len(some)
        about = {"hasNextPage": end < len(rows), "hasPreviousPage": start > 0, "endCursor": _cursor(end)}
        return {"nodes": some, "pageInfo": {**about, "startCursor": _cursor(start + 1)}}

    def _move(self) -> None:
        body = json.loads(self._file.read_text("utf-8"))
        if self._faults.take("vanish_between_pages"):
            body["investments"][0]["hidden"] = True
            _write(self._file, body)
        if self._faults.take("appear_between_pages"):
            body["investments"].insert(0, _investment(9000, "Neu"))
            _write(self._file, body)

    def _broken(self) -> Response | None:
        if self._faults.take("reset"):
            raise AnswerLost
        if self._faults.take("server_error"):
            return HTMLResponse("<h1>503</h1>", 503)
        if self._faults.take("html_answer"):
            return HTMLResponse("<form>Anmeldung</form>")
        return None

    async def state(self, request: Request) -> Response:
        body = json.loads(self._file.read_text("utf-8"))
        if request.method == "PUT":
            for name, rows in (await request.json()).items():
                known = {one["id"]: one for one in body[name]}
                body[name] = list((known | {one["id"]: {**known.get(one["id"], {}), **one} for one in rows}).values())
            _write(self._file, body)
        return JSONResponse(body)

    async def asked(self, _: Request) -> Response:
        return JSONResponse(self._requests)


def _found(budgets: list[Row], wanted: str) -> Row:
    found = next((one for one in budgets if one["id"] == wanted), None)
    if found is None:
        raise GraphQLError("Couldn't find Budget")
    return found


def _cursor(place: int) -> str:
    return base64.b64encode(str(place).encode()).decode()


def _investment(number: int, title: str, **more: Any) -> Row:
    text = f"<p>{title} für alle.</p><p>Mit <b>Musik</b>.</p>"
    named = {"title": title, "description": text, "location": "Müggelheim, Dorfplatz", "price": 850}
    return {"id": str(number), **named, "feasibility": "feasible", "comments_count": 2, "author": "anna", **more}


def _beginning(budgets: int, extra: int) -> Row:
    first = [
        _investment(101, "Sommerfest"),
        _investment(102, "Bank am See", price=None, feasibility="undecided", location="Grünau"),
        _investment(103, "Hubschrauberlandeplatz", price=0, feasibility="unfeasible", author=None, location=None),
    ]
    more = [_investment(200 + place, f"Vorschlag {place}") for place in range(1, extra + 1)]
    second = [_investment(301, "Aus dem anderen Haushalt")] if budgets > 1 else []
    named = [{"id": "1", "name": "Kiezkasse 2026", "phase": "balloting"}, {"id": "2", "name": "Bürgerhaushalt 2027",
                                                                          "phase": "accepting"}]  # fmt: skip
    return {"budgets": named[:budgets], "investments": [*first, *more, *second]}


def _write(file: Path, body: Row) -> None:
    part = file.with_suffix(".part")
    part.write_text(json.dumps(body, ensure_ascii=False), "utf-8")
    part.replace(file)
