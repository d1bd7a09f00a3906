"""The checkout as content, and the official files where this machine has them."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLACES = (ROOT.parent / "shared" / "standards", ROOT / "var" / "schemas")
OFFICIAL = next((place for place in PLACES if (place / "xdomea" / "4.0.0").is_dir()), None)


@pytest.fixture
def content(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The checkout, with an empty schema store: what a fresh machine has."""
    monkeypatch.setenv("KIEZBRUECKE_SCHEMA_STORE", str(tmp_path / "store"))
    monkeypatch.delenv("KIEZBRUECKE_OFFICIAL", raising=False)
    return ROOT


@pytest.fixture
def official(content: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with the official files of all standards; skips where there is none."""
    if OFFICIAL is None:
        pytest.skip(f"no official schemas of xdomea 4.0.0 in {' or '.join(map(str, PLACES))}")
    monkeypatch.setenv("KIEZBRUECKE_OFFICIAL", str(OFFICIAL))
    return OFFICIAL


@pytest.fixture
def message() -> bytes:
    """A hand-written 0401 with every element of our profile; the mapping's own goldens lie beside the mapping."""
    return (ROOT / "tests" / "standards" / "data" / "0401.xml").read_bytes()
