"""`make up`: Airflow with web interface and all sandboxes, until Ctrl-C; on the same state as `make demo`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo import ROOT, STATE, home, surroundings
from demo.processes import Register, only_one
from demo.servers import WHOLE, Servers
from demo.world import COLLECT, Teller, interrupted, world
from kiezbruecke.content.roles import read_roles
from kiezbruecke.errors import KiezbrueckeError
from kiezbruecke.privacy import keep_private

APPLICATIONS = "kk-tk-antraege"
NAME = "ideen-tk"  # the connection of the webhook


def main() -> int:
    """Start everything, say where it is, wait for Ctrl-C."""
    keep_private()
    signal.signal(signal.SIGTERM, interrupted)
    teller = Teller()
    try:
        with only_one(STATE) as register, world(WHOLE, register, teller) as servers, deliveries(register) as door:
            from demo import control  # noqa: PLC0415 - imports Airflow, which is prepared by now

            servers.release()
            if surroundings.drop("antraege", surroundings.OPEN / "antraege"):
                teller.say(
                    "Grünau hat beantragt: Was zu zahlen ist, wartet gleich unter Freigaben auf muster, dann auf anders"
                )
            for route in dict.fromkeys((*COLLECT, APPLICATIONS, *servers.interrupted)):  # nobody waits for the clock
                control.trigger(route)
            _say_where(servers, teller)
            teller.say(f"Lieferungen (Webhook): POST {door}, der Schlüssel steht in var/webhook.key")
            while True:
                servers.check()
                time.sleep(1)
    except KiezbrueckeError as error:
        teller.say(f"{error.code} {error}")
        return 1
    except KeyboardInterrupt:
        teller.say("Beendet. Der Stand bleibt in var/.")
    return 0


@contextmanager
def deliveries(register: Register) -> Iterator[str]:
    """`kiezbruecke webhook serve` beside Airflow; the address at which it takes deliveries."""
    command = [str(Path(sys.executable).with_name("kiezbruecke")), "webhook", "serve", NAME, "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, start_new_session=True) as process:  # noqa: S603
        register.note(process, "webhook")
        assert process.stdout
        try:
            yield json.loads(process.stdout.readline())["connections"][NAME]
        finally:
            process.terminate()


def _say_where(servers: Servers, teller: Teller) -> None:
    teller.say(f"Airflow: http://127.0.0.1:{servers.port}")
    teller.say(f"Schreibtisch: http://127.0.0.1:{servers.port}/schreibtisch/")
    roles = read_roles(ROOT)
    for user, role in home.USERS.items():
        teller.say(f"  Anmeldung: {user} ({roles[role].title})")
    teller.say(f"  Kennwörter: {home.passwords_file()} – für niemanden sonst lesbar")
    teller.say("Strg-C beendet alles.")


if __name__ == "__main__":
    sys.exit(main())
