"""Compares the places of a target: what was accepted, and what the schema says now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation

from kiezbruecke.drift.changes import Change, Part, Severity
from kiezbruecke.drift.places import PlaceUse, SchemaPlace

_AT_MOST = {"maxLength", "maxInclusive", "maxExclusive", "totalDigits", "fractionDigits"}
_BASES = {
    "normalizedString": "string",
    "token": "normalizedString",
    **dict.fromkeys(("language", "NMTOKEN", "Name"), "token"),
    "NCName": "Name",
    **dict.fromkeys(("ID", "IDREF", "ENTITY"), "NCName"),
    "integer": "decimal",
    **dict.fromkeys(("nonPositiveInteger", "long", "nonNegativeInteger"), "integer"),
    "negativeInteger": "nonPositiveInteger",
    "int": "long",
    "short": "int",
    "byte": "short",
    **dict.fromkeys(("unsignedLong", "positiveInteger"), "nonNegativeInteger"),
    "unsignedInt": "unsignedLong",
    "unsignedShort": "unsignedInt",
    "unsignedByte": "unsignedShort",
}
_AT_LEAST = {"minLength", "minInclusive", "minExclusive"}


def compare_places(
    old: Mapping[str, SchemaPlace],
    new: Mapping[str, SchemaPlace],
    used: Mapping[str, PlaceUse],
    part: Part = "target",
    *,
    only_text: bool = True,
) -> Iterator[Change]:
    """What changed for the rules. A path that no rule uses any more, or that none used then, is no drift.

    `only_text`: a value is written the same as a text (XML). In JSON 850.00 becomes "850.00", in a table 850,00
    becomes 850.00.
    """
    for path in old:
        if path in new:
            yield from _one(path, old[path], new[path], used.get(path), part)
            if path in used:
                yield from _kind(path, old[path], new[path], part, only_text=only_text)
        elif path in used:
            yield Change("breaking", part, path, "is gone")
        else:
            yield Change("compatible", part, path, "is gone; no rule fills it")
    for path, place in new.items():
        above = path.rpartition("/")[0]
        if path not in old and above in old and place.mandatory:
            yield _new_duty(path, place, used.get(path), part)


def _new_duty(path: str, place: SchemaPlace, use: PlaceUse | None, part: Part) -> Change:
    if place.fixed is not None:
        return Change("compatible", part, path, "is new and mandatory, with a fixed value that is written by itself")
    if use is not None and use.always:
        return Change("compatible", part, path, "is new and mandatory, and a rule fills it")
    return Change("breaking", part, path, "is new and mandatory")


def _one(path: str, old: SchemaPlace, new: SchemaPlace, use: PlaceUse | None, part: Part) -> Iterator[Change]:
    if old == new:
        return
    yield from _occurrence(path, old, new, use, part)
    if use is None:  # only beside what the rules fill
        facets = old.facets if "type" in old.facets else {**old.facets, **_type(new)}  # older ones do not say
        if (old.kind, facets, old.values) != (new.kind, new.facets, new.values):
            yield Change("compatible", part, path, "has another type; no rule fills it")
        return
    known = old.namespace or "type" in old.facets  # older fingerprints do not say that it is the root's
    if old.namespace != new.namespace and known:
        words = [{"": "of the root", "-": "none"}.get(one, one) for one in (old.namespace, new.namespace)]
        yield Change("breaking", part, path or "/", f"namespace {words[0]} became {words[1]}")
    if old.nillable and not new.nillable:
        yield Change(_severity(breaks=use.nil), part, path, "may no longer be nil")
    yield from _facets(path, old, new, use, part)
    yield from _values(path, old, new, use, part)
    if old.fixed != new.fixed:
        yield _fixed(path, new.fixed, use, part)


def _kind(path: str, old: SchemaPlace, new: SchemaPlace, part: Part, *, only_text: bool) -> Iterator[Change]:
    if old.kind != new.kind:
        wider = only_text and new.kind == "text" and bool(old.kind)
        reason = f"{old.kind or 'elements'} became {new.kind or 'elements'}"
        yield Change("compatible" if wider else "breaking", part, path, reason)


def _occurrence(path: str, old: SchemaPlace, new: SchemaPlace, use: PlaceUse | None, part: Part) -> Iterator[Change]:
    if new.mandatory and not old.mandatory:
        safe = new.fixed is not None or (use is not None and use.always)
        reason = "became mandatory" + ("; it is always filled" if safe else "")
        yield Change("compatible" if safe else "breaking", part, path, reason)
    elif old.mandatory and not new.mandatory:
        yield Change("compatible", part, path, "is no longer mandatory")
    if old.maximum != new.maximum:
        narrower = new.maximum is not None and (old.maximum is None or new.maximum < old.maximum)
        hit = narrower and use is not None and (use.repeated or use.highest > (new.maximum or 0))
        words = f"may stand {_times(new.maximum)} instead of {_times(old.maximum)}"
        yield Change("breaking" if hit else "compatible", part, path, words)
    if new.minimum > old.minimum and new.minimum > 1:
        yield Change("breaking", part, path, f"must stand {new.minimum} times")


def _facets(path: str, old: SchemaPlace, new: SchemaPlace, use: PlaceUse, part: Part) -> Iterator[Change]:
    for name in sorted(old.facets.keys() | new.facets.keys()):
        before, now = old.facets.get(name), new.facets.get(name)
        if before == now:
            continue
        if name == "type" and (before is None or now is None):
            continue  # an older fingerprint does not say; a place without text says so by its kind
        narrower = now is not None and (before is None or not _is_wider(name, before, now))
        hit = narrower and not _all_fit(name, now or "", use)
        yield Change(_severity(breaks=hit), part, path, f"{name} {before or 'free'} became {now or 'free'}")


def _is_wider(name: str, before: str, now: str) -> bool:
    """Whether the new facet allows all that the old one did. Of patterns nobody can tell: they are narrower."""
    if name == "type":
        return now == "string" or now in _bases(before)
    try:
        if name in _AT_MOST:
            return Decimal(now) >= Decimal(before)
        return name in _AT_LEAST and Decimal(now) <= Decimal(before)
    except InvalidOperation:
        return False


def _type(place: SchemaPlace) -> dict[str, str]:
    return {name: text for name, text in place.facets.items() if name == "type"}


def _bases(builtin: str) -> Iterator[str]:
    """The types of XSD that a built-in one is derived from (part 2, section 3)."""
    while builtin := _BASES.get(builtin, ""):
        yield builtin


def _all_fit(name: str, now: str, use: PlaceUse) -> bool:
    """Whether all texts that the rules can write are known and short enough; of other facets nobody says."""
    if use.texts is None or not use.texts:
        return use.texts is not None
    return name == "maxLength" and now.isdecimal() and all(len(text) <= int(now) for text in use.texts)


def _values(path: str, old: SchemaPlace, new: SchemaPlace, use: PlaceUse, part: Part) -> Iterator[Change]:
    if old.values == new.values:
        return
    if not new.values:
        yield Change("compatible", part, path, "any value is allowed now")
        return
    if added := sorted(set(new.values) - set(old.values)) if old.values else []:
        yield Change("compatible", part, path, f"{len(added)} values more: {_some(added)}")
    gone = sorted(set(old.values) - set(new.values)) if old.values else ["only certain values are allowed now"]
    if not gone:
        return
    used = sorted(set(gone) & use.texts) if use.texts is not None else gone
    if not old.values and use.texts is not None:
        used = sorted(use.texts - set(new.values))
    yield Change(_severity(breaks=bool(used)), part, path, f"values gone: {_some(used or gone)}")


def _fixed(path: str, now: str | None, use: PlaceUse, part: Part) -> Change:
    fits = now is None or (use.texts is not None and use.texts <= {now})
    reason = "is no longer fixed" if now is None else f"is fixed to '{now}' now"
    return Change(_severity(breaks=not fits), part, path, reason)


def _severity(*, breaks: bool) -> Severity:
    return "breaking" if breaks else "compatible"


def _some(names: list[str]) -> str:
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")


def _times(maximum: int | None) -> str:
    return "without end" if maximum is None else "once" if maximum == 1 else f"{maximum} times"
