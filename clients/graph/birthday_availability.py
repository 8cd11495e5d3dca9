"""Remembers whether the birthdays of one directory can be read, and in batches."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds until birthdays of a directory that refuses them are requested again.
REFUSAL_TTL: Final = 600.0

#: Refusals in a row after which they concern all users, although a birthday has been read before.
MAX_FAILURES_IN_A_ROW: Final = 20

#: Seconds of throttling after which it may concern birthdays only, which come from another backend.
PATIENCE: Final = 120.0


class BirthdayAvailability:
    """One directory's birthdays; may be shared by threads."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._ever_answered = False
        self._in_a_row = 0
        self._unavailable_reason: str | None = None
        self._ask_again = 0.0
        self._throttled_since: float | None = None
        #: Whether several can be read in one request.
        self.supports_batches = True
        #: When a birthday was last requested, by `time.monotonic`.
        self.last_asked = float("-inf")

    def unavailable_reason(self) -> str | None:
        """Return why birthdays are not requested at the moment; None when they are."""
        with self._lock:
            return self._unavailable_reason if self._clock() < self._ask_again else None

    def record_success(self) -> None:
        """Record that a birthday was read, or that the user does not exist."""
        with self._lock:
            self._ever_answered, self._in_a_row, self._throttled_since = True, 0, None

    def record_refusal(self, detail: str) -> bool:
        """Record a refusal; True when it concerns all users of the directory.

        It does as long as no birthday has ever been read, or when too many are refused in a row.
        Otherwise it concerns that user.
        """
        with self._lock:
            self._in_a_row += 1
            affects_all_users = not self._ever_answered or self._in_a_row >= MAX_FAILURES_IN_A_ROW
            if affects_all_users:
                self._refuse(detail)
            return affects_all_users

    def record_failure(self, detail: str) -> bool:
        """Record a failed read while Graph is available; True as for `record_refusal`.

        That says less than a refusal, so only many of them in a row concern all users.
        """
        with self._lock:
            self._in_a_row += 1
            if self._in_a_row < MAX_FAILURES_IN_A_ROW:
                return False
            self._refuse(detail)
            return True

    def record_throttling(self) -> bool:
        """Record throttling; True when there has been nothing else for long."""
        with self._lock:
            now = self._clock()
            if self._throttled_since is None:
                self._throttled_since = now
            return now - self._throttled_since >= PATIENCE

    def mark_throttled(self, detail: str) -> None:
        """Record that birthdays are throttled, and nothing else of the directory."""
        with self._lock:
            self._refuse(detail)

    def _refuse(self, detail: str) -> None:
        self._unavailable_reason, self._ask_again = detail, self._clock() + REFUSAL_TTL
        self._throttled_since = None
