"""Coalesces concurrent calls into batches: the first thread makes the call for all."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

Key = TypeVar("Key", bound="Hashable")
Item = TypeVar("Item")
Result = TypeVar("Result")


class Coalescer(Generic[Key, Item, Result]):
    """Makes one call of many; has no thread and no clock of its own.

    A call with none in flight starts at once, alone. Calls that arrive meanwhile form a batch, which starts
    when the one in flight ends: its first thread makes the call, the others wait for its results. So no call
    waits for others that do not come, and batches grow with the load.

    Only calls with the same key share a batch. `batch_fn` takes the key and the items, and returns a result
    for each item, in order; a result that is an exception is raised for that item only. What `batch_fn`
    raises is raised for all items if it is one of `shared_errors`. One item may have caused any other error:
    then each thread calls `batch_fn` once more with its own item. So `batch_fn` must tolerate a second call.
    """

    def __init__(  # noqa: PLR0913 - each is a choice of its own, by name
        self,
        batch_fn: Callable[[Key, Sequence[Item]], Sequence[Result | Exception]],
        *,
        max_batch: int,
        max_in_flight: int = 1,
        shared_errors: tuple[type[Exception], ...] = (),
        before_send: Callable[[Key, Sequence[Item]], object] = lambda _key, _items: None,
        fill_wait: float = 0.0,
    ) -> None:
        """Take the most items of a batch, and the most batches of a key in flight.

        `before_send` is called when a batch may start, and may wait while its items still grow: for callers
        that know of others to come. If the last batch had several items, the next one waits for `fill_wait`
        seconds, or until it is full.
        """
        self._batch_fn = batch_fn
        self._max_batch = max_batch
        self._max_in_flight = max_in_flight
        self._shared_errors = shared_errors
        self._before_send = before_send
        self._fill_wait = fill_wait
        #: Whether the last batch, of whatever key, had several items: a guess, and no more.
        self._last_was_shared = False
        self._lock = threading.Lock()
        #: Only keys with calls in flight.
        self._lanes: dict[Key, _Lane[Item, Result]] = {}

    def call(self, key: Key, item: Item) -> Result:
        """Return the result for an item, by a call that others may share; raise this item's error."""
        batch, place = self._join(key, item)
        if place == 0:
            self._lead(key, batch)
        else:
            batch.wait(place)
        if batch.failure is not None:
            raise batch.failure
        if batch.results is not None:
            result = batch.results[place]
        else:
            [result] = _one_each([item], self._batch_fn(key, [item]))
        if isinstance(result, Exception):
            raise result
        return result

    def _join(self, key: Key, item: Item) -> tuple[_Batch[Item, Result], int]:
        """Join the open batch, or begin one; return it with the item's place, of which 0 leads."""
        with self._lock:
            lane = self._lanes.get(key)
            if lane is None:
                lane = self._lanes[key] = _Lane(self._max_in_flight)
            batch = lane.open_batch
            if batch is None:
                batch = lane.open_batch = _Batch()
                lane.leaders += 1
            place = batch.join(item)
            if place + 1 == self._max_batch:
                lane.open_batch = None
                batch.is_full.release()
            return batch, place

    def _lead(self, key: Key, batch: _Batch[Item, Result]) -> None:
        """Wait for the batch's turn and run it; release all waiting threads, whatever happens."""
        lane = self._lanes[key]
        try:
            with lane.turns:
                self._before_send(key, batch.items)
                if self._fill_wait and self._last_was_shared:
                    batch.is_full.acquire(timeout=self._fill_wait)
                self._close(lane, batch)
                self._last_was_shared = len(batch.items) > 1
                batch.results = _one_each(batch.items, self._batch_fn(key, batch.items))
        except self._shared_errors as error:
            batch.failure = error
        except Exception:
            # Of several items, each thread tries its own.
            if len(batch.items) == 1:
                raise
        finally:
            # Once more, for a leader that was interrupted while it waited for its turn.
            self._close(lane, batch)
            with self._lock:
                lane.leaders -= 1
                if not lane.leaders:
                    del self._lanes[key]
            batch.end()

    def _close(self, lane: _Lane[Item, Result], batch: _Batch[Item, Result]) -> None:
        """Let no more items join."""
        with self._lock:
            if lane.open_batch is batch:
                lane.open_batch = None


class _Lane(Generic[Item, Result]):
    """The calls of one key."""

    def __init__(self, max_in_flight: int) -> None:
        self.turns: Final = threading.Semaphore(max_in_flight)
        self.open_batch: _Batch[Item, Result] | None = None
        self.leaders = 0


class _Batch(Generic[Item, Result]):
    """Calls that are made as one; if it ends without results and failure, each thread makes its own.

    Each thread waits at a lock of its own, which costs a fraction of a shared condition.
    """

    def __init__(self) -> None:
        self.items: Final[list[Item]] = []
        self.results: Sequence[Result | Exception] | None = None
        self.failure: Exception | None = None
        self.is_full: Final = _locked()
        self._followers: Final[list[threading.Lock]] = []

    def join(self, item: Item) -> int:
        """Add an item while the batch is open; return its place."""
        if self.items:
            self._followers.append(_locked())
        self.items.append(item)
        return len(self.items) - 1

    def wait(self, place: int) -> None:
        """Wait until the batch has ended."""
        self._followers[place - 1].acquire()

    def end(self) -> None:
        """Release all waiting threads."""
        for follower in self._followers:
            follower.release()


def _one_each(items: Sequence[Item], results: Sequence[Result | Exception]) -> Sequence[Result | Exception]:
    """Return the results; raises `ValueError` unless there is one for each item."""
    if len(results) != len(items):
        raise ValueError(f"{len(items)} items, but {len(results)} results")
    return results


def _locked() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock
