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


class Company(Generic[Key]):
    """The threads that have somebody in hand, and what each of them is going to ask for, if that is known."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._on_the_way: dict[int, Key | None] = {}

    @contextmanager
    def in_hand(self) -> Iterator[None]:
        """Count this thread among those on their way, to whatever it may be, until the block ends."""
        with self._lock:
            self._on_the_way[threading.get_ident()] = None
        try:
            yield
        finally:
            self.passed([threading.get_ident()])

    def bound_for(self, key: Key) -> None:
        """Say what this thread is going to ask for; one that is not on its way stays uncounted."""
        with self._lock:
            if threading.get_ident() in self._on_the_way:
                self._on_the_way[threading.get_ident()] = key

    def turned_off(self) -> None:
        """Say that this thread is not going to ask for anything."""
        self.passed([threading.get_ident()])

    def passed(self, threads: Collection[int]) -> None:
        """Count threads no longer: they have asked."""
        with self._lock:
            for thread in threads:
                self._on_the_way.pop(thread, None)

    def has(self, thread: int) -> bool:
        """Say whether a thread is on its way."""
        with self._lock:
            return thread in self._on_the_way

    def is_awaited(self, key: Key, *, besides: Collection[int]) -> bool:
        """Say whether a thread is on its way to `key`, or to an unknown place, that is none of `besides`."""
        with self._lock:
            return any(
                bound in (None, key) and thread not in besides for thread, bound in self._on_the_way.items()
            )
