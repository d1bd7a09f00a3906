"""Sets of routes: written once, made for a process by a few lines of its file. So a second district copies no file.

    mappings/routes/kiezkasse/eakte.yaml      what is the same everywhere; `{district}` in connections and owners,
                                              `{label}` (the procedure's own word) in texts
    mappings/processes/kk-li-2027.yaml
        routes:
          extends: kiezkasse                  the set
          mode: off                           checked, but nothing runs and no DAG is made; without it: on
          prefix: kk-li                       names: kk-li-eakte, kk-li-hkr, …
          district: li                        stands for `{district}`
          sending: {start_from: 2027-01-01}   said to all sending routes of the set; `mode` to none that it ships `off`
          changes:                            said to one; keys meet, the later word wins, null removes
            eakte: {with: {filing: {key: LI-0815}}}

`extends: [kiezkasse, sepa]` lays one set on the other: what both name is one route, and the later one's words win.
There is no more to it: no code, no conditions, two placeholders.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from kiezbruecke.content.processes import ROUTES, open_places, process_files
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.plain_yaml import place_of, read_yaml
from kiezbruecke.records.participation import label_of

NAME = r"^[a-z][a-z0-9-]{1,59}$"
Names = Annotated[tuple[str, ...], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_GIVEN = ("name", "process")  # the process file says them


@dataclass(frozen=True)
class Layer:
    """A part of a route: what stands in a file below a path."""

    file: Path
    path: tuple[str, ...] = ()


@dataclass(frozen=True)
class Made:
    """A route that is made of a set: its name, the files it is made of (first the set's), and how."""

    name: str
    layers: tuple[Layer, ...]
    body: Callable[[], dict[str, Any]]
    off: bool = False  # its process is prepared and not in use

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of the sets and that of the process; where there is no set, the latter."""
        return tuple(dict.fromkeys(layer.file for layer in self.layers))


class _Extension(BaseModel):
    """What a process file says under `routes`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    extends: Annotated[Names, Field(min_length=1)]
    mode: Literal["on", "off"] = "on"
    prefix: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,29}$")]
    district: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,29}$")]
    sending: dict[str, Any] = {}
    changes: dict[str, dict[str, Any] | None] = {}


def made_routes(content: Path, *, only: Path | None = None) -> Iterator[Made]:
    """The routes that process files, or one of them, make of sets. What cannot be made says so when it is read."""
    for file in [only] if only else process_files(content):
        try:
            if ROUTES in read_yaml(file):
                yield from _made(content, file)
        except ConfigurationError as error:
            yield _broken(file.stem, file, error)


def is_off(process: Path) -> bool:
    """Whether a process is prepared and not in use."""
    said = read_yaml(process).get(ROUTES)
    return isinstance(said, dict) and said.get("mode") == "off"


def _made(content: Path, process: Path) -> Iterator[Made]:
    extension = _extension(process)
    files, off = _set_files(content, process, extension), extension.mode == "off"
    if not off:
        _refuse_open_places(process)
    for short, changes in extension.changes.items():
        if short not in files:
            what, expected = f"the set '{', '.join(extension.extends)}' has no route '{short}'", ", ".join(files)
            where = place_of(process, (ROUTES, "changes", short))
            wrong = ConfigurationError(what, where=where, expected=expected)
            yield _broken(f"{extension.prefix}-{short}", process, wrong, off=off)
        elif changes is None:
            del files[short]
    said = (Layer(process, (ROUTES, "sending")),)
    for short, some in files.items():
        layers = (*map(Layer, some), *said, Layer(process, (ROUTES, "changes", short)))
        yield Made(f"{extension.prefix}-{short}", layers, partial(_body, short, process, files, extension), off)


def _refuse_open_places(process: Path) -> None:
    """What nobody has filled in would go out as it stands, into a file and a booking."""
    for place, text in open_places(process):
        helps = f"kiezbruecke process check {process.stem} lists all of them; or routes: {{mode: off}}"
        raise ConfigurationError("something must still be filled in", where=place, expected=text, helps=helps)


def _extension(process: Path) -> _Extension:
    try:
        return _Extension.model_validate(read_yaml(process)[ROUTES])
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        path = (ROUTES, *first["loc"])
        what = f"{'.'.join(str(part) for part in path)}: {first['msg']}"
        raise ConfigurationError(what, where=place_of(process, path)) from None


def _set_files(content: Path, process: Path, extension: _Extension) -> dict[str, tuple[Path, ...]]:
    """Per route of the sets the files that say it, the first set's first; sorted by name."""
    folder, found = content / "mappings" / "routes", dict[str, tuple[Path, ...]]()
    for name in extension.extends:
        files = sorted((folder / name).glob("*.yaml"), key=_stem) if re.fullmatch(NAME, name) else []
        if not files:
            raise ConfigurationError(
                f"there is no set of routes '{name}'",
                where=place_of(process, (ROUTES, "extends")),
                expected=", ".join(sorted(one.name for one in folder.iterdir() if one.is_dir())),
            )
        for file in files:
            found[file.stem] = (*found.get(file.stem, ()), file)
    return dict(sorted(found.items()))


def _stem(file: Path) -> str:
    return file.stem


def _body(short: str, process: Path, files: dict[str, tuple[Path, ...]], extension: _Extension) -> dict[str, Any]:
    words = {"district": extension.district, "label": label_of(read_yaml(process))}
    body = dict[str, Any]()
    for file in files[short]:
        body = _upon(body, _of_set(file, words))
    if "collect" not in body:
        body = _upon(body, _for_all(extension.sending, body))
    body = _upon(body, extension.changes.get(short) or {})
    if "after" in body:
        body["after"] = _after(body["after"], files, extension)
    return {**body, "name": f"{extension.prefix}-{short}", "process": process.stem}


def _of_set(file: Path, words: Mapping[str, str]) -> dict[str, Any]:
    """What one file of a set says of a route."""
    base = read_yaml(file)
    for key in _GIVEN:
        if key in base:
            where, expected = place_of(file, (key,)), "nothing; the process's file says it"
            raise ConfigurationError(f"'{key}' stands in a set of routes", where=where, expected=expected)
    filled: dict[str, Any] = _filled(base, words, file, ())
    return filled


def _for_all(sending: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """What is said to all sending routes turns on none that its set ships `off`: that is said to it by name."""
    return {key: value for key, value in sending.items() if key != "mode" or body.get("mode") != "off"}


def _filled(value: Any, words: Mapping[str, str], file: Path, path: tuple[str | int, ...]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(part, words, file, (*path, key)) for key, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, words, file, (*path, number)) for number, part in enumerate(value)]
    if not isinstance(value, str):
        return value
    for name in _PLACEHOLDER.findall(value):
        if name not in words:
            what = f"nothing is called '{{{name}}}' here"
            expected = ", ".join(f"{{{word}}}" for word in words)
            raise ConfigurationError(what, where=place_of(file, path), expected=expected)
    return _PLACEHOLDER.sub(lambda found: words[found[1]], value)


def _upon(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Keys of both meet, the later word wins, null removes; lists are replaced whole."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.pop(key, None)
        if value is not None:
            merged[key] = _upon(below if isinstance(below, dict) else {}, value) if isinstance(value, dict) else value
    return merged


def _after(given: Any, files: Mapping[str, object], extension: _Extension) -> Any:
    """Within a set routes name each other by their short names; one that the process has removed wakes nobody."""
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        return given  # the route's own check says what is wrong
    removed = {short for short, changes in extension.changes.items() if changes is None}
    return [f"{extension.prefix}-{name}" if name in files else name for name in listed if name not in removed]


def _broken(name: str, process: Path, error: ConfigurationError, *, off: bool = False) -> Made:
    def refuse() -> dict[str, Any]:
        raise error

    return Made(name, (Layer(process),), refuse, off)
