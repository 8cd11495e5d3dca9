"""Measures how throughput grows with worker processes that wait for Skolon."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from bench.benchmarks.figure import Figure, Group
from bench.benchmarks.throughput import ORDINARY, worked
from bench.stubs.users import Population

if TYPE_CHECKING:
    from bench.context import Bench

LATENCY: Final = 0.05
#: Few threads, so that a process waits for Skolon nearly all the time and the cores are not the limit.
THREADS: Final = 4
PROCESSES: Final = (1, 2, 4, 8)
_WANTED: Final = {4: 3.5}


def _pool(processes: int, bench: Bench) -> dict[str, float]:
    population = Population(number=7, people=bench.sizes.scale * processes, stale=ORDINARY)
    return worked(
        bench, f"scale: {processes}", population, processes=processes, threads=THREADS, latency=LATENCY
    )


SCALE: Final = Group(
    name="scale",
    figures=tuple(
        Figure(
            name=f"scale_{processes}",
            ours=f"scale: {processes}",
            theirs="scale: 1",
            unit="users/s",
            at_least=_WANTED.get(processes),
            against=f"1 process; 50 ms of latency, {THREADS} threads each",
        )
        for processes in PROCESSES[1:]
    ),
    sides=tuple(partial(_pool, processes) for processes in PROCESSES),
)
