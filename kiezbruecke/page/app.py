"""The app: pages, static files, headers. It runs inside Airflow (`airflow/plugin.py`) and alone (tests)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from kiezbruecke.errors import ConfigurationError, InputError, LedgerError
from kiezbruecke.house import House
from kiezbruecke.page import cases, leaving, mappings, messages, operations, points, releases, sheets, statement, sums
from kiezbruecke.page.admission import COOKIE, admit
from kiezbruecke.page.leaving import LogOut
from kiezbruecke.page.refusals import AWAY, BROKEN, PageRefusal, not_found
from kiezbruecke.page.rendering import Entry, render_refusal
from kiezbruecke.page.sheets import Start, nobody_starts
from kiezbruecke.page.visitor import Who
from kiezbruecke.vault import Keys, Vault

log = logging.getLogger("kiezbruecke")
PAGES: Sequence[tuple[APIRouter, Entry | None]] = (  # in the order of the bar
    (points.router, points.ENTRY),
    (cases.router, cases.ENTRY),
    (sheets.router, sheets.ENTRY),
    (releases.router, releases.ENTRY),
    (sums.router, sums.ENTRY),
    (messages.router, messages.ENTRY),
    (operations.router, operations.ENTRY),
    (mappings.router, mappings.ENTRY),
    (statement.router, None),
    (leaving.router, None),
)
_HEADERS = {
    # the kit draws its icons as masks of data: addresses; nothing else comes from anywhere but here
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; script-src 'none'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_NEXT = Callable[[Request], Awaitable[Response]]


def page_app(
    open_house: Callable[[], House],
    who: Who,
    *,
    secret: bytes,
    log_in: str = "",
    log_out: LogOut | None = None,
    start: Start = nobody_starts,
) -> FastAPI:
    """The page on a house that is opened when somebody asks for it, and again where that failed.

    `who`: says who is logged in. `secret`: the key of form tokens and of lists in hand, the same in all processes that
    serve the page. `log_in`: the address at which one logs in. `log_out`: ends the log-in, where that is possible here.
    `start`: starts a route; False where that is not possible now.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(admit)])
    kept = _Kept(open_house)
    app.state.house, app.state.opened = kept.open, kept.opened
    app.state.who, app.state.secret = who, secret
    app.state.log_in, app.state.log_out = log_in, log_out
    app.state.start, app.state.vault = start, Vault(lambda: Keys("page", secret, {"1": secret}))
    app.state.entries = [entry for _, entry in PAGES if entry is not None]
    for router, _ in PAGES:
        app.include_router(router)
    app.add_route("/static/{name:path}", _static)  # needs nobody: it is the same for everybody
    for error, handler in _HANDLERS.items():
        app.add_exception_handler(error, handler)
    app.middleware("http")(_with_headers)
    return app


class _Kept:
    """One house for all requests."""

    def __init__(self, open_house: Callable[[], House]) -> None:
        self._open, self._lock = open_house, Lock()
        self._house: House | None = None

    def open(self) -> House:
        """Raises ConfigurationError, LedgerError; the next request tries again."""
        with self._lock:
            if self._house is None:
                self._house = self._open()
            return self._house

    def opened(self) -> House | None:
        """The house, if it is open already."""
        return self._house


def _static(request: Request) -> Response:
    """Our style, and the KERN kit as its wheel carries it."""
    name: str = request.path_params["name"]
    folder, _, rest = name.partition("/")
    found = _STATIC.get(folder, {}).get(rest)
    return FileResponse(found, media_type=_SERVED[found.suffix]) if found else HTMLResponse("", 404)


def _below(root: Path) -> dict[str, Path]:
    """The files that may be served, by name: what is asked for never becomes a path."""
    return {one.relative_to(root).as_posix(): one for one in root.rglob("*") if one.suffix in _SERVED}


_SERVED = {".css": "text/css", ".woff2": "font/woff2"}
_STATIC = {
    "kern": _below(Path(str(files("mkdocs_kern_ux") / "kern-ux" / "vendor" / "kern"))),
    "page": _below(Path(str(files("kiezbruecke.page") / "static"))),
}


async def _with_headers(request: Request, call: _NEXT) -> Response:
    answer = await call(request)
    if (form := getattr(request.state, "form", None)) is not None:
        await form.close()  # what was sent lies in a temporary file until then
    for name, value in _HEADERS.items():
        answer.headers.setdefault(name, value)
    static = request.scope["path"].removeprefix(request.scope.get("root_path", "")).startswith("/static/")
    answer.headers["Cache-Control"] = "max-age=3600" if static else "no-store"
    if getattr(request.state, "new_browser", False):
        answer.set_cookie(
            COOKIE,
            request.state.browser,
            path=request.scope.get("root_path") or "/",
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
    return answer


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, PageRefusal)
    return render_refusal(request, error)


async def _no_such_page(request: Request, error: Exception) -> Response:
    """Nobody who is not logged in learns which addresses there are: a stranger gets the same page for all of them."""
    if not hasattr(request.state, "visitor"):  # no route, so nobody was asked who they are
        try:
            await admit(request)
        except PageRefusal as refused:
            return render_refusal(request, refused)
    if isinstance(error, HTTPException) and error.status_code == 405:
        return render_refusal(request, PageRefusal(405, "So geht das hier nicht", "Bitte benutzen Sie das Formular."))
    return render_refusal(request, not_found("Diese Seite"))


async def _not_possible(request: Request, error: Exception) -> Response:
    """What a person asked for and is not possible: its text is German."""
    assert isinstance(error, InputError)
    return render_refusal(
        request, PageRefusal(422, "Das ist so nicht möglich", f"{error.line()}. Es ist nichts geschehen.")
    )


async def _ledger_away(request: Request, error: Exception) -> Response:
    assert isinstance(error, ConfigurationError | LedgerError)
    log.error("the page: %s %s", error.code, error)
    return render_refusal(request, AWAY if isinstance(error, LedgerError) else BROKEN)


async def _broken(request: Request, error: Exception) -> Response:  # noqa: ARG001 - the server logs it
    return render_refusal(request, BROKEN)


_HANDLERS: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
    PageRefusal: _refused,
    HTTPException: _no_such_page,
    RequestValidationError: _no_such_page,
    InputError: _not_possible,
    ConfigurationError: _ledger_away,
    LedgerError: _ledger_away,
    Exception: _broken,
}
