"""What a process has learnt about one directory's birthdays: whether they can be read, and in batches."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds for which a directory that refuses birthdays is not asked again.
REFUSAL_TTL: Final = 600.0

#: Refusals in a row that are about everybody, though somebody's birthday has been read before.
MAX_FAILURES_IN_A_ROW: Final = 20

#: Seconds of nothing but throttling after which it may be the birthdays alone, which come from elsewhere.
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
        #: Whether several may be asked for in one request.
        self.supports_batches = True
        #: When somebody's birthday was last asked for, by `time.monotonic`.
        self.last_asked = float("-inf")

    def unavailable_reason(self) -> str | None:
        """Return why nobody need ask at the moment; None when one may."""
        with self._lock:
            return self._unavailable_reason if self._clock() < self._ask_again else None

    def record_success(self) -> None:
        """Note that somebody's birthday was told, or that there is no such user."""
        with self._lock:
            self._ever_answered, self._in_a_row, self._throttled_since = True, 0, None

    def record_refusal(self, detail: str) -> bool:
        """Note a refusal; True when it is about everybody of the directory.

        It is while nobody's birthday has ever been told, or when too many are refused one after another:
        else it is about that user.
        """
        with self._lock:
            self._in_a_row += 1
            affects_all_users = not self._ever_answered or self._in_a_row >= MAX_FAILURES_IN_A_ROW
            if affects_all_users:
                self._refuse(detail)
            return affects_all_users

    def record_failure(self, detail: str) -> bool:
        """Note that a birthday could not be read although Graph is there; True as with `refused`.

        That says less than a refusal, so only many of them in a row are about everybody.
        """
        with self._lock:
            self._in_a_row += 1
            if self._in_a_row < MAX_FAILURES_IN_A_ROW:
                return False
            self._refuse(detail)
            return True

    def record_throttling(self) -> bool:
        """Note that Graph asks to wait; True when it has asked for nothing else for long."""
        with self._lock:
            now = self._clock()
            if self._throttled_since is None:
                self._throttled_since = now
            return now - self._throttled_since >= PATIENCE

    def mark_throttled(self, detail: str) -> None:
        """Note that birthdays alone are throttled, and nothing else of the directory."""
        with self._lock:
            self._refuse(detail)

    def _refuse(self, detail: str) -> None:
        self._unavailable_reason, self._ask_again = detail, self._clock() + REFUSAL_TTL
        self._throttled_since = None
