"""Before any page: who is it, has the form come from us, what does it say. One dependency of the whole app.

Order matters: a foreign form's body is never read, and of a stranger's only what somebody can have typed, to be given
back to whoever's session has ended.

A form carries a token: HMAC over a cookie of this browser and the log-in. Another site can neither read nor guess it;
another person's log-in in the same browser makes it stale, and then the form comes back with what was typed.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from kiezbruecke.content.roles import Right
from kiezbruecke.house import House
from kiezbruecke.page.refusals import FOREIGN, NO_ROLE, NOT_LOGGED_IN, STALE, TOO_LARGE, UNREADABLE, not_allowed
from kiezbruecke.page.visitor import Visitor

COOKIE, TOKEN = "kb_schreibtisch", "_token"
MOST_TYPED = 256 * 1024
MOST_BYTES = 10 * 1024 * 1024 + 64 * 1024  # a sheet, and the fields beside it
_FIELDS, _FIELD = 2000, 64 * 1024
_READS = frozenset({"GET", "HEAD"})
_OURS = frozenset({"same-origin", "none"})


async def admit(request: Request) -> None:
    """Refuse strangers and forged forms; what was sent is in `request.state.form` afterwards."""
    request.state.visitor = None
    visitor = await request.app.state.who(request)
    if visitor is None:
        if request.method not in _READS and is_ours(request):
            request.state.form = await _form(request, MOST_TYPED)  # to be shown again: nothing of it is lost
        raise NOT_LOGGED_IN
    request.state.visitor = visitor
    if not any(visitor.may(right) for right in Right):
        raise NO_ROLE
    _name_browser(request)
    if request.method in _READS:
        return
    if not is_ours(request):
        raise FOREIGN
    request.state.form = await _form(request, MOST_BYTES)
    given = request.state.form.get(TOKEN, "")
    if not (isinstance(given, str) and hmac.compare_digest(given.encode(), form_token(request).encode())):
        raise STALE


def form_token(request: Request) -> str:
    """The token of this browser and log-in; stands in every form."""
    visitor: Visitor = request.state.visitor
    key: bytes = request.app.state.secret
    return hmac.new(key, f"{request.state.browser}\0{visitor.person.login}".encode(), "sha256").hexdigest()


def the_house(request: Request) -> House:
    """The house, opened at the first request that needs it; raises LedgerError where it is away."""
    found: House = request.app.state.house()
    return found


def the_visitor(request: Request) -> Visitor:
    """Who has been admitted."""
    found: Visitor = request.state.visitor
    return found


def the_form(request: Request) -> FormData:
    """What was sent, of a form that is ours."""
    found: FormData = request.state.form
    return found


HouseOf = Annotated[House, Depends(the_house)]
VisitorOf = Annotated[Visitor, Depends(the_visitor)]
FormOf = Annotated[FormData, Depends(the_form)]


def require(visitor: Visitor, right: Right, about: str | None = None) -> None:
    """Refuse whoever has not got this right at this route or process."""
    if not visitor.may(right, about):
        raise not_allowed(right)


def texts(form: FormData) -> Mapping[str, str]:
    """The form's texts, without files and without our token."""
    return {name: value for name, value in form.items() if isinstance(value, str) and name != TOKEN}


def file_of(form: FormData, name: str) -> UploadFile | None:
    """A file that was sent, if one was chosen."""
    found = form.get(name)
    return found if isinstance(found, UploadFile) and found.filename else None


def _name_browser(request: Request) -> None:
    """A cookie of this browser; a new one is set with the answer (`app.py`)."""
    given = request.cookies.get(COOKIE, "")
    request.state.new_browser = not 20 <= len(given) <= 100
    request.state.browser = secrets.token_urlsafe(32) if request.state.new_browser else given


def is_ours(request: Request) -> bool:
    """What the browser says of where the form came from; one that says nothing has the token to show."""
    return request.headers.get("sec-fetch-site", "same-origin") in _OURS


async def _form(request: Request, most: int) -> FormData:
    said = request.headers.get("content-length", "")
    if not said.isdecimal():
        raise UNREADABLE
    if int(said) > most:
        raise TOO_LARGE
    try:
        return await request.form(max_files=20, max_fields=_FIELDS, max_part_size=_FIELD)
    except HTTPException:
        raise UNREADABLE from None
