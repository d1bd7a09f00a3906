"""`check`: what is wrong with a mapping, with file, line and what helps."""

from __future__ import annotations

import typer

from kiezbruecke.cli.mapping.app import Content, Json, Names, app, print_json, stop
from kiezbruecke.content import find_content
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.mapping import Finding, check, mapping_names


@app.command("check")
def check_mappings(names: Names = None, content: Content = None, as_json: Json = False) -> None:
    """Find what is wrong before anything is sent; exit code 1 where there are errors."""
    try:
        root = find_content(content)
        findings = [finding for name in names or mapping_names(root) for finding in check(name, root)]
    except KiezbrueckeError as error:
        stop(error, as_json=as_json)
    if as_json:
        print_json(finding.as_dict() for finding in findings)
    else:
        _print_findings(findings, len(names or mapping_names(root)))
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(1)


def _print_findings(findings: list[Finding], count: int) -> None:
    for finding in findings:
        typer.echo(f"{finding.severity}: {finding.line()}")
    errors = sum(finding.severity == "error" for finding in findings)
    typer.echo(f"{count} mappings, {errors} errors, {len(findings) - errors} warnings")
