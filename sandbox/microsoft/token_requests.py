"""What Entra ID's token endpoint refuses, and with which error.

Sources: RFC 6749 (sections 2.3.1, 4.4 and 5.2), Microsoft's list of AADSTS error codes.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus, urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sandbox.microsoft.apps import App
    from sandbox.microsoft.http_messages import Request

#: Authorities that stand for no tenant in particular.
NO_TENANT = frozenset(("common", "organizations", "consumers"))


class TokenRequestError(Exception):
    """What the token endpoint refuses."""

    def __init__(self, status: int, error: str, number: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.number = number
        self.message = message


def check_token_request(
    tenant: str, fields: Mapping[str, str], *, tenants: Collection[str], graph_hosts: Collection[str]
) -> None:
    """Check whose token is asked for, how, and for what. Raises TokenRequestError.

    ``tenants`` have a directory, ``graph_hosts`` serve Graph; both are in lower case.
    """
    if tenant.lower() in NO_TENANT:
        raise TokenRequestError(
            400, "invalid_request", 50059, "No tenant-identifying information found in the request."
        )
    if tenant.lower() not in tenants:
        raise unknown_tenant(tenant, error="invalid_request")
    if fields.get("grant_type") != "client_credentials":
        raise TokenRequestError(
            400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type."
        )
    scope = fields.get("scope", "")
    if not scope:
        raise TokenRequestError(
            400, "invalid_request", 90014, "The required field 'scope' is missing from the credential."
        )
    if not scope.endswith("/.default"):
        raise TokenRequestError(
            400, "invalid_scope", 1002012, f"The provided value for scope {scope} is not valid."
        )
    if urlsplit(scope).hostname not in graph_hosts:
        raise TokenRequestError(400, "invalid_resource", 500011, "The resource principal was not found.")


def credentials(request: Request, fields: dict[str, str]) -> tuple[str, str]:
    """Return client id and secret, from the body or from HTTP Basic (RFC 6749, section 2.3.1)."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user, password = "", ""
        return unquote_plus(user), unquote_plus(password)
    return fields.get("client_id", ""), fields.get("client_secret", "")


def check_app(app: App | None, client_id: str, client_secret: str, tenant: str) -> None:
    """Check that the secret is good for the app. Raises TokenRequestError."""
    if app is None:
        raise TokenRequestError(
            400,
            "unauthorized_client",
            700016,
            f"Application with identifier '{client_id}' was not found in the directory '{tenant}'. This can "
            "happen if the application has not been installed by the administrator of the tenant or "
            "consented to by any user in the tenant.",
        )
    if not client_secret:
        raise TokenRequestError(
            401,
            "invalid_client",
            7000218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        )
    if not secrets.compare_digest(client_secret.encode(), app.client_secret.encode()):
        raise TokenRequestError(
            401,
            "invalid_client",
            7000215,
            "Invalid client secret provided. Ensure the secret being sent in the request is the client "
            f"secret value, not the client secret ID, for a secret added to app '{client_id}'.",
        )
    if app.secret_expired:
        raise TokenRequestError(
            401,
            "invalid_client",
            7000222,
            f"The provided client secret keys for app '{client_id}' are expired.",
        )


def demanded_nbf(claims: str | None) -> str | None:
    """Return the ``nbf`` that a claims request asks of the access token, if it asks for one.

    Raises TokenRequestError when the request is malformed.
    """
    if claims is None:
        return None
    try:
        wanted: Any = json.loads(claims)
        value: Any = wanted["access_token"]["nbf"]["value"]
    except (ValueError, KeyError, TypeError):
        raise TokenRequestError(
            400, "invalid_request", 9000411, "The claims parameter is malformed."
        ) from None
    return str(value)


def unknown_tenant(tenant: str, *, error: str) -> TokenRequestError:
    """Return the refusal for a tenant that has no directory; ``error`` differs by endpoint."""
    return TokenRequestError(
        400,
        error,
        90002,
        f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing "
        "into the correct cloud.",
    )
