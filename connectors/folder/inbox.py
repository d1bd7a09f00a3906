"""The folder where sheets arrive: which are complete, and where they go when they are handled.

    path/  ──▶ done/    sheet + report       at least one line was taken
           ──▶ failed/  sheet + report       no line could be taken, or the sheet cannot be read

Nothing is overwritten and nothing is deleted but a second copy of a sheet whose content is archived already.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from connectors._files import NoFileError, OpenFolder
from connectors.folder.names import REPORT, arrived_name, free_names, handed_name, is_sheet_name
from kiezbruecke.connector import KeptSheet

DONE, FAILED = "done", "failed"


@dataclass(frozen=True)
class Arrival:
    """A file as it lay there when its size and time had settled."""

    path: Path
    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True)
class Content:
    """What was read of exactly one file: fingerprint, bytes (None if too big), and which file it was."""

    digest: str
    raw: bytes | None
    seen: os.stat_result


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
            content = self._fingerprint(arrival.path, arrival.size)
        except (FileNotFoundError, NoFileError):
            return None
        if content.seen.st_ino != arrival.inode or self._look(arrival.path.name) != arrival:
            return None
        return content.digest, content.raw

    def arrivals(self) -> list[Arrival]:
        """The files that lie there now, complete or not. No link: a link could lead anywhere."""
        with OpenFolder.open(self.folder) as inbox:
            found = [self._arrival(inbox, name) for name in inbox.names() if is_sheet_name(name)]
        return [arrival for arrival in found if arrival]

    def _look(self, name: str) -> Arrival | None:
        with OpenFolder.open(self.folder) as inbox:
            return self._arrival(inbox, name)

    def _arrival(self, inbox: OpenFolder, name: str) -> Arrival | None:
        seen = inbox.look(name)
        return Arrival(self.folder / name, seen.st_size, seen.st_mtime_ns, seen.st_ino) if seen else None

    def archived(self) -> Iterator[tuple[Arrival, str, bytes | None]]:
        """The sheets that were handled before, in the order in which they came, with fingerprint and bytes."""
        for arrival in sorted(self._archived(), key=lambda arrival: (arrival.mtime_ns, arrival.path.name)):
            with OpenFolder.open(self.folder) as inbox, inbox.sub(arrival.path.parent.name) as folder:
                content = self._content(folder, arrival.path.name)
            yield arrival, content.digest, content.raw

    def _archived(self) -> Iterator[Arrival]:
        for archive in (DONE, FAILED):
            with OpenFolder.open(self.folder) as inbox, contextlib.suppress(FileNotFoundError):
                with inbox.sub(archive) as folder:
                    names = [name for name in folder.names() if is_sheet_name(name) and not name.endswith(REPORT)]
                    found = [(name, folder.look(name)) for name in names]
                for name, seen in found:
                    if seen:
                        yield Arrival(self.folder / archive / name, seen.st_size, seen.st_mtime_ns, seen.st_ino)

    def digest(self, path: Path) -> str | None:
        """The fingerprint of a file in the inbox now; None if it is gone or cannot be read."""
        try:
            return self._fingerprint(path, 0).digest
        except OSError:
            return None

    def twin(self, digest: str, size: int, folders: tuple[str, ...] = (FAILED, DONE)) -> Path | None:
        """An archived sheet with the same content, under whatever name.

        An archive that cannot be listed is no reason not to read the inbox.
        """
        for name in folders:
            with OpenFolder.open(self.folder) as inbox, contextlib.suppress(OSError), inbox.sub(name) as folder:
                for found in folder.names():
                    seen = folder.look(found)
                    if seen and seen.st_size == size and self._digest(folder, found) == digest:
                        return self.folder / name / found
        return None

    def taken_from(self, digests: Collection[str]) -> Iterator[tuple[str, Path]]:
        """The archived sheets of these fingerprints from which something was taken."""
        if not digests:
            return
        with OpenFolder.open(self.folder) as inbox, contextlib.suppress(FileNotFoundError), inbox.sub(DONE) as done:
            for name in done.names():
                digest = None if name.endswith(REPORT) else self._digest(done, name)
                if digest is not None and digest in digests:
                    yield digest, self.folder / DONE / name

    def put(self, name: str, body: bytes) -> tuple[str, bool]:
        """Put a file here as somebody would drop it; the name it has, and whether it was written.

        Another content of the same name is not touched: this one gets a name of its own. Of two at once with the same
        content and name one has written it.
        """
        digest = hashlib.sha256(body).hexdigest()
        with OpenFolder.open(self.folder) as inbox:
            for free in free_names(handed_name(name), digest):
                with contextlib.suppress(FileExistsError):
                    inbox.add(free, body)
                    return free, True
                if self._digest(inbox, free) == digest:
                    return free, False
        raise FileExistsError(errno.EEXIST, "every name is taken")

    def waiting_twin(self, digest: str, size: int) -> Path | None:
        """A file with the same content that lies here and was not read yet."""
        same = (one for one in self.arrivals() if one.size == size and self.digest(one.path) == digest)
        return next((one.path for one in same), None)

    def kept(self, at_most: int) -> list[KeptSheet]:
        """What waits here, and what lies in the archives; the newest first."""
        found = [("", arrival) for arrival in self.arrivals()]
        found += [(arrival.path.parent.name, arrival) for arrival in self._archived()]
        found.sort(key=lambda one: (one[1].mtime_ns, one[1].path.name), reverse=True)
        return [self._kept(place, arrival) for place, arrival in found[:at_most]]

    def _kept(self, place: str, arrival: Arrival) -> KeptSheet:
        name, at = arrival.path.name, datetime.fromtimestamp(arrival.mtime_ns // 1_000_000_000, UTC)
        with OpenFolder.open(self.folder) as inbox:
            if not place:
                return KeptSheet(name, place, at, self._digest(inbox, name) or "", has_report=False)
            with inbox.sub(place) as folder:
                told = folder.look(f"{name}{REPORT}") is not None
                return KeptSheet(name, place, at, self._digest(folder, name) or "", has_report=told)

    def report(self, place: str, name: str) -> bytes | None:
        """The report beside an archived sheet; None where there is none. No name leads out of the archive."""
        wanted = f"{name}{REPORT}"
        with OpenFolder.open(self.folder) as inbox, contextlib.suppress(FileNotFoundError), inbox.sub(place) as folder:
            seen = folder.look(wanted) if place in (DONE, FAILED) and wanted in folder.names() else None
            return folder.read(wanted, seen.st_size + 1)[0] if seen else None
        return None

    def renew_report(self, sheet: Path, change: Callable[[bytes], bytes]) -> None:
        """Write the report beside an archived sheet anew, if it is there and becomes another."""
        name = f"{sheet.name}{REPORT}"
        with OpenFolder.open(self.folder) as inbox, inbox.sub(DONE) as done:
            seen = done.look(name)
            if seen is None:
                return
            before, _ = done.read(name, seen.st_size + 1)
            if (after := change(before)) != before:
                done.replace(name, after)

    def archive(self, path: Path, digest: str, folder_name: str, report: Callable[[Path | None], bytes]) -> None:
        """Write the report, then move the sheet. Stopped anywhere, it can be called again.

        A sheet whose content is archived already is dropped; `report` is then told which one it repeats.
        """
        with OpenFolder.open(self.folder) as inbox:
            try:
                content = self._content(inbox, path.name)
            except (FileNotFoundError, NoFileError):
                return  # another run of ours has moved it meanwhile
            if content.digest != digest:
                return  # changed meanwhile: then it is a new sheet
            with inbox.sub(folder_name, make=True) as archive:
                self._archive(inbox, archive, path, content, folder_name, report)
            inbox.sync()

    def _archive(
        self,
        inbox: OpenFolder,
        archive: OpenFolder,
        path: Path,
        content: Content,
        folder_name: str,
        report: Callable[[Path | None], bytes],
    ) -> None:
        digest = content.digest
        twin = self.twin(digest, content.seen.st_size, (DONE, folder_name))
        if twin and arrived_name(twin.name, digest) == arrived_name(path.name, digest):
            with inbox.sub(twin.parent.name) as folder:
                folder.replace(f"{twin.name}{REPORT}", report(None))
            inbox.remove(path.name, content.seen)
            return
        told = report(twin)
        name = self._free_name(archive, path.name, content, told, is_copy=twin is not None)
        archive.replace(f"{name}{REPORT}", told)
        if twin:
            inbox.remove(path.name, content.seen)
            return
        try:
            inbox.move(path.name, archive, name, content.seen)
        except (FileNotFoundError, NoFileError):
            return  # moved by another run of ours, or exchanged: the next run reads what lies there now

    def _free_name(self, archive: OpenFolder, name: str, content: Content, told: bytes, *, is_copy: bool) -> str:
        """A name whose sheet and report are not there yet, or there as a killed run of ours has left them."""
        names = free_names(name, content.digest)
        if is_copy:
            next(names)
        for one in names:
            if not archive.is_taken(one) and self._is_free_or_ours(archive, f"{one}{REPORT}", told):
                return one
        raise FileExistsError(errno.EEXIST, "every name is taken")

    def _is_free_or_ours(self, archive: OpenFolder, name: str, told: bytes) -> bool:
        try:
            return archive.read(name, len(told) + 1)[0] == told
        except FileNotFoundError:
            return True
        except OSError:
            return False

    def _fingerprint(self, path: Path, _size: int) -> Content:
        with OpenFolder.open(self.folder) as inbox:
            return self._content(inbox, path.name)

    def _content(self, folder: OpenFolder, name: str) -> Content:
        """SHA-256 of the content; of one that is too big only start and size count."""
        raw, seen = folder.read(name, self._max_bytes + 1)
        if len(raw) <= self._max_bytes:
            return Content(hashlib.sha256(raw).hexdigest(), raw, seen)
        return Content(hashlib.sha256(raw + b"\x00%d" % seen.st_size).hexdigest(), None, seen)

    def _digest(self, folder: OpenFolder, name: str) -> str | None:
        try:
            return self._content(folder, name).digest
        except OSError:
            return None
