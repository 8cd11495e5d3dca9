"""Processes of theirs: started with what they need, and given the same chances as ours."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench.broker import fill, kind_of
from bench.measures import BenchError, rate
from bench.moments import make_moments, open_moments
from bench.scene import wait
from bench.theirs.nothing import (
    MOMENTS_VARIABLE,
    QUEUE,
    QUEUE_ARGUMENTS,
    URL_VARIABLE,
    QuorumQueues,
    message,
)
from tests.acceptance.commands import environment, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.context import Bench

#: Characters of a payload that make a message as long as one of ours.
PAYLOAD = 540


def body(number: int) -> bytes:
    """Return the message of that number as it goes over the wire."""
    return message(number, "x" * PAYLOAD).encode()


@contextmanager
def declared(bench: Bench) -> Iterator[str]:
    """Give a virtual host with dramatiq's queue in it. Raises BenchError when it is not of our kind."""
    with bench.servers.virtual_host() as url:
        broker = QuorumQueues(url)
        broker.declare_queue(QUEUE, ensure=True)
        broker.close()
        if kind_of(bench.servers, url, QUEUE) != QUEUE_ARGUMENTS:
            raise BenchError(f"dramatiq's queue was declared with something else than {QUEUE_ARGUMENTS}")
        yield url


def dramatiq_doing_nothing(bench: Bench, *, count: int, processes: int, threads: int) -> float:
    """Return how many messages a second dramatiq works off that ask nothing of it."""
    file = bench.folder / "moments"
    make_moments(file, count)
    moments = open_moments(file)
    with declared(bench) as url:
        fill(url, QUEUE, map(body, range(count)))
        command = (sys.executable, "-m", "dramatiq", "bench.theirs.nothing:build")
        env = environment(**{URL_VARIABLE: url, MOMENTS_VARIABLE: str(file)})
        options = ("--processes", str(processes), "--threads", str(threads))
        with running(*options, env=env, log=bench.folder / "dramatiq.log", command=command):
            wait(lambda: 0.0 not in moments, "the last of dramatiq's messages")
    return rate(moments.tolist())
