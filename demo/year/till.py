"""Plays the year of money: sheets, the real routes, two who release, HKR's sandbox that pays and goes wrong.

Without Airflow, in this process: it says which day it is, and drives the pipeline as the command line does.
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from openpyxl import load_workbook

from demo import ROOT
from demo.surroundings import SHEETS
from demo.year.grants import CUT_OFF, HEADERS, PROCESS, YEAR, Morning
from kiezbruecke import clock, pipeline, release, vault
from kiezbruecke.content.processes import read_process
from kiezbruecke.edge import ledger_url, open_house
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.house import House
from kiezbruecke.ledger import upgrade
from kiezbruecke.ledger.people import How, Person
from kiezbruecke.machine import write_file
from kiezbruecke.privacy import make_private
from kiezbruecke.release import ActKind, Approver
from kiezbruecke.sandbox import Running, start

PREFIX = "kk-tk"
COLLECT = ("budgets", "beschluesse", "antraege", "nachweise")
ROUTES = (*COLLECT, "hkr", "hkr-rueckmeldungen", "zahlungen", "erstattungen", "hkr-rueckmeldungen")
RELEASED = ("zahlungen", "erstattungen")
CERTIFIER = Approver(Person("Erika Muster", "muster", How.AIRFLOW), frozenset({"certifier"}))  # invented, as all here
ORDERER = Approver(Person("Bert Anders", "anders", How.AIRFLOW), frozenset({"orderer"}))
FAULTS = (
    "commit_then_lose", "lose_before_commit", "reset", "duplicate_ack", "replayed_ack", "no_answer_yet", "busy",
    "in_progress", "truncated_answer",
)  # fmt: skip
MOST_ROUNDS = 12
BUDGETS = ROOT / "demo" / "budgets" / "budgetliste-2026.xlsx"


@dataclass
class Till:
    """A district that pays."""

    state: Path
    house: House
    hkr: Running
    areas: Mapping[str, str]  # number by name
    chance: random.Random
    frozen: set[str] = field(default_factory=set)  # numbers of areas whose fund may pay nothing out now
    released: int = 0
    failed: int = 0  # runs that ended with an error and were started again

    def play(self, morning: Morning) -> None:
        """Do what people do on this day; the routes run before and after."""
        clock.say(morning.date)
        if morning.first_budgets:
            shutil.copyfile(BUDGETS, self.state / "budgets" / f"{morning.date}.xlsx")
        for row in morning.sheets.get("budgets", ()):
            number = self.areas[str(row["Bezirksregion"])]
            (self.frozen.discard if row["Status"] == "freigegeben" else self.frozen.add)(number)
        for kind, rows in morning.sheets.items():
            if rows:
                _put(self.state / kind / f"{morning.date}.csv", HEADERS[kind], rows)
        for fault in self.chance.sample(FAULTS, 2):
            self.hkr.arm(fault)
        self.run()
        while morning.releases and self._release():
            self.run()
        if morning.pays:
            self._ask("POST", "day", {"date": f"{morning.date}"})
            self.run()

    def run(self) -> None:
        """All routes, again and again until they rest; what fails is run again, as a scheduler does."""
        for _ in range(MOST_ROUNDS):
            moved = [self._run(f"{PREFIX}-{name}") for name in ROUTES]
            if not any(moved) and not self._unanswered():
                return
        raise SystemExit(f"the routes do not come to rest: {pipeline.outstanding(self.house)}")

    def sums(self) -> dict[str, dict[str, Decimal]]:
        """The budget system's own sums by area number, in euros."""
        found = self._ask("GET", "sums")
        return {
            one["Unterkonto"]: {name: Decimal(one[name]) for name in ("committed", "paid", "refunded")} for one in found
        }

    def close_accounts(self, ibans: Collection[str]) -> None:
        """What is paid to them comes back on a later day."""
        self._ask("PUT", "bounces", {"IBAN": list(ibans)})

    def _unanswered(self) -> int:
        """Messages without their answer; what is due is no sign, for a frozen fund's payments are and stay so."""
        return pipeline.outstanding(self.house)[f"{PREFIX}-hkr-rueckmeldungen"]

    def _run(self, route: str) -> bool:
        """Whether something has moved, or must be tried again."""
        try:
            counts = pipeline.run(self.house, route)
        except KiezbrueckeError:
            self.failed += 1
            return True
        return bool(counts.get("changed") or counts.get("prepared"))

    def _release(self) -> int:
        """Two people look and sign what waits, but for frozen funds."""
        return sum(self._sign(f"{PREFIX}-{name}") for name in RELEASED)

    def _sign(self, route: str) -> int:
        done = 0
        for kind, who in ((ActKind.CERTIFY, CERTIFIER), (ActKind.ORDER, ORDERER)):
            only = [
                line.reference for line in release.show(self.house, route, kind).lines if line.area not in self.frozen
            ]
            view = release.show(self.house, route, kind, only=only)
            if not only or view.obstacles:
                return 0
            act = release.order if kind is ActKind.ORDER else release.certify
            done = act(self.house, route, view.shown, who, "geprüft", only=only)
        self.released += done
        return done

    def _ask(self, method: str, name: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.hkr.url}/_sandbox/{name}", data, method=method), timeout=20) as answer:  # noqa: S310
            said = answer.read()
        return json.loads(said) if said else None


def budgets(areas: Collection[str] = ()) -> dict[str, Decimal]:
    """Euros by area, as the demonstration's budget sheet says; only these areas, where some are named."""
    head, *lines = load_workbook(BUDGETS).worksheets[0].iter_rows(values_only=True)
    rows = [dict(zip(head, line, strict=True)) for line in lines]
    return {
        str(row["Bezirksregion"]): Decimal(str(row["Betrag (€)"]))
        for row in rows
        if not areas or row["Bezirksregion"] in areas
    }


@contextmanager
def till(state: Path) -> Iterator[Till]:
    """Set it up in an empty folder, and end its process afterwards."""
    shutil.rmtree(state, ignore_errors=True)
    for kind in COLLECT:
        (state / kind).mkdir(parents=True)
    given, process = budgets(), read_process(ROOT, PROCESS)
    areas = {area.name: area.id for area in process.areas}
    limits = [f"limit.{areas[name]}={amount}" for name, amount in given.items()]
    options = [f"content={ROOT}", f"today={YEAR}-01-02", f"cutoff={CUT_OFF}", *limits]
    hkr = start("connectors.hkr.sandbox:create", state / "sandbox" / "hkr", options=options)
    try:
        (state / "connections.json").write_text(json.dumps(_connections(state, hkr)), "utf-8")
        _make_keys(state)
        os.environ.update({"KIEZBRUECKE_STATE": str(state), "KIEZBRUECKE_CONTENT": str(ROOT)})
        for name in ("KIEZBRUECKE_LEDGER_URL", clock.VARIABLE):
            os.environ.pop(name, None)
        upgrade(ledger_url(ROOT))
        with closing(open_house(ROOT)) as house:
            yield Till(state, house, hkr, areas, random.Random("faults"))  # noqa: S311 - no secret
    finally:
        clock.say(None)
        hkr.stop()


def _make_keys(state: Path) -> None:
    file = state / vault.FILE
    make_private(file)
    write_file(file, vault.new_keys(str(file)).text())


def _connections(state: Path, hkr: Running) -> dict[str, Any]:
    folders = {
        f"{kind}-tk": {
            "conn_type": "kb_folder",
            "extra": {"path": str(state / kind), "profile": SHEETS[kind], "settle_seconds": 0},
        }
        for kind in COLLECT
    }
    return {**folders, "hkr-tk": {"conn_type": "kb_hkr", "host": hkr.url, "extra": {"dienststelle": "SPK"}}}


def _put(file: Path, header: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    out = io.StringIO()
    sheet = csv.DictWriter(out, header, restval="", delimiter=";")
    sheet.writeheader()
    sheet.writerows(rows)
    file.write_text(out.getvalue(), "utf-8-sig")
