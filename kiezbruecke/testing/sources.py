"""What the engine relies on when it reads, as tests for any source; see `kiezbruecke.testing`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import islice
from typing import ClassVar

import pytest

from kiezbruecke.connector import Gapped, Handled, Item, Reporting, Rest, Source, close
from kiezbruecke.errors import ConfigurationError, SourceError
from kiezbruecke.testing.stand import (
    FOREIGN,
    IMPATIENT,
    LOGIN,
    SECRET,
    SOON,
    Counterpart,
    OnAStand,
    Stand,
    nobody,
    silence,
    told,
)


def check_source(
    stand: Stand,
    *,
    fill: Callable[[Counterpart], None],
    broken: Sequence[str] = (),
    partly: Sequence[str] = (),
    lost: Sequence[str] = (),
) -> type[SourcePromises]:
    """A test class for a source: `TestSource = check_source(…)`.

    `fill` puts at least two items more where the source reads. `broken` are faults of the sandbox after which it cannot
    be read to the end; `partly` are those that take the rest of an item away, and nothing else; `lost` are faults that
    lose the answer to an acknowledgement.
    """
    given = SourceGiven(fill, tuple(broken), tuple(partly), tuple(lost))
    return type("SourcePromises", (SourcePromises,), {"stand": stand, "given": given})


@dataclass(frozen=True)
class SourceGiven:
    """What only the connector's author can know; see `check_source`."""

    fill: Callable[[Counterpart], None]
    broken: tuple[str, ...]
    partly: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass
class Bookmark:
    """A cursor in memory."""

    value: str = ""

    def advance(self, value: str) -> None:
        """Remember how far."""
        self.value = value


def _what(item: Item) -> tuple[str, str, object, Rest | None]:
    return item.kind, item.external_id, item.body, item.rest


def _brought(item: Item) -> dict[str, str]:
    return {name: repr(value) for name, value in item.rest.fetch().items()} if item.rest else {}


class SourcePromises(OnAStand):
    """Each test is one promise, its docstring says what the engine would do wrong without it."""

    given: ClassVar[SourceGiven]

    def read(self, counterpart: Counterpart, bookmark: Bookmark | None = None) -> list[Item]:
        """Everything that a new client hands over; there is something to hand over."""
        source = self.stand.source(counterpart.connection)
        items = list(source.fetch(bookmark or Bookmark()))
        if bookmark is None and len(items) < 2:
            self.given.fill(counterpart)
            items = list(source.fetch(Bookmark()))
            assert len(items) >= 2, "`fill` must put at least two items where the source reads"
        close(source)
        return items

    def test_the_manifest_names_what_is_handed_over(self, counterpart: Counterpart) -> None:
        """The kind chooses the mapping: one that nobody announced is read by none."""
        manifest = self.stand.manifest

        kinds = {item.kind for item in self.read(counterpart)}
        assert not [kind for kind in kinds if not any(fnmatch(kind, known) for known in manifest.item_kinds)]
        assert manifest.source

    def test_an_item_is_whole(self, counterpart: Counterpart) -> None:
        """An empty id is everybody's id; a problem is one line for a list."""
        for item in self.read(counterpart):
            assert item.external_id
            assert isinstance(item.external_id, str)
            assert isinstance(item.body, dict | bytes)
            assert item.problem is None or (item.problem and "\n" not in item.problem)

    def test_reading_twice_gives_the_same_items(self, counterpart: Counterpart) -> None:
        """A thing that comes under another id is another thing: it would be paid twice."""
        first, second = self.read(counterpart), self.read(counterpart)

        assert sorted(map(repr, map(_what, first))) == sorted(map(repr, map(_what, second)))

    def test_an_id_is_one_thing(self, counterpart: Counterpart) -> None:
        """Two things under one id would be merged into one record."""
        ids = [(item.kind, item.external_id) for item in self.read(counterpart)]

        assert len({*ids}) == len(ids)

    def test_a_rest_brings_what_it_names(self, counterpart: Counterpart) -> None:
        """A field of the body that changes with the rest would be read once and never again."""
        for item in self.read(counterpart):
            if item.rest is not None:
                assert isinstance(item.body, dict)
                assert not item.rest.fields & item.body.keys()
                assert item.rest.fetch().keys() <= item.rest.fields

    def test_what_is_absent_is_never_empty_and_is_told(self, counterpart: Counterpart) -> None:
        """An empty text is one that was taken back, and overwrites what is known."""
        whole = {_what(item)[:2]: _brought(item) for item in self.read(counterpart)}
        for fault in self.given.partly:
            source = self.stand.source(counterpart.connection)
            counterpart.arm(fault)
            for item in source.fetch(Bookmark()):
                assert _brought(item).items() <= whole[_what(item)[:2]].items(), fault
            assert isinstance(source, Gapped)
            names = [gap.subject for gap in source.gaps()]
            assert names, fault
            assert len({*names}) == len(names)
            assert not any("\n" in gap.problem for gap in source.gaps())
            assert {_what(item)[:2]: _brought(item) for item in source.fetch(Bookmark())} == whole, fault
            assert list(source.gaps()) == []
            close(source)

    def test_the_cursor_never_runs_ahead(self, counterpart: Counterpart) -> None:
        """It is committed with what was yielded before it moved: after a crash nothing in between may be missing."""
        everything = {item.external_id for item in self.read(counterpart)}
        for stop in range(1, min(len(everything), 4)):
            bookmark = Bookmark()
            fetching = self.stand.source(counterpart.connection).fetch(bookmark)
            before = {item.external_id for item in islice(fetching, stop)}
            kept = Bookmark(bookmark.value)
            fetching.close()  # type: ignore[attr-defined]  # as a kill would end it

            after = {item.external_id for item in self.read(counterpart, kept)}
            assert everything <= before | after

    def test_acknowledging_twice_is_harmless(self, counterpart: Counterpart) -> None:
        """After a crash between the acknowledgement and its commit it is said again, by a client that knows nothing."""
        handled = [Handled(item) for item in self.read(counterpart)]
        for _ in range(2):
            source = self.stand.source(counterpart.connection)
            source.acknowledge(handled)
            source.acknowledge([Handled(one.item, known=True) for one in handled])
            close(source)

    def test_what_follows_may_be_told_again_and_of_things_that_are_not_the_sources(
        self, counterpart: Counterpart
    ) -> None:
        """It is told after a crash, too, and of whole cases: other sources have spoken of them."""
        handled = [Handled(item) for item in self.read(counterpart)]
        source = self.stand.source(counterpart.connection)
        if not isinstance(source, Reporting):
            pytest.skip("this source reports nothing")
        source.acknowledge(handled)
        for words in ({}, {one.item.external_id: "geht ins HKR" for one in handled} | {"fremd:2": "x", "fremd": "x"}):
            for _ in range(2):
                self.stand.source(counterpart.connection).tell_what_follows(words)  # type: ignore[attr-defined]
        close(source)

    def test_a_lost_answer_to_an_acknowledgement_heals(self, counterpart: Counterpart) -> None:
        """It may raise; said again it must be good, and nothing may come as another thing."""
        for fault in self.given.lost:
            items = self.read(counterpart)
            source = self.stand.source(counterpart.connection)
            list(source.fetch(Bookmark()))
            counterpart.arm(fault)
            try:
                source.acknowledge([Handled(item) for item in items])
            except SourceError:
                source.acknowledge([Handled(item) for item in items])
            known = {item.external_id for item in items}
            assert all(item.external_id in known for item in source.fetch(Bookmark()))
            close(source)

    def test_what_cannot_be_read_to_the_end_is_an_error_and_heals(self, counterpart: Counterpart) -> None:
        """Half a list that looks whole makes the rest vanish."""
        everything = {item.external_id for item in self.read(counterpart)}
        for fault in self.given.broken:
            counterpart.arm(fault)
            with pytest.raises(SourceError):
                list(self.stand.source(counterpart.connection).fetch(Bookmark()))

            assert {item.external_id for item in self.read(counterpart)} == everything, fault

    def test_nobody_there_is_an_error(self) -> None:
        """It is tried again; an empty list would mean that everything is gone."""
        self.only_over_http()
        with nobody() as address, pytest.raises(SourceError):
            list(self._impatient(address).fetch(Bookmark()))

    def test_silence_ends_with_the_patience(self) -> None:
        """A run that waits for ever holds its slot for ever."""
        self.only_over_http()
        begun = time.monotonic()
        with silence() as address, pytest.raises(SourceError):
            list(self._impatient(address).fetch(Bookmark()))

        assert time.monotonic() - begun < SOON

    def test_a_secret_never_goes_to_another_machine_in_the_clear(self) -> None:
        """Refused before the first byte."""
        self.only_over_http()
        with pytest.raises(ConfigurationError) as raised:
            self.stand.source(self.stand.with_secrets(self.stand.connection(FOREIGN)))

        assert SECRET not in told(raised.value)

    def test_a_secret_is_never_shown(self, caplog: pytest.LogCaptureFixture) -> None:
        """Errors are stored and logged, clients are printed."""
        self.only_over_http()
        with nobody() as address, caplog.at_level(logging.DEBUG):
            source = self.stand.source(self.stand.with_secrets(self.stand.connection(address, **IMPATIENT)))
            with pytest.raises(SourceError) as raised:
                list(source.fetch(Bookmark()))

        shown = f"{told(raised.value)}\n{source!r}\n{vars(source)!r}\n{caplog.text}"
        assert SECRET not in shown
        assert LOGIN not in shown

    def test_close_may_come_twice_and_is_no_end(self, counterpart: Counterpart) -> None:
        """The engine closes at a stage's end; a client that is used again opens anew."""
        source = self.stand.source(counterpart.connection)
        before = [item.external_id for item in source.fetch(Bookmark())]
        close(source)
        close(source)

        assert {item.external_id for item in source.fetch(Bookmark())} == {*before}
        close(source)

    def _impatient(self, address: str) -> Source:
        return self.stand.source(self.stand.connection(address, **IMPATIENT))
