"""Graph's throttling of the directory: resource units per app and tenant, in windows of ten seconds.

Source: Microsoft Graph's service-specific throttling limits, identity and access.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.microsoft.http_messages import GraphError, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

#: The window that a limit is for, in seconds.
WINDOW_SECONDS = 10.0

#: (users in the tenant, at most; resource units per window), then the limit for more users.
_LIMITS = ((49, 3500), (500, 5000))
_LIMIT_OF_LARGE_TENANTS = 8000

#: Answers tell how near the limit is from this share on.
_TELL_FROM = 0.8


def limit_for(directory_size: int) -> int:
    """Return the resource units that an app may spend on a tenant of that size in one window."""
    return next((limit for most, limit in _LIMITS if directory_size <= most), _LIMIT_OF_LARGE_TENANTS)


def cost(kind: Kind, *, selects: bool) -> int:
    """Return what a request costs, in resource units. ``selects``: it has a ``$select``."""
    return 2 if kind is Kind.USERS and not selects else 1


@dataclass(frozen=True)
class _Window:
    start: float
    spent: int


class Throttle:
    """Counts resource units; off unless ``enabled``. ``limit`` None is Graph's own limit."""

    def __init__(
        self, *, clock: Callable[[], float], enabled: bool = False, limit: int | None = None
    ) -> None:
        self.enabled = enabled
        self.limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[Hashable, _Window] = {}

    def spend(self, payer: Hashable, units: int, *, directory_size: int) -> dict[str, str]:
        """Spend units for ``payer`` (an app in a tenant), and return the answer's headers about it.

        Raises GraphError 429 with a fractional ``Retry-After`` when there are none left.
        """
        headers = {"x-ms-resource-unit": str(units)}
        if not self.enabled:
            return headers
        limit = self.limit if self.limit is not None else limit_for(directory_size)
        with self._lock:
            now = self._clock()
            window = self._windows.get(payer)
            if window is None or not 0 <= now - window.start < WINDOW_SECONDS:
                window = _Window(now, 0)
            if window.spent + units > limit:
                wait = window.start + WINDOW_SECONDS - now
                raise GraphError(
                    429,
                    "TooManyRequests",
                    "Too many requests.",
                    headers={
                        "Retry-After": f"{wait:.3f}",
                        "x-ms-throttle-scope": "Application",
                        "x-ms-throttle-information": "ResourceUnitLimitExceeded",
                    },
                )
            self._windows[payer] = _Window(window.start, window.spent + units)
        share = (window.spent + units) / limit
        if share >= _TELL_FROM:
            headers["x-ms-throttle-limit-percentage"] = f"{share:.1f}"
        return headers
