"""The context of every measurement: servers, stubs, sizes, a folder for logs."""

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
    """How many users each measurement takes; an invocation with `default` takes about 20 minutes."""

    #: Users that the producer publishes, and messages of `send`.
    publish: int
    send: int
    #: Users that the product syncs, and messages of the actor that does nothing.
    worked: int
    noop: int
    #: Users of the plain script at 0, 20 and 100 ms, of its thread pool, and of Celery.
    script_0ms: int
    script_20ms: int
    script_100ms: int
    threads: int
    celery: int
    #: Users for each worker process.
    scale: int
    #: Users of the small and the large tenant.
    memory_small: int
    memory_large: int
    delta: int
    #: Users of each kind whose requests are counted.
    requests: int
    #: Users of all tenants of the night together.
    many_tenants: int
    #: Users of the run with restarts, and of the run that hangs when workers stop.
    restarted: int
    stopped: int
    #: Users of one run in the database that the Data Hub's pages show.
    hub: int
    #: Users of other runs that wait while single users are synced.
    sync_now: int

    def scaled(self, factor: float) -> Self:
        """Return the sizes multiplied by a factor."""
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
    hub=100_000,
    sync_now=20_000,
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
    hub=20_000,
    sync_now=3_000,
)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """An invocation's servers and stubs."""

    servers: Servers
    stand_ins: StandIns
    sizes: Sizes
    #: The folder for the logs of started processes.
    folder: Path
    #: Threads of a worker process by default.
    threads: int
    #: The command of the measured version.
    command: str = COMMAND
    #: The medians of earlier measurements, by name, for the model of a night.
    known: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def shares(self, side: str) -> Iterator[dict[str, float]]:
        """Yield an object that has each stub's share of a core after the block."""
        found: dict[str, float] = {}
        stubs = {"graph": self.stand_ins.graph, "skolon": self.stand_ins.skolon}
        before = {name: stub.cpu_seconds() for name, stub in stubs.items()}
        began = time.monotonic()
        yield found
        seconds = time.monotonic() - began
        for name, stub in stubs.items():
            found[f"{side}: {name} stub, share of a core"] = (stub.cpu_seconds() - before[name]) / seconds
