"""What the demonstration and the web interface both need: sandboxes, sheets, a ledger, a prepared Airflow."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import ModuleType
from typing import NoReturn

from rich.console import Console

from demo import ROOT, STATE, home, surroundings
from demo.processes import Register
from demo.servers import WHOLE, Commands, Servers
from kiezbruecke import german
from kiezbruecke.sandbox import Running

COLLECT = ("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-meinberlin")  # with them everything begins


class Teller:
    """Says what happens, with the seconds since the start."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
        self.began = time.monotonic()

    def say(self, text: str) -> None:
        """One line."""
        seconds = f"{time.monotonic() - self.began:6.1f}".replace(".", ",")
        self.console.print(f"{seconds} s  {text}", markup=False, soft_wrap=True)

    def tell(self, title: str, counted: Mapping[str, int], failed: bool) -> None:
        """One line about a route's run that has ended."""
        from kiezbruecke.desk import words  # noqa: PLC0415 - everybody's imports take seconds; they are done by now

        mark = "✗" if failed else "✓"
        self.say(f"{mark} {title}" + (f": {words.told(counted) or 'nichts Neues'}" if not failed else ""))


@contextmanager
def world(commands: Commands, register: Register, teller: Teller) -> Iterator[Servers]:
    """Ledger, sheets, sandboxes and an Airflow that waits for `release`; all processes are ended after the block.

    Everybody's imports take seconds, so all start at once; Airflow's processes begin when its database is ready.
    """
    surroundings.make_keys()
    dropped = surroundings.fill_inbox()
    teller.say(f"{german.count(dropped, 'Tabelle', 'Tabellen')} in den Eingangsordner gelegt")
    teller.say(f"Für die Vorführung ist heute der {german.day(home.TODAY)}")
    servers = Servers(STATE / "airflow", register, home.enter())
    sandboxes: dict[str, Running] = {}
    try:
        servers.start(commands)
        with ThreadPoolExecutor(1) as beside:
            starting = beside.submit(surroundings.start_sandboxes, sandboxes, register)
            control = _prepare()
            starting.result()
        teller.say(f"Nachbauten laufen: {', '.join(f'{name} {box.url}' for name, box in sandboxes.items())}")
        connections = surroundings.write_connections({name: box.url for name, box in sandboxes.items()})
        control.store_connections(connections)
        asking = commands is WHOLE
        servers.interrupted = control.close_dangling(asking=asking)
        control.awaken(asking=asking)
        again = german.count(len(servers.interrupted), "abgebrochene Strecke läuft", "abgebrochene Strecken laufen")
        left = f", {again} noch einmal" if servers.interrupted else ""
        teller.say(f"Hauptbuch und Airflow sind vorbereitet{left}")
        yield servers
    finally:
        servers.stop()
        for box in sandboxes.values():
            box.stop()


def _prepare() -> ModuleType:
    """Ledger and Airflow's database; only here, after `home.enter`, Airflow may be imported."""
    from kiezbruecke.edge import ledger_url  # noqa: PLC0415
    from kiezbruecke.ledger import upgrade  # noqa: PLC0415

    upgrade(ledger_url(ROOT))
    with home.quiet():
        from demo import control  # noqa: PLC0415
        from kiezbruecke.airflow.dags import pools  # noqa: PLC0415
    control.prepare(STATE / "airflow", pools(ROOT))
    return control


def interrupted(*_: object) -> NoReturn:
    """A polite end from outside is an end by the keyboard."""
    raise KeyboardInterrupt
