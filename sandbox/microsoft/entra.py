"""Entra ID's token endpoint for client credentials, and the judge of the tokens that it gave.

Sources: RFC 6749 (sections 4.4 and 5.2), Microsoft's list of AADSTS error codes, its page on
claims challenges.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from sandbox.microsoft.assertions import check_assertion
from sandbox.microsoft.http_messages import GraphError, Request, Response, json_response
from sandbox.microsoft.token_requests import (
    NO_TENANT,
    TokenRequestError,
    check_app,
    check_token_request,
    credentials,
    demanded_nbf,
    unknown_tenant,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.microsoft.apps import App
    from sandbox.microsoft.sign_in import SignIns

#: Seconds that a token is good for.
TOKEN_SECONDS = 3599

#: Graph's own application id, which its challenges name.
GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"

#: Where Microsoft itself serves Graph.
_GRAPH_HOSTS = frozenset(
    (
        "graph.microsoft.com",
        "graph.microsoft.us",
        "dod-graph.microsoft.us",
        "microsoftgraph.chinacloudapi.cn",
    )
)


@dataclass(frozen=True, kw_only=True)
class _Token:
    tenant: str
    client_id: str
    expires: float
    nbf: str | None


class Entra:
    """The apps of some tenants and the tokens that they got; may be used from many threads.

    ``graph_names`` are the hosts, besides Microsoft's own, that tokens for Graph can be asked for.
    """

    def __init__(
        self,
        *,
        tenants: Iterable[str],
        apps: Iterable[App],
        graph_names: Iterable[str],
        clock: Callable[[], float],
        sign_ins: SignIns | None = None,
    ) -> None:
        self._sign_ins = sign_ins
        self._lock = threading.Lock()
        self._graph_hosts = _GRAPH_HOSTS | {name.lower() for name in graph_names}
        self._tenants = frozenset(tenant.lower() for tenant in tenants)
        self._apps = {(app.tenant.lower(), app.client_id.lower()): app for app in apps}
        self._tokens: dict[str, _Token] = {}
        self._clock = clock
        for tenant, _ in self._apps:
            if tenant not in self._tenants:
                raise ValueError(f"there is an app in tenant {tenant}, which has no directory")

    def app(self, tenant: str, client_id: str) -> App:
        """Return an app as it is now. Raises KeyError for one that is not there."""
        with self._lock:
            return self._apps[tenant.lower(), client_id.lower()]

    def change(  # noqa: PLR0913 - each is a switch of its own, by name
        self,
        tenant: str,
        client_id: str,
        *,
        client_secret: str | None = None,
        certificate: str | None = None,
        secret_expired: bool | None = None,
        permitted: bool | None = None,
        claims_demanded: bool | None = None,
    ) -> App:
        """Change what is given, for requests from now on. Raises KeyError for an unknown app.

        A new secret leaves the tokens good that the old one got, as in Entra.
        """
        key = (tenant.lower(), client_id.lower())
        with self._lock:
            app = self._apps[key]
            if client_secret is not None:
                app = replace(app, client_secret=client_secret)
            if certificate is not None:
                app = replace(app, certificate=certificate)
            if secret_expired is not None:
                app = replace(app, secret_expired=secret_expired)
            if permitted is not None:
                app = replace(app, permitted=permitted)
            if claims_demanded is not None:
                nbf = str(int(self._clock())) if claims_demanded else None
                app = replace(app, demanded_nbf=nbf)
            self._apps[key] = app
            return app

    def revoke_tokens(self, tenant: str | None = None) -> None:
        """Make every token worthless, or those of one tenant."""
        with self._lock:
            self._tokens = {
                text: token
                for text, token in self._tokens.items()
                if tenant is not None and token.tenant != tenant.lower()
            }

    def discover(self, request: Request, tenant: str) -> Response:
        """Answer with the tenant's OpenID Connect metadata."""
        if tenant.lower() not in self._tenants | NO_TENANT:
            return self._refusal(unknown_tenant(tenant, error="invalid_tenant"), request)
        base = f"{request.base_url}/{tenant}"
        issuer = "{tenantid}" if tenant.lower() in NO_TENANT else tenant
        return json_response(
            {
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "token_endpoint_auth_methods_supported": [
                    "client_secret_post",
                    "private_key_jwt",
                    "client_secret_basic",
                ],
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
                "issuer": f"{request.base_url}/{issuer}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
                "tenant_region_scope": "EU",
                "msgraph_host": urlsplit(request.base_url).netloc,
            }
        )

    def give_token(self, request: Request, tenant: str) -> Response:
        """Answer a token request (``POST /{tenant}/oauth2/v2.0/token``)."""
        try:
            return self._give_token(request, tenant)
        except TokenRequestError as error:
            return self._refusal(error, request)

    def authenticate(self, request: Request) -> App:
        """Return whose token a request to Graph bears. Raises GraphError 401 without a good one."""
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not text:
            raise _unauthorized(request, "Access token is empty.")
        with self._lock:
            token = self._tokens.get(text.strip())
            app = self._apps.get((token.tenant, token.client_id)) if token else None
        if token is None or app is None:
            raise _unauthorized(request, "CompactToken validation failed with reason code: 80049228.")
        if token.expires <= self._clock():
            raise _unauthorized(request, "Lifetime validation failed, the token is expired.")
        if app.demanded_nbf is not None and token.nbf != app.demanded_nbf:
            raise _unauthorized(
                request,
                "Continuous access evaluation resulted in challenge with result: InteractionRequired "
                "and code: TokenIssuedBeforeRevocationTimestamp",
                challenge=app.demanded_nbf,
            )
        return app

    def _give_token(self, request: Request, tenant: str) -> Response:
        fields = {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}
        client_id, client_secret = credentials(request, fields)
        if self._sign_ins is not None and fields.get("grant_type") == "authorization_code":
            return self._sign_ins.redeem(request, fields, (client_id, client_secret))
        check_token_request(tenant, fields, tenants=self._tenants, graph_hosts=self._graph_hosts)
        with self._lock:
            app = self._apps.get((tenant.lower(), client_id.lower()))
        if app is not None and "client_assertion" in fields:
            check_assertion(app, fields, audience=request.url.partition("?")[0])
        else:
            check_app(app, client_id, client_secret, tenant)
        text = "eyJ0eXAiOiJKV1Qi." + secrets.token_urlsafe(48)
        now = self._clock()
        token = _Token(
            tenant=tenant.lower(),
            client_id=client_id.lower(),
            expires=now + TOKEN_SECONDS,
            nbf=demanded_nbf(fields.get("claims")),
        )
        with self._lock:
            self._tokens = {key: value for key, value in self._tokens.items() if value.expires > now}
            self._tokens[text] = token
        body = {
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "ext_expires_in": TOKEN_SECONDS,
            "access_token": text,
        }
        return json_response(body, headers={"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"})

    def _refusal(self, error: TokenRequestError, request: Request) -> Response:
        moment = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        trace = str(uuid.uuid4())
        correlation = request.client_request_id
        body = {
            "error": error.error,
            "error_description": f"AADSTS{error.number}: {error.message} Trace ID: {trace} "
            f"Correlation ID: {correlation} Timestamp: {moment}",
            "error_codes": [error.number],
            "timestamp": moment,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={error.number}",
        }
        return json_response(body, status=error.status, media_type="application/json; charset=utf-8")


def _unauthorized(request: Request, message: str, *, challenge: str | None = None) -> GraphError:
    header = (
        f'Bearer realm="", authorization_uri="{request.base_url}/common/oauth2/authorize", '
        f'client_id="{GRAPH_APP_ID}"'
    )
    if challenge is not None:
        claims = {"access_token": {"nbf": {"essential": True, "value": challenge}}}
        encoded = base64.b64encode(json.dumps(claims).encode()).decode()
        header += f', error="insufficient_claims", claims="{encoded}"'
    return GraphError(401, "InvalidAuthenticationToken", message, headers={"WWW-Authenticate": header})
