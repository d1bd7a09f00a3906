"""Outbound: the schema leads, constants keep nothing alive, and what XML cannot carry is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from kiezbruecke.errors import RecordError
from kiezbruecke.mapping import Mapping, load_mapping

DATA = Path(__file__).parent / "data"
SCHEMA = etree.XMLSchema(file=DATA / "tree.xsd")
NS = "{urn:x-test:tree}"
HEAD = "name: out\nversion: 1\ndirection: outbound\nroots: [route]\ntarget: tree 1.0 Leaf\nrules:\n"
MUST = '- {target: "@kind", const: k}\n- {target: Title, const: T}\n'
Load = Callable[[str], Mapping]


@pytest.fixture
def load(content: Path, put: Callable[[str, str], Path]) -> Load:
    """Loads rules for the small schema; the two mandatory places are filled already."""
    put("schemas/tree/1.0/profile.xsd", (DATA / "tree.xsd").read_text("utf-8"))

    def with_rules(rules: str, must: str = MUST) -> Mapping:
        put("mappings/outbound/out/mapping.yaml", HEAD + must + rules)
        return load_mapping("out", content)

    return with_rules


def _xml(mapping: Mapping, **route: Any) -> etree._Element:
    return etree.fromstring(mapping.write({"route": route}))


def _names(element: etree._Element) -> list[str]:
    return [str(child.tag).removeprefix(NS) for child in element]


def test_the_schema_gives_order_namespace_and_prefix(load: Load) -> None:
    """Rules are a flat list in any order; the message is the standard's."""
    mapping = load("- {target: Colour, const: rot}\n- {target: plain, from: route.a}\n")

    written = mapping.write({"route": {"a": "x"}})

    assert b'<tree:Leaf xmlns:tree="urn:x-test:tree" kind="k">' in written
    assert b"<tree:Title>T</tree:Title><plain>x</plain><tree:Colour>rot</tree:Colour>" in written
    assert written.startswith(b"<?xml version='1.0' encoding='UTF-8'?>")


def test_required_fixed_values_fill_themselves_in(load: Load) -> None:
    """Nobody should have to repeat what the schema already says."""
    root = _xml(load("- {target: Sum, from: route.sum}\n"), sum=Decimal(850))

    assert root.find(f"{NS}Version").text == "1"
    assert root.find(f"{NS}Sum").attrib == {"currency": "EUR"}
    assert root.find(f"{NS}Sum").text == "850.00"


def test_a_recursive_type_opens_as_far_as_rules_go(load: Load) -> None:
    """A recursive schema has no finite list of paths; only what is asked for is expanded."""
    deep = "Leaf/Leaf/Leaf"
    rules = f"- {{target: {deep}/@kind, from: route.a}}\n- {{target: {deep}/Title, from: route.a}}\n"
    between = "- {target: Leaf/@kind, const: k}\n- {target: Leaf/Title, const: T}\n"
    between += "- {target: Leaf/Leaf/@kind, const: k}\n- {target: Leaf/Leaf/Title, const: T}\n"

    root = _xml(load(rules + between), a="tief")

    assert root.find(f"{NS}Leaf/{NS}Leaf/{NS}Leaf/{NS}Title").text == "tief"


def test_a_missing_value_takes_its_constant_neighbours_with_it(load: Load) -> None:
    """`<Field><Name>Link</Name></Field>` would be valid and wrong."""
    rules = '- {target: "Field[1]/Name", const: Sum}\n- {target: "Field[1]/Value", from: route.sum}\n'
    rules += '- {target: "Field[2]/Name", const: Link}\n- {target: "Field[2]/Value", from: route.link}\n'
    mapping = load(rules)

    fields = _xml(mapping, sum=Decimal(5)).findall(f"{NS}Field")

    assert [[part.text for part in field] for field in fields] == [["Sum", "5.00"]]
    assert _names(_xml(mapping)) == ["Title", "Version"]


@pytest.mark.parametrize("nothing", [None, "", " \t", [], {}])
def test_every_kind_of_nothing_is_nothing(load: Load, nothing: object) -> None:
    """Empty text, null, an empty list and a missing field are the same."""
    assert _names(_xml(load("- {target: plain, from: route.a}\n"), a=nothing)) == ["Title", "Version"]


def test_a_condition_that_holds_keeps_constants_alive(load: Load) -> None:
    """Who writes `when` has said what the constant depends on."""
    mapping = load("- target: Field\n  when: route.a\n  rules: [{target: Name, const: A}]\n")

    assert "Field" in _names(_xml(mapping, a="x"))
    assert "Field" not in _names(_xml(mapping))


def test_equality_chooses_between_two_rules(load: Load) -> None:
    """Two rules may fill one place if their conditions tell them apart."""
    rules = "- {target: Colour, const: rot, when: {path: route.a, equals: x}}\n"
    rules += "- {target: Colour, const: blau, when: {path: route.a, equals: y}}\n"

    assert _xml(load(rules), a="y").find(f"{NS}Colour").text == "blau"


def test_two_values_for_one_place_are_refused(load: Load) -> None:
    """Which one would win is nobody's to guess."""
    rules = "- {target: Colour, const: rot, when: route.a}\n- {target: Colour, const: blau, when: route.b}\n"

    with pytest.raises(RecordError, match="zwei Regeln"):
        _xml(load(rules), a="x", b="y")


def test_each_repeats_a_block_and_counts(load: Load) -> None:
    """Members without an index of their own are counted from 1."""
    rules = "- target: Field\n  each: route.items\n  as: one\n"
    rules += "  rules: [{target: Name, from: one.index}, {target: Value, from: one.text}]\n"

    fields = _xml(load(rules), items=[{"text": "a"}, {"text": "b"}]).findall(f"{NS}Field")

    assert [[part.text for part in field] for field in fields] == [["1", "a"], ["2", "b"]]


def test_an_index_of_its_own_wins(load: Load) -> None:
    """A document's number in its container is the document's."""
    rules = "- {target: Tag, each: route.items, as: one, from: one.index}\n"

    assert _xml(load(rules), items=[{"index": 7}]).find(f"{NS}Tag").text == "7"


def test_a_list_fills_a_leaf_that_repeats(load: Load) -> None:
    """Labels need no block."""
    tags = _xml(load("- {target: Tag, from: route.tags}\n"), tags=["a", "", "b"]).findall(f"{NS}Tag")

    assert [tag.text for tag in tags] == ["a", "b"]


def test_more_values_than_the_schema_allows_are_refused(load: Load) -> None:
    """Nothing is cut off in silence."""
    with pytest.raises(RecordError, match="höchstens 3"):
        _xml(load("- {target: Tag, from: route.tags}\n"), tags=["a", "b", "c", "d"])


def test_only_one_branch_of_a_choice_is_written(load: Load) -> None:
    """Two branches at once would be an invalid message."""
    mapping = load("- {target: Mail, from: route.mail}\n- {target: Phone, from: route.phone}\n")

    assert "Phone" in _names(_xml(mapping, phone="030"))
    with pytest.raises(RecordError, match="nur eine von: Mail, Phone"):
        _xml(mapping, mail="a", phone="030")


def test_a_default_fills_in_but_keeps_nothing_alive(load: Load) -> None:
    """A default is a constant."""
    mapping = load("- {target: Field/Name, from: route.a, default: A}\n- {target: Field/Value, from: route.b}\n")

    assert [part.text for part in _xml(mapping, b="x").find(f"{NS}Field")] == ["A", "x"]
    assert "Field" not in _names(_xml(mapping))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal(850), "850.00"),
        (datetime(2026, 11, 23, 9, tzinfo=timezone(timedelta(hours=1))), "2026-11-23T08:00:00.000Z"),
        (date(2026, 11, 23), "2026-11-23"),
        (True, "1"),
        (False, "0"),
        (7, "7"),
        (UUID("CD3066F3-3CA7-5606-BF70-FE9E20052407"), "cd3066f3-3ca7-5606-bf70-fe9e20052407"),
    ],
)
def test_a_value_has_one_way_to_be_written(load: Load, value: object, text: str) -> None:
    """Same value, same bytes."""
    assert _xml(load("- {target: Mail, from: route.a}\n"), a=value).find(f"{NS}Mail").text == text


@pytest.mark.parametrize(
    ("rule", "value", "said"),
    [
        ("plain", "Kanarienvogel", "höchstens 10 Zeichen"),
        ("Pin", "Kanari", r"das Muster \[0-9\]\{4\}"),
        ("Colour", "Kanari", "einer von: rot, blau"),
        ("Share", 4711, "höchstens 100"),
        ("Day", "Kanari", "ein Tag wie"),
        ("Mail", "Kanari\x00", "Steuerzeichen"),
        ("Mail", "Kanari\ud800", "Steuerzeichen"),
        ("Mail", {"a": "Kanari"}, "ein Feld statt"),
        ("Mail", ["Kanari", "Kanari"], "genau ein Wert"),
        ("Sum", Decimal("47.111"), "Cent"),
        ("Day", datetime(2026, 1, 1, tzinfo=UTC), "ein Tag wie"),
    ],
)
def test_a_refusal_names_rule_line_and_source_but_never_the_value(
    load: Load, rule: str, value: object, said: str
) -> None:
    """The administration must find the field; the text may be somebody's name."""
    mapping = load(f"- {{target: {rule}, from: route.field}}\n")

    with pytest.raises(RecordError, match=said) as refused:
        _xml(mapping, field=value)

    line = refused.value.line()
    assert line.startswith(f"mappings/outbound/out/mapping.yaml:9: '{rule}' (Quelle: route.field)")
    assert "Kanari" not in line
    assert "47" not in line.replace("mapping.yaml", "")


def test_a_missing_mandatory_value_is_named(load: Load) -> None:
    """Better set aside than sent empty."""
    mapping = load("- {target: Title, from: route.title}\n", must='- {target: "@kind", const: k}\n')

    with pytest.raises(RecordError, match=r"'Title' .Quelle: route.title.: die Pflichtangabe fehlt"):
        _xml(mapping)


def test_required_is_a_duty_beyond_the_schema(load: Load) -> None:
    """The department may want what the standard does not."""
    with pytest.raises(RecordError, match=r"'plain'.*Pflicht"):
        _xml(load("- {target: plain, from: route.a, required: true}\n"))


def test_a_code_fills_what_the_place_has(load: Load, put: Callable[[str, str], Path]) -> None:
    """A code may come from a source; the list decides whether it exists."""
    put("mappings/codelists/colours.yaml", 'uri: urn:c\nversion: "1"\ncodes: {rot: Rot, blau: Blau}\n')
    mapping = load("- {target: Colour, from: route.a, code: {list: colours}}\n")

    assert _xml(mapping, a="rot").find(f"{NS}Colour").text == "rot"
    with pytest.raises(RecordError, match=r"Codeliste „colours“; erwartet: rot, blau .am nächsten: rot."):
        _xml(mapping, a="rott")


def test_a_translation_that_knows_no_partner_is_refused(load: Load, put: Callable[[str, str], Path]) -> None:
    """An unknown value is never passed on as if it were known."""
    put("mappings/codelists/farben.csv", "# our colours\nfrom;to\nRED;rot\nBLUE;blau\n")
    mapping = load("- {target: Colour, from: route.a, codelist: farben}\n")

    assert _xml(mapping, a="red ").find(f"{NS}Colour").text == "rot"
    with pytest.raises(RecordError, match="Codeliste „farben“") as refused:
        _xml(mapping, a="Kanari")
    assert "Kanari" not in refused.value.line()


XML_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")).map(
    lambda text: f"x{text}\r\n\t]]>&<"
)


def test_any_text_survives_reading(load: Load) -> None:
    """`]]>`, CR LF and tabs in elements and attributes come back as they went."""
    mapping = load('- {target: Mail, from: route.a}\n- {target: "@id", from: route.a}\n')

    @given(XML_TEXT)
    def survives(text: str) -> None:
        root = _xml(mapping, a=text)

        assert root.find(f"{NS}Mail").text == text
        assert root.get("id") == text

    survives()


SOME = st.none() | st.text(max_size=12) | st.integers(0, 200) | st.dates() | st.sampled_from(["rot", "1234", "7"])
EVERY = {"plain", "Colour", "Either", "Pin", "Share", "Day", "Sum", "Tag", "Mail", "Phone", "Title", "@id"}


VALUES = st.fixed_dictionaries({}, optional={name.strip("@"): SOME | st.lists(SOME, max_size=4) for name in EVERY})


def test_what_is_written_is_valid(load: Load) -> None:
    """Whatever a record holds: the message is valid, or the record is set aside."""
    rules = "".join(f'- {{target: "{name}", from: route.{name.strip("@")}}}\n' for name in sorted(EVERY))
    mapping = load(rules, must='- {target: "@kind", const: k}\n')

    @given(VALUES)
    def is_valid_or_set_aside(values: dict[str, Any]) -> None:
        try:
            written = mapping.write({"route": values})
        except RecordError:
            return
        SCHEMA.assertValid(etree.fromstring(written))

    is_valid_or_set_aside()


def test_same_record_same_bytes(load: Load) -> None:
    """No clock, no random number, no order of a dictionary in a message."""
    mapping = load("- {target: Mail, from: route.a}\n- {target: plain, from: route.b}\n")

    assert mapping.write({"route": {"a": "1", "b": "2"}}) == mapping.write({"route": {"b": "2", "a": "1"}})


def test_a_table_gives_one_line_that_spreadsheets_cannot_run(content: Path, put: Callable[[str, str], Path]) -> None:
    """A title that begins like a formula must stay a title."""
    put(
        "schemas/tables/liste.yaml",
        "columns: [{name: Titel, type: text}, {name: Betrag (€), key: betrag, type: money},"
        " {name: Am, key: am, type: date}, {name: Leer, type: text}]\n",
    )
    put(
        "mappings/outbound/liste/mapping.yaml",
        "name: liste\nversion: 1\ndirection: outbound\nroots: [route]\ntarget: table liste\nrules:\n"
        "- {target: Titel, from: route.t}\n- {target: betrag, from: route.b}\n- {target: am, from: route.d}\n",
    )

    line = load_mapping("liste", content).write({"route": {"t": '=1+1;"', "b": Decimal(850), "d": date(2026, 4, 24)}})

    assert line.decode() == '"\'=1+1;""";850,00;24.04.2026;\r\n'
