"""The command as the console script calls it, and a small district to ask about."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

import pytest

from kiezbruecke.cli import main
from kiezbruecke.sandbox import Running
from tests.world import ROOT, World, budget, found, line, make_world, odd_world, processes, wipe, world

__all__ = ["make_world", "odd_world", "processes", "world"]


@dataclass
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Call = Callable[..., Said]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run a command in this process, through the same `main` as the console script."""

    def run(*words: str) -> Said:
        out, err = io.StringIO(), io.StringIO()
        monkeypatch.setattr(sys, "argv", ["kiezbruecke", *words])
        with redirect_stdout(out), redirect_stderr(err):
            try:
                main()
                code = 0
            except SystemExit as ended:
                code = int(ended.code or 0)
        return Said(code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture(scope="module")
def _asked(processes: dict[str, Running], tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """P-1 went through, P-2 was refused by the budget system, P-3 is only a bad line."""
    patch = pytest.MonkeyPatch()
    wipe(processes)
    small = found(tmp_path_factory.mktemp("cli") / "var", dict(processes), ROOT, patch)
    small.drop_budget(budget())
    small.drop(line("P-1"), line("P-3", "achthundert"))
    small.run()
    small.drop(line("P-2", "1.000,00 €"), name="mai.csv")
    small.sandboxes["hkr"].arm("refuse_one")
    small.run()
    yield small
    patch.undo()
    small.close()


@pytest.fixture
def asked(_asked: World) -> World:
    """A district to read from; change nothing in it."""
    return _asked
