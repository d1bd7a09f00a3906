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
    """An empty folder, another XML, a broken one, a broken type: one line each, with file and line."""
    folder = tmp_path / "bad"
    folder.mkdir()
    bad = {
        "holds no XSD": "",
        r"x\.xsd:1: holds no schema": "<a/>",
        r"x\.xsd:2: the schema is not XML": "<a>\n<",
        r"x\.xsd:1: the schema does not compile": _schema("a", '<xs:element name="A" type="a:Nowhere"/>'),
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


@pytest.mark.parametrize("way", ["neighbour", "absolute", "link"])
def test_nothing_outside_of_the_folder_is_read(content: Path, given: Path, way: str) -> None:
    """Whoever writes a location must not choose which of our files are copied into the store."""
    (given / "main").mkdir()
    outside = given / "common" / "b.xsd"
    location = {"neighbour": "../common/b.xsd", "absolute": str(outside), "link": "inner.xsd"}[way]
    if way == "link":
        (given / "main" / "inner.xsd").symlink_to(outside)
    text = (given / "a.xsd").read_text().replace("https://x.invalid/y/b.xsd", location)
    (given / "main" / "a.xsd").write_text(text)
    (given / "a.xsd").unlink()

    told = rf"main/a\.xsd:1: the import of '{location}' leads out.*expected a file below .*main; .*--entry main/a\.xsd"
    with pytest.raises(ConfigurationError, match=told):
        store.add(content, given / "main" / "a.xsd", "probe", "1.0")
    assert not list((content / "schemas").iterdir())


def test_a_link_that_leads_out_of_a_folder_is_not_followed(content: Path, given: Path, tmp_path: Path) -> None:
    """A folder from elsewhere may hold links; nor are they found by their namespace."""
    outside = tmp_path / "b.xsd"
    (given / "common" / "b.xsd").rename(outside)
    (given / "c.xsd").symlink_to(outside)

    with pytest.raises(ConfigurationError, match=r"given/c\.xsd: the symbolic link leads out of the folder"):
        store.add(content, given, "probe", "1.0")
    with pytest.raises(ConfigurationError, match=r"urn:b.*is not there|is not there.*urn:b"):
        store.add(content, given / "a.xsd", "probe", "1.0")


def test_the_folder_that_holds_both_helps_with_its_entry(content: Path, given: Path) -> None:
    """As the refusal says; what the entry does not need may have any name twice, what it needs may not."""
    (given / "main").mkdir()
    text = (given / "a.xsd").read_text().replace("https://x.invalid/y/b.xsd", "../common/b.xsd")
    (given / "main" / "a.xsd").write_text(text)
    (given / "a.xsd").unlink()
    for number, folder in enumerate(("main", "common")):
        (given / folder / "other.xsd").write_text(_schema(f"other-{number}", ""))

    assert set(store.add(content, given, "probe", "1.0", entries=["a.xsd"]).files) == {"a.xsd", "b.xsd"}
    (given / "main" / "b.xsd").write_text(_schema("b", ""))
    with pytest.raises(ConfigurationError, match=r"2 different files named 'b\.xsd'"):
        store.add(content, given, "probe", "2.0", entries=["a.xsd"])
    taken = store.add(content, given, "probe", "2.0", entries=["main/a.xsd"])

    assert (set(taken.files), taken.entries) == ({"a.xsd", "b.xsd"}, ("a.xsd",))
    store.validate(content, "probe", "2.0", b'<Root xmlns="urn:a">1</Root>')


def test_an_entry_by_its_path_follows_its_locations_alone(content: Path, given: Path) -> None:
    """Two files of one name that it needs are refused, as is a path out of the folder or to nowhere."""
    (given / "other").mkdir()
    both = '<xs:import namespace="urn:b" schemaLocation="common/b.xsd"/><xs:include schemaLocation="other/b.xsd"/>'
    (given / "a.xsd").write_text(_schema("a", both))
    (given / "other" / "b.xsd").write_text(_schema("a", ""))
    (given.parent / "a.xsd").write_text(_schema("a", ""))
    told = {
        "./a.xsd": r"2 different files named 'b\.xsd'",
        "../a.xsd": "there is no '../a.xsd'",
        "common/none.xsd": "there is no 'common/none.xsd'",
    }

    for entry, words in told.items():
        with pytest.raises(ConfigurationError, match=words):
            store.add(content, given, "probe", "1.0", entries=[entry])


def test_a_name_that_no_disk_takes_is_told_in_one_line(content: Path, tmp_path: Path) -> None:
    """A ZIP may hold names of 65,535 bytes, and a location may name them."""
    file = tmp_path / "long.zip"
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr(f"{'n' * 300}.xsd", _schema("a", ""))
    (tmp_path / "a.xsd").write_text(_schema("a", f'<xs:include schemaLocation="{"n" * 300}.xsd"/>'))

    with pytest.raises(ConfigurationError, match=r"'nnn.*cannot be stored: File name too long"):
        store.add(content, file, "probe", "1.0")
    with pytest.raises(ConfigurationError, match=r"the include of 'nnn.*is not there"):
        store.add(content, tmp_path / "a.xsd", "probe", "1.0")


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


@pytest.mark.parametrize(
    ("origin", "entries", "word"),
    [
        (store.SchemaOrigin(title="Andere Probe"), (), "title"),
        (store.SchemaOrigin(licence="frei"), (), "licence"),
        (store.SchemaOrigin(), ("b.xsd", "a.xsd"), "entry"),
    ],
)
def test_another_word_on_what_is_there_is_not_dropped(
    content: Path, given: Path, origin: store.SchemaOrigin, entries: tuple[str, ...], word: str
) -> None:
    """The command said that all was well and kept the old manifest; what nobody names stays as somebody wrote it."""
    store.add(content, given, "probe", "1.0", origin=store.SchemaOrigin(title="Probe"))
    file = content / "schemas/probe/1.0/manifest.yaml"
    file.write_text(file.read_text().replace("publisher: unknown, please complete", "publisher: wir"))
    before = file.read_text()

    with pytest.raises(ConfigurationError, match=f"already there, with another {word}.*--force"):
        store.add(content, given, "probe", "1.0", origin=origin, entries=entries)
    assert store.add(content, given, "probe", "1.0").title == "Probe"
    assert file.read_text() == before
    store.add(content, given, "probe", "1.0", origin=origin, entries=entries, force=True)
    now = store.manifest(content, "probe", "1.0")
    assert now is not None
    assert (now.title, now.licence, now.entries, now.publisher) == (
        origin.title or "Probe",
        origin.licence,
        entries or ("a.xsd",),
        "wir",
    )


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


def test_the_command_says_that_types_alone_are_no_target(content: Path, tmp_path: Path) -> None:
    """Success without a word leaves the integrator looking for a target that is not there."""
    file = tmp_path / "types.xsd"
    kind = '<xs:simpleType name="T"><xs:restriction base="xs:string"/></xs:simpleType>'
    file.write_text(f"<xs:schema {XS}>{kind}</xs:schema>")
    command = ["add", str(file), "--standard", "types", "--version", "1", "--content", str(content)]
    done = CliRunner().invoke(app, command)

    assert done.exit_code == 0
    assert "target: " not in done.stdout.replace("no target: ", "")
    assert "no target: it declares types and no global element" in done.stdout


def _schema(name: str, body: str) -> str:
    return f'<xs:schema {XS} xmlns:a="urn:a" xmlns:b="urn:b" targetNamespace="urn:{name}">{body}</xs:schema>'


@pytest.mark.parametrize(
    ("name", "location"),
    [
        ("meine typen.xsd", "meine%20typen.xsd"),
        ("typen.xsd", "  typen.xsd\n "),
        ("Straße.xsd", "Stra%C3%9Fe.xsd"),
        ("Straße.xsd", "https://x.invalid/a/Stra%c3%9fe.xsd"),
    ],
)
def test_a_location_is_the_address_that_it_means(content: Path, tmp_path: Path, name: str, location: str) -> None:
    """xs:anyURI: blanks around it are nothing, and percent signs spell what a URI cannot hold."""
    folder = tmp_path / "given"
    folder.mkdir()
    kind = '<xs:simpleType name="T"><xs:restriction base="xs:int"/></xs:simpleType>'
    (folder / name).write_text(_schema("a", kind), "utf-8")
    (folder / "a.xsd").write_text(
        _schema("a", f'<xs:include schemaLocation="{location}"/><xs:element name="Root" xmlns="urn:a" type="T"/>')
    )

    for source in (folder, folder / "a.xsd"):
        assert set(store.add(content, source, "probe", "1.0").files) == {"a.xsd", name}
    store.validate(content, "probe", "1.0", b'<Root xmlns="urn:a">1</Root>')


@pytest.mark.parametrize("location", ["..%2F..%2Fsecret.xsd", "%2e%2e/secret.xsd", "..%5Csecret.xsd", "%00secret.xsd"])
def test_a_spelled_out_path_leads_out_of_no_folder(content: Path, tmp_path: Path, location: str) -> None:
    """What is decoded is a name again, not a path."""
    (tmp_path / "secret.xsd").write_text(_schema("a", ""))
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (folder / "a.xsd").write_text(_schema("a", f'<xs:include schemaLocation="{location}"/>'))

    for source in (folder, folder / "a.xsd"):
        with pytest.raises(ConfigurationError, match=r"is not there|leads out"):
            store.add(content, source, "probe", "1.0")


def test_an_import_that_names_nobody_is_legal(content: Path, tmp_path: Path) -> None:
    """XSD 1.0, 4.2.3: both attributes may be absent."""
    (tmp_path / "a.xsd").write_text(_schema("a", '<xs:import/><xs:element name="Root" type="xs:int"/>'))

    store.add(content, tmp_path / "a.xsd", "probe", "1.0")
    store.validate(content, "probe", "1.0", b'<Root xmlns="urn:a">1</Root>')
