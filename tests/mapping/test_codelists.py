"""Code lists: what the XRepository gives is taken as it is, what is wrong is said with its line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.mapping.codelists.checking import CODES, check_list, list_files
from kiezbruecke.mapping.codelists.genericode import Columns, read_genericode
from kiezbruecke.mapping.codelists.reading import (
    CodeList,
    Translation,
    code_file,
    read_codes,
    read_rows,
    read_translation,
)
from kiezbruecke.mapping.codelists.uses import ListUse, find_uses
from kiezbruecke.mapping.codelists.validity import Validity
from kiezbruecke.mapping.codelists.writing import compare, render, taken_over
from kiezbruecke.mapping.language.findings import Place
from kiezbruecke.mapping.values import Unusable
from tests.mapping.conftest import DATA, Put

ROOT = Path(__file__).parents[2]
OFFICIAL = ROOT.parent / "shared" / "standards"
FARBEN = DATA / "farben_2.xml"
TODAY = date(2026, 11, 23)
USED = [ListUse("a.csv", "m", Place("m.yaml")), ListUse("a.yaml", "m", Place("m.yaml", 7), "Farbe", "no")]


def official_lists() -> list[Path]:
    return sorted([*OFFICIAL.glob("codelists/*.xml"), *OFFICIAL.glob("xdomea/*/code_lists/*.xml")])


def found(content: Path, file: str) -> list[tuple[str, int]]:
    return [(one.code, one.place.line) for one in check_list(content, file, USED, TODAY)]


def test_the_marked_key_is_the_code_and_texts_stay_texts() -> None:
    """XÖV marks the recommended key; 01 and no are codes, not a number and a truth value."""
    codes = read_genericode(FARBEN).codes("farben", Columns())

    assert dict(codes.codes) == {"01": 'Rot: "warm"', "no": "Blau"}
    assert (codes.uri, codes.version) == ("urn:example:farben", "2")
    assert codes.source == "Beispielamt, urn:example:farben_2, farben_2.xml"


def test_a_word_instead_of_a_day_is_an_open_end() -> None:
    """XRepository writes 'unbestimmt'."""
    assert read_genericode(FARBEN).codes("farben", Columns()).validity == Validity(date(2026, 4, 1))


def test_codes_may_have_days_of_their_own() -> None:
    """The column is named by whoever imports: no standard says what it is called."""
    codes = read_genericode(FARBEN).codes("farben", Columns(valid_to="Bis"))

    assert codes.limits == {"no": Validity(None, date(2026, 12, 31))}


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("<SimpleValue>no<", "<SimpleValue>01<", ":36: the code '01' stands twice"),
        ("<SimpleValue>no</SimpleValue>", "", ":36: a row has no code"),
        ("<SimpleValue>no</SimpleValue>", "<ComplexValue/>", ":38: a value is XML"),
        ('ColumnRef="Bis"', 'ColumnRef="Bsi"', ":39: unknown column 'Bsi'"),
        ("<x:recommendedKeyColumn/>", "", ":1: the file does not say which column is the code"),
        ("/genericode/1.0/", "/genericode/2.0/", "the file is no code list"),
        ("<gc:CodeList", "<!DOCTYPE a><gc:CodeList", "no plain XML"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_with_its_line(tmp_path: Path, old: str, new: str, where: str) -> None:
    """A guessed code would travel under somebody's name."""
    text = FARBEN.read_text("utf-8")
    assert old in text
    (tmp_path / "f.xml").write_text(text.replace(old, new), "utf-8")

    with pytest.raises(ConfigurationError) as error:
        read_genericode(tmp_path / "f.xml").codes("f", Columns())

    assert where in str(error.value)


@pytest.mark.official
@pytest.mark.skipif(not official_lists(), reason="no official code lists here")
def test_every_official_list_at_hand_is_read_and_comes_back_the_same(content: Path) -> None:
    """AGS with eleven thousand codes, three generations of XÖV annotations, lists of xdomea."""
    for file in official_lists():
        codes = read_genericode(file).codes("official", Columns())
        code_file(content, "official").write_text(render(codes), "utf-8")

        assert read_codes(content, "official") == codes, file.name
        assert codes.uri
        assert codes.validity.first
        assert all(codes.codes.values())


@pytest.mark.official
@pytest.mark.skipif(not official_lists(), reason="no official code lists here")
def test_our_districts_are_those_of_the_official_list() -> None:
    """The facts carry over with their source; this is where they are compared."""
    ags = read_genericode(OFFICIAL / "codelists" / "AGS_2026-04-30.xml").codes("ags", Columns())
    berlin = {code: name for code, name in ags.codes.items() if code.startswith("11") and code != "11000000"}
    _, rows = read_rows(ROOT / "mappings/codelists/berlin-bezirke.csv")
    _, by_ags = read_rows(ROOT / "mappings/codelists/berlin-bezirke-ags.csv")

    assert {row.cell("ags"): row.cell("name") for row in rows} == berlin
    assert {row.cell("id"): row.cell("name") for row in by_ags} == berlin
    assert [row.cell("id") for row in rows] == [f"{number:02}" for number in range(1, 13)]


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
DAYS = st.builds(Validity, st.none() | st.dates(), st.none() | st.dates())


@settings(max_examples=60, deadline=None)
@given(
    codes=st.dictionaries(TEXT.filter(bool), TEXT, min_size=1, max_size=6), limit=DAYS, span=DAYS, names=st.booleans()
)
def test_what_is_written_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, codes: dict[str, str], limit: Validity, span: Validity, names: bool
) -> None:
    """Whatever a code looks like in YAML's eyes: yes, 0x1, ~, a quote, a line separator."""
    content = tmp_path_factory.mktemp("lists")
    (content / "mappings/codelists").mkdir(parents=True)
    limits = {next(iter(codes)): limit} if limit != Validity() else {}
    made = CodeList("x", "urn:x", "1", codes, names, span, limits, 'from "here"', "00", "a: note")
    code_file(content, "x").write_text(render(made), "utf-8")

    assert read_codes(content, "x") == made


def test_a_newer_version_says_what_it_adds_removes_and_renames() -> None:
    """And keeps what people have decided about the list."""
    old = CodeList("x", "u", "1", {"1": "one", "2": "two", "3": ""}, write_names=True, note="ours")
    new = CodeList("x", "u", "2", {"1": "One", "3": "three", "4": "four"})
    changes = compare(old, new)

    assert (dict(changes.added), dict(changes.removed), dict(changes.renamed)) == (
        {"4": "four"},
        {"2": "two"},
        {"1": ("one", "One")},
    )
    assert taken_over(old, new).write_names
    assert taken_over(old, new).note == "ours"


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("# c\nfrom;to\na;1\nA ;1\nb;2\n", []),
        ("# c\nfrom;to\na;1\na;2\n", [("KB-L05", 4)]),
        ("from;to\na;1\na;1\n", [("KB-L05", 3)]),
        ("from;to\nAn  Tag;1\nan tag;2\n", [("KB-L06", 3)]),
        ("from;to\na;1;x\nb\n", [("KB-L03", 2), ("KB-L03", 3), ("KB-L04", 3)]),
        ("from;to\n;1\n", [("KB-L04", 2)]),
        ("# c\nvon;nach\n", [("KB-L02", 2)]),
        ("id;name;aliases\n1;Eins;eins|Uno\n2;Zwei;UNO\n", [("KB-L06", 3)]),
        ("id;name;aliases\n;Eins;\n", [("KB-L04", 2)]),
    ],
)
def test_every_fault_of_a_translation_has_its_line(
    content: Path, put: Put, text: str, findings: list[tuple[str, int]]
) -> None:
    """A value must have one meaning, however it is written."""
    put("mappings/codelists/a.csv", text)

    assert found(content, "a.csv") == findings


@pytest.mark.parametrize(
    "word", ["1.10", "0815", "010", "0x1F", "1_000", "1e3", "no", "NULL", "2026-01-01", "12:30:45", ".inf", "=", "-"]
)
def test_codes_names_and_versions_are_what_stands_there(content: Path, put: Put, word: str) -> None:
    """YAML reads numbers, truths and days into them: 1.10 went out as version 1.1, and 0815 as 815."""
    shown = word if word != "-" else '"-"'
    put("mappings/codelists/a.yaml", f"uri: u\nversion: {shown}\ncodes:\n  {shown}: {shown}\n")

    found = read_codes(content, "a")
    assert (found.version, dict(found.codes)) == (word, {word: word})


def test_a_code_that_stands_twice_is_named_with_its_line(content: Path, put: Put) -> None:
    """'expected YAML in UTF-8' sends people to the wrong fault."""
    put("mappings/codelists/a.yaml", 'uri: u\ncodes:\n  "01": A\n  "01": B\n')

    with pytest.raises(ConfigurationError, match=r"a\.yaml:4:3: the key '01' stands here twice; expected once"):
        read_codes(content, "a")


def test_a_list_in_another_encoding_names_the_line(content: Path) -> None:
    """Excel saves CSV in the machine's own encoding."""
    (content / "mappings/codelists/a.csv").write_bytes("from;to\na;1\nü;2\n".encode("latin-1"))

    assert found(content, "a.csv") == [("KB-L01", 3)]


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ('uri: u\ncodes:\n  "01": a\n', []),
        ("uri: u\ncodes:\n  01: [a]\n", [("KB-L07", 3)]),
        ("uri: u\nversion: [1]\ncodes: {a: b}\n", [("KB-L11", 2)]),
        ("uri: u\nwrite_names: no\ncodes: {a: b}\n", [("KB-L11", 2)]),
        ("uri: u\ncodes: {a: !x 1}\n", [("KB-L01", 2)]),
        ("uri: u\ncodes:\n  a: b\n\tc: d\n", [("KB-L01", 4)]),
        ('uri: u\nversoin: 1\ncodes: {"01": a}\n', [("KB-L02", 2)]),
        ('uri: u\ncodes:\n  "01": "a"\n  "01": "b"\n', [("KB-L01", 4)]),
        ('valid_to: gestern\ncodes: {"01": a}\n', [("KB-L08", 1)]),
        ('valid_to: 2025-12-31\nversion: "1"\ncodes: {"01": a}\n', [("KB-L09", 1)]),
        ('codes:\n  "01": {name: a, valid_from: 2026-02-01, valid_to: 2026-01-01}\n', [("KB-L08", 2)]),
        ('codes:\n  "01": {nmae: a}\n', [("KB-L02", 2)]),
        ('codes:\n  "no": {name: a, valid_to: 2026-01-01}\n', [("KB-L09", 7)]),
        ('write_names: true\ncodes:\n  "01": ""\n', [("KB-L04", 3)]),
    ],
)
def test_every_fault_of_a_list_of_codes_has_its_line(
    content: Path, put: Put, text: str, findings: list[tuple[str, int]]
) -> None:
    """A rule that writes a code which is not valid any more is found where the rule stands."""
    put("mappings/codelists/a.yaml", text if "uri:" in text else f"{text}uri: u\n")

    assert found(content, "a.yaml") == findings


@pytest.mark.parametrize(
    ("text", "line", "severity"),
    [
        ('version: "1"\ncodes: {"01": a}\n', 1, "warning"),
        ('uri: u\nwrite_names: nein\ncodes: {"01": a}\n', 2, "error"),
    ],
)
def test_a_list_says_whose_codes_it_holds(content: Path, put: Put, text: str, line: int, severity: str) -> None:
    """Else `@listURI` is missing in the message, or the names of the codes are, and nobody knows why."""
    put("mappings/codelists/a.yaml", text)
    [finding] = check_list(content, "a.yaml", USED, TODAY)

    assert (finding.code, finding.place.line, finding.severity) == ("KB-L11", line, severity)


def test_a_list_that_nobody_uses_is_a_note(content: Path, put: Put) -> None:
    """It does no harm, but somebody should know."""
    put("mappings/codelists/b.csv", "from;to\na;1\n")
    (note,) = check_list(content, "b.csv", USED, TODAY)

    assert (note.code, note.severity) == ("KB-L10", "note")


def test_our_own_lists_are_right_and_used() -> None:
    """The districts are there for integrators; all others have a mapping or a process."""
    uses = find_uses(ROOT)
    findings = [one for file in list_files(ROOT) for one in check_list(ROOT, file, uses, TODAY)]

    assert [one.line() for one in findings if one.severity != "note"] == []
    assert {one.place.file.rpartition("/")[2] for one in findings} == {"berlin-bezirke.csv", "berlin-bezirke-ags.csv"}


def test_every_finding_is_explained() -> None:
    """People search for the code."""
    page = (ROOT / "docs/how-to/codelists.md").read_text("utf-8")

    assert [code for code in CODES if code not in page] == []


COUNTRIES = "from;code;name\nDE;DEU;Deutschland\nAT;AUT;Österreich\nat;---;Attika\n"


def test_a_list_may_have_several_columns_of_values(content: Path, put: Put) -> None:
    """Code and name come out of one list; the keys are read in any column."""
    put("mappings/codelists/land.csv", COUNTRIES)
    put("mappings/codelists/ort.csv", "id;name;aliases\n1;Mitte;City|Zentrum\n")

    read = {column: read_translation(content, "land", column).translate("de") for column in ("code", "name")}

    assert read == {"code": "DEU", "name": "Deutschland"}
    assert [read_translation(content, "ort", "name").translate(one) for one in ("1", "city")] == ["Mitte", "Mitte"]


def test_a_list_folds_case_unless_it_is_told_not_to(content: Path, put: Put) -> None:
    put("mappings/codelists/land.csv", COUNTRIES)
    exact = read_translation(content, "land", "name", folds=False)

    assert [exact.translate(one) for one in ("AT", "at")] == ["Österreich", "Attika"]
    assert read_translation(content, "land", "name").translate("De") == "Deutschland"
    with pytest.raises(Unusable):
        exact.translate("De")


def test_values_that_differ_in_case_alone_are_right_in_a_list_that_nobody_folds(content: Path, put: Put) -> None:
    put("mappings/codelists/land.csv", COUNTRIES)
    place = Place("mapping.yaml")
    exact, folding = (ListUse("land.csv", "a", place, exact=exact) for exact in (True, False))

    assert check_list(content, "land.csv", [exact], TODAY) == []
    assert [one.code for one in check_list(content, "land.csv", [exact, folding], TODAY)] == ["KB-L06"]


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        ("from;too\na;1\n", 1, "KB-L02"),
        ("from;code;name\na;1;\n", 2, "KB-L04"),
        ("from;code;name\na;1;x\na;1;y\n", 3, "KB-L05"),
    ],
)
def test_what_is_wrong_with_columns_of_ones_own(content: Path, put: Put, text: str, line: int, code: str) -> None:
    put("mappings/codelists/a.csv", text)
    [finding] = check_list(content, "a.csv", [ListUse("a.csv", "m", Place("mapping.yaml"))], TODAY)

    assert (finding.code, finding.place.line) == (code, line)


def test_a_truth_value_is_looked_up_as_true_or_false_too() -> None:
    """`when` accepts both spellings; so do lists."""
    words = Translation("art", {"true": "AENDERUNG", "false": "NEU"})
    digits = Translation("art", {"1": "AENDERUNG", "0": "NEU"})

    assert [words.translate(True), words.translate(False)] == ["AENDERUNG", "NEU"]
    assert [digits.translate(True), digits.translate(False)] == ["AENDERUNG", "NEU"]
