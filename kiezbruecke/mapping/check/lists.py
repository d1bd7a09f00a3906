"""The code lists of the content, as rules name them: with the nearest name where there is none."""

from __future__ import annotations

from pathlib import Path

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.codelists.reading import CodeList, Translation, read_codes, read_translation
from kiezbruecke.mapping.language.definition import Lookup
from kiezbruecke.mapping.language.findings import nearest

_OTHER = {".csv": ".yaml", ".yaml": ".csv"}
_INSTEAD = {
    ".csv": "'{0}' holds a standard's codes: code: {{list: {0}}}",
    ".yaml": "'{0}' is a translation: codelist: {0}",
}


class ListNames:
    """The code lists that lie in the content, for questions and suggestions."""

    def __init__(self, content: Path) -> None:
        self._content = content

    def translation(self, lookup: Lookup) -> Translation:
        """A translation; raises ConfigurationError with the nearest name, of a column UnknownColumn."""
        self._require(lookup.list, ".csv")
        return read_translation(self._content, lookup.list, lookup.column, folds=lookup.fold)

    def codes(self, name: str) -> CodeList:
        """A standard's codes; raises ConfigurationError with the nearest name."""
        self._require(name, ".yaml")
        return read_codes(self._content, name)

    def _require(self, name: str, suffix: str) -> None:
        names = self._names(suffix)
        if name in names:
            return
        bare, _, ending = name.rpartition(".")
        if f".{ending}" == suffix and bare in names:
            helps = f"without its ending: {bare}"
        elif name in self._names(_OTHER[suffix]):
            helps = _INSTEAD[suffix].format(name)
        else:
            helps = nearest(name, names)
        shown = name if f".{ending}" == suffix else f"{name}{suffix}"
        raise ConfigurationError(f"there is no code list '{shown}'", expected=", ".join(names), helps=helps)

    def _names(self, suffix: str) -> list[str]:
        folder = self._content / "mappings" / "codelists"
        return sorted(file.stem for file in folder.glob(f"*{suffix}"))
