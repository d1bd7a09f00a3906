"""A made-up effect, put where effects and content stand: nothing else is told of it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from importlib import invalidate_caches
from pathlib import Path

import pytest

from kiezbruecke import effects, plugins

ROOT = Path(__file__).parents[2]
LETTER = Path(__file__).with_name("letter")


@pytest.fixture(scope="module")
def letter_effect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The effect's file lies in a room of the effects, as if it were installed."""
    room = tmp_path_factory.mktemp("effects")
    shutil.copy(LETTER / "effects" / "letter_write.py", room)
    effects.__path__.append(str(room))
    _look_again()
    yield
    effects.__path__.remove(str(room))
    sys.modules.pop("kiezbruecke.effects.letter_write", None)
    vars(effects).pop("letter_write", None)
    _look_again()


@pytest.fixture
def letters(letter_effect: None, tmp_path: Path) -> Path:
    """The shipped content with the letter's mapping and route beside it."""
    return content_with_letters(tmp_path / "content")


def content_with_letters(copy: Path) -> Path:
    """A copy of the shipped content with the letter's mapping and route."""
    for folder in ("mappings", "schemas"):
        shutil.copytree(ROOT / folder, copy / folder)
    shutil.copytree(LETTER / "content", copy, dirs_exist_ok=True)
    return copy


def _look_again() -> None:
    invalidate_caches()
    plugins.effects.cache_clear()
