"""kiezbruecke webhook: take what other systems send by themselves, until the next run collects it."""

from __future__ import annotations

import base64
import secrets
import signal
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import typer

from kiezbruecke.cli.output import AsJson, emit, say
from kiezbruecke.connections import without_environment
from kiezbruecke.connector import Connection, manifest_for, open_receiver, probe
from kiezbruecke.content import find_content
from kiezbruecke.content.routes import CollectingRoute, route_places
from kiezbruecke.edge import local_connections
from kiezbruecke.errors import ConfigurationError, InputError
from kiezbruecke.house import Connect
from kiezbruecke.receiving import PATH, listen, serve

app = typer.Typer(no_args_is_help=True)
PORT = 8479


@app.command("serve")
def serve_deliveries(
    names: Annotated[
        list[str] | None, typer.Argument(help="Verbindungen; ohne: alle, die eine Strecke abholt.")
    ] = None,
    host: Annotated[
        str, typer.Option(help="Adresse dieses Rechners; eine andere als 127.0.0.1 nur mit Zertifikat.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 = ein freier.", min=0, max=65535)] = PORT,
    cert: Annotated[Path | None, typer.Option(help="Zertifikat (PEM), wenn kein Vermittler davor steht.")] = None,
    key: Annotated[Path | None, typer.Option(help="Schlüssel dazu (PEM).")] = None,
    as_json: AsJson = False,
) -> None:
    """Lieferungen annehmen, bis Strg-C. Was mit 202 beantwortet ist, liegt auf der Platte."""
    tls = _tls(host, cert, key)
    content = find_content()
    parties = _parties(content, local_connections(content), names or [])
    for party in parties:
        probe(party, content, [])
    receivers = {party.id: open_receiver(party) for party in parties}
    listener = listen(host, port)
    address = f"{'https' if tls else 'http'}://{host}:{listener.getsockname()[1]}"
    paths = {name: address + PATH.format(connection=name) for name in receivers}
    if as_json:
        emit({"connections": paths}, indent=None)
    else:
        for name, path in paths.items():
            say(f"{name}: POST {path}")
        say("Strg-C beendet.")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    serve(receivers, listener, tls)


@app.command("key")
def new_key(as_json: AsJson = False) -> None:
    """Einen neuen Schlüssel ausgeben: für die Verbindung und für die Gegenstelle, sonst für niemanden."""
    key = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
    if as_json:
        emit({"key": key})
    else:
        say(key)


def _tls(host: str, cert: Path | None, key: Path | None) -> tuple[Path, Path] | None:
    """What leaves this machine is never readable on the way."""
    if (cert is None) != (key is None):
        raise InputError(
            "Zertifikat und Schlüssel gehören zusammen", where="webhook serve", expected="--cert und --key"
        )
    if cert is not None and key is not None:
        return cert, key
    try:
        stays = ip_address(host).is_loopback
    except ValueError:
        raise InputError("--host ist keine Adresse", where="webhook serve", expected="127.0.0.1 oder ::1") from None
    if not stays:
        expected = "--cert und --key; oder 127.0.0.1 mit einem Vermittler davor, der HTTPS spricht"
        raise InputError("Ohne Zertifikat wären Lieferungen unterwegs lesbar", where="webhook serve", expected=expected)
    return None


def _parties(content: Path, connect: Connect, names: list[str]) -> list[Connection]:
    """The connections that take deliveries; those that are named must."""
    if names:
        return [without_environment(connect(name)) for name in names]
    found = [party for name in sorted(_collected(content)) if (party := _party(connect, name))]
    taking = [party for party in found if manifest_for(party).receiver is not None]
    if not taking:
        what, helps = "no route collects from a connection that takes deliveries", "see docs/how-to/webhook.md"
        raise ConfigurationError(what, where="mappings/routes", helps=helps)
    return taking


def _party(connect: Connect, name: str) -> Connection | None:
    """The connection, or a line about it: one that is missing keeps no other from taking deliveries."""
    try:
        return without_environment(connect(name))
    except ConfigurationError as error:
        say(error.line(), err=True)
        return None


def _collected(content: Path) -> set[str]:
    found = set()
    for place in route_places(content):
        try:
            route = place.read()
        except ConfigurationError:
            continue  # it says so itself, where it is run
        if isinstance(route, CollectingRoute):
            found.add(route.collect)
    return found
