"""Drift: what a mapping was built on – schemas, services, code lists, answers – is no longer what it was.

mapping ──places──▶ target's tree ──┐
        ──lists───▶ code lists      ├─▶ Fingerprint ── accepted in git, compared in a run ──▶ Change
        ──items───▶ answers' shape ─┘                                            breaking | compatible
"""

from kiezbruecke.drift.changes import Change, breaking
from kiezbruecke.drift.fingerprint import (
    NAME,
    Fingerprint,
    fingerprint_file,
    is_as_accepted,
    read_fingerprint,
    render,
    take,
)
from kiezbruecke.drift.look import SAMPLE, as_written, look_at_answers, look_at_mapping

__all__ = [
    "NAME",
    "SAMPLE",
    "Change",
    "Fingerprint",
    "as_written",
    "breaking",
    "fingerprint_file",
    "is_as_accepted",
    "look_at_answers",
    "look_at_mapping",
    "read_fingerprint",
    "render",
    "take",
]
