"""Throw-away certificates, so that the stand-ins can speak TLS on loopback.

Microsoft's own token library refuses an authority without TLS, which is why the
stand-ins have certificates at all.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The names that a certificate of ours is good for.
LOOPBACK_NAMES = ("127.0.0.1", "localhost")


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """Where a server certificate lies, and what its clients have to trust.

    ``chain`` and ``key`` are for the server, ``authority`` is the PEM file that a
    client passes as its CA bundle. All three are files.
    """

    chain: Path
    key: Path
    authority: Path


def make_certificate(folder: Path, *names: str) -> Certificate:
    """Make a new authority and a certificate for ``names``, and write both into ``folder``.

    Without names it is good for loopback.

    The folder must exist. The authority's own key is never written, so it cannot be
    used to sign anything else.
    """
    authority = trustme.CA(organization_name="Update Sync sandbox")
    leaf = authority.issue_cert(*(names or LOOPBACK_NAMES))
    certificate = Certificate(
        chain=folder / "server.pem",
        key=folder / "server.key",
        authority=folder / "authority.pem",
    )
    certificate.key.touch(mode=0o600)
    leaf.private_key_pem.write_to_path(certificate.key)
    for position, blob in enumerate(leaf.cert_chain_pems):
        blob.write_to_path(certificate.chain, append=position > 0)
    authority.cert_pem.write_to_path(certificate.authority)
    return certificate


@contextmanager
def temporary_certificate() -> Iterator[Certificate]:
    """Yield a certificate whose files are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="update-sync-") as folder:
        yield make_certificate(Path(folder))
