"""The language: everything wrong is named with file, line and column, and nothing can blow up while reading."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping import check_mapping, load_mapping
from kiezbruecke.workbench.language_schema import general_schema

HEAD = "name: in\nversion: 1\ndirection: inbound\nreads: [proposal]\nroots: [item]\ntarget: record Area\nrules:\n"
GOOD = "- {target: id, from: item.id}\n- {target: name, from: item.name, steps: [{clip: 200}]}\n"
Put = Callable[[str, str], Path]


def _lines(content: Path, put: Put, text: str) -> list[str]:
    put("mappings/inbound/in/mapping.yaml", text)
    return [f"{one.place.line}:{one.place.column} {one.code} {one.message}" for one in check_mapping("in", content)]


def test_a_good_mapping_has_no_findings(content: Path, put: Put) -> None:
    """A check that cries wolf is not read."""
    assert _lines(content, put, HEAD + GOOD) == []


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (HEAD + GOOD + "extra: 1\n", "10:1 KB-M02 unknown key 'extra'"),
        (HEAD + GOOD + "name: in\n", "10:1 KB-M02 the key 'name' stands twice"),
        (HEAD + GOOD + "extends: base\n", "10:10 KB-M05 no mapping is called 'base'"),
        (HEAD + "- {target: id, form: item.id}\n", "8:16 KB-M02 unknown key 'form'"),
        (HEAD + "- {target: id}\n", "8:3 KB-M03 a rule needs exactly one origin"),
        (HEAD + "- {from: item.id}\n", "8:3 KB-M03 'target' is missing"),
        (HEAD + "- {target: id, from: item.id, const: x}\n", "8:3 KB-M03 a rule needs exactly one origin"),
        (HEAD + "- {target: id, const: x, steps: [trim]}\n", "8:33 KB-M03 'steps' needs 'from'"),
        (HEAD + "- {target: id, from: item.id, each: item.x}\n", "8:3 KB-M03 'each' and 'as' belong together"),
        (HEAD + "- {target: a//b, from: item.id}\n", "8:12 KB-M03 'a//b' is not a target path"),
        (HEAD + '- {target: id, from: "item[x].a"}\n', "8:22 KB-M03 'item[x].a' is not a source path"),
        (HEAD + "- {target: id, from: item.id, when: {equals: a}}\n", "8:37 KB-M03 'when' asks for one thing"),
        (HEAD + "- {target: id, from: item.id, required: ja}\n", "8:41 KB-M03 'ja' is neither true nor false"),
        (HEAD + "- {target: id, from: }\n", "8:21 KB-M03 a text is missing"),
        (HEAD + "- {target: id, from: [item.id]}\n", "8:22 KB-M03 this is no text: a list stands here"),
        (HEAD + "- {target: [id], from: item.id}\n", "8:12 KB-M03 this is no text: a list stands here"),
        (HEAD + "- {target: id, from: {item: id}}\n", "8:22 KB-M03 this is no text: keys stand here"),
        (HEAD + "- {target: id, from: item.id, steps: trim}\n", "8:38 KB-M03 'steps' is no list"),
        (HEAD + "- {target: id, from: item.id, steps: {trim: , clip: 3}}\n", "8:38 KB-M03 'steps' is no list"),
        (HEAD + "- {target: id, from: item.id, steps: [{prefix: ''}]}\n", "8:48 KB-M03 the argument of 'prefix' is"),
        (HEAD + "- {target: id, from: item.id, steps: [{clip: [3]}]}\n", "8:46 KB-M03 the argument of 'clip' is no"),
        (HEAD.replace("[item]", "[item, item]") + GOOD, "5:15 KB-M03 'item' stands twice under 'roots'"),
        (HEAD.replace("[proposal]", "[proposal, proposal]") + GOOD, "4:19 KB-M03 'proposal' stands twice"),
        (HEAD.replace("target:", "prefix: xsi\ntarget:") + GOOD, "6:9 KB-M03 the prefix 'xsi' is reserved"),
        (HEAD.replace("target:", "prefix: xmlns\ntarget:") + GOOD, "6:9 KB-M03 the prefix 'xmlns' is reserved"),
        (HEAD.replace("version: 1", "version: 1\nversion: 2") + GOOD, "3:1 KB-M02 the key 'version' stands twice"),
        (HEAD + "rules\n", "9:1 KB-M01"),
        (HEAD.replace("version: 1", "version: eins") + GOOD, "2:10 KB-M03 'eins' is no version"),
        (HEAD.replace("name: in", "name: out") + GOOD, "1:7 KB-M04 'out' is not 'in'"),
        (HEAD.replace("inbound", "outbound") + GOOD, "3:12 KB-M04 'outbound' is not 'inbound'"),
        (HEAD.replace("target: record Area\n", "") + GOOD, "1:7 KB-M03 'target' is missing"),
        (HEAD + GOOD.replace("item.id", "&a item.id"), "8:22 KB-M01 anchors and aliases are not used here"),
        ("- a\n", "1:1 KB-M01 the file holds no keys"),
        ("", "1:1 KB-M01 the file holds no keys"),
        (HEAD + "- {target: id, from: item.id, each: item.x, as: my id}\n", "8:49 KB-M03 'my id' is no name"),
        (HEAD + "- {target: id, from: item.id, each: item.x, as: doc.id}\n", "8:49 KB-M03 'doc.id' is no name"),
        (HEAD + "- {target: id, const: '{{ item.id }}'}\n", "8:23 KB-M03 '{{' looks like a template"),
        (HEAD + "- {target: id, const: 'a ${ID}'}\n", "8:23 KB-M03 '${' looks like a template"),
        (HEAD + "- {target: id, from: item.id, default: '{{ x }}'}\n", "8:40 KB-M03 '{{' looks like a template"),
        (HEAD + "- {target: !!str id, from: item.id}\n", "8:12 KB-M01 tags are not used here"),
        (HEAD + "- {target: id, note: a: b}\n", "8:23 KB-M01 a text with a colon and a blank needs quotes"),
        (HEAD + "- target: id\n  note: a: b\n", "9:10 KB-M01 a text with a colon and a blank needs quotes"),
        (HEAD + "- target: id\n   from: item.id\n", "9:8 KB-M01 the indentation does not fit the lines above"),
        (HEAD + "- {target: id}\n  - {target: name}\n", "9:3 KB-M01 the indentation does not fit the lines above"),
        (HEAD + "- target: id\n\tfrom: item.id\n", "9:1 KB-M01 a tab stands here"),
        (HEAD + "- {target: */id, from: item.id}\n", "8:12 KB-M01 a text that begins with * needs quotes"),
        (HEAD + "- {target: id, const: %a}\n", "8:23 KB-M01 a text that begins with % needs quotes"),
        (HEAD + "- {target: id, from: item.id\n- {target: name}\n", "8:3 KB-M01 '{' is not closed"),
        (HEAD + "- {target: id, from: item. #1}\n- {target: name}\n", "8:3 KB-M01 '{' is not closed"),
        (HEAD + "- {target: id, const: 'a}\n- {target: name}\n", "8:23 KB-M01 this quote is not closed"),
        ("a: [\n", "2:1 KB-M01"),
        ("[" * 5000, "1:32 KB-M01"),
        ("a: '\x07'\n", "1:1 KB-M01"),
    ],
)
def test_what_is_wrong_is_named_where_it_stands(content: Path, put: Put, text: str, finding: str) -> None:
    """An integrator goes straight to the place."""
    assert any(line.startswith(finding) for line in _lines(content, put, text)), _lines(content, put, text)


@pytest.mark.parametrize(
    "mapping",
    [
        HEAD + GOOD + "- just a text\n",
        HEAD + GOOD + "- [target, id]\n",
        HEAD + "- {target: id, from: item.id, steps: trim}\n- {target: name, const: A}\n",
        HEAD.replace("target:", "prefix: xsi\ntarget:") + GOOD,
        HEAD.replace("[item]", "[item, item]") + GOOD,
        HEAD.replace("version: 1", "version: [1]") + GOOD,
        HEAD.replace("version: 1", "version:") + GOOD,
        HEAD + GOOD.replace("item.id", "item.id, required: [true]"),
        HEAD + GOOD.replace("item.id", 'item.id, when: {path: "item[x]", equals: a}'),
        HEAD + GOOD.replace("from: item.id", "code: {list: [a], value: a}"),
    ],
)
def test_one_mistake_of_form_is_one_finding(content: Path, put: Put, mapping: str) -> None:
    """Two findings send an integrator looking for a second mistake; what is missing then is only an echo."""
    found = [line for line in _lines(content, put, mapping) if "KB-M12" not in line]

    assert [line.split()[1] for line in found] == ["KB-M03"]


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("- {target: Feld[2]/Wert, from: item.id}", "Feld[2]/Wert"),
        ("- {target: id, from: item.lines[1].id}", "item.lines[1].id"),
        ("- {target: @id, from: item.id}", "@id"),
        ("- target: @id\n  from: item.id", "@id"),
    ],
)
def test_a_path_that_needs_quotes_is_shown_with_them(content: Path, put: Put, rule: str, path: str) -> None:
    """YAML itself speaks of a missing comma, and nobody misses a comma there."""
    put("mappings/inbound/in/mapping.yaml", f"{HEAD}{rule}\n")
    [found] = check_mapping("in", content)

    assert (found.code, found.helps) == ("KB-M01", f'this path needs quotes: "{path}"')


def test_a_mistake_of_yaml_elsewhere_is_not_blamed_on_a_path(content: Path, put: Put) -> None:
    """The path in front of the mistake is in order where it is in quotes."""
    put("mappings/inbound/in/mapping.yaml", HEAD + '- {target: "Feld[2]", from: item.id, note: a: b}\n')

    assert [(one.code, one.helps) for one in check_mapping("in", content)] == [("KB-M01", "")]


def test_what_mends_a_mistake_of_yaml_is_said(content: Path, put: Put) -> None:
    """The parser expects tokens and block ends; people write texts and lines."""
    put("mappings/inbound/in/mapping.yaml", HEAD + "- {target: id, from: item. #1}\n- {target: name, from: */a}\n")
    [brace] = check_mapping("in", content)
    put("mappings/inbound/in/mapping.yaml", HEAD + "- {target: name, from: */a}\n")
    [star] = check_mapping("in", content)

    assert (brace.expected, brace.helps) == (
        "'}' in this line",
        "a # behind a blank begins a comment: such a text needs quotes",
    )
    assert star.expected == '"*/a"'


def test_a_file_that_multiplies_itself_is_refused(content: Path, put: Put) -> None:
    """Aliases of aliases would fill the memory of the scheduler."""
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 30))

    assert "anchors" in _lines(content, put, f"l0: &l0 [x]\n{levels}")[0]


def test_a_huge_file_is_refused_before_it_is_read(content: Path, put: Put) -> None:
    """A mapping is some hundred lines."""
    assert "too large" in _lines(content, put, HEAD + GOOD + "# " + "x" * 1_000_000)[0]


def test_a_file_that_is_not_utf8_is_refused(content: Path, put: Put) -> None:
    """Umlauts from another encoding would reach the e-file as rubbish."""
    put("mappings/inbound/in/mapping.yaml", "").write_bytes("name: Müller".encode("latin-1"))

    assert check_mapping("in", content)[0].message == "the file is not UTF-8"


def test_loading_stops_at_the_first_error_with_its_place(content: Path, put: Put) -> None:
    """The run stops, and the line in the log is enough to mend it."""
    put("mappings/inbound/in/mapping.yaml", HEAD + "- {target: id, from: item.id}\n- {target: nam, from: item.name}\n")

    with pytest.raises(ConfigurationError) as stopped:
        load_mapping("in", content)

    assert stopped.value.where == "mappings/inbound/in/mapping.yaml:9:12"
    assert "KB-M07 'Area' has no 'nam'" in stopped.value.line()
    assert "did you mean 'name'?" in stopped.value.line()


def test_an_unknown_mapping_names_the_known_ones(content: Path, put: Put) -> None:
    """A typing error in a route should mend itself."""
    put("mappings/inbound/in/mapping.yaml", HEAD + GOOD)

    with pytest.raises(ConfigurationError, match=r"no mapping is called '\.\./in'; expected in"):
        load_mapping("../in", content)


def test_a_scalar_is_the_text_that_stands_there(content: Path, put: Put) -> None:
    """`0401` is not 257, `no` is not false."""
    put("mappings/inbound/in/mapping.yaml", HEAD + "- {target: id, const: 0401}\n- {target: name, const: no}\n")

    area = load_mapping("in", content).read({}, {})

    assert (area.id, area.name) == ("0401", "no")


def test_a_mapping_is_kept_until_one_of_its_files_changes(content: Path, put: Put) -> None:
    """A run loads it once; a changed code list must be seen."""
    put("mappings/codelists/names.csv", "from;to\na;b\n")
    put("mappings/inbound/in/mapping.yaml", HEAD + GOOD.replace("item.name", "item.name, codelist: names"))
    first = load_mapping("in", content)
    again = load_mapping("in", content)
    put("mappings/codelists/names.csv", "from;to\na;other\n")
    changed = load_mapping("in", content)

    assert again is first
    assert changed.digest != first.digest
    assert changed.read({"id": "1", "name": "a"}, {}).name == "other"


@pytest.mark.parametrize(("steps", "right"), [(["trim"], True), ("trim", False), ({"clip": 3}, False)])
def test_an_editor_wants_a_list_of_steps_as_check_does(steps: object, right: bool) -> None:
    """What an editor leaves unmarked, `check` must not refuse."""
    rule = {"target": "id", "from": "item.id", "steps": steps}
    text = {"name": "in", "version": 1, "direction": "inbound", "roots": ["item"], "target": "record Area"}

    assert Draft7Validator(general_schema()).is_valid({**text, "rules": [rule]}) is right


@pytest.mark.parametrize(("name", "right"), [("document", True), ("my doc", False), ("doc.ument", False)])
def test_an_editor_wants_a_name_for_members_as_check_does(name: str, right: bool) -> None:
    """Paths begin with it."""
    rule = {"target": "id", "each": "item.ids", "as": name, "rules": [{"target": "id", "from": "item.id"}]}
    text = {"name": "in", "version": 1, "direction": "inbound", "roots": ["item"], "target": "record Area"}

    assert Draft7Validator(general_schema()).is_valid({**text, "rules": [rule]}) is right
