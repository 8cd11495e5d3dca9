"""Which organisations have work at the moment, and how much: asked for now and then, by one for all."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from schemas.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Seconds for which an answer is good.
CACHE_SECONDS: Final = 2.0


class Backlog:
    """Remembers for a moment what `query` says: organisations with the number of users who wait for them.

    May be shared by threads. While one asks, the others go by what was said before.
    """

    def __init__(
        self, query: Callable[[], Mapping[str, int]] | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take None for `query` when nobody knows."""
        self._query = query
        self._clock = clock
        self._asking = threading.Lock()
        self._said: Mapping[str, int] | None = None
        self._good_until: float | None = None

    def users_waiting(self) -> Mapping[str, int] | None:
        """Return who has work, None if nobody knows."""
        if self._query is None or self._is_good():
            return self._said
        if not self._asking.acquire(blocking=False):
            return self._said
        try:
            if not self._is_good():
                with suppress(TransientError):  # the database is away too: then everybody waits for that
                    self._said = self._query()
                self._good_until = self._clock() + CACHE_SECONDS
        finally:
            self._asking.release()
        return self._said

    def _is_good(self) -> bool:
        return self._good_until is not None and self._clock() < self._good_until


UNKNOWN_BACKLOG: Final = Backlog(None)
