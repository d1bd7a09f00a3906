"""What we are made of: every locked package has a licence that fits, and a release says what is in it."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest

from tools import audit
from tools.lock import Locked, locked, shipped
from tools.sbom import sbom

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Locked("beispiel", "1.4", "", ("0" * 64,), ())


def test_every_locked_package_has_a_licence_that_fits_eupl() -> None:
    """A new package is looked at by a person, who adds its licence to tools/licences.toml."""
    assert list(audit.licence_problems(locked())) == []


def test_a_package_that_nobody_has_looked_at_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "listed", lambda: {"alt": "MIT", "fremd": "SSPL-1.0", "wahl": "SSPL-1.0 OR MIT"})
    packages = [Locked(name, "1", "", (), ()) for name in ("beispiel", "fremd", "wahl")]

    assert list(audit.licence_problems(packages)) == [
        "beispiel: no licence is listed in licences.toml; look it up, then add it",
        "fremd: SSPL-1.0 is not accepted beside EUPL-1.2",
        "alt: is listed in licences.toml and in no lock",
    ]


@pytest.mark.parametrize(
    ("affected", "is_known"),
    [
        ({"versions": ["1.3", "1.4"]}, True),
        ({"versions": ["1.3"]}, False),
        ({"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.4.1"}]}]}, True),
        ({"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.4"}]}]}, False),
        ({"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1.5"}]}]}, False),
        ({"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1.2"}, {"last_affected": "1.4"}]}]}, True),
        ({"versions": ["1.4"], "package": {"ecosystem": "npm", "name": "beispiel"}}, False),
    ],
)
def test_a_known_weakness_of_a_locked_version_is_named(
    affected: dict[str, object], is_known: bool, tmp_path: Path
) -> None:
    """From OSV's records, as a folder or as the ZIP that osv.dev hands out."""
    entry = {"package": {"ecosystem": "PyPI", "name": "Beispiel"}, **affected}
    record = json.dumps({"id": "PYSEC-1", "summary": "kaputt", "affected": [entry]})
    (tmp_path / "osv").mkdir()
    (tmp_path / "osv" / "PYSEC-1.json").write_text(record, "utf-8")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as packed:
        packed.writestr("PYSEC-1.json", record)

    for source in (tmp_path / "osv", tmp_path / "all.zip"):
        found = list(audit.weaknesses([PACKAGE], source))
        assert found == (["beispiel 1.4: PYSEC-1 kaputt"] if is_known else [])


def test_the_bill_of_materials_holds_every_package_of_the_lock() -> None:
    """With its hashes, its licence, and who needs it; the same lock gives the same bytes."""
    text = sbom()
    body = json.loads(text)
    refs = {one["bom-ref"] for one in body["components"]}
    scopes = {one["name"]: one["scope"] for one in body["components"]}

    assert text == sbom()
    assert (body["bomFormat"], body["specVersion"]) == ("CycloneDX", "1.6")
    assert {(one["name"], one["version"]) for one in body["components"]} == {
        (one.name, one.version) for one in locked()
    }
    assert all(one["hashes"] and one["licenses"] for one in body["components"])
    assert all(set(one["dependsOn"]) <= refs for one in body["dependencies"])
    assert (scopes["lxml"], scopes["pytest"]) == ("required", "excluded")
    assert {"lxml", "apache-airflow", "sqlalchemy"} <= shipped(locked())


def test_every_threat_names_a_test_that_is_there() -> None:
    """SECURITY.md: a promise without a test is a wish."""
    rows = [line for line in (ROOT / "SECURITY.md").read_text("utf-8").splitlines() if line.startswith("| ")]
    rows = [row for row in rows if row != "| threat | what holds | test |"]
    named = [re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row) for row in rows]

    assert len(rows) > 20
    assert [row for row, tests in zip(rows, named, strict=True) if not tests] == []
    missing = [
        f"{file}::{test}"
        for file, test in (one for tests in named for one in tests)
        if not (ROOT / file).is_file() or f"def {test}(" not in (ROOT / file).read_text("utf-8")
    ]
    assert missing == []
