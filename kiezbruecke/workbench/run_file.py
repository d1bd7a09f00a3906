"""A mapping run over a file: every record is written, or refused in a line from which a program finds it again.

    file ──input_file──▶ records ──roots──▶ mapping ──▶ valid? ──▶ a folder of messages, or one file
                                                 └────────────▶ refused.jsonl

What is written appears whole at the end, or not at all. With several processes the output is the same, in the same
order. No line about a refusal holds a value.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import islice
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO

from kiezbruecke.errors import ConfigurationError, MachineError, RecordError
from kiezbruecke.foreign_json import KeyTwice, read_json
from kiezbruecke.machine import growing_file, growing_folder
from kiezbruecke.mapping import Mapping as Ready
from kiezbruecke.mapping import load_mapping
from kiezbruecke.mapping.interpret.draft import Unwritable
from kiezbruecke.mapping.interpret.record import refused_field
from kiezbruecke.mapping.interpret.sources import read
from kiezbruecke.mapping.language.paths import SourcePath
from kiezbruecke.mapping.schema.tables import read_table
from kiezbruecke.mapping.values import Unusable, to_text
from kiezbruecke.mapping.wording import Why, Wording
from kiezbruecke.records import Account
from kiezbruecke.standards.store import checker
from kiezbruecke.workbench.example_input import Misfit, own_record, read_input, typed, typed_root
from kiezbruecke.workbench.input_file import FileForm, FileReading, RecordRead, read_records

_TOGETHER = 100  # records that a process is given at once
_AHEAD = 3  # such lots for each process that wait to be written
_FILE_NAME = re.compile(r"\w[\w.\-]{0,149}")
_DIGITS = 7  # of a file's number
_NOT_A_NAME = Unusable(
    Wording("der Wert ist kein Dateiname", "NO_FILE_NAME", (), "the value is no name of a file"),
    Wording("Buchstaben, Ziffern und . _ -, höchstens 150", "", (), "letters, digits and . _ -, at most 150"),
)
_UNKNOWN = Wording("ein Feld gibt es dort nicht", "UNKNOWN_FIELD", (), "there is no such field")
_TAKEN = "ein früherer Satz hat schon denselben Dateinamen"


@dataclass(frozen=True)
class FileRun:
    """What is to be run: a mapping, the roots that all records have in common, the path of the files' names."""

    mapping: str
    content: Path
    given: Path | None = None
    naming: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one record: its bytes and, in a folder, its file's name, or the parts of its refusal."""

    number: int
    line: int | None
    payload: bytes = b""
    name: str = ""
    refusal: Mapping[str, Any] | None = None


@dataclass
class Summary:
    """How many records were written and refused, so far."""

    written: int = 0
    refused: int = 0


Tell = Callable[[Summary, Mapping[str, Any] | None], None]
Put = Callable[[Done], None]


def reading_of(mapping: Ready, content: Path, name: str, form: FileForm, element: str = "") -> FileReading:
    """How a file is read for a mapping; raises ConfigurationError where it cannot read such a one."""
    source = mapping.definition.source
    reads_xml = bool(mapping.own) and source.kind == "xml"
    if (form is FileForm.XML) != reads_xml:
        expected = "xml" if reads_xml else ", ".join(one for one in FileForm if one is not FileForm.XML)
        raise ConfigurationError(f"'{mapping.name}' does not read {form}", where=name, expected=expected)
    table = read_table(content, source.shape) if source.kind == "table" and source.shape else None
    return FileReading(name, form, table, element or _element(mapping))


def _element(mapping: Ready) -> str:
    """What repeats in a file of such answers: the element that the source names."""
    return re.split("[ /]", mapping.definition.source.shape)[-1] if mapping.definition.source.kind == "xml" else ""


def run_file(
    order: FileRun, stream: BinaryIO, reading: FileReading, out: Path, refused: Path | None, tell: Tell, jobs: int = 1
) -> Summary:
    """Run over all records; `tell` hears of each. Raises ConfigurationError or MachineError, and nothing is written."""
    writer, summary = Writer(order), Summary()
    told = growing_file(refused) if refused else nullcontext()
    with _sink(writer.mapping, out) as put, told as lines:
        for done in _outcomes(writer, order, read_records(stream, reading), jobs):
            refusal = done.refusal or _put(put, done, writer)
            if refusal is None:
                summary.written += 1
            else:
                summary.refused += 1
                if lines:
                    lines.write(f"{json.dumps(refusal, ensure_ascii=False)}\n".encode())
            tell(summary, refusal)
    return summary


def _put(put: Put, done: Done, writer: Writer) -> Mapping[str, Any] | None:
    """Why what was written cannot stand there; None where it does."""
    try:
        put(done)
    except RecordError as error:
        return writer.refusal(done.number, done.line, error)
    return None


class Writer:
    """Writes one record after the other with one mapping; each process has its own."""

    def __init__(self, order: FileRun) -> None:
        self.mapping = load_mapping(order.mapping, order.content)
        self._refuse_accounts()
        self._naming = _naming(order.naming, self.mapping)
        self._given = _given(order, self.mapping)
        words = self.mapping.target.split()
        is_standard = self.mapping.goal.kind == "standard"
        self._checker = checker(order.content, words[0], words[1]) if is_standard else None

    def write(self, record: RecordRead) -> Done:
        """The record's message, judged as a run judges it, or why there is none."""
        number, line = record.number, record.line
        try:
            if record.fault:
                raise self._at_root(record.at, record.fault)
            roots = self._roots(record)
            payload = self._payload(roots)
            if self._checker is not None:
                self._checker.check(payload)
            return Done(number, line, payload, self._name(roots, number))
        except RecordError as error:
            return Done(number, line, refusal=self.refusal(number, line, error))

    def _payload(self, roots: dict[str, Any]) -> bytes:
        if self.mapping.goal.model is None:
            return self.mapping.write(roots)
        found = self.mapping.read(roots["item"], roots)
        return json.dumps(found.model_dump(mode="json"), ensure_ascii=False).encode()

    def _roots(self, record: RecordRead) -> dict[str, Any]:
        body = record.body
        if isinstance(body, bytes) and self.mapping.definition.source.kind != "xml":
            body = self._json_line(body)
        if self.mapping.direction == "inbound":
            kind = next(iter(self.mapping.reads), "")
            envelope = {"source": "", "external_id": str(record.number), "kind": kind, "raw_ref": ""}
            given = self._given.get("envelope", {})
            return {**self._given, "envelope": {**envelope, **given}, "item": body}
        if self.mapping.own:
            found = self.mapping.roots_of(body if isinstance(body, bytes) else own_record(body), number=record.number)
            return {**found, **self._given}
        assert not isinstance(body, bytes)
        return {**self._given, **_our_roots(body, self.mapping.definition.roots)}

    def _json_line(self, line: bytes) -> Mapping[str, Any]:
        try:
            body = read_json(line)
        except KeyTwice as twice:
            raise self._at_root(twice.path, Unusable(Why.KEY_TWICE())) from None
        except ValueError:
            raise _unreadable("", Unusable(Why.NO_JSON())) from None
        if not isinstance(body, dict):
            raise _unreadable("", Unusable(Why.NO_OBJECT()))
        return body

    def _at_root(self, path: str, unusable: Unusable) -> Unwritable:
        """The error at a place of the record, from the root that the mapping reads it by."""
        return _unreadable(".".join(filter(None, [self.mapping.own if path else "", path])), unusable)

    def _name(self, roots: dict[str, Any], number: int) -> str:
        if self._naming is None:
            return f"{number:0{_DIGITS}}"
        scope = self.mapping.scope(roots["item"], roots) if "item" in roots else roots
        try:
            text = to_text(read(self._naming, scope))
        except Unusable:
            raise _unreadable(self._naming.text, _NOT_A_NAME) from None
        if not _FILE_NAME.fullmatch(text):
            raise _unreadable(self._naming.text, _NOT_A_NAME)
        return text

    def refusal(self, number: int, line: int | None, error: RecordError) -> dict[str, Any]:
        """The line of `refused.jsonl` about a record."""
        said = error if isinstance(error, Unwritable) else None
        place = said.rule.place if said and said.rule else None
        return {
            "record": number,
            "line": line,
            "source": said.source if said else "",
            "target": said.target if said else "",
            "rule": said.by.number if said and said.by else None,
            "mapping_file": place.file if place else self.mapping.file,
            "mapping_line": place.line if place else None,
            "code": said.unusable.problem.code if said else "",
            "reason": str(said.unusable) if said else error.line(),
        }

    def _refuse_accounts(self) -> None:
        if self.mapping.goal.model is Account:
            helps = "a route reads such a list; account data goes into the vault and into no file"
            raise ConfigurationError(f"'{self.mapping.name}' reads account data", helps=helps)


def _our_roots(body: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """What a record gives a mapping without a source: an object of its roots, each as its model has it.

    A line of a sheet names them in its header: `payment.amount`. Raises RecordError.
    """
    roots = _nested(body) if any("." in name for name in body) else body
    if roots.keys() - set(known):
        expected = ", ".join(known)
        raise RecordError("der Satz hat Felder, die keine Wurzeln der Zuordnung sind", expected=expected)
    try:
        return {name: typed(name, value) for name, value in roots.items()}
    except Misfit as misfit:
        raise _misfitting(misfit) from None


def _nested(body: Mapping[str, Any]) -> dict[str, Any]:
    """`{"payment.amount": 1}` as `{"payment": {"amount": 1}}`."""
    found: dict[str, Any] = {}
    for path, value in body.items():
        place, *names = found, *path.split(".")
        for name in names[:-1]:
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                raise RecordError("zwei Felder des Satzes widersprechen einander", expected="ein Feld oder seine Teile")
        place[names[-1]] = value
    return found


def _misfitting(misfit: Misfit) -> Unwritable:
    """The names of fields that there are not stand in the file, and so may be anything."""
    if misfit.error is None:
        return _unreadable(str(misfit.path[0]), Unusable(_UNKNOWN, Wording(", ".join(misfit.known))))
    numbered = (f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in misfit.path)
    return _unreadable("".join(numbered)[1:], refused_field(misfit.error)[1])


def _unreadable(source: str, unusable: Unusable) -> Unwritable:
    """The error of a value that no rule has read yet."""
    error = Unwritable(None, source, unusable)
    error.source = source
    return error


def _given(order: FileRun, mapping: Ready) -> dict[str, Any]:
    """The roots that all records have in common, read as an example is."""
    if order.given is None:
        return {}
    known = mapping.definition.roots
    body = read_input(order.given, known)
    if unknown := sorted(map(str, body.keys() - set(known))):
        what = f"the mapping has no root '{unknown[0]}'"
        raise ConfigurationError(what, where=str(order.given), expected=", ".join(known))
    return {name: typed_root(name, value, order.content, order.given) for name, value in body.items()}


def _naming(text: str, mapping: Ready) -> SourcePath | None:
    try:
        path = SourcePath.parse(text) if text else None
    except ValueError:
        path = None
    if text and (path is None or path.root not in mapping.definition.roots):
        expected = f"a path that begins with {' or '.join(mapping.definition.roots)}"
        raise ConfigurationError("no path for the names of files", where="--name", expected=expected)
    return path


def _outcomes(writer: Writer, order: FileRun, records: Iterable[RecordRead], jobs: int) -> Iterator[Done]:
    """What becomes of the records, in their order; lots of them go to other processes where there are several."""
    if jobs == 1:
        yield from map(writer.write, records)
        return
    waiting: deque[Future[list[Done]]] = deque()
    with ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (order,)) as pool:
        try:
            for lot in _lots(records):
                with _deaf():
                    waiting.append(pool.submit(_write_lot, lot))
                if len(waiting) > jobs * _AHEAD:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        except BrokenProcessPool:
            helps = "look for what ended it (memory?), or call with --jobs 1"
            raise MachineError("a process of this run has ended", helps=helps) from None
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes that are begun here never hear Ctrl-C: they end with this one, and say nothing."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _lots(records: Iterable[RecordRead]) -> Iterator[list[RecordRead]]:
    rest = iter(records)
    while lot := list(islice(rest, _TOGETHER)):
        yield lot


_writers: list[Writer] = []  # the one of this process, where it was begun for others


def _begin(order: FileRun) -> None:
    Thread(target=_end_with_caller, daemon=True).start()
    _writers.append(Writer(order))


def _end_with_caller() -> None:
    """A caller that is killed says no word, and a process that waits for records would wait for ever."""
    caller = parent_process()
    assert caller is not None
    caller.join()
    os._exit(1)


def _write_lot(lot: list[RecordRead]) -> list[Done]:
    return [_writers[0].write(record) for record in lot]


@contextmanager
def _sink(mapping: Ready, out: Path) -> Iterator[Put]:
    """Takes what was written, or raises RecordError; whole behind the block, or not there."""
    if out.is_dir() or not out.suffix:
        with growing_folder(out) as folder:
            yield partial(_into_folder, folder, mapping)
        return
    if mapping.goal.kind == "standard":
        raise ConfigurationError("one file cannot hold many messages", where=str(out), expected="a folder")
    with growing_file(out) as file:
        table = mapping.goal.table
        file.write(table.header_line() if table else b"")
        yield partial(_into_file, file, b"" if table else b"\n")


def _into_folder(folder: Path, mapping: Ready, done: Done) -> None:
    try:
        with (folder / f"{done.name}.{mapping.goal.suffix}").open("xb") as file:
            file.write(done.payload)
    except FileExistsError:
        raise RecordError(_TAKEN) from None


def _into_file(file: BinaryIO, end: bytes, done: Done) -> None:
    file.write(done.payload + end)
