"""Connections in Airflow's JSON form: outside a task from a variable or from `var/connections.json`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kiezbruecke.connector.protocols import Connection
from kiezbruecke.errors import ConfigurationError
from kiezbruecke.machine import read_text
from kiezbruecke.troubles import Cause, Trouble

ENVIRONMENT = "environment"  # of a connection's extra: what kind of destination it is; clients do not know it


def without_environment(party: Connection) -> Connection:
    """The connection as its client knows it."""
    return replace(party, extra={name: value for name, value in party.extra.items() if name != ENVIRONMENT})


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


def local(file: Path, environment: Mapping[str, str]) -> Callable[[str], Connection]:
    """Outside Airflow: asks the variable KIEZBRUECKE_CONN_<NAME>, else the file, which is read at every question."""

    def connection(connection_id: str) -> Connection:
        variable = "KIEZBRUECKE_CONN_" + connection_id.upper().replace("-", "_")
        if value := environment.get(variable):
            return from_json(connection_id, _parse(value, variable))
        known = _parse(read_text(file), str(file)) if file.exists() else {}
        if connection_id in known:
            return from_json(connection_id, known[connection_id])
        raise ConfigurationError(
            f"no connection is called '{connection_id}'",
            where=str(file),
            expected=", ".join(sorted(known)) or "a file written by 'make demo' or 'make up'",
            helps=f"set {variable} to Airflow's JSON form",
            trouble=Trouble(Cause.CONNECTION),
        )

    return connection


def _parse(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigurationError("not JSON", where=where, helps=str(error)) from None
