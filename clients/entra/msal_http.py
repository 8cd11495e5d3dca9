"""HTTP for msal: it sees answers that can be understood, and asks the configured authority alone."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from requests.exceptions import RequestException

from clients.http.origins import is_same_origin, origin_of
from clients.http.retry_after import retry_after
from clients.http.session import json_object
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind

if TYPE_CHECKING:
    import requests

    from clients.http.session import HttpSession

#: Statuses whose body says what is wrong with the request (RFC 6749 section 5.2).
_ERRORS_WITH_WORDS: Final = frozenset({400, 401, 403, 404})
_OK: Final = 200


class InvalidResponseError(RequestException):
    """Whatever came is not an answer of Entra's; of requests' kind, so that msal takes it for an outage."""

    def __init__(self, message: str, status: int, wait: float | None) -> None:
        super().__init__()
        self.message = message
        self.status = status
        self.wait = wait


class ForeignEndpointError(RequestException):
    """Entra names an address that is not where it is configured to be; of requests' kind as well."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__()
        origin = origin_of(found)
        self.message = Detail(
            DetailKind.FOREIGN_TOKEN_ENDPOINT,
            expected=str(origin_of(expected) or ""),
            found=Detail(DetailKind.ODD_ADDRESS) if origin is None else str(origin),
        )


class MsalHttp:
    """What msal asks through: lets it see answers that can be understood, and keeps the last of them.

    The client secret goes to the configured authority alone, whatever its OpenID configuration says.

    So nothing else can come out of msal than its dict, an exception of requests, or a complaint about
    an answer that is kept here.
    """

    def __init__(self, session: HttpSession, authority: str) -> None:
        self._session = session
        self._authority = authority
        self.last: dict[str, Any] = {}

    def post(self, url: str, **kwargs: Any) -> requests.Response:
        """Ask the token endpoint."""
        self._check(url)
        return self._understood(self._session.request("POST", url, **kwargs))

    def get(self, url: str, **kwargs: Any) -> requests.Response:
        """Ask for the directory's OpenID configuration."""
        self._check(url)
        response = self._understood(self._session.request("GET", url, **kwargs))
        if isinstance(named := self.last.get("token_endpoint"), str):
            self._check(named)
        return response

    def _check(self, url: str) -> None:
        if not is_same_origin(self._authority, url):
            raise ForeignEndpointError(url, self._authority)

    def close(self) -> None:
        """Leave the session alone: others use it."""

    def _understood(self, response: requests.Response) -> requests.Response:
        body = json_object(response)
        status = response.status_code
        self.last = body or {}
        if body is None or (status != _OK and status not in _ERRORS_WITH_WORDS):
            wait = retry_after(response.headers.get("Retry-After"), now=dt.datetime.now(dt.UTC))
            what = f"HTTP {status}" if body is not None else f"HTTP {status} without JSON"
            raise InvalidResponseError(what, status, wait)
        return response
