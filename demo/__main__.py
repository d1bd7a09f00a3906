"""`make demo`: the main job on one machine, with real DAG runs, and a table at the end.

    ledger ─ sheets into the inbox ─ sandboxes ─ Airflow ─ collect … deliver … collect ─ both sides equal?

It can be killed anywhere and started again, and a second one sends nothing: the ledger remembers, not we.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from demo import ROOT, STATE
from demo.processes import Register, only_one
from demo.servers import LEAN, Servers
from demo.world import COLLECT, Teller, interrupted, world
from kiezbruecke import german
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.privacy import keep_private

if TYPE_CHECKING:
    from demo.expected import Verdict
    from demo.watch import Watch
    from kiezbruecke.desk import PointView
    from kiezbruecke.house import House

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
        teller.say(f"Reste eines abgebrochenen Laufs beendet: {german.count(register.ended, 'Prozess', 'Prozesse')}")
    with world(LEAN, register, teller) as servers:
        from demo.signers import People  # noqa: PLC0415 - imports Airflow, which is prepared by now
        from kiezbruecke.edge import open_house  # noqa: PLC0415 - the ledger is, too

        with closing(open_house(ROOT)) as house:
            watch = _watch(servers, teller, house)
            servers.release()
            teller.say(f"Airflow läuft: {', '.join(servers.running)}, nur auf 127.0.0.1")
            people = People(house, PROCESS, teller.say)
            watch.run(dict.fromkeys((*COLLECT, *servers.interrupted)), people)
        teller.say("Alles ruht, Airflow und die Nachbauten werden beendet")
    return _show(teller)


def _watch(servers: Servers, teller: Teller, house: House) -> Watch:
    """Before anything runs: what the clock starts in the first moment is watched, too."""
    from demo.watch import Watch  # noqa: PLC0415 - imports Airflow, which is prepared by now
    from kiezbruecke import pipeline  # noqa: PLC0415

    return Watch(servers, STATE / "airflow" / "logs", teller.tell, lambda: pipeline.outstanding(house))


def _show(teller: Teller) -> int:
    from demo import expected, table  # noqa: PLC0415
    from kiezbruecke import desk  # noqa: PLC0415
    from kiezbruecke.edge import open_house  # noqa: PLC0415

    with closing(open_house(ROOT)) as house:
        lines = table.read_lines(house.ledger, ROOT, PROCESS)
        verdict = expected.verdict(house.ledger, ROOT, PROCESS, STATE / "sandbox")
        waiting = desk.points(house)
    teller.console.print()
    teller.console.print(table.show(lines))
    wrong = [*verdict.differences, *(table.difference(line) for line in lines if not line.equal)]
    for text in (*_judgement(verdict, wrong), "", *_waiting(waiting)):
        teller.console.print(text, markup=False, soft_wrap=True)
    teller.console.print(NEXT, markup=False)
    return 1 if wrong else 0


def _judgement(verdict: Verdict, wrong: Sequence[str]) -> list[str]:
    """The first argument: three books, written by three programs, say what the story says."""
    if wrong:
        return [f"ANDERS ALS ERWARTET: {one}" for one in wrong]
    cases = german.count(verdict.cases, "Fall", "Fälle")
    return [
        "Alles stimmt überein: Hauptbuch, E-Akte und HKR enthalten genau, was herauskommen muss (demo/expected.json):",
        f"{cases} über zusammen {german.euros(verdict.total)}, jeder Fall einmal, keiner fehlt, keiner ist doppelt;",
        f"ausgezahlt {german.euros(verdict.paid)}, erstattet {german.euros(verdict.refunded)}, auf beiden Seiten.",
    ]


def _waiting(points: Sequence[PointView]) -> list[str]:
    """The second one: what could not be known was not guessed."""
    if not points:
        return ["Niemand muss etwas entscheiden."]
    cases = len({one.case for one in points if one.case})
    head = german.count(cases, "Fall wartet", "Fälle warten") + " auf eine Person, statt dass jemand geraten hätte:"
    others = len([one for one in points if not one.case])
    rest = [f"Dazu {german.count(others, 'Punkt', 'Punkte')} ohne Fall:"] if others else []
    return [
        *([head] if cases else []),
        *(f"  {one.reason}" for one in points if one.case),
        *rest,
        *(f"  {one.reason}" for one in points if not one.case),
    ]


NEXT = """
Wie es weitergeht:
  .venv/bin/kiezbruecke todo list              was eine Person braucht, und warum
  .venv/bin/kiezbruecke case show 2026-00001   ein Fall vom Vorschlag bis zur Erstattung
  .venv/bin/kiezbruecke case show 2026-00027   eine Auszahlung, die zurückkam
  .venv/bin/kiezbruecke release list kk-tk-zahlungen   wer was freigegeben hat
  .venv/bin/kiezbruecke message list           alle Nachrichten
  .venv/bin/kiezbruecke reconcile              unsere Summen und die des HKR-Verfahrens
  var/sandbox/xta/                             was die E-Akte bekommen hat
  var/ausgang/statusliste/                     die Statusliste für die Antragstellenden
  var/eingang/beschluesse/done/                die Beschlusslisten mit einem Bericht zu jeder Zeile
  make up                                      Airflow mit Weboberfläche
"""


if __name__ == "__main__":
    sys.exit(main())
