"""Looks at every locked package: is its licence compatible with ours (EUPL-1.2), and is a weakness of it known?

python -m tools.audit                         licences; says that no advisories are at hand
python -m tools.audit --advisories PATH       and advisories: a folder or ZIP of OSV records (osv.dev, ecosystem PyPI)

Nothing is fetched: the file with the advisories is brought by whoever may fetch it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from tools.lock import Locked, locked, normal

LICENCES = Path(__file__).with_name("licences.toml")


def main() -> int:
    """Print what is wrong, one line each; 1 where something is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--advisories", type=Path)
    given = parser.parse_args()
    packages = locked()
    wrong = [*licence_problems(packages), *(weaknesses(packages, given.advisories) if given.advisories else ())]
    for line in wrong:
        print(line)
    print(f"{len(packages)} packages: {len(wrong)} problems")
    if not given.advisories:
        print("advisories: not looked at, no database at hand (--advisories FILE: OSV's records for PyPI, all.zip)")
    return bool(wrong)


def listed() -> dict[str, str]:
    """The licence of every package, as an SPDX expression."""
    found: dict[str, str] = tomllib.loads(LICENCES.read_text("utf-8"))["packages"]
    return found


def accepted() -> frozenset[str]:
    """The licences that a work under EUPL-1.2 may rest on."""
    return frozenset(tomllib.loads(LICENCES.read_text("utf-8"))["accepted"])


def licence_problems(packages: list[Locked]) -> Iterator[str]:
    """Packages that nobody has looked at, whose licence does not fit, or who say something else of themselves."""
    licences, fine = listed(), accepted()
    names = {one.name for one in packages}
    for name in sorted(names):
        expression = licences.get(name)
        if expression is None:
            yield f"{name}: no licence is listed in {LICENCES.name}; look it up, then add it"
        elif not _fits(expression, fine):
            yield f"{name}: {expression} is not accepted beside EUPL-1.2"
        elif (said := _says(name)) and said != expression:
            yield f"{name}: {LICENCES.name} says {expression}, the package says {said}"
    for name in sorted(licences.keys() - names):
        yield f"{name}: is listed in {LICENCES.name} and in no lock"


def weaknesses(packages: list[Locked], source: Path) -> Iterator[str]:
    """Known weaknesses of exactly these versions, from OSV records."""
    for record in _records(source):
        if record.get("withdrawn"):
            continue
        for affected in record.get("affected", ()):
            package = affected.get("package", {})
            for one in packages:
                same = package.get("ecosystem") == "PyPI" and normal(str(package.get("name", ""))) == one.name
                if same and _is_affected(one.version, affected):
                    yield f"{one.name} {one.version}: {record['id']} {record.get('summary', '')}".rstrip()


def _fits(expression: str, fine: frozenset[str]) -> bool:
    """SPDX without brackets: one of several that are offered is enough, all that hold together must fit."""
    return any(all(part.strip() in fine for part in choice.split(" AND ")) for choice in expression.split(" OR "))


def _says(name: str) -> str:
    """What an installed package says of itself, where it says so in SPDX."""
    try:
        return metadata.metadata(name).get("License-Expression", "")
    except metadata.PackageNotFoundError:
        return ""


def _records(source: Path) -> Iterator[dict[str, Any]]:
    if source.is_dir():
        for file in sorted(source.glob("*.json")):
            yield json.loads(file.read_text("utf-8"))
        return
    with zipfile.ZipFile(source) as packed:
        for name in sorted(packed.namelist()):
            if name.endswith(".json"):
                yield json.loads(packed.read(name))


def _is_affected(version: str, affected: dict[str, Any]) -> bool:
    if version in affected.get("versions", ()):
        return True
    ranges = [one.get("events", ()) for one in affected.get("ranges", ()) if one.get("type") == "ECOSYSTEM"]
    return any(_is_within(Version(version), events) for events in ranges)


def _is_within(version: Version, events: list[dict[str, str]]) -> bool:
    """Between an `introduced` and the next `fixed` or `last_affected`."""
    inside = False
    for event in events:
        (kind, text), *_ = event.items()
        try:
            bound = Version("0" if text == "0" else text)
        except InvalidVersion:
            continue
        if kind == "introduced":
            inside = inside or version >= bound
        elif (kind == "fixed" and version >= bound) or (kind == "last_affected" and version > bound):
            inside = False
    return inside


if __name__ == "__main__":
    sys.exit(main())
