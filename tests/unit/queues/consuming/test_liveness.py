"""A process whose threads have died says so and ends with an error."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest

from queues.consuming import liveness
from queues.consuming.liveness import EXIT_CODE, Liveness, dead_threads


class Thread:
    """A thread of dramatiq's, as far as anybody looks at it."""

    def __init__(self, *, running: bool = True, alive: bool = True) -> None:
        self.running = running
        self._alive = alive

    def is_alive(self) -> bool:
        return self._alive


def worker(*threads: Thread, consumer: Thread | None = None) -> Any:
    return SimpleNamespace(workers=list(threads), consumers={"user-sync": consumer or Thread()})


def test_who_has_died_is_who_was_not_stopped() -> None:
    """A thread that ended because it was told to is no dead one, nor one that has not begun."""
    stopped, dead = Thread(running=False, alive=False), Thread(alive=False)
    assert dead_threads(worker(Thread(), stopped)) == []
    assert dead_threads(worker(Thread(), dead, consumer=dead)) == ["worker", "consumer of user-sync"]


def test_a_process_whose_threads_died_ends_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told to end as by its supervisor, and its exit code says that something was wrong."""
    monkeypatch.setattr(liveness, "LOOK_EVERY", 0.01)
    told, broker = threading.Event(), cast("Any", None)
    middleware = Liveness(end=told.set, end_now=lambda _: None)
    hurt = worker(Thread(), Thread(alive=False))
    middleware.after_worker_boot(broker, hurt)
    assert told.wait(10)
    middleware.before_worker_shutdown(broker, hurt)
    with pytest.raises(SystemExit) as caught:
        middleware.after_worker_shutdown(broker, hurt)
    assert caught.value.code == EXIT_CODE


def test_a_process_that_is_told_to_end_ends_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that end with their process are none that have died."""
    monkeypatch.setattr(liveness, "LOOK_EVERY", 0.01)
    broker = cast("Any", None)
    middleware = Liveness(end=lambda: pytest.fail("it was told to end"))
    well = worker(Thread())
    middleware.after_worker_boot(broker, well)
    middleware.before_worker_shutdown(broker, well)
    middleware.after_worker_shutdown(broker, well)
