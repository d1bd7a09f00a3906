"""Zuwendungsbescheid and Auszahlungsanordnung: drafts for a person to sign, in PDF/A and PDF/UA, of a made-up case."""

from __future__ import annotations

import re
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kiezbruecke.documents import NOTICE, ORDER, find_templates
from kiezbruecke.documents.sample import samples_of
from kiezbruecke.errors import ConfigurationError
from tests.pdf_words import words_of

ROOT = Path(__file__).parents[2]


def typeset(part: str, values: dict[str, Any], day: date) -> bytes:
    return find_templates(ROOT).typeset(part, values, day)


def said(part: str, **changes: str) -> str:
    """The words of the full sample, some of its values changed."""
    values, day = next(samples_of(part))
    key = {NOTICE: "grant", ORDER: "order"}[part]
    return " ".join(words_of(typeset(part, {**values, key: {**values[key], **changes}}, day)).split())


@pytest.mark.parametrize("part", [NOTICE, ORDER])
def test_what_we_ship_sets_full_and_bare_cases(part: str) -> None:
    """Without an error or a warning; same values, same bytes; PDF/A-2a and PDF/UA-1 as the other documents."""
    find_templates(ROOT).check(part)
    for values, day in samples_of(part):
        pdf = typeset(part, values, day)
        assert pdf == typeset(part, values, day)
        assert b"<pdfaid:part>2</pdfaid:part>" in pdf
        assert b"<pdfaid:conformance>A</pdfaid:conformance>" in pdf
        assert b"<pdfuaid:part>1</pdfuaid:part>" in pdf


@pytest.mark.parametrize("part", [NOTICE, ORDER])
def test_every_page_says_that_it_is_a_draft(part: str) -> None:
    """The middleware decides nothing: at the head, in a frame, and at the foot of each page."""
    words = said(part)

    assert words.startswith("Kiezkassen 2026 ENTWURF · ")
    assert "Entwurf: Dieses Blatt" in words
    assert words.count("Entwurf der Kiezbrücke") == len(re.findall(r"Seite \d von \d", words)) > 0


def test_the_notice_says_what_is_granted_and_what_is_owed() -> None:
    """The sum, the purpose, the deadlines of the process, the way to object."""
    words = said(NOTICE)

    assert "„Sommerfest“ eine Zuwendung in Höhe von 850,00 € als einmaligen Zuschuss" in words
    assert "Beschluss der Versammlung vom 12.03.2026" in words
    assert "innerhalb von 2 Monaten nach der Auszahlung zu verwenden" in words
    assert "innerhalb von 6 Monaten nach der Auszahlung vorzulegen" in words
    assert "Lärmschutz beachten." in words
    assert "Widerspruch zulässig" in words


def test_an_order_has_three_places_to_sign_and_no_one_has_signed() -> None:
    """Sachlich, rechnerisch, angeordnet; the sum, the place in the budget, the numbers under which HKR finds it."""
    words = said(ORDER)

    for word in ("Sachlich richtig", "Rechnerisch richtig", "Angeordnet", "850,00 €", "3300/68406", "11050001"):
        assert word in words
    assert "Fällig am 11.05.2026" in words


@pytest.mark.parametrize("part", [NOTICE, ORDER])
def test_the_account_is_masked(part: str) -> None:
    """What is known here is the hint alone; a whole IBAN has no way into the values."""
    words = said(part)

    assert "DE89…3000" in words
    assert re.search(r"\b[A-Z]{2}\d{2}(?: ?\w{4}){3,}", words) is None


def test_a_text_of_theirs_stays_text() -> None:
    """No markup of an applicant is read."""
    assert "#panic() *Verein*" in said(NOTICE, applicant="#panic() *Verein*")


def test_a_district_without_these_papers_is_told_so(tmp_path: Path) -> None:
    """Its folder may have only the documents of a case; nothing else of it stops."""
    home = tmp_path / "mappings" / "documents" / "kiezkasse"
    shutil.copytree(ROOT / "mappings" / "documents" / "kiezkasse", home)
    (home / "bescheid.typ").unlink()
    templates = find_templates(tmp_path)

    templates.check("beschluss")
    with pytest.raises(ConfigurationError, match=r"bescheid\.typ: the template is missing"):
        templates.check(NOTICE)
