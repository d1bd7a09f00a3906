"""A district lies upon a Land's mapping and says only what is different there; the whole is checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest

from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.mapping import check_mapping, load_mapping

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parent / "data"
BASE = """\
name: land
version: 1
direction: outbound
roots: [case]
target: tree 1.0 Leaf
rules:
  - {target: "@kind", const: land}
  - {target: "@id", from: case.reference}
  - {target: Title, from: case.title}
  - target: Field
    rules:
      - {target: Name, const: Nummer}
      - {target: Value, from: case.reference}
  - target: "Leaf"
    each: case.documents
    as: document
    rules:
      - {target: "@kind", const: anlage}
      - {target: Title, from: document.title}
"""
OVER = "name: bezirk\nversion: 1\ndirection: outbound\nextends: land\n"
Put = Callable[[str, str], Path]
Lines = Callable[..., list[str]]
CASE = {"title": "T", "reference": "P-1", "area_id": "A", "documents": [{"title": "D", "id": "7"}]}


@pytest.fixture
def lines(content: Path, put: Put) -> Lines:
    """Checks an overlay upon the base."""
    put("schemas/tree/1.0/profile.xsd", (DATA / "tree.xsd").read_text("utf-8"))

    def of(over: str, base: str = BASE) -> list[str]:
        put("mappings/outbound/land/mapping.yaml", base)
        put("mappings/outbound/bezirk/mapping.yaml", over)
        return [one.line().removeprefix("mappings/outbound/") for one in check_mapping("bezirk", content)]

    return of


def _written(content: Path, area: str = "A") -> str:
    return load_mapping("bezirk", content).write({"case": {**CASE, "area_id": area}}).decode()


def test_an_overlay_of_a_header_alone_writes_what_its_base_writes(content: Path, lines: Lines) -> None:
    """The first step of a district: the same, under its own name."""
    assert lines(OVER) == []
    assert ">P-1</" in _written(content)


@pytest.mark.parametrize(
    ("rules", "written"),
    [
        ("- {target: Title, const: Neu}", "<tree:Title>Neu</"),
        ('- {target: "Title[1]", const: Neu}', "<tree:Title>Neu</"),
        ("- {target: Field/Value, from: case.area_id}", "<tree:Value>A</"),
        ("- {target: Field, rules: [{target: Value, from: case.area_id}]}", "<tree:Value>A</"),
        ("- {target: Leaf/Title, from: document.id}", "<tree:Title>7</"),
        (
            "- {target: Leaf, each: case.documents, as: document, rules: [{target: Title, from: document.id}]}",
            'kind="anlage"><tree:Title>7</',
        ),
        ("- {target: Leaf/@id, from: document.id}", 'id="7"'),
        ("- {target: Colour, const: rot}", "<tree:Colour>rot</"),
    ],
)
def test_rules_meet_by_their_full_path(content: Path, lines: Lines, rules: str, written: str) -> None:
    """However the two files nest their blocks: replaced in place, or added where they belong."""
    assert lines(f"{OVER}rules:\n{rules}\n") == []
    assert written in _written(content)


def test_omit_drops_the_rule_of_the_base(content: Path, lines: Lines) -> None:
    """A district that must not send a field says so, and says nothing else."""
    assert lines(f"{OVER}rules:\n- {{target: Field, omit: true}}\n") == []
    assert "Field" not in _written(content)


TWO_BLOCKS = BASE.replace(
    """  - target: Field
    rules:
""",
    """  - target: Field
    when: {path: case.area_id, equals: B}
    rules:
      - {target: Name, const: Nummer}
      - {target: Value, from: case.reference}
  - target: Field
    when: {path: case.area_id, equals: A}
    rules:
""",
)


@pytest.mark.parametrize(
    ("rule", "written"),
    [
        ("{target: Field/Value, const: neu}", "<tree:Name>Nummer</tree:Name><tree:Value>neu</"),
        ("{target: Field/Name, const: neu}", "<tree:Name>neu</tree:Name><tree:Value>P-1</"),
    ],
)
@pytest.mark.parametrize("area", ["A", "B"])
def test_a_rule_is_meant_for_every_block_of_its_path(
    content: Path, lines: Lines, rule: str, written: str, area: str
) -> None:
    """What a district replaces must not come through another block of the base."""
    assert lines(f"{OVER}rules:\n- {rule}\n", TWO_BLOCKS) == []
    assert written in _written(content, area)


@pytest.mark.parametrize("area", ["A", "B"])
def test_what_is_added_is_added_to_every_block_of_its_place(content: Path, lines: Lines, area: str) -> None:
    """Which of two conditions holds is not the overlay's business."""
    bare = TWO_BLOCKS.replace("      - {target: Value, from: case.reference}\n", "")

    assert lines(f"{OVER}rules:\n- {{target: Field/Value, const: neu}}\n", bare) == []
    assert "<tree:Name>Nummer</tree:Name><tree:Value>neu</" in _written(content, area)


@pytest.mark.parametrize("area", ["A", "B"])
def test_what_is_omitted_is_omitted_in_every_block(content: Path, lines: Lines, area: str) -> None:
    """A field that a district may not send must not be sent under the other condition."""
    lines(f"{OVER}rules:\n- {{target: Field/Value, omit: true}}\n- {{target: Field/Name, omit: true}}\n", TWO_BLOCKS)

    assert "P-1</" not in _written(content, area)


@pytest.mark.parametrize(
    ("over", "line"),
    [
        (OVER.replace("land", "lond"), "bezirk/mapping.yaml:4:10: KB-M05 no mapping is called 'lond'"),
        (OVER.replace("land", "bezirk"), "bezirk/mapping.yaml:4:10: KB-M05 the bases go round in a circle"),
        (OVER + "rules:\n- {target: Titel, omit: true}\n", "bezirk/mapping.yaml:6:12: KB-M05 the base has no rule for"),
        (OVER + "rules:\n- {target: Title, omit: true, const: x}\n", "bezirk/mapping.yaml:6:38: KB-M03 'const' beside"),
        (OVER + "target: tree 1.0 Field\n", "bezirk/mapping.yaml:5:9: KB-M05 the base 'land' makes tree 1.0 Leaf"),
        (OVER + "rules:\n- {target: Title, omit: true}\n", "bezirk/mapping.yaml:6:1: KB-M12 no rule fills"),
        (
            OVER + "rules:\n- {target: Colour, const: gelb}\n",
            "bezirk/mapping.yaml:6:27: KB-M14 this const does not fit",
        ),
        (OVER + "roots: [budgte]\n", "bezirk/mapping.yaml:5:9: KB-M08 there is no root 'budgte'"),
    ],
)
def test_a_mistake_in_the_overlay_is_named_there(lines: Lines, over: str, line: str) -> None:
    """Whoever mends it opens this file and no other."""
    assert any(one.startswith(line) for one in lines(over)), lines(over)


def test_a_mistake_in_the_base_is_named_in_the_base(lines: Lines) -> None:
    """The district's file is right; the Land's must be mended."""
    found = lines(OVER, BASE.replace("case.reference", "case.refrence"))

    assert [one.partition(" KB-M08")[0] for one in found if "KB-M08" in one] == [
        "land/mapping.yaml:8:27:",
        "land/mapping.yaml:13:31:",
    ]


def test_a_base_of_the_other_direction_does_not_fit(content: Path, put: Put, lines: Lines) -> None:
    """An inbound mapping's rules make no message."""
    put("mappings/inbound/gebiet/mapping.yaml", "name: gebiet\nversion: 1\ndirection: inbound\nreads: [a]\n"
        "roots: [item]\ntarget: record Area\nrules:\n- {target: id, from: item.id}\n")  # fmt: skip

    assert "KB-M05 the base 'gebiet' is inbound" in lines(OVER.replace("land", "gebiet"))[0]


def test_an_abstract_base_is_never_run_by_itself(content: Path, lines: Lines) -> None:
    """It may leave out what every district says for itself; what it says is checked all the same."""
    base = BASE.replace("version: 1", "version: 1\nabstract: true").replace(
        "  - {target: Title, from: case.title}\n", ""
    )

    assert lines(f"{OVER}rules:\n- {{target: Title, const: Neu}}\n", base) == []
    assert check_mapping("land", content) == []
    with pytest.raises(ConfigurationError, match="abstract"):
        load_mapping("land", content)


def test_bases_may_have_bases(content: Path, put: Put, lines: Lines) -> None:
    """Land, group of districts, district."""
    lines(OVER)
    put("mappings/outbound/ort/mapping.yaml", "name: ort\nversion: 1\ndirection: outbound\nextends: bezirk\n"
        "rules:\n- {target: Title, const: Ort}\n")  # fmt: skip

    assert check_mapping("ort", content) == []
    assert b">Ort</" in load_mapping("ort", content).write({"case": CASE})


def test_a_change_in_the_base_is_a_change_of_the_overlay(content: Path, lines: Lines) -> None:
    """Caches and digests must notice, else yesterday's rules would be sent."""
    lines(OVER)
    before = load_mapping("bezirk", content)
    lines(OVER, BASE.replace("const: land", "const: Berlin"))
    after = load_mapping("bezirk", content)

    assert before.digest != after.digest
    assert 'kind="Berlin"' in _written(content)


ASKING = (
    BASE
    + """\
  - {target: plain, const: a, when: {path: case.area_id, equals: A}}
  - {target: plain, const: b, when: {path: case.area_id, equals: B}}
  - {target: Colour, const: rot, otherwise: true}
"""
)


@pytest.mark.parametrize(("area", "stands"), [("A", ">a<"), ("B", ">b<"), ("C", ">sonst<"), ("", ">sonst<")])
def test_an_otherwise_alone_answers_what_the_base_asks(content: Path, lines: Lines, area: str, stands: str) -> None:
    """The district keeps the Land's cases and says what holds in all others."""
    assert lines(f"{OVER}rules:\n- {{target: plain, const: sonst, otherwise: true}}\n", ASKING) == []
    assert stands in _written(content, area)


def test_it_stands_for_the_otherwise_of_the_base(content: Path, lines: Lines) -> None:
    base = ASKING.replace("target: Colour, const: rot, o", "target: plain, const: alt, o")

    assert lines(f"{OVER}rules:\n- {{target: plain, const: sonst, otherwise: true}}\n", base) == []
    assert ">sonst<" in _written(content, "C")
    assert ">alt<" not in _written(content, "C")


@pytest.mark.parametrize(("area", "plain", "rest"), [("A", False, True), ("B", False, True), ("C", True, False)])
def test_the_otherwise_of_the_base_answers_what_stands_there_now(
    content: Path, lines: Lines, area: str, plain: bool, rest: bool
) -> None:
    """Else a rule of the Land would speak beside the district's, or neither of the two."""
    rule = "{target: plain, const: c, when: {path: case.area_id, equals: C}}"

    assert lines(f"{OVER}rules:\n- {rule}\n", ASKING) == []
    assert (">c<" in _written(content, area), ">rot<" in _written(content, area)) == (plain, rest)


def test_what_an_overlay_answers_in_its_own_file_stays(content: Path, lines: Lines) -> None:
    """Wherever the merging puts the two rules."""
    own = "- {target: plain, const: c, when: {path: case.area_id, equals: C}}\n"
    own += "- {target: Phone, const: nein, otherwise: true}\n"

    assert lines(f"{OVER}rules:\n{own}") == []
    assert ">nein<" not in _written(content, "C")
    assert ">nein<" in _written(content, "A")


def test_an_otherwise_answers_through_three_files(content: Path, put: Put, lines: Lines) -> None:
    """The Land asks, the group of districts asks something else in its place, the district says otherwise."""
    asked = "{target: plain, const: c, when: {path: case.area_id, equals: C}}"
    lines(f"{OVER}rules:\n- {asked}\n", ASKING)
    put("mappings/outbound/ort/mapping.yaml", "name: ort\nversion: 1\ndirection: outbound\nextends: bezirk\n"
        "rules:\n- {target: plain, const: sonst, otherwise: true}\n")  # fmt: skip
    written = {area: load_mapping("ort", content).write({"case": {**CASE, "area_id": area}}).decode() for area in "AC"}

    assert check_mapping("ort", content) == []
    assert (">sonst<" in written["A"], ">rot<" in written["A"]) == (True, True)
    assert (">c<" in written["C"], ">rot<" in written["C"]) == (True, False)


@pytest.mark.parametrize("target", ["Phone", "Title"])
def test_an_otherwise_that_answers_nothing_is_a_finding(lines: Lines, target: str) -> None:
    """Neither here nor in the base anything is asked: it would speak always."""
    [said] = lines(f"{OVER}rules:\n- {{target: {target}, const: x, otherwise: true}}\n", ASKING)

    assert said.startswith(
        "bezirk/mapping.yaml:6:40: KB-M03 'otherwise' has no conditions above it; expected rules with"
    )


@pytest.mark.parametrize("rule", ["{target: plain, omit: true}", "{target: plain, const: x}"])
def test_what_an_otherwise_of_the_base_answers_must_stay(lines: Lines, rule: str) -> None:
    """It would speak always, or never; the overlay is where it is mended."""
    [said] = lines(f"{OVER}rules:\n- {rule}\n", ASKING)

    assert said.startswith(
        "bezirk/mapping.yaml:4:10: KB-M05 the base's 'otherwise' for 'Colour' has no conditions any more"
    )
    assert said.endswith("land/mapping.yaml:22:14")
    assert lines(f"{OVER}rules:\n- {rule}\n- {{target: Colour, omit: true}}\n", ASKING) == []


@pytest.mark.parametrize(("area", "stands"), [("A", "a"), ("B", "b"), ("C", "sonst")])
def test_a_case_of_the_overlay_is_one_of_the_cases(content: Path, lines: Lines, area: str, stands: str) -> None:
    """Exactly one of all speaks, whichever file it stands in; `otherwise` in the overlay answers all of them."""
    head = BASE.partition("  - target: Field\n")[0]
    asked = "{{target: Name, const: {0}, when: {{path: case.area_id, equals: {1}}}}}"
    base = head + "  - target: Field\n    one_of:\n      - " + asked.format("a", "A") + "\n"
    over = f"- target: Field\n  one_of:\n    - {asked.format('a', 'A')}\n    - {asked.format('b', 'B')}\n"
    lines(f"{OVER}rules:\n{over}", base)
    with pytest.raises(RecordError, match="keiner der vorgesehenen"):
        _written(content, "C")

    over = "rules:\n- target: Field\n  one_of:\n    - {target: Name, const: sonst, otherwise: true}\n"
    both = base + "      - " + asked.format("b", "B") + "\n"

    assert lines(OVER + over, both) == []
    assert f"<tree:Name>{stands}</" in _written(content, area)


def test_the_examples_of_the_page_are_whole_mappings(tmp_path: Path) -> None:
    """docs/how-to/overlay.md: a second district upon the mappings that we ship."""
    for part in ("mappings", "schemas"):
        copytree(ROOT / part, tmp_path / part)
    areas = tmp_path / "mappings/codelists/bezirksregionen-tk.csv"
    areas.with_name("bezirksregionen-li.csv").write_bytes(areas.read_bytes())
    page = (ROOT / "docs/how-to/overlay.md").read_text("utf-8")
    blocks = re.findall(r"^```yaml\n(name: (\S+)\n.*?direction: (\S+)\n.*?)^```", page, re.DOTALL | re.MULTILINE)
    for text, name, direction in blocks:
        file = tmp_path / f"mappings/{direction}/{name}/mapping.yaml"
        file.parent.mkdir()
        file.write_text(text, "utf-8")

        assert [one.line() for one in check_mapping(name, tmp_path)] == []
        assert load_mapping(name, tmp_path).name == name
    assert len(blocks) == 2
