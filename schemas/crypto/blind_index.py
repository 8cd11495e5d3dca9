"""Traces of values by which equal ones are found again, and which tell nothing to whoever lacks the keys.

A personal number has so few possible values that a plain digest of it is as good as the number. So every
trace is keyed (HMAC-SHA256) with a key that is derived from UPDATE_SYNC_SECRET_KEYS for this alone. It begins
with the id of that key: a trace cannot be made anew without its value, but it can be told which key it needs.
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

#: Bytes of a key's id, and of a trace behind it: chance makes no two values equal.
_ID_LENGTH: Final = 4
_LENGTH: Final = 12

#: Bytes of a trace that an earlier version made, which had no id in front.
_BARE_LENGTH: Final = 16


class BlindIndex:
    """Makes traces with the first key; the others are tried in a search, for keys are rotated."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Take sealing keys; without any, it can be handed around and raises when it is used."""
        raw = [base64.urlsafe_b64decode(key) for key in keys]
        self._keys = [hmac.digest(key, _PURPOSE, "sha256") for key in raw]
        self._ids = [hmac.digest(key, _ID_PURPOSE, "sha256")[:_ID_LENGTH].hex() for key in raw]

    @property
    def key_id(self) -> str:
        """What each trace begins with that the first key makes."""
        return self._ids[0]

    def digest(self, *what: str) -> str:
        """Return the trace of a value: `what` is the value, after whatever tells its realm and kind."""
        return self.digests(*what)[0]

    def digests(self, *what: str) -> list[str]:
        """Return the traces that the value may have, by each key, the first one's first.

        Raises `UsageError` without keys.
        """
        if not self._keys:
            raise UsageError("UPDATE_SYNC_SECRET_KEYS is not set, and a value has to be looked for")
        # No value has a NUL, so that no two lists of texts are joined to the same bytes.
        data = "\0".join(what).encode(errors="surrogatepass")
        digests = [hmac.digest(key, data, "sha256") for key in self._keys]
        made = [key_id + digest[:_LENGTH].hex() for key_id, digest in zip(self._ids, digests, strict=True)]
        return [*made, *(digest[:_BARE_LENGTH].hex() for digest in digests)]
