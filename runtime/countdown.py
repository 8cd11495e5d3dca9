"""Runs a callback when the last of several threads has finished its part."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

Key = TypeVar("Key", bound="Hashable")


class WhenIdle(Generic[Key]):
    """Counts the threads that work on a key, and calls `callback` with it when the last one ends.

    A thread that is not the last one need not call it: another one reaches the same point later. So the
    callback runs after everything that was done before, whatever the order of the threads. A thread that
    fails does not call it: its part has to be processed again.
    """

    def __init__(self, callback: Callable[[Key], object]) -> None:
        self._callback = callback
        self._lock = threading.Lock()
        self._active: Counter[Key] = Counter()

    @contextmanager
    def track(self, key: Key) -> Iterator[None]:
        """Count this thread as working on `key` until the block ends."""
        with self._lock:
            self._active[key] += 1
        try:
            yield
        except BaseException:
            self._leave(key)
            raise
        if self._leave(key):
            self._callback(key)

    def _leave(self, key: Key) -> bool:
        """Count this thread no longer; return whether it was the last one."""
        with self._lock:
            self._active[key] -= 1
            if self._active[key]:
                return False
            del self._active[key]
            return True
