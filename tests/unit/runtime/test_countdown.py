"""Who of several threads is the last, and does what is to be done once all is done."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from runtime.countdown import WhenIdle


def test_one_alone_is_the_last() -> None:
    """The only thread of a key calls back, each time."""
    done: list[int] = []
    last: WhenIdle[int] = WhenIdle(done.append)
    for _ in range(2):
        with last.track(7):
            assert done == [7] * len(done)
    assert done == [7, 7]


def test_who_is_not_the_last_leaves_it_to_the_others() -> None:
    """No thread calls back while another one has the same key; other keys do not count."""
    done: list[int] = []
    last: WhenIdle[int] = WhenIdle(done.append)
    with ExitStack() as other, last.track(2):
        other.enter_context(last.track(1))
        with last.track(1):
            pass
        assert done == []
        other.close()
        assert done == [1]
    assert done == [1, 2]


def test_who_fails_does_nothing() -> None:
    """P3: a failed thread does not call back, and the others still count."""
    done: list[int] = []
    last: WhenIdle[int] = WhenIdle(done.append)

    def fail() -> None:
        with last.track(1):
            with last.track(1):
                pass
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert done == []
    with last.track(1):
        pass
    assert done == [1]


def test_nothing_is_missed() -> None:
    """P3: however threads take turns, the last call comes after all that was done before it."""
    pieces = list(range(500))
    left: set[int] = set(pieces)
    seen: list[int] = []
    last: WhenIdle[str] = WhenIdle(lambda _: seen.append(len(left)))

    def backlog(piece: int) -> None:
        with last.track("all"):
            left.discard(piece)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(backlog, pieces))
    assert seen[-1] == 0
