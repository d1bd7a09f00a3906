"""How long a text can be behind each step: a step shortens, lengthens, or writes a form of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

_NEVER_LONGER = frozenset(
    {"trim", "collapse_space", "text", "unformula", "first", "nothing_if_zero", "split", "before", "after", "digits"}
    | {"din91379", "html_to_text", "nothing_if", "bracketed", "latin9", "nfc"}
)
_GROWS = {"upper": 3, "lower": 2, "sepa_text": 3}  # to how many characters one may become: ß SS, İ i̇, € EUR
_ASCII = frozenset(
    {"hash", "uuid", "name_uuid", "iban", "bic", "digits", "date_format", "time_format", "money_text"}
    | {"true_false", "decimal_places"}
)
_MOST = {"uuid": 36, "name_uuid": 36, "iban": 34, "bic": 11, "money_text": 19, "true_false": 5}  # -123456789012345,67
_DIGESTS = {"sha256": 64, "sha512": 128}
LARGEST = 10**9  # what no step can want
_LONGEST_ADDRESS = 250  # steps.address refuses longer ones


@dataclass(frozen=True, slots=True)
class Length:
    """How long texts can be: at most `most`, without end (`free`), or nobody says (neither).

    `ascii`: no character of them becomes longer by a change of case or by transliteration.
    """

    most: int | None = None
    free: bool = False
    ascii: bool = False

    def after(self, step: str, argument: str | None) -> Length:
        """The length after a step."""
        number = as_number(argument)
        match step:
            case "clip" if number is not None:
                return replace(self, most=number if self.most is None else min(self.most, number), free=False)
            case "pad" if number is not None:
                return self if self.most is None else replace(self, most=max(self.most, number))
            case "prefix" | "suffix":
                text = argument or ""
                longer = None if self.most is None else self.most + len(text)
                return replace(self, most=longer, ascii=self.ascii and text.isascii())
            case "join":
                return Length(free=True)
        return self._behind(step, argument)

    def _behind(self, step: str, argument: str | None) -> Length:
        """The length after a step whose argument, if any, is no length and no text."""
        if step in _GROWS:
            longest = None if self.most is None else self.most * (1 if self.ascii else _GROWS[step])
            return replace(self, most=longest, ascii=self.ascii or step == "sepa_text")
        if step in _NEVER_LONGER:
            return replace(self, ascii=self.ascii or step in _ASCII)
        return Length(self._written_by(step, argument), ascii=step in _ASCII)

    def _written_by(self, step: str, argument: str | None) -> int | None:
        """The longest text of a step that gives its text a form of its own."""
        match step:
            case "hash":
                return _DIGESTS.get(argument or "")
            case "date_format" | "time_format":
                return len(argument or "")
            case "decimal_places" if (places := as_number(argument)) is not None:
                return 17 + places  # a sign, 15 digits, a point
            case "address_part":
                return 5 if argument == "postcode" else min(self.most or _LONGEST_ADDRESS, _LONGEST_ADDRESS)
        return _MOST.get(step)


def as_number(argument: str | None) -> int | None:
    """The argument of a step that wants a number, LARGEST where it is more; None where it is no number."""
    if not argument or not argument.isascii() or not argument.isdigit():
        return None
    return int(argument) if len(argument) < len(str(LARGEST)) else LARGEST
