"""Compares the memory that a large and a small tenant need (promise P10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.benchmarks.figure import Figure, Group
from bench.benchmarks.throughput import ORDINARY, PROCESSES, check
from bench.environment import product_environment
from bench.processes import peak_memory
from bench.stubs.users import Population

if TYPE_CHECKING:
    from bench.context import Bench


def _peaks(bench: Bench, side: str, people: int) -> dict[str, float]:
    population = Population(number=8, people=people, stale=ORDINARY)
    bench.stand_ins.prepare(population)
    with (
        product_environment(bench) as place,
        place.producer() as producer,
        place.workers("--processes", str(PROCESSES)) as workers,
    ):
        place.add(population)
        place.trigger(population)
        run = place.completed(population)
        peaks = {
            f"memory_producer: {side}": peak_memory(producer.pid),
            f"memory_worker: {side}": peak_memory(workers.pid),
        }
        check(bench, place, population, run.number)
    return peaks


def small(bench: Bench) -> dict[str, float]:
    """Run a small tenant in full, from trigger to completion."""
    return _peaks(bench, "small", bench.sizes.memory_small)


def large(bench: Bench) -> dict[str, float]:
    """Run a large tenant in full."""
    return _peaks(bench, "large", bench.sizes.memory_large)


MEMORY: Final = Group(
    name="memory",
    figures=tuple(
        Figure(
            name=name,
            ours=f"{name}: large",
            theirs=f"{name}: small",
            unit="MiB",
            at_most=1.1,
            against="peak of all its processes with a large tenant; with a small one",
        )
        for name in ("memory_producer", "memory_worker")
    ),
    sides=(small, large),
    rounds=1,
)
