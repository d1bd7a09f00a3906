"""Guesses which source fits a target, from names and kinds alone; every guess is shown to a person as one.

A name is cut into words (`InstdAmt`, `bewilligter_betrag`), each word becomes an idea that German, English and the
abbreviations of ISO 20022 share. Same names, same guess; where two are as good, the root that is named first wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from kiezbruecke.mapping.language.paths import is_name
from kiezbruecke.mapping.schema.models import OPEN, Type
from kiezbruecke.mapping.schema.tree import Leaf
from kiezbruecke.mapping.values import Kind, to_text
from kiezbruecke.workbench.invented import invented, invented_text

_WORDS = re.compile(r"[A-Z]+(?![a-zäöüß])|[A-ZÄÖÜ]?[a-zäöüß]+|[0-9]+")
_IDEAS = {
    "title": "titel betreff title subject bezeichnung inhaltsangabe überschrift headline",
    "amount": "betrag amount amt summe sum total ctrlsum wert euro",
    "date": "datum date dt am tag day issued",
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
    "currency": "currency waehrung währung ccy",
    "country": "country land ctry",
    "city": "city ort stadt town",
    "street": "street strasse straße",
    "quantity": "quantity menge anzahl qty",
    "price": "price preis",
    "article": "article artikel ware product",
    "paid": "paid bezahlt",
    "note": "note notes hinweis hinweise bemerkung",
    "line": "line lines posten position positionen",
    "package": "package paket batch batches",
    "buyer": "buyer customer kunde käufer",
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
_DEEP = 5  # levels of a schema that are looked through
_MOST = 3_000  # fields of a root that are compared
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
    max_length: int | None = None
    values: tuple[str, ...] = ()  # all that are possible, where somebody else's schema says so


@dataclass(frozen=True, slots=True)
class Members:
    """A list that `each` can go through; `name` is what a member is called."""

    path: str
    name: str
    member: Type


@dataclass(frozen=True, slots=True)
class Guess:
    """A source that may be meant; `required` where it may be empty, `clip` where it may be too long."""

    path: str
    required: bool = False
    clip: int | None = None


class Guesser:
    """Knows the typed fields of the roots. An open root (item, route) holds anything, so it is never guessed."""

    def __init__(self, types: Mapping[str, Type]) -> None:
        known = [(name, found) for name, found in types.items() if found.below is not None and name != "envelope"]
        self._sources = [source for name, found in known for source in islice(_sources(name, found), _MOST)]
        self._members = [one for name, found in known for one in islice(_lists(name, found), _MOST)]

    def inside(self, members: Members) -> Guesser:
        """What is known below `each`: the member's fields come first."""
        inner = Guesser({members.name: members.member})
        inner._sources += self._sources
        inner._members += self._members
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

    def guess_word(self, path: str, leaf: Leaf) -> Guess | None:
        """The same for a target that takes a few words only: a source that has no others."""
        words = set(leaf.enumeration)
        known = Guesser({})
        known._sources = [source for source in self._sources if source.values and words.issuperset(source.values)]
        return known.guess(path, leaf)

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
    return leaf.refusal(source.example) is None


def _guess(source: SourceField, leaf: Leaf) -> Guess:
    free = leaf.kind == "text" and source.kind == "text" and not source.ideas & _KEYS
    fits = source.max_length is not None and leaf.max_length is not None and source.max_length <= leaf.max_length
    return Guess(source.path, source.nullable, leaf.max_length if free and not fits else None)


def _sources(path: str, owner: Type, above: frozenset[str] = frozenset(), depth: int = 0) -> Iterator[SourceField]:
    """Every field below a type that holds one value, in its order; no schema is followed for ever."""
    assert owner.below is not None
    around = above | set(ideas(path.rpartition(".")[2]))
    for name in owner.below.names():
        found, below = owner.below.field(name) or OPEN, f"{path}.{name}"
        nullable = owner.nullable or found.nullable
        if found.many:
            continue
        if found.kind != "any":
            kind_ideas = {"date": {"date"}, "moment": {"moment"}}.get(found.means, set())
            example, own = _example(owner, name, found, path), frozenset({*ideas(name), *kind_ideas})
            values = found.values if found.leaf is not None else ()
            yield SourceField(below, own, around, found.means, nullable, example, _longest(found), values)
        if found.below is not None and depth < _DEEP:
            yield from _sources(below, replace(found, nullable=nullable), around, depth + 1)


def _example(owner: Type, name: str, found: Type, path: str) -> str:
    if owner.model is not None:
        return to_text(invented(name, owner.model.model_fields[name], path))
    return invented_text(name, found.leaf or Leaf(found.kind))


def _longest(found: Type) -> int | None:
    """The longest text of somebody else's field; of ours, what people write is cut where the target ends."""
    return found.max_length if found.leaf is not None else None


def _lists(path: str, owner: Type, depth: int = 0) -> Iterator[Members]:
    """The lists below a type, through its objects; what is in a list is found inside it."""
    assert owner.below is not None
    for name in owner.below.names():
        found, below = owner.below.field(name) or OPEN, f"{path}.{name}"
        if found.below is None:
            continue
        if found.many:
            yield Members(below, _singular(name), found.member)
        elif depth < _DEEP and owner.model is None:
            yield from _lists(below, found, depth + 1)


def _singular(name: str) -> str:
    """What one of a list is called."""
    plain = name[:1].lower() + name[1:]
    for end in ("ches", "shes", "sses", "xes"):
        if plain.endswith(end):
            return plain.removesuffix("es")
    word = plain.removesuffix("s")
    return word if is_name(word) else "member"
