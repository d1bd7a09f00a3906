"""Goals, what was measured, and whether it is reached: the table, and results.json with the raw medians."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from benchmarks.workload import ROOT

FILE = ROOT / "benchmarks" / "results.json"


@dataclass(frozen=True)
class Goal:
    """One promise: what is compared, and the bound."""

    key: str
    what: str
    bound: float
    kind: Literal["at least", "at most"]
    unit: str = "×"

    def reached(self, value: float) -> bool:
        """Whether a value keeps the promise."""
        return value >= self.bound if self.kind == "at least" else value <= self.bound

    @property
    def shown(self) -> str:
        """The bound as the table shows it."""
        return f"{'≥' if self.kind == 'at least' else '≤'} {self.bound:g} {self.unit}"


GOALS = (
    Goal("mapping_vs_lxml", "our mapping, xdomea 0401: faster than hand-written lxml", 8, "at least"),
    Goal("mapping_vs_xsdata", "… than xsdata", 60, "at least"),
    Goal("mapping_vs_jinja2", "… than a Jinja2 template (no goal: it checks nothing)", 0, "at least"),
    Goal("mapping_vs_interpreter", "… than our own interpreter (no goal: it is the oracle)", 0, "at least"),
    Goal("mapping_vs_lxml_pain", "our mapping, pain.001 entry: faster than hand-written lxml", 2.5, "at least"),
    Goal("mapping_vs_xsdata_pain", "… than xsdata", 15, "at least"),
    Goal("mapping_vs_jinja2_pain", "… than a Jinja2 template (no goal)", 0, "at least"),
    Goal("chain_vs_lxml", "chain JSON → XSD-valid bytes, with lineage: our time ÷ hand-written lxml", 0.6, "at most"),
    Goal("chain_vs_xsdata", "… faster than xsdata", 12, "at least"),
    Goal("chain_inbound_vs_lxml", "… from the platform's JSON, inbound mapping too: our time ÷ lxml", 0.6, "at most"),
    Goal("chain_inbound_vs_xsdata", "… faster than xsdata", 12, "at least"),
    Goal("pipeline_vs_script", "whole pipeline, prebuilt envelopes: faster than the user's script", 8, "at least"),
    Goal("pipeline_zeep_vs_script", "… through zeep", 2.5, "at least"),
    Goal("pipeline_vs_floor", "whole pipeline: our time ÷ our own hand-written floor", 1.0, "at most"),
    Goal("group_commit", "ledger: a commit for 100 messages, faster than one each", 15, "at least"),
    Goal("memory_100k_vs_10k", "peak memory of 100,000 records ÷ of 10,000", 1.1, "at most"),
    Goal("memory_tenfold", "peak memory of ten times as many records ÷ of the few", 1.1, "at most"),
    Goal("memory_100k_mb", "peak memory of 100,000 records", 100, "at most", "MB"),
    Goal("noop_us", "second run that finds nothing to do, per record", 40, "at most", "µs"),
    Goal("cold_s", "process start → 30 cases delivered to e-file and budget system", 0.6, "at most", "s"),
    Goal("parse_240_s", "one parse of 240 routes, our own time", 1.0, "at most", "s"),
)
NOT_MEASURED = {
    "latency_8_vs_1": "the deliver stage has one connection per destination; there is nothing parallel to measure yet",
    "memory_pain_1m_mb": "a message is one piece of bytes; there is no streaming writer for one message yet",
    "airflow_one_record_s": "needs a running Airflow: make demo shows it",
    "airflow_share": "needs a running Airflow",
    "dag_processor_at_rest": "needs a running Airflow for minutes",
    "restart_to_first_delivery_s": "needs a running Airflow: make kill shows it",
    "search_p95_ms": "a ledger of 1,000,000 messages takes longer to fill than the whole suite may take",
    "kill_9": "a promise, not a figure: tests/crash",
}


@dataclass
class Results:
    """What a run found: `values` by key of a goal, `raw` medians, `facts` about the work."""

    values: dict[str, float] = field(default_factory=dict)
    raw: dict[str, dict[str, float]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    not_measured: dict[str, str] = field(default_factory=lambda: dict(NOT_MEASURED))

    def write(self) -> None:
        """benchmarks/results.json: no path, no name of a machine."""
        body = {
            **{key: _rounded(value) for key, value in self.values.items()},
            "raw": {name: {key: _rounded(value) for key, value in one.items()} for name, one in self.raw.items()},
            "facts": self.facts,
            "not_measured": self.not_measured,
        }
        FILE.write_text(json.dumps(body, ensure_ascii=False, indent=2) + "\n", "utf-8")

    def show(self, console: Console) -> None:
        """The raw medians way by way, the table of goals, and what was not measured."""
        for name, one in self.raw.items():
            console.print(
                f"{name}: " + ", ".join(f"{key} {_rounded(value):g}" for key, value in one.items()), markup=False
            )
        table = Table("what", "key", "goal", "measured", "reached?")
        for goal in GOALS:
            if goal.key in self.values:
                value = self.values[goal.key]
                bound, word = (goal.shown, "yes" if goal.reached(value) else "no") if goal.bound else ("–", "–")
                table.add_row(goal.what, goal.key, bound, f"{_rounded(value):g} {goal.unit}", word)
        console.print(table)
        for key, why in self.not_measured.items():
            console.print(f"not measured: {key}: {why}", markup=False)


def _rounded(value: float) -> float:
    """Three digits: the rest is noise."""
    return float(f"{value:.3g}")
