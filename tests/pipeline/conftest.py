"""The fixtures of tests/world.py, and the demo's district, run once for all who look at it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from kiezbruecke.pipeline import Counts
from tests.world import (
    ROOT,
    SEND,
    World,
    found,
    make_world,
    odd_world,
    open_sandboxes,
    processes,
    world,
)

__all__ = ["make_world", "odd_world", "processes", "world"]

COLLECT = ("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-meinberlin")


@dataclass
class Demo:
    """The demo's district after two rounds."""

    world: World
    first: list[Counts]
    second: list[Counts]
    after_first: tuple[int, int]  # what the sandboxes had then


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """`make demo` without Airflow: the same data, the same sandboxes, every route twice."""
    base = tmp_path_factory.mktemp("demo")
    patch = pytest.MonkeyPatch()
    started = open_sandboxes(
        base / "sandbox", ("xta", "hkr", "meinberlin"), meinberlin=[f"data={ROOT / 'demo/proposals.json'}"]
    )
    try:
        whole = found(base / "var", started, ROOT, patch)
        for kind in ("beschluesse", "budgets"):
            shutil.copytree(ROOT / "demo" / kind, whole.state / "eingang" / kind, dirs_exist_ok=True)
        first = whole.run(*COLLECT, *SEND)
        taken = len(whole.received("xta")), len(whole.received("hkr"))
        yield Demo(whole, first, whole.run(*COLLECT, *SEND), taken)
        whole.close()
    finally:
        patch.undo()
        for running in started.values():
            running.kill()
