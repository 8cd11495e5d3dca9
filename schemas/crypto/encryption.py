"""Sealing of what nobody may read on its way: user payloads, old values, client secrets (promise P6)."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from schemas.crypto.blind_index import BlindIndex
from schemas.errors import HaltError, UsageError
from schemas.outcomes import Cause

if TYPE_CHECKING:
    from collections.abc import Sequence


#: What is said of a value that stays closed.
NO_MATCHING_KEY: Final = (
    "A sealed value cannot be opened: none of the keys in UPDATE_SYNC_SECRET_KEYS fits. Put the former key "
    "behind the new one"
)

#: Characters of 32 bytes in base64.
_KEY_LENGTH: Final = 44


class DecryptionError(HaltError, UsageError):
    """None of our keys opens the value: it was sealed with a key that is no longer in use, or changed.

    Who asks on the command line is told what is missing. A run halts: as long as the key is missing, the
    same would become of everybody (promise P7).
    """

    def __init__(self, detail: str = NO_MATCHING_KEY) -> None:
        super().__init__(Cause.SEALED_VALUE, detail)


class KeyAge(StrEnum):
    """Which of our keys opens a value that is to be sealed: the first one, a later one, or none of them."""

    NEWEST = "newest"
    OLDER = "older"
    NONE = "no"
    #: It is not sealed: an earlier version stored it so.
    CLEAR = "without"


class FieldCipher:
    """Seals with the first key, opens with any of them; so a new key goes first and old ones stay behind."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Take Fernet keys (32 bytes, URL-safe base64), the first of which seals.

        Without any, it can be handed around, and raises `UsageError` when it is to seal or open.
        """
        #: What the keys are called in the books: traces that tell nothing of them.
        self.key_ids = tuple(BlindIndex([key]).digest("key")[:16] for key in keys)
        self._keys = MultiFernet([Fernet(key) for key in keys]) if keys else None
        self._newest = Fernet(keys[0]) if keys else None
        #: Finds again what must not be read, by the same keys.
        self.index = BlindIndex(keys)

    @property
    def _fernet(self) -> MultiFernet:
        if self._keys is None:
            raise UsageError("UPDATE_SYNC_SECRET_KEYS is not set, and something has to be sealed or opened")
        return self._keys

    def encrypt(self, text: str) -> str:
        """Return `text` sealed, as URL-safe ASCII."""
        # Half a surrogate pair, which JSON can name, is not to keep anybody else's value from being sealed.
        return self._fernet.encrypt(text.encode(errors="surrogatepass")).decode("ascii")

    def decrypt(self, sealed: str) -> str:
        """Return the text that was sealed; raise `DecryptionError` when no key fits."""
        try:
            return self._fernet.decrypt(sealed).decode(errors="surrogatepass")
        except (InvalidToken, ValueError):
            raise DecryptionError from None

    def encrypt_json(self, value: object) -> str:
        """Return `value`, anything that JSON can hold, sealed."""
        return self.encrypt(json.dumps(value, ensure_ascii=False, separators=(",", ":")))

    def decrypt_json(self, sealed: str) -> Any:
        """Return the value that `encrypt_json` sealed."""
        return json.loads(self.decrypt(sealed))

    def key_age(self, sealed: str) -> KeyAge:
        """Say which of the keys opens a sealed value."""
        try:
            self._fernet.decrypt(sealed)
        except (InvalidToken, ValueError):
            return KeyAge.NONE
        try:
            if self._newest is not None:
                self._newest.decrypt(sealed)
        except InvalidToken:
            return KeyAge.OLDER
        return KeyAge.NEWEST

    def rotate(self, sealed: str) -> str:
        """Return the same value sealed with the first key."""
        try:
            return self._fernet.rotate(sealed).decode("ascii")
        except (InvalidToken, ValueError):
            raise DecryptionError from None


def is_encryption_key(text: str) -> bool:
    """Say whether `text` can be used as a sealing key."""
    try:
        Fernet(text)
    except ValueError:
        return False
    # Base64 ends at its padding: of two keys without a comma the second would go unnoticed.
    return len(text) == _KEY_LENGTH


def new_key() -> str:
    """Return a fresh sealing key."""
    return Fernet.generate_key().decode("ascii")
