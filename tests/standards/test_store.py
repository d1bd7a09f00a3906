"""The store takes official files only after every digest was checked, and never asks the network."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kiezbruecke.cli.schemas import app
from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.standards import store, zips
from kiezbruecke.standards.install import put


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A content with one made-up standard of two files, the second imported by an absolute address."""
    folder = tmp_path / "content" / "schemas" / "probe" / "1.0"
    folder.mkdir(parents=True)
    (tmp_path / "content" / "mappings" / "routes").mkdir(parents=True)
    digests = "\n".join(f"  {name}: {_digest(text)}" for name, text in _texts().items())
    (folder / "manifest.yaml").write_text(
        "standard: probe\nversion: '1.0'\ntitle: Probe\nnamespace: urn:probe\npublisher: wir\n"
        f"place: nirgends\nlicence: frei\nentries: [a.xsd]\nfiles:\n{digests}\n"
    )
    (folder / "profile.xsd").write_text(_texts()["a.xsd"].replace(_IMPORT, ""))
    monkeypatch.setenv("KIEZBRUECKE_SCHEMA_STORE", str(tmp_path / "store"))
    monkeypatch.delenv("KIEZBRUECKE_OFFICIAL", raising=False)
    return tmp_path / "content"


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    """The two official files, as somebody has downloaded them."""
    folder = tmp_path / "downloads" / "some" / "where"
    folder.mkdir(parents=True)
    for name, text in _texts().items():
        (folder / name).write_text(text)
    return tmp_path / "downloads"


def test_two_who_install_at_once_leave_one_whole_set(tmp_path: Path) -> None:
    """Two people, or two containers with one store: neither fails, and no set is made of both."""
    folder = tmp_path / "probe" / "1.0"

    def install(number: int) -> None:
        put({name: str(number).encode() for name in ("a.xsd", "b.xsd")}, folder)

    with ThreadPoolExecutor(4) as people:
        list(people.map(install, range(40)))

    assert {file.name for file in folder.iterdir()} == {"a.xsd", "b.xsd"}
    assert len({file.read_bytes() for file in folder.iterdir()}) == 1
    assert [one.name for one in folder.parent.iterdir()] == ["1.0"]


def test_a_fresh_machine_holds_only_profiles(small: Path) -> None:
    """Nobody must find official files before anything works."""
    held = store.installed(small)

    assert [(item.standard, item.profile, item.official) for item in held] == [("probe", True, "")]
    assert store.official(small, "probe", "1.0") is None
    store.validate(small, "probe", "1.0", b'<m xmlns="urn:probe">x</m>')


def test_installing_takes_files_from_any_folder(small: Path, downloads: Path) -> None:
    """Publishers pack their files differently; name and digest decide."""
    first = store.install(small, downloads)
    second = store.install(small, downloads)

    assert [item.status for item in first] == ["installed"]
    assert [item.status for item in second] == ["already there"]
    assert [(item.official, item.intact) for item in store.installed(small)] == [("store", True)]


def test_installing_takes_a_zip(small: Path, tmp_path: Path) -> None:
    """A ZIP with folders in it is as good as a folder."""
    archive = tmp_path / "probe.zip"
    archive.write_bytes(zips.write([(f"probe/{name}", text.encode()) for name, text in _texts().items()]))

    assert [item.status for item in store.install(small, archive)] == ["installed"]


def test_an_older_set_stands_until_the_new_one_does(
    small: Path, downloads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Removing it takes a while: whoever validated in it found no official files, and passed what they forbid."""
    store.install(small, downloads)
    folder = store.official(small, "probe", "1.0")
    assert folder is not None
    (folder / "b.xsd").write_text("<changed/>")
    stood = []
    remove = shutil.rmtree

    def removed(path: Path, *rest: object, **options: object) -> None:
        remove(path, *rest, **options)  # type: ignore[arg-type]
        stood.append((folder / "b.xsd").is_file())

    monkeypatch.setattr(shutil, "rmtree", removed)
    store.install(small, downloads)

    assert set(stood) == {True}
    assert store.installed(small)[0].intact
    assert [path.name for path in folder.parent.iterdir()] == ["1.0"]


def test_an_older_set_comes_back_where_the_new_one_cannot_stand(
    small: Path, downloads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full or broken disk must not cost what was there."""
    store.install(small, downloads)
    folder = store.official(small, "probe", "1.0")
    assert folder is not None
    (folder / "b.xsd").write_text("<changed/>")
    rename = Path.rename

    def fails_once(self: Path, target: Path) -> Path:
        if target == folder:
            monkeypatch.setattr(Path, "rename", rename)
            raise OSError("no space")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails_once)
    with pytest.raises(OSError, match="no space"):
        store.install(small, downloads)

    assert (folder / "b.xsd").read_text() == "<changed/>"
    assert [path.name for path in folder.parent.iterdir()] == ["1.0"]


def test_one_wrong_digest_and_nothing_is_installed(small: Path, downloads: Path) -> None:
    """The error names the file; half a standard would be worse than none."""
    (downloads / "some/where/b.xsd").write_text("<changed/>")

    with pytest.raises(ConfigurationError, match=r"b\.xsd"):
        store.install(small, downloads)

    assert store.official(small, "probe", "1.0") is None


def test_a_missing_file_is_reported(small: Path, downloads: Path) -> None:
    """An incomplete set is not installed, and the report says what is missing."""
    (downloads / "some/where/b.xsd").unlink()

    done = store.install(small, downloads)

    assert (done[0].status, done[0].missing) == ("incomplete", ("b.xsd",))
    assert store.official(small, "probe", "1.0") is None


def test_a_source_without_official_files_is_refused(small: Path, tmp_path: Path) -> None:
    """Somebody gave the wrong folder."""
    (tmp_path / "empty").mkdir()

    with pytest.raises(ConfigurationError, match="no official file"):
        store.install(small, tmp_path / "empty")


def test_no_file_no_zip(small: Path, tmp_path: Path) -> None:
    """A path that is not there, or is no ZIP, is told in one line."""
    (tmp_path / "a.zip").write_bytes(b"no zip")

    for source in (tmp_path / "nowhere", tmp_path / "a.zip"):
        with pytest.raises(ConfigurationError, match="a folder or a ZIP"):
            store.install(small, source)


def test_an_installed_schema_is_used_besides_the_profile(small: Path, downloads: Path) -> None:
    """The official schema of the probe is stricter than its profile."""
    payload = b'<m xmlns="urn:probe">much too long</m>'
    (small / "schemas/probe/1.0/profile.xsd").write_text(_schema('<xs:element name="m" type="xs:string"/>'))
    store.validate(small, "probe", "1.0", payload)
    store.install(small, downloads)

    with pytest.raises(RecordError, match=r"amtliches Schema: .*zu lang"):
        store.validate(small, "probe", "1.0", payload)


def test_a_file_changed_in_the_store_stops_the_run(small: Path, downloads: Path) -> None:
    """Digests are checked when a schema is compiled, not only when it is installed."""
    store.install(small, downloads)
    folder = store.official(small, "probe", "1.0")
    assert folder is not None
    (folder / "b.xsd").write_text(_texts()["b.xsd"] + " ")

    with pytest.raises(ConfigurationError, match="was changed"):
        store.validator(small, "probe", "1.0", official=True)
    assert not store.installed(small)[0].intact


def test_an_import_is_never_fetched(small: Path, downloads: Path) -> None:
    """Trap 2.6-4: an address that the manifest does not know is an error, not a request."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        here = f"http://127.0.0.1:{server.getsockname()[1]}/missing.xsd"
        used = '<xs:element name="n" type="o:N" xmlns:o="urn:nobodys"/></xs:schema>'
        text = _texts()["a.xsd"].replace("http://xoev.de/nowhere/b.xsd", here).replace("urn:other", "urn:nobodys")
        text = text.replace("</xs:schema>", used)
        manifest = small / "schemas/probe/1.0/manifest.yaml"
        manifest.write_text(manifest.read_text().replace(_digest(_texts()["a.xsd"]), _digest(text)))
        (downloads / "some/where/a.xsd").write_text(text)
        store.install(small, downloads)

        with pytest.raises(ConfigurationError, match=r"missing\.xsd"):
            store.validator(small, "probe", "1.0", official=True)
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_compiled_schema_is_kept(small: Path) -> None:
    """Compiling costs more than checking; a changed profile is compiled again."""
    first = store.validator(small, "probe", "1.0")

    assert store.validator(small, "probe", "1.0") is first


def test_an_unknown_standard_is_a_configuration_error(small: Path) -> None:
    """The line says what there is."""
    with pytest.raises(ConfigurationError, match=r"probe 1\.0"):
        store.profile(small, "probe", "2.0")


def test_the_command_line_shows_and_installs(small: Path, downloads: Path) -> None:
    """`schemas list` and `schemas install --from` for people and for machines."""
    run = CliRunner()
    install = run.invoke(app, ["install", "--from", str(downloads), "--content", str(small), "--json"])
    listing = run.invoke(app, ["list", "--content", str(small), "--json"])
    table = run.invoke(app, ["list", "--content", str(small)])
    wrong = run.invoke(app, ["install", "--from", str(small), "--content", str(small), "--json"])

    assert install.exit_code == 0
    assert json.loads(install.stdout)[0]["status"] == "installed"
    assert json.loads(listing.stdout)[0]["official"] == "store"
    assert "im lokalen Speicher" in " ".join(table.stdout.split()).replace("│ ", "")
    assert wrong.exit_code == 2
    assert json.loads(wrong.stdout)["error"] == "KB-100"


@pytest.mark.official
def test_the_manifests_fit_the_files_at_hand(content: Path, official: Path, tmp_path: Path) -> None:
    """Whoever has the files of our research can install both standards, straight from the folder."""
    done = store.install(content, official, tmp_path / "there")

    assert {(item.standard, item.status) for item in done} == {("xdomea", "installed"), ("xta", "installed")}
    assert (tmp_path / "there/xta/2.1.1/.xsd").is_file()


@pytest.mark.official
@pytest.mark.parametrize(("standard", "version"), [("xdomea", "4.0.0"), ("xta", "2.1.1")])
def test_the_official_schemas_compile_without_network(
    content: Path, official: Path, standard: str, version: str
) -> None:
    """Absolute imports of xoev.de and the hidden file '.xsd' of XTA are found in the folder."""
    assert store.validator(content, standard, version, official=True) is not None


@pytest.mark.official
def test_one_changed_byte_of_a_real_file_is_refused(content: Path, official: Path, tmp_path: Path) -> None:
    """The manifest's digests are of exactly these files."""
    copy = tmp_path / "copy"
    shutil.copytree(official / "xdomea/4.0.0", copy)
    (copy / "xoev-code.xsd").chmod(0o644)
    (copy / "xoev-code.xsd").write_bytes((copy / "xoev-code.xsd").read_bytes() + b" ")

    with pytest.raises(ConfigurationError, match=r"xoev-code\.xsd"):
        store.install(content, copy, tmp_path / "there")


_IMPORT = '<xs:import namespace="urn:other" schemaLocation="http://xoev.de/nowhere/b.xsd"/>'


def _texts() -> dict[str, str]:
    short = '<xs:restriction base="xs:string"><xs:maxLength value="5"/></xs:restriction>'
    element = f'<xs:element name="m"><xs:simpleType>{short}</xs:simpleType></xs:element>'
    other = _schema("").replace("urn:probe", "urn:other")
    return {"a.xsd": _schema(_IMPORT + element), "b.xsd": other}


def _schema(inner: str) -> str:
    return (
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:probe" '
        f'elementFormDefault="qualified">{inner}</xs:schema>'
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
