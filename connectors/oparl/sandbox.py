"""A small council information system that speaks OParl 1.1, or 1.0 with its older ways.

    GET /                 system             GET /bodies, /body/{id}
    GET /body/{id}/paper  the list, with modified_since, limit and page
    GET /paper|consultation|agendaitem|meeting/{n}

    GET/PUT /_sandbox/objects  what it holds, by kind; what is put takes the place of what has the same id
    GET /_sandbox/requests     what was asked, with its query

Answers like the recordings in testdata/ (derived from the specification, see the README). Its state is one file.
Options: version (1.0, 1.1), page (so many entries at most), bodies (2: a second, empty body).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from kiezbruecke.sandbox import AnswerLost, Faults

FAULTS = (
    "server_error",  # the list: 503
    "html_answer",  # the list: a page with 200
    "truncated_list",  # the list: half a document
    "deep_list",  # the list: brackets without end
    "huge_list",  # the list: more than anybody reads
    "reset",  # the list: the connection is cut
    "next_elsewhere",  # the list: its next page is on another server
    "next_circle",  # the list: its next page is itself
    "next_for_ever",  # the list: there is always one more page, for a while
    "not_papers",  # the list: entries of another type
    "odd_entry",  # the list: one entry more, without an id
    "odd_field",  # the list: a reference that is a number
    "meeting_error",  # a meeting: 500
    "meeting_hidden",  # a meeting: 404
    "meeting_lost",  # a meeting: the connection is cut
    "meeting_elsewhere",  # the list: meetings and points on another server
    "slash_redirect",  # the system: 301 to the address with a slash
)
RECORDED = "https://oparl.example.org"
Row = dict[str, Any]


def create(state: Path, faults: Faults, options: dict[str, str]) -> Starlette:
    """The app, as `kiezbruecke.sandbox` wants it."""
    council = _Council(state / "oparl.json", faults, options)
    return Starlette(
        routes=[
            Route("/_sandbox/objects", council.control, methods=["GET", "PUT"]),
            Route("/_sandbox/requests", council.asked),
            Route("/", council.system),
            Route("/ris", council.system),
            Route("/ris/", council.system),
            Route("/bodies", council.bodies),
            Route("/body/{id}", council.show),
            Route("/body/{id}/paper", council.papers),
            Route("/{kind}/{id}", council.show),
        ]
    )


class _Council:
    """Keeps everything in one file, so that it survives a kill; one process, so no lock."""

    def __init__(self, file: Path, faults: Faults, options: dict[str, str]) -> None:
        self._file, self._faults = file, faults
        self._old = options.get("version", "1.1") == "1.0"
        self._page = int(options.get("page", "100"))
        self._bodies = int(options.get("bodies", "1"))
        self._requests: list[str] = []

    async def system(self, request: Request) -> Response:
        self._note(request)
        if not request.url.path.endswith("/") and self._faults.take("slash_redirect"):
            return Response(status_code=301, headers={"Location": f"{request.url.path}/"})
        return self._answer(request, self._read()["system"])

    async def bodies(self, request: Request) -> Response:
        self._note(request)
        return self._answer(request, {"data": self._read()["body"], "pagination": {}, "links": {}})

    async def papers(self, request: Request) -> Response:
        self._note(request)
        if broken := self._broken():
            return broken
        since = request.query_params.get("modified_since")
        try:
            moment = datetime.fromisoformat(since) if since else None
        except ValueError:
            return JSONResponse({"type": "https://schema.oparl.org/1.1/Error"}, 400)
        body = f"{RECORDED}/body/{request.path_params['id']}"
        found = [one for one in self._read()["paper"] if one.get("body", body) == body and _is_new(one, moment)]
        return self._list(request, found)

    def _list(self, request: Request, found: list[Row]) -> Response:
        limit = min(int(request.query_params.get("limit", "100")), self._page)
        number = int(request.query_params.get("page", "1"))
        entries = self._bent(found[(number - 1) * limit : number * limit])
        total = max(1, -(-len(found) // limit))
        counted = {"totalElements": len(found), "elementsPerPage": limit, "currentPage": number, "totalPages": total}
        body = {"data": entries, "pagination": counted, "links": self._links(request, number, total)}
        return self._answer(request, body, bent=True)

    def _links(self, request: Request, number: int, total: int) -> Row:
        here = f"{RECORDED}{request.url.path}"
        query = {name: value for name, value in request.query_params.items() if name != "page"}

        def of(page: int) -> str:
            return f"{here}?{urlencode({**query, 'page': str(page)})}"

        links = {"self": of(number), "first": of(1), "last": of(total)}
        if self._faults.take("next_elsewhere"):
            return {**links, "next": "http://anderswo.example/body/tk/paper?page=2"}
        if self._faults.take("next_circle"):
            return {**links, "next": f"{here}?{request.url.query}"}
        more = self._faults.take("next_for_ever")
        return {**links, "next": of(number + 1)} if more or number < total else links

    def _bent(self, entries: list[Row]) -> list[Row]:
        if self._faults.take("not_papers"):
            return [{**one, "type": "https://schema.oparl.org/1.1/File"} for one in entries]
        if self._faults.take("odd_entry"):
            entries = [*entries, {"type": "https://schema.oparl.org/1.1/Paper", "name": "ohne Adresse"}]
        if self._faults.take("odd_field"):
            entries = [{**one, "reference": 815} if "reference" in one else one for one in entries]
        if self._faults.take("meeting_elsewhere"):
            text = json.dumps(entries)
            for kind in ("meeting", "agendaitem"):
                text = text.replace(f"{RECORDED}/{kind}/", f"https://anderswo.example/{kind}/")
            entries = json.loads(text)
        return entries

    async def show(self, request: Request) -> Response:
        self._note(request)
        kind, number = request.path_params.get("kind", "body"), request.path_params["id"]
        if kind == "meeting":
            if self._faults.take("meeting_error"):
                return HTMLResponse("<h1>500</h1>", 500)
            if self._faults.take("meeting_hidden"):
                return HTMLResponse("<h1>404</h1>", 404)
            if self._faults.take("meeting_lost"):
                raise AnswerLost
        found = next((one for one in self._all(kind) if one["id"] == f"{RECORDED}/{kind}/{number}"), None)
        return self._answer(request, found) if found else HTMLResponse("<h1>404</h1>", 404)

    async def control(self, request: Request) -> Response:
        body = self._read()
        if request.method == "PUT":
            for kind, rows in (await request.json()).items():
                known = {one["id"]: one for one in body[kind]}
                body[kind] = list((known | {one["id"]: one for one in rows}).values())
            self._write(body)
        return JSONResponse(body)

    async def asked(self, _: Request) -> Response:
        return JSONResponse(self._requests)

    def _all(self, kind: str) -> Iterator[Row]:
        """Every object of a kind; consultations stand in their papers, points of an agenda in their meetings."""
        body = self._read()
        inside = {"consultation": ("paper", "consultation"), "agendaitem": ("meeting", "agendaItem")}
        if kind in inside:
            outer, name = inside[kind]
            for one in body[outer]:
                yield from one.get(name, [])
        elif kind in ("body", "paper", "meeting"):
            yield from body[kind]

    def _answer(self, request: Request, body: Row, *, bent: bool = False) -> Response:
        """The body with this server's addresses."""
        text = json.dumps(self._as_old(body) if self._old else body, ensure_ascii=False)
        content = text.replace(RECORDED, f"{request.url.scheme}://{request.url.netloc}").encode()
        if bent and self._faults.take("truncated_list"):
            content = content[: len(content) // 2]
        return Response(content, media_type="application/json; charset=utf-8")

    def _as_old(self, body: Row) -> Row:
        """As version 1.0 has it: points and meetings embedded, without the time of their last change."""
        points = {one["id"]: _undated(one) for one in self._all("agendaitem")}
        meetings = {one["id"]: _undated({**one, "agendaItem": []}) for one in self._all("meeting")}
        whole = json.loads(json.dumps(body).replace("schema.oparl.org/1.1/", "schema.oparl.org/1.0/"))
        papers = whole["data"] if isinstance(whole.get("data"), list) else [whole]
        for paper in papers:
            for one in paper.get("consultation", []) if isinstance(paper.get("consultation"), list) else []:
                one["agendaItem"] = points.get(one["agendaItem"], one["agendaItem"])
                one["meeting"] = meetings.get(one["meeting"], one["meeting"])
                one.pop("modified", None)
        return dict(whole)

    def _broken(self) -> Response | None:
        if self._faults.take("reset"):
            raise AnswerLost
        if self._faults.take("server_error"):
            return HTMLResponse("<h1>503</h1>", 503)
        if self._faults.take("html_answer"):
            return HTMLResponse("<form>Anmeldung</form>")
        if self._faults.take("deep_list"):
            return Response(b"[" * 200_000, media_type="application/json")
        if self._faults.take("huge_list"):
            return Response(b'{"data": [' + b" " * 20_000_000 + b"]}", media_type="application/json")
        return None

    def _note(self, request: Request) -> None:
        self._requests.append(request.url.path + (f"?{request.url.query}" if request.url.query else ""))

    def _read(self) -> Row:
        if self._file.exists():
            found: Row = json.loads(self._file.read_text("utf-8"))
            return found
        body: Row = json.loads(resources.files("connectors.oparl").joinpath("testdata/council.json").read_text("utf-8"))
        if self._bodies > 1:
            other = {"id": f"{RECORDED}/body/se", "name": "Bezirk Seehausen (Testdaten)", "shortName": "SE"}
            body["body"].append({**body["body"][0], **other, "paper": f"{RECORDED}/body/se/paper"})
        return body

    def _write(self, body: Row) -> None:
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps(body, ensure_ascii=False), "utf-8")
        part.replace(self._file)


def _is_new(paper: Row, moment: datetime | None) -> bool:
    """Deleted papers stand in the list only where it is asked for changes."""
    if moment is None:
        return paper.get("deleted") is not True
    return "modified" not in paper or datetime.fromisoformat(paper["modified"]) >= moment


def _undated(one: Row) -> Row:
    return {name: value for name, value in one.items() if name not in ("created", "modified")}
