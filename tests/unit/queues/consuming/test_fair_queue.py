"""Whose message is next, of those that a process has fetched."""

from __future__ import annotations

from dataclasses import dataclass, field
from queue import Empty
from typing import Any

import pytest

from queues.consuming.fair_queue import FairQueue
from queues.queue_names import quick_queue
from schemas.messages.messages import TENANT_SYNC_QUEUE, USER_SYNC_QUEUE

QUICK = quick_queue(USER_SYNC_QUEUE)


@dataclass
class Message:
    kwargs: dict[str, Any]
    queue_name: str = USER_SYNC_QUEUE


@dataclass
class Item:
    message: Message
    number: int = 0


@dataclass
class Hands:
    """Takes from a queue as so many threads would, each of which keeps what it has."""

    queue: FairQueue
    taken: list[str] = field(default_factory=list)

    def take(self, most: int = 1000) -> list[str]:
        """Return the tenants of what is handed out now."""
        new: list[str] = []
        while len(new) < most:
            try:
                new.append(self.queue.get(timeout=0).message.kwargs["tenant"])
            except Empty:
                break
        return new


def put(queue: FairQueue, tenant: str, times: int, name: str = USER_SYNC_QUEUE) -> None:
    for number in range(times):
        queue.put(Item(Message({"tenant": tenant}, name), number))


def test_tenants_take_turns() -> None:
    """P7: who comes late with few messages does not wait for all of those who were there before."""
    queue = FairQueue(slots=100, reserved=12)
    put(queue, "large", 50)
    put(queue, "small", 2)
    assert Hands(queue).take(5) == ["large", "small", "large", "small", "large"]
    assert queue.qsize() == 47


def test_the_order_of_one_tenant_is_kept() -> None:
    """What came first of a tenant is handed out first."""
    queue = FairQueue(slots=100, reserved=12)
    put(queue, "only", 3)
    assert [queue.get(timeout=0).number for _ in range(3)] == [0, 1, 2]


def test_hanging_tenants_leave_hands_for_others() -> None:
    """P7: however many messages hang, a tenant with none in progress gets a thread."""
    queue = FairQueue(slots=64, reserved=8)
    for tenant in ("a", "b", "c"):
        put(queue, tenant, 100)
    assert len(Hands(queue).take()) == 64
    put(queue, "late", 100)
    assert Hands(queue).take() == ["late", "late"]


def test_one_tenant_alone_has_all_hands() -> None:
    """A tenant that is alone is worked on as if there were no turns, and not beyond."""
    queue = FairQueue(slots=16, reserved=2)
    put(queue, "only", 100)
    assert len(Hands(queue).take()) == 16
    queue.task_done()
    assert Hands(queue).take() == ["only"]


def test_what_is_left_can_be_taken_back() -> None:
    """P2: a process that ends returns all messages that are not in progress."""
    queue = FairQueue(slots=1, reserved=0)
    put(queue, "only", 3)
    assert queue.get(timeout=0)
    with pytest.raises(Empty):
        queue.get(timeout=0)
    assert [queue.get_nowait().number for _ in range(2)] == [1, 2]
    with pytest.raises(Empty):
        queue.get_nowait()


def test_what_is_quick_goes_before_all_others() -> None:
    """P7: a quick message is the next one, of the tenant that has the most in progress too."""
    queue = FairQueue(slots=8, reserved=0)
    put(queue, "large", 50)
    assert Hands(queue).take(3) == ["large"] * 3
    put(queue, "small", 5)
    put(queue, "large", 1, QUICK)
    put(queue, "asking", 1, TENANT_SYNC_QUEUE)
    assert Hands(queue).take(3) == ["large", "asking", "small"]


def test_hanging_messages_leave_hands_for_what_is_quick() -> None:
    """P7: while all other hands hang, a quick message gets one, and one tenant's do not get all of them."""
    queue = FairQueue(slots=64, reserved=8, quick=8)
    for number in range(40):
        put(queue, f"tenant {number}", 100)
    assert len(Hands(queue).take()) == 72
    put(queue, "hanging", 20, QUICK)
    assert Hands(queue).take() == ["hanging", "hanging"]
    put(queue, "late", 1, QUICK)
    assert Hands(queue).take() == ["late"]


def test_what_is_quick_leaves_half_of_the_hands() -> None:
    """P7: however much calls itself quick, the users of ordinary runs go on."""
    queue = FairQueue(slots=64, reserved=8, quick=2)
    put(queue, "pressing", 100, QUICK)
    put(queue, "patient", 100)
    taken = Hands(queue).take(72)
    assert taken.count("pressing") == 32
    assert taken.count("patient") == 40


def test_an_event_has_the_tenant_in_its_data() -> None:
    """P7: requests that come as events take turns by tenant as well."""
    queue = FairQueue(slots=8, reserved=0)
    for number, tenant in enumerate(("a", "a", "b")):
        event = {"specversion": "1.0", "data": {"tenant": tenant}}
        queue.put(Item(Message({"event": event}, TENANT_SYNC_QUEUE), number))
    assert [queue.get(timeout=0).number for _ in range(3)] == [0, 2, 1]
