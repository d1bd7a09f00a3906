"""A small Decidim: real GraphQL over the excerpt of its schema, with accounts, tokens, limits, mails and its own state.

    POST /api             {"query", "variables"}: executed by graphql-core against the schema of the chosen version
    POST /api/sign_in     form api_user[key], api_user[secret] ─▶ 200, the token in the header Authorization
    DELETE /api/sign_out
    GET  /_sandbox/state | /_sandbox/requests      PUT /_sandbox/state: rows to change, by list and id

Options: `version` 0.30, 0.31, 0.32 (default 0.31) · `extra` further proposals, not answered · `rate` calls a minute.
Its answers follow the type definitions and documentation of decidim/decidim; it was not recorded from a running one.
"""

from __future__ import annotations

import json
import time
from collections import deque
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from graphql import ExecutionResult, GraphQLError, execute_sync, parse, validate
from graphql.language import FieldNode, visit
from graphql.language.visitor import Visitor
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from connectors.decidim._platform import Platform, Seen
from connectors.decidim._recorded import NEW, Row, recorded_state
from connectors.decidim._schema import schema_of
from kiezbruecke.sandbox import AnswerLost, Faults

FAULTS = (
    "commit_then_lose",  # the mutation has happened, its answer is lost
    "lose_before_commit",  # the mutation has not happened, its answer is lost
    "truncated_answer",  # the mutation has happened, half an answer that looks whole to HTTP
    "answer_ignored",  # the mutation is answered as if it were not allowed
    "server_error",  # any query: 503, nothing is done
    "html_answer",  # any query: a page with 200
    "truncated_list",  # any query: half a document
    "reset",  # any query: the connection is cut
    "too_many",  # any call: 429, one second of distance asked for
    "far_too_many",  # any call: 429, an hour of distance asked for
    "token_expired",  # all tokens are no good any more; such a caller is nobody
    "token_refused",  # all tokens are no good any more, and the call is answered 401
    "vanish_between_pages",  # behind the first page of a list its first proposal is unpublished
    "appear_between_pages",  # behind the first page of a list a proposal appears before all others
    "schema_changed",  # proposals have another field for their state
    "no_introspection",  # the schema is shown to nobody
    "moderated_meanwhile",  # right before the mutation somebody else changes the answer
)
MINUTE = 60.0


def create(state: Path, faults: Faults, options: dict[str, str]) -> Starlette:
    """The app, as `kiezbruecke.sandbox` wants it."""
    version = options.get("version", "0.31")
    file = state / "decidim.json"
    platform = Platform(file, version)
    if not file.exists():
        platform.write(recorded_state(int(options.get("extra", "0"))))
    service = _Service(platform, faults, int(options.get("rate", "0")))
    return Starlette(
        routes=[
            Route("/api", service.graphql, methods=["POST"]),
            Route("/api/sign_in", service.sign_in, methods=["POST"]),
            Route("/api/sign_out", service.sign_out, methods=["DELETE"]),
            Route("/_sandbox/state", service.state, methods=["GET", "PUT"]),
            Route("/_sandbox/requests", service.asked),
        ]
    )


class _Service:
    def __init__(self, platform: Platform, faults: Faults, rate: int) -> None:
        self._platform, self._faults, self._rate = platform, faults, rate
        self._recent: deque[float] = deque()
        self._requests: list[str] = []

    async def graphql(self, request: Request) -> Response:
        given = await request.json()
        query, variables = str(given.get("query", "")), given.get("variables") or {}
        names = _fields(query)
        self._requests.append(_operation(query))
        if early := self._refused_early():
            return early
        account, expired = self._account(request)
        if expired:
            return JSONResponse({"error": "Signature has expired"}, 401)
        mutation = "answer" in names and query.lstrip().find("mutation") >= 0 and "input" in variables
        if mutation and self._faults.take("lose_before_commit"):
            raise AnswerLost
        if mutation and self._faults.take("moderated_meanwhile"):
            self._change({"proposals": [{"id": variables["proposal"], "answer": {"de": "<p>Von Hand.</p>"}}]})
        refusing = mutation and self._faults.take("answer_ignored")
        body = self._execute(query, variables, names, account, refusing=refusing)
        self._move_between_pages(names, variables)
        if mutation and self._faults.take("commit_then_lose"):
            raise AnswerLost
        content = json.dumps(body, ensure_ascii=False).encode()
        if (mutation and self._faults.take("truncated_answer")) or self._faults.take("truncated_list"):
            content = content[: len(content) // 2]
        return Response(content, media_type="application/json; charset=utf-8")

    async def sign_in(self, request: Request) -> Response:
        self._requests.append("sign_in")
        if self._platform.version < "0.31":
            return HTMLResponse("<h1>404</h1>", 404)
        if early := self._limited():
            return early
        form = {key: values[0] for key, values in parse_qs((await request.body()).decode()).items()}
        pair = (form.get("api_user[key]"), form.get("api_user[secret]"))
        body = self._platform.read()
        account = next((one for one in body["accounts"] if (one["key"], one["secret"]) == pair), None)
        if account is None:
            return JSONResponse({"error": "Invalid key or secret."}, 401)
        token = f"t{len(body['tokens']) + 1}"
        body["tokens"][token] = account["id"]
        self._platform.write(body)
        return JSONResponse({"jwt_token": token}, headers={"Authorization": f"Bearer {token}"})

    async def sign_out(self, request: Request) -> Response:
        body = self._platform.read()
        body["tokens"].pop(_token(request), None)
        self._platform.write(body)
        return Response(status_code=204)

    async def state(self, request: Request) -> Response:
        if request.method == "PUT":
            self._change(await request.json())
        return JSONResponse(self._platform.read())

    async def asked(self, _: Request) -> Response:
        return JSONResponse(self._requests)

    def _execute(self, query: str, variables: Row, names: set[str], account: Row | None, *, refusing: bool) -> Row:
        if {"__schema", "__type"} & names and self._shows_no_schema(account):
            return {"errors": [_formatted(GraphQLError("Introspection is off", extensions=_code(_NO_SCHEMA)))]}
        schema = schema_of(self._platform.version)
        try:
            document = parse(query)
        except GraphQLError as error:
            return {"errors": [_formatted(error)]}
        wrong = validate(schema, document)
        if "state" in names and self._faults.take("schema_changed"):
            wrong = [GraphQLError("Field 'state' doesn't exist on type 'Proposal'", extensions=_code("undefinedField"))]
        if wrong:
            return {"errors": [_formatted(error) for error in wrong]}
        view = Seen(self._platform, account, refusing=refusing)
        result = execute_sync(schema, document, view.root(), variable_values=variables)
        assert isinstance(result, ExecutionResult)
        errors = {"errors": [_formatted(error) for error in result.errors]} if result.errors else {}
        return {**errors, "data": result.data}

    def _shows_no_schema(self, account: Row | None) -> bool:
        return self._faults.take("no_introspection") or (self._platform.version >= "0.32" and account is None)

    def _refused_early(self) -> Response | None:
        if self._faults.take("reset"):
            raise AnswerLost
        if self._faults.take("server_error"):
            return HTMLResponse("<h1>503</h1>", 503)
        if self._faults.take("html_answer"):
            return HTMLResponse("<form>Anmeldung</form>")
        return self._limited()

    def _limited(self) -> Response | None:
        for name, seconds in (("too_many", "1"), ("far_too_many", "3600")):
            if self._faults.take(name):
                return PlainTextResponse("Retry later\n", 429, headers={"Retry-After": seconds})
        now = time.monotonic()
        while self._recent and now - self._recent[0] > MINUTE:
            self._recent.popleft()
        if self._rate and len(self._recent) >= self._rate:
            wait = int(MINUTE - (now - self._recent[0])) + 1
            return PlainTextResponse("Retry later\n", 429, headers={"Retry-After": str(wait)})
        self._recent.append(now)
        return None

    def _account(self, request: Request) -> tuple[Row | None, bool]:
        """Who calls, nobody where the token says nothing; and whether the call is refused for it."""
        body = self._platform.read()
        refused = self._faults.take("token_refused")
        if refused or self._faults.take("token_expired"):
            body["tokens"].clear()
            self._platform.write(body)
        key = body["tokens"].get(_token(request))
        return next((one for one in body["accounts"] if one["id"] == key), None), refused

    def _move_between_pages(self, names: set[str], variables: Row) -> None:
        if "proposals" not in names or variables.get("after"):
            return
        body = self._platform.read()
        own = [one for one in body["proposals"] if one["component"] == variables["component"] and one["published"]]
        if self._faults.take("vanish_between_pages"):
            min(own, key=lambda one: int(one["id"]))["published"] = False
            self._platform.write(body)
        if self._faults.take("appear_between_pages"):
            self._change({"proposals": [{**NEW, "id": "1", "reference": "TK-PROP-2026-01-1", "title": {"de": "Neu"},
                                         "body": {"de": "neu"}, "component": variables["component"]}]})  # fmt: skip

    def _change(self, rows: Row) -> None:
        """Rows by list and id: what is new is added, what is there takes the fields that are given."""
        body = self._platform.read()
        for name, several in rows.items():
            for row in several:
                known = next((one for one in body[name] if one.get("id") == row["id"]), None)
                if known is None:
                    body[name].append({**(NEW if name == "proposals" else {}), **row})
                else:
                    known.update(row)
        self._platform.write(body)


_NO_SCHEMA = "INTROSPECTION_DISABLED_ERROR"


class _Names(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        self.found.add(node.name.value)


def _fields(query: str) -> set[str]:
    names = _Names()
    try:
        visit(parse(query), names)
    except GraphQLError:
        return set()
    return names.found


def _operation(query: str) -> str:
    lines = [line.split() for line in query.splitlines() if line.split()[:1] in (["query"], ["mutation"])]
    return lines[0][1].partition("(")[0] if lines and len(lines[0]) > 1 else "?"


def _code(code: str) -> Row:
    return {"code": code}


def _formatted(error: GraphQLError) -> Row:
    """As Decidim words it: attribute errors have a list for a message, the library's own a code of its own."""
    body: Row = dict(error.formatted)
    extensions = dict(body.get("extensions") or {})
    if "_message" in extensions:
        body["message"] = extensions.pop("_message")
    if body["message"].__class__ is str and body["message"].startswith(("Cannot query field", "Unknown type")):
        extensions["code"] = "undefinedField" if "field" in body["message"] else "undefinedType"
    return {**body, "extensions": extensions}


def _token(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")
