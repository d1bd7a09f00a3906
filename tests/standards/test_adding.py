"""`schemas add`: a schema that nobody has seen comes into the store whole and compiled, or not at all."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kiezbruecke.cli.schemas import app
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.standards import store

XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'


@pytest.fixture
def content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty content root with a store of its own."""
    monkeypatch.setenv("KIEZBRUECKE_SCHEMA_STORE", str(tmp_path / "store"))
    monkeypatch.delenv("KIEZBRUECKE_OFFICIAL", raising=False)
    for folder in ("mappings/routes", "schemas"):
        (tmp_path / "content" / folder).mkdir(parents=True)
    return tmp_path / "content"


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """A folder as somebody has downloaded it: one schema imports the other by an address."""
    folder = tmp_path / "given"
    (folder / "common").mkdir(parents=True)
    link = '<xs:import namespace="urn:b" schemaLocation="https://x.invalid/y/b.xsd"/>'
    (folder / "a.xsd").write_text(_schema("a", link + '<xs:element name="Root" type="b:T"/>'))
    (folder / "common" / "b.xsd").write_text(
        _schema("b", '<xs:simpleType name="T"><xs:restriction base="xs:int"/></xs:simpleType>')
    )
    return folder


def test_a_folder_is_taken_with_its_manifest(content: Path, given: Path) -> None:
    """Entries are the files that no other one needs; what people alone know says so."""
    manifest = store.add(content, given, "probe", "1.0")

    assert (manifest.entries, set(manifest.files), manifest.namespace) == (("a.xsd",), {"a.xsd", "b.xsd"}, "urn:a")
    assert manifest == store.manifest(content, "probe", "1.0")
    assert manifest.licence == "unknown, please complete"
    store.validate(content, "probe", "1.0", b'<Root xmlns="urn:a">1</Root>')


def test_a_file_brings_what_it_needs_and_no_more(content: Path, given: Path) -> None:
    """Its folder may hold other schemas, and what it needs may lie where the location leads."""
    (given / "other.xsd").write_text(_schema("c", ""))
    (given / "a.xsd").write_text((given / "a.xsd").read_text().replace("https://x.invalid/y/b.xsd", "common/b.xsd"))

    assert set(store.add(content, given / "a.xsd", "probe", "1.0").files) == {"a.xsd", "b.xsd"}


def test_a_zip_is_as_good(content: Path, given: Path, tmp_path: Path) -> None:
    """Publishers pack folders into it."""
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", given)

    assert set(store.add(content, Path(packed), "probe", "1.0").files) == {"a.xsd", "b.xsd"}


def test_a_missing_import_says_who_needs_it(content: Path, given: Path) -> None:
    """File, line, what is expected, where to get it – and nothing was taken."""
    (given / "common" / "b.xsd").unlink()

    with pytest.raises(ConfigurationError, match=r"given/a\.xsd:1.*urn:b.*https://x\.invalid/y/b\.xsd"):
        store.add(content, given, "probe", "1.0")
    assert not list((content / "schemas").iterdir())


def test_no_schema_is_told(content: Path, tmp_path: Path) -> None:
    """An empty folder, another XML, a document type, a broken type: one line each."""
    folder = tmp_path / "bad"
    folder.mkdir()
    bad = {
        "holds no XSD": "",
        "'x.xsd' holds no schema": "<a/>",
        "'x.xsd': the schema has a document type": "<!DOCTYPE a><a/>",
        "'x.xsd': the schema is not XML": "<a",
        "does not compile": _schema("a", '<xs:element name="A" type="a:Nowhere"/>'),
    }
    for message, text in bad.items():
        if text:
            (folder / "x.xsd").write_text(text)
        with pytest.raises(ConfigurationError, match=message):
            store.add(content, folder, "probe", "1.0")

    assert not list((content / "schemas").iterdir())


def test_a_zip_that_leads_elsewhere_is_refused(content: Path, tmp_path: Path) -> None:
    """Names from outside never become paths."""
    file = tmp_path / "bad.zip"
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("../evil.xsd", _schema("a", ""))

    with pytest.raises(ConfigurationError, match="anderen Ordner"):
        store.add(content, file, "probe", "1.0")


def test_two_files_of_one_name_are_refused(content: Path, given: Path) -> None:
    """All files lie side by side; which of both is meant is nobody's to guess."""
    (given / "common" / "a.xsd").write_text(_schema("z", ""))

    with pytest.raises(ConfigurationError, match=r"2 different files named 'a\.xsd'"):
        store.add(content, given, "probe", "1.0")


def test_other_files_of_one_version_need_force(content: Path, given: Path) -> None:
    """A version that changes silently would be another standard."""
    store.add(content, given, "probe", "1.0")
    store.add(content, given, "probe", "1.0")
    (given / "common" / "b.xsd").write_text(
        _schema("b", '<xs:simpleType name="T"><xs:restriction base="xs:date"/></xs:simpleType>')
    )

    with pytest.raises(ConfigurationError, match="already there"):
        store.add(content, given, "probe", "1.0")
    assert store.add(content, given, "probe", "1.0", force=True) == store.manifest(content, "probe", "1.0")
    store.validate(content, "probe", "1.0", b'<Root xmlns="urn:a">2026-01-31</Root>')


@pytest.mark.parametrize(("standard", "version"), [("../x", "1"), ("x", ".."), ("a/b", "1"), ("", "1")])
def test_names_stay_names(content: Path, given: Path, standard: str, version: str) -> None:
    """They become folders."""
    with pytest.raises(ConfigurationError, match="no name of a"):
        store.add(content, given, standard, version)


def test_the_command_lists_what_a_target_may_name(content: Path, given: Path) -> None:
    """The next line that an integrator writes is on the screen."""
    done = CliRunner().invoke(
        app, ["add", str(given), "--standard", "pr.obe", "--version", "001.09", "--content", str(content)]
    )
    wrong = CliRunner().invoke(
        app, ["add", str(given / "no"), "--standard", "p", "--version", "1", "--content", str(content)]
    )

    assert done.exit_code == 0
    assert "target: pr.obe 001.09 Root" in done.stdout
    assert wrong.exit_code == 2


def _schema(name: str, body: str) -> str:
    return f'<xs:schema {XS} xmlns:a="urn:a" xmlns:b="urn:b" targetNamespace="urn:{name}">{body}</xs:schema>'
