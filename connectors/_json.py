"""The JSON object that another system has answered with. Which status and media type it has, each asks by itself."""

from __future__ import annotations

from typing import Any

from connectors._line import NoAnswer, Response
from kiezbruecke.foreign_json import read_json


def object_in(response: Response) -> dict[str, Any]:
    """The object in an answer; raises NoAnswer for half a document, a key that stands twice, or another value."""
    try:
        body = read_json(response.content, number=float)
    except ValueError:
        raise NoAnswer("not a whole JSON document, or one with a key twice", response.status_code) from None
    if not isinstance(body, dict):
        raise NoAnswer("JSON, but no object", response.status_code)
    return body
