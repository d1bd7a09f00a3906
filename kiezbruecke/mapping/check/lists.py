"""The code lists of the content, as rules name them: with the nearest name where there is none."""

from __future__ import annotations

from pathlib import Path

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.codelists.reading import CodeList, Translation, read_codes, read_translation
from kiezbruecke.mapping.language.findings import nearest


class ListNames:
    """The code lists that lie in the content, for questions and suggestions."""

    def __init__(self, content: Path) -> None:
        self._content = content

    def translation(self, name: str) -> Translation:
        """A translation; raises ConfigurationError with the nearest name."""
        self._require(name, ".csv")
        return read_translation(self._content, name)

    def codes(self, name: str) -> CodeList:
        """A standard's codes; raises ConfigurationError with the nearest name."""
        self._require(name, ".yaml")
        return read_codes(self._content, name)

    def _require(self, name: str, suffix: str) -> None:
        folder = self._content / "mappings" / "codelists"
        names = sorted(file.stem for file in folder.glob(f"*{suffix}"))
        if name not in names:
            raise ConfigurationError(
                f"there is no code list '{name}{suffix}'", expected=", ".join(names), helps=nearest(name, names)
            )
