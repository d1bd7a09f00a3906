"""The pages that promise a district in ten minutes and a procedure in an hour: every command in them is run."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DISTRICT = ROOT / "docs/how-to/ein-bezirk-in-zehn-minuten.md"
PROCEDURE = ROOT / "docs/how-to/ein-verfahren-in-einer-stunde.md"
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PORT = re.compile(r"\b1809\d\b")
_STAT = re.compile(r"^ (\S+) +\|", re.MULTILINE)


@pytest.fixture
def checkout(content: Path) -> Iterator[Path]:
    """A checkout of the content, as it was shipped, under git."""
    for name in ("git", "bash"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
    _run(content, "git init -q && git add -A && git -c user.name=T -c user.email=t@example.org commit -qm shipped")
    return content


def test_a_district_takes_the_commands_of_its_page(checkout: Path) -> None:
    """It ends with a confirmed commitment, and two files of content."""
    said = _follow(DISTRICT, checkout)

    assert "Es fehlt nichts." in said
    assert "bewilligt, die Mittel sind vorgemerkt" in said
    assert "Zu tun: nichts." in said
    assert _STAT.findall(said) == ["mappings/codelists/bezirksregionen-mi.csv", "mappings/processes/sk-mi-2026.yaml"]
    assert _STAT.findall(said) == _STAT.findall(DISTRICT.read_text("utf-8"))


def test_a_procedure_takes_the_commands_of_its_page(checkout: Path) -> None:
    """Other words, another sheet in the file, other times, one answer home; nothing but content is touched."""
    said = _follow(PROCEDURE, checkout)
    changed = {name.rpartition("/")[2] for name in _STAT.findall(said)}

    assert "bewilligt, die Mittel sind vorgemerkt" in said
    assert said.count("Die Jury hat am 24.04.2026 entschieden: Dieser Vorschlag wird umgesetzt.") == 1  # the preview
    assert re.findall(r"^Mail zu .*", said, re.MULTILINE) == ["Mail zu 103 accepted"]
    assert changed == {name.rpartition("/")[2] for name in _STAT.findall(PROCEDURE.read_text("utf-8"))}
    assert all(re.match(r"(mappings/|schemas/tables/|\.\.\.?/)", name) for name in _STAT.findall(said))


def _follow(page: Path, checkout: Path) -> str:
    """All blocks of a page in one shell, in their order; the stand-ins are given free ports."""
    script = "\n".join(_BLOCK.findall(page.read_text("utf-8")))
    ports = {port: str(_free_port()) for port in set(_PORT.findall(script))}
    return _run(checkout, _PORT.sub(lambda found: ports[found[0]], script))


def _run(folder: Path, script: str) -> str:
    """What the script says; whatever it has started ends with it."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", f"set -euo pipefail\nset -m\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{script}"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
