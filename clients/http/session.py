"""A session with timeouts, trusted authorities and a list of allowed requests."""

from __future__ import annotations

import json
import logging
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol

import requests
from requests.cookies import RequestsCookieJar

from clients.http.allow_list import AllowListAdapter
from clients.http.deadlines import WATCHDOG
from clients.http.errors import (
    TRANSPORT_ERRORS,
    FailureCategory,
    InvalidRequestError,
    ResponseTooLargeError,
    TransportFailure,
    classify,
)
from clients.http.limits import GRAPH_LIMITS

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Collection, Mapping

    from requests.sessions import _Settings

    from clients.http.limits import ResponseLimits

#: Seconds until a connection stands.
CONNECT_TIMEOUT: Final = 5.0
#: Seconds between two pieces of an answer.
READ_TIMEOUT: Final = 60.0
#: Seconds for the whole of a request, from the look-up of the name to the answer's last byte.
REQUEST_TIMEOUT: Final = 180.0

#: Servers for which is kept what the environment says of them; a session talks to one or a few.
_ORIGINS: Final = 64

_USER_AGENT: Final = "skolon-update-sync"

_SUCCESS: Final = range(200, 300)


class Response(Protocol):
    """What is looked at of an answer: one of requests' own, or one out of a batch."""

    @property
    def status_code(self) -> int:
        """HTTP's status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, found by their names in any case."""

    @property
    def content(self) -> bytes:
        """The body."""


class _NoUrls(logging.Filter):
    """Drops what urllib3 logs about requests: its lines hold URLs, and those hold personal values."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Drop it, whatever it is."""
        del record
        return False


_NO_URLS: Final = _NoUrls()
_TALKATIVE: Final = (
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.poolmanager",
    "urllib3.util.retry",
)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


class _NoCookies(RequestsCookieJar):
    """A jar that stays empty: a cookie would tie one tenant's requests to another's."""

    def add_cookie_header(self, request: Any) -> None:
        """Add nothing: there is none."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Take none."""


class HttpSession(requests.Session):
    """A session that may be shared by threads: nothing in it changes once it is made.

    It keeps no cookies, follows no redirect, bounds the time of each request, and sends only what its
    adapter allows. `ca_bundle` is a file of authorities that are trusted beside requests' own
    (certifi's), and wins over REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE; None leaves the choice to requests. A
    request ends after `seconds`, or with its thread's `time_limit`, whatever comes. An answer beyond `limits`
    is none.
    """

    def __init__(  # noqa: PLR0913 - each is a bound of its own
        self,
        *,
        methods: Collection[str],
        addresses: re.Pattern[str] | None = None,
        also_allow: Callable[[requests.PreparedRequest], bool] | None = None,
        origin: str | None = None,
        ca_bundle: str | None = None,
        limits: ResponseLimits = GRAPH_LIMITS,
        seconds: float = REQUEST_TIMEOUT,
    ) -> None:
        super().__init__()
        self._limits = limits
        self._seconds = seconds
        adapter = AllowListAdapter(
            methods, addresses, also_allow, origin=origin, max_bytes=limits.size, ca_bundle=ca_bundle
        )
        self.mount("https://", adapter)
        self.mount("http://", adapter)
        self._ca_bundle = ca_bundle
        self._environment = lru_cache(_ORIGINS)(self._settings_of)
        self.headers["User-Agent"] = _USER_AGENT
        self.cookies = _NoCookies()
        # Without this, a netrc file on the machine would replace our Authorization header.
        self.auth = _as_it_is
        for name in _TALKATIVE:
            logging.getLogger(name).addFilter(_NO_URLS)

    def request(self, method: str, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]  # passes on what it does not look at
        """Send a request as requests does, with this session's bounds and trust."""
        response = self._request(method, url, *args, **kwargs)
        if self._limits.exceeded_by(response.content):
            raise ResponseTooLargeError
        return response

    def try_request(
        self, method: str, url: str, *, query: str | None = None, **kwargs: Any
    ) -> requests.Response | TransportFailure:
        """Send a request and read the whole answer, or say why there is none.

        `query` is percent-encoded (RFC 3986 section 3.4), and sent as it is.

        Returned and not raised, so that no exception of ours drags the foreign one along, which
        holds the URL and the credentials. Raises `InvalidRequestError` when we asked wrongly.
        """
        try:
            response = self._request(method, url, params=query, **kwargs)
        except TRANSPORT_ERRORS as error:
            failure = classify(error)
        else:
            if not self._limits.exceeded_by(response.content):
                return response
            failure = classify(ResponseTooLargeError())
        if failure.category is FailureCategory.BUG:
            raise InvalidRequestError(failure.message)
        return failure

    def _options(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return a request's options with this session's timeouts and trust, where they say nothing else."""
        options["allow_redirects"] = False
        if options.get("timeout") is None:
            options["timeout"] = (CONNECT_TIMEOUT, READ_TIMEOUT)
        if options.get("verify") is None and self._ca_bundle is not None:
            # Said per request: requests prefers the environment to what a session says. The gate knows more.
            options["verify"] = self._ca_bundle
        return options

    def _request(self, method: str, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request and end it when its time is over; raises requests' `ReadTimeout` then."""
        response = None
        deadline = WATCHDOG.begin(self._seconds)
        try:
            # None is left where the thread has used up what `time_limit` gave it.
            if deadline.remaining():
                response = super().request(method, url, *args, **self._options(kwargs))
        except Exception:
            if not deadline.expired:
                raise
        finally:
            WATCHDOG.end(deadline)
        if response is None or deadline.expired:
            # Whatever came: a body may have ended because the connection was cut off.
            raise requests.exceptions.ReadTimeout
        return response

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Return the request ready to be sent; of this session it takes the headers and `auth`.

        Requests would merge parameters, cookies and hooks as well, of which this session has none.
        Parameters that are a text already are the query as it is: requests would take them apart and
        encode them again, which costs as much as all the rest of a search for many users.
        """
        query = request.params if isinstance(request.params, str) else None
        prepared = requests.PreparedRequest()
        prepared.prepare(
            method=request.method,
            url=request.url,
            headers={**self.headers, **(request.headers or {})},
            files=request.files,
            data=request.data,
            # Not None, over which requests thinks for long.
            params="" if query else request.params or "",
            auth=request.auth or self.auth,
            cookies=request.cookies or self.cookies,
            hooks=request.hooks,
            json=request.json,
        )
        if query:
            prepared.url = f"{prepared.url}?{query}"
        return prepared

    def merge_environment_settings(
        self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> _Settings:
        """Return what holds for a request as requests does, asking the environment once for each server.

        What it says of proxies and trusted authorities does not change while a process runs.
        """
        if proxies or stream is not None or cert is not None:
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        return self._environment("/".join(url.split("/", 3)[:3]), verify).copy()

    def _settings_of(self, origin: str, verify: bool | str | None) -> _Settings:  # noqa: FBT001 - requests' own
        return super().merge_environment_settings(origin, {}, None, verify, None)


def is_client_error(status: int) -> bool:
    """Say whether a status blames the request (4xx)."""
    return HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR


def succeeded(response: Response) -> bool:
    """Say whether the status is one of success."""
    return response.status_code in _SUCCESS


def json_object(response: Response) -> dict[str, Any] | None:
    """Return the JSON object that an answer holds, None if it is anything else."""
    try:
        value = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
