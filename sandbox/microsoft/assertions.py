"""An app that proves itself by a certificate: the assertion that it signs, as Entra checks it.

Sources: RFC 7523 (sections 2.2 and 3), Microsoft's page on certificate credentials of an application.
"""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Final

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from sandbox.microsoft.token_requests import TokenRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.microsoft.apps import App

_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def check_assertion(app: App, fields: Mapping[str, str], *, audience: str) -> None:
    """Check that an app's assertion is signed with the key of its certificate. Raises TokenRequestError."""
    assertion = fields["client_assertion"]
    if fields.get("client_assertion_type") != _TYPE:
        raise TokenRequestError(400, "invalid_request", 900144, "The client_assertion_type is not valid.")
    if app.certificate is None:
        raise _refused("The key was not found.")
    certificate = x509.load_pem_x509_certificate(app.certificate.encode())
    thumbprint = base64.urlsafe_b64encode(certificate.fingerprint(SHA256())).decode().rstrip("=")
    try:
        named = str(jwt.get_unverified_header(assertion).get("x5t#S256", "")).rstrip("=")
        if not secrets.compare_digest(named, thumbprint):
            raise _refused(f"The key was not found. Thumbprint of key used by client: '{named[:64]}'.")
        claims = jwt.decode(
            assertion,
            certificate.public_key(),  # type: ignore[arg-type] # a key of RSA
            algorithms=["PS256"],
            audience=audience,
            options={"require": ["exp", "aud", "iss", "sub"]},
        )
    except jwt.PyJWTError:
        raise _refused("The signature is not valid.") from None
    if not claims["iss"] == claims["sub"] == app.client_id:
        raise TokenRequestError(401, "invalid_client", 700021, "The assertion is for another application.")


def _refused(why: str) -> TokenRequestError:
    return TokenRequestError(
        401,
        "invalid_client",
        700027,
        "The certificate with identifier used to sign the client assertion is not registered on application. "
        f"{why}",
    )
