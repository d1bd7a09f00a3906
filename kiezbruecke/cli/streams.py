"""Standard output and error as they are found: in any charset, full, closed, or with a reader that has gone."""

from __future__ import annotations

import codecs
import os
import sys
from contextlib import suppress
from unicodedata import normalize

_SPELLED = "kiezbruecke.spelled"
_SPELLINGS = {
    "ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "ẞ": "SS",
    "„": '"', "“": '"', "”": '"', "‚": "'", "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "→": "->",
    "€": "EUR", "×": "x", "·": "-", "•": "*", "\xa0": " ", "\u202f": " ",
}  # fmt: skip


def speak_any_charset() -> None:
    """Spell out what the terminal's charset lacks (`Mueggelheim`), instead of stopping in the middle of a list."""
    codecs.register_error(_SPELLED, _spelled)
    if sys.stdout is None:  # closed by whoever called us, who wants to hear nothing
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - open until the end
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # it may be a test's
            stream.reconfigure(errors=_SPELLED)


def speaks_unicode() -> bool:
    """Whether standard output can hold every text as it is; JSON writes numbers for signs where it cannot."""
    charset = getattr(sys.stdout, "encoding", None) or "utf-8"
    return codecs.lookup(charset).name.startswith("utf")


def flush() -> None:
    """Hand over what was said; raises OSError where nobody takes it."""
    sys.stdout.flush()


def fall_silent() -> None:
    """What is left unsaid goes nowhere: or the interpreter would complain at its end, with a code of its own."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _spelled(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    signs = error.object[error.start : error.end]
    return "".join(map(_spelling, signs)), error.end


def _spelling(sign: str) -> str:
    if "\udc80" <= sign <= "\udcff":  # a byte of a file name that is no text
        return f"\\x{ord(sign) - 0xDC00:02x}"
    return _SPELLINGS.get(sign) or normalize("NFKD", sign).encode("ascii", "ignore").decode() or "?"
