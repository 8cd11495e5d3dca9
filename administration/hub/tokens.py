"""The secrets of links and sessions: the browser has the token, the database its hash."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

#: Bytes of a token: no guess ever meets one, so that a plain hash of it is enough.
_LENGTH: Final = 32


def new_token() -> str:
    """Return a fresh token, as URL-safe ASCII."""
    return secrets.token_urlsafe(_LENGTH)


def hash_token(token: str) -> str:
    """Return the hash by which a token is stored; any text may be given, as a browser sends any."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
