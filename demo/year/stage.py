"""The year's district: sandboxes as processes, folders, a ledger, in a folder of its own beside `make demo`'s."""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from ruamel.yaml import YAML

from demo import ROOT
from demo.surroundings import INITIATOR, MODERATOR
from demo.year.story import YEAR, Day, Grant, Idea, Kasse, Vote
from kiezbruecke import german, pipeline
from kiezbruecke.attention import decide
from kiezbruecke.content.routes import route_places
from kiezbruecke.edge import ledger_url, open_house
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.house import House
from kiezbruecke.ledger import upgrade
from kiezbruecke.ledger.people import How, Person
from kiezbruecke.ledger.todo import Answer, open_points
from kiezbruecke.sandbox import Running, start

DECISION = (
    "Verfahren", "Bezirksregion", "Sitzung am", "Referenznummer", "Titel", "Ergebnis", "Bewilligt (€)", "Rang",
    "Protokoll", "Erfasst von", "Korrektur", "Begründung",
)  # fmt: skip
BUDGET = (
    "Verfahren", "Haushaltsjahr", "Bezirksregion", "Betrag (€)", "Kapitel", "Titel", "Status", "Gültig ab", "Grund",
    "Erfasst von",
)  # fmt: skip
FOLDERS = {"budgets": "budget-sheet", "beschluesse": "decision-sheet", "statusliste": "status-list"}
CHAPTER, TITLE = "5950", "97113"
COLLECT = ("budgets", "beschluesse", "meinberlin")
SEND = ("eakte", "hkr", "eakte-postfach", "hkr-rueckmeldungen", "hkr", "statusliste", "antworten")
CLERK = Person("SPK 1", "jahr", How.OS)
MOST_ROUNDS = 8
FAULTS = {  # what goes wrong in between: answers that are lost, servers that are busy, words that come twice or late
    "xta": (
        "commit_then_lose",
        "lose_before_commit",
        "reset",
        "duplicate_ack",
        "ack_delayed",
        "getmessage_lost",
        "close_lost",
    ),
    "hkr": ("commit_then_lose", "lose_before_commit", "reset", "duplicate_ack", "no_answer_yet", "busy"),
    "meinberlin": (
        "server_error",
        "truncated_body",
        "reset",
        "detail_error",
        "moderate_lost",
        "moderate_not_taken",
        "moderate_server_error",
        "moderate_session_gone",
        "moderate_token_old",
    ),
}


@dataclass(frozen=True)
class District:
    """A process of the year: its routes begin with `prefix`, its connections end with `code`."""

    process: str
    prefix: str
    code: str


@dataclass
class Stage:
    """The district at work."""

    state: Path
    house: House
    sandboxes: Mapping[str, Running]  # `meinberlin`, and per district `xta-tk`, `hkr-tk`
    districts: Sequence[District]
    routes: frozenset[str]
    chance: random.Random
    dropped: int = 0
    failed: int = 0  # steps that ended with an error and were run again

    def play(self, day: Day) -> None:
        """Do what people do on this day, then let the routes run until nothing is left to do."""
        self._put_in_budgets(day.grants)
        self._propose(day.ideas, day.date)
        self._say(day.statements)
        for number, (kasse, votes) in enumerate(day.sheets):
            self._put_in_decisions(kasse, votes, day.date, number)
        self._go_wrong()
        self.run()

    def run(self) -> None:
        """All routes, again and again until they rest; what fails is run again, as a scheduler does."""
        for _ in range(MOST_ROUNDS):
            failed = self.failed
            for district in self.districts:
                for name in (*COLLECT, *SEND):
                    if f"{district.prefix}-{name}" in self.routes:
                        self._run(f"{district.prefix}-{name}")
            if failed == self.failed and not sum(pipeline.outstanding(self.house).values()) and not self._release():
                return
        raise SystemExit(f"the routes do not come to rest: {pipeline.outstanding(self.house)}")

    def _release(self) -> int:
        """A clerk says of every grant that was taken back and still stands in public: the sheet is right."""
        taken_back = [one for one in open_points(self.house.ledger) if Answer.RELEASE in one.answers]
        for point in taken_back:
            decide(self.house.ledger, point, Answer.RELEASE, person=CLERK, reason="Mit dem Verein gesprochen.")
        return len(taken_back)

    def mails(self) -> list[dict[str, Any]]:
        """Every mail that the platform has sent to a citizen."""
        return self._ask_platform("mails")

    def proposals(self) -> list[dict[str, Any]]:
        """What stands on the platform."""
        return self._ask_platform("proposals")

    def _ask_platform(self, what: str) -> list[dict[str, Any]]:
        with urlopen(f"{self.sandboxes['meinberlin'].url}/_sandbox/{what}", timeout=20) as answer:  # noqa: S310 - ours
            found: list[dict[str, Any]] = json.load(answer)
        return found

    def _run(self, route: str) -> None:
        try:
            pipeline.run(self.house, route)
        except KiezbrueckeError:
            self.failed += 1

    def _go_wrong(self) -> None:
        for name, sandbox in self.sandboxes.items():
            for fault in self.chance.sample(FAULTS[name.partition("-")[0]], 2):
                sandbox.arm(fault)

    def _put_in_budgets(self, grants: Sequence[Grant]) -> None:
        for district in self.districts:
            rows = [
                (one.kasse.process, YEAR, one.kasse.name, german.number(one.amount), CHAPTER, TITLE, one.status,
                 f"01.01.{YEAR}", one.reason or "Verteilung", "SPK")
                for one in grants if one.kasse.process == district.process
            ]  # fmt: skip
            if rows:
                self.dropped += 1
                self._drop(district, "budgets", f"budgetliste-{self.dropped}.csv", BUDGET, rows)

    def _put_in_decisions(self, kasse: Kasse, votes: Sequence[Vote], when: date, number: int) -> None:
        rows = [
            (kasse.process, kasse.name, german.day(when), vote.idea.reference, vote.idea.title, vote.word,
             german.number(vote.amount), vote.rank or "", f"Protokoll {when:%m/%d}", "SPK",
             "ja" if vote.correction else "", vote.reason)
            for vote in votes
        ]  # fmt: skip
        [district] = [one for one in self.districts if one.process == kasse.process]
        self._drop(district, "beschluesse", f"beschlussliste-{kasse.area}-{when:%m%d}-{number}.csv", DECISION, rows)

    def _propose(self, ideas: Sequence[Idea], when: date) -> None:
        rows = [
            {
                "pk": idea.pk,
                "module": idea.kasse.module,
                "name": idea.title,
                "budget": int(idea.asked),
                "created": f"{when - timedelta(days=idea.pk % 7)}T12:00:00+01:00",
                "contact_email": f"idee-{idea.pk}@example.org",
                "description": f"<p>{idea.title}: wofür und für wen.</p>",
            }
            for idea in ideas
        ]
        self._tell_platform(rows)

    def _say(self, statements: Mapping[int, str]) -> None:
        self._tell_platform([{"pk": pk, "moderator_status": status} for pk, status in statements.items()])

    def _tell_platform(self, rows: list[dict[str, Any]]) -> None:
        if rows:
            address = f"{self.sandboxes['meinberlin'].url}/_sandbox/proposals"
            urlopen(Request(address, json.dumps(rows).encode(), method="PUT"), timeout=20).close()  # noqa: S310 - ours

    def _drop(
        self, district: District, kind: str, name: str, header: Sequence[str], rows: Sequence[Sequence[object]]
    ) -> None:
        out = io.StringIO()
        csv.writer(out, delimiter=";").writerows([header, *rows])
        (self.state / f"{kind}-{district.code}" / name).write_text(out.getvalue(), "utf-8-sig")


@contextmanager
def stage(state: Path, districts: Sequence[District]) -> Iterator[Stage]:
    """Set it up in an empty folder, and end its processes afterwards."""
    shutil.rmtree(state, ignore_errors=True)
    for kind, district in product(FOLDERS, districts):
        (state / f"{kind}-{district.code}").mkdir(parents=True)
    sandboxes: dict[str, Running] = {}
    try:
        platform = _platform(state)
        for name in ("meinberlin", *(f"{kind}-{one.code}" for one in districts for kind in ("xta", "hkr"))):
            create = f"connectors.{name.partition('-')[0]}.sandbox:create"
            options = [f"data={platform}"] if name == "meinberlin" else []
            sandboxes[name] = start(create, state / "sandbox" / name, options=options)
        found = {name: one for district in districts for name, one in _connections(state, sandboxes, district).items()}
        (state / "connections.json").write_text(json.dumps(found), "utf-8")
        content = _content(state / "content", districts)
        os.environ.update({"KIEZBRUECKE_STATE": str(state), "KIEZBRUECKE_CONTENT": str(content)})
        os.environ.pop("KIEZBRUECKE_LEDGER_URL", None)
        upgrade(ledger_url(content))
        with closing(open_house(content)) as house:
            routes = frozenset(place.name for place in route_places(content))
            yield Stage(state, house, sandboxes, districts, routes, random.Random("faults"))  # noqa: S311 - no secret
    finally:
        for one in sandboxes.values():
            one.stop()


@contextmanager
def logged(state: Path) -> Iterator[None]:
    """What the software says of all the faults goes into a file, not onto the screen."""
    logs = [logging.getLogger(name) for name in ("kiezbruecke", "connectors")]
    handler = logging.FileHandler(state / "protokoll.log", encoding="utf-8")
    for log in logs:
        log.addHandler(handler)
        log.propagate = False
    try:
        yield
    finally:
        for log in logs:
            log.propagate = True
            log.removeHandler(handler)
        handler.close()


def _content(content: Path, districts: Sequence[District]) -> Path:
    """What is shipped, with the answers home turned on and their texts reviewed, as a district does it."""
    for folder in ("mappings", "schemas"):
        shutil.copytree(ROOT / folder, content / folder)
    for file in (content / "mappings" / "texts").rglob("*.yaml"):
        text = file.read_text("utf-8")
        if "same_as:" not in text:
            file.write_text(f"{text}reviewed: {{by: SPK, on: {YEAR}-01-12}}\n", "utf-8")
    yaml = YAML()
    for district in districts:
        file = content / "mappings" / "processes" / f"{district.process}.yaml"
        body = yaml.load(file.read_text("utf-8"))
        body["routes"].pop("mode", None)  # an example is shipped off
        body["routes"]["sending"]["mode"] = "live"
        if body["routes"]["changes"].get("antworten", {}) is not None:
            body["routes"]["changes"]["antworten"] = {"mode": "live", "pace": None}  # no hour is a quiet one
        with file.open("w", encoding="utf-8") as handle:
            yaml.dump(body, handle)
    return content


def _platform(state: Path) -> Path:
    """The demonstration's platform before anybody has written anything."""
    body = json.loads((ROOT / "demo" / "proposals.json").read_text("utf-8"))
    file = state / "platform.json"
    file.write_text(json.dumps({**body, "proposals": []}), "utf-8")
    return file


def _connections(state: Path, sandboxes: Mapping[str, Running], district: District) -> dict[str, Any]:
    code = district.code
    party = {"party": "xyz:110090090000", "party_name": "Bezirksamt (ein Jahr)", "receiver": "xyz:110090090001"}
    url = {name: one.url for name, one in sandboxes.items()}
    folders = {
        f"{kind}-{code}": {
            "conn_type": "kb_folder",
            "extra": {"path": str(state / f"{kind}-{code}"), "profile": profile, "settle_seconds": 0},
        }
        for kind, profile in FOLDERS.items()
    }
    platform = {"conn_type": "kb_meinberlin", "host": url["meinberlin"], **MODERATOR, "extra": dict(INITIATOR)}
    return {
        **folders,
        f"meinberlin-{code}": platform,
        f"eakte-{code}": {"conn_type": "kb_xta", "host": url[f"xta-{code}"], "extra": party},
        f"hkr-{code}": {"conn_type": "kb_hkr", "host": url[f"hkr-{code}"], "extra": {"dienststelle": "SPK"}},
    }
