"""Findings as SARIF 2.1.0, which code hosts show beside the lines of a merge request.

Standard: OASIS, Static Analysis Results Interchange Format 2.1.0, §3.13 to §3.30.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kiezbruecke import __version__
from kiezbruecke.mapping.language.findings import CODES, Finding
from kiezbruecke.workbench.findings import HELP

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "CONTENT"


def sarif(findings: Iterable[Finding]) -> dict[str, Any]:
    """One run with all rules and one result per finding; files are named from the content root."""
    codes = list(CODES)
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "kiezbruecke", "version": __version__, "rules": list(map(_rule, codes))}},
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {_ROOT: {"description": {"text": "The folder with mappings/ and schemas/."}}},
                "results": [_result(finding, codes) for finding in findings],
            }
        ],
    }


def _rule(code: str) -> dict[str, Any]:
    return {
        "id": code,
        "shortDescription": {"text": CODES[code]},
        "help": {"text": HELP[code].text},
    }


def _result(finding: Finding, codes: list[str]) -> dict[str, Any]:
    parts = (finding.message, finding.expected and f"expected {finding.expected}", finding.helps)
    found: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": finding.severity,
        "message": {"text": "; ".join(part for part in parts if part)},
        "locations": [_location(finding)],
    }
    return found


def _location(finding: Finding) -> dict[str, Any]:
    physical = {
        "artifactLocation": {"uri": finding.place.file, "uriBaseId": _ROOT},
        "region": {"startLine": finding.place.line, "startColumn": finding.place.column},
    }
    logical = [{"fullyQualifiedName": finding.rule}] if finding.rule else []
    return {"physicalLocation": physical} | ({"logicalLocations": logical} if logical else {})
