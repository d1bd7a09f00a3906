"""Open data go to everybody: of her words only the title that stands in public, of herself nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.canary.conftest import EVERYTHING, HERSELF, MAIL, NAME, PHONE, THE_CLERK, Aviary, her, write_her_words
from tests.effects.test_open_list import ROUTE, open_office
from tests.needles import files_of, hits

OTHER_WORDS = tuple(her(place) for place in ("description", "place", "label", "category", "feedback", "remark", "cell"))


@pytest.fixture
def publishing(aviary: Aviary, content: Path, monkeypatch: pytest.MonkeyPatch) -> Aviary:
    """Her district publishes; the content is a copy."""
    monkeypatch.setenv("KIEZBRUECKE_CONTENT", str(content))
    aviary.world.content = content
    open_office(aviary.world)
    return aviary


def published(aviary: Aviary) -> bytes:
    """Every byte that lies in the folder."""
    return b"\n\n".join(file.read_bytes() for file in files_of(aviary.world.state / "offen"))


def test_of_her_words_only_the_title_is_published(publishing: Aviary) -> None:
    """Everybody has read it on the platform; neither description nor place, no cell of a sheet, no clerk."""
    write_her_words(publishing)
    publishing.go()
    publishing.go(ROUTE)
    body = published(publishing)

    assert hits(body, (her("title"),))
    assert hits(body, (*HERSELF, *THE_CLERK, *OTHER_WORDS)) == set()
    assert publishing.leaks() == {}


@pytest.mark.parametrize("title", [f"Grillen, Fragen an {MAIL}", f"Grillen mit {NAME}, {PHONE}"])
def test_a_title_that_names_her_contact_is_withheld_whole(publishing: Aviary, title: str) -> None:
    publishing.change(name=title)
    publishing.go()
    publishing.go(ROUTE)
    body = published(publishing)

    assert b"Vorschlag 2026-00008" in body
    assert hits(body, EVERYTHING) == set()
