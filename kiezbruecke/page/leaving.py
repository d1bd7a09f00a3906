"""The way out: ends the log-in for everything, not only for this page, and comes back to the page as a stranger.

/abmelden   a link, for the log-in's own page may be at another address, where no form of ours may lead (`form-action`)
"""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from kiezbruecke.page.admission import is_ours
from kiezbruecke.page.refusals import FOREIGN, not_found

LogOut = Callable[[Request, str], Response]  # the request of whoever leaves, and where they come back to
router = APIRouter()


@router.get("/abmelden")
def leave(request: Request) -> Response:
    """Log out; another site's link logs nobody out."""
    log_out: LogOut | None = request.app.state.log_out
    if log_out is None:
        raise not_found("Diese Seite")
    if not is_ours(request):
        raise FOREIGN
    return log_out(request, f"{request.scope.get('root_path', '')}/")
