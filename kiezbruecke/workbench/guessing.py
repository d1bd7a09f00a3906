"""Guesses which source fits a target, from names and kinds alone; every guess is shown to a person as one.

A name is cut into words (`InstdAmt`, `bewilligter_betrag`), each word becomes an idea that German, English and the
abbreviations of ISO 20022 share. Same names, same guess; where two are as good, the root that is named first wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from kiezbruecke.mapping.schema.models import OPEN_ROOTS, Type, field_type, root_types
from kiezbruecke.mapping.schema.tree import Leaf
from kiezbruecke.mapping.values import Kind, Unusable, to_text
from kiezbruecke.workbench.invented import invented

_WORDS = re.compile(r"[A-Z]+(?![a-zäöüß])|[A-ZÄÖÜ]?[a-zäöüß]+|[0-9]+")
_IDEAS = {
    "title": "titel betreff title subject bezeichnung inhaltsangabe überschrift headline",
    "amount": "betrag amount amt summe sum ctrlsum wert euro",
    "date": "datum date dt am tag day",
    "moment": "zeitpunkt moment zeit time tm dttm at zeitstempel timestamp",
    "created": "cre created creation erstellt erstellung",
    "name": "name nm namen",
    "id": "id uuid kennung kennzeichen nachrichten",
    "reference": "referenz reference referenznummer ref aktenzeichen fremdkennzeichen geschäftszeichen",
    "number": "number nummer nr nb lfd index",
    "message": "message msg nachricht nachrichten",
    "process": "process prozess verfahren",
    "area": "area bezirksregion region gebiet",
    "document": "document dokument dokumente documents doc",
    "voucher": "voucher beleg belegnummer",
    "year": "year jahr haushaltsjahr fiscal",
    "email": "email mail",
    "phone": "phone telefon tel",
    "address": "address adresse anschrift adr",
    "state": "state status stand",
    "reason": "reason grund begründung",
    "file": "file datei dateiname",
    "hash": "hash sha512 prüfsumme",
    "chapter": "chapter kapitel",
    "source": "source quelle",
}
_IDEA = {word: idea for idea, words in _IDEAS.items() for word in words.split()}
_MOMENTS = re.compile(r"(?P<what>.+?)s?(?:zeitpunkt|zeitstempel|zeit)")  # Erstellungszeitpunkt, Sendezeit
_HEAD = re.compile(r"kopf|head|hdr|nachricht|message|envelope", re.IGNORECASE)  # where a message speaks of itself
# Names of ISO 20022 whose words say too little, and numbers that count what no source counts.
_WHOLE = {
    "MsgId": ("message", "reference"),
    "Fremdkennzeichen": ("message", "reference"),
    "PmtInfId": ("reference",),
    "EndToEndId": ("reference",),
    "NbOfTxs": ("count",),
    "CreDtTm": ("created", "moment"),
}
_SILENT = frozenset({"approved", "requested", "decided", "instd", "of", "der", "des", "the", "on", "since", "display"})
_FITS: dict[Kind, frozenset[Kind]] = {
    "decimal": frozenset({"decimal"}),
    "integer": frozenset({"integer"}),
    "date": frozenset({"date"}),
    "moment": frozenset({"moment"}),
    "boolean": frozenset({"boolean"}),
    "text": frozenset({"text", "integer"}),
}
_KEYS = frozenset({"id", "reference", "number", "voucher", "chapter", "hash"})  # cut short, they name something else
_ENOUGH = 1.5
_CLOCK = "message.created_at"  # the only clock that a mapping has (docs/reference/roots.md)


@dataclass(frozen=True, slots=True)
class SourceField:
    """A field that a mapping may read. `ideas` are those of its own name, `above` those of what holds it."""

    path: str
    ideas: frozenset[str]
    above: frozenset[str]
    kind: Kind
    nullable: bool
    example: str


@dataclass(frozen=True, slots=True)
class Members:
    """A list of models that `each` can go through; `name` is what a member is called."""

    path: str
    name: str
    model: type[BaseModel]


@dataclass(frozen=True, slots=True)
class Guess:
    """A source that may be meant; `required` where it may be empty, `clip` where it may be too long."""

    path: str
    required: bool = False
    clip: int | None = None


class Guesser:
    """Knows the typed fields of the roots. An open root (item, route) holds anything, so it is never guessed."""

    def __init__(self, roots: tuple[str, ...]) -> None:
        types = root_types(roots)
        models = [(name, types[name]) for name in roots if name in types and name not in OPEN_ROOTS]
        self._sources = [source for name, found in models if found.model for source in _sources(name, found)]
        self._members = [one for name, found in models if found.model for one in _lists(name, found.model)]

    def inside(self, members: Members) -> Guesser:
        """What is known below `each`: the member's fields come first."""
        inner = Guesser(())
        own = Type("any", members.model)
        inner._sources = [*_sources(members.name, own), *self._sources]
        return inner

    def members(self, name: str) -> Members | None:
        """The list whose members a repeating target of this name may stand for."""
        wanted = set(ideas(name))
        return next((one for one in self._members if wanted & set(ideas(one.name))), None)

    def guess(self, path: str, leaf: Leaf) -> Guess | None:
        """The best source for a target path, or None where nothing is near enough."""
        *above, last = [part.partition("[")[0].rpartition(":")[2].lstrip("@") for part in path.split("/")]
        parents = frozenset(idea for name in above[-3:] for idea in ideas(name))
        rated = [(_rate(source, ideas(last), parents), source) for source in self._sources]
        best = sorted((one for one in rated if one[0] >= _ENOUGH), key=lambda one: -one[0])
        found = next((source for _, source in best if _fits(source, leaf)), None) or self._clock(last, above, leaf)
        return None if found is None else _guess(found, leaf)

    def _clock(self, last: str, above: list[str], leaf: Leaf) -> SourceField | None:
        """A message's own moment, where nothing else is meant: the head's, or one of being made."""
        wanted = set(ideas(last))
        of_message = not above or any(_HEAD.search(name) for name in above)
        if leaf.kind != "moment" or not ("created" in wanted or ("moment" in wanted and of_message)):
            return None
        return next((one for one in self._sources if one.path == _CLOCK and _fits(one, leaf)), None)


def ideas(name: str) -> tuple[str, ...]:
    """What a name speaks of: `erstellt_am` and `CreDtTm` share an idea."""
    if name in _WHOLE:
        return _WHOLE[name]
    words = [part for word in _WORDS.findall(name) for part in _parts(word.lower())]
    return tuple(
        dict.fromkeys(_IDEA.get(word, word) for word in [*words, name.lower()] if word in _IDEA or word in words)
    )


def _parts(word: str) -> tuple[str, ...]:
    """The word, or what a German word for a moment is made of."""
    found = None if word in _IDEA else _MOMENTS.fullmatch(word)
    return (found["what"], "zeitpunkt") if found else (word,)


def _rate(source: SourceField, last: tuple[str, ...], parents: frozenset[str]) -> float:
    wanted = set(last)
    shared = len(wanted & source.ideas)
    if not shared:
        return 0.0
    foreign = sum(0.5 if idea == "name" else 1.0 for idea in source.ideas - wanted - parents - _SILENT)
    unmet = len(wanted - source.ideas - source.above - _SILENT)
    around = len((parents | wanted) & source.above)
    return 2.0 * shared + 0.75 * around - foreign - 0.5 * unmet


def _fits(source: SourceField, leaf: Leaf) -> bool:
    """Whether the kinds agree and the schema takes an invented value of the source."""
    kinds = _FITS.get(leaf.kind)
    if kinds is not None and source.kind not in kinds:
        return False
    try:
        leaf.judge(source.example)
    except Unusable:
        return False
    return True


def _guess(source: SourceField, leaf: Leaf) -> Guess:
    free = leaf.kind == "text" and source.kind == "text" and not source.ideas & _KEYS
    return Guess(source.path, source.nullable, leaf.max_length if free else None)


def _sources(path: str, owner: Type, above: frozenset[str] = frozenset()) -> Iterator[SourceField]:
    assert owner.model is not None
    around = above | set(ideas(path.rpartition(".")[2]))
    for name, field in owner.model.model_fields.items():
        found = field_type(field)
        below = f"{path}.{name}"
        nullable = owner.nullable or found.nullable
        if found.many:
            continue
        if found.model is not None:
            yield from _sources(below, Type("any", found.model, nullable=nullable), around)
            continue
        example = to_text(invented(name, field, path))
        kind_ideas = {"date": {"date"}, "moment": {"moment"}}.get(found.kind, set())
        yield SourceField(below, frozenset({*ideas(name), *kind_ideas}), around, found.kind, nullable, example)


def _lists(path: str, model: type[BaseModel]) -> Iterator[Members]:
    for name, field in model.model_fields.items():
        found = field_type(field)
        if found.many and found.model is not None:
            yield Members(f"{path}.{name}", name.removesuffix("s"), found.model)
