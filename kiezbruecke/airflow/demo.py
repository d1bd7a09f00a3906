"""`make demo`: the main job on one machine, with real DAG runs, and a table at the end.

    ledger ─ sheets into the inbox ─ sandboxes ─ Airflow ─ collect … deliver … collect ─ both sides equal?

It can be killed anywhere and started again, and a second one sends nothing: the ledger remembers, not we.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from kiezbruecke.airflow import home, surroundings
from kiezbruecke.airflow.processes import Register, only_one
from kiezbruecke.airflow.servers import LEAN, Servers
from kiezbruecke.content import find_content
from kiezbruecke.errors import KiezbrueckeError

COLLECT = ("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-meinberlin")
PROCESS = "kk-tk-2026"
WORDS = {
    "new": "neu",
    "gone": "verschwunden",
    "set_aside": "zurückgestellt",
    "receipts": "Rückmeldungen",
    "prepared": "vorbereitet",
    "sent": "gesendet",
    "delivered": "zugestellt",
    "confirmed": "bestätigt",
    "refused": "abgelehnt",
}


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
        counts = [f"{count} {WORDS[name]}" for name, count in counted.items() if name in WORDS and count]
        mark = "✗" if failed else "✓"
        self.say(f"{mark} {title}" + (f": {', '.join(counts) or 'nichts Neues'}" if not failed else ""))


def main() -> int:
    """Run the demonstration; 0 if it ended as expected."""
    signal.signal(signal.SIGTERM, _interrupted)
    teller = Teller()
    try:
        root = find_content(Path.cwd())
        state = root / "var"
        with only_one(state) as register:
            return _demonstrate(root, state, register, teller)
    except KiezbrueckeError as error:
        teller.say(f"Die Vorführung ist gescheitert. {error.code} {error}")
    except KeyboardInterrupt:
        teller.say("Abgebrochen. 'make demo' macht dort weiter, wo es stand.")
    return 1


def _demonstrate(root: Path, state: Path, register: Register, teller: Teller) -> int:
    if register.ended:
        teller.say(f"Reste eines abgebrochenen Laufs beendet: {register.ended} Prozesse")
    with world(root, state, register, teller) as servers:
        servers.start(LEAN)
        teller.say("Airflow startet (Scheduler und Ausführungsschnittstelle, nur auf 127.0.0.1)")
        _carry(root, state, servers, teller)
        teller.say("Alles ruht, Airflow und die Sandkästen werden beendet")
    return _show(root, state, teller)


@contextmanager
def world(root: Path, state: Path, register: Register, teller: Teller) -> Iterator[Servers]:
    """Ledger, sheets, sandboxes and a prepared Airflow; all processes are ended at the end of the block."""
    dropped = surroundings.fill_inbox(root, state)
    teller.say(f"Tabellen in den Eingangsordner gelegt: {dropped}")
    sandboxes = surroundings.start_sandboxes(root, state, register)
    teller.say(f"Sandkästen laufen: {', '.join(f'{name} {box.url}' for name, box in sandboxes.items())}")
    servers: Servers | None = None
    try:
        urls = {name: box.url for name, box in sandboxes.items()}
        port = home.enter(root, state, surroundings.write_connections(state, urls))
        _prepare(root, state, teller)
        servers = Servers(state / "airflow", register, port)
        yield servers
    finally:
        if servers is not None:
            servers.stop()
        for box in sandboxes.values():
            box.stop()


def _prepare(root: Path, state: Path, teller: Teller) -> None:
    """Only here, after `home.enter`, Airflow may be imported."""
    from kiezbruecke.edge import ledger_url  # noqa: PLC0415
    from kiezbruecke.ledger import upgrade  # noqa: PLC0415

    upgrade(ledger_url(root))
    with home.quiet():
        from kiezbruecke.airflow import control, dags  # noqa: PLC0415
    control.prepare(state / "airflow", dags.pools(root))
    closed = control.close_dangling()
    control.awaken()
    teller.say("Ledger und Airflow sind vorbereitet" + (f", {closed} hängende Läufe geschlossen" if closed else ""))


def _carry(root: Path, state: Path, servers: Servers, teller: Teller) -> None:
    from kiezbruecke import pipeline  # noqa: PLC0415
    from kiezbruecke.airflow.dags import HOUSEKEEPING  # noqa: PLC0415
    from kiezbruecke.airflow.watch import Watch  # noqa: PLC0415
    from kiezbruecke.edge import open_house  # noqa: PLC0415

    with closing(open_house(root)) as house:
        watch = Watch(servers, state / "airflow" / "logs", teller.tell, lambda: pipeline.outstanding(house))
        watch.run(COLLECT, last=HOUSEKEEPING)


def _show(root: Path, state: Path, teller: Teller) -> int:
    from kiezbruecke.airflow import expected, table  # noqa: PLC0415
    from kiezbruecke.edge import open_house  # noqa: PLC0415

    with closing(open_house(root)) as house:
        lines = table.read_lines(house.ledger, root, PROCESS)
        differences = expected.differences(house.ledger, root, PROCESS, state / "sandbox")
    teller.console.print()
    teller.console.print(table.show(lines))
    differences += [f"{line.name}: im HKR-Verfahren {line.theirs} €" for line in lines if not line.equal]
    for difference in differences:
        teller.say(f"ANDERS ALS ERWARTET: {difference}")
    teller.console.print(NEXT, markup=False)
    return 1 if differences else 0


NEXT = """
Wie es weitergeht:
  .venv/bin/kiezbruecke todo list              was einen Menschen braucht, und warum
  .venv/bin/kiezbruecke case show 2026-00001   ein Fall vom Vorschlag bis zur Festlegung
  .venv/bin/kiezbruecke message list           alle Nachrichten
  .venv/bin/kiezbruecke reconcile              unsere Summen und die des HKR-Verfahrens
  var/sandbox/xta/                             was die E-Akte bekommen hat
  var/ausgang/statusliste/                     die Statusliste für die Antragstellenden
  var/eingang/beschluesse/done/                die Beschlusslisten mit einem Bericht je Zeile
  make up                                      Airflow mit Weboberfläche
"""


def _interrupted(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
