"""Texts for people: what is said in public about a case, one file per state, in plain German.

    mappings/texts/<set>/granted.yaml
        lines:                          one paragraph each; {amount}, {decided_on} … stand for values of the case
          - "Bewilligt: {amount}"
        reviewed: {by: …, on: …}        who has read it for the district; without it no live route uses the set
        examples:
          - given: {amount: 850.00}
            lines: ["Bewilligt: 850,00 €"]
    mappings/texts/<set>/committed.yaml
        same_as: granted                to the people the same: who has heard the one is not told the other

A process's file names its set (`texts: <set>`). A state without a file is not told.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from kiezbruecke.content.processes import TEXTS, process_file
from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.german import day, euros
from kiezbruecke.plain_yaml import place_of, read_yaml
from kiezbruecke.printable import printable
from kiezbruecke.records.views import CaseState

TELLABLE = (  # where a decision leads to; before one there is nothing to answer
    CaseState.GRANTED,
    CaseState.COMMITTED,
    CaseState.IN_PAYMENT,
    CaseState.PAID,
    CaseState.SETTLED,
    CaseState.REJECTED,
    CaseState.NOT_ELIGIBLE,
    CaseState.WAITING_LIST,
    CaseState.DEFERRED,
    CaseState.FORWARDED,
    CaseState.WITHDRAWN,
)
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_JOINERS = "\u200c\u200d"  # Persian words and families of emoji fall apart without them


class Values(BaseModel):
    """What a text may say about a case: the closed list of its placeholders. None where the case says nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: Decimal | None = None  # the granted sum
    decided_on: date | None = None  # the day of the assembly
    area_name: str | None = None
    title: str | None = None  # of the proposal
    reference: str | None = None  # its reference number
    process: str | None = None  # the process's name
    organisation: str | None = None  # who answers


_AS_TEXT: Mapping[str, Callable[[Any], str]] = {"amount": euros, "decided_on": day}
PLACEHOLDERS = tuple(Values.model_fields)


class Reviewed(BaseModel):
    """Who has read a text for the district, and when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: str = Field(min_length=1)
    on: date


class TextExample(BaseModel):
    """Values, and the lines that a text makes of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    given: Values
    lines: tuple[str, ...]


class Text(BaseModel):
    """What is said in one state."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lines: tuple[str, ...] = Field(min_length=1)
    reviewed: Reviewed | None = None
    examples: tuple[TextExample, ...] = Field(min_length=1)

    @field_validator("lines")
    @classmethod
    def _are_lines(cls, lines: tuple[str, ...]) -> tuple[str, ...]:
        for line in lines:
            if not line.strip() or "\n" in line:
                raise ValueError("a line is empty or holds a break; each entry is one paragraph")
            for name in _PLACEHOLDER.findall(line):
                if name not in PLACEHOLDERS:
                    raise ValueError(f"nothing is called '{{{name}}}' here; there are {', '.join(PLACEHOLDERS)}")
            if "{" in _PLACEHOLDER.sub("", line) or "}" in _PLACEHOLDER.sub("", line):
                raise ValueError("a bracket stands alone; a placeholder is {amount}")
        return lines

    def fill(self, values: Values) -> tuple[str, ...]:
        """The lines with the values in their places; raises RecordError where one is missing."""
        return tuple(_PLACEHOLDER.sub(partial(_value, values), line) for line in self.lines)


@dataclass(frozen=True)
class Texts:
    """A set of texts: per state its text, and as which state people are told it."""

    name: str = ""
    digest: str = ""
    texts: Mapping[CaseState, Text] = field(default_factory=dict)
    same: Mapping[CaseState, CaseState] = field(default_factory=dict)

    def told_as(self, state: CaseState) -> CaseState | None:
        """The state whose text people read; None where they are told nothing."""
        told = self.same.get(state, state)
        return told if told in self.texts else None

    def refuse_unread(self, where: str) -> None:
        """Raise ConfigurationError where there is none, or nobody has read one for the district."""
        if not self.texts:
            what = "the process names no texts that could be told"
            raise ConfigurationError(what, where=where, expected=f"{TEXTS}: <a folder of mappings/texts>")
        unread = [state.value for state, text in self.texts.items() if text.reviewed is None]
        if unread:
            raise ConfigurationError(
                f"nobody has reviewed the text(s) {', '.join(unread)} of '{self.name}'",
                where=where,
                expected="reviewed: {by: …, on: …} in each, before a live route tells them",
            )


NO_TEXTS = Texts()


def texts_of(content: Path, process_id: str) -> Texts:
    """The texts of a process; none where its file names no set. Raises ConfigurationError."""
    file = process_file(content, process_id)
    name = read_yaml(file).get(TEXTS)
    if name is None:
        return NO_TEXTS
    if not isinstance(name, str) or name not in (known := text_sets(content)):
        expected = ", ".join(text_sets(content))
        raise ConfigurationError(
            f"there is no set of texts '{name}'", where=place_of(file, (TEXTS,)), expected=expected
        )
    return read_texts(known[name])


def text_sets(content: Path) -> dict[str, Path]:
    """All sets of texts by name."""
    root = content / "mappings" / "texts"
    return {folder.name: folder for folder in sorted(root.glob("*")) if folder.is_dir()}


def read_texts(folder: Path) -> Texts:
    """A set; raises ConfigurationError with file, line and column."""
    texts: dict[CaseState, Text] = {}
    same: dict[CaseState, CaseState] = {}
    written = hashlib.sha256()
    for file in sorted(folder.glob("*.yaml")):
        state, body = _state(file, file.stem, ()), read_yaml(file)
        written.update(f"{state} {body!r}\n".encode())
        if "same_as" in body:
            same[state] = _same(file, body)
        else:
            texts[state] = _text(file, body)
    for state, other in same.items():
        if other not in texts:
            file = folder / f"{state}.yaml"
            what, expected = f"there is no text '{other}'", ", ".join(sorted(texts))
            raise ConfigurationError(what, where=place_of(file, ("same_as",)), expected=expected)
    return Texts(folder.name, written.hexdigest(), texts, same)


def tried_examples(texts: Texts) -> Iterator[tuple[CaseState, int, str]]:
    """Every example by its state and number, and what is wrong with it: empty where its lines are the text's."""
    for state, text in texts.texts.items():
        for number, example in enumerate(text.examples, 1):
            try:
                made = text.fill(example.given)
            except RecordError as error:
                yield state, number, error.line()
            else:
                yield state, number, "" if made == example.lines else f"the text says: {' | '.join(made)}"


def _value(values: Values, found: re.Match[str]) -> str:
    name = found[1]
    value = getattr(values, name)
    if value is None or value == "":
        raise RecordError(
            f"der Text der Antwort braucht {{{name}}}, und der Fall sagt dazu nichts",
            helps="den Beschluss ergänzen oder den Text ändern (mappings/texts)",
        )
    return " ".join(printable(_AS_TEXT.get(name, str)(value), keep=_JOINERS).split())


def _state(file: Path, word: object, path: tuple[str, ...]) -> CaseState:
    if word not in tuple(TELLABLE):
        where, expected = place_of(file, path) if path else str(file), ", ".join(TELLABLE)
        raise ConfigurationError(f"no state with a decision is called '{word}'", where=where, expected=expected)
    return CaseState(str(word))


def _same(file: Path, body: dict[str, Any]) -> CaseState:
    if len(body) > 1:
        raise ConfigurationError(
            "same_as stands alone", where=place_of(file, ("same_as",)), expected="nothing beside it"
        )
    return _state(file, body["same_as"], ("same_as",))


def _text(file: Path, body: dict[str, Any]) -> Text:
    try:
        return Text.model_validate(_exact(body))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        what = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg'].removeprefix('Value error, ')}"
        raise ConfigurationError(what, where=place_of(file, first["loc"])) from None


def _exact(value: Any) -> Any:
    """Sums of examples are exact: 850.10 is no binary fraction."""
    if isinstance(value, dict):
        return {key: _exact(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_exact(part) for part in value]
    return Decimal(repr(value)) if isinstance(value, float) else value
