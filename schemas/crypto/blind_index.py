"""Keyed digests of values: equal values are found by them, and without the keys they tell nothing.

A national id has so few possible values that a plain digest of it is as good as the number. So every digest
is keyed (HMAC-SHA256) with a key that is derived from UPDATE_SYNC_SECRET_KEYS for this purpose alone. It
begins with the id of that key: a digest cannot be computed again without its value, but its key can be named.
"""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING, Final

from schemas.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What the derived key is for; any other purpose derives another key.
_PURPOSE: Final = b"update-sync blind index"
_ID_PURPOSE: Final = b"update-sync blind index, id of the key"

#: Bytes of a key's id, and of the digest behind it: no two values collide by chance.
_ID_LENGTH: Final = 4
_LENGTH: Final = 12


class BlindIndex:
    """Computes digests with the first key; searches try the older keys too, for keys are rotated."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Take encryption keys; without any, it raises when it is used."""
        raw = [base64.urlsafe_b64decode(key) for key in keys]
        self._keys = [hmac.digest(key, _PURPOSE, "sha256") for key in raw]
        self._ids = [hmac.digest(key, _ID_PURPOSE, "sha256")[:_ID_LENGTH].hex() for key in raw]

    @property
    def key_id(self) -> str:
        """Prefix of each digest that the first key makes."""
        return self._ids[0]

    def digest(self, *what: str) -> str:
        """Return the digest of a value by the first key: `what` is its realm and kind, then the value."""
        return self.digests(*what)[0]

    def digests(self, *what: str) -> list[str]:
        """Return the digests that a value may have, by each key, the first key's first.

        Raises `UsageError` without keys.
        """
        if not self._keys:
            raise UsageError("UPDATE_SYNC_SECRET_KEYS is not set, and a search needs it")
        # No value has a NUL, so that no two lists of texts are joined to the same bytes.
        data = "\0".join(what).encode(errors="surrogatepass")
        digests = [hmac.digest(key, data, "sha256") for key in self._keys]
        return [key_id + digest[:_LENGTH].hex() for key_id, digest in zip(self._ids, digests, strict=True)]
