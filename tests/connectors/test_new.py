"""`kiezbruecke new connector` makes a connector that works, and whose test finds out when it begins to lie."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kiezbruecke.connector import read_manifest

ROOT = Path(__file__).parents[2]
NAME = "dezi_probe"

# the test that must fail, where the lie stands, and the lie
LIES = {
    "test_reading_twice_gives_the_same_items": ("source.py", "str(thing.number), thing", "str(id(page)), thing"),
    "test_what_arrived_is_found_or_nothing_is_said": ("target.py", "if found is None else", "if found else"),
    "test_a_lost_answer_is_doubt_and_heals": (
        "target.py",
        "        except Refused as refusal:",
        "        except OSError:\n            raise NotSent('no') from None\n        except Refused as refusal:",
    ),
    "test_a_secret_is_never_shown": (
        "client.py",
        "        self._settings = settings\n",
        "        self._settings = settings\n        logging.debug(settings.password.get_secret_value())\n",
    ),
    "test_what_is_sent_arrives_once_and_the_receipt_finds_back": (
        "target.py",
        "key=message.key",
        "key=message.case_id",
    ),
}
IMPORTS = {
    "target.py": ("import Rejected", "import NotSent, Rejected"),
    "client.py": ("from dataclasses import", "import logging\nfrom dataclasses import"),
}


def call(name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The command."""
    code = "from kiezbruecke.cli import main; main()"
    command = [sys.executable, "-c", code, "new", "connector", name, "--into", str(folder)]
    return subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)


def make(folder: Path) -> Path:
    """The new connector's project, installed as far as Python can see it."""
    assert call(NAME, folder).returncode == 0
    project = folder / f"kiezbruecke-{NAME}"
    info = project / f"kiezbruecke_{NAME}-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: kiezbruecke-{NAME}\nVersion: 0.1.0\n", "utf-8")
    points = (project / "pyproject.toml").read_text("utf-8")
    (found,) = re.findall(rf'^{NAME} = "(.+)"$', points, re.MULTILINE)
    (info / "entry_points.txt").write_text(f"[kiezbruecke.connectors]\n{NAME} = {found}\n", "utf-8")
    return project


def run(project: Path) -> subprocess.CompletedProcess[str]:
    """The new connector's own test, in a process of its own."""
    given = {**os.environ, "PYTHONPATH": f"{project}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "tests"]
    return subprocess.run(command, check=False, cwd=project, env=given, capture_output=True, text=True)


def test_a_new_connector_keeps_all_promises_at_once(tmp_path: Path) -> None:
    """Whoever begins with something that works sees at every step what broke it."""
    done = run(make(tmp_path))

    assert done.returncode == 0, done.stdout
    assert re.search(r"\b[23][0-9] passed", done.stdout)


def test_its_test_finds_what_is_not_true_any_more(tmp_path: Path) -> None:
    """Promises that no test breaks on are none."""
    project = make(tmp_path)
    for file, before, after in [*LIES.values(), *((file, *change) for file, change in IMPORTS.items())]:
        place = project / f"kiezbruecke_{NAME}" / file
        text = place.read_text("utf-8")
        assert before in text
        place.write_text(text.replace(before, after), "utf-8")

    said = run(project).stdout

    assert LIES.keys() <= {*re.findall(r"^FAILED .*::(\w+)", said, re.MULTILINE)}, said


def test_nothing_is_written_over(tmp_path: Path) -> None:
    project = make(tmp_path)
    before = (project / "README.md").read_bytes()
    done = call(NAME, tmp_path)

    assert done.returncode == 2
    assert "den Ordner gibt es schon" in done.stderr
    assert (project / "README.md").read_bytes() == before


@pytest.mark.parametrize("name", ["xta", "Dezidim", "../x", "a-b", ""])
def test_a_name_that_cannot_be_one_is_refused(tmp_path: Path, name: str) -> None:
    done = call(name, tmp_path)

    assert (done.returncode, done.stderr[:6]) == (2, "KB-001")
    assert list(tmp_path.iterdir()) == []


def test_the_template_is_no_connector_of_the_house() -> None:
    """It is read and tried like one, and nobody can route anything to it."""
    from kiezbruecke.connector import manifests

    assert read_manifest("connectors._template").name == "example"
    assert "example" not in manifests()
