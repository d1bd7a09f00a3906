"""Text that other people wrote, as it may stand on a screen: letters, digits, signs and blanks – nothing that acts.

Unicode's category C moves the cursor, clears a terminal, turns the reading direction round, or is no character at all.
"""

from __future__ import annotations

from unicodedata import category

_BREAKS = frozenset("\t\n\v\f\r\x85\u2028\u2029")


def printable(text: str, *, keep: str = "") -> str:
    """The text in one line, without signs of category C; breaks become blanks. What `keep` names stays as it is."""
    if text.isprintable():
        return text
    return "".join(char if char in keep else _plain(char) for char in text)


def acts(text: str) -> bool:
    """Whether a sign in it does something else than being read."""
    return any(char in _BREAKS or category(char)[0] == "C" for char in text)


def _plain(char: str) -> str:
    if char in _BREAKS:
        return " "
    return "" if category(char)[0] == "C" else char
