"""Says in a few words what a text of a target must be: for comments in a scaffold and boxes in an editor."""

from __future__ import annotations

from collections.abc import Iterator

from kiezbruecke.mapping.schema.tree import Leaf

SHOWN = 12
_SHORT = 30
_LONGEST = 240
_LONGEST_PATTERN = 80


def described(leaf: Leaf) -> str:
    """What a text must be, in a few words."""
    if leaf.enumeration:
        return f"one of: {some([_code(leaf, code) for code in leaf.enumeration])}"
    return ", ".join([leaf.kind, *_limits(leaf)])


def _code(leaf: Leaf, code: str) -> str:
    """A code with its meaning, where that is a word or two."""
    meaning = leaf.codes.get(code, "")
    return f"{code} ({meaning})" if meaning and len(meaning) <= _SHORT else code


def _limits(leaf: Leaf) -> Iterator[str]:
    smallest, largest = (leaf.facets.get(facet, ("",))[0] for facet in ("minLength", "maxLength"))
    if largest or leaf.max_length:
        yield f"at most {largest or leaf.max_length} characters"
    if smallest not in ("", "0", "1"):
        yield f"at least {smallest} characters"
    for facet, words in (("totalDigits", "digits"), ("fractionDigits", "decimals")):
        if facet in leaf.facets:
            yield f"at most {leaf.facets[facet][0]} {words}"
    for facet, sign in (("minInclusive", "≥"), ("minExclusive", ">"), ("maxInclusive", "≤"), ("maxExclusive", "<")):
        if facet in leaf.facets:
            yield f"{sign} {leaf.facets[facet][0]}"
    for step in leaf.patterns[-1:]:
        pattern = " or ".join(step)
        yield f"like {pattern}" if len(pattern) <= _LONGEST_PATTERN else "of a form that a long pattern says"


def some(words: list[str]) -> str:
    """The first words of a list, and a sign that there are more."""
    return ", ".join(words[:SHOWN]) + (", …" if len(words) > SHOWN else "")


def short(text: str) -> str:
    """A text that fits a box beside a list."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
