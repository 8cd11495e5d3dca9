"""What every measurement is given: servers, stubs, sizes, a place for logs."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from devtools.commands import COMMAND

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.stand_ins import StandIns
    from devtools.servers import Servers


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How many people each measurement takes; `default` makes an invocation of about 20 minutes."""

    #: Published by the producer, and with `send`.
    publish: int
    send: int
    #: Worked off with everything on, and by dramatiq doing nothing.
    worked: int
    noop: int
    #: Taken by the plain script at 0, 20 and 100 ms, by its thread pool, and by Celery.
    script_0ms: int
    script_20ms: int
    script_100ms: int
    threads: int
    celery: int
    #: For each process whose number grows.
    scale: int
    #: Of the small and the large tenant.
    memory_small: int
    memory_large: int
    delta: int
    #: Of each kind of people whose requests are counted.
    requests: int
    #: Of all tenants of the night together.
    many_tenants: int
    #: Of the run that workers are restarted in, and of the one that hangs when they are stopped.
    restarted: int
    stopped: int

    def scaled(self, factor: float) -> Self:
        """Return sizes that are larger or smaller by a factor."""
        return replace(self, **{name: max(1, round(value * factor)) for name, value in vars(self).items()})


DEFAULT = Sizes(
    publish=20_000,
    send=3_000,
    worked=8_000,
    noop=20_000,
    script_0ms=2_000,
    script_20ms=300,
    script_100ms=60,
    threads=2_000,
    celery=2_000,
    scale=600,
    memory_small=10_000,
    memory_large=300_000,
    delta=100_000,
    requests=1_000,
    many_tenants=20_000,
    restarted=20_000,
    stopped=1_000,
)
QUICK = Sizes(
    publish=5_000,
    send=1_000,
    worked=2_000,
    noop=4_000,
    script_0ms=500,
    script_20ms=100,
    script_100ms=30,
    threads=500,
    celery=500,
    scale=150,
    memory_small=1_000,
    memory_large=5_000,
    delta=2_000,
    requests=500,
    many_tenants=2_000,
    restarted=5_000,
    stopped=500,
)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """An invocation's servers and stubs."""

    servers: Servers
    stand_ins: StandIns
    sizes: Sizes
    #: Takes the logs of whatever is started.
    folder: Path
    #: Threads of a worker process when nothing is said.
    threads: int
    #: The product's command; another version's while that is measured.
    command: str = COMMAND
    #: The medians of what was measured before, by name: what the model of a night is made of.
    known: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def shares(self, side: str) -> Iterator[dict[str, float]]:
        """Give an object that has each stub's share of a core during the block, once that has ended."""
        found: dict[str, float] = {}
        stubs = {"graph": self.stand_ins.graph, "skolon": self.stand_ins.skolon}
        before = {name: stub.cpu_seconds() for name, stub in stubs.items()}
        began = time.monotonic()
        yield found
        seconds = time.monotonic() - began
        for name, stub in stubs.items():
            found[f"{side}: {name} stub, share of a core"] = (stub.cpu_seconds() - before[name]) / seconds
