"""Whatever YAML is read, and by whom: what is none, grows or never ends is one line, in time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.folder.table import read_table
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.plain_yaml import read_texts, read_yaml
from kiezbruecke.workbench.example_input import read_input

LEVELS = "bcdefghi"
LAUGHS = "".join(
    f"{name}: &{name} [{', '.join([f'*{below}'] * 10)}]\n" for below, name in zip("a" + LEVELS, LEVELS, strict=False)
)
BAD = {
    "aliases that grow": f"a: &a [{', '.join('x' * 10)}]\n{LAUGHS}",
    "brackets": "a: " + "[" * 20_000,
    "levels": "".join(f"{' ' * level}a:\n" for level in range(1_000)),
    "another charset": b"a: \xfc\n",
    "a tag": "a: !!python/object/apply:os.system [id]\n",
    "a day that is none": "a: 2026-99-99\n",
    "a number without end": f"a: {'9' * 10_000}\n",
    "a list": "- a\n",
    "a key that is a list": "? [a]\n: b\n",
}
DOORS: dict[str, Callable[[Path], object]] = {
    "routes and processes": read_yaml,
    "code lists": read_texts,
    "tables": lambda file: read_table(file.parents[2], file.stem),
    "examples": lambda file: read_input(file, ["case"]),
}
TAKEN = {  # what a reader may make something of; it knows no keys yet
    ("code lists", "a day that is none"),
    ("code lists", "a number without end"),
    ("examples", "aliases that grow"),  # one list in many places, written down nowhere
    ("examples", "a day that is none"),
    ("examples", "a key that is a list"),
}


@pytest.mark.parametrize("how", BAD)
@pytest.mark.parametrize("door", DOORS)
def test_what_is_no_data_is_one_line_in_time(door: str, how: str, tmp_path: Path) -> None:
    """Seen: half a minute, an unexpected error, or 10 GB, by who read it."""
    file = tmp_path / "schemas" / "tables" / "odd.yaml"
    file.parent.mkdir(parents=True)
    content = BAD[how]
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    begun = time.process_time()

    if (door, how) in TAKEN:
        DOORS[door](file)
    else:
        with pytest.raises(ConfigurationError):
            DOORS[door](file)

    assert time.process_time() - begun < 5
