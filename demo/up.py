"""`make up`: Airflow with web interface and all sandboxes, until Ctrl-C; on the same state as `make demo`."""

from __future__ import annotations

import signal
import sys
import time

from demo import ROOT, STATE, home
from demo.processes import only_one
from demo.servers import WHOLE, Servers
from demo.world import Teller, interrupted, world
from kiezbruecke.content.roles import read_roles
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.privacy import keep_private


def main() -> int:
    """Start everything, say where it is, wait for Ctrl-C."""
    keep_private()
    signal.signal(signal.SIGTERM, interrupted)
    teller = Teller()
    try:
        with only_one(STATE) as register, world(WHOLE, register, teller) as servers:
            from demo import control  # noqa: PLC0415 - imports Airflow, which is prepared by now

            servers.release()
            for route in servers.interrupted:
                control.trigger(route)
            _say_where(servers, teller)
            while True:
                servers.check()
                time.sleep(1)
    except KiezbrueckeError as error:
        teller.say(f"{error.code} {error}")
        return 1
    except KeyboardInterrupt:
        teller.say("Beendet. Der Stand bleibt in var/.")
    return 0


def _say_where(servers: Servers, teller: Teller) -> None:
    teller.say(f"Airflow: http://127.0.0.1:{servers.port}")
    roles = read_roles(ROOT)
    for user, role in home.USERS.items():
        teller.say(f"  Anmeldung: {user} ({roles[role].title})")
    teller.say(f"  Kennwörter: {home.passwords_file()} – für niemanden sonst lesbar")
    teller.say("Strg-C beendet alles.")


if __name__ == "__main__":
    sys.exit(main())
