"""JSON of others costs no more than it may, and what is none is one error."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kiezbruecke.foreign_json import DEEPEST, LONGEST_NUMBER, MOST_VALUES, read_json


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "NaN",
        "[Infinity]",
        "1e99999999999999999999",  # Decimal says InvalidOperation, which is no ValueError
        "1e999999999",  # a few bytes, and a gigabyte where it is written out
        "1E-999999999",
        "0." + "1" * (LONGEST_NUMBER + 1),
        "9" * (LONGEST_NUMBER + 1),
        "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
        "[" * 100_000,
        '{"a":' * 100_000,
        f"[{'[],' * MOST_VALUES}[]]",
        b"\xff",
        b"\xff\xfe[\x00]\x00",
        "\ufeff{}",
    ],
)
def test_what_is_none_or_costs_too_much_is_one_error(text: str | bytes) -> None:
    """Readers say the rest: what it is, and where."""
    with pytest.raises(ValueError):  # noqa: PT011 - the parser has words of its own
        read_json(text)


def test_what_is_json_is_read() -> None:
    """Sums keep their digits; a double's largest number is one."""
    deep = "[" * DEEPEST + "]" * DEEPEST

    assert read_json('{"a": [1, 850.10, null, true, "ü"]}') == {"a": [1, Decimal("850.10"), None, True, "ü"]}
    assert read_json(b"[1.5, 1.7976931348623157e308]", number=float) == [1.5, 1.7976931348623157e308]
    assert str(read_json(deep)).count("[") == DEEPEST
