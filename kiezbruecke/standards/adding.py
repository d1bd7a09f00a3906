"""Takes a schema that nobody here has seen into the local store, and writes its manifest.

PATH (file, folder, ZIP) ──▶ all files by name ──▶ what the entries need ──▶ compiled once ──▶ store + manifest.yaml
"""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.machine import open_file, write_file
from kiezbruecke.standards import files, zips
from kiezbruecke.standards.bounds import refuse_other_words, refuse_slow_patterns
from kiezbruecke.standards.compiling import compiled
from kiezbruecke.standards.documents import (
    Documents,
    Folder,
    imported,
    is_file,
    linked,
    links,
    location,
    schemas_in,
    tops,
    way_to,
)
from kiezbruecke.standards.install import put

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")  # of a standard and of a version: they are folders
_LIMITS = zips.Limits(entries=5000, folders=True)
_UNKNOWN = "unknown, please complete"
_ENDINGS = (".xsd", ".wsdl")
_WORDS = {"entries": "entry"}


@dataclass(frozen=True)
class SchemaOrigin:
    """What people know of a schema: its title, who publishes it where, and under which licence."""

    title: str = ""
    publisher: str = _UNKNOWN
    place: str = _UNKNOWN
    licence: str = _UNKNOWN


def add(
    content: Path,
    source: Path,
    standard: str,
    version: str,
    *,
    origin: SchemaOrigin | None = None,
    entries: Sequence[str] = (),
    force: bool = False,
) -> files.SchemaManifest:
    """Take a schema in and give its manifest; raises ConfigurationError (one line), and then changes nothing."""
    for what, name in (("standard", standard), ("version", version)):
        if not _NAME.fullmatch(name):
            raise ConfigurationError(f"'{name}' is no name of a {what}", expected="letters, digits, dots and hyphens")
    known = files.manifest(content, standard, version)
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory() as unpacked:
        folder = Path(place)
        given = source if source.is_dir() or _is_schema(source) else _unpacked(source, Path(unpacked))
        try:
            chosen = _laid_out(given, folder, entries)
            documents = Documents.read([folder / name for name in chosen])
            _compile(documents)
        except ConfigurationError as error:
            raise _as_given(_as_given(error, folder, given), Path(unpacked), source) from None
        taken = {file.name: file.read_bytes() for file in documents.files}
        found = _manifest(standard, version, origin or SchemaOrigin(), chosen, taken, documents)
    if known is not None:
        told = _told(origin or SchemaOrigin(), found.entries if entries or _is_schema(source) else ())
        found = _again(known, found, told, force=force)
    put(taken, files.store(content) / standard / version)
    if found != known:
        _write(found, content / "schemas" / standard / version / "manifest.yaml")
    return found


def _told(origin: SchemaOrigin, entries: Sequence[str]) -> dict[str, Any]:
    """What the caller says of a schema himself: no default, and nothing that was only found in the files."""
    usual = SchemaOrigin()
    told = {name: text for name, text in asdict(origin).items() if text != getattr(usual, name)}
    return told | ({"entries": tuple(entries)} if entries else {})


def _again(
    known: files.SchemaManifest, found: files.SchemaManifest, told: Mapping[str, Any], *, force: bool
) -> files.SchemaManifest:
    """The manifest of a version that has one: the same, if nothing else is said; raises ConfigurationError.

    What people completed in it since stays, unless the files are others.
    """
    where = f"schemas/{known.standard}/{known.version}/manifest.yaml"
    what = f"{known.standard} {known.version} is already there"
    if known.files != found.files:
        if not force:
            raise ConfigurationError(
                f"{what}, with other files", where=where, expected="another --version", helps="--force replaces it"
            )
        return found
    other = [name for name, value in told.items() if getattr(known, name) != value]
    if other and not force:
        raise ConfigurationError(
            f"{what}, with another {' and '.join(_WORDS.get(name, name) for name in other)}",
            where=where,
            expected="what the manifest says",
            helps="change it there, or --force",
        )
    return known.model_copy(update=dict(told))


def _laid_out(source: Path, folder: Path, entries: Sequence[str]) -> list[str]:
    """Put the files side by side into an empty folder; gives the names that the schema begins with."""
    if _is_schema(source):
        return _from_files([source], folder, source.parent)
    if any("/" in entry for entry in entries):
        return _from_files([_by_path(source, entry) for entry in entries], folder, source)
    found = _in_folder(source)
    if not found:
        raise ConfigurationError("holds no XSD", where=str(source), expected="files that end in .xsd or .wsdl")
    for entry in entries:
        if entry not in found:
            raise ConfigurationError(
                f"there is no '{entry}'", where=str(source), expected=", ".join(sorted(found)[:20])
            )
    for name, contents in found.items():
        _write_file(folder / name, contents[0], source)
    if doubtful := _doubtful(found, folder, entries):
        if entries and all(is_file(source / entry) for entry in entries):  # those at the top, and what they name
            for name in found:
                (folder / name).unlink()
            return _from_files([source / entry for entry in entries], folder, source)
        raise _twice(doubtful[0], len(found[doubtful[0]]), source)
    return list(entries) or [file.name for file in _beginnings(folder)]


def _doubtful(found: Mapping[str, list[bytes]], folder: Path, entries: Sequence[str]) -> list[str]:
    """The names of several different files, of those that the entries need."""
    several = sorted(name for name, contents in found.items() if len(set(contents)) > 1)
    if not several or not entries:
        return several
    needed = {file.name for file in Documents.read([folder / name for name in entries]).files}
    return [name for name in several if name in {*needed, *entries}]


def _is_schema(source: Path) -> bool:
    """Whether it is a file with a schema in it, or should be: neither folder nor ZIP."""
    return is_file(source) and source.suffix.lower() != ".zip" and not zipfile.is_zipfile(source)


def _by_path(source: Path, entry: str) -> Path:
    """An entry that is named by its path below a folder, because its name stands there more than once."""
    file = source / entry
    if not is_file(file) or not file.resolve().is_relative_to(source.resolve()):
        raise ConfigurationError(f"there is no '{entry}'", where=str(source), expected="a path below the folder")
    return file


def _twice(name: str, count: int, source: Path) -> ConfigurationError:
    return ConfigurationError(
        f"holds {count} different files named '{name}'",
        where=str(source),
        expected="one of each name",
        helps="give the folder of one version, or the XSD file that it begins with",
    )


def _write_file(file: Path, content: bytes, source: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    except OSError as error:
        raise ConfigurationError(
            f"'{file.name[:40]}…' cannot be stored: {error.strerror}",
            where=str(source),
            expected="file names of 255 bytes at most",
        ) from None


def _beginnings(place: Path) -> list[Path]:
    """The files that no other one includes or imports, and one of each circle; a WSDL only where there is no XSD."""
    files = sorted(place.iterdir())
    found = {file: schemas_in(file) for file in [one for one in files if _is_xsd(one)] or files}
    folder = Folder(place)
    return tops(
        {
            file: [one for schema in schemas for link in links(schema) for one in linked(link, folder)]
            for file, schemas in found.items()
        }
    )


def _is_xsd(file: Path) -> bool:
    """By its name, which may be nothing but the ending: XTA's envelope schema is called '.xsd'."""
    return file.name.lower().endswith(".xsd")


def _in_folder(source: Path) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    own = source.resolve()
    for path in sorted(source.rglob("*")):
        if path.is_file() and path.name.lower().endswith(_ENDINGS):
            if not path.resolve().is_relative_to(own):
                raise ConfigurationError(
                    "the symbolic link leads out of the folder", where=str(path), expected=f"a file below {source}"
                )
            found.setdefault(path.name, []).append(path.read_bytes())
    return found


def _unpacked(source: Path, folder: Path) -> Path:
    """A ZIP's schemas in an empty folder, as they lie in it."""
    try:
        with open_file(source, what="the source") as packing:
            packed: Mapping[str, bytes] = zips.read(packing.read(), source.name, _LIMITS)
    except OSError:
        raise ConfigurationError("cannot be read", where=str(source), expected="an XSD, a folder or a ZIP") from None
    except RecordError as error:
        raise ConfigurationError(error.what, where=str(source), expected="an XSD, a folder or a ZIP") from None
    for name, content in packed.items():
        if name.lower().endswith(_ENDINGS):
            _write_file(folder / name, content, source)
    return folder


def _from_files(entries: Sequence[Path], folder: Path, source: Path) -> list[str]:
    """Files and what they need: where their locations lead, else beside them. There may be other schemas, too.

    Nothing outside of `source`, a folder, is read, whatever a location or a symbolic link says.
    """
    own = source.resolve()
    waiting = list(entries)
    folders: dict[Path, Folder] = {}
    seen: set[Path] = set()
    while waiting:
        if (file := waiting.pop()) in seen:
            continue
        seen.add(file)
        taken = folder / file.name
        if taken.exists():
            if taken.read_bytes() != file.read_bytes():
                raise _twice(file.name, 2, source)
            continue
        schemas = schemas_in(file)
        taken.write_bytes(file.read_bytes())
        for link in (link for schema in schemas for link in links(schema)):
            near = file.parent / way_to(link)
            beside = folders.setdefault(file.parent, Folder(file.parent, own))
            named = [one for one in (near, beside.named(link)) if one is not None and is_file(one)]
            inside = [one for one in named if one.resolve().is_relative_to(own)][:1]
            if named and not inside:
                raise _outside(file, link, entries[0], source)
            waiting += inside or beside.of(imported(link))
    return [file.name for file in entries]


def _outside(file: Path, link: etree._Element, entry: Path, source: Path) -> ConfigurationError:
    kind = etree.QName(link).localname
    return ConfigurationError(
        f"the {kind} of '{location(link)}' leads out of the folder",
        where=f"{file}:{link.sourceline}",
        expected=f"a file below {source}",
        helps=f"give the folder that holds both, with --entry {source.resolve().name}/{entry.relative_to(source)}",
    )


def _compile(documents: Documents) -> None:
    """Raises ConfigurationError for what is no schema, is none of this version of XSD, or costs too much."""
    found = [(document.file, document.element) for document in documents.documents]
    refuse_other_words(found)
    refuse_slow_patterns(found)
    compiled(documents)


def _as_given(error: ConfigurationError, folder: Path, source: Path) -> ConfigurationError:
    """The files are named as they lie in the source, not in our temporary folder."""
    own = source.parent if _is_schema(source) else source

    def given(text: str) -> str:
        name = text.partition(f"{folder}/")[2].partition(":")[0]
        found = sorted(source.rglob("*.*")) if name and source.is_dir() else []
        below = next((file for file in found if file.name == name), own / name)
        return text.replace(f"{folder}/{name}", str(below)).replace(str(folder), str(own))

    return ConfigurationError(
        error.what, where=given(error.where), expected=given(error.expected), helps=given(error.helps)
    )


def _manifest(
    standard: str,
    version: str,
    origin: SchemaOrigin,
    entries: list[str],
    taken: Mapping[str, bytes],
    documents: Documents,
) -> files.SchemaManifest:
    return files.SchemaManifest(
        standard=standard,
        version=version,
        title=origin.title or f"{standard} {version}",
        namespace=documents.documents[0].namespace,
        publisher=origin.publisher,
        place=origin.place,
        licence=origin.licence,
        entries=tuple(entries),
        files={name: files.digest(content) for name, content in sorted(taken.items())},
    )


def _write(manifest: files.SchemaManifest, file: Path) -> None:
    from ruamel.yaml import YAML  # noqa: PLC0415 - takes its time, and schemas are added once

    yaml = YAML()
    yaml.width = 120
    text = io.StringIO()
    text.write("# Written by `kiezbruecke schemas add`. The files lie in the local store, see schemas/README.md.\n")
    yaml.dump({key: value for key, value in manifest.model_dump(mode="json").items() if key != "note" or value}, text)
    write_file(file, text.getvalue())
