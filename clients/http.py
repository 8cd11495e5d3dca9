"""What every HTTP request of ours has: a deadline, our CA bundle, no cookies, and a gate at the exit."""

from __future__ import annotations

import threading
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Final

import requests
from requests.adapters import HTTPAdapter

from clients.faults import FOREIGN, Fault, Trouble, UnexpectedFaultError, fault_of
from schemas.version import VERSION

if TYPE_CHECKING:
    import re
    from collections.abc import Collection

#: Seconds to wait for a connection, and for each next piece of an answer.
CONNECT_TIMEOUT: Final = 5.0
READ_TIMEOUT: Final = 60.0

#: A thread has one request under way at a time; the second connection is for a host that closed one.
_CONNECTIONS: Final = 2


_SUCCESS: Final = range(200, 300)


class MethodNotAllowedError(Exception):
    """A request that must never be made was about to leave (promise P1): a bug."""


class _Gate(HTTPAdapter):
    """Lets the allowed requests out, and no others; it is the last thing that a request passes."""

    def __init__(self, methods: frozenset[str], addresses: re.Pattern[str] | None) -> None:
        self._methods = methods
        self._addresses = addresses
        super().__init__(pool_connections=_CONNECTIONS, pool_maxsize=_CONNECTIONS)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send the request, or refuse to."""
        if request.method not in self._methods:
            raise MethodNotAllowedError(f"{request.method} may not be sent from here")
        address = (request.url or "").partition("?")[0]
        if self._addresses is not None and not self._addresses.fullmatch(address):
            raise MethodNotAllowedError(f"{request.method} may not be sent to such an address")
        return super().send(request, *args, **kwargs)


class HttpSession:
    """Kept-alive connections for any number of threads, each with a session of its own.

    requests does not promise that threads may share a session. `ca_bundle` wins over
    `REQUESTS_CA_BUNDLE` and `CURL_CA_BUNDLE`, which requests prefers to a session's `verify`, but not
    to a request's. Redirects are not followed: where a token goes is our decision.
    """

    def __init__(
        self,
        *,
        methods: Collection[str],
        ca_bundle: str | None = None,
        addresses: re.Pattern[str] | None = None,
    ) -> None:
        """Take the methods that may leave, and the addresses (URLs without query) that they may go to."""
        self._methods = frozenset(methods)
        self._addresses = addresses
        self._ca_bundle = ca_bundle
        self._local = threading.local()

    def request(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        """Make a request as requests does, with our defaults; raises what requests raises."""
        kwargs["timeout"] = kwargs.get("timeout") or (CONNECT_TIMEOUT, READ_TIMEOUT)
        kwargs["allow_redirects"] = False
        if self._ca_bundle is not None:
            kwargs["verify"] = self._ca_bundle
        return self._session().request(method, url, **kwargs)

    def ask(self, method: str, url: str, **kwargs: Any) -> requests.Response | Fault:
        """Make a request and return its answer, or why there is none."""
        try:
            return self.request(method, url, **kwargs)
        except FOREIGN as error:
            fault = fault_of(error)
        if fault.trouble is Trouble.BUG:
            raise UnexpectedFaultError(fault.words)
        return fault

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.headers["User-Agent"] = f"skolon-update-sync/{VERSION}"
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
            gate = _Gate(self._methods, self._addresses)
            session.mount("https://", gate)
            session.mount("http://", gate)
            self._local.session = session
        return session


def succeeded(response: requests.Response) -> bool:
    """Say whether an answer is one of success (RFC 9110 section 15.3)."""
    return response.status_code in _SUCCESS


def json_object(response: requests.Response) -> dict[str, Any] | None:
    """Return the JSON object that an answer holds, None when it holds anything else."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None
