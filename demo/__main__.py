"""`make demo`: the main job on one machine, with real DAG runs, and a table at the end.

    ledger ─ sheets into the inbox ─ sandboxes ─ Airflow ─ collect … deliver … collect ─ both sides equal?

It can be killed anywhere and started again, and a second one sends nothing: the ledger remembers, not we.
"""

from __future__ import annotations

import signal
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from demo import ROOT, STATE
from demo.processes import Register, only_one
from demo.servers import LEAN, Servers
from demo.world import Teller, interrupted, world
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.privacy import keep_private

if TYPE_CHECKING:
    from demo.watch import Watch
    from kiezbruecke.house import House

COLLECT = ("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-meinberlin")
PROCESS = "kk-tk-2026"


def main() -> int:
    """Run the demonstration; 0 if it ended as expected."""
    keep_private()
    signal.signal(signal.SIGTERM, interrupted)
    teller = Teller()
    try:
        with only_one(STATE) as register:
            return _demonstrate(register, teller)
    except KiezbrueckeError as error:
        teller.say(f"Die Vorführung ist gescheitert. {error.code} {error}")
    except KeyboardInterrupt:
        teller.say("Abgebrochen. 'make demo' macht dort weiter, wo es stand.")
    return 1


def _demonstrate(register: Register, teller: Teller) -> int:
    if register.ended:
        teller.say(f"Reste eines abgebrochenen Laufs beendet: {register.ended} Prozesse")
    with world(LEAN, register, teller) as servers:
        from kiezbruecke.edge import open_house  # noqa: PLC0415 - the ledger is prepared by now

        with closing(open_house(ROOT)) as house:
            watch = _watch(servers, teller, house)
            servers.release()
            teller.say(f"Airflow läuft: {', '.join(servers.running)}, nur auf 127.0.0.1")
            watch.run(dict.fromkeys((*COLLECT, *servers.interrupted)))
        teller.say("Alles ruht, Airflow und die Sandkästen werden beendet")
    return _show(teller)


def _watch(servers: Servers, teller: Teller, house: House) -> Watch:
    """Before anything runs: what the clock starts in the first moment is watched, too."""
    from demo.watch import Watch  # noqa: PLC0415 - imports Airflow, which is prepared by now
    from kiezbruecke import pipeline  # noqa: PLC0415

    return Watch(servers, STATE / "airflow" / "logs", teller.tell, lambda: pipeline.outstanding(house))


def _show(teller: Teller) -> int:
    from demo import expected, table  # noqa: PLC0415
    from kiezbruecke.edge import open_house  # noqa: PLC0415

    with closing(open_house(ROOT)) as house:
        lines = table.read_lines(house.ledger, ROOT, PROCESS)
        differences = expected.differences(house.ledger, ROOT, PROCESS, STATE / "sandbox")
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


if __name__ == "__main__":
    sys.exit(main())
