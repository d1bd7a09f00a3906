"""Files that nobody should write, and somebody will: one clear line each, quickly."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kiezbruecke.mapping import check_mapping, mapping_names

HEAD = "name: in\nversion: 1\ndirection: inbound\nreads: [proposal]\nroots: [item]\ntarget: record Area\nrules:\n"
GOOD = "- {target: id, from: item.id}\n- {target: name, from: item.name, steps: [{clip: 200}]}\n"
FILE = "mappings/inbound/in/mapping.yaml"
Put = Callable[[str, str], Path]


@pytest.fixture
def lines(content: Path, put: Put) -> Callable[[bytes], list[str]]:
    """The findings about the bytes of a mapping, and no more than two seconds for them."""

    def of(raw: bytes) -> list[str]:
        put(FILE, "").write_bytes(raw)
        start = time.process_time()
        found = [one.line().removeprefix(FILE) for one in check_mapping("in", content)]
        assert time.process_time() - start < 2
        return found

    return of


BOMB = "a: &a [x]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20))


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (BOMB.encode(), ":1:4: KB-M01 anchors and aliases are not used here"),
        (b"a: &a\n  b: *a\n", ": KB-M01 "),
        (b"a: *nowhere\n", ":1:4: KB-M01 "),
        ((HEAD + GOOD + "<<: {version: 2}\n").encode(), ":10:1: KB-M02 unknown key '<<'"),
        ((HEAD + GOOD + "title: !!python/object:os.system x\n").encode(), ":10:8: KB-M01 tags are not used here"),
        ((HEAD + GOOD + "title: !secret x\n").encode(), ":10:8: KB-M01 tags are not used here"),
        ((HEAD + GOOD + "title: !!binary aGFsbG8=\n").encode(), ":10:8: KB-M01 tags are not used here"),
        ((HEAD + GOOD + "name: in\n").encode(), ":10:1: KB-M02 the key 'name' stands twice"),
        ((HEAD + "\t- {target: id, from: item.id}\n").encode(), ":8:1: KB-M01 "),
        ((HEAD + GOOD).replace("version: 1", "version: 1_0").encode(), ":2:10: KB-M03 '1_0' is no version"),
        ((HEAD + GOOD.replace("item.name", "item.name, required: on")).encode(), ":9:45: KB-M03 'on' is neither"),
        (b"x" * 10_000_000, ":1:1: KB-M01 the file is too large"),
        (("rules: " + "[" * 4000).encode(), ": KB-M01 the file is nested too deeply"),
        (("a: " + "{a: " * 4000).encode(), ": KB-M01 "),
        (b"", ":1:1: KB-M01 the file holds no keys"),
        (b"# only words\n", ":1:1: KB-M01 the file holds no keys"),
        (b"\x00\x01\x02\xff\xfe", ":1:4: KB-M01 the file is not UTF-8"),
        (b"\x89PNG\r\n\x1a\n", ":1:1: KB-M01 the file is not UTF-8"),
        ("# x\nname: Müller".encode("latin-1"), ":2:8: KB-M01 the file is not UTF-8"),
        ((HEAD + GOOD).encode("utf-16"), ":1:1: KB-M01 the file is not UTF-8"),
        ((HEAD + GOOD + "---\nname: in\n").encode(), ":10:1: KB-M01 "),
        (b"a: [\n", ":2:1: KB-M01 "),
        (b"? [a, b]\n: c\n", ": KB-M02 unknown key '?'"),
    ],
)
def test_a_file_that_cannot_work_is_one_clear_line(lines: Callable[[bytes], list[str]], raw: bytes, line: str) -> None:
    """No traceback, no memory full, no minutes."""
    found = lines(raw)

    assert any(line in one for one in found), found[:3]
    assert all("\n" not in one for one in found)


@pytest.mark.parametrize(
    "raw",
    [
        (HEAD + GOOD).encode("utf-8-sig"),
        (HEAD + GOOD).replace("\n", "\r\n").encode(),
        (HEAD + GOOD).replace("\n", "\r").encode(),
        (HEAD + GOOD + "...\n").encode(),
    ],
    ids=["byte order mark", "Windows", "old Macintosh", "end of document"],
)
def test_what_editors_do_to_a_file_is_no_mistake(lines: Callable[[bytes], list[str]], raw: bytes) -> None:
    """People save with what they have."""
    assert lines(raw) == []


def test_a_folder_in_the_place_of_the_file_is_a_line(content: Path) -> None:
    """It happens when somebody unpacks an archive in the wrong place; the others are still checked."""
    (content / FILE).mkdir(parents=True)

    assert mapping_names(content) == ["in"]
    assert [one.message for one in check_mapping("in", content)] == ["the file cannot be read"]


def test_a_pipe_in_the_place_of_the_file_is_a_line(content: Path) -> None:
    """Reading it would wait for ever for somebody who writes."""
    (content / FILE).parent.mkdir(parents=True)
    os.mkfifo(content / FILE)

    assert [one.message for one in check_mapping("in", content)] == ["the file cannot be read"]


def test_thousands_of_rules_for_one_place_are_no_hours_of_checking(lines: Callable[[bytes], list[str]]) -> None:
    """Each with a condition, each compared with all others: behind two hundred nobody meant that."""
    rules = "".join(f"- {{target: name, from: item.n{n}, when: {{path: item.k, equals: k{n}}}}}\n" for n in range(400))
    found = lines(f"{HEAD}- {{target: id, from: item.id}}\n{rules}".encode())

    assert sum("KB-M11 more than 200 rules for 'name'" in line for line in found) == 200


def test_all_mistakes_are_named_in_one_run(lines: Callable[[bytes], list[str]]) -> None:
    """Mending one by one takes an afternoon: a key, a source, a target and a step in one file."""
    rules = (
        "- {target: id, form: item.id}\n- {target: nam, from: item.name}\n"
        "- {target: name, from: itm.name}\n- {target: bezirk_id, from: item.b, steps: [trimm]}\n"
    )
    found = lines((HEAD.replace("reads", "raeds") + rules).encode())

    assert {one.split()[1] for one in found} >= {"KB-M02", "KB-M07", "KB-M08", "KB-M09"}
