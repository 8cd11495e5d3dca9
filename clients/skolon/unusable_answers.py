"""Finds out whether a server goes on giving answers that no run can work with, or is away for a while."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cachetools import LRUCache

from schemas.errors import HaltError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clients.skolon.errors import Operation

#: So many answers in a row that say that the server does not do what is asked (RFC 9110, 15.4.2, 15.4.9 and
#: 15.6.2).
MAX_UNSUPPORTED: Final = 3
_SAYS_UNSUPPORTED: Final = (301, 308, 501)

#: So many unreadable answers in a row, over so many seconds: a page that announces maintenance is unreadable
#: too.
MAX_UNREADABLE: Final = 5
UNREADABLE_SECONDS: Final = 180.0

#: Organisations and operations of which a process remembers the answers (promise P10).
_CAPACITY: Final = 2000


@dataclass(kw_only=True)
class _Row:
    """Unusable answers in a row: how many, and when the first one came."""

    count: int
    since: float


class UnusableAnswers:
    """Counts the unusable answers in a row of each organisation; may be shared by threads."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Take a clock in seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._rows: LRUCache[tuple[str, Operation], _Row] = LRUCache(_CAPACITY)

    @contextmanager
    def watched(self, organisation: str, operation: Operation) -> Iterator[None]:
        """Turn a `TransientError` with a `repeated_cause` into a `HaltError` once it has repeated."""
        try:
            yield
        except TransientError as error:
            cause = error.repeated_cause
            if cause is None or not self._has_repeated(organisation, operation, error.status):
                raise
            raise HaltError(cause, error.detail, status=error.status, stage=error.stage) from None
        with self._lock:
            self._rows.pop((organisation, operation), None)

    def _has_repeated(self, organisation: str, operation: Operation, status: int | None) -> bool:
        now = self._clock()
        with self._lock:
            row = self._rows.setdefault((organisation, operation), _Row(count=0, since=now))
            row.count += 1
            if status in _SAYS_UNSUPPORTED:
                return row.count >= MAX_UNSUPPORTED
            return row.count >= MAX_UNREADABLE and now - row.since >= UNREADABLE_SECONDS
