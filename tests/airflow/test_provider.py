"""What Airflow is told about us is true, and costs nothing."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest
from airflow.sdk import BaseHook
from pydantic import SecretStr

from kiezbruecke.airflow import hooks
from kiezbruecke.airflow.provider import get_provider_info
from kiezbruecke.connector import Manifest, manifests
from kiezbruecke.vault import CONNECTION_TYPE, new_keys


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
        *(manifest.connection_type for manifest in manifests().values()),
        CONNECTION_TYPE,
    }


def test_the_form_of_the_vault_says_whether_its_keys_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing of them."""
    keys = new_keys("").text()
    for password, works in ((keys.replace("\n", " "), True), (keys[:-9], False), ("", False)):
        monkeypatch.setenv("AIRFLOW_CONN_TRESOR", json.dumps({"conn_type": CONNECTION_TYPE, "password": password}))
        works_, said = hooks.VaultHook("tresor").test_connection()

        assert works_ is works
        assert keys.split(":")[1][:10] not in said


@pytest.mark.parametrize("manifest", manifests().values(), ids=lambda manifest: manifest.name)
def test_the_form_says_what_the_settings_say(manifest: Manifest) -> None:
    """A field that only one of them knows, another default, another duty: the form would promise what is refused."""
    module, _, name = manifest.settings.partition(":")
    settings = {
        field: known
        for field, known in getattr(import_module(module), name).model_fields.items()
        if field not in ("connection", "address", "host", "port", "login", "password")
    }

    assert manifest.fields.keys() == settings.keys()
    for field, known in settings.items():
        shown = manifest.fields[field]
        assert (field, shown.required) == (field, known.is_required())
        assert (field, shown.secret) == (field, known.annotation is SecretStr)
        assert (field, shown.choices) == (field, get_args(known.annotation) if shown.choices else ())
        if not shown.required and not shown.secret:
            assert (field, shown.default or "") == (field, known.default or "")


def test_duties_and_choices_reach_the_form() -> None:
    """What may be null is no duty to Airflow's form."""
    (folder,) = (one for one in get_provider_info()["connection-types"] if one["connection-type"] == "kb_folder")

    assert folder["conn-fields"]["profile"]["schema"] == {"type": "string"}  # which there are is content
    assert list(folder["conn-fields"])[:2] == ["path", "profile"]


def test_a_hook_that_no_manifest_names_is_none() -> None:
    with pytest.raises(AttributeError):
        hooks.DezidimHook  # noqa: B018


def test_secrets_are_masked_in_the_form() -> None:
    fields = {
        name: field for kind in get_provider_info()["connection-types"] for name, field in kind["conn-fields"].items()
    }

    assert fields["export_password"]["schema"]["format"] == "password"


def test_a_connection_can_be_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(BaseHook, "get_connection", staticmethod(lambda _: _Folder(tmp_path)))

    assert hooks.FolderHook("some").test_connection() == (True, hooks.WORKS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["missing", "file/below"])
def test_the_button_tells_nobody_which_paths_there_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    """Whoever may edit connections could ask for every file of the machine, one after the other."""
    (tmp_path / "file").touch()
    monkeypatch.setattr(BaseHook, "get_connection", staticmethod(lambda _: _Folder(tmp_path / place)))

    works, text = hooks.FolderHook("some").test_connection()

    assert (works, text) == (False, hooks.FAILS)


def test_the_button_tells_nobody_which_ports_are_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed port, one that is silent, and one where a server asks for a password look the same."""
    texts = []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for port in (1, silent.getsockname()[1]):
            there = _Hkr(port)
            monkeypatch.setattr(BaseHook, "get_connection", staticmethod(lambda _, found=there: found))
            works, text = hooks.HkrHook("some").test_connection()
            assert not works
            texts.append(text)

    assert texts[0] == texts[1]


def test_the_button_says_what_is_wrong_with_the_form(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wrong = _Folder(tmp_path)
    wrong.extra["profile"] = "Sheets 1"
    monkeypatch.setattr(BaseHook, "get_connection", staticmethod(lambda _: wrong))

    works, text = hooks.FolderHook("some").test_connection()

    assert not works
    assert "profile" in text


class _Hkr:
    conn_type, host, schema, login, password = "kb_hkr", "http://127.0.0.1", None, "kb", "geheim"

    def __init__(self, port: int) -> None:
        self.port = port
        self.extra = {"dienststelle": "X", "connect_timeout": 1, "read_timeout": 1, "deadline": 2}


class _Folder:
    conn_type, host, port, schema, login, password = "kb_folder", None, None, None, None, None

    def __init__(self, path: Path) -> None:
        self.extra = {"path": str(path), "profile": "budget-sheet"}
