"""OParl keeps what every source promises."""

from __future__ import annotations

from kiezbruecke.testing import Stand, check_source

from .conftest import PROCESS

TestSource = check_source(
    Stand("oparl", PROCESS),
    fill=lambda _: None,  # the council begins with five papers
    broken=(
        "server_error",
        "html_answer",
        "truncated_list",
        "deep_list",
        "huge_list",
        "reset",
        "next_elsewhere",
        "next_circle",
        "not_papers",
    ),
    partly=("meeting_error", "meeting_lost", "meeting_elsewhere"),
)
TestSourceOfThePast = check_source(
    Stand("oparl", PROCESS, options=("version=1.0", "page=2")), fill=lambda _: None, broken=("truncated_list",)
)
