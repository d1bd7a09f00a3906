"""`kiezbruecke drift …`: does a mapping still stand on what it was built on? What is accepted lies in git."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from kiezbruecke.cli.mapping.app import Content, Json, Names, print_json, stop
from kiezbruecke.cli.output import say
from kiezbruecke.content import find_content
from kiezbruecke.drift import (
    Change,
    Fingerprint,
    as_written,
    breaking,
    fingerprint_file,
    look_at_answers,
    look_at_mapping,
    read_fingerprint,
    render,
    take,
)
from kiezbruecke.drift.services import compare_services, read_service
from kiezbruecke.errors import ConfigurationError, KiezbrueckeError
from kiezbruecke.foreign_json import KeyTwice, read_json
from kiezbruecke.machine import write_file
from kiezbruecke.mapping import Mapping, load_mapping, mapping_names
from kiezbruecke.standards.store import parse
from kiezbruecke.workbench.examples import find_examples, read_roots

app = typer.Typer(help="Drift: what a mapping was built on, and what has become of it.", no_args_is_help=True)

Samples = Annotated[
    list[Path] | None, typer.Option("--samples", help="A file with items (a JSON list, or one XML); may be repeated.")
]
MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class _Looked:
    """One mapping: what was accepted, what is there, and the changes between the two."""

    mapping: Mapping
    accepted: Fingerprint | None
    now: Fingerprint
    changes: list[Change]


@dataclass(frozen=True)
class _Unread:
    """A mapping that cannot be looked at; the others can."""

    name: str
    error: KiezbrueckeError


@app.command("check")
def check_drift(names: Names = None, content: Content = None, samples: Samples = None, as_json: Json = False) -> None:
    """Compare what is there with what was accepted.

    Exit code 1 where a change breaks a mapping, 2 where a mapping, schema or list cannot be read at all.
    """
    try:
        root = find_content(content)
        found = [_looked_at(name, root, samples or []) for name in names or dict.fromkeys(mapping_names(root))]
    except KiezbrueckeError as error:
        stop(error, as_json=as_json)
    looked = [one for one in found if isinstance(one, _Looked)]
    unread = [one for one in found if isinstance(one, _Unread)]
    if as_json:
        rows = [{"mapping": one.mapping.name, **change.as_dict()} for one in looked for change in one.changes]
        errors = [{"mapping": one.name, "error": one.error.code, "line": one.error.line()} for one in unread]
        print_json([*rows, *errors])
    else:
        _print(looked)
        for one in unread[1:]:
            say(f"{one.error.code} {one.name}: {one.error.line()}")
    if unread:
        first = unread[0]  # the line that an exit code 2 always has; the others stand in the report
        say(f"{first.error.code} {first.name}: {first.error.line()}", err=True)
        raise typer.Exit(2)
    if any(change.severity == "breaking" for one in looked for change in one.changes):
        raise typer.Exit(1)


@app.command("accept")
def accept_drift(
    names: Annotated[list[str], typer.Argument(help="Mappings.")],
    content: Content = None,
    samples: Samples = None,
    as_json: Json = False,
) -> None:
    """Write what is there now into fingerprint.yaml beside the mapping; read the difference in git, then commit it."""
    try:
        root = find_content(content)
        looked = [_look(name, root, samples or [], anew=True) for name in names]
    except KiezbrueckeError as error:
        stop(error, as_json=as_json)
    for one in looked:
        write_file(fingerprint_file(one.mapping, root), render(one.now))
    if as_json:
        print_json({"mapping": one.mapping.name, "file": str(fingerprint_file(one.mapping, root))} for one in looked)
        return
    for one in looked:
        _print_changes(one)
        say(f"accepted: {fingerprint_file(one.mapping, root).relative_to(root)}")


@app.command("wsdl")
def compare_wsdl(
    old: Annotated[Path, typer.Argument(help="The WSDL that was agreed on.")],
    new: Annotated[Path, typer.Argument(help="The WSDL that is there now.")],
    as_json: Json = False,
) -> None:
    """Compare two WSDL files, for services that no mapping's target names; exit code 1 where a caller breaks."""
    try:
        changes = list(compare_services(read_service(old), read_service(new)))
    except KiezbrueckeError as error:
        stop(error, as_json=as_json)
    if as_json:
        print_json(change.as_dict() for change in changes)
    else:
        for change in changes:
            say(change.line())
    if breaking(changes):
        raise typer.Exit(1)


def _looked_at(name: str, root: Path, samples: list[Path]) -> _Looked | _Unread:
    try:
        return _look(name, root, samples)
    except KiezbrueckeError as error:
        return _Unread(name, error)


def _look(name: str, root: Path, samples: list[Path], *, anew: bool = False) -> _Looked:
    """Without `--samples` the mapping's examples stand for the source. `anew`: a broken fingerprint is as none."""
    mapping = load_mapping(name, root) if anew else _mapping(name, root)
    bodies = list(_bodies(mapping, root, samples)) if mapping.direction == "inbound" else []
    try:
        accepted = read_fingerprint(mapping, root)
    except ConfigurationError:
        if not anew:
            raise
        accepted = None
    now = take(mapping, root, bodies)
    if accepted is None:
        return _Looked(mapping, None, now, [])
    changes = [*look_at_mapping(mapping, root, accepted), *look_at_answers(mapping, accepted, bodies)]
    return _Looked(mapping, accepted, now, changes)


def _mapping(name: str, root: Path) -> Mapping:
    """A mapping, also one whose check fails, if what it was built on has changed: that is what is asked for."""
    try:
        return load_mapping(name, root)
    except ConfigurationError as error:
        with suppress(ConfigurationError):
            mapping = as_written(name, root)
            accepted = read_fingerprint(mapping, root)
            if accepted and breaking(look_at_mapping(mapping, root, accepted)):
                return mapping
        raise error from None


def _bodies(mapping: Mapping, root: Path, samples: list[Path]) -> Iterator[Any]:
    if samples:
        for file in samples:
            yield from _sample(mapping, file)
        return
    for example in find_examples(mapping.name, root):
        roots = read_roots(mapping, root, example)
        yield mapping.scope(roots["item"], roots)["item"]


def _sample(mapping: Mapping, file: Path) -> list[Any]:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise ConfigurationError("the file is too large", where=str(file), expected=f"{MAX_BYTES} bytes at most")
        data = file.read_bytes()
        if mapping.definition.source.kind == "xml":
            return [parse(data, file.name)]
        body = read_json(data)
    except KeyTwice as twice:
        raise ConfigurationError(str(twice), where=str(file), expected="each key once") from None
    except (OSError, ValueError):
        raise ConfigurationError("the samples cannot be read", where=str(file), expected="a JSON list") from None
    return body if isinstance(body, list) else [body]


def _print(looked: list[_Looked]) -> None:
    for one in looked:
        _print_changes(one)
        if one.accepted is None:
            say(f"note: {one.mapping.name}: nothing accepted yet; kiezbruecke drift accept {one.mapping.name}")
    found = [change.severity for one in looked for change in one.changes]
    broken, fine = found.count("breaking"), found.count("compatible")
    say(f"{len(looked)} mappings, {broken} breaking changes, {fine} compatible ones")


def _print_changes(one: _Looked) -> None:
    for change in sorted(one.changes, key=lambda change: change.severity):
        severity, _, rest = change.line().partition(": ")
        say(f"{severity}: {one.mapping.name}: {rest}")
