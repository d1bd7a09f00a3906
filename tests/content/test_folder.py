"""Where the content is: the folder that everybody who asks is told to have is the one that is taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiezbruecke.content import find_content
from kiezbruecke.errors import ConfigurationError


def test_whoever_needs_no_route_needs_no_folder_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An integrator's own folder: two empty folders, found by name and from below."""
    for name in ("mappings/outbound", "schemas"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.delenv("KIEZBRUECKE_CONTENT", raising=False)
    monkeypatch.chdir(tmp_path / "mappings" / "outbound")

    assert find_content(tmp_path) == find_content() == tmp_path


@pytest.mark.parametrize("missing", ["mappings", "schemas"])
def test_half_a_folder_is_none(missing: str, tmp_path: Path) -> None:
    """Both have to be there, as the message says."""
    for name in {"mappings", "schemas"} - {missing}:
        (tmp_path / name).mkdir()

    with pytest.raises(ConfigurationError, match="holds no content; expected a folder with mappings/ and schemas/"):
        find_content(tmp_path)
