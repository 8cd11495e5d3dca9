"""Encrypts fields: user payloads, before-images, client secrets (promise P6)."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from schemas.crypto.blind_index import BlindIndex
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import HaltError, UsageError
from schemas.outcomes import Cause

if TYPE_CHECKING:
    from collections.abc import Sequence


#: The message when no key fits.
NO_MATCHING_KEY: Final = Detail(DetailKind.NO_KEY_FITS)

#: Characters of 32 bytes in base64.
_KEY_LENGTH: Final = 44


class DecryptionError(HaltError, UsageError):
    """No key decrypts the value: it was encrypted with a key that is no longer in use, or changed.

    On the command line it says what is missing. A run halts: while the key is missing, every user of the run
    would fail in the same way (promise P7).
    """

    def __init__(self, detail: str = NO_MATCHING_KEY) -> None:
        super().__init__(Cause.MISSING_KEY, detail)


class KeyAge(StrEnum):
    """Which of our keys decrypts a value: the first one, a later one, or none of them."""

    NEWEST = "newest"
    OLDER = "older"
    NONE = "no"


class _NoKeys:
    """Stands where there are no keys: raises `UsageError` that says so, whatever it is to do."""

    def _refuse(self, _: bytes | str) -> bytes:
        raise UsageError("UPDATE_SYNC_SECRET_KEYS is not set, and encryption needs it")

    encrypt = decrypt = rotate = _refuse


class FieldCipher:
    """Encrypts with the first key, decrypts with any; so a new key goes first and old ones stay behind it."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Take Fernet keys (32 bytes, URL-safe base64), the first of which encrypts.

        Without any, it raises `UsageError` when it is to encrypt or decrypt.
        """
        #: The names of the keys in the database: digests that tell nothing of them.
        self.key_ids = tuple(BlindIndex([key]).digest("key")[:16] for key in keys)
        self._fernet = MultiFernet([Fernet(key) for key in keys]) if keys else _NoKeys()
        self._newest = Fernet(keys[0]) if keys else None
        #: Finds encrypted values by keyed digests, with the same keys.
        self.index = BlindIndex(keys)

    def encrypt(self, text: str) -> str:
        """Return `text` encrypted, as URL-safe ASCII."""
        # JSON can name half a surrogate pair; it must not keep other values from being encrypted.
        return self._fernet.encrypt(text.encode(errors="surrogatepass")).decode("ascii")

    def decrypt(self, token: str) -> str:
        """Return the text of a token; raise `DecryptionError` when no key fits."""
        try:
            return self._fernet.decrypt(token).decode(errors="surrogatepass")
        except (InvalidToken, ValueError):
            raise DecryptionError from None

    def encrypt_json(self, value: object) -> str:
        """Return `value`, anything that JSON can express, encrypted."""
        return self.encrypt(json.dumps(value, ensure_ascii=False, separators=(",", ":")))

    def decrypt_json(self, token: str) -> Any:
        """Return the value that `encrypt_json` encrypted."""
        return json.loads(self.decrypt(token))

    def key_age(self, token: str) -> KeyAge:
        """Say which of the keys decrypts a token."""
        try:
            self._fernet.decrypt(token)
        except (InvalidToken, ValueError):
            return KeyAge.NONE
        try:
            if self._newest is not None:
                self._newest.decrypt(token)
        except InvalidToken:
            return KeyAge.OLDER
        return KeyAge.NEWEST

    def rotate(self, token: str) -> str:
        """Return the same value encrypted with the first key."""
        try:
            return self._fernet.rotate(token).decode("ascii")
        except (InvalidToken, ValueError):
            raise DecryptionError from None


def is_encryption_key(text: str) -> bool:
    """Say whether `text` can be used as an encryption key."""
    try:
        Fernet(text)
    except ValueError:
        return False
    # Base64 ends at its padding: of two keys without a comma the second would go unnoticed.
    return len(text) == _KEY_LENGTH


def new_key() -> str:
    """Return a fresh encryption key."""
    return Fernet.generate_key().decode("ascii")
