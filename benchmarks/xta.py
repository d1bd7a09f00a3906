"""An xdomea 0401 over XTA as it really goes: two documents set, packed, three calls to the sandbox in its own process.

    prepare    join ▸ map ▸ set two PDF/A ▸ validate ▸ pack ▸ store
    deliver    createMessageId ▸ sendMessage ▸ getTransportReport, with the ledger's commits for the window

The CPU time is the client's: the server's is its own affair.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen

from benchmarks import district, workload
from benchmarks.clock import Measured, timed
from kiezbruecke.connector import Connection, Context, close, open_target
from kiezbruecke.content.processes import read_process
from kiezbruecke.ledger import Ledger
from kiezbruecke.sandbox import Running, start

ROUTE = "kk-tk-eakte"
_WARM = 5  # cases: fonts are read, the WSDL is compiled, connections are open
Steps = dict[str, Measured]


def message_seconds(count: int, window: int) -> Steps:
    """Seconds per message of each step, for so many cases that are all due at once."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        sandbox = start("connectors.xta.sandbox:create", folder / "sandbox", options=[f"content={workload.ROOT}"])
        try:
            return _through(folder, sandbox, count, window)
        finally:
            sandbox.kill()


def _through(folder: Path, sandbox: Running, count: int, window: int) -> Steps:
    target = _target(sandbox)
    for name, cases in (("warm", _WARM), ("measured", count)):
        (folder / name).mkdir()
        ledger = district.open_ledger(folder / name)
        district.fill(ledger, folder / name / "platform.jsonl", cases)
        found = _send(ledger, target, cases, window)
        ledger.close()
    close(target)
    with urlopen(f"{sandbox.url}/_sandbox/received", timeout=5) as answer:
        assert len(json.load(answer)) == _WARM + count
    return {step: spent * (1 / count) for step, spent in found.items()}


def _send(ledger: Ledger, target: Any, count: int, window: int) -> Steps:
    counts: dict[str, int] = {}
    found = {}
    for step in ("prepare", "deliver"):
        found[step] = timed(lambda step=step: counts.update(district.run_step(ledger, ROUTE, step, target, window)))  # type: ignore[misc]
    assert counts["prepared"] == counts["delivered"] == count, counts
    return found


def _target(sandbox: Running) -> Any:
    extra = {"party": "xyz:110090090000", "receiver": "abc:110090090001", "deadline": 20}
    process = read_process(workload.ROOT, workload.PROCESS)
    route = district.sending_route(ROUTE)
    party = Connection("eakte-tk", "kb_xta", sandbox.url, extra=extra)
    return open_target(party, Context(process, route.options, workload.ROOT))
