"""What can be set, called or go wrong is written down; what is written down as YAML is YAML."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from kiezbruecke.connector import manifests
from kiezbruecke.errors import KiezbrueckeError
from tools import commands

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "connectors").glob("*/README.md")])
OWN = {"connection", "url", "origin", "login", "password"}  # fields of the connection itself, never in its extra


def _errors(root: type[KiezbrueckeError] = KiezbrueckeError) -> Iterator[type[KiezbrueckeError]]:
    yield root
    for below in root.__subclasses__():
        yield from _errors(below)


ERRORS = [error for error in _errors() if error.__module__.startswith(("kiezbruecke.", "connectors."))]


def test_every_error_has_a_code_of_its_own() -> None:
    """Operators search for it; a class that says nothing else shares no code with its parent."""
    codes = Counter(error.code for error in ERRORS if error.__module__ == "kiezbruecke.errors")

    assert max(codes.values()) == 1
    assert all(re.fullmatch(r"KB-\d{3}", code) for code in codes)


@pytest.mark.parametrize("code", sorted({error.code for error in ERRORS}))
def test_every_code_has_a_help_page(code: str) -> None:
    """What is wrong, who acts, what helps."""
    page = (ROOT / "docs/reference/errors.md").read_text("utf-8")
    section = page.partition(f"## {code} ")[2].partition("\n## ")[0]

    assert [word for word in ("**Was ist los:**", "**Wer handelt:**", "**Was hilft:**") if word not in section] == []


def test_no_help_page_is_about_nothing() -> None:
    """A code that nobody raises would be looked for in vain."""
    page = (ROOT / "docs/reference/errors.md").read_text("utf-8")

    assert set(re.findall(r"^## (KB-\d{3})", page, re.MULTILINE)) == {error.code for error in ERRORS}


def test_the_page_of_commands_is_todays() -> None:
    """`python tools/commands.py` writes it from the commands themselves."""
    assert commands.PAGE.read_text("utf-8") == commands.page()


def test_every_command_and_option_says_what_it_does() -> None:
    """Help is the documentation that people have at hand."""
    found = list(commands.commands(commands.typer.main.get_command(commands.app)))
    silent = [words for words, command in found if not command.help]
    options = [
        f"{words} {one.opts[-1]}"
        for words, command in found
        for one in command.params
        if one.param_type_name == "option" and not getattr(one, "help", "") and one.name != "help"
    ]

    assert len(found) > 20
    assert silent == []
    assert options == []


@pytest.mark.parametrize("name", sorted(manifests()))
def test_every_setting_of_a_connector_is_in_its_readme(name: str) -> None:
    """What the form shows and what the settings take."""
    manifest = manifests()[name]
    module, _, cls = manifest.settings.partition(":")
    settings = set(getattr(import_module(module), cls).model_fields) - OWN
    readme = (ROOT / "connectors" / name / "README.md").read_text("utf-8")

    assert sorted(field for field in {*manifest.fields, *settings} if f"`{field}`" not in readme) == []


@pytest.mark.parametrize("name", sorted(name for name, one in manifests().items() if one.sandbox))
def test_every_fault_switch_is_written_down(name: str) -> None:
    """In the connector's README or beside the switch itself."""
    module = import_module(str(manifests()[name].sandbox).partition(":")[0])
    readme = (ROOT / "connectors" / name / "README.md").read_text("utf-8")
    source = Path(str(module.__file__)).read_text("utf-8")
    told = [fault for fault in module.FAULTS if f"`{fault}`" in readme or re.search(rf'"{fault}",  # \w', source)]

    assert sorted(set(module.FAULTS) - set(told)) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_yaml_block_can_be_read(page: Path) -> None:
    """People copy them."""
    blocks = re.findall(r"^```ya?ml\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)

    assert all(YAML(typ="safe", pure=True).load(block) is not None for block in blocks)
