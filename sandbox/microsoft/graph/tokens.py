"""The opaque tokens of pages and deltas.

Each begins so that it holds a ``+``: a client that form-decodes it gets it wrong here
rather than in production.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from sandbox.microsoft.http_messages import GraphError

_PREFIX = "RF+"


def encode_token(values: dict[str, Any]) -> str:
    """Make a token that holds ``values``."""
    text = json.dumps(values, separators=(",", ":")).encode()
    return _PREFIX + base64.urlsafe_b64encode(text).decode().rstrip("=")


def decode_token(token: str, *, tenant: str) -> dict[str, Any]:
    """Return what a token of that tenant holds. Raises GraphError 400 for anything else."""
    badly_formed = GraphError(400, "Request_BadRequest", "Badly formed token.")
    if not token.startswith(_PREFIX):
        raise badly_formed
    text = token.removeprefix(_PREFIX)
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        raise badly_formed from None
    if not isinstance(values, dict) or values.get("tenant") != tenant:
        raise badly_formed
    return values
