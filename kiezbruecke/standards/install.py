"""Takes official schema files into the local store, after every digest of the manifest was checked."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.machine import alone
from kiezbruecke.standards import files, zips

_ENDINGS = (".xsd", ".wsdl")
_LIMITS = zips.Limits(entries=5000, folders=True)


@dataclass(frozen=True)
class Installation:
    """What an installation did with one version of a standard."""

    standard: str
    version: str
    status: str  # installed | already there | incomplete | not found
    missing: tuple[str, ...] = ()


def install(content: Path, source: Path, store: Path | None = None) -> list[Installation]:
    """Copy official files from a folder or ZIP into the store; one wrong digest, and nothing is taken.

    Files are found by name anywhere below `source`, because publishers pack them differently; the digest
    decides. Raises ConfigurationError that names the wrong file.
    """
    found = _index(source)
    known = files.manifests(content)
    target = store or files.store(content)
    plans = [(item, _choose(item, found)) for item in known]
    if not any(chosen for _, chosen in plans):
        raise _nothing(source, known, found)
    for item, chosen in plans:
        _refuse_wrong(item, chosen, found)
    return [_install(item, chosen, target) for item, chosen in plans]


def _refuse_wrong(item: files.SchemaManifest, chosen: Mapping[str, bytes], found: Mapping[str, list[bytes]]) -> None:
    """A set that holds some right files and some wrong ones was tampered with, or is another version."""
    wrong = next((name for name in item.files if name not in chosen and name in found), None)
    if chosen and wrong:
        raise _wrong(item, wrong)


def _install(item: files.SchemaManifest, chosen: Mapping[str, bytes], store: Path) -> Installation:
    missing = tuple(name for name in item.files if name not in chosen)
    if missing:
        return Installation(item.standard, item.version, "incomplete" if chosen else "not found", missing)
    folder = store / item.standard / item.version
    if folder.is_dir() and all(files.digest_of(folder / name) == digest for name, digest in item.files.items()):
        return Installation(item.standard, item.version, "already there")
    put(chosen, folder)
    return Installation(item.standard, item.version, "installed")


def put(contents: Mapping[str, bytes], folder: Path) -> None:
    """Write beside, then rename: a killed installation leaves no half set under the right name.

    An older set steps aside first and is removed last, so that others who read it miss it for no longer than a rename.
    """
    with alone(folder.parent):
        _put(contents, folder)


def _put(contents: Mapping[str, bytes], folder: Path) -> None:
    folder.parent.mkdir(exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    aside = beside.with_name(f"{beside.name}-old")
    try:
        beside.chmod(0o755)
        for name, content in contents.items():
            (beside / name).write_bytes(content)
        if folder.exists():
            folder.rename(aside)
        try:
            beside.rename(folder)
        except OSError:
            if aside.exists():
                aside.rename(folder)
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        if folder.exists():
            shutil.rmtree(aside, ignore_errors=True)


def _choose(item: files.SchemaManifest, found: Mapping[str, list[bytes]]) -> dict[str, bytes]:
    """The files whose digest is right."""
    return {
        name: content
        for name, digest in item.files.items()
        for content in found.get(name, ())
        if files.digest(content) == digest
    }


def _index(source: Path) -> dict[str, list[bytes]]:
    """All contents by bare file name. Hidden files count: XTA's SOAP envelope schema is called '.xsd'."""
    found: dict[str, list[bytes]] = {}
    for name, content in _files(source):
        found.setdefault(name, []).append(content)
    return found


def _files(source: Path) -> list[tuple[str, bytes]]:
    if source.is_dir():
        paths = sorted(path for path in source.rglob("*") if path.suffix in _ENDINGS or path.name in _ENDINGS)
        return [(path.name, path.read_bytes()) for path in paths if path.is_file()]
    try:
        packed = zips.read(source.read_bytes(), source.name, _LIMITS)
    except OSError:
        raise ConfigurationError("cannot be read", where=str(source), expected="a folder or a ZIP") from None
    except RecordError as error:
        raise ConfigurationError(error.what, where=str(source), expected="a folder or a ZIP") from None
    return [(name.rpartition("/")[2], content) for name, content in packed.items()]


def _nothing(source: Path, known: list[files.SchemaManifest], found: Mapping[str, list[bytes]]) -> ConfigurationError:
    for item in known:
        for name in item.files:
            if name in found:
                return _wrong(item, name)
    return ConfigurationError(
        "no official file found",
        where=str(source),
        expected=", ".join(f"{item.standard} {item.version}" for item in known),
        helps="schemas/<standard>/<version>/manifest.yaml says where they are published",
    )


def _wrong(item: files.SchemaManifest, name: str) -> ConfigurationError:
    return ConfigurationError(
        f"{name} is not the official file of {item.standard} {item.version}: its SHA-256 differs",
        where=name,
        expected=item.files[name],
        helps=f"nothing was installed; get the original: {item.place}",
    )
