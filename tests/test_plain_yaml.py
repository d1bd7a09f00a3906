"""Route and process files mean what YAML 1.2 says, whichever parser reads them; what is wrong has its place."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml as pyyaml
from ruamel.yaml import YAML

from kiezbruecke import plain_yaml as reading
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.plain_yaml import place_of, read_yaml

ROOT = Path(__file__).resolve().parents[1]
FILES = [*sorted((ROOT / "mappings/routes").rglob("*.yaml")), *sorted((ROOT / "mappings/processes").glob("*.yaml"))]
WORDS = {  # word: what YAML 1.2's core schema says, and days
    "no": "no",
    "on": "on",
    "y": "y",
    "true": True,
    "FALSE": False,
    "~": None,
    "": None,
    "null": None,
    "010": "010",
    "0815": "0815",
    "12:30:45": "12:30:45",
    "0o10": 8,
    "0x1F": 31,
    "+12": 12,
    "1:30": "1:30",
    ".5": 0.5,
    "1.": 1.0,
    "12e03": 12000.0,
    ".inf": float("inf"),
    "1_000": "1_000",
    "0b11": "0b11",
    "2026-01-01": date(2026, 1, 1),
    '"2026-01-01"': "2026-01-01",
    "'010'": "010",
    "Straße": "Straße",
}
LOOSER = ("1_000", "0b11", "010", "0815")  # here ruamel still takes what YAML 1.2 dropped, or counts


@pytest.fixture(params=["libyaml", "python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the C parser, and as on a machine that has none."""
    if request.param == "python":
        slow = type("Slow", (pyyaml.BaseLoader,), {"yaml_implicit_resolvers": reading.Loader.yaml_implicit_resolvers})
        monkeypatch.setattr(reading, "Loader", slow)
    reading._parsed.cache_clear()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_shipped_files_read_as_with_the_parser_of_the_mappings(parser: None, file: Path) -> None:
    """One content, one YAML."""
    assert read_yaml(file) == YAML().load(file.read_text("utf-8"))


@pytest.mark.parametrize("word", WORDS)
def test_a_word_means_what_yaml_1_2_says(parser: None, word: str, tmp_path: Path) -> None:
    """`no` is Norway's, not false; 010 is neither eight nor ten, but a number of somebody's list."""
    file = _written(tmp_path, f"key: {word}\n")
    value = read_yaml(file)["key"]

    assert (value, type(value)) == (WORDS[word], type(WORDS[word]))
    assert word in LOOSER or YAML().load(file.read_text("utf-8"))["key"] == WORDS[word]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: 1\na: 2\n", 2, 1),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", 4, 3),
        ("a: 1\nb: [", 3, 1),
        ("ä: b: c\n", 1, 5),
        ("a: !!python/name:os.system x\n", 1, 4),
        ("a: &x [*x]\n", 1, 4),
        ("a: 2026-02-31\n", 1, 4),
        ("no: 1\n1: 2\n", 2, 1),
        ("a: &x {b: 1}\nc: {<<: *x}\n", 2, 5),
        ("a: 1\n---\nb: 2\n", 2, 1),
    ],
)
def test_what_is_no_data_is_refused_at_its_place(
    parser: None, text: str, line: int, column: int, tmp_path: Path
) -> None:
    """A key that stands twice would let one of both win, silently."""
    file = _written(tmp_path, text)
    with pytest.raises(ConfigurationError) as refused:
        read_yaml(file)

    where = refused.value.where.removeprefix(f"{file}:")
    assert where == f"{line}:{column}" or (text.endswith("[") and where == "2:5")  # the end of it, or where it opened


@pytest.mark.parametrize("text", ["a: " + "[" * 100_000, "a: " + "{a: " * 3000 + "1" + "}" * 3000])
def test_nesting_ends_the_file_and_not_the_process(text: str, tmp_path: Path) -> None:
    """The C parser calls itself for every level: a scheduler died of one odd file."""
    with pytest.raises(ConfigurationError, match="nested too deeply"):
        read_yaml(_written(tmp_path, text))


def test_a_place_is_that_of_the_deepest_key_that_is_there(tmp_path: Path) -> None:
    """An error about what is missing points to where it belongs."""
    file = _written(tmp_path, "a: 1\nb:\n  - c: 2\n    d: 3\n")

    assert place_of(file, ("b", 0, "d")) == f"{file}:4:5"
    assert place_of(file, ("b", 0, "missing")) == f"{file}:3:5"
    assert place_of(file, ("missing",)) == f"{file}:1:1"


def _written(folder: Path, text: str) -> Path:
    file = folder / "file.yaml"
    file.write_text(text, "utf-8")
    return file
