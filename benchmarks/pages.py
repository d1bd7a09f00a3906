"""How long a person waits for each page of the desk, on both databases: the whole answer, which is sent in one piece.

python -m benchmarks.pages --cases 100000 --messages 1000000

The ledger is that of `desk.py` with what makes pages long beside it: a case with thousands of events, thousands of
open points, a year of runs. Pages are asked for as a browser does, without a socket. CPU time is that of this process
with all its threads; SQLite works in it, PostgreSQL in its own, so there the wall says what a person waits.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import func, insert, select, update
from starlette.requests import Request

from benchmarks import batches, desk
from benchmarks.clock import Measured, middle, timed
from kiezbruecke.content import find_content
from kiezbruecke.content.processes import read_process
from kiezbruecke.content.roles import read_roles
from kiezbruecke.house import House
from kiezbruecke.ledger import Ledger
from kiezbruecke.ledger import tables as t
from kiezbruecke.ledger.finding import keep_findable
from kiezbruecke.ledger.people import How, Person
from kiezbruecke.ledger.reading import STEPS
from kiezbruecke.page.app import page_app
from kiezbruecke.page.visitor import Visitor
from kiezbruecke.records import Process
from kiezbruecke.records.identity import case_id

LONGEST, WIDEST, RUNS = 2_000, 10_000, 20_000  # events of one case, open points, runs
_ROUTES = ("kk-tk-meinberlin", "kk-tk-eakte", "kk-tk-hkr", "kk-tk-zahlungen", "kk-tk-statusliste")
_OWNERS = ("spk-tk", "it-betrieb")
_SEARCHED = "Nummer 777"


@dataclass(frozen=True)
class Pages:
    """What was measured on one ledger."""

    unread: Measured
    """Seconds of a search directly after an upgrade, when nobody has read the cases yet"""
    found: dict[str, Measured]
    """Seconds of each page by its address, the median"""


def on_sqlite(process: Process, cases: int, messages: int, rounds: int) -> Pages:
    """All pages on a ledger in a file."""
    with TemporaryDirectory() as folder:
        desk.filled(Path(folder), process, cases, messages)
        house = desk.opened(Path(folder))
        lengthen(house.ledger, cases)
        found = measured(house, rounds)
        house.close()
    return found


def on_postgresql(process: Process, cases: int, messages: int, rounds: int) -> Pages:
    """All pages on a real PostgreSQL, after it has looked at its tables."""
    with batches.on_postgresql() as ledger:
        desk.fill(ledger, process, cases, messages)
        lengthen(ledger, cases)
        with ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")  # its own daemon does so within a minute
        return measured(House(find_content(), ledger, desk.no_connection), rounds)


def lengthen(ledger: Ledger, cases: int) -> None:
    """Give the ledger what makes pages long: never more than there are cases."""
    longest, widest, runs = (min(most, 10 * cases) for most in (LONGEST, WIDEST, RUNS))
    with ledger.write() as connection:
        first = _longest()
        seq = connection.execute(select(t.cases.c.last_event).where(t.cases.c.id == first)).scalar_one()
        events = [desk.event_row(first, seq + n, "content.opened", desk.reference(0)) for n in range(1, longest + 1)]
        connection.execute(insert(t.events), events)
        connection.execute(update(t.cases).where(t.cases.c.id == first).values(last_event=seq + longest))
        connection.execute(insert(t.attention), [_point(number, cases) for number in range(widest)])
        connection.execute(insert(t.runs), [_run(number) for number in range(runs)])
        connection.execute(update(t.changes).values(found=-1))


def measured(house: House, rounds: int) -> Pages:
    """Every page, each asked for several times in turn after one that warms up."""
    with _browser(house) as browser:
        looks = {name: partial(browser.get, path) for name, path in _pages(house)}
        looks["search"] = partial(browser.search, _SEARCHED)
        for look in looks.values():
            look()
        gc.collect()
        gc.freeze()  # modules and warm pages are nobody's garbage: looking through them would be in some page's time
        unread = timed(looks["search"])
        keep_findable(house.ledger)
        found = [{name: timed(look) for name, look in looks.items()} for _ in range(rounds)]
        gc.unfreeze()
    return Pages(unread, {name: middle([one[name] for one in found]) for name in looks})


def main() -> None:
    """Fill, look, say how long it took."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--cases", type=int, default=1000)
    asked.add_argument("--messages", type=int, default=10_000)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--on", choices=("sqlite", "postgresql"), default="sqlite")
    said = asked.parse_args()
    began = perf_counter()
    process = read_process(find_content(), desk.PROCESS)
    found = {"sqlite": on_sqlite, "postgresql": on_postgresql}[said.on](process, said.cases, said.messages, said.rounds)
    print(f"{said.cases} cases, {said.messages} messages on {said.on}; {perf_counter() - began:.0f} s in all")
    for what, one in {"search, unread": found.unread, **found.found}.items():
        print(f"{what:24} CPU {one.cpu * 1000:8.1f} ms   wall {one.wall * 1000:8.1f} ms")


class _Browser:
    """Asks an app for its pages without a socket; refuses to measure one that is not there."""

    def __init__(self, client: httpx.AsyncClient, runner: asyncio.Runner) -> None:
        self._client, self._runner = client, runner
        self._token = self.get("/faelle").partition('name="_token" value="')[2].partition('"')[0]

    def get(self, path: str) -> str:
        """A page."""
        return self._runner.run(self._text("GET", path))

    def search(self, words: str) -> str:
        """The page of what was found; what is typed is posted, and its answer leads there."""
        return self._runner.run(self._text("POST", "/faelle", {"text-suche": words, "_token": self._token}))

    async def _text(self, method: str, path: str, data: dict[str, str] | None = None) -> str:
        answer = await self._client.request(method, path, data=data, follow_redirects=True)
        answer.raise_for_status()
        return answer.text


@contextmanager
def _browser(house: House) -> Iterator[_Browser]:
    roles = read_roles(house.content)
    visitor = Visitor(Person("Klara Beispiel", "klara", How.AIRFLOW), tuple(roles.values()), frozenset(roles))

    async def who(_: Request) -> Visitor:
        return visitor

    app = page_app(lambda: house, who, secret=b"of this benchmark")
    with asyncio.Runner() as runner:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk")
        yield _Browser(client, runner)
        runner.run(client.aclose())


def _pages(house: House) -> Iterator[tuple[str, str]]:
    """Name and address of each."""
    with house.ledger.read() as connection:
        key = connection.execute(select(t.messages.c.key).limit(1)).scalar_one()
        points = connection.execute(
            select(t.attention.c.id).where(t.attention.c.closed_at.is_(None)).limit(1)
        ).scalar_one()
        most = connection.execute(select(func.max(t.messages.c.reference))).scalar_one()
    yield from {
        "/": "/",
        "/?wer=alle": "/?wer=alle",
        "/punkte/antwort": f"/punkte/antwort?nr={points}",
        "/faelle?nummer=": f"/faelle?nummer={most}",
        "/faelle/<id>": f"/faelle/{case_id(desk.PROCESS, desk.reference(1))}",
        "/faelle/<id>, long": f"/faelle/{_longest()}",
        "/listen": "/listen",
        "/freigaben": "/freigaben",
        "/freigaben/<route>": "/freigaben/kk-tk-zahlungen",
        "/abgleich": "/abgleich",
        "/nachrichten": "/nachrichten",
        "/nachrichten?stand=alle": "/nachrichten?stand=alle",
        "/nachrichten/<key>": f"/nachrichten/{key}",
        "/betrieb": "/betrieb",
        "/zuordnungen": "/zuordnungen",
        "/zuordnungen/<name>": "/zuordnungen/case-xdomea-0401",
        "/barrierefreiheit": "/barrierefreiheit",
    }.items()


def _longest() -> UUID:
    return case_id(desk.PROCESS, desk.reference(0))


def _point(number: int, cases: int) -> dict[str, Any]:
    """Waits for somebody."""
    which = number % cases
    return {
        "kind": ("set_aside", "overdue", "follow_up")[number % 3] if number % 100 else "clearing",
        "subject": f"open:{number}",
        "case_id": case_id(desk.PROCESS, desk.reference(which)),
        "route": _ROUTES[number % len(_ROUTES)],
        "owner": _OWNERS[number % len(_OWNERS)],
        "reason": f"{desk.reference(which)}: mappings/inbound/decision-sheet/mapping.yaml:19: 'outcome' "
        "(Quelle: item.ergebnis): das Wort steht nicht in der Liste",
        "answers": ["erledigt"] if number % 3 else [],
        "opened_at": desk.AT + timedelta(minutes=number),
    }


def _run(number: int) -> dict[str, Any]:
    at = desk.AT + timedelta(minutes=15 * number)
    return {
        "lane": "x",
        "fence": 1,
        "route": _ROUTES[number % len(_ROUTES)],
        "step": STEPS[number % len(STEPS)],
        "started_at": at,
        "ended_at": at,
        "counts": {"items": 3},
    }


if __name__ == "__main__":
    main()
