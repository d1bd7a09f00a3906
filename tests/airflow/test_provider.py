"""What Airflow is told about us is true, and costs nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from airflow.sdk import BaseHook

from kiezbruecke.airflow import hooks
from kiezbruecke.airflow.provider import get_provider_info
from kiezbruecke.connector import manifests


def test_the_generated_file_equals_the_manifests(root: Path) -> None:
    done = subprocess.run([sys.executable, root / "tools/provider.py", "--check"], check=False, capture_output=True)

    assert done.returncode == 0, done.stdout


def test_reading_it_imports_nothing_of_ours(tmp_path: Path) -> None:
    """Every `import airflow.sdk` calls it; an import of airflow.sdk from here would be a circle."""
    script = """
import sys
from kiezbruecke.airflow.provider import get_provider_info
get_provider_info()
ours = {name for name in sys.modules if name.split(".")[0] in ("kiezbruecke", "connectors", "airflow", "ruamel")}
assert ours == {"kiezbruecke", "kiezbruecke.airflow", "kiezbruecke.airflow.provider"}, ours
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path)


def test_every_connection_type_has_a_hook() -> None:
    for described in get_provider_info()["connection-types"]:
        module, _, name = described["hook-class-name"].rpartition(".")
        hook = getattr(hooks, name)
        assert module == "kiezbruecke.airflow.hooks"
        assert hook.conn_type == described["connection-type"]

    assert {described["connection-type"] for described in get_provider_info()["connection-types"]} == {
        manifest.connection_type for manifest in manifests().values()
    }


def test_secrets_are_masked_in_the_form() -> None:
    fields = {
        name: field for kind in get_provider_info()["connection-types"] for name, field in kind["conn-fields"].items()
    }

    assert fields["export_password"]["schema"]["format"] == "password"


def test_a_connection_can_be_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(BaseHook, "get_connection", staticmethod(lambda _: _Folder(tmp_path)))

    assert hooks.FolderHook("some").test_connection()[0] is True


def test_a_wrong_connection_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(BaseHook, "get_connection", staticmethod(lambda _: _Folder(tmp_path / "missing")))

    works, text = hooks.FolderHook("some").test_connection()

    assert not works
    assert "missing" in text


class _Folder:
    conn_type, host, port, schema, login, password = "kb_folder", None, None, None, None, None

    def __init__(self, path: Path) -> None:
        self.extra = {"path": str(path), "profile": "budget-sheet"}
