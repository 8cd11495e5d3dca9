"""The threads of a process that are about to make the same call, so that they can wait for each other.

Several users of one delta page are processed by several threads, and reach the same request within
milliseconds. The first thread finds out here whether it is worth waiting for the others.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterator

Key = TypeVar("Key", bound="Hashable")


class Cohort(Generic[Key]):
    """The threads that process a user, with the call that each will make, if that is known."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._expected: dict[int, Key | None] = {}

    @contextmanager
    def join(self) -> Iterator[None]:
        """Count this thread as about to make a call, until it makes it or the block ends."""
        with self._lock:
            self._expected[threading.get_ident()] = None
        try:
            yield
        finally:
            self.leave()

    def expect(self, key: Key) -> None:
        """Announce the call that this thread will make, if it has joined."""
        with self._lock:
            if threading.get_ident() in self._expected:
                self._expected[threading.get_ident()] = key

    def leave(self) -> None:
        """Count this thread no longer: it will make no call."""
        self.remove([threading.get_ident()])

    def remove(self, threads: Collection[int]) -> None:
        """Count threads no longer: they have made their calls."""
        with self._lock:
            for thread in threads:
                self._expected.pop(thread, None)

    def contains(self, thread: int) -> bool:
        """Return whether a thread is still about to make its call."""
        with self._lock:
            return thread in self._expected

    def has_pending(self, key: Key, *, excluding: Collection[int]) -> bool:
        """Return whether another thread will make the call `key`, or has not decided yet."""
        with self._lock:
            return any(
                expected in (None, key) and thread not in excluding
                for thread, expected in self._expected.items()
            )
