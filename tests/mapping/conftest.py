"""A content root of its own for each test, so that no test depends on the mappings we ship."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from shutil import copyfile

import pytest

from kiezbruecke.cli.mapping import load
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping import Mapping, check_mapping, load_mapping
from kiezbruecke.mapping.language.findings import Finding

load()  # the commands that tests call by the group; else it has those that another module happened to load

DATA = Path(__file__).parent / "data"
CODES = {
    "xdomea-nachrichtentyp": (
        'uri: "urn:xoev-de:xdomea:codeliste:nachrichtentyp"\nversion: "3.0"\nwrite_names: true\n'
        'codes: {"0401": Abgabe.Abgabe}\n'
    ),
    "xdomea-medium": ('uri: "urn:xoev-de:xdomea:codeliste:medium"\nversion: "1.0"\ncodes: {"001": Elektronisch}\n'),
    "xdomea-dateiformat": (
        'uri: "urn:xoev-de:xdomea:codeliste:dateiformat"\nversion: "2.0"\nwrite_names: true\n'
        'codes: {"018": Portable Document Format}\n'
    ),
    "hash": (
        'uri: "urn:xoev-de:kosit:codeliste:xta.serviceprofile.kryptographische-algorithmen"\nversion: "1.0.0"\n'
        "codes: {SHA-512: SHA-512}\n"
    ),
}


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """A content root with the draft's profile of xdomea 0401 and the code lists it needs."""
    for folder in ("mappings/routes", "mappings/codelists", "schemas/xdomea/4.0.0", "schemas/tables"):
        (tmp_path / folder).mkdir(parents=True)
    copyfile(DATA / "profile-0401.xsd", tmp_path / "schemas/xdomea/4.0.0/profile.xsd")
    for name, text in CODES.items():
        (tmp_path / "mappings/codelists" / f"{name}.yaml").write_text(text, "utf-8")
    return tmp_path


Put = Callable[[str, str], Path]


@pytest.fixture
def put(content: Path) -> Put:
    """Writes a file into the content root."""

    def write(path: str, text: str) -> Path:
        file = content / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        return file

    return write


Load = Callable[[str], Mapping]


def loading(content: Path, put: Put, head: str, name: str = "out") -> Load:
    """Loads an outbound mapping: its head, and the rules that a test adds."""

    def of(rules: str) -> Mapping:
        put(f"mappings/outbound/{name}/mapping.yaml", head + rules)
        return load_mapping(name, content)

    return of


def findings(load: Load, content: Path, rules: str, name: str = "out") -> list[Finding]:
    """What check says of a mapping with these rules, whether it can be loaded or not."""
    with suppress(ConfigurationError):
        load(rules)
    return check_mapping(name, content)
