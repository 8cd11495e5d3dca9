"""When searches leave: alone at once, and beside others a while after the last one."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYetError
from typing import TYPE_CHECKING

import pytest

from runtime.pacing import RequestPacer

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Seconds: longer than any test may take, and a moment.
LONG, MOMENT = 60.0, 0.05


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


def never() -> bool:
    return False


def test_whoever_is_alone_leaves_at_once() -> None:
    """A request does not wait while none is in flight, not even just after another one."""
    pacer = RequestPacer(LONG)
    with pacer.in_flight("one"):
        pass
    began = time.monotonic()
    pacer.wait("one", never)
    with pacer.in_flight("one"):
        pacer.wait("another", never)
    assert time.monotonic() - began < LONG / 2


def test_an_answer_lets_the_next_one_leave(pool: ThreadPoolExecutor) -> None:
    """While an answer is awaited the next one waits for company, and with the answer it leaves."""
    pacer = RequestPacer(LONG)
    with pacer.in_flight("one"):
        waiting = pool.submit(pacer.wait, "one", never)
        with pytest.raises(NotYetError):
            waiting.result(MOMENT)
    waiting.result(LONG / 2)


def test_a_slow_answer_holds_up_nobody_for_long() -> None:
    """The next one leaves beside it when the gap is over, and not before."""
    pacer = RequestPacer(MOMENT)
    with pacer.in_flight("one"):
        began = time.monotonic()
        pacer.wait("one", never)
        assert MOMENT <= time.monotonic() - began < LONG


def test_the_gap_begins_with_the_last_departure() -> None:
    """Of several under way the youngest counts."""
    pacer = RequestPacer(MOMENT)
    with pacer.in_flight("one"):
        threading.Event().wait(MOMENT)
        with pacer.in_flight("one"):
            began = time.monotonic()
            pacer.wait("one", never)
            assert time.monotonic() - began >= MOMENT / 2


def test_a_full_one_leaves_at_once() -> None:
    """There is nothing to wait for when no more company fits in."""
    pacer = RequestPacer(LONG)
    with pacer.in_flight("one"):
        began = time.monotonic()
        pacer.wait("one", lambda: True)
    assert time.monotonic() - began < LONG / 2


def test_nothing_is_kept_of_those_that_are_back() -> None:
    """P10: what is known of a key is gone with its last answer, also when that was an error."""
    pacer = RequestPacer(LONG)
    with pytest.raises(OSError, match="away"), pacer.in_flight("one"):
        raise OSError("away")
    assert not pacer._in_flight  # noqa: SLF001 - nothing else tells what is kept
