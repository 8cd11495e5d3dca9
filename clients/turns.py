"""Has one thread at a time ask a server for what all need; those that waited share its failure."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from schemas.errors import HaltError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Failed = TypeVar("Failed", bound=HaltError | TransientError)


class Turn:
    """A lock around a request whose result all threads use afterwards.

    If a server does not answer, threads that each took their turn would each wait as long, one after the
    other, and hold their users all the time. So a thread that came before the failure raises it too.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take a clock in seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._failure: HaltError | TransientError | None = None
        self._failed_at = 0.0

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for the turn and hold it; raises the `TransientError` or `HaltError` that was waited for.

        An error with a stage is not shared: it may concern the user alone that was asked for.
        """
        arrived = self._clock()
        with self._lock:
            if self._failure is not None and arrived <= self._failed_at:
                raise _copy(self._failure)
            self._failure = None
            try:
                yield
            except (HaltError, TransientError) as error:
                if error.stage is None:
                    self._failure, self._failed_at = _copy(error), self._clock()
                raise


def _copy(error: Failed) -> Failed:
    """Return the error without its traceback, so that threads do not write theirs into one exception."""
    copied = type(error).__new__(type(error), *error.args)
    copied.__dict__.update(error.__dict__)
    return copied
