"""Tools for tests: a connector's promises as a suite, numbered crash points (`crash`), a real PostgreSQL (`postgres`).

    STAND = Stand("consul", PROCESS, CONTENT, extra={"space": "7"})
    TestSource = check_source(STAND, fill=put_two_proposals, broken=("server_error",))
    TestTarget = check_target(STAND, message=a_message, copies=copies_of, lost=("commit_then_lose",))

Importing this package needs no test-only package; the suite itself needs pytest.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kiezbruecke.testing.sources import check_source
    from kiezbruecke.testing.stand import Counterpart, Stand, sample_message
    from kiezbruecke.testing.targets import check_batch_target, check_target

__all__ = ["Counterpart", "Stand", "check_batch_target", "check_source", "check_target", "sample_message"]

_HOMES = {"Counterpart": "stand", "Stand": "stand", "sample_message": "stand", "check_source": "sources"}


def __getattr__(name: str) -> Any:
    """The suite, loaded when it is asked for, with asserts that say what they saw."""
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    import pytest  # noqa: PLC0415

    pytest.register_assert_rewrite(*(f"{__name__}.{home}" for home in ("stand", "sources", "targets")))
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'targets')}"), name)
