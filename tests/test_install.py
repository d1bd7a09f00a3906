"""The first command on a fresh machine, without a network: an index in a folder, and every package in it has a newer
release than the lock.

The checkout lies in a folder with a blank and an umlaut, and the machine lacks the locale that it was told to use.
The pip that is there at first is the one that Python brings: the oldest that a machine of ours can have.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

BUILDERS = ("hatchling", "packaging", "pathspec", "pluggy", "tomlkit", "trove-classifiers", "editables")
MISSING_LOCALE = "xx_XX.UTF-8"


@dataclass(frozen=True)
class Index:
    """A folder that pip reads as a package index (PEP 503)."""

    folder: Path

    def add(self, wheel: Path) -> None:
        """Offer one more wheel."""
        page = self.folder / canonicalize_name(wheel.name.partition("-")[0])
        page.mkdir(parents=True, exist_ok=True)
        shutil.copy(wheel, page)
        links = (f'<a href="{file.name}">{file.name}</a>' for file in sorted(page.glob("*.whl")))
        (page / "index.html").write_text("\n".join(links), "utf-8")


def test_newer_releases_of_everything_change_nothing(checkout: Path) -> None:
    """The lock decides, not the day on which somebody installs."""
    script = (
        "import importlib.metadata as m; print({m.version(n) for n in ('probe-cov', 'probe-coverage', 'probe-web')})"
    )

    assert _run([checkout / ".venv/bin/python", "-c", script], checkout).strip() == "{'1.0'}"


@pytest.mark.parametrize("locale", ["C", MISSING_LOCALE])
def test_a_folder_with_blanks_and_umlauts_works_in_every_locale(checkout: Path, tmp_path: Path, locale: str) -> None:
    """Python reads .pth files in the locale's charset and does not start if it cannot."""
    found = _run([checkout / ".venv/bin/python", "-X", "utf8", "-c", WHERE], tmp_path, LC_ALL=locale)

    assert Path(found.strip()) == checkout


def test_the_check_would_notice_a_lock_that_looks_beyond_itself(checkout: Path, index: Index) -> None:
    """Without `--no-deps` a pip of 2023 asks for the newest release of what another package asks for."""
    pip = [checkout / ".venv/bin/python", "-m", "pip"]
    version = _run([*pip, "--version"], checkout).split()[1]
    if int(version.partition(".")[0]) > 23:
        pytest.skip(f"this Python brings pip {version}, which copes")
    command = [*pip, "install", "--dry-run", "--require-hashes", "--ignore-installed", "-r", "requirements.lock"]

    done = _call(command, checkout, PIP_INDEX_URL=index.folder.as_uri())

    assert "must have their versions pinned" in done.stderr


def test_the_lock_keeps_every_extra_that_somebody_asks_for(root: Path) -> None:
    """`pytest-cov` asks for `coverage[toml]`: a bare `coverage==…` is not what it asks for."""
    locked = {canonicalize_name(line.name): line.extras for line in _locked(root / "requirements.lock")}
    asked = [
        wish
        for name, extras in locked.items()
        for wish in _wishes(name)
        if wish.extras and (wish.marker is None or any(wish.marker.evaluate({"extra": it}) for it in (*extras, "")))
    ]

    assert any(canonicalize_name(wish.name) == "coverage" for wish in asked)
    assert [str(wish) for wish in asked if not wish.extras <= locked[canonicalize_name(wish.name)]] == []


@pytest.mark.parametrize("name", ["requirements.lock", "tools/pip.lock"])
def test_a_lock_pins_everything_with_hashes_and_names_no_index(root: Path, name: str) -> None:
    text = (root / name).read_text("utf-8")

    assert all(len(line.specifier) == 1 and str(line.specifier).startswith("==") for line in _locked(root / name))
    assert text.count("==") <= text.count("--hash=sha256:")
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    assert not (root / "uv.lock").exists()  # it records addresses


WHERE = "import connectors, kiezbruecke, pathlib; print(pathlib.Path(kiezbruecke.__file__).parents[1])"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """What our lock looks like, in small: `probe-cov` asks for an extra, `probe-web` for the same package without."""
    built, index = tmp_path_factory.mktemp("built"), Index(tmp_path_factory.mktemp("index"))
    for version in ("1.0", "2.0"):
        index.add(
            _wheel(
                built, "probe_coverage", version, "Provides-Extra: toml", 'Requires-Dist: probe-toml; extra == "toml"'
            )
        )
        index.add(_wheel(built, "probe_cov", version, "Requires-Dist: probe-coverage[toml]>=1"))
        index.add(_wheel(built, "probe_web", version, "Requires-Dist: probe-coverage>=1"))
        index.add(_wheel(built, "probe_toml", version))
    for name in BUILDERS:
        index.add(_packed_again(built, name))
        index.add(_wheel(built, name.replace("-", "_"), "9999.0"))
    index.add(_bundled_pip())
    index.add(_wheel(built, "pip", "9999.0"))
    return index


@pytest.fixture(scope="module")
def checkout(root: Path, index: Index, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in small, installed by the real script."""
    folder = tmp_path_factory.mktemp("fresh") / "Kiez brücke"
    (folder / "tools").mkdir(parents=True)
    shutil.copy(root / "tools" / "install.sh", folder / "tools")
    for package in ("kiezbruecke", "connectors"):
        (folder / package).mkdir()
        (folder / package / "__init__.py").touch()
    (folder / "pyproject.toml").write_text(_project((root / "pyproject.toml").read_text("utf-8")), "utf-8")
    wheels = [min(page.glob("*.whl"), key=_age) for page in index.folder.iterdir() if page.name != "pip"]
    (folder / "requirements.lock").write_text("".join(map(_pin, wheels)), "utf-8")
    (folder / "tools" / "pip.lock").write_text(_pin(min((index.folder / "pip").glob("*.whl"), key=_age)), "utf-8")
    _run(["sh", "tools/install.sh", sys.executable], folder, LC_ALL=MISSING_LOCALE, PIP_INDEX_URL=index.folder.as_uri())
    return folder


def _project(ours: str) -> str:
    """Our own way of building, around a project that needs next to nothing."""
    build, hatch = (
        ours[ours.index(begin) : ours.index(end)]
        for begin, end in (
            ("[build-system]", "[project]"),
            ("[tool.hatch.build]", "[tool.pytest"),
        )
    )
    return (
        f'{build}[project]\nname = "kiezbruecke"\nversion = "0.1"\ndependencies = ["probe-cov", "probe-web"]\n{hatch}'
    )


def _wheel(folder: Path, name: str, version: str, *lines: str) -> Path:
    """A made-up wheel with nothing in it."""
    about = f"{name}-{version}.dist-info"
    head = f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n"
    return _zip(
        folder / f"{name}-{version}-py3-none-any.whl",
        {
            f"{about}/METADATA": (head + "".join(f"{line}\n" for line in lines)).encode(),
            f"{about}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{about}/RECORD": b"",
        },
    )


def _packed_again(folder: Path, name: str) -> Path:
    """An installed package of pure Python as the wheel that it came from."""
    found = metadata.distribution(name)
    files = [file for file in found.files or () if ".." not in file.parts and "__pycache__" not in file.parts]
    assert files
    return _zip(
        folder / f"{name.replace('-', '_')}-{found.version}-py3-none-any.whl",
        {file.as_posix(): file.read_binary() for file in files if Path(str(file.locate())).is_file()},
    )


def _zip(file: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def _bundled_pip() -> Path:
    """The pip that this Python brings with it."""
    import ensurepip

    places = [sysconfig.get_config_var("WHEEL_PKG_DIR"), Path(ensurepip.__file__).parent / "_bundled"]
    found = [wheel for place in places if place for wheel in Path(place).glob("pip-*.whl")]
    if not found:
        pytest.skip("this Python brings no pip")
    return found[0]


def _age(wheel: Path) -> tuple[bool, str]:
    """Sorts what is locked before what came later."""
    return (wheel.name.split("-")[1] in ("2.0", "9999.0"), wheel.name)


def _pin(wheel: Path) -> str:
    """One line of a lock, with the extra that is asked for."""
    name, version = wheel.name.split("-")[:2]
    extra = "[toml]" if name == "probe_coverage" else ""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return f"{name.replace('_', '-')}{extra}=={version} \\\n    --hash=sha256:{digest}\n"


def _locked(lock: Path) -> Iterator[Requirement]:
    for line in lock.read_text("utf-8").splitlines():
        if line[:1].isalnum():
            yield Requirement(line.rstrip(" \\"))


def _wishes(name: str) -> list[Requirement]:
    """What an installed package asks for; nothing if it is locked for other machines."""
    try:
        return [Requirement(line) for line in metadata.requires(name) or ()]
    except metadata.PackageNotFoundError:
        return []


def _call(command: list[str | Path], folder: Path, **surroundings: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    quiet = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return subprocess.run(
        command,
        cwd=folder,
        env=kept | quiet | surroundings,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def _run(command: list[str | Path], folder: Path, **surroundings: str) -> str:
    done = _call(command, folder, **surroundings)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
