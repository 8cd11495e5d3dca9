"""Authenticates callers: a fixed bearer token, or tokens for client credentials (RFC 6749 section 4.4)."""

from __future__ import annotations

import hmac
import secrets
import time
from threading import Lock
from typing import TYPE_CHECKING

from sandbox.skolon.answers import json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Request, Response


class Tokens:
    """The tokens in force. Times are seconds of a monotonic clock; safe for threads."""

    def __init__(
        self,
        *,
        bearer_token: str | None,
        client_id: str | None,
        client_secret: str | None,
        lifetime: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bearer_token = bearer_token
        self._client_id = client_id
        self._client_secret = client_secret
        self._lifetime = lifetime
        self._clock = clock
        self._until: dict[str, float] = {}
        self._lock = Lock()

    def admits(self, authorization: str) -> bool:
        """Tell whether the value of an Authorization header holds a token in force."""
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            return False
        if self._bearer_token is not None and _same(token, self._bearer_token):
            return True
        with self._lock:
            return self._until.get(token, float("-inf")) > self._clock()

    def expire_all(self) -> None:
        """End every token that was issued; the fixed one stays."""
        with self._lock:
            self._until.clear()

    def response(self, request: Request) -> Response:
        """Answer a request to the token endpoint; errors are those of RFC 6749 section 5.2."""
        if request.method != "POST":
            return json_response({"error": "invalid_request"}, status=405, headers={"Allow": "POST"})
        if request.form.get("grant_type") != "client_credentials":
            return json_response({"error": "unsupported_grant_type"}, status=400)
        basic = request.authorization
        if basic is not None and basic.type == "basic":
            client_id, client_secret = basic.username or "", basic.password or ""
        else:
            client_id = request.form.get("client_id", "")
            client_secret = request.form.get("client_secret", "")
        if not self._knows(client_id, client_secret):
            return json_response(
                {"error": "invalid_client", "error_description": "Unknown client, or wrong secret"},
                status=401,
            )
        return json_response(
            {"access_token": self._issue(), "token_type": "Bearer", "expires_in": int(self._lifetime)},
            headers={"Cache-Control": "no-store"},
        )

    def _knows(self, client_id: str, client_secret: str) -> bool:
        if self._client_id is None or self._client_secret is None:
            return False
        return _same(client_id, self._client_id) and _same(client_secret, self._client_secret)

    def _issue(self) -> str:
        token = secrets.token_urlsafe(32)
        now = self._clock()
        with self._lock:
            # Forgetting what is over keeps a long-lived stand-in from growing.
            self._until = {held: until for held, until in self._until.items() if until > now}
            self._until[token] = now + self._lifetime
        return token


def _same(given: str, held: str) -> bool:
    return hmac.compare_digest(given.encode(), held.encode())
