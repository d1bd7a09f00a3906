"""The parts of a German address line: payment files and state standards want them apart, forms hold one field."""

from __future__ import annotations

import re

from kiezbruecke.mapping.steps.registry import StepExample, step
from kiezbruecke.mapping.values import Unusable, to_text
from kiezbruecke.mapping.wording import Instead, Why

_PARTS = ("street", "house_number", "postcode", "town")
_POSTCODE = re.compile(r"(?:(?<![^\s,])(?:D|DE)-)?(?<![0-9A-Za-z])((?:0[1-9]|[1-9][0-9])[0-9]{3})(?![0-9A-Za-z])")
_NUMBER = re.compile(r"[0-9]{1,4}(?: ?[A-Za-z])?(?: ?[-–/] ?[0-9]{1,4}(?: ?[A-Za-z])?)?")
_NUMBERED = re.compile(r"(?:Straße|Strasse|Str\.|Weg|Platz|Allee|Gasse|Ring)", re.IGNORECASE)
_ORDINAL = re.compile(r"[0-9]{1,2}\.")
_LONGEST = 250
_EXPECTED = Instead.ADDRESS("Am Markt 1, 12555 Berlin")


@step(
    StepExample("Dörpfeldstraße 54, 12489 Berlin", "Dörpfeldstraße", "street"),
    StepExample("Dörpfeldstraße 54, 12489 Berlin", "54", "house_number"),
    StepExample("Dörpfeldstraße 54, 12489 Berlin", "12489", "postcode"),
    StepExample("Dörpfeldstraße 54, 12489 Berlin", "Berlin", "town"),
    StepExample("Straße des 17. Juni 135, 10623 Berlin", "Straße des 17. Juni", "street"),
    StepExample("Straße des 17. Juni", None, "house_number"),
    StepExample("Alt-Treptow 6 a\n12435 Berlin", "6a", "house_number"),
    StepExample("Am Treptower Park 28-30", "28-30", "house_number"),
    StepExample("Rathausstraße 7, D-15230 Frankfurt (Oder)", "Frankfurt (Oder)", "town"),
    StepExample("12489 Berlin", None, "street"),
    StepExample("Dörpfeldstraße 54", Unusable, "postcode"),
    StepExample("c/o Verein, Dörpfeldstraße 54, 12489 Berlin", Unusable, "street"),
    StepExample("Straße 52, 12526 Berlin", Unusable, "house_number"),
    argument=str,
    choices=_PARTS,
)
def address_part(value: object, part: str) -> str | None:
    """Take one part of a German address line: `street house number, postcode town`; refuse what is ambiguous.

    A line with a further part (c/o, floor, district, country) is refused: better set aside than a wrong address.
    A street without a number has none; a line that begins with the postcode has no street.
    """
    place, postcode, town = _cut(to_text(value))
    if part in {"postcode", "town"}:
        if not postcode or not town:
            raise Unusable(Why.NO_TOWN(), _EXPECTED)
        return postcode if part == "postcode" else town
    street, number = _street(place)
    return (street if part == "street" else number) or None


def _cut(given: str) -> tuple[str, str, str]:
    """Street with number, postcode, town; the postcode is what stands between."""
    lines = ", ".join(" ".join(line.split()) for line in given.splitlines() if line.strip())
    found = list(_POSTCODE.finditer(lines)) if len(lines) <= _LONGEST else []
    if len(found) > 1 or len(lines) > _LONGEST:
        raise _ambiguous()
    if not found:
        return _plain(lines), "", ""
    town = lines[found[0].end() :].strip(" ,")
    if re.search(r"[0-9]", town):
        raise _ambiguous()
    return _plain(lines[: found[0].start()]), found[0][1], _plain(town)


def _plain(text: str) -> str:
    stripped = text.strip(" ,")
    if "," in stripped or ";" in stripped:
        raise _ambiguous()
    return stripped


def _street(place: str) -> tuple[str, str]:
    """Street and number; both may be empty. `Straße 52` is a street's name in Berlin, and might be half an address."""
    start = next((at for at in _blanks(place) if _NUMBER.fullmatch(place, at + 1)), None)
    if start is None:
        return _named(place), ""
    street = place[:start]
    if _NUMBERED.fullmatch(street):
        raise _ambiguous()
    return _named(street), re.sub(r"\s", "", place[start + 1 :])


def _blanks(place: str) -> list[int]:
    return [at for at, one in enumerate(place) if one == " "]


def _named(street: str) -> str:
    """A street's name holds no digits, but `17. Juni`, and no signs of something else, such as `c/o`."""
    if re.search(r"[0-9/:@]", _ORDINAL.sub("", street)) or street.casefold().startswith("postfach"):
        raise _ambiguous()
    return street


def _ambiguous() -> Unusable:
    return Unusable(Why.UNCLEAR_ADDRESS(), _EXPECTED)
