"""What every measurement is given: servers, stubs, sizes, a place for logs."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.servers import Servers
    from bench.stand_ins import StandIns


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How many people each measurement takes; `default` makes an invocation of about 15 minutes."""

    #: Published, and worked off with everything on.
    publish: int
    send: int
    worked: int
    nothing: int

    def scaled(self, factor: float) -> Self:
        """Return sizes that are larger or smaller by a factor."""
        return replace(self, **{name: max(1, round(value * factor)) for name, value in vars(self).items()})


DEFAULT = Sizes(publish=20_000, send=3_000, worked=8_000, nothing=20_000)
QUICK = Sizes(publish=5_000, send=1_000, worked=2_000, nothing=4_000)


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
