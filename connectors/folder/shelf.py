"""The folder of a publication: several files that belong together, and a reader never sees old beside new.

    .….part/ ──all files written──▶ kk-tk-2026-<id>/      a folder that appears whole and never changes
                                    kk-tk-2026.ok         replaced: which folder holds, as `sha256sum -c` reads it
                                    kk-tk-2026 ──▶ …      a link, switched: what a web server shows under one address
                                    (older folders go)    what was put right does not stay under an old address

Killed anywhere, the old set is whole or the new one is. The same files again are harmless. A set never replaces a newer
one: whoever sends it has forgotten what was published since.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

from connectors import _files as files
from connectors._batches import CARRIER, incarnation_of
from connectors.folder.outbox import MARKER, folder_of
from kiezbruecke.connector import CannotTell, NotThere
from kiezbruecke.errors import AlreadyUsed, NotSent, Rejected
from kiezbruecke.troubles import trouble_of

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")


class Shelf:
    """The folder of one connection; a set has a `name` that stays and a `version` that is its own."""

    def __init__(self, folder: Path, connection_id: str) -> None:
        self._folder = folder
        self._connection_id = connection_id

    def put(self, name: str, version: str, contents: Mapping[str, bytes]) -> datetime:
        """Put the set there and switch to it; since when it lies there. Raises NotSent, Rejected or AlreadyUsed.

        What fails once the set lies there is doubt: nobody knows which of both is shown.
        """
        final = self._place(version, name, *contents)
        if newer := [one.name for one in self._others(name, version) if _order(name, one.name) > _order(name, version)]:
            raise AlreadyUsed("a newer publication is shown", where=version, expected=f"a number behind {newer[-1]}")
        if not self._is_there(final, contents):
            _write(final, contents)
        files.replace(self._marker(name), _marker_text(version, contents))
        _switch(self._folder / name, version)
        self._remove_others(name, version)
        return _put_at(final)

    def find(self, name: str, version: str, contents: Mapping[str, bytes]) -> datetime | NotThere | CannotTell:
        """Since when it is shown, whole and alone; sending again completes what was broken off."""
        try:
            final = self._place(version, name, *contents)
            if not os.path.lexists(final):
                return NotThere()
            if not _same(final, contents):
                return CannotTell("the name is taken by another content")
            return _put_at(final) if self._is_shown(name, version, contents) else NotThere()
        except (OSError, NotSent) as error:
            return CannotTell(type(error).__name__)

    def _place(self, version: str, *names: str) -> Path:
        for one in (version, *names):
            if not _NAME.fullmatch(one) or one.endswith(MARKER):
                raise Rejected("the name cannot be used", where=one, expected="letters, digits, . _ and -")
        return folder_of(self._folder, self._connection_id) / version

    def _marker(self, name: str) -> Path:
        return self._folder / f"{name}{MARKER}"

    def _is_there(self, final: Path, contents: Mapping[str, bytes]) -> bool:
        if not os.path.lexists(final):
            return False
        if not _same(final, contents):
            what = "a folder with this name and another content lies there"
            raise AlreadyUsed(what, where=final.name, expected="a new name")
        return True

    def _is_shown(self, name: str, version: str, contents: Mapping[str, bytes]) -> bool:
        marker, link = self._marker(name), self._folder / name
        marked = files.is_file(marker) and marker.read_bytes() == _marker_text(version, contents)
        shown = link.is_symlink() and link.readlink() == Path(version)
        return marked and shown and not self._others(name, version)

    def _remove_others(self, name: str, version: str) -> None:
        """Sets of the same name that are no longer shown; hidden first, so that no half of one is ever seen."""
        for entry in self._others(name, version):
            aside = entry.with_name(f".{token_hex(8)}.part")
            with contextlib.suppress(OSError):  # the next publication tries again
                entry.rename(aside)
                shutil.rmtree(aside)

    def _others(self, name: str, version: str) -> list[Path]:
        return [one for one in sorted(self._folder.iterdir()) if _is_set_of(name, one) and one.name != version]


def version_of(name: str, number: str) -> str:
    """What a set of this number is called; `number` is a carrier's id."""
    return f"{name}-{number}"


def _is_set_of(name: str, entry: Path) -> bool:
    return _order(name, entry.name) > (0, 0) and entry.is_dir() and not entry.is_symlink()


def _order(name: str, version: str) -> tuple[int, int]:
    """Which of two sets is the newer; nothing for what is none of this name."""
    found = CARRIER.fullmatch(version.removeprefix(f"{name}-")) if version.startswith(f"{name}-") else None
    return (incarnation_of(found), int(found["number"])) if found else (0, 0)


def _same(final: Path, contents: Mapping[str, bytes]) -> bool:
    """Whether exactly these files lie in a real folder."""
    if final.is_symlink() or not final.is_dir() or {one.name for one in final.iterdir()} != set(contents):
        return False
    return all(files.sha256(final / name) == _digest(body) for name, body in contents.items())


def _write(final: Path, contents: Mapping[str, bytes]) -> None:
    """Until the rename nothing is there, so a failure is certain."""
    part = final.with_name(f".{token_hex(8)}.part")
    try:
        part.mkdir()
        part.chmod(final.parent.stat().st_mode & 0o777)  # for its readers, whatever this process keeps for itself
        for name, body in contents.items():
            files.replace(part / name, body)
        part.rename(final)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        why = error.strerror or type(error).__name__
        raise NotSent("the files cannot be written", where=final.name, helps=why, trouble=trouble_of(error)) from None
    files.sync_folder(final.parent)


def _switch(link: Path, version: str) -> None:
    """One rename: whoever follows the link sees the old set or the new one."""
    if link.is_symlink() and link.readlink() == Path(version):
        return
    part = link.with_name(f".{token_hex(8)}.part")
    part.symlink_to(version)
    try:
        part.replace(link)
    except OSError:
        files.discard(part)
        raise
    files.sync_folder(link.parent)


def _put_at(final: Path) -> datetime:
    return datetime.fromtimestamp(max(one.stat().st_mtime for one in final.iterdir()), UTC)


def _marker_text(version: str, contents: Mapping[str, bytes]) -> bytes:
    return "".join(f"{_digest(body)}  {version}/{name}\n" for name, body in contents.items()).encode()


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
