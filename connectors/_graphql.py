"""What a GraphQL server answers: `data` beside `errors`, as graphql-ruby gives them (Decidim, CONSUL Democracy).

    POST {"query", "variables"} ─▶ Response ─▶ Reply(data, errors)

Of their words none is taken over: a message may quote what people wrote. An error is its code, and where it happened.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors._json import object_in
from connectors._line import NoAnswer, Response, shown_type

JSON = {"Content-Type": "application/json", "Accept": "application/json"}
UNDEFINED = "UNDEFINED"  # the server's schema has no such field, type or argument
_THEIRS = re.compile(r"[A-Z_]{1,40}_ERROR")
_LIBRARY = {"undefinedField": UNDEFINED, "undefinedType": UNDEFINED, "argumentNotAccepted": UNDEFINED}


@dataclass(frozen=True)
class QueryError:
    """One entry of `errors`: its code where it has one, and where in the answer it happened."""

    code: str
    path: tuple[str | int, ...]
    about: tuple[str, ...] = ()  # of an attribute error: the attributes that are not taken


@dataclass(frozen=True)
class Reply:
    """What an answer of 200 says. `data` may be whole beside errors: whoever asked looks at their paths."""

    data: Mapping[str, Any] = field(repr=False)
    errors: tuple[QueryError, ...] = ()

    def has(self, *codes: str) -> bool:
        """Whether an error with one of the codes is among them."""
        return any(error.code in codes for error in self.errors)

    def codes(self) -> str:
        """The codes as our lines may name them."""
        return ", ".join(sorted({error.code for error in self.errors if error.code})) or "without a code"


def question(document: str, variables: Mapping[str, Any]) -> bytes:
    """The body of a call."""
    return json.dumps({"query": document, "variables": variables}, ensure_ascii=False).encode()


def reply_of(response: Response) -> Reply:
    """The answer in a response; raises NoAnswer for a log-in page, half a document, another status."""
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if response.status_code != 200:
        raise refused(response)
    if media_type != "application/json":
        raise NoAnswer(f"expected JSON, not {shown_type(media_type)}", 200)
    body = object_in(response)
    data, errors = body.get("data"), body.get("errors") or []
    if not isinstance(data, dict | None) or not isinstance(errors, list) or not (data or errors):
        raise NoAnswer("no GraphQL answer", 200)
    return Reply(data or {}, tuple(_fault(error) for error in errors))


def refused(response: Response) -> NoAnswer:
    """Another status than 200."""
    return NoAnswer("expected 200 and JSON", response.status_code)


def _fault(error: Any) -> QueryError:
    given = error if isinstance(error, dict) else {}
    extensions, path, message = given.get("extensions"), given.get("path"), given.get("message")
    code = extensions.get("code") if isinstance(extensions, dict) else ""
    steps = tuple(step for step in path if isinstance(step, str | int)) if isinstance(path, list) else ()
    parts = message if isinstance(message, list) else []
    ends = (part.get("path") for part in parts if isinstance(part, dict))
    about = tuple(str(end[-1]) for end in ends if isinstance(end, list) and end)
    return QueryError(_code(code), steps, about)


def _code(code: Any) -> str:
    """Theirs are words in capitals; `undefinedField` and its like are the library's own."""
    known = code if isinstance(code, str) else ""
    return known if _THEIRS.fullmatch(known) else _LIBRARY.get(known, "")
