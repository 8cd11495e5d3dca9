"""Authenticates at Skolon: a fixed token, or OAuth2 client credentials (RFC 6749 section 4.4)."""

from __future__ import annotations

import base64
import datetime as dt
import time
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote_plus

from clients.http.errors import FailureCategory, TransportFailure
from clients.http.retry_after import retry_after
from clients.http.session import json_object, succeeded
from clients.turns import Turn
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import Dependency, HaltError, TransientError, UnreachableError
from schemas.outcomes import Cause

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from clients.http.session import HttpSession

#: Seconds before its end at which a token is no longer used.
_MARGIN: Final = 60.0
#: Seconds that a token is taken to live when the answer does not say.
_UNSAID_LIFE: Final = 300.0

#: `error` values that blame the server for now (RFC 6749 section 4.1.2.1 has the words).
_FOR_NOW: Final = frozenset({"temporarily_unavailable", "server_error"})
_REFUSALS: Final = frozenset({400, 401, 403, 404, 405})


class TokenSource(Protocol):
    """Where the bearer token comes from."""

    def token(self, refused: str | None = None) -> str:
        """Return a token; `refused` is one that Skolon did not take, and is not worth giving again.

        The same one comes back when there is no other.
        """


class StaticToken:
    """A bearer token out of the settings."""

    def __init__(self, token: str) -> None:
        self._token = token

    def token(self, refused: str | None = None) -> str:
        """Return the one there is."""
        del refused
        return self._token


class ClientCredentialsTokenSource:
    """Tokens from Skolon's token endpoint, each used until shortly before it ends.

    May be shared by threads.
    """

    def __init__(
        self,
        session: HttpSession,
        *,
        url: str,
        client_id: str,
        client_secret: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._url = url
        self._authorization = _basic(client_id, client_secret)
        self._clock = clock
        self._turn = Turn(clock)
        self._token: str | None = None
        self._good_until = 0.0

    def token(self, refused: str | None = None) -> str:
        """Return a token, asking for a new one when need be: one request, however many threads want it.

        Threads that waited for one that failed share its failure.

        Raises `HaltError` (`skolon_credentials`) or `TransientError`.
        """
        with self._turn.taken():
            current = self._token
            if current is None or current == refused or self._clock() >= self._good_until:
                current, life = self._new()
                self._token = current
                self._good_until = self._clock() + max(life - _MARGIN, life / 2)
            return current

    def _new(self) -> tuple[str, float]:
        response = self._session.try_request(
            "POST",
            self._url,
            data={"grant_type": "client_credentials"},
            headers={"Authorization": self._authorization, "Accept": "application/json"},
        )
        if isinstance(response, TransportFailure):
            if response.category is FailureCategory.ADDRESS:
                raise HaltError(
                    Cause.SKOLON_CREDENTIALS,
                    Detail(
                        DetailKind.ADDRESS_IN_SETTING,
                        setting="UPDATE_SYNC_SKOLON_TOKEN_URL",
                        problem=response.message,
                    ),
                )
            raise UnreachableError(
                Dependency.SKOLON,
                Detail(DetailKind.TOKEN_ENDPOINT, problem=response.message),
                kind=response.kind,
            )
        body = json_object(response)
        if succeeded(response) and body is not None:
            token = body.get("access_token")
            if isinstance(token, str) and token.isascii() and token.isprintable() and token:
                return token, _life(body.get("expires_in"))
        raise _refusal(response, body)


def _basic(client_id: str, client_secret: str) -> str:
    """Return the header of RFC 6749 section 2.3.1, whose parts are form-encoded first."""
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"


def _life(value: Any) -> float:
    try:
        life = float(value)
    except (TypeError, ValueError):
        return _UNSAID_LIFE
    return life if life > 0 else _UNSAID_LIFE


def _refusal(response: requests.Response, body: dict[str, Any] | None) -> HaltError | TransientError:
    error = body.get("error") if body is not None else None
    status = response.status_code
    if body is not None and status in _REFUSALS and error not in _FOR_NOW:
        return HaltError(
            Cause.SKOLON_CREDENTIALS,
            Detail(DetailKind.SKOLON_CLIENT_REFUSED, status=status),
        )
    return UnreachableError(
        Dependency.SKOLON,
        Detail(DetailKind.TOKEN_ENDPOINT, problem=Detail(DetailKind.NO_TOKEN, status=status)),
        retry_after=retry_after(response.headers.get("Retry-After"), now=dt.datetime.now(dt.UTC)),
        status=status,
    )
