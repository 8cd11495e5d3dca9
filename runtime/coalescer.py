"""Calls that threads make at the same moment become one: whoever comes first carries it out for all."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

Key = TypeVar("Key", bound="Hashable")
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Coalescer(Generic[Key, Asked, Answer]):
    """Makes one call of many; has no thread and no clock of its own.

    Whoever finds nobody under way goes at once, alone. Who comes meanwhile gathers, and goes together
    when the one under way is back: the first of them carries it out, the others wait for the answers.
    So nobody waits for company that is not there, and the busier it is, the more travel together.

    Calls share only what has the same key. `batch_fn` takes the key and what each one asked for, and
    returns an answer for each, in order; an answer that is an exception is raised for that one alone.
    What `batch_fn` raises is raised for all if it is one of `shared_errors`. Anything else that it raises
    over several may be due to one of them: then each calls it once more, by itself, and gets its own answer
    or error. So `batch_fn` must bear to be called again after it has raised.
    """

    def __init__(  # noqa: PLR0913 - each is a choice of its own, by name
        self,
        batch_fn: Callable[[Key, Sequence[Asked]], Sequence[Answer | Exception]],
        *,
        max_batch: int,
        max_in_flight: int = 1,
        shared_errors: tuple[type[Exception], ...] = (),
        before_send: Callable[[Key, Sequence[Asked]], object] = lambda _key, _asked: None,
        fill_wait: float = 0.0,
    ) -> None:
        """Take how many travel together at most, and how many batches of a key may be under way.

        A batch whose turn it is may still `before_send`, while what has been asked for so far grows: for
        where company is known to come. Where it is likely, since the last batch had some, a batch waits
        for `fill_wait` seconds, or until it is full.
        """
        self._batch_fn = batch_fn
        self._max_batch = max_batch
        self._max_in_flight = max_in_flight
        self._shared_errors = shared_errors
        self._before_send = before_send
        self._fill_wait = fill_wait
        #: Whether more than one travelled in the last batch, of whatever key: a guess, and no more.
        self._last_was_shared = False
        self._lock = threading.Lock()
        #: Of keys that somebody is busy with, and of no others.
        self._lanes: dict[Key, _Lane[Asked, Answer]] = {}

    def call(self, key: Key, asked: Asked) -> Answer:
        """Return the answer to what is asked, by a call that others may share; raise what is meant for us."""
        batch, place = self._join(key, asked)
        if place == 0:
            self._lead(key, batch)
        else:
            batch.wait(place)
        if batch.failure is not None:
            raise batch.failure
        answer = batch.answers[place] if batch.answers is not None else self._ask(key, [asked])[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _join(self, key: Key, asked: Asked) -> tuple[_Batch[Asked, Answer], int]:
        """Join the batch that gathers, or begin one; return it with one's place, of which 0 leads."""
        with self._lock:
            lane = self._lanes.get(key)
            if lane is None:
                lane = self._lanes[key] = _Lane(self._max_in_flight)
            batch = lane.gathering
            if batch is None:
                batch = lane.gathering = _Batch()
                lane.leaders += 1
            place = batch.join(asked)
            if place + 1 == self._max_batch:
                lane.gathering = None
                batch.is_full.release()
            return batch, place

    def _lead(self, key: Key, batch: _Batch[Asked, Answer]) -> None:
        """Wait for the batch's turn and carry it out; whatever happens, nobody is left waiting."""
        lane = self._lanes[key]
        try:
            with lane.turns:
                self._before_send(key, batch.asked)
                if self._fill_wait and self._last_was_shared:
                    batch.is_full.acquire(timeout=self._fill_wait)
                self._close(lane, batch)
                self._last_was_shared = len(batch.asked) > 1
                batch.answers = self._ask(key, batch.asked)
        except self._shared_errors as error:
            batch.failure = error
        except Exception:
            # Of one alone it is the answer. Of several, each finds out by itself.
            if len(batch.asked) == 1:
                raise
        finally:
            # Again, for a leader who was interrupted while it waited for its turn.
            self._close(lane, batch)
            with self._lock:
                lane.leaders -= 1
                if not lane.leaders:
                    del self._lanes[key]
            batch.end()

    def _close(self, lane: _Lane[Asked, Answer], batch: _Batch[Asked, Answer]) -> None:
        """Let nobody join any more."""
        with self._lock:
            if lane.gathering is batch:
                lane.gathering = None

    def _ask(self, key: Key, asked: Sequence[Asked]) -> Sequence[Answer | Exception]:
        answers = self._batch_fn(key, asked)
        if len(answers) != len(asked):
            raise ValueError(f"{len(asked)} asked, {len(answers)} answers came")
        return answers


class _Lane(Generic[Asked, Answer]):
    """The calls of one key: who gathers, and whose turn it is."""

    def __init__(self, max_in_flight: int) -> None:
        self.turns: Final = threading.Semaphore(max_in_flight)
        self.gathering: _Batch[Asked, Answer] | None = None
        self.leaders = 0


class _Batch(Generic[Asked, Answer]):
    """Calls that travel together; without answers and failure when it is over, each goes alone.

    Everybody waits at a lock of their own, which costs a fraction of a condition that all share.
    """

    def __init__(self) -> None:
        self.asked: Final[list[Asked]] = []
        self.answers: Sequence[Answer | Exception] | None = None
        self.failure: Exception | None = None
        self.is_full: Final = _locked()
        self._followers: Final[list[threading.Lock]] = []

    def join(self, asked: Asked) -> int:
        """Travel along, as long as nobody has closed the batch; return one's place."""
        if self.asked:
            self._followers.append(_locked())
        self.asked.append(asked)
        return len(self.asked) - 1

    def wait(self, place: int) -> None:
        """Wait until it is over."""
        self._followers[place - 1].acquire()

    def end(self) -> None:
        """Let everybody go on."""
        for follower in self._followers:
            follower.release()


def _locked() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock
