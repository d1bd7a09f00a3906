"""With Jinja2: a template with autoescape, compiled once, blanks between the lines taken out beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from benchmarks.peers.values import moment, money, squeezed

_ENVIRONMENT = Environment(autoescape=True, undefined=StrictUndefined)
_ENVIRONMENT.filters.update(moment=moment, money=money, squeezed=squeezed)


def writer_of(name: str) -> Callable[[Mapping[str, Any]], bytes]:
    """A writer of messages by one of the templates beside this file."""
    text = (Path(__file__).parent / f"{name}.xml.j2").read_text("utf-8")
    declaration, *lines = text.splitlines()
    template = _ENVIRONMENT.from_string(f"{declaration}\n{''.join(line.strip() for line in lines)}")

    def write(roots: Mapping[str, Any]) -> bytes:
        return template.render(roots).encode()

    return write
