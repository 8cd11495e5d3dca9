"""A certificate with its private key, in the place of a client secret: read and checked, never repeated (P6).

Entra gets the certificate alone. The sync keeps both as one PEM text, encrypted as a client secret is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

if TYPE_CHECKING:
    import datetime as dt

    from cryptography.x509 import Certificate

#: Characters of a file with a key and a certificate: keys of 4,096 bits fit. A chain is not needed.
MAX_CERTIFICATE: Final = 8_000

#: Entra takes RSA keys of this size and larger, and no others.
MIN_KEY_BITS: Final = 2048

_BEGIN: Final = "-----BEGIN "


class CertificateFault(StrEnum):
    """Why a text cannot serve as a certificate with its key."""

    TOO_LONG = "too_long"
    NO_KEY = "no_key"
    #: The key asks for a password.
    KEY_LOCKED = "key_locked"
    NO_CERTIFICATE = "no_certificate"
    #: Entra takes RSA keys of 2,048 bits and more.
    OTHER_KIND_OF_KEY = "other_kind_of_key"
    #: The key is not that of any certificate in the text.
    OTHER_KEY = "other_key"
    EXPIRED = "expired"


#: Each in English, for commands and programs.
FAULT_TEXTS: Final = {
    CertificateFault.TOO_LONG: f"It has more than {MAX_CERTIFICATE:,} characters: give one key and one "
    "certificate.",
    CertificateFault.NO_KEY: "It has no private key: put the key and the certificate into one PEM file.",
    CertificateFault.KEY_LOCKED: "The private key has a password: give it without one.",
    CertificateFault.NO_CERTIFICATE: "It has no certificate: put the key and the certificate into one PEM "
    "file.",
    CertificateFault.OTHER_KIND_OF_KEY: f"Entra takes RSA keys of {MIN_KEY_BITS:,} bits and more alone.",
    CertificateFault.OTHER_KEY: "The private key is not that of the certificate.",
    CertificateFault.EXPIRED: "The certificate has expired.",
}


class CertificateError(ValueError):
    """A text is no certificate with its key; `fault` says why."""

    def __init__(self, fault: CertificateFault) -> None:
        super().__init__(FAULT_TEXTS[fault])
        self.fault = fault


@dataclass(frozen=True, kw_only=True)
class ClientCertificate:
    """A private key and its certificate as PEM, in this order, and the last day on which it counts (UTC)."""

    pem: str = field(repr=False)
    expires: dt.date


def is_certificate(credential: str) -> bool:
    """Say whether what an app proves itself with is a certificate, and not a client secret."""
    return credential.lstrip().startswith(_BEGIN) or "\n" + _BEGIN in credential


def read_certificate(text: str, now: dt.datetime) -> ClientCertificate:
    """Return the private key of a PEM text and its certificate; `now` is aware.

    Whatever else is in the text, such as a chain, is left out. Raises `CertificateError`.
    """
    if len(text) > MAX_CERTIFICATE:
        raise CertificateError(CertificateFault.TOO_LONG)
    key = _private_key(text)
    certificate = _certificate_of(key, _certificates(text))
    if certificate.not_valid_after_utc <= now:
        raise CertificateError(CertificateFault.EXPIRED)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem += certificate.public_bytes(Encoding.PEM)
    return ClientCertificate(pem=pem.decode(), expires=certificate.not_valid_after_utc.date())


def _private_key(text: str) -> RSAPrivateKey:
    if "PRIVATE KEY-----" not in text:
        raise CertificateError(CertificateFault.NO_KEY)
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except TypeError:
        # That it has a password is told by this error.
        raise CertificateError(CertificateFault.KEY_LOCKED) from None
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateError(CertificateFault.NO_KEY) from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < MIN_KEY_BITS:
        raise CertificateError(CertificateFault.OTHER_KIND_OF_KEY)
    return key


def _certificates(text: str) -> list[Certificate]:
    try:
        return x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        raise CertificateError(CertificateFault.NO_CERTIFICATE) from None


def _certificate_of(key: RSAPrivateKey, certificates: list[Certificate]) -> Certificate:
    numbers = key.public_key().public_numbers()
    for certificate in certificates:
        public = certificate.public_key()
        if isinstance(public, RSAPublicKey) and public.public_numbers() == numbers:
            return certificate
    raise CertificateError(CertificateFault.OTHER_KEY)
