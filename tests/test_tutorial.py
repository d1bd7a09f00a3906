"""Tutorial and how-to run as they are written: files written, changes made, commands called, outputs compared."""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kiezbruecke.cli.main import app

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/tutorial/first-mapping.md"
WALKED = (PAGE, ROOT / "docs/how-to/own-sources.md")
BLOCK = re.compile(r"^<!-- (walk|file|change|part of)(?:: ([^\n]+))? -->\n```\w+\n(.*?)^```", re.DOTALL | re.MULTILINE)
COUNT = re.compile(r"^\W*\d+|\(\d+ of them")  # what `try` counts: the reasons are the promise


@dataclass(frozen=True, slots=True)
class Block:
    """One block of the page: what is to be done (`walk`, `file` …), with what, and its text."""

    task: str
    about: str
    text: str

    @classmethod
    def all_of(cls, page: str) -> list[Block]:
        """The page's marked blocks, in its order."""
        return [cls(*found) for found in BLOCK.findall(page)]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as the reader has it: the shipped content, the tutorial's schemas, and nothing in `var`."""
    for folder in ("mappings", "schemas", "docs/tutorial/zuwendungsmeldung"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KIEZBRUECKE_CONTENT", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "300")
    for variable in ("KIEZBRUECKE_STATE", "KIEZBRUECKE_SCHEMA_STORE", "KIEZBRUECKE_OFFICIAL"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


@pytest.mark.parametrize("page", WALKED, ids=lambda page: page.stem)
def test_a_page_works_as_it_is_written(checkout: Path, page: Path) -> None:
    """A reader's first hour: one wrong line there costs more than a wrong line anywhere else."""
    wrong = [line for block in Block.all_of(page.read_text("utf-8")) for line in _go(block, checkout)]

    assert wrong == []


def test_the_tutorial_is_walked_whole() -> None:
    """A block without a marker would not be run: only what needs `make demo`, or clears away, may go without."""
    page = PAGE.read_text("utf-8")
    marked = {block.text for block in Block.all_of(page)}
    blocks = re.findall(r"^```\w+\n(.*?)^```", page, re.DOTALL | re.MULTILINE)

    assert [text.split()[:3] for text in blocks if text not in marked] == [
        ["$", "kiezbruecke", "mapping"],
        ["rm", "-r", "mappings/outbound/zuwendung-melden"],
    ]


def _go(block: Block, checkout: Path) -> list[str]:
    """Do what the block says; the page's lines that are not true."""
    match block.task:
        case "file":
            (checkout / block.about).parent.mkdir(parents=True, exist_ok=True)
            (checkout / block.about).write_text(block.text, "utf-8")
        case "change":
            return _change(checkout / block.about, block.text)
        case "part of":
            return [] if block.text in (checkout / block.about).read_text("utf-8") else [f"not in {block.about}"]
        case "walk":
            return _walk(block)
    return []


def _change(file: Path, diff: str) -> list[str]:
    """Make a change, hunk by hunk: what begins with `-` or a blank stands there, once and on end."""
    for hunk in re.findall(r"(?:^[- ].*\n)+(?:^\+.*\n)*", diff, re.MULTILINE):
        lines = hunk.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] in "- ")
        new = "".join(line[1:] for line in lines if line[0] in "+ ")
        text = file.read_text("utf-8")
        if len(found := re.findall(f"^{re.escape(old)}", text, re.MULTILINE)) != 1:
            return [f"{file.name} has {len(found)} of {old!r}"]
        file.write_text(re.sub(f"^{re.escape(old)}", lambda _, new=new: new, text, flags=re.MULTILINE), "utf-8")
    return []


def _walk(block: Block) -> list[str]:
    """Call the command; the shown lines that it does not print. Findings may be shown shortened at their end."""
    command, *shown = block.text.splitlines()
    done = CliRunner().invoke(app, shlex.split(command.removeprefix("$ kiezbruecke")))
    mask = COUNT if block.about == "numbers may differ" else None
    printed = [_plain(line, mask) for line in done.output.splitlines()]
    wrong = [line for line in shown if not any(one.startswith(_plain(line, mask)) for one in printed)]
    if done.exit_code != (1 if block.about == "exit 1" else 0):
        wrong.append(f"{command} ended with {done.exit_code}: {done.output}")
    return [f"{command}: {line}" for line in wrong]


def _plain(line: str, mask: re.Pattern[str] | None) -> str:
    """Without the table's lines and widths, which follow the longest value."""
    bare = " ".join(line.replace("│", " ").split())
    return mask.sub("#", bare) if mask else bare
