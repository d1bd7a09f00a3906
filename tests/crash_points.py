"""Crash points, numbered from outside: every ledger commit, every remote call, every rename, before and after.

    parent (warm, nothing open) ──fork──▶ child: runs `work`, counts what it passes ──▶ SIGKILL at point n
                                └─fork──▶ child: runs it all again, tells what it found

Of thousands of points a run of the tests kills at a sample that changes every day: `points_to_kill`.

The production code knows nothing of this: SQLAlchemy's commit, http.client's request and answer and the system's rename
are wrapped in the child. Whatever is open in the parent would be shared with the child, so the parent opens nothing: no
database, no line. Each child opens its own.
"""

from __future__ import annotations

import gc
import http.client
import os
import pickle
import re
import signal
import traceback
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.engine.default import DefaultDialect

from kiezbruecke.ledger import database
from tests import sample

T = TypeVar("T")
Work = Callable[[], object]
Kill = tuple[int, str]  # a point's number and name


class ChildFailed(AssertionError):
    """The work in the child raised; the text is its traceback."""


@dataclass
class _Counter:
    """Counts the points that are passed; at one of them the process gets a signal."""

    number: int = 0
    send: signal.Signals = signal.SIGKILL
    tell: int = -1
    passed: list[str] = field(default_factory=list)

    def pass_by(self, point: str) -> None:
        self.passed.append(point)
        if len(self.passed) == self.number:
            if self.tell >= 0:
                os.write(self.tell, pickle.dumps(point))
            os.kill(os.getpid(), self.send)


def points_to_kill(*visits: Sequence[str]) -> list[list[Kill]]:
    """Of the points that each visit has passed, those to kill at, per visit.

    A moment's kind is what has just happened and what would come next; numbers do not count. Of each kind the sample
    has one, the next one every day: after as many days as the most frequent kind has moments all have been tried. Where
    all of it is asked for it is every point, those too that are the same moment as the next one.
    """
    if sample.is_whole():
        return [list(enumerate(passed, 1)) for passed in visits]
    kinds: defaultdict[str, list[tuple[int, Kill]]] = defaultdict(list)
    for visit, passed in enumerate(visits):
        for kind, kill in _moments(passed):
            kinds[kind].append((visit, kill))
    chosen = sorted(sample.one_of(places) for places in kinds.values())
    return [[kill for place, kill in chosen if place == visit] for visit in range(len(visits))]


def _moments(passed: Sequence[str]) -> Iterator[tuple[str, Kill]]:
    """The points with their kinds, without those that are the same moment as the next one.

    Commits, calls and renames are the only doors: between "after X" and a "before Y" that follows directly nothing
    outside the process changes, but for a file that is not renamed yet – and that lies there at "before Y".
    """
    following = [*passed[1:], ""]
    before = "the beginning"
    for number, (point, after) in enumerate(zip(passed, following, strict=True), 1):
        if not (point.startswith("after ") and after.startswith("before ")):
            yield re.sub(r"\w*\d\w*", "#", f"{before}, {point}"), (number, point)
        before = point


def count_points(work: Work) -> list[str]:
    """Run `work` once, in a child, and name the points it passes, in order. Point n is the n-th, from 1."""

    def counted() -> list[str]:
        counter = _Counter()
        _number(counter)
        work()
        return counter.passed

    return in_child(counted)


def die_at(number: int, work: Work) -> str:
    """Run `work` in a child that is killed with SIGKILL at point `number`; the point's name."""
    reader, writer = os.pipe()
    child = fork()
    if child == 0:
        os.close(reader)
        _number(_Counter(number, tell=writer))
        _end(writer, work)
    os.close(writer)
    said = _read(reader)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return str(said)
    if isinstance(said, ChildFailed):
        raise said
    raise AssertionError(f"the work ended without reaching point {number}")


def in_child(work: Callable[[], T]) -> T:
    """Run `work` in a child and hand its result over; what it opens ends with it. Raises ChildFailed."""
    reader, writer = os.pipe()
    child = fork()
    if child == 0:
        os.close(reader)
        _end(writer, work)
    os.close(writer)
    said: Any = _read(reader)
    os.waitpid(child, 0)
    if isinstance(said, ChildFailed):
        raise said
    return said  # type: ignore[no-any-return]


@dataclass
class Beside:
    """A child that works beside this process."""

    pid: int
    reader: int

    def wake(self) -> None:
        """Let a stopped one go on."""
        os.kill(self.pid, signal.SIGCONT)

    def result(self) -> Any:
        """Wait for its end; what its work gave. Raises ChildFailed."""
        said = _read(self.reader)
        os.waitpid(self.pid, 0)
        if isinstance(said, ChildFailed):
            raise said
        return said


def beside(work: Work) -> Beside:
    """Run `work` in a child beside this process."""
    return _beside(work, _Counter())


def stop_at(number: int, work: Work) -> Beside:
    """Run `work` in a child that stops itself (SIGSTOP) at point `number`; returns when it has stopped."""
    child = _beside(work, _Counter(number, signal.SIGSTOP))
    _, status = os.waitpid(child.pid, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        raise AssertionError(f"the work ended without reaching point {number}")
    return child


def _beside(work: Work, counter: _Counter) -> Beside:
    reader, writer = os.pipe()
    child = fork()
    if child == 0:
        os.close(reader)
        _number(counter)
        _end(writer, work)
    os.close(writer)
    return Beside(child, reader)


def fork() -> int:
    """As os.fork; a child that collects garbage leaves alone what it has inherited, or it would copy all of it."""
    gc.freeze()
    with warnings.catch_warnings():
        # from 3.12 on a fork beside other threads warns; the child uses nothing of theirs (pytest-xdist's channel)
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        gc.unfreeze()
    return child


def _end(writer: int, work: Work) -> None:
    """The child's life: no cleaning up at its end, which would close what is the parent's."""
    status = 0
    try:
        said: object = work()
    except BaseException:  # noqa: BLE001 - told to the parent, whatever it was
        said, status = ChildFailed(traceback.format_exc()), 1
    try:
        _write(writer, pickle.dumps(said))
    finally:
        os._exit(status)


def _write(writer: int, content: bytes) -> None:
    while content:
        content = content[os.write(writer, content) :]


def _read(reader: int) -> object:
    with os.fdopen(reader, "rb") as pipe:
        content = pipe.read()
    return pickle.loads(content) if content else ChildFailed("the child ended without a word")


def _number(counter: _Counter) -> None:
    """Wrap the three doors through which anything leaves this process."""
    _around(counter, DefaultDialect, "do_commit", lambda *_: f"commit {_whose()}")
    _around_calls(counter)
    for name in ("rename", "replace"):
        _around(counter, os, name, lambda _, final, *__: f"rename {Path(final).name}")


def _whose() -> str:
    """The function of ours whose transaction is committed."""
    for frame, _ in traceback.walk_stack(None):
        module = frame.f_globals["__name__"]
        if module.startswith("kiezbruecke.") and module != database.__name__:
            return f"{module.removeprefix('kiezbruecke.')}.{frame.f_code.co_name}"
    return "of nobody"


def _around(counter: _Counter, owner: Any, name: str, label: Callable[..., str]) -> None:
    real = getattr(owner, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        point = label(*args)
        counter.pass_by(f"before {point}")
        result = real(*args, **kwargs)
        counter.pass_by(f"after {point}")
        return result

    setattr(owner, name, wrapped)


def _around_calls(counter: _Counter) -> None:
    """Before a request has left, and after its answer has begun to come: every client of ours goes through here."""
    request, answer = http.client.HTTPConnection.request, http.client.HTTPConnection.getresponse
    asked: dict[int, str] = {}

    def ask(connection: Any, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        asked[id(connection)] = f"call {url}"
        counter.pass_by(f"before call {url}")
        request(connection, method, url, *args, **kwargs)

    def hear(connection: Any) -> http.client.HTTPResponse:
        response = answer(connection)
        counter.pass_by(f"after {asked.pop(id(connection), 'call')}")
        return response

    http.client.HTTPConnection.request = ask  # type: ignore[assignment,method-assign]
    http.client.HTTPConnection.getresponse = hear  # type: ignore[assignment,method-assign]
