"""Who of a process's threads is on the way to ask the same: so that they can wait for each other.

Several people of one delta are in the hands of several threads, and come to the same question within
milliseconds. Whoever is first knows here whether it is worth waiting for company.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterator

Key = TypeVar("Key", bound="Hashable")


class Cohort(Generic[Key]):
    """The threads that have somebody in hand, and what each of them is going to ask for, if that is known."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._expected: dict[int, Key | None] = {}

    @contextmanager
    def join(self) -> Iterator[None]:
        """Count this thread among those on their way, to whatever it may be, until the block ends."""
        with self._lock:
            self._expected[threading.get_ident()] = None
        try:
            yield
        finally:
            self.remove([threading.get_ident()])

    def expect(self, key: Key) -> None:
        """Say what this thread is going to ask for; one that is not on its way stays uncounted."""
        with self._lock:
            if threading.get_ident() in self._expected:
                self._expected[threading.get_ident()] = key

    def leave(self) -> None:
        """Say that this thread is not going to ask for anything."""
        self.remove([threading.get_ident()])

    def remove(self, threads: Collection[int]) -> None:
        """Count threads no longer: they have asked."""
        with self._lock:
            for thread in threads:
                self._expected.pop(thread, None)

    def contains(self, thread: int) -> bool:
        """Say whether a thread is on its way."""
        with self._lock:
            return thread in self._expected

    def has_pending(self, key: Key, *, excluding: Collection[int]) -> bool:
        """Say whether a thread is on its way to `key`, or undecided, that is none of `excluding`."""
        with self._lock:
            return any(
                bound in (None, key) and thread not in excluding for thread, bound in self._expected.items()
            )
