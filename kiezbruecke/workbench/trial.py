"""A trial: thousands of invented records, each of which must become a valid message or be set aside with a reason.

The records start from an example. First each word that a source may hold has its turn: those of an enumeration, yes
and no, nothing, what a code list or a condition names. Then what the rules read is replaced by values that have hurt
before: empty, far too long, full of markup, control characters, sums finer than a cent, lists of many and of none.
The same seed gives the same records.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, cast
from uuid import UUID

from lxml import etree
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from kiezbruecke.errors import RecordError
from kiezbruecke.mapping.compile import Declined
from kiezbruecke.mapping.interpret.sources import Scope
from kiezbruecke.mapping.loading import Mapping as Ready
from kiezbruecke.mapping.schema.models import root_model
from kiezbruecke.mapping.values import Unusable, xml_text
from kiezbruecke.workbench.source_values import paths_of, put, turns, words_of

_TEXTS = (
    "", " ", "\u00a0", "x", "0", "-1", "1.5", "850,00 €", "A" * 35, "ä" * 36, "Wort " * 15, "x" * 141, "x" * 256,
    "Zeile\n" * 900, "a & b < c > d \"e\" 'f' ]]>", "\tTabulator\r\nZeile", "\x00", "a\x0bb", "\ud800", "\ufffe",
    "e\u0301" * 9, "Привет", "👩\u200d👩\u200d👧", "\u202etxet", "=1+1", "@SUM", "  viele   Leerzeichen ", "Straße 1",
    "EUR", "2026-02-30", "NaN", "true", "../../etc/passwd",
)  # fmt: skip
_SUMS = tuple(map(Decimal, ("0", "0.01", "850.00", "0.005", "-1", "99999999999.99", "1E+15", "12.3")))
_NUMBERS = (0, 1, -1, 7, 99999999, 10**18)
_DAYS = (date(2026, 4, 24), date(1, 1, 1), date(9999, 12, 31))
_MOMENTS = (datetime(2026, 4, 24, 23, 59, 59, 999_999, tzinfo=UTC), datetime(1999, 12, 31, tzinfo=UTC))
_UUIDS = (UUID(int=0), UUID(int=2**128 - 1))
_MANY = (0, 1, 2, 30)
_WORDED = 0.5  # how often a place that knows words takes one of them
_CHANGES = 3  # values replaced in a record, at most: mostly sound records find more than broken ones


@dataclass
class Trial:
    """What became of the records. `invalid` must stay empty: how the engine failed."""

    records: int = 0
    valid: int = 0
    straight: int = 0  # written by generated code
    set_aside: Counter[str] = field(default_factory=Counter)
    invalid: Counter[str] = field(default_factory=Counter)

    @property
    def passed(self) -> bool:
        """Whether every record was valid or set aside, and not all of them set aside."""
        return self.valid > 0 and not self.invalid and self.valid + self.set_aside.total() == self.records


def try_mapping(mapping: Ready, roots: Mapping[str, Any], *, records: int, seed: int = 1) -> Trial:
    """Write and validate so many invented records."""
    done = Trial()
    for invented in invent(mapping, roots, records=records, seed=seed):
        done.records += 1
        _one(mapping, invented, done)
    return done


def invent(mapping: Ready, roots: Mapping[str, Any], *, records: int, seed: int) -> Iterator[Scope]:
    """Records near an example, the first one the example itself, then one for each word."""
    paths, (typed, named) = paths_of(mapping), words_of(mapping, roots)
    words = {path: [*typed.get(path, ()), *named.get(path, ())] for path in paths}
    chance = random.Random(seed)  # noqa: S311 - the same records every time
    yield roots
    worded = turns(typed, named, records)[: records - 1]
    for path, word in worded:
        yield _with(roots, path, word)
    for _ in range(records - 1 - len(worded)):
        invented: Scope = roots
        for path in chance.sample(paths, min(len(paths), chance.randint(1, _CHANGES))):
            root, *names = path.split(".")
            if words[path] and chance.random() < _WORDED:
                invented = _with(invented, path, chance.choice(words[path]))
            elif root in invented:
                invented = {**invented, root: _root_with(root, invented[root], names, chance)}
        yield invented


def _with(roots: Scope, path: str, word: Any) -> Scope:
    """The roots with a word at a path, or without the root that is called nothing."""
    root, *names = path.split(".")
    if not names and word is None:
        return {name: value for name, value in roots.items() if name != root}
    return {**roots, root: put(roots[root], names, word)} if root in roots else roots


def _one(mapping: Ready, roots: Scope, done: Trial) -> None:
    try:
        payload = mapping.write(roots)
    except RecordError as error:
        done.set_aside[error.line()] += 1
        return
    except Exception as error:  # noqa: BLE001 - a trial reports whatever an invented record does to the engine
        done.invalid[f"the engine failed with {type(error).__name__}"] += 1
        return
    with suppress(Declined):
        done.straight += mapping.compiled.write(roots) == payload
    done.valid += 1


def _root_with(root: str, value: Any, names: Sequence[str], chance: random.Random) -> Any:
    """A root with something else at the path; one that an example gives only in part has typed fields, too."""
    model = root_model(root)
    known = model.model_fields.get(names[0]) if model is not None and len(names) == 1 else None
    if known is not None and isinstance(value, dict):
        return {**value, names[0]: _of_field(known, value.get(names[0]), chance)}
    return _replaced(value, names, chance)


def _replaced(value: Any, names: Sequence[str], chance: random.Random) -> Any:
    """The value with something else at the end of the path; what is not there stays as it is."""
    if not names:
        return _other(value, chance)
    if isinstance(value, BaseModel):
        known = type(value).model_fields.get(names[0])
        if known is None:
            return value
        below = getattr(value, names[0])
        new = _replaced(below, names[1:], chance) if names[1:] else _of_field(known, below, chance)
        return value.model_copy(update={names[0]: new})
    if isinstance(value, dict):
        return {**value, names[0]: _replaced(value.get(names[0]), names[1:], chance)}
    if isinstance(value, list | tuple):
        return type(value)(_replaced(part, names, chance) for part in value)
    return put(value, names, chance.choice(_XML_TEXTS)) if etree.iselement(value) else value


def _of_field(known: FieldInfo, value: Any, chance: random.Random) -> Any:
    """Another value that the field takes, or the value as it was."""
    if isinstance(value, tuple | list) and value and isinstance(value[0], BaseModel):
        return type(value)(chance.choice(value) for _ in range(chance.choice(_MANY)))
    if id(known) not in _adapters:
        _adapters[id(known)] = TypeAdapter(cast("Any", Annotated[known.annotation, known]))
    for candidate in chance.sample(_CANDIDATES, 12):
        try:
            return _adapters[id(known)].validate_python(candidate, strict=True)
        except ValidationError:
            continue
    return value


def _can_stand_in_xml(text: str) -> bool:
    try:
        xml_text(text)
    except Unusable:
        return False
    return True


def _other(value: Any, chance: random.Random) -> Any:
    """For open roots: mostly another text, sometimes another kind of value."""
    if isinstance(value, list):
        return [part for part in value for _ in range(chance.choice((0, 1, 3)))]
    return chance.choice(_TEXTS if chance.random() < 0.8 else _CANDIDATES)


_XML_TEXTS = tuple(text for text in _TEXTS if _can_stand_in_xml(text))
_adapters: dict[int, TypeAdapter[Any]] = {}  # by field of a model, which lives as long as the process
_CANDIDATES: tuple[Any, ...] = (None, True, False, *_TEXTS, *_SUMS, *_NUMBERS, *_DAYS, *_MOMENTS, *_UUIDS, 1.5)
