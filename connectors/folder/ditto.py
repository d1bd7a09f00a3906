"""`wie oben`: a clerk's word for the value of the line above, understood where a value is the same for a whole list."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_WORDS = {"wieoben", "w.o.", "dto", "dto.", "dito", "ditto"}
_SIGNS = re.compile(r"""[-–—]*(?:["„“”″〃]|['’′]{2})+[-–—]*""")


@dataclass
class Above:
    """What the lines read so far say in the columns that may be repeated: their names by key."""

    names: Mapping[str, str]
    row: int = 0
    values: dict[str, str] = field(default_factory=dict)

    def resolve(self, row: int, values: dict[str, str]) -> tuple[list[str], str]:
        """Put in what stood above; the problems where nothing did, and a note for the report."""
        problems, taken = [], []
        for key, name in self.names.items():
            if not is_ditto(values.get(key, "")):
                continue
            if above := self.values.get(key):
                values[key] = above
                taken.append(name)
            else:
                values[key] = ""
                problems.append(f"„{name}“ verweist auf die Zeile darüber, dort steht aber nichts.")
        note = f"{_listed(taken)} aus Zeile {self.row} übernommen." if taken else ""
        self.row, self.values = row, {key: values[key] for key in self.names if values.get(key)}
        return problems, note


def is_ditto(text: str) -> bool:
    """Whether a cell says: as above."""
    bare = "".join(text.split()).casefold()
    return bare in _WORDS or _SIGNS.fullmatch(bare) is not None


def _listed(names: Sequence[str]) -> str:
    return " und ".join(f"„{name}“" for name in names)
