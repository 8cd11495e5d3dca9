"""A certificate with its key: what is taken of a file, and what is refused and why."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from schemas.errors import InvalidTenantError
from schemas.tenants.credentials.client_certificate import (
    CertificateError,
    CertificateFault,
    is_certificate,
    read_certificate,
)
from schemas.tenants.tenant import change_tenant, load_tenant
from tests.certificates import make_certificate

NOW = dt.datetime.now(dt.UTC)
MADE = make_certificate()
OTHER = make_certificate()
TENANT = {
    "name": "Exempelkommun",
    "entra_tenant_id": "72f988bf-86f1-41af-91ab-2d7cd011db47",
    "client_id": "6731de76-14a6-49ae-97bc-6eba6914391e",
    "organisation": "exempel",
}


def elliptic_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    "text",
    [
        MADE.both,
        MADE.certificate + MADE.key,
        f"Bag Attributes\n    friendlyName: x\n{MADE.both}",
        MADE.key + OTHER.certificate + MADE.certificate,
        MADE.both.replace("\n", "\r\n"),
    ],
)
def test_the_key_and_its_certificate_are_taken(text: str) -> None:
    """In any order, with other texts between them; what is kept is the key, and the one that it is of."""
    taken = read_certificate(text, NOW)
    assert (taken.pem, taken.expires) == (MADE.both, MADE.expires)
    assert is_certificate(taken.pem)
    assert MADE.key.splitlines()[1] not in repr(taken)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", CertificateFault.NO_KEY),
        ("nonsense", CertificateFault.NO_KEY),
        (MADE.certificate, CertificateFault.NO_KEY),
        (MADE.key, CertificateFault.NO_CERTIFICATE),
        (MADE.key[:200] + MADE.certificate, CertificateFault.NO_KEY),
        (make_certificate(password="abcd").both, CertificateFault.KEY_LOCKED),  # noqa: S106 - made up
        (make_certificate(bits=1024).both, CertificateFault.OTHER_KIND_OF_KEY),
        (elliptic_key() + MADE.certificate, CertificateFault.OTHER_KIND_OF_KEY),
        (MADE.key + OTHER.certificate, CertificateFault.OTHER_KEY),
        (make_certificate(days=0).both, CertificateFault.EXPIRED),
        (MADE.both * 10, CertificateFault.TOO_LONG),
    ],
)
def test_what_is_no_certificate_with_its_key_is_refused(text: str, fault: CertificateFault) -> None:
    """P6: with what is wrong, and nothing of what was given."""
    with pytest.raises(CertificateError) as caught:
        read_certificate(text, NOW)
    assert caught.value.fault is fault
    assert not any(line in str(caught.value) for line in text.splitlines() if line)


def test_a_tenant_has_a_certificate_in_place_of_a_secret() -> None:
    """Its date is that of the certificate, whatever is said; a secret after it has no date."""
    given = {**TENANT, "client_secret": MADE.both, "client_secret_expires": "2031-01-01"}
    tenant, secret = load_tenant("exempel", given)
    assert (secret, tenant.client_secret_expires) == (MADE.both, MADE.expires)
    changed, newer = change_tenant(tenant, {"client_secret": OTHER.both})
    assert (newer, changed.client_secret_expires) == (OTHER.both, OTHER.expires)
    later, newest = change_tenant(changed, {"client_secret": "a~secret~that~is~made~up~for~this~test~01"})
    assert (newest, later.client_secret_expires) == ("a~secret~that~is~made~up~for~this~test~01", None)


def test_a_tenant_takes_no_certificate_without_its_key() -> None:
    """P6: the setting is named, with what is missing."""
    with pytest.raises(InvalidTenantError) as caught:
        load_tenant("exempel", {**TENANT, "client_secret": MADE.certificate})
    assert [str(each) for each in caught.value.faults] == [
        "client_secret: It has no private key: put the key and the certificate into one PEM file."
    ]
