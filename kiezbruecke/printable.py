"""Text that other people wrote, as it may stand on a screen: letters, digits, signs and blanks – nothing that acts.

Unicode's category C moves the cursor, clears a terminal, turns the reading direction round, or is no character at all.
"""

from __future__ import annotations

from collections.abc import Callable
from unicodedata import category

_BREAKS = frozenset("\t\n\v\f\r\x85\u2028\u2029")


def printable(text: str, *, keep: str = "") -> str:
    """The text in one line, without signs of category C; breaks become blanks. What `keep` names stays as it is."""
    return _replaced(text, _left_out, keep)


def spelled_out(text: str) -> str:
    """The text in one line for whoever must find such a sign: each stands as its number (`\\u202e`)."""
    return _replaced(text, _number)


def acts(text: str) -> bool:
    """Whether a sign in it does something else than being read."""
    return any(map(_acts, text))


def _replaced(text: str, replacement: Callable[[str], str], keep: str = "") -> str:
    if text.isprintable():
        return text
    return "".join(replacement(sign) if _acts(sign) and sign not in keep else sign for sign in text)


def _acts(sign: str) -> bool:
    return sign in _BREAKS or category(sign)[0] == "C"


def _left_out(sign: str) -> str:
    return " " if sign in _BREAKS else ""


def _number(sign: str) -> str:
    return sign.encode("unicode_escape").decode()
