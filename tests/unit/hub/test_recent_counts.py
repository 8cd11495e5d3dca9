"""Counts of consumers that are kept for some seconds."""

from __future__ import annotations

import pytest

from hub.recent_counts import KEPT, RecentCounts
from schemas.errors import Dependency, TransientError


class Broker:
    """Counts how often it is asked; it is away while `consumers_now` is None."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.consumers_now: int | None = 1

    def consumers(self, queue: str) -> int:
        self.asked.append(queue)
        if self.consumers_now is None:
            raise TransientError(Dependency.BROKER, "away")
        return self.consumers_now


def test_a_queue_is_asked_about_once_in_ten_seconds() -> None:
    """Each queue by itself; after that the count is a new one."""
    broker, now = Broker(), [100.0]
    counts = RecentCounts(broker, clock=lambda: now[0])
    assert (counts.consumers("a"), counts.consumers("a"), counts.consumers("b")) == (1, 1, 1)
    assert broker.asked == ["a", "b"]
    broker.consumers_now = 0
    now[0] += KEPT - 0.1
    assert counts.consumers("a") == 1
    now[0] += 0.2
    assert counts.consumers("a") == 0


def test_an_outage_is_remembered_too() -> None:
    """While RabbitMQ is away, one page in ten seconds waits for it, and not each."""
    broker, now = Broker(), [100.0]
    broker.consumers_now = None
    counts = RecentCounts(broker, clock=lambda: now[0])
    for _ in range(3):
        with pytest.raises(TransientError):
            counts.consumers("a")
    assert broker.asked == ["a"]
    broker.consumers_now = 2
    now[0] += KEPT
    assert counts.consumers("a") == 2
