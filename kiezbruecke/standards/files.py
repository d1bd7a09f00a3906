"""Which schemas we hold: our own profiles, and official files that somebody has installed after a check.

    schemas/<standard>/<version>/profile.xsd       ours, in git, always there
    schemas/<standard>/<version>/manifest.yaml     what the official files are called, and their digests
    var/schemas/<standard>/<version>/              the official files, never in git

Official files are not ours to hand on, so a fresh machine runs on the profiles alone. Where official files
lie in the store – or, in CI, below the folder that `KIEZBRUECKE_OFFICIAL` names – they are used as well.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kiezbruecke.content import find_state
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.plain_yaml import read_texts

STORE = "KIEZBRUECKE_SCHEMA_STORE"
OFFICIAL = "KIEZBRUECKE_OFFICIAL"


class SchemaManifest(BaseModel):
    """What the official files of one version of a standard are, where they come from and how to know them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    standard: str
    version: str
    title: str
    namespace: str
    publisher: str
    place: str = Field(description="Where the original is published")
    licence: str
    note: str = ""
    entries: tuple[str, ...] = Field((), description="The files that a validator starts from")
    files: dict[str, str] = Field(description="File name: SHA-256 in hexadecimal digits")


@dataclass(frozen=True)
class Held:
    """What we hold of one version of a standard."""

    standard: str
    version: str
    title: str
    profile: bool
    manifest: bool
    official: str  # '', 'store' or the variable's name
    intact: bool


def profile(content: Path, standard: str, version: str) -> Path:
    """Our own schema of a standard; raises ConfigurationError where there is none."""
    found = own_profile(content, standard, version)
    if found is None:
        raise not_held(content, standard, version, "profile")
    return found


def own_profile(content: Path, standard: str, version: str) -> Path | None:
    """Our own schema of a standard, if we have one."""
    folder = _folder(content, standard, version)
    files = (folder / name for name in ("profile.xsd", "profile.wsdl"))
    return next((file for file in files if file.is_file()), None)


def not_held(content: Path, standard: str, version: str, what: str = "schema") -> ConfigurationError:
    """The error for a standard that we have nothing of: what there is, and how to add it."""
    place = _folder(content, standard, version)
    names = [f"{path.parent.name} {path.name}" for path in _folders(content)]
    helps = f"kiezbruecke schemas add PATH --standard {standard} --version {version}"
    if (place / "manifest.yaml").is_file():
        helps = "its official files are not installed: kiezbruecke schemas install --from FOLDER"
    near = get_close_matches(f"{standard} {version}", names, 1)
    where = f"schemas/{standard}/{version}"
    helps = f"did you mean '{near[0]}'? Else {helps}" if near else helps
    return ConfigurationError(f"no {what} of {standard} {version}", where=where, expected=", ".join(names), helps=helps)


def manifest(content: Path, standard: str, version: str) -> SchemaManifest | None:
    """The manifest of a standard, if it has official files at all."""
    file = _folder(content, standard, version) / "manifest.yaml"
    return _read_manifest(file) if file.is_file() else None


def manifests(content: Path) -> list[SchemaManifest]:
    """All manifests, sorted by standard and version."""
    return [_read_manifest(folder / "manifest.yaml") for folder in _folders(content) if _has_manifest(folder)]


def store(content: Path) -> Path:
    """The local store: `KIEZBRUECKE_SCHEMA_STORE`, else `var/schemas` beside the content."""
    return Path(os.environ[STORE]) if os.environ.get(STORE) else find_state(content) / "schemas"


def official(content: Path, standard: str, version: str) -> Path | None:
    """The folder with the official files of a standard, or None; where it comes from says `installed`."""
    if manifest(content, standard, version) is None:
        return None
    return next((folder for _, folder in _places(content, standard, version) if folder.is_dir()), None)


def installed(content: Path) -> list[Held]:
    """What we hold of every standard, sorted; every digest is computed again."""
    return [_held(content, folder.parent.name, folder.name) for folder in _folders(content)]


def check(content: Path, standard: str, version: str) -> Path | None:
    """The folder with the official files, every digest checked, or None where nothing is installed."""
    known, folder = manifest(content, standard, version), official(content, standard, version)
    if known is None or folder is None:
        return None
    for name, expected in known.files.items():
        _check_file(folder / name, expected)
    return folder


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def digest_of(file: Path) -> str:
    """The digest of a file; empty where there is none."""
    return digest(file.read_bytes()) if file.is_file() else ""


def _check_file(file: Path, expected: str) -> None:
    if digest_of(file) != expected:
        raise ConfigurationError(
            f"the official file '{file.name}' is missing or was changed",
            where=str(file),
            expected=f"SHA-256 {expected}",
            helps="install again: kiezbruecke schemas install --from FOLDER",
        )


def _held(content: Path, standard: str, version: str) -> Held:
    known = manifest(content, standard, version)
    folder = _folder(content, standard, version)
    has_profile = any((folder / name).is_file() for name in ("profile.xsd", "profile.wsdl"))
    place = next(((name, path) for name, path in _places(content, standard, version) if known and path.is_dir()), None)
    intact = (
        known is not None
        and place is not None
        and all(digest_of(place[1] / name) == expected for name, expected in known.files.items())
    )
    title = known.title if known else f"{standard} {version}"
    return Held(standard, version, title, has_profile, known is not None, place[0] if place else "", intact)


def _places(content: Path, standard: str, version: str) -> list[tuple[str, Path]]:
    places = [("store", store(content) / standard / version)]
    if given := os.environ.get(OFFICIAL):
        places.append((OFFICIAL, Path(given) / standard / version))
    return places


def _folder(content: Path, standard: str, version: str) -> Path:
    return content / "schemas" / standard / version


def _folders(content: Path) -> list[Path]:
    folders = (path for path in (content / "schemas").glob("*/*") if path.is_dir())
    return sorted(folder for folder in folders if _has_manifest(folder) or any(folder.glob("profile.*")))


def _has_manifest(folder: Path) -> bool:
    return (folder / "manifest.yaml").is_file()


def _read_manifest(file: Path) -> SchemaManifest:
    """The manifest, read again only where the file has changed: every message's validation asks for it."""
    state = file.stat()
    return _manifest_as_of(file, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=256)
def _manifest_as_of(file: Path, _changed: int, _size: int) -> SchemaManifest:
    try:
        return SchemaManifest.model_validate(read_texts(file))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{path}: {first['msg']}", where=str(file)) from None
