"""The built wheel works alone: away from the checkout, without the editable install."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as `pip install .` would, with what is installed here."""
    folder = tmp_path_factory.mktemp("wheel")
    _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], root)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the wheel and our dependencies, and does not know the checkout."""
    home = tmp_path_factory.mktemp("elsewhere") / "venv"
    _run([sys.executable, "-m", "venv", "--without-pip", home], home.parent)
    installed = home / "bin" / "python"
    _run([sys.executable, "-m", "pip", "--python", installed, "install", "--no-deps", "--quiet", wheel], home.parent)
    # a .pth inside a folder that was added by a .pth is not read: the editable install stays out
    borrowed = Path(_run([installed, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], home).strip())
    (borrowed / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return installed


def test_the_wheel_holds_the_packages_and_no_content(wheel: Path) -> None:
    """Content travels by bundle; what stands in the wheel as data belongs to a package."""
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}

    assert tops == {"kiezbruecke", "connectors", next(top for top in tops if top.endswith(".dist-info"))}
    for needed in (
        "kiezbruecke/airflow/provider.json",
        "connectors/xta/connector.yaml",
        "connectors/_template/pyproject.toml",
        "connectors/_template/test_example.py",
        "kiezbruecke/ledger/migrations/env.py",
        "kiezbruecke/page/templates/frame.html",
        "kiezbruecke/page/static/page.css",
    ):
        assert needed in names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_knows_no_demonstration(wheel: Path, root: Path) -> None:
    """Sandboxes started by hand, invented passwords, processes that are ended: nothing for a real site."""
    names = {Path(name).name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("kiezbruecke/airflow/")}
    ours = {file.name for file in (root / "demo").glob("*.py")} - {"__init__.py"}

    assert {"servers.py", "up.py"} <= ours
    assert names & ours == set()


def test_the_command_works_from_the_wheel(python: Path, tmp_path: Path) -> None:
    assert "mapping" in _run([python.with_name("kiezbruecke"), "--help"], tmp_path)


def test_everything_comes_from_the_wheel(python: Path, tmp_path: Path, root: Path) -> None:
    script = """
import connectors, kiezbruecke
from kiezbruecke.connector import manifests
import kiezbruecke.pipeline
from importlib import import_module
for manifest in manifests().values():
    for path in filter(None, (manifest.source, manifest.target, manifest.sandbox, manifest.settings)):
        module, _, name = path.partition(":")
        getattr(import_module(module), name)
print(kiezbruecke.__file__, connectors.__file__, sep="\\n")
"""
    for file in _run([python, "-c", script], tmp_path).split():
        assert Path(file).is_relative_to(python.parents[1])
        assert not Path(file).is_relative_to(root)


def test_the_ledger_can_be_made_from_the_wheel(python: Path, tmp_path: Path) -> None:
    """The migrations are part of the package."""
    url = f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
    script = f"from kiezbruecke import ledger; ledger.upgrade({url!r}); ledger.open_ledger({url!r})"

    _run([python, "-c", script], tmp_path)


def test_airflow_finds_the_provider_in_the_wheel(python: Path, tmp_path: Path) -> None:
    script = """
from importlib.metadata import entry_points
point, = {point for point in entry_points(group="apache_airflow_provider") if point.value.startswith("kiezbruecke")}
print(len(point.load()()["connection-types"]))
"""
    assert int(_run([python, "-c", script], tmp_path)) >= 4


def _run(command: list[str | Path], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
