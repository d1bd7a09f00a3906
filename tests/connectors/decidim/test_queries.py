"""Our queries against their schema: what we ask exists, in every version that we ask it of."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import requests
from graphql import build_schema, parse, validate

from connectors.decidim._schema import VERSIONS, schema_of
from connectors.decidim.api import document

FOLDER = Path(str(resources.files("connectors.decidim")))
READINGS = {
    "process": ["process"],
    "kind": ["kind"],
    "schema": ["schema"],
    "version": ["version"],
    "standing": ["standing"],
    "proposals": ["proposals", "proposal_newer"],
    "projects": ["projects", "project_newer"],
}
OLDER = {
    **READINGS,
    "proposals": ["proposals", "proposal_older"],
    "projects": ["projects", "project_older"],
}


def test_every_file_is_a_query_that_is_asked() -> None:
    """A file that no test names is validated by nobody."""
    used = {name for files in (READINGS, OLDER) for names in files.values() for name in names} | {"answer"}

    assert {file.stem for file in (FOLDER / "queries").glob("*.graphql")} == used


@pytest.mark.parametrize("names", [*READINGS.values(), *OLDER.values(), ["answer"]], ids="+".join)
def test_a_query_is_valid_against_the_excerpt(names: list[str]) -> None:
    schema = build_schema((FOLDER / "testdata/schema_excerpt.graphql").read_text("utf-8"))

    assert validate(schema, parse(document(*names))) == []


@pytest.mark.parametrize(
    ("version", "names"),
    [
        *(("0.30", names) for names in OLDER.values()),
        *((version, names) for version in ("0.31", "0.32") for names in [*READINGS.values(), ["answer"]]),
    ],
)
def test_a_query_is_valid_in_its_version(version: str, names: list[str]) -> None:
    assert validate(schema_of(version), parse(document(*names))) == []


@pytest.mark.parametrize("names", [["answer"], READINGS["proposals"], READINGS["projects"]], ids="+".join)
def test_what_is_newer_is_not_valid_before(names: list[str]) -> None:
    """Else the sandbox's old version would be none."""
    assert validate(schema_of("0.30"), parse(document(*names))) != []


def test_the_versions_differ() -> None:
    mutations = [schema_of(version).mutation_type for version in VERSIONS]

    assert mutations[0] is None
    assert "ProposalMutation" not in schema_of("0.30").type_map
    assert "createProposal" not in schema_of("0.31").type_map["ProposalsMutation"].fields  # type: ignore[attr-defined]
    assert "createProposal" in schema_of("0.32").type_map["ProposalsMutation"].fields  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("version", "example", "code"),
    [
        ("0.31", "answer_invalid", "ATTRIBUTE_VALIDATION_ERROR"),
        ("0.32", "answer_unauthorized", "MUTATION_NOT_AUTHORIZED_ERROR"),
        ("0.31", "not_found", "NOT_FOUND_ERROR"),
    ],
    indirect=["version"],
)
def test_the_sandbox_answers_as_the_examples_do(site: Any, example: str, code: str) -> None:
    """Word for word where a program reads: code, path, the form of the message."""
    wanted = json.loads((FOLDER / "testdata" / f"{example}.json").read_text("utf-8"))["response"]["body"]["errors"]
    assert wanted[0]["extensions"]["code"] == code
    body = _ask(site, example)

    assert [(one["path"], type(one["message"])) for one in body["errors"]] == [
        (one["path"], type(one["message"])) for one in wanted
    ]
    assert body["errors"][0]["extensions"]["code"] == code


def _ask(site: Any, example: str) -> dict[str, Any]:
    if example == "not_found":
        return dict(_post(site, document("kind"), {"component": "99999"}, ""))
    form = {"api_user[key]": "kb-programm", "api_user[secret]": "sandkasten-2026"}
    token = requests.post(f"{site.running.url}/api/sign_in", data=form, timeout=10).headers["Authorization"]
    state = {"state": "bewilligt"} if example == "answer_invalid" else {"state": "accepted"}
    given = {"component": "9", "proposal": "102", "input": {"attributes": state}}
    return dict(_post(site, document("answer"), given, token if example == "answer_invalid" else ""))


def _post(site: Any, query: str, variables: dict[str, Any], token: str) -> dict[str, Any]:
    headers = {"Authorization": token} if token else {}
    answer = requests.post(
        f"{site.running.url}/api", json={"query": query, "variables": variables}, headers=headers, timeout=10
    )
    body: dict[str, Any] = answer.json()
    return body
