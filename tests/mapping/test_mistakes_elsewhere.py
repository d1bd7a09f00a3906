"""Mistakes on purpose in mappings that work: the e-file, a payment, records of one's own, a strange schema.

Each is one finding before a message exists, with its rule, and at the line where ▸ stands (it is taken out before the
mapping is written).
"""

from __future__ import annotations

import re
from pathlib import Path
from shutil import copyfile, copytree
from typing import NamedTuple

import pytest

from kiezbruecke.mapping import Finding
from kiezbruecke.workbench.example_check import check_whole
from tests.own_sources import furnish
from tests.world import ROOT

FILE, PAYMENT = "case-xdomea-0401", "payment-pain"
BANK, ANSWER = "bank-zahlungsstatus", "answer-meinberlin"
AKTE = "akte"
LIKE, RECEIPT = "payment-hkr-file-f15z", "xdomea-0402"
NAMES = (FILE, PAYMENT, BANK, ANSWER, "rechnung", "lieferung", AKTE)
DATA = Path(__file__).parent / "data" / AKTE
PLACES = {
    "profile.xsd": "schemas/fremd/1/profile.xsd",
    "akte.schema.json": "schemas/json/akte.schema.json",
    "mapping.yaml": "mappings/outbound/akte/mapping.yaml",
}


class Mistake(NamedTuple):
    mapping: str
    old: str
    new: str
    code: str
    said: str  # part of the finding's line


MISTAKES = [
    Mistake(FILE, "from: case.title\n", "▸from: case.titel\n", "KB-M08", "did you mean 'title'?"),
    Mistake(FILE, "xdomeaUUID, from: case.id", "▸xdomeaUuid, from: case.id", "KB-M07", "did you mean 'xdomeaUUID'?"),
    Mistake(FILE, "each: case.documents", "▸each: decision.documents", "KB-M08", "has no field 'documents'"),
    Mistake(FILE, "as: document\n", "▸as: dokument\n", "KB-M08", "the rules below read 'document'"),
    Mistake(FILE, "        as: document\n", "", "KB-M03", "'each' and 'as' belong together"),
    Mistake(FILE, 'value: "0401"', '▸value: "0410"', "KB-M10", "did you mean '0401'?"),
    Mistake(FILE, "list: xdomea-medium", "▸list: xdomea-medien", "KB-M10", "did you mean 'xdomea-medium'?"),
    Mistake(FILE, "value: SHA-512", "▸value: SHA-521", "KB-M10", "did you mean 'SHA-512'?"),
    Mistake(FILE, "[collapse_space,", "▸[colapse_space,", "KB-M09", "did you mean 'collapse_space'?"),
    Mistake(FILE, "{clip: 200}", "▸{clip: 200 Zeichen}", "KB-M09", "such as {clip: 20}"),
    Mistake(FILE, "UUID, from: message.id", "UUID, ▸from: case.reference", "KB-M24", "'case.reference' in the example"),
    Mistake(FILE, "when: proposal.url", "▸when: proposal.ulr", "KB-M08", "did you mean 'url'?"),
    Mistake(FILE, "Feld[5]", "▸Feld[6]", "KB-M23", "no 'Schriftgutobjekt/Vorgang/AnwendungsspezifischeErweiterung/Fel"),
    Mistake(FILE, "from: message.created_at", "▸from: decision.decided_on", "KB-M14", "expected moment"),
    Mistake(FILE, 'message.test, equals: "true"', 'message.test, ▸equals: "ja"', "KB-M16", "expected true or false"),
    Mistake(FILE, "from: document.index", "▸from: document.title", "KB-M14", "expected integer"),
    Mistake(FILE, "- target: Dokument\n", "- ▸target: Dokumente\n", "KB-M07", "did you mean 'Dokument'?"),
    Mistake(FILE, "required: true\n        note: T", "▸requierd: true\n        note: T", "KB-M02", "'required'?"),
    Mistake(FILE, "required: true\n        note: T", "required: ▸yes\n        note: T", "KB-M03", "true or false"),
    Mistake(FILE, "Schriftgutobjekt/Vorgang\n", "▸Schriftgutobjekt/Vorgnag\n", "KB-M07", "did you mean 'Vorgang'?"),
    Mistake(FILE, 'taetigung\n    const: "1"', 'taetigung\n    ▸const: "ja"', "KB-M14", "expected 1 or 0"),
    Mistake(FILE, 'Typ, const: "1"', 'Typ, ▸const: "eins"', "KB-M14", "expected a whole number"),
    Mistake(FILE, "document.sha512", "▸document.sha256", "KB-M08", "did you mean 'sha512'?"),
    Mistake(FILE, "process.proposal_label", "▸proces.proposal_label", "KB-M08", "did you mean 'process'?"),
    Mistake(FILE, "route.filing.key", "▸route.filling.key", "KB-M21", "did you mean 'route.filing.key'?"),
    Mistake(FILE, "message, process, route]", "message, route]", "KB-M08", "name it under roots"),
    Mistake(
        FILE,
        "target: xdomea 4.0.0 Abgabe.Abgabe.0401",
        "▸target: xdomea 4.0.0 Abgabe.Abgabe.0410",
        "KB-M06",
        "did you mean 'Abgabe.Abgabe.0401'?",
    ),
    Mistake(FILE, "Algorithmus\n", "Algorithmen\n", "KB-M07", "did you mean 'Algorithmus'?"),
    Mistake(PAYMENT, "from: payment.due_on", "▸from: payment.reference", "KB-M14", "expected date"),
    Mistake(PAYMENT, "steps: [iban]", "steps: [bic]", "KB-M24", "step 'bic' cannot read 'payee.iban'"),
    Mistake(PAYMENT, "payment.amount,", "payment.amount, ▸steps: [cents],", "KB-M14", "leave the step out"),
    Mistake(PAYMENT, "RmtInf/Ustrd", "▸RmtInf/Ustr", "KB-M07", "did you mean 'Ustrd'?"),
    Mistake(PAYMENT, "from: payment.reference\n", "▸from: payment.key\n", "KB-M08", "has no field 'key'"),
    Mistake(PAYMENT, "roots: [payment, payee]", "roots: [payment]", "KB-M08", "name it under roots"),
    Mistake("rechnung", "buyer.address.city", "▸buyer.city", "KB-M08", "it stands in 'invoice.buyer.address.city'"),
    Mistake("rechnung", "from: batch.label", "▸from: line.label", "KB-M08", "'line' is no root"),
    Mistake("rechnung", "from: invoice.currency", "▸from: invoice.total", "KB-M14", "expected one of EUR, CHF"),
    Mistake("rechnung", "from: invoice.paid", "▸from: invoice.reminders", "KB-M14", "expected boolean"),
    Mistake("rechnung", "Preis, from: line.price", "Preis, ▸from: line.taxes.rate", "KB-M11", "many values"),
    Mistake("rechnung", "  - {target: Bezahlt, from: invoice.paid}\n", "", "KB-M12", "{target: Bezahlt, from: …}"),
    Mistake("rechnung", "source: json invoice", "▸source: json invoise", "KB-M08", "did you mean 'invoice'?"),
    Mistake(
        "rechnung", "Mahnungen, from: invoice.reminders", "Mahnungen, ▸from: invoice.notes", "KB-M11", "many values"
    ),
    Mistake("rechnung", "reminders}", "reminders, ▸when: {path: invoice.currency, equals: EURO}}", "KB-M16", "'EUR'?"),
    Mistake("rechnung", "- target: Kunde/Anschrift\n", "- ▸target: Kunde/Adresse\n", "KB-M07", "Name, Anschrift"),
    Mistake("rechnung", "roots: [invoice]", "roots: [invoise]", "KB-M08", "did you mean 'invoise'?"),
    Mistake("lieferung", "lieferung.@nr", "▸lieferung.nr", "KB-M08", "did you mean '@nr'?"),
    Mistake("lieferung", "kiste.Ware\n", "▸kiste.Waren\n", "KB-M08", "did you mean 'Ware'?"),
    Mistake("lieferung", "Summe/@waehrung", "▸Summe/waehrung", "KB-M07", "did you mean '@waehrung'?"),
    Mistake("lieferung", "target: Kunde/Name", "▸target: Kunde", "KB-M07", "expected one of Name, Anschrift"),
    Mistake("lieferung", "lieferung.Tag", "▸lieferung.Tag.Datum", "KB-M08", "expected 'lieferung.Tag' itself"),
    Mistake("lieferung", "{clip: 20}", "▸{clip: 40}", "KB-M14", "{clip: 20}"),
    Mistake(AKTE, "type: Amt", "▸type: Ammt", "KB-M07", "did you mean 'Amt'?"),
    Mistake(AKTE, "    type: Amt\n", "", "KB-M07", "it stands in the type Amt; say type: Amt in the block"),
    Mistake(AKTE, "equals: mail", "▸equals: email", "KB-M16", "did you mean 'mail'?"),
    Mistake(AKTE, "equals: mail", "▸equal: mail", "KB-M02", "did you mean 'equals'?"),
    Mistake(AKTE, "path: akte.reply", "▸path: akte.replay", "KB-M08", "did you mean 'reply'?"),
    Mistake(AKTE, "otherwise: true", "▸otherwise: yes", "KB-M03", "true or false"),
    Mistake(AKTE, "    otherwise: true\n", "", "KB-M17", "nothing keeps their rules apart"),
    Mistake(AKTE, "at_least: 1", "▸at_least: eins", "KB-M03", "'eins' is no count"),
    Mistake(AKTE, "at_least: 1", "▸atleast: 1", "KB-M02", "did you mean 'at_least'?"),
    Mistake(AKTE, "codelist: arten", "▸codelist: halb", "KB-M22", "no partner for 'k3'"),
    Mistake(AKTE, "codelist: arten", "▸codelist: artn", "KB-M10", "did you mean 'arten'?"),
    Mistake(AKTE, ", codelist: arten", "", "KB-M22", "a codelist gives each of them a partner"),
    Mistake(AKTE, "from: page.no", "▸from: page.index", "KB-M20", "no rule reads akte.pages.no"),
    Mistake(AKTE, "from: page.no", "▸from: akte.no", "KB-M08", "it stands in 'akte.pages.no'"),
    Mistake(AKTE, '{target: "@von"', "{▸target: von", "KB-M07", "did you mean '@von'?"),
    Mistake(AKTE, "from: page.year", "▸from: page.text", "KB-M14", "expected a year such as 2026"),
    Mistake(AKTE, "nil: true", "▸nill: true", "KB-M02", "did you mean 'nil'?"),
    Mistake(AKTE, "from: akte.office.sign", "▸from: akte.office", "KB-M14", "one of its fields: city, sign"),
    Mistake(AKTE, "from: akte.place.lon", "▸from: akte.lon", "KB-M08", "it stands in 'akte.place.lon'"),
    Mistake(AKTE, "when: akte.place\n", "▸when: akte.plaze\n", "KB-M08", "did you mean 'place'?"),
    Mistake(AKTE, "      - {target: y, from: akte.place.lat}\n", "", "KB-M12", "the mandatory 'Lage/y'"),
    Mistake(AKTE, "akte.zip, required: true", "▸akte.zip", "KB-M13", "say required: true"),
    Mistake(AKTE, "target: Lage\n", "▸target: Lage[2]\n", "KB-M11", "'Lage' without a number"),
    Mistake(AKTE, 'not_equals: "true"', '▸not_equals: "ja"', "KB-M16", "expected true or false"),
    Mistake(AKTE, "as: page\n", "▸as: seite\n", "KB-M08", "as: page; one name in both places"),
    Mistake(AKTE, "each: akte.pages\n", "▸each: akte.page\n", "KB-M08", "did you mean 'pages'?"),
    Mistake(AKTE, "from: akte.id", '▸const: "1a"', "KB-M14", "a name that begins with a letter or _"),
    Mistake(AKTE, "Nr, from: page.no", 'Nr, ▸const: "70000"', "KB-M14", "a whole number from 0 to 65535"),
    Mistake(AKTE, "Text, from: page.text", "Text, ▸form: page.text", "KB-M02", "did you mean 'from'?"),
    Mistake(AKTE, "Text, from: page.text", "Text, ▸from page.text", "KB-M02", "unknown key 'from page.text'"),
    Mistake(AKTE, "target: Ort,", "▸target: Stadt,", "KB-M07", "expected Ort, Zeichen"),
    Mistake(AKTE, "target: PLZ,", "▸target: Plz,", "KB-M07", "did you mean 'PLZ'?"),
    Mistake(AKTE, "source: json akte", "▸source: xml akte", "KB-M03", "is no source"),
    Mistake(AKTE, "  - {target: Kennung, from: akte.id}\n", "", "KB-M12", "{target: Kennung, from: …}"),
    Mistake(AKTE, "Kennung, from: akte.id", "Kennung", "KB-M03", "exactly one origin"),
    Mistake(AKTE, "Art, from: page.kind,", "Art,", "KB-M03", "exactly one origin"),
    Mistake(AKTE, "Vermerk, from: akte.remark,", "Vermerk,", "KB-M03", "exactly one origin"),
    Mistake(AKTE, "    each: akte.pages\n", "", "KB-M03", "'each' and 'as' belong together"),
    Mistake(AKTE, ", when: {path: akte.reply, equals: mail}", "", "KB-M03", "'otherwise' has no conditions above it"),
    Mistake(AKTE, "target: Mail,", "▸target: Mial,", "KB-M07", "did you mean 'Mail'?"),
    Mistake(AKTE, "- target: Post\n", "- ▸target: Psot\n", "KB-M07", "did you mean 'Post'?"),
    Mistake(AKTE, "target: Ort,", "▸target: PLZ,", "KB-M07", "it stands in 'Post/PLZ'"),
    Mistake(AKTE, "target: x,", "target: y,", "KB-M11", "a second rule for 'Lage/y'"),
    Mistake("rechnung", "target: Kunde/Name,", "▸target: Kunde/Nmae,", "KB-M07", "did you mean 'Name'?"),
    Mistake("rechnung", "  - {target: Kunde/Name, from: invoice.buyer.name}\n", "", "KB-M12", "'Kunde/Name'"),
    Mistake("rechnung", "target: Gesendet,", "target: Summe,", "KB-M11", "a second rule for 'Summe'"),
    Mistake(
        FILE,
        "Wert\n        from: decision.approved_amount",
        "Wert\n        form: decision.approved_amount",
        "KB-M02",
        "",
    ),
    Mistake(FILE, 'Feld[2]/Name"', 'Fled[2]/Name"', "KB-M07", "did you mean 'Feld'?"),
    Mistake(FILE, 'Feld[2]/Wert"', 'Fled[2]/Wert"', "KB-M07", "did you mean 'Feld'?"),
    Mistake(FILE, 'code: {list: xdomea-dateiformat, value: "044"}', "note: x", "KB-M03", "exactly one origin"),
    Mistake(LIKE, "target: unterkonto, omit", "▸target: unterkotno, omit", "KB-M05", "did you mean 'unterkonto'?"),
    Mistake(LIKE, "target: bezug, omit", "▸target: beuzg, omit", "KB-M05", "did you mean 'bezug'?"),
    Mistake(LIKE, "target: zweck, from", "▸target: zwcek, from", "KB-M07", "did you mean 'zweck'?"),
    Mistake(
        RECEIPT, "ImportBestaetigen.0402\n", "ImportBestaetigen.0420\n", "KB-M08", "'Abgabe.ImportBestaetigen.0402'?"
    ),
    Mistake(
        BANK, "  - {target: event, from: item.Status, codelist", "  - {target: event, codelist", "KB-M03", "one origin"
    ),
    Mistake(PAYMENT, "InstdAmt, from: payment.amount,", "InstdAmt,", "KB-M03", "exactly one origin"),
    Mistake(BANK, "from: item.Status\n", "▸from: item.Statuss\n", "KB-M21", "did you mean 'item.Status'?"),
    Mistake(BANK, "target: occurred_on", "▸target: occured_on", "KB-M07", "did you mean 'occurred_on'?"),
    Mistake(BANK, "reads: [zahlungsstatus]\n", "", "KB-M03", "'reads' is missing"),
    Mistake(BANK, "source: json\n", "▸source: xml\n", "KB-M03", "what the examples give it is JSON"),
    Mistake(BANK, "target: record Receipt", "▸target: record Reciept", "KB-M06", "did you mean 'Receipt'?"),
    Mistake(BANK, "codelist: bank-status-wirkung\n", "▸codelist: bank-status\n", "KB-M10", "do not fit 'outcome'"),
    Mistake(BANK, "[item, envelope]", "▸[item, envelop]", "KB-M08", "did you mean 'envelope'?"),
    Mistake(BANK, "[item, envelope]", "▸[item, envelope, case]", "KB-M08", "always empty here"),
    Mistake(BANK, "direction: inbound", "▸direction: outbound", "KB-M04", "is not 'inbound'"),
    Mistake(ANSWER, "target: json answer", "▸target: json answr", "KB-M06", "did you mean 'answer'?"),
    Mistake(ANSWER, "from: answer.before.status", "▸from: answer.befor.status", "KB-M08", "did you mean 'before'?"),
    Mistake(ANSWER, "codelist: meinberlin-antwort", "▸codelist: meinberlin-status", "KB-M24", "'meinberlin-status'"),
    Mistake(ANSWER, "target: cost, from: answer.amount", "target: cost, ▸from: answer.state", "KB-M14", "decimal"),
    Mistake(ANSWER, "{prefix: ", "▸{prefx: ", "KB-M09", "did you mean 'prefix'?"),
    Mistake(ANSWER, "target: lines, from", "▸target: line, from", "KB-M07", "did you mean 'lines'?"),
]


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What we ship, and beside it three mappings of records of one's own."""
    there = tmp_path_factory.mktemp("content")
    for folder in ("mappings", "schemas"):
        copytree(ROOT / folder, there / folder)
    for name, place in PLACES.items():
        (there / place).parent.mkdir(parents=True, exist_ok=True)
        copyfile(DATA / name, there / place)
    (there / "mappings/codelists/arten.csv").write_text("from;to\nk1;A\nk2;B\nk3;C\n", "utf-8")
    (there / "mappings/codelists/halb.csv").write_text("from;to\nk1;A\nk2;B\n", "utf-8")
    return furnish(there)


PARTS = {  # what is taken out or misspelt, each by itself
    "a rule": re.compile(r"^ +- \{[^\n]*\}\n", re.MULTILINE),
    "an origin": re.compile(r", from: [^,{}\n]+(?=[,}])"),
    "a list": re.compile(r"^ +each: [^\n]+\n", re.MULTILINE),
    "a letter of a target": re.compile(r"(?<=target: )[A-Z](?=[a-z]{3})"),
    "a letter of a source": re.compile(r"(?<=from: )[a-z](?=[\w.]{3})"),
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", ["rechnung", "lieferung", AKTE])
def test_whatever_is_missing_is_one_finding(content: Path, name: str, part: str) -> None:
    """Not only the mistakes that somebody thought of."""
    file = content / f"mappings/outbound/{name}/mapping.yaml"
    correct = file.read_text("utf-8")
    begin = correct.index("rules:")
    several = []
    try:
        for found in PARTS[part].finditer(correct, begin):
            file.write_text(correct[: found.start()] + correct[found.end() :], "utf-8")
            told = check_whole(name, content)
            several += [[found[0], *_shown(told)]] if len(told) > 1 else []
    finally:
        file.write_text(correct, "utf-8")

    assert several == []


def _shown(found: list[Finding]) -> list[str]:
    return [one.line() for one in found]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_correct_is_silent(content: Path, name: str) -> None:
    """Else the mistakes below would prove nothing."""
    assert _shown(check_whole(name, content)) == []


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: f"{one.mapping}: {one.new or one.old}")
def test_a_mistake_is_one_finding_at_its_line(content: Path, mistake: Mistake) -> None:
    """Nobody reads the second of eight findings."""
    [file] = (content / "mappings").glob(f"*bound/{mistake.mapping}/mapping.yaml")
    correct = file.read_text("utf-8")
    text = correct.replace(mistake.old, mistake.new, 1)
    line = text.partition("▸")[0].count("\n") + 1 if "▸" in text else 0
    try:
        file.write_text(text.replace("▸", ""), "utf-8")
        found = check_whole(mistake.mapping, content)
    finally:
        file.write_text(correct, "utf-8")

    assert text != correct
    assert [one.code for one in found] == [mistake.code], _shown(found)
    assert mistake.said in found[0].line(), _shown(found)
    assert found[0].rule or found[0].place.line <= correct[: correct.index("rules:")].count("\n"), _shown(found)
    assert found[0].place.line == line or not line or mistake.code == "KB-M20", _shown(found)
