"""A small Example, real enough to be wrong: a server with its own memory and switches for what goes wrong on the way.

    GET  /spaces/{space}/things?after=N&size=N     POST /spaces/{space}/things/{number}/taken
    PUT  /spaces/{space}/messages/{key}            GET  /spaces/{space}/messages/{key}
    PUT  /_sandbox/things (a list)                 GET  /_sandbox/received

TODO: answer as the real system does, from recordings in testdata/; keep the faults, add those that you have met.
"""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from kiezbruecke.sandbox import AnswerLost, Faults

FAULTS = (
    "commit_then_lose",  # PUT: taken, the answer is lost
    "lose_before_commit",  # PUT: not taken, the answer is lost
    "truncated_answer",  # PUT: taken, half an answer that looks whole to HTTP
    "server_error",  # any call: 503, nothing is done
    "html_answer",  # the list: a log-in page with 200
    "truncated_list",  # the list: half a document
    "taken_lost",  # the acknowledgement has happened, its answer is lost
)


def create(state: Path, faults: Faults, options: dict[str, str]) -> Starlette:  # noqa: ARG001 - this one has none
    """The app, as `kiezbruecke.sandbox` wants it."""
    service = _Service(state / "example.json", faults)
    return Starlette(
        routes=[
            Route("/spaces/{space}/things", service.list_things),
            Route("/spaces/{space}/things/{number:int}/taken", service.take_note, methods=["POST"]),
            Route("/spaces/{space}/messages/{key}", service.put_message, methods=["PUT"]),
            Route("/spaces/{space}/messages/{key}", service.show_message),
            Route("/_sandbox/things", service.add_things, methods=["PUT"]),
            Route("/_sandbox/received", service.received),
        ]
    )


class _Service:
    """Keeps everything in one file, so that it survives a kill; one process, so no lock."""

    def __init__(self, file: Path, faults: Faults) -> None:
        self._file, self._faults = file, faults

    async def list_things(self, request: Request) -> Response:
        if self._faults.take("server_error"):
            return HTMLResponse("<h1>503</h1>", 503)
        if self._faults.take("html_answer"):
            return HTMLResponse("<form>Anmeldung</form>")
        after, size = (int(request.query_params.get(name, "0")) for name in ("after", "size"))
        things = [one for one in self._memory()["things"] if one["number"] > after]
        body = json.dumps({"things": things[:size], "more": len(things) > size}).encode()
        if self._faults.take("truncated_list"):
            body = body[: len(body) // 2]
        return Response(body, media_type="application/json")

    async def take_note(self, request: Request) -> Response:
        memory = self._memory()
        memory["taken"] = sorted({*memory["taken"], request.path_params["number"]})
        self._remember(memory)
        if self._faults.take("taken_lost"):
            raise AnswerLost
        return JSONResponse({})

    async def put_message(self, request: Request) -> Response:
        content = await request.body()
        if self._faults.take("server_error"):
            return HTMLResponse("<h1>503</h1>", 503)
        if self._faults.take("lose_before_commit"):
            raise AnswerLost
        memory, key = self._memory(), request.path_params["key"]
        digest = hashlib.sha256(content).hexdigest()
        known = memory["messages"].get(key)
        if known and known["sha256"] != digest:
            return JSONResponse({"code": "OTHER_CONTENT"}, 409)
        if known is None:
            known = memory["messages"][key] = {"id": f"E-{len(memory['messages']) + 1:06d}", "sha256": digest}
            self._remember(memory)
        if self._faults.take("commit_then_lose"):
            raise AnswerLost
        body = json.dumps(known).encode()
        if self._faults.take("truncated_answer"):
            body = body[: len(body) // 2]
        return Response(body, media_type="application/json")

    async def show_message(self, request: Request) -> Response:
        known = self._memory()["messages"].get(request.path_params["key"])
        return JSONResponse(known) if known else JSONResponse({"code": "UNKNOWN"}, 404)

    async def add_things(self, request: Request) -> Response:
        memory = self._memory()
        for one in await request.json():
            memory["things"].append({**one, "number": len(memory["things"]) + 1})
        self._remember(memory)
        return JSONResponse({})

    async def received(self, _: Request) -> Response:
        return JSONResponse(self._memory()["messages"])

    def _memory(self) -> dict[str, Any]:
        if not self._file.exists():
            text = resources.files(__package__).joinpath("testdata", "things.json").read_text("utf-8")
            return {"things": json.loads(text), "taken": [], "messages": {}}
        body: dict[str, Any] = json.loads(self._file.read_text("utf-8"))
        return body

    def _remember(self, memory: dict[str, Any]) -> None:
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps(memory), "utf-8")
        part.replace(self._file)
