"""What the check said about the mappings that routes name, remembered in the local state.

Checking needs lxml and takes tenths of a second; the file that makes the DAGs is parsed all the time and may
have neither. So `broken_routes.py` checks whatever has changed and writes the verdicts down, and `routes.py`
reads them. A verdict counts as long as no file of the content has changed since.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from kiezbruecke.content import find_state
from kiezbruecke.routes import Route

Verdicts = dict[str, str]  # mapping: its first error in one line, empty where it can run


def examine(content: Path, names: Iterable[str]) -> Verdicts:
    """The verdict on each mapping; checks only where a file has changed since the last time."""
    wanted = set(names)
    found = known(content)
    if missing := sorted(wanted - found.keys()):
        found |= {name: _checked(name, content) for name in missing}
        _write(content, found)
    return {name: found[name] for name in sorted(wanted)}


def known(content: Path) -> Verdicts:
    """The verdicts that still count; reads one small file and the times of others, imports nothing."""
    try:
        body = json.loads(_file(content).read_text("utf-8"))
        return dict(body["verdicts"]) if body["stamp"] == _stamp(content) else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def mappings_of(route: Route) -> tuple[str, ...]:
    """The mappings that a route names."""
    return (route.mapping,) if isinstance(route.mapping, str) else tuple(route.mapping)


def _checked(name: str, content: Path) -> str:
    from kiezbruecke.errors import KiezbrueckeError  # noqa: PLC0415 - lxml and the engine only where they are needed
    from kiezbruecke.mapping import load_mapping  # noqa: PLC0415

    try:
        load_mapping(name, content)
    except KiezbrueckeError as error:
        return error.line()
    return ""


def _write(content: Path, verdicts: Verdicts) -> None:
    """In one move, so that nobody reads half a file."""
    file = _file(content)
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps({"stamp": _stamp(content), "verdicts": verdicts}, ensure_ascii=False), "utf-8")
    beside.replace(file)


def _file(content: Path) -> Path:
    return find_state(content) / "mappings-checked.json"


def _stamp(content: Path) -> str:
    """Changes with every file that a check may read."""
    found = hashlib.sha256()
    for folder in (content / "mappings", content / "schemas", find_state(content) / "schemas"):
        for file in sorted(folder.rglob("*.*")):
            state = file.stat()
            found.update(f"{file.relative_to(folder)}\0{state.st_mtime_ns}\0{state.st_size}\n".encode())
    return found.hexdigest()
