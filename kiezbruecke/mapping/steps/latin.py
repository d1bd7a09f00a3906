"""Steps for the character sets that state standards (DIN 91379) and payment files (SEPA) allow."""

from __future__ import annotations

import re
import unicodedata

from kiezbruecke.mapping.steps.registry import StepExample, step
from kiezbruecke.mapping.values import Unusable, to_text
from kiezbruecke.mapping.wording import Instead, Why

# DIN 91379:2022-08, datatype C: all normative characters. tests/standards compare with the norm's own schema.
_SINGLES = (
    "\t\n\r\x20-\x7e\xa0-\xac\xae-\u017e\u0187\u0188\u018f\u0197\u01a0\u01a1\u01af\u01b0\u01b7\u01cd-\u01dc\u01de\u01df"
    "\u01e2-\u01f0\u01f4\u01f5\u01f8-\u01ff\u0212\u0213\u0218-\u021b\u021e\u021f\u0227-\u0233\u0259\u0268\u0292"
    "\u02b9\u02ba\u02be\u02bf\u02c8\u02cc\u1e02\u1e03\u1e06\u1e07\u1e0a-\u1e11\u1e17\u1e1c-\u1e2b\u1e2f-\u1e37"
    "\u1e3a\u1e3b\u1e40-\u1e49\u1e52-\u1e5b\u1e5e-\u1e63\u1e6a-\u1e6f\u1e80-\u1e87\u1e8c-\u1e97\u1e9e\u1ea0-\u1ef9"
    "\u2019\u2021\u20ac"
)
# Letters that exist with their marks only: base letter, then what may follow it – both cases, unless they differ.
_MARKED = {
    "a": ["\u030b"],
    "c": ["\u0300", "\u0304", "\u0306", "\u0308", "\u0315", "\u0323", "\u0326", "\u0328\u0306"],
    "d": ["\u0302"],
    "f": ["\u0300", "\u0304"],
    "g": ["\u0300"],
    "h": ["\u0304", "\u0326"],
    "j": ["\u0301"],
    "k": ["\u0300", "\u0302", "\u0304", "\u0307", "\u0315", "\u031b", "\u0326"],
    "l": ["\u0325\u0304", "\u0302", "\u0325", "\u0326"],
    "m": ["\u0300", "\u0302", "\u0306", "\u0310"],
    "n": ["\u0302", "\u0304", "\u0306", "\u0326"],
    "p": ["\u0300", "\u0304", "\u0315", "\u0323"],
    "r": ["\u0325\u0304", "\u0306", "\u0325"],
    "s": ["\u0300", "\u0304", "\u031b\u0304", "\u0331"],
    "t": ["\u0300", "\u0304", "\u0315", "\u031b"],
    "u": ["\u0307"],
    "z": ["\u0300", "\u0304", "\u0306", "\u0308", "\u0327"],
    "ç": ["\u0306"],
    "û": ["\u0304"],
    "č": ["\u0315", "\u0323"],
    "ī": ["\u0301"],
    "ž": ["\u0326", "\u0327"],
    "ḳ": ["\u0304"],
    "ṣ": ["\u0304"],
    "ṭ": ["\u0304"],
    "ạ": ["\u0308"],
    "ọ": ["\u0308"],
    "ụ": ["\u0304", "\u0308"],
}
_ONE_CASE = ["H\u0331", "J\u030c", "T\u0308", "K\u035fH", "K\u035fh", "k\u035fh", "ÿ\u0301", "ē\u030d", "ō\u030d"]
_SEQUENCES = [
    *_ONE_CASE,
    *(letter + marks for base, found in _MARKED.items() for letter in (base, base.upper()) for marks in found),
]
_REPERTOIRE = re.compile(  # the usual comes first; possessive, so that no text makes it look twice
    f"(?:[{_SINGLES}](?![\u0300-\u036f])|{'|'.join(_SEQUENCES)}|[{_SINGLES}])*+"
)

_UNKNOWN = {
    "L": Why.LETTER(),
    "M": Why.ACCENT(),
    "N": Why.DIGIT(),
    "P": Why.PUNCTUATION(),
    "S": Why.SYMBOL(),
    "Z": Why.BLANK(),
    "C": Why.CONTROL_CHARACTER(),
}

SEPA = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-?:().,'+ ")
_SPELLED = {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "ẞ": "SS"}
_SIGNS = {"&": "+", "€": "EUR"}
_JOINED = {"æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "þ": "th", "Þ": "Th"}
_STROKED = dict(zip("øØłŁđĐðÐħĦıŋŊŧŦĸſəƏ", "oOlLdDdDhHinNtTkseE", strict=True))
_QUOTES = dict.fromkeys('"`´‘’‚‛“”„‟′″‹›«»ʹʺʾʿ', "'")
_DASHES = dict.fromkeys("‐‑‒–—―−", "-")
_TRANSLITERATED = str.maketrans({**_SPELLED, **_SIGNS, **_JOINED, **_STROKED, **_QUOTES, **_DASHES})


@step(
    StepExample("Ju\u0308rgen", "Jürgen"),
    StepExample("Jürgen", "Jürgen"),
    StepExample("Ελλάδα", "Ελλάδα"),
)
def nfc(value: object) -> str:
    """Compose the letters (Unicode NFC), as XÖV and most databases compare them; nothing is refused."""
    return unicodedata.normalize("NFC", to_text(value))


@step(
    StepExample("Łukasz Groß", "Łukasz Groß"),
    StepExample("Ju\u0308rgen", "Jürgen"),
    StepExample("S\u031b\u0304", "S\u031b\u0304"),
    StepExample("Ελλάδα", Unusable),
    StepExample("Fest 🎉", Unusable),
    StepExample("„Fest“", Unusable),
)
def din91379(value: object) -> str:
    """Compose the letters (NFC) and refuse what is no normative character of DIN 91379:2022-08 (datatype C).

    That is every Latin letter of European names with its marks, and the usual signs; not Greek, not Cyrillic, no emoji,
    no typographic quotes but ’. Names of persons and places have narrower types of their own, which the schema checks.
    """
    text: str = nfc(value)
    known = _REPERTOIRE.match(text)
    end = known.end() if known else 0
    if end < len(text):
        raise Unusable(_UNKNOWN[unicodedata.category(text[end])[0]], Instead.DIN_91379())
    return text


@step(
    StepExample("Jürgen Groß & Söhne", "Juergen Gross + Soehne"),
    StepExample("Verein „Grüner Kiez“ – Łódź", "Verein 'Gruener Kiez' - Lodz"),
    StepExample("Fest #3\n850 €", "Fest .3 850 EUR"),
    StepExample("Ελλάδα", Unusable),
)
def sepa_text(value: object) -> str:
    """Write a text in the characters that every SEPA bank takes (EPC217-08): A–Z, digits, `/-?:().,'+` and blanks.

    Umlauts are spelled out, marks dropped, & becomes +, quotes ', dashes -, € EUR, anything else a point. A text of
    which no letter and no digit is left is refused. Shorten after this step: umlauts grow.
    """
    return spelled_in(to_text(value), SEPA)


def spelled_in(text: str, allowed: frozenset[str]) -> str:
    """The same for a bank that takes further characters: what is allowed stays, the rest is spelled in `SEPA`."""
    words = _composed(text)
    kept = words if allowed.issuperset(words) else "".join(one if one in allowed else _spelled(one) for one in words)
    return _said(kept, Why.NO_SEPA_TEXT)


@step(
    StepExample("Łukasz Groß & Söhne", "Lukasz Groß & Söhne"),
    StepExample("Žižka „Grün“ – 850 €", "Žižka 'Grün' - 850 €"),
    StepExample("Fest 🎉", "Fest ."),
    StepExample("Ελλάδα", Unusable),
)
def latin9(value: object) -> str:
    """Write a text in the characters of ISO-8859-15: Western European letters, umlauts and € stay as they are.

    Marks that the set lacks are dropped (Ł becomes L, ń n), typographic quotes become ', dashes -, anything else a
    point. A text of which no letter and no digit is left is refused. `latin9_changes` counts what this changes.
    """
    return _said("".join(map(_latin9, _composed(to_text(value)))), Why.NO_LATIN9)


@step(StepExample("Łukasz Groß & Söhne", 1), StepExample("Jürgen", 0), StepExample("Fest 🎉🎉", 2), gives="integer")
def latin9_changes(value: object) -> int:
    """How many characters `latin9` replaces or drops, so that a file can say that a name is not quite the name."""
    return sum(_latin9(one) != one for one in _composed(to_text(value)))


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split()))


def _said(kept: str, why: Why) -> str:
    """What is kept of a text, if it says anything."""
    if not any(one.isalnum() for one in kept):
        raise Unusable(why(), Instead.LATIN())
    return " ".join(kept.split())


def _latin9(character: str) -> str:
    """The character if ISO-8859-15 has it, else what stands for it there."""
    if _in_latin9(character):
        return character
    if unicodedata.category(character)[0] in "MC":
        return ""
    spelled = unicodedata.normalize("NFD", "ß" if character == "ẞ" else character.translate(_TRANSLITERATED))
    return "".join(filter(_in_latin9, spelled)) or "."  # never longer than it was


def _in_latin9(character: str) -> bool:
    return unicodedata.category(character)[0] != "C" and bool(character.encode("iso-8859-15", "ignore"))


def _spelled(character: str) -> str:
    return "".join(map(_sepa, unicodedata.normalize("NFD", character.translate(_TRANSLITERATED))))


def _sepa(character: str) -> str:
    if character in SEPA:
        return character
    return "" if unicodedata.category(character)[0] in "MC" else "."
