"""Certificates and their keys, made up for a test."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, kw_only=True)
class MadeCertificate:
    """A private key and its certificate as PEM; `expires` is the last day."""

    key: str
    certificate: str
    expires: dt.date

    @property
    def both(self) -> str:
        """Both in one text, as a file has them."""
        return self.key + self.certificate


def make_certificate(*, days: int = 365, bits: int = 2048, password: str | None = None) -> MadeCertificate:
    """Make a certificate that signs itself, good for so many days from yesterday on."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Made-up app")])
    begins = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    ends = begins + dt.timedelta(days=days)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .sign(key, SHA256())
    )
    lock = NoEncryption() if password is None else BestAvailableEncryption(password.encode())
    return MadeCertificate(
        key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock).decode(),
        certificate=certificate.public_bytes(Encoding.PEM).decode(),
        expires=ends.date(),
    )
