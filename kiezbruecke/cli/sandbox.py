"""kiezbruecke sandbox: start a stand-in for a remote system, and let it misbehave on purpose."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from kiezbruecke import german
from kiezbruecke.cli.output import AsJson, emit, say, table
from kiezbruecke.connector import manifests
from kiezbruecke.content import find_content, find_state
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.sandbox import Faults
from kiezbruecke.sandbox import start as start_process

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Name des Anschlusses, z. B. xta.")]
Folder = Annotated[Path | None, typer.Option("--state", help="Ordner der Ablage; ohne: var/sandbox/<Name>.")]


@app.command("list")
def list_sandboxes(as_json: AsJson = False) -> None:
    """Alle Gegenstellen, die es als Nachbau gibt."""
    rows = [(one.name, one.title, str(_state(one.name))) for one in manifests().values() if one.sandbox]
    if as_json:
        emit([{"name": name, "title": title, "state": state} for name, title, state in rows])
        return
    table("Nachgebaute Gegenstellen", ("Name", "Was", "Ablage"), rows)


@app.command()
def start(
    name: Name,
    port: Annotated[int, typer.Option(help="0 = ein freier.")] = 0,
    option: Annotated[list[str] | None, typer.Option(help="name=wert")] = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Eine Gegenstelle starten; Strg-C beendet sie. --json nennt die Adresse in einer Zeile, sobald sie läuft."""
    running = start_process(_create(name), folder or _state(name), port=port, options=option or [])
    if as_json:
        emit({"name": name, "url": running.url, "state": str(running.state)}, indent=None)
    else:
        say(f"{name}: {running.url} (Ablage {running.state}) – Strg-C beendet.")
    signal.signal(signal.SIGTERM, lambda *_: running.stop())
    try:
        running.process.wait()
    except KeyboardInterrupt:
        running.stop()


@app.command()
def fault(
    name: Name,
    switch: Annotated[str | None, typer.Argument(help="Name des Fehlers; ohne: auflisten.")] = None,
    times: Annotated[int, typer.Option(help="Wie oft; 0 schaltet ab.")] = 1,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Einen Fehler scharf schalten: er trifft die nächsten passenden Aufrufe."""
    faults = Faults((folder or _state(name)) / "faults.json", _switches(name))
    if switch is not None:
        faults.arm(switch, times)
    armed = [(one, faults.armed().get(one, 0)) for one in faults.known if switch in (None, one)]
    if as_json:
        emit([{"fault": one, "left": left} for one, left in armed])
    elif switch is None:
        table(f"Fehler von {name}", ("Name", "# noch"), armed)
    else:
        say(f"{name}: {switch} ist scharf, noch für {german.count(times, 'Aufruf', 'Aufrufe')}.")


def _create(name: str) -> str:
    known = {one.name: one.sandbox for one in manifests().values() if one.sandbox}
    if name not in known:
        raise ConfigurationError(f"no sandbox is called '{name}'", where="sandbox", expected=", ".join(known))
    sandbox = known[name]
    assert sandbox is not None
    return sandbox


def _switches(name: str) -> tuple[str, ...]:
    from importlib import import_module  # noqa: PLC0415

    return tuple(import_module(_create(name).partition(":")[0]).FAULTS)


def _state(name: str) -> Path:
    return find_state(find_content()) / "sandbox" / name
