"""Templates to pages: always escaped, and no sign of a stranger acts (`printable`). The words are `desk.words`'."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from kiezbruecke import desk, german
from kiezbruecke.content.roles import Right
from kiezbruecke.desk import words
from kiezbruecke.desk.names import Names
from kiezbruecke.effects import effect
from kiezbruecke.house import House
from kiezbruecke.page.admission import TOKEN, form_token
from kiezbruecke.page.refusals import PageRefusal
from kiezbruecke.page.visitor import Visitor
from kiezbruecke.printable import printable

SHORT = 120  # signs of a foreign text in a table


@dataclass(frozen=True)
class Entry:
    """An entry of the page's bar."""

    path: str
    title: str
    right: Right = Right.SEE


def render(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """The page that a template makes of these values."""
    page = TEMPLATES.get_template(template).render(**_surroundings(request), **values)
    return HTMLResponse(page, status)


def render_refusal(request: Request, refused: PageRefusal) -> HTMLResponse:
    """The page that says what was not possible; where it helps, with what was typed."""
    typed = _typed(request) if refused.again else {}
    return render(request, "refused.html", refused.status, refused=refused, typed=typed)


def short(text: str, most: int = SHORT) -> str:
    """The beginning of a long text."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _shown(value: Any) -> Any:
    """What an expression of a template becomes: nothing for None, no sign that acts."""
    if value is None:
        return ""
    return printable(value, keep="\n") if isinstance(value, str) and not isinstance(value, Markup) else value


def _surroundings(request: Request) -> dict[str, Any]:
    """What the frame shows around every page. A page must come even where the ledger does not."""
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    state = request.app.state
    house: House | None = state.opened()
    return {
        "names": Names(house.content) if house is not None else None,
        "root": request.scope.get("root_path", ""),
        "address": f"{request.scope.get('root_path', '')}{_path(request)}",
        "path": _path(request),
        "visitor": visitor,
        "entries": [one for one in state.entries if visitor is not None and visitor.may(one.right)],
        "token": _token_field(request) if visitor is not None and hasattr(request.state, "browser") else "",
        "training": _training(house, visitor),
        "log_in": state.log_in,
        "log_out": state.log_out is not None,
    }


def _path(request: Request) -> str:
    """The path below the app's own."""
    path: str = request.scope["path"]
    return path.removeprefix(request.scope.get("root_path", ""))


def _token_field(request: Request) -> Markup:
    return Markup('<input type="hidden" name="{}" value="{}">').format(TOKEN, form_token(request))


def _training(house: House | None, visitor: Visitor | None) -> list[str]:
    """Which of the visitor's routes are for practice: everything that they do goes to a test environment."""
    if house is None or visitor is None:
        return []
    return [name for name in desk.training_routes(house.content) if visitor.may(Right.SEE, name)]


def _typed(request: Request) -> Mapping[str, list[str]]:
    """What was typed and chosen, by field; files cannot be given back."""
    form = getattr(request.state, "form", None)
    typed: dict[str, list[str]] = {}
    for name, value in form.multi_items() if form is not None else ():
        if isinstance(value, str) and name != TOKEN:
            typed.setdefault(name, []).append(value)
    return typed


def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("kiezbruecke.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    filters: dict[str, Callable[..., Any]] = {
        "euros": german.euros,
        "day": german.day,
        "moment": german.moment,
        "count": german.count,
        "short": short,
        "state_word": words.state,
        "kind_word": lambda kind: words.KINDS[kind][0],
        "kind_meaning": lambda kind: words.KINDS[kind][1],
        "event_word": words.event,
        "received_word": words.receipt,
        "mode_word": words.mode,
        "effect_word": lambda name: effect(name).title,
    }
    found.filters.update(filters)
    return found


TEMPLATES = _environment()
