"""Goals, what was measured, and by how much each is met or missed: the table, and results.json with the raw medians."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from benchmarks.clock import Measured
from benchmarks.workload import ROOT

FILE = ROOT / "benchmarks" / "results.json"


@dataclass(frozen=True)
class Goal:
    """One promise: what is compared, the bound, and the clock that decides. A bound of 0 is no promise."""

    key: str
    what: str
    bound: float
    kind: Literal["at least", "at most"]
    unit: str = "×"
    clock: Literal["cpu", "wall"] = "cpu"  # wall: what a person waits for, and what CPU time cannot show

    def reached(self, value: float) -> bool:
        """Whether a figure keeps the promise."""
        return value >= self.bound if self.kind == "at least" else value <= self.bound

    def verdict(self, found: Measured) -> str:
        """Met or missed, by which factor, and what the other clock says if it says something else."""
        if not self.bound:
            return "–"
        value, other = (found.cpu, found.wall) if self.clock == "cpu" else (found.wall, found.cpu)
        word = "met" if self.reached(value) else f"missed {self._away(value):.2f}×"
        if self.reached(other) == self.reached(value) or (self.clock == "wall" and self.reached(value)):
            return word
        return f"{word} ({'wall' if self.clock == 'cpu' else 'CPU'}: {'met' if self.reached(other) else 'missed'})"

    @property
    def shown(self) -> str:
        """The bound with its sign."""
        sign = "≥" if self.kind == "at least" else "≤"
        return f"{sign} {self.bound:g} {self.unit}{' wall' if self.clock == 'wall' else ''}" if self.bound else "–"

    def _away(self, value: float) -> float:
        return self.bound / value if self.kind == "at least" else value / self.bound


GOALS = (
    Goal(
        "mapping_vs_lxml",
        "an xdomea 0401 written, not validated: faster than hand-written lxml",
        8,
        "at least",
    ),
    Goal("mapping_vs_xsdata", "… than xsdata", 55, "at least"),
    Goal("mapping_vs_jinja2", "… than a Jinja2 template (it asks for no type and no mandatory text)", 0, "at least"),
    Goal("mapping_vs_interpreter", "… than our own interpreter (the oracle)", 0, "at least"),
    Goal(
        "mapping_vs_lxml_pain",
        "a pain.001 entry written, not validated: faster than hand-written lxml",
        2.5,
        "at least",
    ),
    Goal("mapping_vs_xsdata_pain", "… than xsdata", 15, "at least"),
    Goal("mapping_vs_jinja2_pain", "… than a Jinja2 template", 0, "at least"),
    Goal("mapping_vs_interpreter_pain", "… than our own interpreter", 0, "at least"),
    Goal("chain_vs_lxml", "JSON → XSD-valid bytes, with lineage: our time ÷ hand-written lxml", 0.55, "at most"),
    Goal("chain_vs_xsdata", "… faster than xsdata", 7.5, "at least"),
    Goal("chain_inbound_vs_lxml", "… from the platform's JSON, inbound mapping too: our time ÷ lxml", 0.7, "at most"),
    Goal("chain_inbound_vs_xsdata", "… faster than xsdata", 6.5, "at least"),
    Goal("record_us", "the platform's JSON → record, by the inbound mapping", 30, "at most", "µs"),
    Goal("record_vs_hand", "… our time ÷ a function by hand for just these items", 0, "at most"),
    Goal("pipeline_vs_script", "whole pipeline, window 100: faster than the user's script", 5, "at least"),
    Goal("pipeline_zeep_vs_script", "… through zeep", 3, "at least"),
    Goal("pipeline_vs_floor", "… our time ÷ our own floor by hand", 1.4, "at most"),
    Goal("pipeline_one_vs_script", "whole pipeline, window 1: faster than the user's script", 0, "at least"),
    Goal("pipeline_zeep_one_vs_script", "… through zeep", 0, "at least"),
    Goal("pipeline_one_vs_floor", "… our time ÷ the floor that commits after each call", 0, "at most"),
    Goal("ledger_us", "ledger: store, claim, send, settle, per message in a batch of 100", 250, "at most", "µs"),
    Goal("ledger_money_us", "… where it holds money and becomes confirmed", 250, "at most", "µs"),
    Goal("ledger_us_postgresql", "… PostgreSQL, our side", 250, "at most", "µs"),
    Goal("ledger_money_us_postgresql", "… PostgreSQL, with money", 250, "at most", "µs"),
    Goal("xta_message_ms", "0401 over XTA, 2 documents, 3 calls, per message, window 1", 15, "at most", "ms"),
    Goal("xta_message_100_ms", "… window 100", 8, "at most", "ms"),
    Goal("latency_8_vs_1", "8 connections against 1 at 50 ms", 6, "at least", clock="wall"),
    Goal("noop_us", "second run over settled cases, all four steps, per case", 15, "at most", "µs"),
    Goal("growth_noop", "… per case, many ÷ few", 1.2, "at most"),
    Goal("growth_collect", "collect: time per record, many ÷ few", 1.2, "at most"),
    Goal("growth_prepare", "prepare", 1.2, "at most"),
    Goal("growth_deliver", "deliver, one by one", 1.2, "at most"),
    Goal("growth_carrier", "deliver, carriers of 100", 1.2, "at most"),
    Goal("growth_reconcile", "reconcile, a transport report each", 1.2, "at most"),
    Goal("memory_mb", "peak memory over all stages", 150, "at most", "MB"),
    Goal("case_show_p95_ms", "a case by its number, 95 of 100 looks", 60, "at most", "ms", "wall"),
    Goal("page_ms", "the slowest page of the desk, whole", 150, "at most", "ms"),
    Goal("page_ms_postgresql", "… PostgreSQL, our side", 150, "at most", "ms"),
    Goal("search_unread_ms", "a search directly after an upgrade", 150, "at most", "ms"),
    Goal("search_unread_ms_postgresql", "… PostgreSQL, our side", 150, "at most", "ms"),
    Goal("cold_s", "process start → 30 cases in e-file and budget system, without Airflow", 2, "at most", "s", "wall"),
    Goal("parse_240_s", "one parse of 240 routes, our own time", 0.4, "at most", "s"),
)
NOT_MEASURED = {
    "pain_1m_mb": "a message is one piece of bytes; there is no streaming writer for one message yet",
    "one record through Airflow": "needs a running Airflow: make demo shows it",
    "dag-processor at rest, restart": "needs minutes of a running Airflow: make kill shows the restart",
    "make demo": "make demo prints its own time",
}


@dataclass
class Results:
    """What a run found: `values` by key of a goal, `at` which size, `raw` medians, `facts` about work and machine."""

    values: dict[str, Measured] = field(default_factory=dict)
    at: dict[str, str] = field(default_factory=dict)
    raw: dict[str, dict[str, Measured]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    not_measured: dict[str, str] = field(default_factory=lambda: dict(NOT_MEASURED))

    def keep(self, key: str, found: Measured, at: str = "") -> None:
        """Remember the figure of a goal; `at`: how much it was measured with."""
        self.values[key] = found
        self.at[key] = at

    def keep_raw(self, name: str, found: Mapping[str, Measured], factor: float = 1) -> None:
        """Remember the medians behind the figures, way by way."""
        self.raw[name] = {way: one * factor for way, one in found.items()}

    def write(self) -> None:
        """benchmarks/results.json: no path, no name of a machine."""
        body = {
            **{goal.key: self._said(goal) for goal in GOALS if goal.key in self.values},
            "raw": {name: {way: _both(one) for way, one in ways.items()} for name, ways in self.raw.items()},
            "facts": self.facts,
            "not_measured": self.not_measured,
        }
        FILE.write_text(json.dumps(body, ensure_ascii=False, indent=2) + "\n", "utf-8")

    def show(self, console: Console) -> None:
        """The raw medians way by way, the table of goals, what the machine did, and what was not measured."""
        console.print("\nCPU time, and wall time in brackets:")
        for name, ways in self.raw.items():
            line = ", ".join(f"{way} {_short(one)}" for way, one in ways.items())
            console.print(f"  {name}: {line}", markup=False)
        console.print(self._table())
        for name, fact in self.facts.get("machine", {}).items():
            console.print(f"{name}: {fact}", markup=False)
        for key, why in self.not_measured.items():
            console.print(f"not measured: {key}: {why}", markup=False)

    def _table(self) -> Table:
        table = Table("what", "key", "measured with", "goal", "CPU", "wall", "goal is")
        for goal in GOALS:
            if goal.key in self.values:
                found = self.values[goal.key]
                cpu, wall = (f"{_rounded(value):g}" for value in (found.cpu, found.wall))
                table.add_row(goal.what, goal.key, self.at[goal.key], goal.shown, cpu, wall, goal.verdict(found))
        return table

    def _said(self, goal: Goal) -> dict[str, Any]:
        found = self.values[goal.key]
        return {**_both(found), "goal": goal.shown, "is": goal.verdict(found), "with": self.at[goal.key]}


def _both(found: Measured) -> dict[str, float]:
    return {"cpu": _rounded(found.cpu), "wall": _rounded(found.wall)}


def _short(found: Measured) -> str:
    return f"{_rounded(found.cpu):g} ({_rounded(found.wall):g})"


def _rounded(value: float) -> float:
    """Three digits: the rest is noise."""
    return float(f"{value:.3g}")
