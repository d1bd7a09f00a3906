"""All stages over a number of cases, once with everything new and then with nothing to do, in a process of its own.

python -m benchmarks.stages 10000     prints one JSON object: seconds and CPU of each stage, peak memory

    first      collect ▸ prepare │ deliver one by one ▸ reconcile      every case is new
                                 └ carrier: the same messages once more on a copy, 100 in each
    settling   all four           what delivering and its answers have changed is looked at
    quiet      all four, again    nothing has changed: a second run over settled cases
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import district
from benchmarks.clock import Measured, middle, timed
from benchmarks.workload import ROOT
from kiezbruecke.ledger import Ledger
from kiezbruecke.stages.reconciling import REPORTS
from kiezbruecke.stages.work import Counts

SOURCE, DESTINATION = "kk-tk-meinberlin", "kk-tk-hkr"
STEPS = ("collect", "prepare", "deliver", "reconcile")
STAGES = (*STEPS, "carrier")
_QUIET_RUNS, _WARM = 3, 20
Steps = dict[str, Measured]


@dataclass(frozen=True)
class Found:
    """What one number of cases took: seconds per stage, and peak memory in MB."""

    count: int
    first: Steps
    settling: Steps
    quiet: Steps
    peak: float

    def microseconds(self, steps: Steps) -> Steps:
        """Per case."""
        return {name: spent * (1e6 / self.count) for name, spent in steps.items()}


def look(count: int) -> Found:
    """Take so many cases through all stages in another process; needs Linux."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.stages", str(count)], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    said = json.loads(done.stdout)
    return Found(count, _steps(said["first"]), _steps(said["settling"]), _steps(said["quiet"]), said["peak"])


def measure(count: int, folder: Path) -> dict[str, Any]:
    """The same in this process, as JSON says it."""
    file = folder / "platform.jsonl"
    district.write_platform(file, count)
    ledger = district.open_ledger(folder)
    district.add_decisions(ledger, count)
    run = _Run(ledger, district.Shelf(file))
    first = run.steps("collect", "prepare")
    run.expect("prepared", count)
    run.ledger = _copied(ledger, folder / "carrier")
    first["carrier"] = run.step("deliver", district.Taker())
    run.expect("delivered", count)
    run.ledger.close()
    run.ledger = district.open_ledger(folder)
    first |= run.steps("deliver", "reconcile")
    run.expect("delivered", count)
    run.expect("reports", min(count, REPORTS))
    settling = run.steps(*STEPS)
    while run.counts.get("reports"):  # one run asks for some of them only
        run.steps(*STEPS)
    quiet = [run.steps(*STEPS) for _ in range(_QUIET_RUNS)]
    run.expect("changed", 0)
    run.ledger.close()
    return {
        "first": _plain(first),
        "settling": _plain(settling),
        "quiet": _plain({name: middle([one[name] for one in quiet]) for name in STEPS}),
        "peak": _peak_megabytes(),
    }


class _Run:
    """The stages one after the other, and what the last of them counted."""

    def __init__(self, ledger: Ledger, shelf: district.Shelf) -> None:
        self.ledger, self._shelf, self._counter = ledger, shelf, district.Counter()
        self.counts = Counts()

    def steps(self, *names: str) -> Steps:
        self.counts = Counts()
        return {name: self.step(name, self._shelf if name == "collect" else self._counter) for name in names}

    def step(self, name: str, client: Any) -> Measured:
        route = SOURCE if name == "collect" else DESTINATION
        found: list[Counts] = []
        spent = timed(lambda: found.append(district.run_step(self.ledger, route, name, client)))
        self.counts.update(found[0])
        return spent

    def expect(self, word: str, count: int) -> None:
        """The stages must have done the work that is measured."""
        if self.counts.get(word, 0) != count:
            raise AssertionError(f"{word}: {count} expected, {self.counts}")


def _copied(ledger: Ledger, folder: Path) -> Ledger:
    """Another ledger with the same content; the first is closed, so that its file is whole."""
    ledger.close()
    folder.mkdir()
    shutil.copy(folder.parent / "ledger.sqlite3", folder)
    return district.open_ledger(folder)


def _peak_megabytes() -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())  # ru_maxrss would be our parent's
    assert found is not None
    return int(found[1]) / 1024


def _plain(steps: Steps) -> dict[str, list[float]]:
    return {name: [spent.cpu, spent.wall] for name, spent in steps.items()}


def _steps(said: Mapping[str, list[float]]) -> Steps:
    return {name: Measured(*spent) for name, spent in said.items()}


if __name__ == "__main__":
    with TemporaryDirectory() as warm, TemporaryDirectory() as name:
        measure(_WARM, Path(warm))  # what is imported and compiled once is in no figure
        print(json.dumps(measure(int(sys.argv[1]), Path(name))))
