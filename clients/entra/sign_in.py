"""Sign-in of a user by Entra: authorisation code with PKCE by msal, and the ID token that comes back.

msal checks `state` and `nonce`, and nothing of the ID token (its issue 911 says why). The token is validated
here, by OpenID Connect Core 1.0 section 3.1.3.7 and Microsoft's page "ID tokens in the Microsoft identity
platform".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import jwt
import msal

from clients.entra.errors import token_error
from clients.entra.msal_http import ForeignEndpointError, InvalidResponseError, MsalHttp
from clients.http.errors import TRANSPORT_ERRORS, classify
from clients.http.limits import TOKEN_LIMITS
from clients.http.origins import is_same_origin
from clients.http.session import HttpSession
from schemas.errors import TransientError
from schemas.hub.entra import EntraAccount, EntraFault, EntraSignInError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Seconds by which a clock may differ from Entra's.
_LEEWAY: Final = 120

_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")

#: What stands for the account's directory in the issuer of an authority for several directories.
_ANY_DIRECTORY: Final = "{tenantid}"

#: Neither a token for later, nor an account to remember, is wanted.
_UNWANTED_SCOPES: Final = ["offline_access"]

_MAX_CLAIMS: Final = 1_000


class EntraClient:
    """Begins and finishes sign-ins; may be shared by threads, and remembers none of them."""

    def __init__(
        self, *, authority: str, client_id: str, client_secret: str, ca_bundle: str | None = None
    ) -> None:
        """Take the authority with its directory, such as https://login.microsoftonline.com/organizations."""
        self._authority = authority.rstrip("/")
        self._client_id = client_id
        self._client_secret = client_secret
        self._session = HttpSession(
            methods={"GET", "POST"}, origin=self._authority, ca_bundle=ca_bundle, limits=TOKEN_LIMITS
        )

    def begin(self, redirect_uri: str) -> tuple[str, dict[str, Any]]:
        """Return the address at Entra to send the browser to, and what `finish` needs.

        Raises `EntraSignInError`.
        """

        def start(application: Any) -> dict[str, Any]:
            flow: dict[str, Any] = application.initiate_auth_code_flow([], redirect_uri=redirect_uri)
            return flow

        flow = self._ask(start)
        address = str(flow.pop("auth_uri", ""))
        if not is_same_origin(self._authority, address):
            raise EntraSignInError(EntraFault.MISCONFIGURED, "foreign authorization endpoint")
        return address, flow

    def finish(self, flow: dict[str, Any], response: Mapping[str, str]) -> EntraAccount:
        """Return the account of a sign-in, by what Entra sent the browser back with.

        Raises `EntraSignInError`.
        """
        if not response.get("state") or response["state"] != flow.get("state"):
            raise EntraSignInError(EntraFault.NOT_BEGUN)
        if "error" in response:
            raise EntraSignInError(EntraFault.REFUSED)

        def redeem(application: Any) -> Any:
            return application.acquire_token_by_auth_code_flow(flow, dict(response))

        result = self._ask(redeem)
        token = result.get("id_token") if isinstance(result, dict) else None
        if not isinstance(token, str):
            raise self._refusal(result if isinstance(result, dict) else {})
        return self._validated(token)

    def _validated(self, token: str) -> EntraAccount:
        http = MsalHttp(self._session, self._authority)

        def load(address: object) -> dict[str, Any]:
            http.get(str(address))
            return http.last

        configuration = self._guarded(
            lambda: load(f"{self._authority}/v2.0/.well-known/openid-configuration")
        )
        keys = self._guarded(lambda: load(configuration.get("jwks_uri")))
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                jwt.PyJWKSet.from_dict(keys)[str(jwt.get_unverified_header(token).get("kid"))],
                algorithms=["RS256"],
                audience=self._client_id,
                leeway=_LEEWAY,
                options={"require": ["aud", "exp", "iat", "iss", "nonce", "oid", "tid"]},
            )
        except (jwt.PyJWTError, KeyError) as error:
            raise EntraSignInError(EntraFault.MISCONFIGURED, type(error).__name__) from None
        directory, object_id = str(claims["tid"]).lower(), str(claims["oid"]).lower()
        if not _GUID.match(directory) or not _GUID.match(object_id):
            raise EntraSignInError(EntraFault.MISCONFIGURED, "no id of a directory or an object")
        issuer = str(configuration.get("issuer", "")).replace(_ANY_DIRECTORY, str(claims["tid"]))
        if claims["iss"] != issuer:
            raise EntraSignInError(EntraFault.MISCONFIGURED, "foreign issuer")
        found = [each for name in ("roles", "groups") for each in _texts(claims.get(name))]
        return EntraAccount(directory=directory, object_id=object_id, claims=frozenset(found))

    def _ask(self, ask: Callable[[Any], Any]) -> Any:
        """Have msal do something, with an application of its own: it would keep what it gets."""
        http = MsalHttp(self._session, self._authority)

        def use() -> Any:
            application = msal.ConfidentialClientApplication(
                self._client_id,
                client_credential=self._client_secret,
                authority=self._authority,
                http_client=http,
                # The authority comes from our own settings, so Microsoft need not confirm it.
                instance_discovery=False,
                exclude_scopes=_UNWANTED_SCOPES,
            )
            return ask(application)

        try:
            return self._guarded(use)
        except (ValueError, KeyError, RuntimeError, TypeError, AttributeError, msal.exceptions.MsalError):
            # msal complains in many ways, some with values in the text; the answer itself says why.
            raise self._refusal(http.last) from None

    @staticmethod
    def _guarded(ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except InvalidResponseError as error:
            raise EntraSignInError(EntraFault.AWAY, error.message) from None
        except ForeignEndpointError as error:
            raise EntraSignInError(EntraFault.MISCONFIGURED, error.message) from None
        except TRANSPORT_ERRORS as error:
            raise EntraSignInError(EntraFault.AWAY, classify(error).message) from None

    def _refusal(self, answer: Mapping[str, Any]) -> EntraSignInError:
        """Say why Entra gave no token; a code that is no longer good was redeemed already, or is too old."""
        if answer.get("error") == "invalid_grant":
            return EntraSignInError(EntraFault.NOT_BEGUN)
        error = token_error(answer, client_secret=self._client_secret)
        fault = EntraFault.AWAY if isinstance(error, TransientError) else EntraFault.MISCONFIGURED
        return EntraSignInError(fault, error.detail)


def _texts(values: object) -> list[str]:
    listed = values if isinstance(values, list) else []
    return [each for each in listed[:_MAX_CLAIMS] if isinstance(each, str)]
