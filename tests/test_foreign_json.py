"""JSON of others costs no more than it may, and what is none is one error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiezbruecke import foreign_json
from kiezbruecke.foreign_json import (
    DEEPEST,
    LONGEST_NUMBER,
    MOST_VALUES,
    KeyTwice,
    NotJson,
    key_twice,
    read_json,
    read_members,
)


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


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(-9, 9, places=3).map(float) | st.text(),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(), below, max_size=4),
    max_leaves=12,
)


def _in_pieces(text: str, size: int) -> Iterator[str]:
    return (text[start : start + size] for start in range(0, len(text), size))


@given(st.lists(VALUES, max_size=6), st.sampled_from([None, 1]), st.integers(1, 40))
def test_a_list_in_pieces_is_the_same_list(values: list[Any], indent: int | None, size: int) -> None:
    """Wherever a piece ends: within a number, a text, an escape."""
    text = json.dumps(values, indent=indent)
    read = list(read_members(_in_pieces(text, size), number=float))

    assert [value for _, value in read] == values
    assert [line for line, _ in read] == sorted(line for line, _ in read)


@given(st.lists(VALUES, min_size=1, max_size=4), st.data())
def test_a_list_that_is_cut_is_none(values: list[Any], data: st.DataObject) -> None:
    """Whatever was read before, the end is told."""
    text = json.dumps(values)
    cut = data.draw(st.integers(1, len(text) - 1))

    with pytest.raises(NotJson):
        list(read_members(_in_pieces(text[:cut], 7)))


def test_members_know_the_line_that_they_begin_in() -> None:
    """An editor opens the file there."""
    text = '\n[\n  {"a":\n 1},\n\n  {"a": 2}, 3\n]\n'

    assert [line for line, _ in read_members(_in_pieces(text, 3))] == [3, 6, 6]


@pytest.mark.parametrize(
    "text", ["", "[", "[1", "[1,", "[1,]", "[1 2]", "[1]]", "{} {}", "[NaN]", f"[{'[' * 200}]", "[1],"]
)
def test_what_is_no_list_is_told_with_its_line(text: str) -> None:
    """Also one that is nested too deeply."""
    with pytest.raises(NotJson) as error:
        list(read_members([text]))

    assert error.value.line == 1


def test_one_member_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text without an end would be read to the end of the disk."""
    monkeypatch.setattr(foreign_json, "LONGEST_MEMBER", 1000)
    taken: list[int] = []

    def endless() -> Iterator[str]:
        yield '["'
        while True:
            taken.append(100)
            yield "x" * 100

    with pytest.raises(NotJson):
        list(read_members(endless()))
    assert sum(taken) < 5000


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"a": 1, "a": 1}', "a"),
        ('{"b": [{"c": 1}, {"d": {"x": 1, "x": 2}}]}', "b[2].d.x"),
        ('[{"a": {"b": 1, "b": 2}, "a": 3}]', "[1].a"),
        ('{"Mia Muster": {"DE02120300000000202051": {"k": 1, "k": 2}}}', "*.*.k"),
    ],
)
def test_a_key_that_stands_twice_is_refused_with_its_path(text: str, path: str) -> None:
    """The last one would win, and nobody knows whether it is meant; the path quotes neither a value nor a person."""
    with pytest.raises(KeyTwice) as refused:
        read_json(text)

    assert refused.value.path == path
    assert str(refused.value) == f"a key stands twice: {path}"


@given(st.integers(1, 40))
def test_a_member_with_a_key_twice_stops_no_other(size: int) -> None:
    """In a list that is read in pieces, and in an answer that is taken apart."""
    text = '[{"a": 1}, {"q": {"a": 1, "a": 2}}, {"a": 3}]'
    read = [body for _, body in read_members(_in_pieces(text, size))]
    whole = read_json(text, of_many=True)

    assert (read[0], read[2]) == (whole[0], whole[2]) == ({"a": 1}, {"a": 3})
    assert isinstance(read[1], KeyTwice)
    assert (read[1].path, [key_twice(one) for one in whole]) == ("q.a", ["", "q.a", ""])
