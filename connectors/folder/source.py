"""Reads sheets from a folder, whatever their table says that their lines are.

An item's id is content and row, so the same sheet twice is the same items; where the table names a column as id, it
is that: the same proposal in a newer export is the same proposal.

A line that cannot be used, and a sheet that cannot be read, are items of kind `sheet-problem`: nobody maps
them, everybody sees them. A sheet moves to done/ or failed/ when all its items were acknowledged.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from connectors._tables import SheetProblem, TableLimits, Worksheet, read_csv, read_json_lines, read_workbook
from connectors._tables.limits import MEGABYTE
from connectors.folder.inbox import DONE, FAILED, Arrival, Inbox
from connectors.folder.lines import names_of
from connectors.folder.names import arrived_name, handed_name
from connectors.folder.report import for_clerks, lines_report, outcome, sheet_report, with_what_follows
from connectors.folder.settings import Settings
from connectors.folder.sheet import Line, Sheet, read_sheet
from connectors.folder.table import read_source
from kiezbruecke.connector import Connection, Context, Cursor, Handled, Item, KeptSheet, SheetLine, SheetLook
from kiezbruecke.errors import SourceError
from kiezbruecke.troubles import trouble_of

PROBLEM = "sheet-problem"


@dataclass
class Pickup:
    """A sheet between reading and archiving: `waiting` are the lines not yet acknowledged, as `<sha256>:<row>`.

    `again`: the same content may come again and counts again, because its lines are things that change.
    """

    digest: str
    name: str  # under which this content arrived first
    paths: list[Path]
    sheet: Sheet | None
    problem: str
    items: tuple[Item, ...]
    waiting: set[str]
    problems: dict[int, str]
    known: set[str] = field(default_factory=set)  # lines that were taken before, from a sheet of the same content
    again: bool = False

    def note(self, line: str, problem: str, *, besides: bool, known: bool) -> None:
        """Remember what became of one line; a problem of the sheet itself stands first, and others `besides`."""
        self.waiting.discard(line)
        if known:
            self.known.add(line)
        if not problem or not self.sheet:
            return
        row = int(line.partition(":")[2])
        standing = self.problems.setdefault(row, problem)
        if besides and not standing.endswith(problem):
            self.problems[row] = standing + problem

    @property
    def folder(self) -> str:
        """Where the sheet goes: a sheet without a single usable line has failed."""
        usable = self.sheet and any(line.number not in self.problems for line in self.sheet.lines)
        return DONE if usable else FAILED

    def report(self, path: Path, twin: Path | None) -> bytes:
        """The report for one of its files; `twin` is the archived sheet that it repeats."""
        name, notes = arrived_name(path.name, self.digest), []
        if twin:
            then = "seine Zeilen gelten wieder" if self.again else "nichts davon wird zweimal übernommen"
            notes = [f"Der Inhalt gleicht „{twin.name}“; {then}."]
        if self.sheet is None:
            return sheet_report(name, self.problem, notes)
        already = self._already(path) if twin and not self.again else ()
        return lines_report(name, self.sheet.lines, self.problems, [*self.sheet.notes, *notes], already)

    def _already(self, path: Path) -> set[int]:
        """The rows of a repetition that are known from its twin; of two in one run the second brings nothing."""
        ids = self.known if path == self.paths[0] else {item.external_id for item in self.items}
        return {int(external_id.partition(":")[2]) for external_id in ids}


class FolderSource:
    """Source of the lines of one kind of table."""

    def __init__(self, connection: Connection, context: Context) -> None:
        self._settings = Settings.from_connection(connection)
        self._where = f"connection {connection.id}"
        self._process = context.process
        self._table = read_source(context.content, self._settings.profile, self._where)
        self._columns = {column.key: column.name for column in self._table.columns}
        self._inbox = Inbox(self._settings.path, self._settings.settle_seconds, self._settings.max_bytes)
        self._pickups: dict[str, Pickup] = {}
        self._lines: dict[int, tuple[Item, str]] = {}  # of items that have an id of their own: where they stand

    def fetch(self, cursor: Cursor) -> Iterator[Item]:  # noqa: ARG002 - moving a sheet away is the cursor
        """Every line of every complete sheet; a broken sheet is one item and stops no other."""
        self._pickups, self._lines = {}, {}
        for arrival in self._complete():
            if pickup := self._pick_up(arrival):
                yield from pickup.items

    def acknowledge(self, handled: Sequence[Handled]) -> None:
        """Remember what became of each line; archive the sheets of which nothing is open any more."""
        lines = [(one, self._line_of(one.item)) for one in handled]
        self._find_again({_digest_of(line) for _, line in lines} - self._pickups.keys())
        for one, line in lines:
            if pickup := self._pickups.get(_digest_of(line)):
                self._note(pickup, one, line)
        self._archive([pickup for pickup in self._pickups.values() if not pickup.waiting])

    def look(self, name: str, body: bytes) -> SheetLook:
        """What a run would make of a file, under the name that it would get here; nothing is written."""
        digest, size = hashlib.sha256(body).hexdigest(), len(body)
        raw = body if size <= self._settings.max_bytes else None
        with self._reachable():
            pickup = self._open(Arrival(Path(handed_name(name)), size, 0, 0), digest, raw)
            twin = self._twin(digest, size)
        return SheetLook(
            pickup.name,
            digest,
            pickup.items if pickup.sheet else (),
            pickup.sheet.notes if pickup.sheet else (),
            pickup.problem,
            twin.name if twin else "",
            partial(self._lines_of, pickup),
        )

    def put(self, name: str, body: bytes) -> tuple[str, bool]:
        """Into the inbox, whole, as if somebody had dropped it; not where the same content lies there already."""
        with self._reachable():
            if twin := self._twin(hashlib.sha256(body).hexdigest(), len(body)):
                return twin.name, False
            return self._inbox.put(name, body)

    def kept(self, at_most: int) -> Sequence[KeptSheet]:
        """What waits in the inbox and what was archived, the newest first."""
        with self._reachable():
            return self._inbox.kept(at_most)

    def report(self, sheet: KeptSheet) -> bytes | None:
        """The report beside an archived sheet."""
        with self._reachable():
            return self._inbox.report(sheet.place, sheet.name)

    def _twin(self, digest: str, size: int) -> Path | None:
        """The same content, waiting or archived; where a table's things change, an archived one may come again."""
        archived = None if self._table.id else self._inbox.twin(digest, size)
        return archived or self._inbox.waiting_twin(digest, size)

    def _lines_of(self, pickup: Pickup, handled: Sequence[Handled]) -> Sequence[SheetLine]:
        """What the report would say of each line."""
        lines = pickup.sheet.lines if pickup.sheet else ()
        for one, line in zip(handled, lines, strict=True):
            self._note(pickup, one, f"{pickup.digest}:{line.number}")
        already = () if pickup.again else {int(line.partition(":")[2]) for line in pickup.known}
        told = (outcome(line, pickup.problems.get(line.number, ""), already) for line in lines)
        return [SheetLine(line.number, line.reference, *words) for line, words in zip(lines, told, strict=True)]

    def _note(self, pickup: Pickup, one: Handled, line: str) -> None:
        said = one.item.problem or ""
        problem = for_clerks((one.problem or "").removeprefix(said), self._columns)
        pickup.note(line, problem, besides=bool(said), known=one.known)

    def tell_what_follows(self, follows: Mapping[str, str]) -> None:
        """Write it into the reports of the archived sheets; a report that somebody has taken away stays away."""
        by_sheet: dict[str, dict[int, str]] = defaultdict(dict)
        for external_id, words in follows.items():
            digest, _, row = external_id.partition(":")
            if row.isdecimal():
                by_sheet[digest][int(row)] = words
        try:
            for digest, path in self._inbox.taken_from(by_sheet):
                self._inbox.renew_report(path, partial(with_what_follows, follows=by_sheet[digest]))
        except OSError as error:
            raise SourceError(
                "a report cannot be written",
                where=f"{self._where}: {DONE}/",
                expected="write access; it is tried again in the next run",
                helps=_why(error),
            ) from None

    def archived(self) -> Iterator[Item]:
        """Every line of every sheet that was handled before, with its old id; of a thing that changes its last word."""
        last: dict[str, Item] = {}
        try:
            for arrival, digest, raw in self._inbox.archived():
                for item in self._open(arrival, digest, raw).items:
                    if self._has_own_id(item):
                        last[item.external_id] = item
                    else:
                        yield item
        except OSError as error:
            raise SourceError("an archived sheet cannot be read", where=self._where, helps=_why(error)) from None
        yield from last.values()

    def _has_own_id(self, item: Item) -> bool:
        return bool(self._table.id) and item.kind == self._table.item

    def _line_of(self, item: Item) -> str:
        """`<sha256>:<row>`; nothing for an item of another reading, whose id does not say it."""
        if not self._has_own_id(item):
            return item.external_id
        return self._lines.get(id(item), (item, ""))[1]

    def _complete(self) -> list[Arrival]:
        with self._reachable():
            return self._inbox.complete()

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SourceError(
                "the folder cannot be used",
                where=self._where,
                expected=str(self._settings.path),
                helps=_why(error),
                trouble=trouble_of(error),
            ) from None

    def _pick_up(self, arrival: Arrival) -> Pickup | None:
        """Read one sheet; None where its content is being handled already, or the file has changed.

        A newer word about a thing that another sheet of this run speaks of waits for the next run: it counts last.
        """
        try:
            found = self._inbox.read(arrival)
        except OSError:
            return self._locked(arrival)
        if found is None:
            return None
        digest, raw = found
        if known := self._pickups.get(digest):
            known.paths.append(arrival.path)
            return None
        pickup = self._open(arrival, digest, raw)
        own = {item.external_id for item in pickup.items if self._has_own_id(item)}
        if not own.isdisjoint(item.external_id for item, _ in self._lines.values()):
            return None
        self._pickups[digest] = pickup
        if own:
            lines = (f"{digest}:{line.number}" for line in pickup.sheet.lines) if pickup.sheet else ()
            self._lines |= {id(item): (item, line) for item, line in zip(pickup.items, lines, strict=True)}
        return pickup

    def _locked(self, arrival: Arrival) -> Pickup:
        """A file that nobody lets us read: it stays where it is and is told, as one and the same problem."""
        name = arrived_name(arrival.path.name, "")
        digest = hashlib.sha256(f"{name}\n{arrival.size}\n{arrival.mtime_ns}".encode()).hexdigest()
        problem = "Die Datei kann nicht gelesen werden; bitte die Zugriffsrechte prüfen."
        item = replace(_sheet_problem(digest, name, problem), names=(_as_it_lay(arrival),))
        return Pickup(digest, name, [], None, "", (item,), {digest}, {})

    def _open(self, arrival: Arrival, digest: str, raw: bytes | None) -> Pickup:
        twin = self._inbox.twin(digest, arrival.size)
        name = arrived_name(twin.name if twin else arrival.path.name, digest)
        try:
            sheet, problem = self._read(arrival.path, raw), ""
        except SheetProblem as error:
            sheet, problem = None, str(error)
        items = self._items(digest, name, sheet, arrival) if sheet else (_sheet_problem(digest, name, problem),)
        waiting = {f"{digest}:{line.number}" for line in sheet.lines} if sheet else {digest}
        problems = {line.number: line.problem for line in sheet.lines if line.problem} if sheet else {}
        again = bool(self._table.id)
        return Pickup(digest, name, [arrival.path], sheet, problem, items, waiting, problems, again=again)

    def _read(self, path: Path, raw: bytes | None) -> Sheet:
        if raw is None:
            raise SheetProblem(f"Die Datei ist zu groß; erwartet: höchstens {self._settings.max_bytes // MEGABYTE} MB.")
        return read_sheet(self._worksheets(path.suffix.lower(), raw), self._table, self._process)

    def _worksheets(self, suffix: str, raw: bytes) -> list[Worksheet]:
        limits = TableLimits(unpacked=self._settings.max_unpacked_bytes, rows=self._settings.max_rows)
        if not raw.strip():
            raise SheetProblem("Die Datei ist leer.")
        match suffix:
            case ".xlsx":
                return read_workbook(raw, limits)
            case ".csv":
                return [Worksheet(read_csv(raw, self._table.by_header.keys(), limits))]
            case ".jsonl" | ".ndjson":
                return [read_json_lines(raw, limits)]
            case ".xlsm" | ".xltm":
                raise SheetProblem("Die Datei kann Makros enthalten; bitte ohne Makros als XLSX speichern.")
            case _:
                raise SheetProblem("Die Datei hat ein fremdes Format; erwartet: XLSX, CSV oder JSON Lines (.jsonl).")

    def _items(self, digest: str, name: str, sheet: Sheet, arrival: Arrival) -> tuple[Item, ...]:
        names = names_of(name, sheet.lines, self._table, self._process)
        file = (_as_it_lay(arrival), _file(name))  # what could be read mends a file that could not; no line another
        return tuple(self._item(digest, name, line, names[line.number], file) for line in sheet.lines)

    def _item(self, digest: str, name: str, line: Line, names: tuple[str, ...], file: tuple[str, ...]) -> Item:
        place = {"sheet": name, "row": line.number}
        external_id, raw_ref = f"{digest}:{line.number}", f"{name}#{line.number}"
        names = (*names, external_id)
        own_id = line.id or external_id
        body, secrets = {**place, **line.values}, self._table.secrets
        read = Item(self._table.item, own_id, body, raw_ref=raw_ref, names=(*names, *file), secrets=secrets)
        if not line.problem:
            return read
        told, body = f"{name}, Zeile {line.number}: {line.problem}", {**place, "referenznummer": line.reference}
        as_read = read if line.values else None
        return Item(PROBLEM, external_id, body, raw_ref=raw_ref, problem=told, names=names, as_read=as_read)

    def _find_again(self, digests: AbstractSet[str]) -> None:
        """After a restart: the sheets of acknowledged items, if they still lie there."""
        if not digests or not self._settings.path.is_dir():
            return
        for arrival in self._inbox.arrivals():
            if self._inbox.digest(arrival.path) in digests:
                self._pick_up(arrival)

    def _archive(self, pickups: Sequence[Pickup]) -> None:
        """Every sheet is tried before the first failure is told; it is tried again in the next run."""
        failed: list[SourceError] = []
        for pickup in pickups:
            try:
                for path in pickup.paths:
                    self._inbox.archive(path, pickup.digest, pickup.folder, partial(pickup.report, path))
                del self._pickups[pickup.digest]
            except OSError as error:
                failed.append(self._not_moved(pickup, error))
        if failed:
            raise failed[0]

    def _not_moved(self, pickup: Pickup, error: OSError) -> SourceError:
        return SourceError(
            f"a sheet is stored but cannot be moved to {pickup.folder}/",
            where=f"{self._where}: {pickup.name}",
            expected="write access; the sheet is tried again in the next run",
            helps=_why(error),
            trouble=trouble_of(error),
        )


def _digest_of(line: str) -> str:
    return line.partition(":")[0]


def _sheet_problem(digest: str, name: str, problem: str) -> Item:
    body = {"sheet": name, "row": 0, "referenznummer": ""}
    return Item(PROBLEM, digest, body, raw_ref=name, problem=f"{name}: {problem}", names=(_file(name),))


def _file(name: str) -> str:
    """A sheet that could not be read at all is mended by one of its name that can."""
    return f"Datei {name}"


def _as_it_lay(arrival: Arrival) -> str:
    """A file whose access rights were mended is the same file."""
    return f"{arrival.path.name} {arrival.size} {arrival.mtime_ns}"


def _why(error: OSError) -> str:
    """The system's reason without paths of its own."""
    return error.strerror or type(error).__name__
