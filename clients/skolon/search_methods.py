"""Remembers how each organisation is searched: by POST, or by GET where POST is not supported."""

from __future__ import annotations

import threading
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from cachetools import TTLCache

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds for which a finding is valid. It may be wrong, and servers are upgraded and rolled back.
TTL: Final = 3600.0

#: Organisations of which a process remembers the method (promise P10).
_CAPACITY: Final = 1000


class SearchMethod(StrEnum):
    """The two ways to search that RFC 7644 knows."""

    #: Section 3.4.3: the filter is in the body of a POST to `/.search`.
    POST = "POST"
    #: Section 3.4.2: the filter is in the URL, which proxies and servers write to their logs.
    GET = "GET"


class SearchMethodCache:
    """The search methods of a process's organisations; may be shared by threads."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Take a clock in seconds."""
        self._lock = threading.Lock()
        self._found: TTLCache[str, SearchMethod] = TTLCache(_CAPACITY, ttl=TTL, timer=clock)
        self._probes: dict[str, threading.Lock] = {}

    def get(self, organisation: str) -> SearchMethod | None:
        """Return the method of an organisation, None while it is not known."""
        with self._lock:
            return self._found.get(organisation)

    def record(self, organisation: str, method: SearchMethod) -> None:
        """Remember the method, for a while."""
        with self._lock:
            self._found[organisation] = method

    def forget(self, organisation: str) -> None:
        """Forget the method: the server has taken it back."""
        with self._lock:
            self._found.pop(organisation, None)

    def probe_lock(self, organisation: str) -> threading.Lock:
        """Return the lock under which one thread finds out the method; the others wait for it."""
        with self._lock:
            return self._probes.setdefault(organisation, threading.Lock())
