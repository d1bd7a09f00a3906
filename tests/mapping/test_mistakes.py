"""Mistakes on purpose: every one is found before a message exists, at its place, with what helps.

Each row edits a correct mapping: `old` becomes `new`, and the ▸ in `new` is where the finding must stand
(it is taken out before the mapping is written). Where the place is elsewhere, the row says line and column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from kiezbruecke.mapping import Finding, check_mapping, load_mapping
from kiezbruecke.mapping.language.findings import ACCEPTABLE, CODES
from kiezbruecke.workbench.example_check import check_whole

DATA = Path(__file__).parent / "data"
HEAD = """\
name: antrag
version: 1
direction: outbound
roots: [case, decision, budget, message, proposal]
target: antrag 1.0 Antrag
rules:
"""
ANTRAG = (
    HEAD
    + """\
  - {target: "@verfahren", const: kiezkasse}
  - target: Kopf
    rules:
      - {target: Nummer, from: case.reference}
      - {target: Erstellt, from: message.created_at}
  - {target: Art, from: message.effect, codelist: art}
  - {target: Titel, from: case.title, steps: [collapse_space, {clip: 20}]}
  - {target: Betrag, from: decision.approved_amount, required: true}
  - {target: Betrag/@waehrung, const: EUR}
  - {target: Anteil, from: budget.amount}
  - {target: BeschlossenAm, from: decision.decided_on}
  - {target: Sitzung, from: decision.decided_on, steps: [{date_format: TT.MM.JJJJ}]}
  - {target: Stand, from: budget.status}
  - {target: Kapitel, const: "2729"}
  - {target: Kennwort, from: proposal.category, steps: [{clip: 30}]}
  - {target: Oeffentlich, from: message.test}
  - {target: Jahr, from: budget.fiscal_year}
  - {target: Rang, from: decision.rank}
  - {target: Mail, from: case.area_id, when: {path: message.test, equals: "1"}}
  - {target: Telefon, from: case.area_name, when: {path: message.test, equals: "0"}}
  - {target: "Zeuge[1]", const: Erste}
  - {target: "Zeuge[2]", const: Zweite}
  - {target: Hinweis, const: Test, when: {path: message.test, equals: "true"}}
  - target: Anlage
    each: case.documents
    as: document
    rules:
      - {target: "@art", const: pdf}
      - {target: Name, from: document.title}
      - {target: Nummer, from: document.index}
"""
)
LINE_OF_RULES = "7:3"


Check = Callable[[str], list[Finding]]
Put = Callable[[str, str], Path]


class Mistake(NamedTuple):
    old: str
    new: str
    code: str
    said: str  # part of the finding's line
    at: str = ""  # line:column where no ▸ stands


MISTAKES = [
    # keys and forms
    Mistake('const: "2729"}', '▸konst: "2729"}', "KB-M02", "did you mean 'const'?"),
    Mistake("required: true}", "required: true, ▸required: true}", "KB-M02", "stands twice"),
    Mistake("version: 1\n", "version: 1\n▸verison: 2\n", "KB-M02", "did you mean 'version'?"),
    Mistake("version: 1\n", "version: ▸eins\n", "KB-M03", "is no version"),
    Mistake("required: true}", "required: ▸yes}", "KB-M03", "true or false"),
    Mistake("from: case.reference}", "from: case.reference, const: x}", "KB-M03", "exactly one origin", "10:9"),
    Mistake("- {target: Rang, from: decision.rank}", "- ▸{target: Rang}", "KB-M03", "exactly one origin"),
    Mistake("{target: Kapitel, const", "{▸traget: Kapitel, const", "KB-M02", "did you mean 'target'?"),
    Mistake("{target: Kapitel, const", "▸{const", "KB-M03", "'target' is missing"),
    Mistake("const: pdf}", "const: pdf, steps: ▸[trim]}", "KB-M03", "'steps' needs 'from'"),
    Mistake("    as: document\n", "", "KB-M03", "belong together", "30:5"),
    Mistake("const: kiezkasse", 'const: ▸"  "', "KB-M03", "never written"),
    Mistake("{target: Hinweis,", "{target: ▸Hinweis//x,", "KB-M03", "is not a target path"),
    Mistake("from: decision.rank}", 'from: ▸"decision[x].rank"}', "KB-M03", "is not a source path"),
    Mistake("name: antrag", "name: ▸antraege", "KB-M04", "'antrag'"),
    Mistake("direction: outbound", "direction: ▸inbound", "KB-M04", "mappings/outbound"),
    Mistake("const: pdf}", "omit: ▸true}", "KB-M05", "needs a base"),
    # targets
    Mistake("antrag 1.0 Antrag", "▸antrag 1.0 Antarg", "KB-M06", "did you mean 'Antrag'?"),
    Mistake("antrag 1.0 Antrag", "▸antrag 2.0 Antrag", "KB-M06", ""),
    Mistake("target: Rang,", "target: ▸Rnag,", "KB-M07", "did you mean 'Rang'?"),
    Mistake("target: Nummer, from: case", "target: ▸Numer, from: case", "KB-M07", "did you mean 'Nummer'?"),
    Mistake("  - {target: Rang,", "  - {target: ▸Erstellt,", "KB-M07", "did you mean 'Kopf/Erstellt'?"),
    Mistake("target: Name, from", "target: ▸Titel, from", "KB-M07", "it stands in 'Titel'"),
    Mistake('target: "@art"', "target: ▸art", "KB-M07", "did you mean '@art'?"),
    Mistake("target: Rang,", "target: ▸Kopf,", "KB-M07", "takes no value itself"),
    Mistake("target: Rang,", "target: ▸Rang/x,", "KB-M07", "has no 'x'"),
    # sources
    Mistake("case.reference}", "▸case.refrence}", "KB-M08", "did you mean 'reference'?"),
    Mistake("from: case.reference", "from: ▸cases.reference", "KB-M08", "did you mean 'case'?"),
    Mistake("from: document.title", "from: ▸docment.title", "KB-M08", "did you mean 'document'?"),
    Mistake("from: budget.status", "from: ▸commitment.state", "KB-M08", "name it under roots"),
    Mistake("from: case.reference", "from: ▸case.reference.x", "KB-M08", "has no fields"),
    Mistake("[case, decision, budget", "[case, decision, ▸buget, budget", "KB-M08", "did you mean 'budget'?"),
    Mistake("when: {path: message.test", "when: {path: ▸message.tset", "KB-M08", "did you mean 'test'?"),
    Mistake("each: case.documents", "each: ▸case.document", "KB-M08", "did you mean 'documents'?"),
    # steps
    Mistake("[collapse_space,", "[▸colapse_space,", "KB-M09", "did you mean 'collapse_space'?"),
    Mistake("{clip: 30}", "▸clip", "KB-M09", "needs an argument"),
    Mistake("{clip: 30}", "{clip: ▸viele}", "KB-M09", "is no number"),
    Mistake("{clip: 30}", "{clip: ▸0}", "KB-M09", "nothing is left"),
    Mistake("[collapse_space,", "[{collapse_space: ▸3},", "KB-M09", "takes no argument"),
    Mistake(
        "from: decision.rank}", "from: decision.rank, steps: [▸german_date]}", "KB-M09", "cannot read a whole number"
    ),
    Mistake("proposal.category, steps: [", "proposal.labels, steps: [▸trim, ", "KB-M09", "join or first before it"),
    # code lists
    Mistake("codelist: art", "codelist: ▸atr", "KB-M10", "did you mean 'art'?"),
    Mistake("codelist: art", "codelist: ▸falsch", "KB-M10", "'gelöscht' of the code list 'falsch' does not fit 'Art'"),
    Mistake('const: "2729"}', "code: {list: ▸kapitle, value: '2729'}}", "KB-M10", "did you mean 'kapitel'?"),
    Mistake('const: "2729"}', "code: {list: kapitel, value: ▸'2792'}}", "KB-M10", "did you mean '2729'?"),
    Mistake('const: "2729"}', "code: {list: kapitel, value: ▸'27'}}", "KB-M10", "does not fit 'Kapitel'"),
    Mistake("from: budget.status", "from: budget.status, codelist: ▸stand", "KB-M22", "no partner for 'revoked'"),
    Mistake("from: budget.status", "from: ▸decision.outcome", "KB-M22", "no value of 'decision.outcome' fits"),
    Mistake("{target: Art, from: message.effect", "{target: Art, from: budget.status", "KB-M22", "no partner", "12:50"),
    # cardinality and doubles
    Mistake('"Zeuge[2]"', '▸"Zeuge[4]"', "KB-M11", "at most 3 times"),
    Mistake("target: Rang,", 'target: ▸"Rang[2]",', "KB-M11", "stands only once"),
    Mistake("from: proposal.category, steps: [{clip: 30}]", "from: ▸proposal.labels", "KB-M11", "many values"),
    Mistake("target: Rang,", "target: ▸Titel,", "KB-M11", "a second rule", "13:12"),
    Mistake("target: Anlage", "target: Kopf", "KB-M11", "stands only once", "31:11"),
    Mistake(
        "target: Kapitel, const", "target: Kapitel, when: case.area_id, const", "KB-M16", "always present", "20:29"
    ),
    # mandatory places
    Mistake('  - {target: "@verfahren", const: kiezkasse}\n', "", "KB-M12", "'@verfahren'", LINE_OF_RULES),
    Mistake("      - {target: Erstellt, from: message.created_at}\n", "", "KB-M12", "'Kopf/Erstellt'", "8:13"),
    Mistake("  - {target: Betrag/@waehrung, const: EUR}\n", "", "KB-M12", "'Betrag/@waehrung'", "14:14"),
    Mistake("      - {target: Nummer, from: document.index}\n", "", "KB-M12", "'Anlage/Nummer'", "30:13"),
    Mistake('      - {target: "@art", const: pdf}\n', "", "KB-M12", "'Anlage/@art'", "30:13"),
    Mistake('  - {target: "Zeuge[2]", const: Zweite}\n', "", "KB-M12", "must stand 2 times", "27:14"),
    Mistake(
        "{target: Betrag, from: decision.approved_amount, required: true}\n  - ",
        "",
        "KB-M12",
        "text of 'Betrag'",
        "14:14",
    ),
    Mistake(', when: {path: message.test, equals: "0"}', "", "KB-M17", "only one of Mail, Telefon", "26:14"),
    Mistake("Telefon, from", "Zeiten, from", "KB-M12", "'Telefon'", LINE_OF_RULES),
    Mistake("approved_amount, required: true}", "approved_amount}", "KB-M13", "may be empty", "14:28"),
    Mistake(
        "codelist: art}", 'codelist: art, when: {path: ▸message.test, equals: "true"}}', "KB-M13", "under a condition"
    ),
    Mistake(
        '{target: Mail, from: case.area_id, when: {path: message.test, equals: "1"}}\n'
        '  - {target: Telefon, from: case.area_name, when: {path: message.test, equals: "0"}}',
        "{target: Mail, const: a}\n  - {target: ▸Telefon, from: case.area_id}",
        "KB-M17",
        "only one of Mail, Telefon",
    ),
    # what does not fit
    Mistake(
        "{target: BeschlossenAm, from: decision",
        "{target: BeschlossenAm, from: ▸case.title}\n#",
        "KB-M14",
        "text does not fit",
    ),
    Mistake("from: decision.decided_on}", "from: ▸message.created_at}", "KB-M14", "moment does not fit"),
    Mistake("from: message.created_at", "from: ▸decision.decided_on", "KB-M14", "date does not fit"),
    Mistake("from: message.test}", "from: ▸case.title}", "KB-M14", "text does not fit"),
    Mistake("from: decision.rank}", "from: ▸budget.amount}", "KB-M14", "decimal does not fit"),
    Mistake("from: budget.fiscal_year", "from: ▸decision.decided_on", "KB-M14", "a day such as '2026-04-24'"),
    Mistake(", steps: [{date_format: TT.MM.JJJJ}]", "", "KB-M14", "a day such as '2026-04-24'", "18:29"),
    Mistake("target: Anteil,", "target: Volle,", "KB-M14", "a number such as", "16:27"),
    Mistake('const: "2729"', "const: ▸27290", "KB-M14", "this const does not fit 'Kapitel'"),
    Mistake("const: EUR", "const: ▸Euro", "KB-M14", "this const does not fit"),
    Mistake(
        "from: case.reference}",
        "from: case.reference}\n      - {target: Fassung, const: ▸'2'}",
        "KB-M14",
        "the schema fixes",
    ),
    Mistake("codelist: art}", "codelist: art, default: ▸neue}", "KB-M14", "did you mean 'neu'?"),
    Mistake(
        "{target: Art, from: message.effect, codelist: art}",
        "{target: Art, const: ▸geändert}",
        "KB-M14",
        "did you mean 'geaendert'?",
    ),
    Mistake("steps: [{clip: 30}]", "steps: [{clip: ▸3}]", "KB-M14", "leaves less than"),
    Mistake("steps: [{clip: 30}]", "steps: [{clip: ▸300}]", "KB-M14", "leaves more than"),
    Mistake(
        "steps: [{clip: 30}]",
        "steps: [{prefix: ▸Das ist die lange Kategorie des Vorschlags }]",
        "KB-M14",
        "nothing fits",
    ),
    Mistake(
        "from: message.effect, codelist: art", "from: case.title, steps: [{prefix: ▸alt}]", "KB-M14", "no word of 'Art'"
    ),
    Mistake("from: document.title", "from: ▸case.documents", "KB-M14", "is a whole DocumentView"),
    Mistake("each: case.documents", "each: ▸case.title", "KB-M14", "is no list"),
    Mistake("from: case.title, steps: [collapse_space, {clip: 20}]", "from: ▸case.title", "KB-M18", "{clip: 20}"),
    Mistake("from: proposal.category, steps: [{clip: 30}]", "from: ▸case.id", "KB-M18", "has 36 characters"),
    Mistake(
        "from: case.reference", "from: case.reference, steps: [{prefix: Kiezkasse }]", "KB-M18", "up to 29", "10:32"
    ),
    # without effect
    Mistake('equals: "true"', "equals: ▸ja", "KB-M16", "is never 'ja'"),
    Mistake('{path: message.test, equals: "true"}', "▸message.test", "KB-M16", "always present"),
    Mistake(
        'path: message.test, equals: "true"',
        "path: budget.status, equals: ▸frei",
        "KB-M16",
        "planned, released, blocked, revoked",
    ),
    Mistake('path: message.test, equals: "true"', "path: budget.amount, equals: ▸'850'", "KB-M16", "'850.00'"),
    Mistake(
        'path: message.test, equals: "true"', "path: decision.decided_on, equals: ▸24.04.2026", "KB-M16", "2026-04-24"
    ),
    Mistake("from: case.reference}", "from: case.reference, default: ▸ohne}", "KB-M19", "never empty"),
    Mistake(
        "approved_amount, required: true",
        "approved_amount, required: ▸true, default: '0.00'",
        "KB-M19",
        "changes nothing",
    ),
    Mistake("message, proposal]", "message, proposal, ▸applicant]", "KB-M19", "no rule reads the root 'applicant'"),
    Mistake("from: message.effect", "from: message.effect, steps: [▸first]", "KB-M19", "one value only"),
    Mistake(
        "from: document.title}\n      - {target: Nummer, from: document.index}",
        "from: case.title}\n      - {target: Nummer, const: '1'}",
        "KB-M19",
        "nothing below reads 'document'",
        "32:9",
    ),
    Mistake("from: decision.approved_amount", "from: budget.amount", "KB-M20", "decision.approved_amount", "4:15"),
    Mistake("from: case.reference", "from: case.area_id", "KB-M20", "case.reference", "4:9"),
    Mistake("proposal]", "proposal]\nunused: [▸case.refrence]", "KB-M08", "did you mean 'reference'?"),
    Mistake(
        "const: Test, when",
        "const: Test, when: {path: message.test, equals: 'false'}}\n  - {target: ▸\"Hinweis[3]\", const: Test, when",
        "KB-M23",
        "no 'Hinweis[2]'",
    ),
]


@pytest.fixture
def place(content: Path, put: Put) -> Check:
    """Checks a mapping for the schema of mistakes."""
    put("schemas/antrag/1.0/profile.xsd", (DATA / "antrag.xsd").read_text("utf-8"))
    put("mappings/codelists/art.csv", "from;to\nbook;neu\nchange;geaendert\ncancel;aufgehoben\n")
    put("mappings/codelists/falsch.csv", "from;to\nbook;neu\ncancel;gelöscht\n")
    put("mappings/codelists/stand.csv", "from;to\nplanned;planned\nreleased;released\nblocked;blocked\n")
    put("mappings/codelists/kapitel.yaml", 'uri: urn:k\nversion: "1"\ncodes: {"2729": Kultur, "27": Falsch}\n')

    def of(text: str) -> list[Finding]:
        put("mappings/outbound/antrag/mapping.yaml", text)
        return check_mapping("antrag", content)

    return of


def test_the_correct_mapping_has_no_findings(place: Check) -> None:
    """Else the mistakes below would prove nothing."""
    assert [one.line() for one in place(ANTRAG)] == []


def _edited(mistake: Mistake, correct: str) -> tuple[str, str]:
    """The mapping with the mistake in it, and the line and column where it is."""
    assert mistake.old in correct
    text = correct.replace(mistake.old, mistake.new, 1)
    before, mark, after = text.partition("▸")
    if not mark:
        return text, mistake.at
    return before + after, f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: f"{one.code}: {one.said or one.new}")
def test_a_mistake_is_found_at_its_place(place: Check, mistake: Mistake) -> None:
    """Whoever mends it needs the place, the code and a word that helps – not a message that a receiver refuses."""
    text, at = _edited(mistake, ANTRAG)
    found = place(text)
    places = [(one.code, f"{one.place.line}:{one.place.column}") for one in found if mistake.said in one.line()]

    assert (mistake.code, at) in places, [one.line() for one in found]


SHEET = """\
name: zeile
version: 1
direction: inbound
reads: [zeile]
source: table zeilen
roots: [item, envelope]
target: record Budget
rules:
  - {target: origin, from: envelope.external_id}
  - {target: process_id, from: item.verfahren}
  - {target: fiscal_year, from: item.jahr, steps: [integer]}
  - {target: area_id, from: item.gebiet}
  - {target: amount, from: item.betrag, steps: [german_money], required: true}
  - {target: chapter, const: "2729"}
  - {target: title, const: "68406"}
  - {target: status, from: item.status, codelist: status, required: true}
  - {target: valid_from, from: item.ab, steps: [german_date], required: true}
unused: [item.sheet, item.row]
"""
IN_A_SHEET = [
    Mistake("from: item.jahr", "from: ▸item.jhar", "KB-M08", "did you mean 'jahr'?"),
    Mistake("table zeilen", "▸table zeile", "KB-M08", "did you mean 'zeilen'?"),
    Mistake("record Budget", "▸record Buget", "KB-M06", "did you mean 'Budget'?"),
    Mistake("target: area_id", "target: ▸area", "KB-M07", "did you mean 'area_id'?"),
    Mistake("  - {target: area_id, from: item.gebiet}\n", "", "KB-M12", "'area_id'", "9:3"),
    Mistake('"2729"', "▸27", "KB-M14", "this const does not fit 'chapter'"),
    Mistake("codelist: status", "codelist: ▸schlecht", "KB-M10", "'gesperrt' of the code list"),
    Mistake(", steps: [german_money]", "", "KB-M14", "text does not fit 'amount'", "13:28"),
    Mistake("item.ab, steps: [german_date]", "envelope.raw_ref", "KB-M14", "text does not fit 'valid_from'", "17:32"),
    Mistake("from: envelope.external_id", "from: ▸envelope.extern_id", "KB-M08", "did you mean 'external_id'?"),
    Mistake("unused: [item.sheet,", "unused: [▸item.sheat,", "KB-M08", "did you mean 'sheet'?"),
    Mistake("reads: [zeile]\n", "", "KB-M03", "'reads' is missing", "1:7"),
    Mistake("steps: [integer]", "steps: [integer, ▸german_date]", "KB-M09", "cannot read a whole number"),
]


@pytest.fixture
def sheet(content: Path, put: Put) -> Check:
    """Checks a mapping from a sheet's line to a record."""
    put(
        "schemas/tables/zeilen.yaml",
        "name: zeilen\ntitle: Zeilen\ncolumns:\n"
        + "".join(
            f"  - {{name: {key}, key: {key}, type: text, required: true}}\n"
            for key in ("verfahren", "jahr", "gebiet", "betrag", "status", "ab")
        ),
    )
    put("mappings/codelists/status.csv", "from;to\ngeplant;planned\n")
    put("mappings/codelists/schlecht.csv", "from;to\ngesperrt;gesperrt\n")

    def of(text: str) -> list[Finding]:
        put("mappings/inbound/zeile/mapping.yaml", text)
        return check_mapping("zeile", content)

    return of


def test_the_correct_sheet_has_no_findings(sheet: Check) -> None:
    """Else the mistakes below would prove nothing."""
    assert [one.line() for one in sheet(SHEET)] == []


@pytest.mark.parametrize("mistake", IN_A_SHEET, ids=lambda one: f"{one.code}: {one.said or one.new}")
def test_a_mistake_with_a_sheet_is_found_at_its_place(sheet: Check, mistake: Mistake) -> None:
    """People's cells are texts; a record wants sums and days."""
    text, at = _edited(mistake, SHEET)
    found = sheet(text)
    places = [(one.code, f"{one.place.line}:{one.place.column}") for one in found if mistake.said in one.line()]

    assert (mistake.code, at) in places, [one.line() for one in found]


def test_an_open_source_is_measured_by_its_examples(sheet: Check, put: Put) -> None:
    """Nobody knows an open item but its examples; a typing error there would give nothing, for ever."""
    cells = "verfahren: a, jahr: '2026', gebiet: g, betrag: '1', status: geplant, ab: 1.1.2026, sheet: s, row: 2"
    put("mappings/inbound/zeile/examples/full/input.yaml", f"item: {{{cells}}}\n")
    text = SHEET.replace("table zeilen", "json").replace("item.gebiet", "item.gebeit")
    found = [(one.code, one.severity, str(one.place).partition(":")[2], one.rule, one.helps) for one in sheet(text)]

    assert found == [("KB-M21", "error", "12:29", "area_id", "did you mean 'item.gebiet'?")]


RARE = "from: item.gebiet, when: item.widerspruch}"


@pytest.fixture
def open_sheet(sheet: Check, put: Put) -> Check:
    """The same where the item is open, with an example; the text stands for `from: item.gebiet}`."""
    cells = "verfahren: a, jahr: '2026', gebiet: g, betrag: '1', status: geplant, ab: 1.1.2026, sheet: s, row: 2"
    put("mappings/inbound/zeile/examples/full/input.yaml", f"item: {{{cells}}}\n")
    rule = "  - {target: area_id, from: item.gebiet}\n"

    def of(text: str) -> list[Finding]:
        more = rule.replace("from: item.gebiet}", text)
        return sheet(SHEET.replace("table zeilen", "json").replace(rule, rule + more.replace("area_id", "title")))

    return of


def test_a_condition_that_no_example_holds_is_an_error_too(open_sheet: Check) -> None:
    """Its rule would never speak."""
    found = [(one.code, one.severity, one.rule, one.helps) for one in open_sheet(RARE) if "example" in one.message]

    assert found == [("KB-M21", "error", "title", 'give an example this value, or say accept: {KB-M21: "why"}')]


def test_a_rare_field_is_accepted_with_the_reason(open_sheet: Check) -> None:
    """Whoever has one example of a source knows more than it."""
    accepted = RARE.replace("}", ', accept: {KB-M21: "only with an appeal"}}')

    assert not [one.line() for one in open_sheet(accepted) if one.code in {"KB-M21", "KB-M19"}]


def test_an_accepted_answer_knows_more_than_the_examples(open_sheet: Check, put: Put) -> None:
    """`drift accept` has seen real ones."""
    fields = 'source:\n  samples: 9\n  fields:\n    "widerspruch": {"kinds": ["text"]}\n'
    put("mappings/inbound/zeile/fingerprint.yaml", f'built_on: "x"\n{fields}')

    assert not [one.line() for one in open_sheet(RARE) if one.code == "KB-M21"]


def test_a_route_does_not_stop_because_an_example_was_taken_away(open_sheet: Check, content: Path) -> None:
    """The check is the gate; what has passed it runs on."""
    rule = "from: item.widerspruch, when: {path: item.verfahren, equals: b}}"
    title = '  - {target: title, const: "68406", when: {path: item.verfahren, equals: a}}'
    text = SHEET.replace("table zeilen", "json").replace('  - {target: title, const: "68406"}', title)
    open_sheet("from: item.gebiet}")
    file = content / "mappings/inbound/zeile/mapping.yaml"
    file.write_text(text.replace("unused:", f"  - {{target: title, {rule}\nunused:"), "utf-8")

    assert [one.code for one in check_mapping("zeile", content) if one.severity == "error"] == ["KB-M21"]
    assert load_mapping("zeile", content).name == "zeile"


EXAMPLES: dict[str, str | bytes] = {  # none of them can be read; what is wrong is not always in a line of theirs
    "brace/input.yaml": "{case: {",
    "latin/input.yaml": "case: {title: Grün}".encode("latin-1"),
    "list/input.yaml": "- a",
    "nothing/input.yaml": "",
    "field/input.yaml": "case: {titel: T}",
    "root/input.yaml": "# one\nkase: {title: T}",
    "roots/input.yaml": "case: {title: T}",
    "value/input.yaml": "decision: {approved_amount: viel}",
}
CONSTANTS = """\
    rules:
      - {target: "@art", const: pdf}
      - {target: Name, const: eins}
      - {target: Nummer, const: "1"}
"""
MORE = [
    Mistake("rules:\n", "rules\n", "KB-M01", ""),
    Mistake("version: 1\n", "", "KB-M03", ""),
    Mistake("roots: [case, decision, budget, message, proposal]\n", "", "KB-M03", ""),
    Mistake("target: antrag 1.0 Antrag\n", "", "KB-M03", ""),
    Mistake("    each: " + ANTRAG.partition("    each: ")[2], CONSTANTS, "KB-M15", ""),
    Mistake("const: Test, when: {path: message.test", "const: Test, when: {path: budget.status", "KB-M16", ""),
]
ONE_TYPING_ERROR = [
    *(one for one in MISTAKES if one.said.startswith("did you mean")),
    Mistake("target: Kopf\n", "▸traget: Kopf\n", "KB-M02", "did you mean 'target'?"),
    Mistake("{path: message.test, equals: \"0\"}", "{path: message.test, ▸equls: \"0\"}", "KB-M02", "did you mean"),
    Mistake("    each: case.documents", "    ▸eech: case.documents", "KB-M02", "did you mean 'each'?"),
    Mistake("      - {target: Nummer, from: document.index}", "      - {target: ▸Numer, from: document.index}",
            "KB-M07", "did you mean 'Nummer'?"),
    Mistake("- target: Kopf", "- target: ▸Kpof", "KB-M07", "did you mean 'Kopf'?"),
    Mistake("    as: document\n", "", "KB-M03", "'each' and 'as' belong together", "30:5"),
    Mistake("rules:\n  - {target: \"@v", "▸ruels:\n  - {target: \"@v", "KB-M02", "did you mean 'rules'?"),
]  # fmt: skip


def _about_rules(found: list[Finding], text: str) -> Iterator[Finding]:
    """Findings that stand among the rules."""
    lines = text.splitlines()
    begin = lines.index("rules:") + 1 if "rules:" in lines else len(lines)
    end = next((number for number, line in enumerate(lines) if number > begin and line.startswith("unused")), None)
    last = len(lines) if end is None else end
    yield from (one for one in found if begin < one.place.line <= last)


CASES = """\
  - target: .
    one_of:
      - {target: Titel, from: case.title, steps: [{clip: 20}], when: {path: budget.status, equals: planned}}
      - {target: Titel, from: case.reference, when: {path: budget.status, equals: released}}
"""
TITLE = "  - {target: Titel, from: case.title, steps: [collapse_space, {clip: 20}]}\n"
CHOICE = ANTRAG[ANTRAG.index("  - {target: Mail") : ANTRAG.index('  - {target: "Zeuge[1]"')]
HEADER = ANTRAG[ANTRAG.index("  - target: Kopf") : ANTRAG.index("  - {target: Art")]
BLOCKS = """\
  - target: Kopf
    one_of:
      - target: .
        when: {path: budget.status, equals: planned}
        rules: [{target: Nummer, from: case.reference}, {target: Erstellt, from: message.created_at}]
      - target: .
        when: {path: budget.status, equals: released}
        rules: [{target: Nummer, from: case.area_id}, {target: Erstellt, from: message.created_at}]
"""
EXAMPLE = """\
case: {reference: "2026-00001", title: Bank, area_id: "090101", area_name: Nord, documents: []}
decision: {approved_amount: 850.00, decided_on: 2026-04-24, rank: 1}
budget: {amount: 900.00, status: planned, fiscal_year: 2026}
message: {created_at: "2026-05-04T10:00:00Z", effect: book, test: true}
proposal: {url: "https://platform.example/1"}
"""
ONE_MISTAKE = [
    (TITLE, CASES, "KB-M13", "a last case with otherwise: true"),
    (CHOICE, CASES.replace("Titel", "Mail", 1).replace("Titel", "Telefon"), "KB-M13", "'budget.status' is 'blocked'"),
    (HEADER, BLOCKS, "KB-M13", "a last case with otherwise: true"),
    ("from: budget.status}", "from: budget.status, codelist: falsch}", "KB-M10", "'gelöscht', 'neu' of the code list"),
    ("from: budget.status}", "from: budget.status, codelist: eins}", "KB-M10", "'frei' of the code list"),
    ("  - {target: Art, from: message.effect, codelist: art}\n", "", "KB-M12", "{target: Art, from: …}"),
    (
        "from: case.title, steps",
        "from: proposal.category, steps",
        "KB-M24",
        "example 'voll' has no value that fits here",
    ),
]


@pytest.mark.parametrize(("old", "new", "code", "said"), ONE_MISTAKE, ids=lambda one: one[-40:])
def test_one_mistake_is_one_finding(
    place: Check, content: Path, put: Put, old: str, new: str, code: str, said: str
) -> None:
    """Of a case that is missing, a list that is another, a value that an example does not have."""
    put("mappings/codelists/eins.csv", "from;to\nplanned;planned\nreleased;frei\nblocked;blocked\nrevoked;revoked\n")
    put("mappings/outbound/antrag/examples/voll/input.yaml", EXAMPLE)
    assert [one.line() for one in place(ANTRAG)] + [one.line() for one in check_whole("antrag", content)] == []
    place(ANTRAG.replace(old, new, 1))
    found = check_whole("antrag", content)

    assert [one.code for one in found] == [code], [one.line() for one in found]
    assert said in found[0].line()


UNIONS = """\
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:simpleType name="Kurz"><xs:restriction base="xs:token"><xs:enumeration value="bewilligt"/>
    <xs:enumeration value="vertagt"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="Lang"><xs:restriction base="xs:token"><xs:enumeration value="vertagt"/>
    <xs:enumeration value="abgelehnt"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="Code"><xs:restriction base="xs:token"><xs:pattern value="[A-Z]{2}-[0-9]+"/></xs:restriction>
  </xs:simpleType>
  <xs:simpleType name="Beide"><xs:union memberTypes="Kurz Lang"/></xs:simpleType>
  <xs:simpleType name="Eine"><xs:restriction base="Beide"><xs:enumeration value="abgelehnt"/>
  </xs:restriction></xs:simpleType>
  <xs:element name="Root"><xs:complexType><xs:sequence>
    <xs:element name="Zu" type="Beide"/><xs:element name="Eng" type="Eine"/>
    <xs:element name="Offen"><xs:simpleType><xs:union memberTypes="Beide Code"/></xs:simpleType></xs:element>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>
"""
UNITED = [
    ("Zu", "abgelent", "expected one of bewilligt, vertagt, abgelehnt; did you mean 'abgelehnt'?"),
    ("Eng", "abgelent", "expected one of abgelehnt; did you mean 'abgelehnt'?"),
    ("Offen", "bewiligt", "expected a value that one of the union's types allows; did you mean 'bewilligt'?"),
]


@pytest.mark.parametrize(("name", "word", "said"), UNITED)
def test_a_word_of_a_union_is_suggested_like_one_of_a_list(
    content: Path, put: Put, name: str, word: str, said: str
) -> None:
    """Two lists that share a word, one of them made narrower, and one beside a pattern."""
    right = {"Zu": "vertagt", "Eng": "abgelehnt", "Offen": "AB-1"}
    rules = "".join(f"  - {{target: {one}, const: {word if one == name else right[one]}}}\n" for one in right)
    put("schemas/unionen/1/profile.xsd", UNIONS)
    head = HEAD.replace("antrag 1.0 Antrag", "unionen 1 Root").replace("name: antrag", "name: unionen")
    put(
        "mappings/outbound/unionen/mapping.yaml",
        head.replace("[case, decision, budget, message, proposal]", "[route]") + rules,
    )
    [found] = [one for one in check_mapping("unionen", content) if one.code == "KB-M14"]

    assert said in found.line()


def test_every_finding_names_its_line_and_its_rule(place: Check, sheet: Check, content: Path, put: Put) -> None:
    """Line 1 of a file says that nobody knows; a code host shows the finding where it stands."""
    codes: set[str] = set()
    warned: set[str] = set()
    for mistakes, check, correct in ((MISTAKES + MORE, place, ANTRAG), (IN_A_SHEET, sheet, SHEET)):
        for mistake in mistakes:
            text, _ = _edited(mistake, correct)
            found = check(text)
            codes |= {one.code for one in found}
            warned |= {one.code for one in _about_rules(found, text) if one.severity == "warning"}

            assert not [one.line() for one in found if (one.place.line, one.place.column) == (1, 1)]
            no_path = ("KB-M01", "'target' is missing", "no list of rules")
            nameless = [one.line() for one in _about_rules(found, text) if not one.rule]
            assert not [line for line in nameless if not any(why in line for why in no_path)]
    for name, example in EXAMPLES.items():
        file = put(f"mappings/outbound/antrag/examples/{name}", "")
        file.write_bytes(example if isinstance(example, bytes) else example.encode())
    place(ANTRAG)
    folders = [name.partition("/")[0] for name in EXAMPLES]
    found = check_whole("antrag", content)
    codes |= {one.code for one in found}

    assert not [one.line() for one in found if (one.place.line, one.place.column) == (1, 1)]
    assert all(any(f"/{name}/" in one.line() or f"'{name}'" in one.line() for one in found) for name in folders)
    assert CODES.keys() - codes == {"KB-M21", "KB-M25", "KB-M26"}
    assert warned <= ACCEPTABLE
    assert ACCEPTABLE - warned <= {
        "KB-M10",
        "KB-M11",
        "KB-M17",
        "KB-M21",
        "KB-M25",
    }  # warnings that other tests are about


@pytest.mark.parametrize("mistake", ONE_TYPING_ERROR, ids=lambda one: f"{one.code}: {one.new}")
def test_a_typing_error_is_one_finding(place: Check, mistake: Mistake) -> None:
    """Its echoes send people to places where nothing is wrong."""
    text, at = _edited(mistake, ANTRAG)

    assert [(one.code, f"{one.place.line}:{one.place.column}") for one in place(text)] == [(mistake.code, at)]
