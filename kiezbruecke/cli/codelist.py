"""`kiezbruecke codelist …`: which code lists are there, are they right, and taking official ones in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from kiezbruecke.cli.mapping.app import Content, Json, print_json, stop
from kiezbruecke.cli.output import emit, say, table
from kiezbruecke.content import find_content
from kiezbruecke.errors import ConfigurationError, KiezbrueckeError
from kiezbruecke.german import BERLIN
from kiezbruecke.machine import write_file
from kiezbruecke.mapping.codelists.checking import check_list, list_files
from kiezbruecke.mapping.codelists.genericode import Columns, read_genericode
from kiezbruecke.mapping.codelists.reading import (
    CodeList,
    Translation,
    UnknownColumn,
    code_file,
    read_codes,
    read_rows,
    read_translation,
    translation_file,
)
from kiezbruecke.mapping.codelists.uses import ListUse, find_uses
from kiezbruecke.mapping.codelists.writing import Changes, compare, render, taken_over
from kiezbruecke.mapping.language.findings import Finding, nearest

app = typer.Typer(help="Code lists: list, check, take official ones in.", no_args_is_help=True)

Names = Annotated[list[str] | None, typer.Argument(help="Code lists, with or without ending; else all of them.")]
On = Annotated[str, typer.Option("--on", metavar="DATE", help="The day on which versions and codes must be valid.")]
GivenFile = Annotated[Path, typer.Argument(metavar="FILE", help="A genericode file, as the XRepository gives it.")]
OurName = Annotated[str, typer.Option("--name", help="Our name for it; else the list's own, in small letters.")]
CodeColumn = Annotated[str, typer.Option("--code-column", help="The column with the codes; else the marked key.")]
NameColumn = Annotated[str, typer.Option("--name-column", help="The column with the names; else the usual one.")]
DayColumns = Annotated[str, typer.Option("--day-columns", metavar="FROM,TO", help="Columns with the days of a code.")]
Update = Annotated[bool, typer.Option("--update", help="Overwrite the list that lies there.")]
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,79}")
_SHOWN = 20


@app.command("list")
def list_lists(content: Content = None, as_json: Json = False) -> None:
    """Show every code list: version, validity, entries, source, and who uses it."""
    try:
        root = find_content(content)
        uses = find_uses(root)
        rows = [_summary(root, file, uses) for file in list_files(root)]
    except KiezbrueckeError as error:
        stop(error, as_json=as_json)
    if as_json:
        print_json(rows)
        return
    columns = ("Code list", "Kind", "Version", "Valid", "# Entries", "Source", "Used by")
    table("Code lists", columns, ([*list(row.values())[:-1], ", ".join(row["used_by"])] for row in rows))


@app.command("check")
def check_lists(names: Names = None, content: Content = None, on: On = "", as_json: Json = False) -> None:
    """Find what is wrong with code lists; exit code 1 where there are errors."""
    try:
        root = find_content(content)
        files = _files(root, names or [])
        uses, day = find_uses(root), _day(on)
        findings = [finding for file in files for finding in check_list(root, file, uses, day)]
    except KiezbrueckeError as error:
        stop(error, as_json=as_json)
    if as_json:
        print_json(finding.as_dict() for finding in findings)
    else:
        _print_findings(findings, len(files))
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(1)


@app.command("import")
def import_list(
    file: GivenFile,
    name: OurName = "",
    code_column: CodeColumn = "",
    name_column: NameColumn = "",
    day_columns: DayColumns = "",
    update: Update = False,
    content: Content = None,
    as_json: Json = False,
) -> None:
    """Take a genericode file in as mappings/codelists/<name>.yaml; exit code 1 where it would overwrite another."""
    try:
        root = find_content(content)
        given = read_genericode(file)
        own_name = _given_name(name) if name else _own_name(given.short_name)
        first, _, last = day_columns.partition(",")
        new = given.codes(own_name, Columns(code_column, name_column, first.strip(), last.strip()))
        old = read_codes(root, own_name) if code_file(root, own_name).exists() else None
        new = taken_over(old, new) if old else new
        changes, lost = (compare(old, new), _lost(root, old, new)) if old else (None, [])
    except KiezbrueckeError as error:
        stop(error, as_json=as_json)
    target = code_file(root, own_name)
    same = old is not None and target.read_text("utf-8") == render(new)
    refused = old is not None and not update and not same
    if not refused and not same:
        write_file(target, render(new))
    _report(new, changes, lost, "refused" if refused else "unchanged" if same else "written", as_json=as_json)
    if refused:
        raise typer.Exit(1)


def _summary(root: Path, file: str, uses: list[ListUse]) -> dict[str, Any]:
    name, _, ending = file.rpartition(".")
    used_by = sorted({use.user for use in uses if use.list == file})
    row: dict[str, Any] = {"name": name, "kind": "translation" if ending == "csv" else "codes"}
    try:
        known = _translation(root, name) if ending == "csv" else read_codes(root, name)
    except ConfigurationError as error:
        return {**row, "version": "", "validity": "", "entries": 0, "source": f"✗ {error.what}", "used_by": used_by}
    if isinstance(known, CodeList):
        told = {"version": known.version, "validity": str(known.validity), "entries": len(known.codes)}
        return {**row, **told, "source": known.source or known.uri, "used_by": used_by}
    return {
        **row,
        "version": "",
        "validity": "",
        "entries": len(known.entries),
        "source": _comment(root, file),
        "used_by": used_by,
    }


def _translation(root: Path, name: str) -> Translation:
    """The translation; of one with columns of its own the last, for each has as many entries."""
    try:
        return read_translation(root, name)
    except UnknownColumn:
        columns, _ = read_rows(translation_file(root, name))
        return read_translation(root, name, columns[-1])


def _comment(root: Path, file: str) -> str:
    """The line on top of a translation, which says what it decides and where it is from."""
    first = (root / "mappings" / "codelists" / file).read_text("utf-8-sig").partition("\n")[0]
    return first.removeprefix("#").strip() if first.startswith("#") else ""


def _files(root: Path, names: list[str]) -> list[str]:
    """The files that are meant; a name without ending means all lists of this name."""
    known = list_files(root)
    for name in names:
        if name not in known and not any(file.rpartition(".")[0] == name for file in known):
            raise ConfigurationError(
                f"there is no code list '{name}'", where="mappings/codelists", expected=", ".join(known),
                helps=nearest(name, [*known, *(file.rpartition(".")[0] for file in known)]),
            )  # fmt: skip
    return [file for file in known if not names or file in names or file.rpartition(".")[0] in names]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text) if text else datetime.now(BERLIN).date()
    except ValueError:
        raise ConfigurationError("--on is no day", expected="2026-04-01") from None


def _given_name(name: str) -> str:
    """A name is used as it is given or not at all: another would be a file that nobody asked for."""
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"'{name}' is no name of a code list", expected="small letters, digits, . and -")
    return name


def _own_name(text: str) -> str:
    name = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")
    if not _NAME.fullmatch(name):
        raise ConfigurationError("the file does not say what the list is called", helps="--name NAME")
    return name


def _lost(root: Path, old: CodeList, new: CodeList) -> list[ListUse]:
    """Rules that write a code which the new version does not have."""
    uses = (use for use in find_uses(root) if use.list == f"{old.name}.yaml")
    return [use for use in uses if use.code is not None and use.code in old.codes and use.code not in new.codes]


def _print_findings(findings: list[Finding], count: int) -> None:
    for finding in findings:
        say(f"{finding.severity}: {finding.line()}")
    errors, warnings = (sum(f.severity == word for f in findings) for word in ("error", "warning"))
    say(f"{count} code lists, {errors} errors, {warnings} warnings")


def _report(new: CodeList, changes: Changes | None, lost: list[ListUse], result: str, *, as_json: bool) -> None:
    if as_json:
        emit(_as_dict(new, changes, lost, result))
        return
    if changes is not None:
        for line in _change_lines(changes):
            say(line)
        for use in lost:
            say(f"warning: {use.place}: '{use.user}' writes the removed code '{use.code}' to {use.rule}")
    words = {
        "refused": "lies there in another version; nothing was written; --update overwrites it",
        "unchanged": "lies there already, unchanged",
        "written": f"{len(new.codes)} codes written",
    }
    say(f"mappings/codelists/{new.name}.yaml (version {new.version}): {words[result]}", err=result == "refused")


def _as_dict(new: CodeList, changes: Changes | None, lost: list[ListUse], result: str) -> dict[str, Any]:
    return {
        "name": new.name,
        "version": new.version,
        "entries": len(new.codes),
        "result": result,
        "added": dict(changes.added) if changes else {},
        "removed": dict(changes.removed) if changes else {},
        "renamed": {code: list(names) for code, names in changes.renamed.items()} if changes else {},
        "lost": [{"mapping": use.user, "place": str(use.place), "code": use.code} for use in lost],
    }


def _change_lines(changes: Changes) -> Iterable[str]:
    yield from _some("added", [f"{code} {name}" for code, name in changes.added.items()])
    yield from _some("removed", [f"{code} {name}" for code, name in changes.removed.items()])
    yield from _some("renamed", [f"{code} {old} → {new}" for code, (old, new) in changes.renamed.items()])


def _some(word: str, lines: list[str]) -> Iterable[str]:
    yield from (f"{word}: {line}" for line in lines[:_SHOWN])
    if len(lines) > _SHOWN:
        yield f"{word}: and {len(lines) - _SHOWN} more (--json shows all)"
