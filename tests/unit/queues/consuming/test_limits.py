"""What a process needs of open files and connections, and what it makes of a limit."""

from __future__ import annotations

import resource

import pytest
from structlog.testing import capture_logs

from queues.consuming.limits import ResourceNeeds, raise_file_limit
from schemas.errors import UsageError
from schemas.messages.messages import TENANT_PAGES_QUEUE, TENANT_SYNC_QUEUE, USER_SYNC_QUEUE

WORKER = ResourceNeeds(queues=(USER_SYNC_QUEUE,), threads=256)


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have a system with a soft and a hard limit that the test sets; nothing of this process's changes."""
    limits = [1024, 4096]

    def take(_: int, new: tuple[int, int]) -> None:
        limits[:] = new

    monkeypatch.setattr(resource, "getrlimit", lambda _: tuple(limits))
    monkeypatch.setattr(resource, "setrlimit", take)
    return limits


def test_the_usual_limit_is_enough() -> None:
    """With the 1,024 open files that are usual a worker works on 256 at a time, and nothing is said."""
    with capture_logs() as said:
        assert raise_file_limit(WORKER) == 256
    assert said == []


def test_a_limit_is_raised_as_far_as_it_may_be(limits: list[int]) -> None:
    """A soft limit that is too low is raised to what is needed, not beyond, and that is said."""
    limits[:] = [128, 4096]
    with capture_logs() as said:
        assert raise_file_limit(WORKER) == 256
    assert limits == [WORKER.files, 4096]
    assert [line["event"] for line in said] == ["open_file_limit_raised"]


def test_few_files_are_fewer_at_a_time(limits: list[int]) -> None:
    """Where the system allows too little, as many are worked on as fit, and one line says so."""
    limits[:] = [128, 128]
    with capture_logs() as said:
        threads = raise_file_limit(WORKER)
    assert 1 <= threads < 30
    assert WORKER.threads_with(128) == threads
    (line,) = said
    assert (line["event"], line["allowed"], line["threads"]) == ("open_file_limit_low", 128, threads)
    assert "ulimit -n" in line["detail"]


def test_too_few_files_are_refused(limits: list[int]) -> None:
    """Where not even one can be worked on, the process does not begin, and says what it needs."""
    limits[:] = [64, 64]
    with pytest.raises(UsageError, match="needs 96 open files at the least, and may have 64"):
        raise_file_limit(WORKER)


def test_connections_are_few() -> None:
    """A worker has 10 connections to RabbitMQ at most, a producer 14, however many they work on at a time."""
    assert WORKER.connections == 10
    producer = ResourceNeeds(queues=(TENANT_SYNC_QUEUE, TENANT_PAGES_QUEUE), threads=4)
    assert producer.connections == 14
