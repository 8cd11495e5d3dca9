"""Compares the cost of a delta run with the cost of a full run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.benchmarks.figure import Figure, Group
from bench.benchmarks.throughput import PROCESSES, check
from bench.environment import product_environment
from bench.measures import BenchError
from bench.stubs.users import Population

if TYPE_CHECKING:
    from bench.context import Bench
    from bench.environment import ProductEnvironment

_MOVED: Final = range(10)


def deltas(bench: Bench) -> dict[str, float]:
    """Measure a full run, a delta run without changes, and a delta run with ten changed users."""
    population = Population(number=9, people=bench.sizes.delta)
    bench.stand_ins.prepare(population)
    with product_environment(bench) as place, place.producer(), place.workers("--processes", str(PROCESSES)):
        place.add(population)
        values, last = _run(bench, place, population, "full", after=0)
        check(bench, place, population, last)
        none, last = _run(bench, place, population, "none", after=last)
        place.expect(last)
        bench.stand_ins.move(population, _MOVED)
        ten, last = _run(bench, place, population, "ten", after=last)
        place.expect(last, updated=len(_MOVED))
        if bench.stand_ins.wrong(population, _MOVED):
            raise BenchError("a delta run did not update every changed user")
    return {**values, **none, **ten}


def _run(
    bench: Bench, place: ProductEnvironment, population: Population, side: str, *, after: int
) -> tuple[dict[str, float], int]:
    bench.stand_ins.requests()
    place.trigger(population, mode="full" if side == "full" else "delta")
    run = place.completed(population, after=after)
    counts = bench.stand_ins.requests()["graph"]
    asked = sum(count for kind, count in counts.items() if kind != "token")
    return {f"delta: {side}": float(asked), f"delta: {side}, seconds": run.seconds or 0.0}, run.number


DELTA: Final = Group(
    name="delta",
    figures=tuple(
        Figure(
            name=f"delta_{side}",
            ours=f"delta: {side}",
            theirs="delta: full",
            unit="requests",
            against=f"a full run's requests to Graph; delta with {side} changed",
        )
        for side in ("none", "ten")
    ),
    sides=(deltas,),
    rounds=1,
)
