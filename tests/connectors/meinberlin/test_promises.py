"""mein.berlin keeps what every source promises."""

from __future__ import annotations

from kiezbruecke.testing import Stand, check_source

from .conftest import FRIEDRICHSHAGEN, INITIATOR, PASSWORD, process_of

TestSource = check_source(
    Stand("meinberlin", process_of(FRIEDRICHSHAGEN), account=(INITIATOR, PASSWORD)),
    fill=lambda _: None,  # the recorded platform holds sixty proposals
    broken=("truncated_body", "html_instead_of_json", "server_error", "too_many_requests", "reset", "field_renamed"),
    partly=(
        "detail_error",
        "detail_cut",
        "detail_changed",
        "detail_of_another",
        "login_locked",
        "export_short",
        "export_html",
    ),
)
