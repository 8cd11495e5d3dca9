"""The keys that sign the Data Hub's cookies."""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What the derived keys are for; any other purpose derives another key.
_PURPOSE: Final = b"update-sync hub cookies"


def cookie_keys(keys: Sequence[str]) -> list[bytes]:
    """Return a key for each encryption key, derived from it for this purpose alone, in the same order."""
    return [hmac.digest(base64.urlsafe_b64decode(key), _PURPOSE, "sha256") for key in keys]
