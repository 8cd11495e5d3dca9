"""Remembers what each organisation's server can do, as far as it has been found out."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from cachetools import TTLCache

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds for which a finding is valid. It may be wrong, and servers are upgraded and rolled back.
TTL: Final = 3600.0

#: Organisations of which a process remembers the findings (promise P10).
_CAPACITY: Final = 1000


class SearchMethod(StrEnum):
    """The two ways to search that RFC 7644 knows."""

    #: Section 3.4.3: the filter is in the body of a POST to `/.search`.
    POST = "POST"
    #: Section 3.4.2: the filter is in the URL, which proxies and servers write to their logs.
    GET = "GET"


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What is known of one organisation's server; None is not known.

    `takes_or` says whether a filter finds what any of its terms finds (RFC 7644 section 3.4.2.2). A server
    may also look at the first term alone, without saying so. `has_odd_empty_answer` says that it answers 404,
    or an object without a total, where nothing is found. With `pages_by_cursor` it need not count what it
    finds (RFC 9865). `knows_versions` says that it takes the versions that it gives (RFC 7644 section 3.14).
    """

    method: SearchMethod | None = None
    takes_or: bool | None = None
    has_odd_empty_answer: bool = False
    pages_by_cursor: bool = False
    knows_versions: bool = True


_UNKNOWN: Final = Capabilities()


class CapabilityCache:
    """The capabilities of the servers of a process's organisations; may be shared by threads."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Take a clock in seconds."""
        self._lock = threading.Lock()
        self._found: TTLCache[str, Capabilities] = TTLCache(_CAPACITY, ttl=TTL, timer=clock)
        self._probes: dict[str, threading.Lock] = {}

    def get(self, organisation: str) -> Capabilities:
        """Return what is known of an organisation's server."""
        with self._lock:
            return self._found.get(organisation, _UNKNOWN)

    def record(self, organisation: str, **found: Any) -> None:
        """Remember capabilities by their names, for a while from the first one on."""
        with self._lock:
            known = self._found.get(organisation, _UNKNOWN)
            changed = replace(known, **found)
            if changed != known:
                self._found[organisation] = changed

    def forget(self, organisation: str) -> None:
        """Forget what is known: the server does not do it any more."""
        with self._lock:
            self._found.pop(organisation, None)

    def probe_lock(self, organisation: str) -> threading.Lock:
        """Return the lock under which one thread probes a server; the others wait for it."""
        with self._lock:
            return self._probes.setdefault(organisation, threading.Lock())
