"""A small mein.berlin: answers like the recordings, from its own state, and can be told to go wrong.

    python -m kiezbruecke.sandbox connectors.meinberlin.sandbox:create --state DIR [--option …]

The state is DIR/platform.json (users, projects, modules, proposals). It may be changed there, or over
`GET/PUT /_sandbox/proposals` (one proposal or a list; the `pk` of a known one changes only the given fields)
and `DELETE /_sandbox/proposals/{pk}`; `GET /_sandbox/requests` names every request that came, `GET /_sandbox/mails`
every mail that citizens got, `GET /_sandbox/notifications` what their page shows them. Options: `data` is the file it
starts from, without it the sandbox starts as it was recorded; `next_host` puts another host into the lists' `next`
addresses, as a proxy in front of the real platform may do.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import secrets
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.meinberlin import _moderation as moderation
from connectors.meinberlin import _pages as pages
from connectors.meinberlin._platform import APPS, NEW, Platform, Row, page, path_of, select
from connectors.meinberlin._recorded import recorded_state
from kiezbruecke.sandbox import AnswerLost, Faults

FAULTS = (
    "truncated_body",  # half a JSON document, whole to HTTP
    "html_instead_of_json",  # the log-in page with 200
    "wrong_content_type",  # JSON called text/plain
    "server_error",  # 503 with a maintenance page
    "too_many_requests",  # 429
    "reset",  # the connection is cut before the answer
    "slow_drip",  # one byte every 50 ms
    "page_shift",  # the first proposal is deleted between two pages
    "page_growth",  # an older proposal appears between two pages
    "count_wrong",  # count says one more than there is
    "empty_page",  # a page without results that says there are more
    "field_renamed",  # moderator_status is called status
    "field_retyped",  # comment_count is a text
    "budget_badge_missing",  # no badge 'budget'
    "wrong_credentials",  # the account is refused although it is right
    "foreign_redirect",  # 302 to another host
    "export_broken",  # half a workbook
    "export_html",  # the log-in page with 200 instead of the workbook
    "export_server_error",  # 503
    "export_column_missing",  # the column Kontakt E-Mail has another name
    "export_short",  # only the first half of the rows
    "export_of_another_module",  # the rows of another module
    "login_locked",  # too many failed log-ins
    "login_down",  # 503 at the log-in
    "login_back",  # 302, but to the log-in
    "page_capped",  # a proxy allows no page larger than 25
    "detail_error",  # 500 instead of a proposal's page
    "detail_silent",  # no answer instead of a proposal's page
    "detail_of_another",  # the page of another proposal
    "detail_cut",  # half a page, whole to HTTP
    "detail_changed",  # the pages look different since last night
    "moderate_down",  # 503 instead of the moderation form
    "moderate_unknown_field",  # the form has a field more than before
    "moderate_not_allowed",  # 403 instead of the form
    "moderator_in_between",  # a colleague saves the form between our GET and our POST
    "moderate_session_gone",  # the session ends before the POST
    "moderate_token_old",  # the token of the form does not hold any more
    "moderate_server_error",  # 500 at the POST, rolled back
    "moderate_lost",  # the POST is carried out, its answer is lost
    "moderate_not_taken",  # the POST gets lost and nobody answers
    "moderate_elsewhere",  # the POST is carried out, and leads to another page
)
SMALL = 25
LARGEST_FORM = 2_621_440  # bytes, as Django takes them
LOCK_AFTER, LOCK_SECONDS = 5, 300
FORBIDDEN = "Sie sind nicht berechtigt diese Aktion durchzuführen."
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def create(state: Path, faults: Faults, options: dict[str, str]) -> Starlette:
    """The app, as kiezbruecke.sandbox wants it."""
    file = state / "platform.json"
    platform = Platform(file)
    if not file.exists():
        data = options.get("data")
        platform.save(json.loads(Path(data).read_text("utf-8")) if data else recorded_state())
    site = _Site(platform, faults, options)
    app = Starlette(routes=site.routes())
    app.add_middleware(_Written, requests=site.requests)
    return app


class _Written:
    """Writes down every request to the platform, not those to its sandbox."""

    def __init__(self, app: ASGIApp, requests: list[str]) -> None:
        self.app, self.requests = app, requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith("/_sandbox/"):
            self.requests.append(f"{scope['method']} {scope['path']}")
        await self.app(scope, receive, send)


class _Site:
    def __init__(self, platform: Platform, faults: Faults, options: dict[str, str]) -> None:
        self.platform = platform
        self.faults = faults
        self.next_host = options.get("next_host", "")
        self.sessions: dict[str, Row] = {}
        self.failures: defaultdict[str, list[float]] = defaultdict(list)  # per account, whoever it was
        self.requests: list[str] = []
        self.saving: set[int] = set()  # proposals whose form is being saved for the first time

    def routes(self) -> list[Route]:
        lists = "/api/modules/{module:int}/{endpoint:str}/"
        form = "/{kind:str}/{year:int}-{pk:int}/moderate/"
        export = "/dashboard/modules/{slug:str}/export/{kind:str}/ideas/"
        return [
            Route(lists, self.list_proposals, methods=["GET", "OPTIONS", "POST"]),
            Route("/api/projects/", self.list_projects),
            Route("/api/projects/{project:int}/", self.show_project),
            Route("/projekte/module/{slug:str}/", self.show_module),
            Route("/{kind:str}/{year:int}-{pk:int}/", self.show_proposal),
            Route(form, self.show_form, methods=["GET"]),
            Route(form, self.save_form, methods=["POST"]),
            Route("/accounts/login/", self.show_login, methods=["GET"]),
            Route("/accounts/login/", self.log_in, methods=["POST"]),
            Route(export, self.export),
            Route("/_sandbox/proposals", self.control, methods=["GET", "PUT"]),
            Route("/_sandbox/proposals/{pk:int}", self.remove, methods=["DELETE"]),
            Route("/_sandbox/requests", self.asked),
            Route("/_sandbox/mails", self.mailed),
            Route("/_sandbox/notifications", self.notified),
            Route("/{rest:path}", lambda _: HTMLResponse(pages.error_page(), 404)),
        ]

    # The API

    async def list_proposals(self, request: Request) -> Response:
        if broken := self._broken_call(request):
            return broken
        kind = next((key for key, name in APPS.items() if name == request.path_params["endpoint"]), None)
        if kind is None:
            return HTMLResponse(pages.error_page(), 404)
        user, refusal = self._api_user(request)
        if refusal:
            return refusal
        module = self.platform.module(request.path_params["module"])
        if module is None:
            return _detail("No Module matches the given query.", 404)
        return self._list(request, module, kind, user)

    def _list(self, request: Request, module: Row, kind: str, user: Row | None) -> Response:
        if not _may_see(module, user) or (request.method == "POST" and user is None):
            return _detail(FORBIDDEN, 403)
        if request.method == "POST":
            return _detail('Methode "POST" nicht erlaubt.', 405)
        if request.method == "OPTIONS":
            return JSONResponse(_OPTIONS)
        return self._page(request, module, kind, moderates=_moderates(user))

    def _page(self, request: Request, module: Row, kind: str, *, moderates: bool) -> Response:
        query = dict(request.query_params)
        if query.get("page", "1") != "1":
            self._move_under_the_reader(module)
        rows = self.platform.proposals(module["id"]) if kind == module["type"] else []
        chosen = select(rows, module, query, moderates=moderates)
        host = self.next_host or f"{request.url.scheme}://{request.url.netloc}"
        if int(query.get("page_size", "0")) > SMALL and self.faults.take("page_capped"):
            query["page_size"] = str(SMALL)
        body = page(chosen, module, kind, query, host + request.url.path, moderates=moderates)
        if body is None:
            return _detail("Ungültige Seite.", 404)
        if not _wants_json(request):
            return HTMLResponse(pages.whole("Proposal List – Django REST framework", "<pre></pre>"))
        return self._answer(self._bent(body))

    def _move_under_the_reader(self, module: Row) -> None:
        order = {"ordering": "created", "is_archived": ""}
        rows = select(self.platform.proposals(module["id"]), module, order, moderates=False)
        if rows and self.faults.take("page_shift"):
            self.platform.delete(rows[0]["pk"])
        if rows and self.faults.take("page_growth"):
            older = {key: value for key, value in rows[0].items() if key != "pk"}
            self.platform.put({**older, "created": "2020" + rows[0]["created"][4:]})

    def _bent(self, body: Row) -> Row:
        """The body with the faults of a platform that was changed overnight."""
        if self.faults.take("count_wrong"):
            body["count"] += 1
        if self.faults.take("empty_page"):
            body |= {"results": [], "next": "http://127.0.0.1/?page=2"}
        for fault, change in _OTHER_API.items():
            if body["results"] and self.faults.take(fault):
                for item in body["results"]:
                    change(item)
        return body

    def _answer(self, body: Row) -> Response:
        content = json.dumps(body, ensure_ascii=False).encode()
        if self.faults.take("truncated_body"):
            content = content[: len(content) // 2]
        if self.faults.take("slow_drip"):
            return StreamingResponse(_drip(content), media_type="application/json")
        kind = "text/plain" if self.faults.take("wrong_content_type") else "application/json"
        headers = {"Allow": "GET, HEAD, OPTIONS", "Vary": "Accept, Cookie", "X-Frame-Options": "DENY"}
        return Response(content, media_type=kind, headers=headers)

    def _broken_call(self, request: Request) -> Response | None:
        if self.faults.take("reset"):
            raise AnswerLost
        if self.faults.take("server_error"):
            return HTMLResponse(pages.whole("Wartung", "<h1>503</h1>"), 503, {"Retry-After": "120"})
        if self.faults.take("too_many_requests"):
            return HTMLResponse("<h1>429</h1>", 429, {"Retry-After": "60"})
        if self.faults.take("html_instead_of_json"):
            return HTMLResponse(pages.login_page(""))
        if self.faults.take("foreign_redirect"):
            return RedirectResponse(f"https://anderswo.example{request.url.path}", 302)
        return None

    def _api_user(self, request: Request) -> tuple[Row | None, Response | None]:
        """Who calls: a session, HTTP Basic, or nobody. A wrong password is 403, never 401."""
        if user := self.sessions.get(request.cookies.get("sessionid", "")):
            return user, None
        header = request.headers.get("authorization", "")
        if not header.startswith("Basic "):
            return None, None
        user = self.platform.user(*_decoded(header))
        if user is None or self.faults.take("wrong_credentials"):
            return None, _detail("Ungültiger Benutzername/Passwort", 403)
        return user, None

    async def list_projects(self, request: Request) -> Response:
        wanted = {"activeParticipation": 0, "futureParticipation": 1, "pastParticipation": 2}
        status = wanted.get(request.query_params.get("status", ""))
        projects = self.platform.state()["projects"]
        return JSONResponse([one for one in projects if status is None or one["status"] == status])

    async def show_project(self, request: Request) -> Response:
        projects = self.platform.state()["projects"]
        found = next((one for one in projects if one["id"] == request.path_params["project"]), None)
        return JSONResponse(found) if found else _detail("No Project matches the given query.", 404)

    # Pages

    async def show_module(self, request: Request) -> Response:
        module = self.platform.module_by_slug(request.path_params["slug"])
        if module is None or module["access"] != "public":
            return HTMLResponse(pages.error_page(), 404)
        return HTMLResponse(pages.module_page(module))

    async def show_proposal(self, request: Request) -> Response:
        row = self.platform.proposal(request.path_params["pk"])
        module = self.platform.module(row["module"]) if row else None
        if row is None or module is None or module["type"] != request.path_params["kind"]:
            return HTMLResponse(pages.error_page(), 404)
        user = self.sessions.get(request.cookies.get("sessionid", ""))
        if not _may_see(module, user):
            return HTMLResponse(pages.error_page(), 403) if user else _to_the_login(request)
        if request.url.path != path_of(row, module):
            return RedirectResponse(path_of(row, module), 302)
        return self._detail(row)

    def _detail(self, row: Row) -> Response:
        if self.faults.take("detail_silent"):
            raise AnswerLost
        if self.faults.take("detail_error"):
            return HTMLResponse(pages.error_page(), 500)
        if self.faults.take("detail_of_another"):
            row = next(one for one in self.platform.state()["proposals"] if one["pk"] != row["pk"])
        page = pages.detail_page(row)
        if self.faults.take("detail_cut"):
            return HTMLResponse(page[: page.index("</article>")])
        return HTMLResponse(page.replace("ck-content", "rich") if self.faults.take("detail_changed") else page)

    async def show_login(self, _: Request) -> Response:
        if self.faults.take("login_down"):
            return HTMLResponse("<h1>503</h1>", 503)
        return self._login_form("")

    async def log_in(self, request: Request) -> Response:
        form = await request.form()
        token = request.cookies.get("csrftoken", "")
        if not token or form.get("csrfmiddlewaretoken") != token or not request.headers.get("referer"):
            return HTMLResponse(pages.error_page(), 403)
        login = str(form.get("login"))
        failures = [at for at in self.failures[login] if at > time.monotonic() - LOCK_SECONDS]
        if len(failures) >= LOCK_AFTER or self.faults.take("login_locked"):
            return self._login_form("Zu viele gescheiterte Anmeldeversuche. Bitte versuche es später erneut.")
        user = self.platform.user(login, str(form.get("password")))
        if user is None:
            self.failures[login] = [*failures, time.monotonic()]
            return self._login_form("Die E-Mail-Adresse und/oder das Passwort sind leider falsch.")
        return self._logged_in(user)

    def _logged_in(self, user: Row) -> Response:
        """A session for everybody with the right password; whose address is not confirmed is not logged in with it."""
        session, there = secrets.token_hex(16), "/"
        if user["role"] == "unconfirmed":
            there = "/accounts/confirm-email/"
        elif self.faults.take("login_back"):
            there = "/accounts/login/"
        else:
            self.sessions[session] = user
        answer = RedirectResponse(there, 302)
        answer.set_cookie("sessionid", session, httponly=True, samesite="lax")
        return answer

    def _login_form(self, problem: str) -> Response:
        token = secrets.token_hex(32)
        answer = HTMLResponse(pages.login_page(token, problem))
        answer.set_cookie("csrftoken", token, samesite="lax")
        return answer

    async def export(self, request: Request) -> Response:
        user = self.sessions.get(request.cookies.get("sessionid", ""))
        if user is None:  # HTTP Basic is not honoured outside /api/
            return _to_the_login(request)
        module = self.platform.module_by_slug(request.path_params["slug"])
        if module is None or request.path_params["kind"] not in APPS:
            return HTMLResponse(pages.error_page(), 404)
        if user["role"] != "initiator":
            return HTMLResponse(pages.error_page(), 403)
        return self._broken_export() or self._workbook(request, module)

    def _broken_export(self) -> Response | None:
        if self.faults.take("export_server_error"):
            return HTMLResponse("<h1>503</h1>", 503)
        if self.faults.take("export_html"):
            return HTMLResponse(pages.login_page(""))
        return None

    def _workbook(self, request: Request, module: Row) -> Response:
        renamed = {"Kontakt E-Mail": "E-Mail"} if self.faults.take("export_column_missing") else {}
        origin = f"{request.url.scheme}://{request.url.netloc}"
        kind = request.path_params["kind"]
        content = pages.workbook(self._exported(module, kind), {**module, "type": kind}, origin, renamed)
        if self.faults.take("export_broken"):
            content = content[: len(content) // 2]
        name = f'attachment; filename="{module["slug"]}_20261123T024513.xlsx"'
        return Response(content, media_type=XLSX, headers={"Content-Disposition": name})

    def _exported(self, module: Row, kind: str) -> list[Row]:
        """The export of the wrong type is no error: a workbook with a header and nothing below."""
        rows = self.platform.proposals(module["id"]) if module["type"] == kind else []
        if self.faults.take("export_of_another_module"):
            rows = [row for row in self.platform.state()["proposals"] if row["module"] != module["id"]]
        return rows[: len(rows) // 2] if self.faults.take("export_short") else rows

    # Moderation

    async def show_form(self, request: Request) -> Response:
        row, module, refusal = self._moderated(request)
        if refusal is not None or row is None or module is None:
            return refusal or HTMLResponse(pages.error_page(), 404)
        if self.faults.take("moderate_down"):
            return HTMLResponse("<h1>503</h1>", 503)
        token = request.cookies.get("csrftoken") or secrets.token_hex(32)
        extra = (
            '<input name="moderateable-visibility" value="public">'
            if self.faults.take("moderate_unknown_field")
            else ""
        )
        answer = HTMLResponse(moderation.form_page(row, module, request.url.path, token, extra=extra))
        answer.set_cookie("csrftoken", token, samesite="lax")
        if self.faults.take("moderator_in_between"):
            self._colleague(row, module)
        return answer

    def _colleague(self, row: Row, module: Row) -> None:
        said = moderation.Posted("REJECTED", "<p>Von der Moderation.</p>", True, (), "geprüft")
        self._save(row, module, said)

    async def save_form(self, request: Request) -> Response:
        if self.faults.take("moderate_session_gone"):
            self.sessions.pop(request.cookies.get("sessionid", ""), None)
        if int(request.headers.get("content-length", "0")) > LARGEST_FORM:
            return HTMLResponse(pages.error_page(), 400)
        form = await request.form()
        token = request.cookies.get("csrftoken", "")
        row, module, refusal = self._moderated(request)
        if refusal is not None or row is None or module is None:
            return refusal or HTMLResponse(pages.error_page(), 404)
        if not token or form.get("csrfmiddlewaretoken") != token or self.faults.take("moderate_token_old"):
            return HTMLResponse(pages.error_page(), 403)
        if self.faults.take("moderate_not_taken"):
            raise AnswerLost
        said = moderation.posted([(name, str(value)) for name, value in form.multi_items()])
        if moderation.problem(said):
            return HTMLResponse(moderation.form_page(row, module, request.url.path, token, said=said))
        if self.faults.take("moderate_server_error") or row["pk"] in self.saving:
            return HTMLResponse(pages.error_page(), 500)
        await self._save_slowly(dict(row), module, said)
        if self.faults.take("moderate_lost"):
            raise AnswerLost
        return RedirectResponse("/" if self.faults.take("moderate_elsewhere") else path_of(row, module), 302)

    async def _save_slowly(self, row: Row, module: Row, said: moderation.Posted) -> None:
        """The row that was read is saved whole a moment later: of two first ones at once the second is rolled back."""
        if not row["moderated"]:
            self.saving.add(row["pk"])
        try:
            await asyncio.sleep(0.005)
            self._save(row, module, said)
        finally:
            self.saving.discard(row["pk"])

    def _save(self, row: Row, module: Row, said: moderation.Posted) -> None:
        moment = datetime.now(UTC).isoformat()
        after = moderation.stored(row, module, said, moment)
        changed = moderation.changes(row, said)
        first = None if row["moderated"] else {"pk": row["pk"], "at": moment}
        self.platform.replace(
            after, mails=moderation.mail(after, module, moment) if changed else None, notifications=first
        )

    def _moderated(self, request: Request) -> tuple[Row | None, Row | None, Response | None]:
        """The proposal of a form and its module, or why this caller may not have it."""
        user = self.sessions.get(request.cookies.get("sessionid", ""))
        if user is None:  # HTTP Basic is not honoured outside /api/
            return None, None, _to_the_login(request)
        row = self.platform.proposal(request.path_params["pk"])
        module = self.platform.module(row["module"]) if row else None
        if row is None or module is None or request.url.path != f"{path_of(row, module)}moderate/":
            return None, None, HTMLResponse(pages.error_page(), 404)
        if not _moderates(user) or self.faults.take("moderate_not_allowed"):
            return None, None, HTMLResponse(pages.error_page(), 403)
        return {**NEW, **row, "moderated": bool(row.get("moderated") or row["feedback"])}, module, None

    # Control

    async def mailed(self, _: Request) -> Response:
        return JSONResponse(self.platform.state().get("mails", []))

    async def notified(self, _: Request) -> Response:
        return JSONResponse(self.platform.state().get("notifications", []))

    async def asked(self, _: Request) -> Response:
        return JSONResponse(self.requests)

    async def control(self, request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse(self.platform.state()["proposals"])
        rows: Any = await request.json()
        changed = self.platform.put(*(rows if isinstance(rows, list) else [rows]))
        return JSONResponse([row["pk"] for row in changed])

    async def remove(self, request: Request) -> Response:
        self.platform.delete(request.path_params["pk"])
        return Response(status_code=204)


_OPTIONS = {
    "name": "Proposal List",
    "description": "",
    "renders": ["application/json", "text/html"],
    "parses": ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"],
}


def _rename(item: Row) -> None:
    item["status"] = item.pop("moderator_status")


def _retype(item: Row) -> None:
    item["comment_count"] = str(item["comment_count"])


def _hide_budget(item: Row) -> None:
    item["item_badges_for_list"] = [badge for badge in item["item_badges_for_list"] if badge[0] != "budget"]


_OTHER_API = {"field_renamed": _rename, "field_retyped": _retype, "budget_badge_missing": _hide_budget}


def _detail(text: str, status: int) -> Response:
    return JSONResponse({"detail": text}, status)


def _moderates(user: Row | None) -> bool:
    return user is not None and user["role"] in ("moderator", "initiator")


def _may_see(module: Row, user: Row | None) -> bool:
    return module["access"] == "public" or _moderates(user)


def _wants_json(request: Request) -> bool:
    accept = request.headers.get("accept", "*/*")
    return "application/json" in accept or "*/*" in accept


def _decoded(header: str) -> tuple[str, str]:
    try:
        login, _, password = base64.b64decode(header.removeprefix("Basic ")).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return login, password


def _to_the_login(request: Request) -> Response:
    return RedirectResponse(f"/accounts/login/?next={quote(request.url.path)}", 302)


async def _drip(content: bytes) -> AsyncIterator[bytes]:
    for number in range(len(content)):
        yield content[number : number + 1]
        await asyncio.sleep(0.05)
