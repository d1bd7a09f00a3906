"""Finds the templates of documents and lets them speak: content of a district, not code of ours.

    mappings/documents/<name>/*.typ  +  values as JSON  ──▶  PDF

A template sees its own folder and its data. It can neither load packages from the network nor read data as markup:
what a resident wrote stays text.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from kiezbruecke.documents.letters import FONTS, shown
from kiezbruecke.documents.press import PressError, press
from kiezbruecke.documents.sample import samples_of
from kiezbruecke.errors import ConfigurationError, RecordError

DEFAULT: Final = "kiezkasse"
PARTS: Final = ("vorschlag", "beschluss")  # of every folder; those that people sign (`drafts.py`) only where wanted

_NAME = re.compile(r"[a-z][a-z0-9-]{1,59}")
_FORBIDDEN = {
    re.compile(r"\b(?:import|include)\b(?! \"[\w-]+\.typ\")"): 'import "file.typ" with a file of this folder',
    re.compile(r"\beval\b"): "no eval: data must stay data",
}


@dataclass(frozen=True)
class Templates:
    """A folder of templates, one file for each document of a case; its sources were looked at."""

    folder: Path

    @property
    def digest(self) -> str:
        """SHA-256 of the files: with other ones the same values give another document."""
        found = hashlib.sha256()
        for file in sorted(file for file in self.folder.rglob("*") if file.is_file()):
            found.update(f"{file.relative_to(self.folder)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
        return found.hexdigest()

    def typeset(self, part: str, values: Mapping[str, Any], day: date) -> bytes:
        """The PDF of one part, dated by its day; same values, same bytes.

        Raises RecordError (German, without the values) where these values cannot be set, and ConfigurationError
        (file, line, what) where the template cannot set any.
        """
        try:
            return self._press(part, values, day)
        except PressError as error:
            self.check(part)
            raise RecordError(
                "Das Dokument lässt sich aus diesen Angaben nicht setzen", where=f"{self.folder.name}/{error.place}"
            ) from None

    def check(self, part: str) -> None:
        """Set a made-up case; raises ConfigurationError for the first error or warning of the template."""
        for values, day in samples_of(part):
            try:
                self._press(part, values, day, strict=True)
            except PressError as error:
                raise ConfigurationError(error.what, where=f"{self.folder}/{error.place}") from None

    def _press(self, part: str, values: Mapping[str, Any], day: date, *, strict: bool = False) -> bytes:
        if not (self.folder / f"{part}.typ").is_file():
            raise ConfigurationError("the template is missing", where=f"{self.folder / part}.typ")
        data = json.dumps({**shown(values), "day": {"year": day.year, "month": day.month, "day": day.day}})
        moment = int(datetime.combine(day, time(), UTC).timestamp())
        return press(self.folder / f"{part}.typ", FONTS, data, moment, strict=strict)


def find_templates(content: Path, name: str = DEFAULT) -> Templates:
    """The templates `mappings/documents/<name>`; raises ConfigurationError for what must not stand there."""
    home = content / "mappings" / "documents"
    folder = home / name
    if not _NAME.fullmatch(name) or not folder.is_dir():
        known = ", ".join(sorted(one.name for one in home.glob("*") if one.is_dir()))
        raise ConfigurationError(f"no documents are called '{name}'", where=str(home), expected=known)
    _look_at(folder.resolve(), tuple((file, file.lstat().st_mtime_ns) for file in sorted(folder.iterdir())))
    return Templates(folder.resolve())


@lru_cache(maxsize=64)
def _look_at(folder: Path, files: tuple[tuple[Path, int], ...]) -> None:
    """Raises ConfigurationError for what a template must not do; again when a file has changed."""
    for part in PARTS:
        if not (folder / f"{part}.typ").is_file():
            raise ConfigurationError("the template is missing", where=f"{folder / part}.typ")
    for problem in (problem for file, _ in files for problem in _problems(file)):
        raise problem


def _problems(file: Path) -> Iterator[ConfigurationError]:
    if file.is_symlink():
        yield ConfigurationError("leads out of the folder", where=str(file), expected="a file")
    elif file.suffix == ".typ":
        for number, text in enumerate(file.read_text("utf-8").splitlines(), 1):
            for forbidden, expected in _FORBIDDEN.items():
                if found := forbidden.search(text):
                    where = f"{file}:{number}:{found.start() + 1}"
                    yield ConfigurationError(f"'{found[0]}' is not allowed here", where=where, expected=expected)
