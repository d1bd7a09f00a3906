"""Asks a resolver for a connection: inside a task Airflow's own, outside a variable or `var/connections.json`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from kiezbruecke.connector.protocols import Connection
from kiezbruecke.content import find_content, find_state
from kiezbruecke.errors import ConfigurationError

Resolver = Callable[[str], Connection]


def from_json(connection_id: str, body: Mapping[str, Any]) -> Connection:
    """A connection from Airflow's JSON form: conn_type, host, port, schema, login, password, extra."""
    extra = body.get("extra") or {}
    if isinstance(extra, str):
        extra = _parse(extra, f"connection {connection_id}, extra")
    if not isinstance(extra, Mapping):
        raise ConfigurationError("extra holds no keys", where=f"connection {connection_id}", expected="a JSON object")
    if not body.get("conn_type"):
        raise ConfigurationError("conn_type is missing", where=f"connection {connection_id}")
    return Connection(
        id=connection_id,
        type=str(body["conn_type"]).replace("-", "_"),
        host=body.get("host") or "",
        port=body.get("port"),
        schema=body.get("schema") or "",
        login=body.get("login") or "",
        password=body.get("password") or "",
        extra=extra,
    )


def local(connection_id: str) -> Connection:
    """Outside Airflow: KIEZBRUECKE_CONN_<ID>, else `var/connections.json`."""
    variable = "KIEZBRUECKE_CONN_" + connection_id.upper().replace("-", "_")
    if value := os.environ.get(variable):
        return from_json(connection_id, _parse(value, variable))
    file = find_state(find_content()) / "connections.json"
    known = _parse(file.read_text("utf-8"), str(file)) if file.exists() else {}
    if connection_id in known:
        return from_json(connection_id, known[connection_id])
    raise ConfigurationError(
        f"no connection is called '{connection_id}'",
        where=str(file),
        expected=", ".join(sorted(known)) or "a file written by 'make demo' or 'make up'",
        helps=f"set {variable} to Airflow's JSON form",
    )


def _parse(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigurationError("not JSON", where=where, helps=str(error)) from None


_resolver: Resolver = local


def use(resolver: Resolver) -> None:
    """Install another resolver (Airflow's, inside a task)."""
    global _resolver  # noqa: PLW0603 - one process, one resolver; set once before work begins
    _resolver = resolver


def connection(connection_id: str) -> Connection:
    """The connection of this name; raises ConfigurationError."""
    return _resolver(connection_id)
