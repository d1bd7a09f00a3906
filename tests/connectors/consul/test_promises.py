"""CONSUL keeps what every source promises."""

from __future__ import annotations

from kiezbruecke.testing import Stand, check_source

from .conftest import PROCESS

TestSource = check_source(
    Stand("consul", PROCESS, with_={"budget": 1}, options=("extra=60",)),
    fill=lambda _: None,  # the sandbox begins with three investments, and sixty more
    broken=("server_error", "html_answer", "truncated_list", "reset", "schema_changed"),
)
