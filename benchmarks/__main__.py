"""`make bench`: every ratio that can be measured by now, peers and we in one run; QUICK=1 for a first look.

equality ─▶ mapping ─▶ chain ─▶ pipeline ─▶ ledger ─▶ processes ─▶ table and benchmarks/results.json
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from rich.console import Console

from benchmarks import delivery, offline, processes, standstill, ways, workload
from benchmarks.clock import Contest
from benchmarks.district import CHUNK
from benchmarks.report import Results


@dataclass(frozen=True)
class Scale:
    """How much is measured."""

    records: int
    rounds: int
    proofs: int
    chunks: int
    commits: int
    noop: int
    noops: int
    colds: int  # none in a first look: one takes as long as all the rest
    parses: int
    memory_seconds: float  # what the larger of the two memory runs may take


FULL = Scale(workload.RECORDS, 15, 50, 5, 5, 1000, 3, 2, 3, 25.0)
QUICK = Scale(1000, 5, 4, 1, 2, 100, 2, 0, 1, 2.0)


Section = Callable[[Scale, Results], None]


def main() -> int:
    """Run the suite; 1 if a section could not be measured. Raises NotTheSame if two ways do not write the same."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    scale, results, began = QUICK if os.environ.get("QUICK") else FULL, Results(), perf_counter()
    results.facts = {"records": scale.records, "rounds": scale.rounds, "chunk": CHUNK, "quick": scale is QUICK}
    _prove(scale, results)
    failed = [title for title, section in SECTIONS if not _measured(title, section, scale, results, console, began)]
    results.facts["seconds"] = round(perf_counter() - began)
    results.show(console)
    results.write()
    return 1 if failed else 0


def _measured(title: str, section: Section, scale: Scale, results: Results, console: Console, began: float) -> bool:
    """Measure one section; where its program does not do what it should, the others are measured all the same."""
    console.print(f"{perf_counter() - began:6.1f} s  {title} …", markup=False)
    try:
        section(scale, results)
    except processes.Unexpected as error:
        results.not_measured[title] = str(error).strip().splitlines()[-1]
        return False
    return True


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
            results.values[f"mapping_vs_{peer}{suffix}"] = contest.ratio(peer, ways.OURS)


def _chain(scale: Scale, results: Results) -> None:
    records = offline.pieces(scale.records // 10)
    contests = {"chain": offline.chain_contest, "chain_inbound": offline.inbound_contest}
    for key, compete in contests.items():
        contest = compete(records, scale.rounds)
        _keep(results, f"{key}, µs per record", contest)
        results.values[f"{key}_vs_lxml"] = contest.ratio(ways.OURS, ways.LXML)
        results.values[f"{key}_vs_xsdata"] = contest.ratio(ways.XSDATA, ways.OURS)


def _pipeline(scale: Scale, results: Results) -> None:
    contest = delivery.pipeline_contest(offline.pieces(CHUNK * (scale.chunks + 1)), scale.chunks)
    _keep(results, "pipeline, µs per record", contest)
    results.values["pipeline_vs_script"] = contest.ratio(delivery.SCRIPT, delivery.OURS)
    results.values["pipeline_zeep_vs_script"] = contest.ratio(delivery.SCRIPT, delivery.THROUGH_ZEEP)
    results.values["pipeline_vs_floor"] = contest.ratio(delivery.OURS, delivery.FLOOR)


def _ledger(scale: Scale, results: Results) -> None:
    contest = delivery.group_commit_contest(scale.commits)
    _keep(results, "ledger, µs per message", contest)
    results.raw["ledger, µs per message"]["bare durable commit"] = delivery.fsync_us()
    results.values["group_commit"] = contest.ratio("each", "batch")
    found = standstill.noop_seconds(scale.noop, scale.noops)
    steps = {step: median(one[step] for one in found) * 1e6 for step in found[0]}
    results.raw["nothing to do, µs per record"] = steps
    results.values["noop_us"] = median(sum(one.values()) for one in found) * 1e6
    results.facts["noop_records"] = scale.noop


def _parse(scale: Scale, results: Results) -> None:
    results.values["parse_240_s"] = median(processes.parse_seconds(240, scale.parses))


def _cold(scale: Scale, results: Results) -> None:
    if colds := processes.cold_seconds(scale.colds):
        results.raw["cold, s"] = {name: median(one[name] for one in colds) for name in colds[0]}
        results.values["cold_s"] = results.raw["cold, s"]["delivered"]
    else:
        results.not_measured["cold_s"] = "takes too long for QUICK=1"


def _memory(scale: Scale, results: Results) -> None:
    """100,000 records against 10,000, or so many as the time allows – then under another key."""
    each = results.raw["chain, µs per record"][ways.OURS] / 1e6
    if each * 10 * workload.RECORDS <= scale.memory_seconds:
        few, many, key = 10_000, 100_000, "memory_100k_vs_10k"
    else:
        many = max(200, int(scale.memory_seconds / each) // 100 * 100)
        few, key = many // 10, "memory_tenfold"
        why = f"100,000 records would take {each * 1e5:.0f} s; memory_tenfold is the same with {many} against {few}"
        results.not_measured["memory_100k_vs_10k"] = why
    small, large = processes.peak_megabytes(few), processes.peak_megabytes(many)
    results.raw["memory, MB"] = {f"{few} records": small, f"{many} records": large}
    results.values[key] = large / small
    if many == 10 * workload.RECORDS:
        results.values["memory_100k_mb"] = large


def _keep(results: Results, name: str, contest: Contest) -> None:
    results.raw[name] = {way: contest.microseconds(way) for way in contest.rounds}


SECTIONS: tuple[tuple[str, Section], ...] = (
    ("mapping", _mapping),
    ("chain from JSON bytes to valid bytes", _chain),
    ("whole pipeline into a SOAP sink", _pipeline),
    ("ledger", _ledger),
    ("one parse of 240 routes", _parse),
    ("cold start", _cold),
    ("memory", _memory),
)

if __name__ == "__main__":
    sys.exit(main())
