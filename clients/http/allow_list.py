"""Allows requests by method and URL; bounds responses and sets the trusted authorities."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util.ssl_ import create_urllib3_context

from clients.http.connections import use_bounded_connections
from clients.http.errors import ResponseTooLargeError
from clients.http.limits import GRAPH_LIMITS
from clients.http.origins import is_same_origin
from schemas.errors import UpdateSyncError

if TYPE_CHECKING:
    import re
    import ssl
    from collections.abc import Callable, Collection, Iterator

    import requests
    from urllib3 import HTTPResponse, PoolManager

#: Connections kept open to one host; more threads than this open further ones and close them again.
POOL_SIZE: Final = 256


class RequestRefusedError(UpdateSyncError):
    """A request that this session may not send was stopped before anything left (promise P1)."""


class AllowListAdapter(HTTPAdapter):
    """Sends requests of the allowed methods and URLs only."""

    def __init__(  # noqa: PLR0913 - each is a bound of its own
        self,
        methods: Collection[str],
        addresses: re.Pattern[str] | None = None,
        also_allow: Callable[[requests.PreparedRequest], bool] | None = None,
        *,
        origin: str | None = None,
        max_bytes: int = GRAPH_LIMITS.size,
        ca_bundle: str | None = None,
    ) -> None:
        """Take the methods, in upper case, and a pattern that must match the whole URL without its query.

        A single kind of request that is neither may be let through `also_allow`, by all that it is. Scheme,
        host and port have to be those of the address `origin`. An answer has `max_bytes` bytes at most,
        unpacked. The authorities in the file `ca_bundle` are trusted beside requests' own.
        """
        self._trust = None if ca_bundle is None else _trust_context(ca_bundle)
        super().__init__(pool_connections=POOL_SIZE, pool_maxsize=POOL_SIZE)
        self._max_bytes = max_bytes
        self._methods = frozenset(methods)
        self._addresses = addresses
        self._also_allow = also_allow
        self._origin = origin

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send the request, or raise `RequestRefusedError`."""
        if self._origin is not None and not is_same_origin(self._origin, request.url or ""):
            raise RequestRefusedError("nothing must be sent to this host")
        if self._also_allow is None or not self._also_allow(request):
            self._check(request)
        response = super().send(request, *args, **kwargs)
        # What requests reads the body with; its own reads without end.
        response.raw.stream = partial(_bounded_body, response.raw, self._max_bytes)  # type: ignore[method-assign] # for this answer
        return response

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """Return what makes a connection; ours take the place of the authorities that requests names."""
        host, pool = super().build_connection_pool_key_attributes(*args, **kwargs)
        if self._trust is None or pool.get("cert_reqs") != "CERT_REQUIRED":
            return host, pool
        return host, {"cert_reqs": "CERT_REQUIRED", "ssl_context": self._trust}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Have the server's certificate verified."""
        super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call] # requests has no type
        if self._trust is not None:
            # Loaded already; requests would load its own once more for each connection.
            conn.ca_certs = conn.ca_cert_dir = None

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of connections."""
        super().init_poolmanager(*args, **kwargs)
        use_bounded_connections(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> PoolManager:
        """Make the pools of connections through a proxy."""
        if self._trust is not None:
            kwargs.setdefault("proxy_ssl_context", self._trust)
        manager: PoolManager = super().proxy_manager_for(*args, **kwargs)
        use_bounded_connections(manager)
        return manager

    def _check(self, request: requests.PreparedRequest) -> None:
        if request.method not in self._methods:
            raise RequestRefusedError(f"{request.method} must not be sent here")
        address = (request.url or "").partition("?")[0]
        if self._addresses is not None and not self._addresses.fullmatch(address):
            raise RequestRefusedError("nothing must be sent to this address")


def _trust_context(ca_bundle: str) -> ssl.SSLContext:
    """Return what trusts requests' own authorities and those in the file; raises OSError if it has none.

    To load requests' own takes longer than anything else when a process starts: its sessions share a context.
    """
    return _shared_context(ca_bundle, Path(ca_bundle).stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _shared_context(ca_bundle: str, _changed: int) -> ssl.SSLContext:
    context = create_urllib3_context()
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    context.load_verify_locations(ca_bundle)
    return context


def _bounded_body(raw: HTTPResponse, max_bytes: int, amt: int, *, decode_content: bool) -> Iterator[bytes]:
    """Yield a body as it comes; raise when it becomes too large."""
    size = 0
    while part := raw.read1(amt, decode_content=decode_content):
        size += len(part)
        if size > max_bytes:
            raw.close()
            raise ResponseTooLargeError
        yield part
