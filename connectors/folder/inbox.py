"""The folder where sheets arrive: which are complete, and where they go when they are handled.

    path/  ──▶ done/    sheet + report       at least one line was taken
           ──▶ failed/  sheet + report       no line could be taken, or the sheet cannot be read

Nothing is overwritten and nothing is deleted but a second copy of a sheet whose content is archived already.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from connectors.folder import files

DONE, FAILED = "done", "failed"
REPORT = ".bericht.csv"
_NOT_OURS = (".", "~$")  # hidden files, lock files of LibreOffice (.~lock) and Excel (~$)
_UNFINISHED = (".part", ".tmp", ".crdownload")
_LITTER = ("thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Arrival:
    """A file as it lay there when its size and time had settled."""

    path: Path
    size: int
    mtime_ns: int
    inode: int


class Inbox:
    """The folder of one connection."""

    def __init__(self, folder: Path, settle_seconds: float, max_bytes: int) -> None:
        self.folder = folder
        self._settle_seconds = settle_seconds
        self._max_bytes = max_bytes

    def complete(self) -> list[Arrival]:
        """The files that have settled, oldest first: a later budget sheet changes an earlier one."""
        before = self.arrivals()
        if before and self._settle_seconds:
            time.sleep(self._settle_seconds)
            after = set(self.arrivals())
            before = [arrival for arrival in before if arrival in after]
        return sorted(before, key=lambda arrival: (arrival.mtime_ns, arrival.path.name))

    def read(self, arrival: Arrival) -> tuple[str, bytes | None] | None:
        """Fingerprint and bytes (None if too big); None if the file went or changed while it was read."""
        try:
            digest, raw = self._fingerprint(arrival.path, arrival.size)
        except FileNotFoundError:
            return None
        return (digest, raw) if _look(arrival.path) == arrival else None

    def arrivals(self) -> list[Arrival]:
        """The files that lie there now, complete or not."""
        found = (_look(path) for path in self.folder.iterdir() if _is_sheet_name(path.name))
        return [arrival for arrival in found if arrival]

    def _fingerprint(self, path: Path, size: int) -> tuple[str, bytes | None]:
        """SHA-256 of the content; of one that is too big only start and size count."""
        with path.open("rb") as handle:
            raw = handle.read(self._max_bytes + 1)
        if len(raw) <= self._max_bytes:
            return hashlib.sha256(raw).hexdigest(), raw
        return hashlib.sha256(raw + b"\x00%d" % size).hexdigest(), None

    def digest(self, path: Path) -> str | None:
        """The fingerprint of a file now; None if it is gone or cannot be read."""
        try:
            return self._fingerprint(path, path.stat().st_size)[0]
        except OSError:
            return None

    def twin(self, digest: str, size: int, folders: tuple[str, ...] = (FAILED, DONE)) -> Path | None:
        """An archived sheet with the same content, under whatever name."""
        for name in folders:
            folder = self.folder / name
            same_size = (path for path in _listed(folder) if (seen := _look(path)) and seen.size == size)
            for path in same_size:
                if self.digest(path) == digest:
                    return path
        return None

    def archive(self, path: Path, digest: str, folder_name: str, report: Callable[[Path | None], bytes]) -> None:
        """Write the report, then move the sheet. Stopped anywhere, it can be called again.

        A sheet whose content is archived already is dropped; `report` is then told which one it repeats.
        """
        try:
            self._archive(path, digest, folder_name, report)
        except FileNotFoundError:
            if path.exists():
                raise
            # another run of ours has moved it meanwhile

    def _archive(self, path: Path, digest: str, folder_name: str, report: Callable[[Path | None], bytes]) -> None:
        if self.digest(path) != digest:
            return  # gone already, or changed meanwhile: then it is a new sheet
        folder = self.folder / folder_name
        files.make_folder(folder)
        twin = self.twin(digest, path.stat().st_size, (DONE, folder_name))
        same_name = twin is not None and original_name(twin, digest) == path.name
        if twin:
            name = twin.name if same_name else _with_mark(path.name, digest[:8])
        else:
            name = _free_name(folder, path.name, digest)
        files.replace(folder / f"{name}{REPORT}", report(None if same_name else twin))
        if twin:
            path.unlink(missing_ok=True)
        else:
            path.rename(folder / name)
            files.sync_folder(folder)
        files.sync_folder(self.folder)


def original_name(path: Path, digest: str) -> str:
    """The name under which an archived sheet had arrived."""
    return f"{path.stem.removesuffix(f'-{digest[:8]}')}{path.suffix}"


def shown_name(name: str) -> str:
    """A file name as people and databases can bear it: shares hand over names in foreign encodings."""
    text = unicodedata.normalize("NFC", os.fsencode(name).decode("utf-8", "replace"))
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)


def _free_name(folder: Path, name: str, digest: str) -> str:
    """The sheet's name; where another content has it, with the beginning of the digest."""
    wanted = (name, _with_mark(name, digest[:8]), _with_mark(name, digest))
    return next(one for one in wanted if not (folder / one).exists())


def _with_mark(name: str, mark: str) -> str:
    path = Path(name)
    return f"{path.stem}-{mark}{path.suffix}"


def _is_sheet_name(name: str) -> bool:
    lower = name.lower()
    return not (lower.startswith(_NOT_OURS) or lower.endswith(_UNFINISHED) or lower in _LITTER)


def _listed(folder: Path) -> list[Path]:
    """An archive that cannot be listed is no reason not to read the inbox."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _look(path: Path) -> Arrival | None:
    """A regular file, no link: a link could lead anywhere."""
    try:
        seen = path.lstat()
    except OSError:
        return None
    if not stat.S_ISREG(seen.st_mode):
        return None
    return Arrival(path, seen.st_size, seen.st_mtime_ns, seen.st_ino)
