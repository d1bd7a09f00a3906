"""The documents of a case: the same bytes every time, no applicant in them, and no letter that breaks them."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from kiezbruecke.documents import Document, Setting, documents_for, find_templates
from kiezbruecke.documents.letters import printable
from kiezbruecke.documents.sheets import euro
from kiezbruecke.records import Decision, Outcome, Proposal, Votes
from tests.crash_points import in_child
from tests.pdf_words import metadata_of, objects_of, pages_of, words_of

ROOT = Path(__file__).parents[2]
TEMPLATES = find_templates(ROOT)
CASE = UUID(int=7)
REFERENCE = "KK26-090517-00001-E1"
SETTING = Setting("Friedrichshagen", "Kiezkassen 2026", "Bezirksamt Musterbezirk", REFERENCE)
DIN_91379 = "Ǎ ǧ ḍ Ẹ ỹ ȟ ʒ ə Ł ł Ğ Þ þ Š Ṃ M̂ C̨̆ ẞ ʰ"
PROPOSAL = Proposal(
    source="meinberlin-tk",
    external_id="2026-00001",
    reference_number="2026-00001",
    process_id="kk-tk-2026",
    url="https://mein.example/vorschlaege/2026-00001/",
    title="Sommerfest am Müggelseedamm",
    description_text="Ein Fest für alle.",
    requested_amount=Decimal("1000.00"),
    created_at=datetime(2026, 2, 3, 10, tzinfo=UTC),
    creator_name="Erika Kanarienvogel",
)
DECISION = Decision(
    origin="0:5",
    sheet="beschluesse.xlsx",
    row=5,
    process_id="kk-tk-2026",
    area_id="090517",
    decided_on=date(2026, 3, 12),
    reference_number="2026-00001",
    title="Sommerfest am Müggelseedamm",
    outcome=Outcome.ACCEPTED_REDUCED,
    approved_amount=Decimal("850.00"),
    votes=Votes(yes=34, no=3),
    conditions="Lärmschutz beachten.",
    recorded_by="SPK 7",
)


def make(proposal: Proposal | None = PROPOSAL, decision: Decision = DECISION) -> tuple[Document, ...]:
    return documents_for(CASE, proposal, decision, SETTING, TEMPLATES)


def sheet(**changes: object) -> bytes:
    """The proposal's sheet with some fields changed."""
    return make(PROPOSAL.model_copy(update=changes))[0].content


def test_a_case_has_two_documents() -> None:
    """First the proposal, then the decision."""
    documents = make()

    assert [document.view.index for document in documents] == [1, 2]
    assert [document.view.title for document in documents] == [
        "Vorschlag 2026-00001",
        "Beschluss vom 12.03.2026 zu 2026-00001",
    ]
    assert [len(pages_of(document.content)) for document in documents] == [1, 1]


def test_a_document_is_for_the_archive_and_for_everybody() -> None:
    """PDF/A-2a and PDF/UA-1 in one file: what the message says of the format is what the file says of itself."""
    for document in make():
        said = metadata_of(document.content)

        assert "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>" in said
        assert document.view.pdf_version == "2a"
        assert "<pdfuaid:part>1</pdfuaid:part>" in said
        assert document.content.startswith(b"%PDF-1.7\n")


def test_a_document_says_what_it_is() -> None:
    """Title, office, language, day and keywords: found by a search, read aloud in the right language."""
    first, second = (metadata_of(document.content) for document in make())

    assert ">Vorschlag: Sommerfest am Müggelseedamm<" in first
    assert ">Beschluss: Sommerfest am Müggelseedamm<" in second
    assert "<rdf:li>Bezirksamt Musterbezirk</rdf:li>" in first
    assert "<rdf:li>de-DE</rdf:li>" in first
    assert f"<pdf:Keywords>2026-00001, {REFERENCE}, Friedrichshagen</pdf:Keywords>" in first
    assert "<xmp:CreateDate>2026-02-03T00:00:00Z</xmp:CreateDate>" in first
    assert "<xmp:CreateDate>2026-03-12T00:00:00Z</xmp:CreateDate>" in second


def test_a_document_can_be_heard() -> None:
    """Tagged: a heading, pairs of label and value, paragraphs – in the order of reading."""
    content = make()[1].content
    objects = objects_of(content)
    catalogue = next(body for body in objects.values() if b"/Type/Catalog" in body)
    kinds = re.findall(r"/Type/StructElem/S/(\w+)", "".join(body.decode("latin-1") for body in objects.values()))

    assert b"/MarkInfo<</Marked true" in catalogue
    assert b"/StructTreeRoot" in catalogue
    assert b"/Lang(de-DE)" in catalogue
    assert b"/DisplayDocTitle true" in catalogue
    assert kinds.count("H1") == 1
    assert kinds.count("Lbl") == kinds.count("LBody") == 11
    assert kinds.count("H2") == 1


def test_the_file_has_an_id_of_its_own() -> None:
    """xdomea: the UUID in the file's name is not the document's; it changes with the bytes, the document's stays."""
    before, after = make()[1].view, make(decision=DECISION.model_copy(update={"rank": 2}))[1].view

    assert before.id == after.id
    assert before.file != after.file
    assert str(before.id) not in before.file


def test_the_same_case_gives_the_same_bytes_in_another_process() -> None:
    """No clock, no random id, no order of a set: a retry and an audit see the same hash."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_documents as t; "
        "print(*(d.view.sha512 for d in t.make()))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code, str(Path(__file__).parent)],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "TZ": zone, "HOME": "/tmp"},
        ).stdout.strip()
        for seed, zone in (("0", "UTC"), ("1", "Asia/Tokyo"))
    }

    assert runs == {" ".join(document.view.sha512 for document in make())}


def test_a_child_of_a_process_that_has_set_type_can_do_it_too() -> None:
    """typst's threads do not survive a fork; without care the child would wait for them for ever."""
    here = [document.view.sha512 for document in make()]

    assert in_child(lambda: [document.view.sha512 for document in make()]) == here


def test_what_stands_on_the_sheets() -> None:
    """The fields that a clerk looks for, in German."""
    proposal, decision = (words_of(document.content) for document in make())

    for words in ("Sommerfest am Müggelseedamm", "Ein Fest für alle.", "1.000,00\u00a0€", "2026-00001"):
        assert words in proposal
    for words in ("12.03.2026", "angenommen (gekürzt)", "850,00", "Ja 34 · Nein 3", "Lärmschutz beachten."):
        assert words in decision
    assert "Beschlussliste\nbeschluesse.xlsx, Zeile 5" in decision
    assert "Erfasst von\nSPK 7" in decision
    for text in (proposal, decision):
        assert f"Fremdkennzeichen\n{REFERENCE}" in text
        assert "Dienststelle\nBezirksamt Musterbezirk" in text
        assert "Adresse (URL)\nhttps://mein.example/vorschlaege/2026-00001/" in text


def test_the_address_is_a_link() -> None:
    """To the platform, and to nothing but the web: an address comes from outside."""
    assert b"/URI(https://mein.example/vorschlaege/2026-00001/)" in make()[0].content
    for strange in ("javascript:alert(1)", "file:///etc/passwd", "https://a b", "www.example.org"):
        content = sheet(url=strange)

        assert b"/URI(" not in content
        assert strange in words_of(content)


def test_the_drucksache_stands_on_the_decisions_sheet() -> None:
    """Number and address from the decision sheet; only what is an address becomes a link."""
    named = DECISION.model_copy(update={"paper_reference": "X/0815", "paper_url": "https://bvv.example/4711"})
    strange = named.model_copy(update={"paper_url": "javascript:alert(1)"})
    content, other = (make(decision=one)[1].content for one in (named, strange))

    assert "Drucksache\nX/0815" in words_of(content)
    assert b"/URI(https://bvv.example/4711)" in content
    assert "javascript:alert(1)" in words_of(other)
    assert b"/URI(javascript" not in other
    assert "Drucksache" not in words_of(make()[1].content)


def test_what_is_not_known_has_no_row() -> None:
    """A label without a value makes people ask what is missing."""
    bare = DECISION.model_copy(update={"votes": Votes(), "conditions": "", "recorded_by": " "})
    text = words_of(make(None, bare)[1].content)

    for label in ("Abstimmung", "Rang", "Protokoll", "Berichtigung", "Auflagen", "Erfasst von", "Adresse (URL)"):
        assert f"\n{label}\n" not in text
    assert "\nErgebnis\n" in text


def test_the_applicant_is_not_named() -> None:
    """The recorder's sign stands on the sheet, the applicant comes with the application (canary)."""
    for document in make():
        assert "Kanarienvogel" not in words_of(document.content)
        assert b"Kanarienvogel" not in document.content


def test_a_paper_proposal_says_what_the_list_says() -> None:
    """It came by post or in the room: there is no record of it but the decision's line."""
    first = make(None, DECISION.model_copy(update={"reference_number": "P-1"}))[0]

    assert first.view.title == "Vorschlag P-1"
    assert "Sommerfest am Müggelseedamm" in words_of(first.content)
    assert "Nummer in der Beschlussliste\nP-1" in words_of(first.content)
    assert "beschluesse.xlsx, Zeile 5" in words_of(first.content)


def test_long_texts_take_more_pages() -> None:
    """A title of 10,000 characters and a long description (fault F32) still give a whole document."""
    content = sheet(title="Titel " * 1700, description_text="Ein Satz. " * 800)
    pages = pages_of(content)

    assert len(pages) > 3
    assert "Titel" in pages[0]
    assert f"Seite 2 von {len(pages)}" in pages[1]
    assert words_of(content).count("Titel") == 1700
    assert words_of(content).count("Ein Satz.") == 800


@pytest.mark.parametrize(
    ("word", "fitting"),
    [
        ("W" * 400, 48),
        ("https://x.example/" + "W" * 300, 60),
        ("wort\u00a0" * 80, 100),
        ("(https://" + "v" * 200 + ")", 82),
    ],
    ids=["letters", "address", "blanks that hold", "address in brackets"],
)
def test_a_word_longer_than_a_line_breaks(word: str, fitting: int) -> None:
    """Nothing runs off the sheet, in no field, and every letter is there."""
    text = words_of(sheet(title=word, description_text=word, labels=(word,)))
    pieces = [line for line in text.split("\n") if line and squeezed(line) in squeezed(word)]

    assert max(map(len, pieces)) <= fitting
    assert squeezed(text).count(squeezed(word)) == 3


def test_the_lines_of_a_description_stay_lines() -> None:
    """Paragraphs, lists and indents are what the resident wrote."""
    text = "Kosten:\n- Material 900 €\r\n-  Werkzeug\r\n\n  Dank im Voraus\u2028Kanu-Verein"

    shown = "Kosten:\n- Material 900 €\n-  Werkzeug\n  Dank im Voraus\nKanu-Verein"
    assert f"Beschreibung\n{shown}\n" in words_of(sheet(description_text=text))


def test_a_text_without_end_is_cut_and_says_so() -> None:
    """A million characters must not become a thousand pages."""
    for text in ("x " * 60_000, "\n" * 60_000 + "x", "y\n" * 3000):
        content = sheet(description_text=text)

        assert "Gekürzt: Der ganze Text hat" in words_of(content)
        assert len(pages_of(content)) < 40


def test_letters_of_din_91379_show() -> None:
    """All of Latin is in the font; what it lacks becomes a visible box."""
    assert "□" not in printable(DIN_91379)
    assert printable("中🎉\ue000\ud800") == "□□□□"
    assert printable("a\x00b\u202ec\td\r\ne") == "abc d\ne"


def test_strange_letters_leave_no_trace_in_logs(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """A title does not belong into a log, nor on the screen."""
    sheet(title="Erika 中国 🎉👍🏽 עברית العربية")

    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


MARKUP = (
    '#set page(width: 1cm) #eval("1") $x^2$ *fett* _kursiv_ `roh` @verweis <marke> [a] ]] {} // \\ /* - + "q" -- ...'
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(title=st.text(min_size=1, max_size=80), text=st.text(max_size=200))
@example(title=MARKUP, text=MARKUP)
@example(title="\u0000\ue000\ud800\u200b", text='/* \n*/ ]\n#import "x.typ"\n#panic()')
@example(title="שלום #x", text="العربية *a*")
@example(title="\u200b", text="\u0301")
def test_text_is_text(title: str, text: str) -> None:
    """Whatever residents write is shown as it is – no markup, no code, no letter lost – but what the font lacks."""
    found = squeezed(words_of(sheet(title=title, description_text=text)))
    for wanted in (squeezed(printable(title)), squeezed(printable(text))):
        if is_plain(wanted):
            assert wanted in found
        else:
            assert set(wanted) <= set(found)


def is_plain(text: str) -> bool:
    """From left to right and without marks that stand apart: else the order in the file is another one."""
    return not any(
        unicodedata.bidirectional(char) in ("R", "AL", "AN") or unicodedata.category(char).startswith("M")
        for char in text
    )


def squeezed(text: str) -> str:
    """Without blanks and line ends, which a sheet sets anew."""
    return "".join(text.split())


def test_money_is_written_as_people_write_it() -> None:
    """A point groups thousands, the space before the sign does not break."""
    assert euro(Decimal("1234567.80")) == "1.234.567,80\u00a0€"
    assert euro(None) == ""


def test_towers_of_marks_are_refused_by_records_and_cut_in_documents() -> None:
    """A description of 50,000 marks kept Unicode's own normaliser busy for ten seconds, and Typst for a minute."""
    tower = "a" + "\u0301\u0327" * 25_000
    began = time.monotonic()

    with pytest.raises(ValidationError, match="more marks than any language gives it"):
        Proposal.model_validate({**PROPOSAL.model_dump(), "description_text": tower})
    assert printable(f"{tower} Fest") == unicodedata.normalize("NFC", f"{tower[:5]}□ Fest")
    make(PROPOSAL.model_copy(update={"description_text": tower, "title": tower[:200]}))
    assert time.monotonic() - began < 10
