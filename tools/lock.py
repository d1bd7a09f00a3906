"""Reads `requirements.lock`: what is installed, with which hashes, and who asked for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILES = (ROOT / "requirements.lock", ROOT / "tools" / "pip.lock")
OURSELVES, DEVELOPERS = "kiezbruecke (pyproject.toml)", "kiezbruecke (pyproject.toml:dev)"
_PIN = re.compile(r"^(?P<name>[\w.-]+)(\[[^\]]*\])?==(?P<version>[^ ;\\]+)\s*(;\s*(?P<when>[^\\]+))?")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VIA = re.compile(r"^    #(?: via)?\s+(?P<who>\S.*)$")


@dataclass(frozen=True)
class Locked:
    """One pinned package. `when` is the environment that it is for, empty for all; `asked_by` are names of others."""

    name: str
    version: str
    when: str
    hashes: tuple[str, ...]
    asked_by: tuple[str, ...]


def locked() -> list[Locked]:
    """All of the lock, sorted by name and version; one name may stand there twice, for different Pythons."""
    found = [one for file in FILES for one in _read(file.read_text("utf-8"))]
    return sorted(found, key=lambda one: (one.name, one.version))


def shipped(packages: list[Locked]) -> frozenset[str]:
    """The names that whoever installs us gets: asked for by ourselves, or by one that is."""
    found: set[str] = set()
    before = -1
    while before != len(found):
        before = len(found)
        found |= {one.name for one in packages if {OURSELVES, *found} & set(one.asked_by)}
    return frozenset(found)


def normal(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _read(text: str) -> Iterator[Locked]:
    for block in re.split(r"\n(?=[A-Za-z0-9])", text):
        pin = _PIN.match(block)
        if pin is None:
            continue
        asked = [via["who"] for line in block.splitlines() if (via := _VIA.match(line)) and via["who"] != "via"]
        when = (pin["when"] or "").strip()
        names = tuple(one if one in {OURSELVES, DEVELOPERS} else normal(one) for one in asked)
        yield Locked(normal(pin["name"]), pin["version"], when, tuple(_HASH.findall(block)), names)
