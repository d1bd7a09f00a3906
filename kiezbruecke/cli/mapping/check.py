"""`check`: what is wrong with a mapping, with file, line and what helps."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from kiezbruecke.cli.mapping.app import Content, Json, Names, app, print_json, stop
from kiezbruecke.cli.output import console, say
from kiezbruecke.cli.streams import speaks_unicode
from kiezbruecke.content import find_content
from kiezbruecke.content.texts import read_texts, text_sets
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.machine import write_file
from kiezbruecke.mapping import Finding, mapping_names
from kiezbruecke.workbench.example_check import check_whole
from kiezbruecke.workbench.sarif import sarif

Sarif = Annotated[str | None, typer.Option("--sarif", help="Write SARIF 2.1.0 into this file; - is standard output.")]
Strict = Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")]
_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


@app.command("check")
def check_mappings(
    names: Names = None,
    content: Content = None,
    sarif_file: Sarif = None,
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Find what is wrong before anything is sent; exit code 1 where there are errors."""
    try:
        root = find_content(content)
        checked = names or mapping_names(root, abstract=True)
        if not names:
            for folder in text_sets(root).values():
                read_texts(folder)
        findings = list(dict.fromkeys(finding for name in checked for finding in check_whole(name, root)))
        if sarif_file is not None:
            _write_sarif(findings, sarif_file)
    except KiezbrueckeError as error:
        stop(error, as_json=as_json)
    if as_json:
        print_json(finding.as_dict() for finding in findings)
    elif sarif_file != "-":
        _print_findings(findings, len(checked))
    if any(finding.severity == "error" or (strict and finding.severity == "warning") for finding in findings):
        raise typer.Exit(1)


def _write_sarif(findings: Sequence[Finding], file: str) -> None:
    text = json.dumps(sarif(findings), ensure_ascii=file == "-" and not speaks_unicode(), indent=2)
    if file == "-":
        say(text)
        return
    write_file(Path(file), f"{text}\n", folders=False)


def _print_findings(findings: Sequence[Finding], count: int) -> None:
    """Plain lines for a pipe; on a terminal one heading per file."""
    if sys.stdout.isatty():
        _print_grouped(findings)
    else:
        for finding in findings:
            say(f"{finding.severity}: {finding.line()}")
    errors = sum(finding.severity == "error" for finding in findings)
    warnings = sum(finding.severity == "warning" for finding in findings)
    say(f"{count} mappings, {errors} errors, {warnings} warnings")


def _print_grouped(findings: Sequence[Finding]) -> None:
    wide = console()
    for file, found in groupby(sorted(findings, key=_file), key=_file):
        wide.print(Text(file, style="bold"))
        for finding in found:
            place = f"  {finding.place.line}:{finding.place.column} "
            line = finding.line().removeprefix(f"{finding.place}: ")
            wide.print(Text.assemble(place, (finding.severity, _COLOURS[finding.severity]), f" {line}"))


def _file(finding: Finding) -> str:
    return finding.place.file
