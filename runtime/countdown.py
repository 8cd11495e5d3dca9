"""What has to be done once all is done: the last of a process's threads does it, and not each of them."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

Key = TypeVar("Key", bound="Hashable")


class WhenIdle(Generic[Key]):
    """Threads that have pieces of the same in hand; who puts down the last piece calls `callback`.

    Whoever is not the last may go: somebody is still there who will come to the same point later. So
    `callback` is called after everything that was done before, however the threads take turns. Somebody who
    fails does not call it: for that one's piece somebody has to come again.
    """

    def __init__(self, callback: Callable[[Key], object]) -> None:
        self._callback = callback
        self._lock = threading.Lock()
        self._holders: Counter[Key] = Counter()

    @contextmanager
    def track(self, key: Key) -> Iterator[None]:
        """Have a piece in hand until the block ends."""
        with self._lock:
            self._holders[key] += 1
        try:
            yield
        except BaseException:
            self._is_last(key)
            raise
        if self._is_last(key):
            self._callback(key)

    def _is_last(self, key: Key) -> bool:
        with self._lock:
            self._holders[key] -= 1
            if self._holders[key]:
                return False
            del self._holders[key]
            return True
