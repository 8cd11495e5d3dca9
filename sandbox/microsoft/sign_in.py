"""Users who sign in at the stand-in for Entra: authorisation code with PKCE, and signed ID tokens.

Sources: OpenID Connect Core 1.0 (sections 2 and 3.1), RFC 7636, Microsoft's reference of ID token claims. In
the place of a password there is a list of made-up people.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.microsoft.http_messages import Request, Response, json_response
from sandbox.microsoft.token_requests import TokenRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

#: Seconds that a code, and an ID token, is good for.
_CODE_SECONDS: Final = 600
_TOKEN_SECONDS: Final = 3600

_KEY_ID: Final = "sandbox-1"
_KEY_BITS: Final = 2048

_PAGE: Final = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Stand-in for Entra</title></head>
<body><h1>Sign in</h1><p>This is the stand-in for Microsoft Entra.</p><ul>{}</ul></body></html>"""


@dataclass(frozen=True, kw_only=True)
class Person:
    """A made-up person who can sign in: an object of a directory, with app roles and groups."""

    directory: str
    object_id: str
    title: str
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Code:
    person: Person
    redirect_uri: str
    challenge: str
    nonce: str
    expires: float


class SignIns:
    """People, the application that they sign in to, and the codes under way; for many threads."""

    def __init__(
        self, *, client_id: str, client_secret: str, people: Iterable[Person], clock: Callable[[], float]
    ) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._people = {person.object_id: person for person in people}
        self._clock = clock
        self._lock = threading.Lock()
        self._codes: dict[str, _Code] = {}
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
        #: Claims that take the place of an ID token's own.
        self.claims: dict[str, Any] = {}

    def authorize(self, request: Request) -> Response:
        """Answer ``GET /organizations/oauth2/v2.0/authorize``: the list of people, or who was chosen."""
        query = request.query
        if query.get("client_id") != self._client_id or query.get("response_type") != "code":
            return _page("<li>AADSTS700016: no such application, or no code is asked for.</li>", status=400)
        if not query.get("code_challenge") or query.get("code_challenge_method") != "S256":
            return _page("<li>AADSTS501471: no code challenge.</li>", status=400)
        person = self._people.get(query.get("person", ""))
        if person is None:
            return _page("".join(_choice(each, query) for each in self._people.values()))
        code = secrets.token_urlsafe(32)
        with self._lock:
            self._codes[code] = _Code(
                person=person,
                redirect_uri=query.get("redirect_uri", ""),
                challenge=query["code_challenge"],
                nonce=query.get("nonce", ""),
                expires=self._clock() + _CODE_SECONDS,
            )
        back = urlencode({"code": code, "state": query.get("state", "")})
        return Response(status=302, headers={"Location": f"{query.get('redirect_uri', '')}?{back}"})

    def redeem(self, request: Request, fields: Mapping[str, str], credentials: tuple[str, str]) -> Response:
        """Answer a token request with a code, once. Raises TokenRequestError."""
        if credentials != (self._client_id, self._client_secret):
            raise TokenRequestError(401, "invalid_client", 7000215, "Invalid client secret provided.")
        with self._lock:
            code = self._codes.pop(fields.get("code", ""), None)
        verifier = fields.get("code_verifier", "").encode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=").decode()
        if (
            code is None
            or code.expires <= self._clock()
            or code.redirect_uri != fields.get("redirect_uri")
            or code.challenge != challenge
        ):
            raise TokenRequestError(400, "invalid_grant", 70008, "The code is not good, or not any more.")
        body = {
            "token_type": "Bearer",
            "scope": "openid profile",
            "expires_in": _TOKEN_SECONDS,
            "access_token": secrets.token_urlsafe(32),
            "id_token": self._id_token(request.base_url, code),
        }
        return json_response(body, headers={"Cache-Control": "no-store, no-cache"})

    def keys(self) -> Response:
        """Answer with the public keys (``/organizations/discovery/v2.0/keys``)."""
        key = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return json_response({"keys": [{**key, "kid": _KEY_ID, "use": "sig", "alg": "RS256"}]})

    def _id_token(self, base_url: str, code: _Code) -> str:
        now, person = int(self._clock()), code.person
        claims = {
            "iss": f"{base_url}/{person.directory}/v2.0",
            "aud": self._client_id,
            "iat": now,
            "nbf": now,
            "exp": now + _TOKEN_SECONDS,
            "nonce": code.nonce,
            "tid": person.directory,
            "oid": person.object_id,
            "sub": person.object_id,
            "ver": "2.0",
            "name": person.title,
            "roles": list(person.roles),
            "groups": list(person.groups),
        }
        return jwt.encode({**claims, **self.claims}, self._key, algorithm="RS256", headers={"kid": _KEY_ID})


def _choice(person: Person, query: Mapping[str, str]) -> str:
    address = escape(f"?{urlencode({**query, 'person': person.object_id})}")
    return f'<li><a href="{address}">{escape(person.title)}</a></li>'


def _page(items: str, *, status: int = 200) -> Response:
    body = _PAGE.format(items).encode()
    return Response(status=status, body=body, headers={"Content-Type": "text/html; charset=utf-8"})
