"""The pictures of the desk: each is taken by `make pictures`, shown on a page, told in words, and small."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "pictures"
SHOWN = re.compile(r"!\[([^\]]*)\]\((?!https?:)([^)\s]+)\)")
MOST_BYTES = 120_000


def _shown() -> list[tuple[Path, str, Path]]:
    """Page, words instead of the picture, file – of every picture on our pages."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return [
        (page, words, (page.parent / target).resolve())
        for page in pages
        for words, target in SHOWN.findall(page.read_text("utf-8"))
    ]


def _taken() -> set[str]:
    """The names that the tool gives to `take`."""
    tree = ast.parse((ROOT / "tools" / "pictures.py").read_text("utf-8"))
    calls = [one for one in ast.walk(tree) if isinstance(one, ast.Call) and ast.unparse(one.func) == "camera.take"]
    return {f"{ast.literal_eval(one.args[1])}.png" for one in calls}


def test_what_is_taken_is_there_and_shown() -> None:
    """A page without its picture explains nothing; one that nobody takes again shows last year's page."""
    there = {file.name for file in FOLDER.iterdir()}

    assert len(there) >= 10
    assert there == _taken()
    assert there == {file.name for _, _, file in _shown() if file.parent == FOLDER}


def test_every_picture_is_told_in_words() -> None:
    """For whoever does not see it, and for a printer that leaves it out."""
    assert [str(page) for page, words, file in _shown() if len(words.split()) < 4 or not file.is_file()] == []


@pytest.mark.parametrize("name", sorted(_taken()))
def test_it_is_small(name: str) -> None:
    """A clone of the repository carries every one of them."""
    body = (FOLDER / name).read_bytes()

    assert body.startswith(b"\x89PNG")
    assert len(body) <= MOST_BYTES


def test_the_front_page_shows_two() -> None:
    """What it looks like, at first sight."""
    assert len({file for page, _, file in _shown() if page == ROOT / "README.md"}) == 2
