"""The search itself is tried: it finds a word in every form and place that it claims to look at."""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import quopri
import sqlite3
import unicodedata
import zipfile
import zlib
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from kiezbruecke.documents import find_templates
from kiezbruecke.documents.sample import samples
from tests.needles import hits, hits_in_file
from tests.world import ROOT

WORD = "Käthe Zwitscherfräulein"
FORMS = {
    "as it is": WORD.encode(),
    "upper case": WORD.upper().encode(),
    "lower case": WORD.lower().encode(),
    "NFD": unicodedata.normalize("NFD", WORD).encode(),
    "UTF-16": WORD.encode("utf-16"),
    "UTF-16, big end first": WORD.encode("utf-16-be"),
    "latin-1": WORD.encode("latin-1"),
    "UTF-8 read as latin-1": WORD.encode().decode("latin-1").encode(),
    "JSON": json.dumps({"a": WORD}).encode(),
    "JSON in JSON": json.dumps(json.dumps(WORD)).encode(),
    "repr of bytes": repr(WORD.encode()).encode(),
    "ascii()": ascii(WORD).encode(),
    "an address": quote(WORD).encode(),
    "a form": quote_plus(WORD).encode(),
    "an address in latin-1": quote(WORD, encoding="latin-1").encode(),
    "HTML": html.escape(WORD).encode(),
    "HTML, by number": WORD.encode("ascii", "xmlcharrefreplace"),
    "HTML, by hexadecimal number": WORD.replace("ä", "&#xE4;").encode(),
    "HTML, by name": WORD.replace("ä", "&auml;").encode(),
    "quoted-printable": quopri.encodestring(WORD.encode()),
    "quoted-printable over lines": quopri.encodestring(b"x" * 65 + WORD.encode(), quotetabs=True),
    "hexadecimal": WORD.encode().hex().encode(),
    **{f"base64 after {n}": base64.b64encode(b"x" * n + WORD.encode() + b"!") for n in range(3)},
    **{f"base64 of UTF-16 after {n}": base64.b64encode(b"x" * n + WORD.encode("utf-16-le")) for n in range(3)},
    "base64 for addresses": base64.urlsafe_b64encode(WORD.encode("latin-1")),
}


def _zip(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def _pdf(text: str) -> bytes:
    values, day = next(samples())
    return find_templates(ROOT).typeset("vorschlag", {**values, "title": text}, day)


PACKED = {
    "a ZIP": _zip({"a.txt": WORD.encode()}),
    "a name in a ZIP": _zip({f"{WORD}.txt": b""}),
    "a PDF in a ZIP in a ZIP": _zip({"inner.zip": _zip({"a.pdf": _pdf(WORD)})}),
    "half a ZIP": _zip({"a.txt": WORD.encode()})[:-30],
    "gzip": gzip.compress(WORD.encode()),
    "zlib": zlib.compress(WORD.encode()),
    "zlib in the middle": b"page" + zlib.compress(WORD.encode()) + b"page",
    "a ZIP in the middle": b"page" + _zip({"a.txt": WORD.encode()}) + b"page",
    "a ZIP in base64 in XML": b"<a>" + base64.b64encode(_zip({"a.txt": WORD.encode()})) + b"</a>",
}


@pytest.mark.parametrize("body", [*FORMS.values(), *PACKED.values()], ids=[*FORMS, *PACKED])
def test_a_word_is_found_in_every_form(body: bytes) -> None:
    """Whoever adds a form that something writes adds it here first."""
    assert hits(b"before " + body + b" after", [WORD]) == {WORD}
    assert hits(body, [WORD]) == {WORD}


def test_other_words_are_not_found() -> None:
    """A search that finds everything proves nothing."""
    others = b"".join(body for name, body in FORMS.items()).replace(b"x", b"")

    assert hits(others + _zip({"a.pdf": _pdf("Hochbeete")}), ["Hochbeetpatenschaft", "kaethe.canary"]) == set()


@pytest.mark.parametrize("pages", ["free", "log"])
def test_what_a_database_has_deleted_is_found_in_its_file(pages: str, tmp_path: Path) -> None:
    """A row that is gone stays in a free page, and in the log of the last writes."""
    with closing(sqlite3.connect(tmp_path / "a.db")) as database:
        if pages == "log":
            database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA secure_delete=OFF")
        database.execute("CREATE TABLE a (b TEXT)")
        database.execute("INSERT INTO a VALUES (?)", (WORD,))
        database.commit()
        database.execute("DELETE FROM a")
        database.commit()
        found = {file.name for file in tmp_path.iterdir() if hits_in_file(file, [WORD])}

        assert database.execute("SELECT count(*) FROM a").fetchone() == (0,)
    assert ("a.db-wal" if pages == "log" else "a.db") in found


def test_a_name_of_a_file_is_searched_too(tmp_path: Path) -> None:
    """Also as another system decomposes it."""
    file = tmp_path / f"{unicodedata.normalize('NFD', WORD)}.csv"
    file.touch()

    assert hits_in_file(file, [WORD]) == {WORD}
