"""What the check said about routes and the mappings that they name, remembered in the local state.

Checking needs lxml and takes tenths of a second; the file that makes the DAGs is parsed all the time and may
have neither. So `broken_routes.py` checks whatever has changed and writes the verdicts down, and `routes.py`
reads them. A verdict counts as long as no file of the content has changed since.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from kiezbruecke.content import find_state
from kiezbruecke.content.routes import Route, SendingRoute, route_places

Verdicts = dict[str, str]  # what a route names: its first error in one line, empty where it can run


def examine(content: Path, names: Iterable[str]) -> Verdicts:
    """The verdict on each mapping and route; checks only where a file has changed since the last time."""
    wanted, stamp = set(names), _stamp(content)
    found = _known(content, stamp)
    if missing := sorted(wanted - found.keys()):
        found |= {name: _checked(name, content) for name in missing}
        if _stamp(content) == stamp:  # else a file was saved meanwhile: nobody knows which text was judged
            _write(content, stamp, found)
    return {name: found[name] for name in sorted(wanted)}


def known(content: Path) -> Verdicts:
    """The verdicts that still count; reads one small file and the times of others, imports nothing."""
    return _known(content, _stamp(content))


def names_of(route: Route) -> tuple[str, ...]:
    """What must be looked at with the engine at hand: `mapping: <name>`, and the words of a route: `route: <name>`."""
    mappings = (route.mapping,) if isinstance(route, SendingRoute) else route.mapping
    return *(f"mapping: {name}" for name in mappings), f"route: {route.name}"


def _checked(name: str, content: Path) -> str:
    from kiezbruecke.errors import KiezbrueckeError  # noqa: PLC0415
    from kiezbruecke.fitting import refuse_unfit_words  # noqa: PLC0415 - lxml and the engine only where they are needed
    from kiezbruecke.mapping import load_mapping  # noqa: PLC0415

    kind, word = name.split()
    try:
        if kind == "mapping:":
            load_mapping(word, content)
            return ""
        places = {place.name: place for place in route_places(content)}
        refuse_unfit_words(places[word], content, places.keys())
    except KiezbrueckeError as error:
        return error.line()
    return ""


def _known(content: Path, stamp: str) -> Verdicts:
    try:
        body = json.loads(_file(content).read_text("utf-8"))
        return dict(body["verdicts"]) if body["stamp"] == stamp else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _write(content: Path, stamp: str, verdicts: Verdicts) -> None:
    """In one move from a file of our own, so that nobody reads half of it and two processes do not mix theirs."""
    file = _file(content)
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as target:
            json.dump({"stamp": stamp, "verdicts": verdicts}, target, ensure_ascii=False)
        Path(beside).chmod(0o644)  # mkstemp's files are for one account alone; routes are parsed by others, too
        Path(beside).replace(file)
    finally:
        Path(beside).unlink(missing_ok=True)


def _file(content: Path) -> Path:
    return find_state(content) / "mappings-checked.json"


def _stamp(content: Path) -> str:
    """Changes with every file that a check may read. What vanishes while we look, or leads nowhere, is not there."""
    found = hashlib.sha256()
    for folder in (content / "mappings", content / "schemas", find_state(content) / "schemas"):
        for place, folders, files in os.walk(folder):  # unlike rglob, it goes on where a folder vanishes
            folders.sort()
            for path in sorted(Path(place, name) for name in (*folders, *files) if "." in name):
                with contextlib.suppress(OSError):
                    state = path.stat()
                    found.update(f"{path.relative_to(folder)}\0{state.st_mtime_ns}\0{state.st_size}\n".encode())
    return found.hexdigest()
