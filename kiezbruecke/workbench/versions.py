"""Opens a mapping as somebody names it: by its name, by a path, or as it was at a git revision.

case-xdomea-0401         the content's own
drafts/mapping.yaml      a file (or its folder) somewhere else, read as if it lay in the content
case-xdomea-0401@HEAD~3  the mapping, the code lists and the schemas of that revision
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.cache import load_mapping
from kiezbruecke.mapping.loading import DIRECTIONS, Mapping

_MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class Version:
    """A loaded mapping and the content that it stands in, for as long as it is open."""

    mapping: Mapping
    content: Path


@contextmanager
def opened(text: str, content: Path) -> Iterator[Version]:
    """The mapping that `text` names; raises ConfigurationError."""
    name, at, revision = text.partition("@")
    if at and not Path(text).exists():
        with _at_revision(content, revision) as then:
            yield Version(load_mapping(name, then), then)
    elif "/" in text or text.endswith(".yaml"):
        with from_file(Path(text), content) as (found, there):
            yield Version(load_mapping(found, there), there)
    else:
        yield Version(load_mapping(text, content), content)


@contextmanager
def _at_revision(content: Path, revision: str) -> Iterator[Path]:
    git = shutil.which("git")
    if git is None:
        raise ConfigurationError("git is not installed", where=f"@{revision}", helps="give a path instead")
    if not revision or revision.startswith("-"):
        raise ConfigurationError(f"'{revision}' is no revision", expected="NAME@HEAD, NAME@v1.2")
    command = [git, "-C", str(content), "archive", "--format=tar", revision, "mappings", "schemas"]
    found = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - a list, no shell
    if found.returncode:
        said = (found.stderr.decode(errors="replace").strip().splitlines() or ["?"])[0]
        raise ConfigurationError("git knows no such content", where=f"@{revision}", helps=said)
    with TemporaryDirectory(prefix="kiezbruecke-") as folder:
        with tarfile.open(fileobj=io.BytesIO(found.stdout)) as archive:
            archive.extractall(folder, filter="data")
        _link(content, Path(folder), "var")  # the official schemas lie there; they are in no revision
        yield Path(folder)


@contextmanager
def from_file(path: Path, content: Path) -> Iterator[tuple[str, Path]]:
    """The mapping's name and a content in which it stands in the place of its namesake."""
    file = (path / "mapping.yaml" if path.is_dir() else path).resolve()
    name, direction = _names(file)
    own = file.parents[3] if len(file.parents) > 3 else file.parent
    if file == own / "mappings" / direction / name / "mapping.yaml" and (own / "schemas").is_dir():
        yield name, own
        return
    with TemporaryDirectory(prefix="kiezbruecke-") as folder:
        there = Path(folder)
        for shared in ("schemas", "var"):
            _link(content, there, shared)
        for part in (content / "mappings").iterdir():
            if part.name not in DIRECTIONS:
                _link(content / "mappings", there / "mappings", part.name)
        for known in DIRECTIONS:
            for other in (content / "mappings" / known).glob("*"):
                if other.name != name:
                    _link(content / "mappings" / known, there / "mappings" / known, other.name)
        home = there / "mappings" / direction / name
        home.mkdir(parents=True)
        shutil.copyfile(file, home / "mapping.yaml")
        if (file.parent / "examples").is_dir():
            _link(file.parent, home, "examples")
        yield name, there


def _names(file: Path) -> tuple[str, str]:
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise ConfigurationError("the file is too large", where=str(file), expected=f"at most {_MAX_BYTES} bytes")
        body = YAML(typ="safe", pure=True).load(file.read_text("utf-8"))
        name, direction = str(body["name"]), str(body["direction"])
    except (OSError, UnicodeDecodeError, YAMLError, TypeError, KeyError):
        raise ConfigurationError("no mapping can be read there", where=str(file), expected="a mapping.yaml") from None
    if direction not in DIRECTIONS or Path(name).name != name:
        raise ConfigurationError("name and direction are wrong", where=str(file), expected="see docs/how-to/mapping.md")
    return name, direction


def _link(source: Path, goal: Path, name: str) -> None:
    if (source / name).exists():
        goal.mkdir(parents=True, exist_ok=True)
        (goal / name).symlink_to((source / name).resolve())
