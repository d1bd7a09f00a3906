"""The check plays the examples through: what rules alone do not tell, a value does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kiezbruecke.cli.main import app
from kiezbruecke.workbench.example_check import check_whole

DATA = Path(__file__).parent / "data"
FOLDER = "mappings/outbound/out"
MAPPING = """\
name: out
version: 1
direction: outbound
roots: [route]
target: tree 1.0 Leaf
rules:
- {target: "@kind", const: k}
- {target: Title, from: route.title, required: true}
- {target: Pin, from: route.pin}
"""
Put = Callable[[str, str], Path]


@pytest.fixture
def lines(content: Path, put: Put) -> Callable[..., list[str]]:
    """Checks the mapping with one example."""
    put("schemas/tree/1.0/profile.xsd", (DATA / "tree.xsd").read_text("utf-8"))
    put(f"{FOLDER}/mapping.yaml", MAPPING)

    def of(route: str) -> list[str]:
        put(f"{FOLDER}/examples/full/input.yaml", f"route: {route}\n")
        return [one.line().removeprefix(f"{FOLDER}/") for one in check_whole("out", content)]

    return of


@pytest.mark.parametrize(
    ("route", "line"),
    [
        ('{title: T, pin: "1234"}', ""),
        ("{title: T, pin: Name}", "mapping.yaml:9:12: KB-M24 example 'full' has no value that fits here"),
        ("{title: T, pin: Name}", "mend the rule, or 'route.pin' in the example"),
        ('{title: "", pin: "1"}', "mapping.yaml:8:12: KB-M24 example 'full': a value is missing that the rule calls"),
        ("{title: T", "examples/full/input.yaml:1:8: KB-M24 the example cannot be read: '{' is not closed"),
        ("{title: T}\ncase: {}", "examples/full/input.yaml:2:1: KB-M24 the mapping has no root 'case'"),
    ],
)
def test_a_mapping_must_write_its_own_examples(lines: Callable[..., list[str]], route: str, line: str) -> None:
    """A free text in the place of four digits has the right kind; only a value shows that it does not fit."""
    found = lines(route)

    assert bool(found) == bool(line)
    assert any(line in one for one in [*found, ""])


INBOUND = """\
name: in
version: 1
direction: inbound
reads: [area]
source: xml
roots: [item]
target: record Area
rules:
- {target: id, from: item.A}
- {target: name, from: item.B, steps: [{clip: 200}]}
"""


def test_an_item_that_is_not_what_the_source_says_is_a_finding_at_its_file(content: Path, put: Put) -> None:
    """Else `check` of everything would end with a bare line that names neither mapping nor file."""
    put("mappings/inbound/in/mapping.yaml", INBOUND)
    put("mappings/inbound/in/examples/full/input.yaml", "{}\n")
    put("mappings/inbound/in/examples/full/item.xml", "<X><A>1</A><B>N</B></X>")
    sound = check_whole("in", content)
    put("mappings/inbound/in/examples/full/item.xml", "<X><A>1</A>")
    found = [one for one in check_whole("in", content) if one.code == "KB-M24"]

    assert sound == []
    [line] = [one.line() for one in found]
    assert line == (
        "mappings/inbound/in/mapping.yaml:5:9: KB-M24 mappings/inbound/in/examples/full/item.xml: the item cannot be "
        "read as XML; expected what the mapping says: source: xml; mend the item, or the mapping: source: json reads "
        "JSON and rows"
    )


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (
            "- {target: Mail, from: route.pin, steps: [iban]}",
            "mapping.yaml:9:12: KB-M24 example 'full': step 'iban' cannot read 'route.pin'; expected",
        ),
        (
            "- {target: Pin, from: route.pin, steps: [trim, digits, {pad: 4}]}",
            "KB-M24 example 'full': step 'digits' cannot read 'route.pin'",
        ),
        (
            "- {target: Pin, from: route.pin, codelist: pins}",
            "KB-M24 example 'full': code list 'pins' does not have what 'route.pin' holds; expected one of a, b; mend",
        ),
        (
            "- {target: Mail, code: {list: hash}, from: route.pin}",
            "KB-M24 example 'full': code list 'hash' does not have what 'route.pin' holds; expected one of SHA-512;",
        ),
    ],
)
def test_who_refuses_a_value_is_named(lines: Callable[..., list[str]], put: Put, rule: str, line: str) -> None:
    """'What the schema allows' would send people to the schema, where nothing is wrong."""
    put("mappings/codelists/pins.csv", "from;to\na;1111\nb;2222\n")
    put(f"{FOLDER}/mapping.yaml", MAPPING.replace("- {target: Pin, from: route.pin}", rule))
    found = [one for one in lines("{title: T, pin: Name}") if "KB-M24" in one]

    assert len(found) == 1
    assert line in found[0]
    assert "Name" not in found[0].replace("mapping.yaml", "")


def test_a_step_in_a_member_of_a_list_is_named_too(lines: Callable[..., list[str]], put: Put) -> None:
    """The rule is run once more on the members that it saw."""
    rules = (
        "- {target: Leaf, each: route.pins, as: one, rules: [{target: '@kind', const: k}, "
        "{target: Title, from: one.title, required: true}, {target: Pin, from: one.pin, steps: [digits]}]}"
    )
    put(f"{FOLDER}/mapping.yaml", MAPPING.replace("- {target: Pin, from: route.pin}", rules))
    found = lines('{title: T, pins: [{title: T, pin: "1234"}, {title: T, pin: Name}]}')

    assert any("step 'digits' cannot read 'one.pin'" in one for one in found), found


def test_constants_are_not_looked_for_in_the_example(lines: Callable[..., list[str]], put: Put) -> None:
    """'Festwert' is a word of the department's page, and no field of an example."""
    both = '- {target: Pin, const: "1234", when: route.a}\n- {target: Pin, const: "4321", when: route.b}'
    put(f"{FOLDER}/mapping.yaml", MAPPING.replace("- {target: Pin, from: route.pin}", both))
    [found] = [one for one in lines("{title: T, a: x, b: x}") if "KB-M24" in one]

    assert "example 'full': two rules give a value here; expected conditions that exclude each other" in found
    assert "Festwert" not in found


def test_a_root_that_the_example_does_not_have_is_named_once(lines: Callable[..., list[str]], put: Put) -> None:
    """Every rule of the root would fail, and none of them is to be mended."""
    text = MAPPING.replace("[route]", "[case, route]").replace("route.title", "case.title")
    put(f"{FOLDER}/mapping.yaml", text)
    found = [one for one in lines('{pin: "1234"}') if "KB-M24" in one]

    assert [one.partition(";")[0] for one in found] == ["mapping.yaml:8:12: KB-M24 example 'full' has no root 'case'"]


def test_what_fails_in_the_whole_stands_at_its_rule(lines: Callable[..., list[str]], put: Put) -> None:
    """In English, in the line of the rule: the first line of the file says nothing."""
    put("schemas/tree/1.0/profile.xsd", CHOICE)
    rules = "- {target: A, from: route.a}\n- {target: B, from: route.b}\n"
    put(f"{FOLDER}/mapping.yaml", MAPPING.partition("- {")[0] + rules)
    [found] = [one for one in lines("{a: x, b: y}") if "KB-M24" in one]

    assert found.startswith("mapping.yaml:7:12: KB-M24 example 'full' is refused: several branches of a choice have")
    assert (
        "expected one of A, B; mend the rules or the example; an example that must be refused has expected.error"
        in (found)
    )


CHOICE = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:element name="Leaf"><xs:complexType><xs:choice>
    <xs:element name="A" type="xs:string"/><xs:element name="B" type="xs:string"/>
  </xs:choice></xs:complexType></xs:element>
</xs:schema>"""


NESTED = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:element name="Leaf"><xs:complexType><xs:sequence>
    <xs:element name="A" type="xs:string"/>
    <xs:element name="B"><xs:complexType><xs:sequence>
      <xs:element name="C" type="xs:string" minOccurs="0"/>
    </xs:sequence></xs:complexType></xs:element>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"""


def test_a_value_of_the_example_is_not_in_the_finding(lines: Callable[..., list[str]]) -> None:
    """Examples may be taken from life; findings land in logs and on code hosts."""
    assert "Mustermann" not in "".join(lines("{title: T, pin: Mustermann}"))


def test_an_example_that_must_be_refused_is_left_out(lines: Callable[..., list[str]], put: Put) -> None:
    """It shows what happens to such records."""
    put(f"{FOLDER}/examples/full/expected.error", "…\n")

    assert lines("{title: T, pin: Name}") == []


def test_examples_are_not_tried_before_the_rules_fit(lines: Callable[..., list[str]], put: Put) -> None:
    """One mistake, one finding."""
    put(f"{FOLDER}/mapping.yaml", MAPPING.replace("route.pin", "rout.pin"))
    [finding] = lines("{title: T, pin: Name}")

    assert "KB-M08" in finding


def test_examples_are_tried_beside_other_mistakes(lines: Callable[..., list[str]], put: Put) -> None:
    """Mending one by one takes an afternoon: a constant that does not fit hides no value, nor is it said twice."""
    put(f"{FOLDER}/mapping.yaml", f"{MAPPING}- {{target: Colour, const: gruen}}\n")
    found = lines("{title: T, pin: Name}")

    assert [one.partition(" ")[2][:6] for one in found] == ["KB-M14", "KB-M24"]
    assert found[1].startswith("mapping.yaml:9:12:")


def test_a_block_that_comes_empty_is_named(lines: Callable[..., list[str]], put: Put) -> None:
    """Its rules stand under conditions, and the line alone does not say which place is missing."""
    put("schemas/tree/1.0/profile.xsd", NESTED)
    rules = "- {target: A, from: route.a}\n- {target: B/C, from: route.b, when: {path: route.b, equals: x}}\n"
    put(f"{FOLDER}/mapping.yaml", MAPPING.partition("- {")[0] + rules)
    [found] = [one for one in lines("{a: x}") if "KB-M24" in one]

    assert "KB-M24 example 'full' is refused at 'B': a mandatory value is missing" in found


def test_the_command_ends_with_one(lines: Callable[..., list[str]], content: Path) -> None:
    """A pipeline of the code host stops there."""
    lines("{title: T, pin: Name}")
    ended = CliRunner().invoke(app, ["mapping", "check", "out", "--content", str(content)])

    assert ended.exit_code == 1
    assert "KB-M24" in ended.output
