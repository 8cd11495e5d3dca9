"""Tells what was entered as a client secret and obviously is none; never repeats it (promise P6)."""

from __future__ import annotations

from typing import Final

from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.fields import is_object_id
from schemas.tenants.credentials.client_certificate import is_certificate

#: Characters of a secret that a tenant can have.
MAX_SECRET: Final = 1000

#: Fewer characters than Entra gives a secret's Value: 40 today, and 32 before.
SHORTEST_USUAL: Final = 16


def client_secret_fault(secret: str) -> Detail | None:
    """Return why a text cannot be a secret's Value, None if it may be one, or is a certificate."""
    if is_certificate(secret):
        return None
    # A Secret ID is a GUID, as an object id is; a secret's Value never is.
    if is_object_id(secret.strip()):
        return Detail(DetailKind.SECRET_IS_GUID)
    if any(sign.isspace() for sign in secret):
        return Detail(DetailKind.SECRET_HAS_SPACE)
    return None


def is_unusually_short(secret: str) -> bool:
    """Say whether a text is shorter than what Entra makes; an app's owner may still have made it."""
    return len(secret) < SHORTEST_USUAL
