"""The documents of a case: the same bytes every time, nothing personal in them, and no letter that breaks them."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import zlib
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiezbruecke.documents import Document, documents_for, proposal_pdf
from kiezbruecke.documents.pdf import printable
from kiezbruecke.documents.sheets import euro
from kiezbruecke.records import Decision, Outcome, Proposal, Votes

CASE = UUID(int=7)
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
    recorded_by="Erika Kanarienvogel",
)


def make(proposal: Proposal | None = PROPOSAL, decision: Decision = DECISION) -> tuple[Document, ...]:
    return documents_for(CASE, proposal, decision, area_name="Friedrichshagen", process_name="Kiezkassen 2026")


def test_a_case_has_two_documents() -> None:
    """First the proposal, then the decision; both are PDF of the version that the message names."""
    documents = make()

    assert [document.view.index for document in documents] == [1, 2]
    assert [document.view.title for document in documents] == [
        "Vorschlag 2026-00001",
        "Beschluss vom 12.03.2026 zu 2026-00001",
    ]
    for document in documents:
        assert document.content.startswith(f"%PDF-{document.view.pdf_version}\n".encode())
        assert document.view.pdf_version == "1.4"
        assert document.content.count(b"/Type /Page\n") == 1


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
    here = Path(__file__)
    runs = {
        subprocess.run(
            [sys.executable, "-c", code, str(here.parent)],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(here.parents[2]), "TZ": zone, "HOME": "/tmp"},
        )
        .stdout.split()[0:2]
        .__repr__()
        for seed, zone in (("0", "UTC"), ("1", "Asia/Tokyo"))
    }

    assert runs == {repr([document.view.sha512 for document in make()])}


def test_what_stands_on_the_sheets() -> None:
    """The fields that a clerk looks for, in German."""
    proposal, decision = (text_of(document.content) for document in make())

    for words in ("Sommerfest am Müggelseedamm", "Ein Fest für alle.", "1.000,00", "2026-00001", "mein.example"):
        assert words in proposal
    for words in ("12.03.2026", "angenommen (gekürzt)", "850,00", "Ja 34 · Nein 3", "Lärmschutz beachten."):
        assert words in decision


def test_nobody_is_named() -> None:
    """Neither the applicant nor the clerk stands on a sheet (ADR 1, canary)."""
    for document in make():
        assert "Kanarienvogel" not in text_of(document.content)
        assert b"Kanarienvogel" not in document.content


def test_a_paper_proposal_says_what_the_sheet_says() -> None:
    """It came by post or in the room: there is no record of it but the decision's line."""
    first = make(None, DECISION.model_copy(update={"reference_number": "P-1"}))[0]

    assert first.view.title == "Vorschlag P-1"
    assert "Sommerfest am Müggelseedamm" in text_of(first.content)
    assert "beschluesse.xlsx, Zeile 5" in text_of(first.content)


def test_long_texts_take_more_pages() -> None:
    """A title of 10,000 characters and a long description (fault F32) still give a whole document."""
    long = PROPOSAL.model_copy(update={"title": "Titel " * 1700, "description_text": "Ein Satz. " * 800 + "W" * 400})
    content = proposal_pdf(long, "Friedrichshagen")

    assert content.count(b"/Type /Page\n") > 3
    assert "Seite 2 von" in text_of(content)


def test_a_text_without_end_is_cut_and_says_so() -> None:
    """A million characters must not become a thousand pages."""
    for text in ("x " * 60_000, "\n" * 60_000 + "x", "y\n" * 3000):
        content = proposal_pdf(PROPOSAL.model_copy(update={"description_text": text}), "Friedrichshagen")

        assert "Gekürzt: Der ganze Text hat" in text_of(content)
        assert content.count(b"/Type /Page\n") < 40


def test_letters_of_din_91379_show() -> None:
    """All of Latin is in the font; what it lacks becomes a visible box."""
    assert "□" not in printable(DIN_91379)
    assert printable("中🎉⁞") == "□□□"
    assert printable("a\x00b\u202ec\td\r\ne") == "abc d\ne"


def test_strange_letters_leave_no_trace_in_logs(caplog: pytest.LogCaptureFixture) -> None:
    """fpdf2 warns of missing glyphs and names them; a title does not belong into a log."""
    caplog.set_level(logging.INFO)
    proposal_pdf(PROPOSAL.model_copy(update={"title": "Erika 中国 🎉👍🏽 עברית العربية"}), "Friedrichshagen")

    assert caplog.records == []


def test_braces_are_text() -> None:
    """fpdf2 would replace `{nb}` by the number of pages."""
    assert "{nb}" in text_of(proposal_pdf(PROPOSAL.model_copy(update={"title": "Fest {nb}"}), "Friedrichshagen"))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(title=st.text(min_size=1, max_size=80), text=st.text(max_size=200))
def test_no_text_breaks_a_document(title: str, text: str) -> None:
    """Control characters, emoji, right to left, lone marks: a document comes out."""
    changed = PROPOSAL.model_copy(update={"title": title, "description_text": text})

    assert proposal_pdf(changed, "Friedrichshagen").endswith(b"%%EOF\n")


def test_money_is_written_as_people_write_it() -> None:
    """A point groups thousands, the space before the sign does not break."""
    assert euro(Decimal("1234567.80")) == "1.234.567,80\u00a0€"
    assert euro(None) == ""


_SHOWN = rb"\(((?:\\.|[^\\])*?)\) ?Tj"


def text_of(content: bytes) -> str:
    """The words of a PDF of ours: glyph codes back to letters through the font's own table."""
    raws = re.findall(rb"stream\n(.*?)\nendstream", content, re.DOTALL)
    streams = [zlib.decompress(raw) if raw.startswith(b"x\x9c") else raw for raw in raws]
    letters = _letters(streams)
    pages = (stream for stream in streams if b" Tf" in stream)
    return " ".join(_decoded(raw, letters) for page in pages for raw in re.findall(_SHOWN, page, re.DOTALL))


def _letters(streams: list[bytes]) -> dict[int, str]:
    table = next(stream for stream in streams if b"beginbfchar" in stream or b"beginbfrange" in stream)
    pairs = re.findall(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]+)>\n", table)
    return {int(code, 16): bytes.fromhex(letter.decode()).decode("utf-16-be") for code, letter in pairs}


def _decoded(raw: bytes, letters: dict[int, str]) -> str:
    plain = re.sub(rb"\\([()\\rn])", lambda found: {b"r": b"\r", b"n": b"\n"}.get(found[1], found[1]), raw)
    return "".join(letters.get(int.from_bytes(plain[i : i + 2], "big"), "?") for i in range(0, len(plain), 2))
