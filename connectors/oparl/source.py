"""The source `oparl`: papers of a body that were changed since the last run, with what was decided about them.

    list of papers (modified_since) ─▶ those that the route asks for ─▶ their authoritative consultation ─▶ `paper`
    papers that waited for a result ─┘

A result is recorded at the point of an agenda, and a paper need not be touched for it. So papers without a result wait
in the cursor and are asked for in every run. The list has no order: the cursor moves when it was read to its end, and
the next run begins a little earlier, so that what has the same time is not lost.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.oparl.client import CALL_FAILED, Client, Elsewhere, EnoughCalls, Hidden, Object
from connectors.oparl.finding import papers_address
from connectors.oparl.options import Options
from connectors.oparl.papers import KNOWN_ONCE, RULING, body_of, is_paper, is_wanted, modified_of, odd_field, ruling_of
from connectors.oparl.settings import Settings
from kiezbruecke.connector import Connection, Context, Cursor, Gap, Handled, Item, Rest
from kiezbruecke.errors import ConfigurationError, DeliveryError, KiezbrueckeError, SourceError
from kiezbruecke.troubles import Cause, trouble_of

OVERLAP = timedelta(hours=3)  # clocks that are an hour off, a long transaction, a list that was read for an hour
MOST_WAITING = 200  # papers without a result; those that were changed last stay
WAITS = timedelta(days=730)  # so long behind the newest change: what has no result by then gets none
PATIENCE = 3  # so many calls in a row without any answer, and the run ends
LONGEST_ID = 200  # letters of an address that the ledger keeps as an id

_LONG_AGO = datetime.min.replace(tzinfo=UTC)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far was read, of which choice, and which papers wait for a result."""

    of: str
    since: datetime | None = None
    waiting: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str, of: str) -> Progress:
        """A cursor's value; one of another choice, or of another form, begins anew."""
        try:
            body = json.loads(text)
            since = datetime.fromisoformat(body["since"]) if body["since"] else None
            reach = cls(str(body["of"]), since, tuple(map(str, body["waiting"])))
        except (ValueError, TypeError, KeyError):
            return cls(of)
        return reach if reach.of == of else cls(of)

    def text(self) -> str:
        """As the cursor keeps it."""
        since = self.since.isoformat() if self.since else ""
        return json.dumps({"of": self.of, "since": since, "waiting": self.waiting})


@dataclass
class _Run:
    """What one run has found on its way."""

    newest: datetime | None
    waiting: dict[str, datetime | None] = field(default_factory=dict)  # by address, with their last change
    seen: set[str] = field(default_factory=set)
    odd: int = 0
    unread: int = 0  # papers whose result could not be had
    left: int = 0  # and those for which there were no calls left
    silent: int = 0  # calls in a row without any answer

    def waits(self) -> tuple[str, ...]:
        """Who is asked for again: what was changed last, and what does not say when."""
        last = self.newest - WAITS if self.newest else None
        young = {key: at for key, at in self.waiting.items() if at is None or last is None or at >= last}
        newest = sorted(young, key=lambda key: young[key] or _LONG_AGO, reverse=True)
        return tuple(sorted(newest[:MOST_WAITING]))


class OParl:
    """Reads a body's papers; writes nothing."""

    def __init__(self, connection: Connection, context: Context) -> None:
        self._settings = Settings.from_connection(connection)
        self._where = f"connection {connection.id}"
        self._options = Options.of(context.options, self._where)
        self._choice = self._options.digest(self._settings.address, context.process.id)
        self._client = Client(self._settings)
        self._run = _Run(None)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def fetch(self, cursor: Cursor) -> Iterator[Item]:
        """Papers that were changed since the cursor, and those that waited for a result."""
        reach = Progress.read(cursor.value, self._choice)
        run = self._run = _Run(reach.since)
        self._client.begin()
        try:
            yield from self._changed(run, reach)
            yield from self._waited(run, reach)
        except CALL_FAILED as error:
            raise self._broken(error) from error
        cursor.advance(Progress(self._choice, run.newest, run.waits()).text())

    def gaps(self) -> Sequence[Gap]:
        """Drucksachen whose result could not be had, and entries that cannot be told apart."""
        return [*self._unread_gaps(), *self._odd_gaps()]

    def acknowledge(self, handled: Sequence[Handled]) -> None:
        """Nothing: the server does not know that it is read."""

    def _changed(self, run: _Run, reach: Progress) -> Iterator[Item]:
        begin = reach.since - OVERLAP if reach.since else self._options.begin
        query = {"modified_since": begin.isoformat(timespec="seconds")} if begin else {}
        now = datetime.now(UTC)
        for entries in self._client.pages(papers_address(self._client, self._options.body, self._where), **query):
            papers = [entry for entry in entries if is_paper(entry)]
            self._refuse_another_api(entries, papers)
            run.odd += len(entries) - len(papers)
            for paper in papers:
                moment = modified_of(paper)
                if moment is not None and (run.newest is None or moment > run.newest):
                    run.newest = min(moment, now)  # a time to come would hide all that is changed before it
                yield from self._items(run, paper)

    def _waited(self, run: _Run, reach: Progress) -> Iterator[Item]:
        """Papers of earlier runs without a result, unless the list has named them."""
        for address in reach.waiting:
            if address in run.seen:
                continue
            try:
                paper = self._client.get(address)
            except (Hidden, Elsewhere):
                continue
            except CALL_FAILED as error:
                self._note(run, error)
                run.waiting[address] = None
                continue
            if is_paper(paper) and paper["id"] == address:
                yield from self._items(run, paper)

    def _items(self, run: _Run, paper: Object) -> Iterator[Item]:
        key = paper["id"]
        if key in run.seen or len(key) > LONGEST_ID:
            run.odd += key not in run.seen
            return
        run.seen.add(key)
        if paper.get("deleted") is True:
            yield _absent(Item("paper", key, {"deleted": True}, raw_ref=key), KNOWN_ONCE | RULING)
        elif name := odd_field(paper):
            yield _problem(key, name)
        elif is_wanted(paper, self._options):
            yield self._paper(run, paper)

    def _paper(self, run: _Run, paper: Object) -> Item:
        """A paper with its result. What cannot be had now is absent: what is known of it stays."""
        key, body = paper["id"], body_of(paper)
        try:
            ruling = ruling_of(paper, self._client.get)
        except CALL_FAILED as error:
            self._note(run, error)
            run.waiting[key] = modified_of(paper)
            return _absent(Item("paper", key, body, raw_ref=key), RULING)
        run.silent = 0
        if ruling is None:
            run.waiting[key] = modified_of(paper)
            return Item("paper", key, {**body, "result": "", "resolution": "", "decided_on": ""}, raw_ref=key)
        day = ruling.decided_on.isoformat() if ruling.decided_on else ""
        decided = {"result": ruling.result, "resolution": ruling.resolution, "decided_on": day}
        return Item("paper", key, {**body, **decided}, raw_ref=key)

    def _note(self, run: _Run, error: Exception) -> None:
        """A result that cannot be had stops no other; a server that says nothing ends the run."""
        if isinstance(error, EnoughCalls):
            run.left += 1
            return
        run.silent += isinstance(error, OSError | DeliveryError)
        if run.silent >= PATIENCE:
            raise self._broken(error) from error
        if not run.unread:
            log.warning("%s: a consultation could not be read: %s", self._where, _words(error))
        run.unread += 1

    def _refuse_another_api(self, entries: Sequence[object], papers: Sequence[object]) -> None:
        """One odd entry stops no other; nothing but odd ones is something else."""
        if entries and not papers:
            raise SourceError(
                "no entry of a page is a paper",
                where=self._where,
                expected="a list of OParl papers",
                helps="look at the connection's address",
            )

    def _unread_gaps(self) -> Iterator[Gap]:
        if many := self._run.unread:
            what = "einer Drucksache war" if many == 1 else f"von {many} Drucksachen waren"
            yield Gap("beratungen", f"Die Beratung {what} nicht zu lesen. {_STAYS}. {_AGAIN}")
        if self._run.left:
            yield Gap("aufrufe", f"Für {self._run.left} Drucksachen reichten die Aufrufe dieses Laufs nicht. {_AGAIN}")

    def _odd_gaps(self) -> Iterator[Gap]:
        if self._run.odd:
            what = "Ein Eintrag" if self._run.odd == 1 else f"{self._run.odd} Einträge"
            yield Gap("eintraege", f"{what} der Liste der Drucksachen: nicht zu erkennen, was gemeint ist. {_ASK}")

    def _broken(self, error: Exception) -> KiezbrueckeError:
        if isinstance(error, SourceError | ConfigurationError):
            return error
        trouble = trouble_of(error)
        refused = trouble is not None and trouble.cause in (Cause.PASSWORD, Cause.FORBIDDEN)
        kind = ConfigurationError if refused else SourceError
        return kind(_words(error), where=self._where, helps="nothing is lost; tried again", trouble=trouble)


_STAYS = "Was davon bekannt ist, bleibt, wie es war"
_AGAIN = "Der nächste Lauf versucht es wieder; hält es an, bitte den IT-Betrieb fragen"
_ASK = "Bitte den IT-Betrieb fragen"


def _absent(item: Item, fields: frozenset[str]) -> Item:
    """The item, with fields that could not be had: absent, not empty."""
    return Item(item.kind, item.external_id, item.body, raw_ref=item.raw_ref, rest=Rest(fields, "", _nothing))


def _nothing() -> Mapping[str, Any]:
    return {}


def _problem(key: str, name: str) -> Item:
    problem = (
        f"Eine Drucksache ist nicht lesbar: Das Feld „{name}“ hat eine andere Form als sonst. Bitte im "
        "Ratsinformationssystem nachsehen oder den IT-Betrieb fragen"
    )
    return Item("paper-problem", key, {}, raw_ref=key, problem=problem)


def _words(error: Exception) -> str:
    """Of our own exceptions their words, of the system's only their name."""
    if isinstance(error, KiezbrueckeError):
        return error.what
    own = type(error).__module__.startswith("connectors.")
    return f"no whole answer ({str(error) or type(error).__name__ if own else type(error).__name__})"
