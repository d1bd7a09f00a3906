"""Signatures of Standard Webhooks 1.0: HMAC-SHA256 over `<id>.<timestamp>.<body>`, in base64 behind `v1,`.

Source: https://github.com/standard-webhooks/standard-webhooks, spec, "Signature scheme".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

_MOST = 10  # signatures of one delivery: while keys are changed a sender signs with both


def sign(key: bytes, event: str, timestamp: str, body: bytes) -> str:
    """What the header `webhook-signature` holds for one key."""
    made = hmac.new(key, f"{event}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(made).decode()}"


def is_signed(header: str, keys: Sequence[bytes], event: str, timestamp: str, body: bytes) -> bool:
    """Whether one of the header's signatures was made with one of the keys."""
    given = [one.encode() for one in header.split(maxsplit=_MOST)[:_MOST]]
    expected = [sign(key, event, timestamp, body).encode() for key in keys]
    return any(hmac.compare_digest(one, other) for one in given for other in expected)
