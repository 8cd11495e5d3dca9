"""Compares a night of many tenants at once with the model's estimate."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from bench.benchmarks.figure import Figure, Group
from bench.benchmarks.throughput import ORDINARY, PROCESSES, check
from bench.environment import product_environment
from bench.measures import BenchError
from bench.model import Costs, ManyTenants, Pool, municipalities, seconds
from bench.stubs.users import Population

if TYPE_CHECKING:
    from bench.context import Bench

#: The most tenants, and users for each tenant: adding a tenant takes a second.
_TENANTS: Final = 20
_PEOPLE: Final = 500
_LATENCY: Final = 0.02
_NEEDED: Final = ("publish: ours", "unchanged: ours", "changed: ours")


def many_tenants(bench: Bench) -> dict[str, float]:
    """Trigger tenants of different sizes at the same time, and estimate the duration with the model."""
    if not all(name in bench.known for name in _NEEDED):
        raise BenchError("the model is made of publish, unchanged and changed: measure these as well")
    sizes = municipalities(min(_TENANTS, bench.sizes.many_tenants // _PEOPLE + 1), bench.sizes.many_tenants)
    populations = [
        Population(number=100 + number, people=people, stale=ORDINARY) for number, people in enumerate(sizes)
    ]
    bench.stand_ins.prepare(*populations, latency=_LATENCY)
    with product_environment(bench) as place, place.producer(), place.workers("--processes", str(PROCESSES)):
        for population in populations:
            place.add(population)
        began = time.monotonic()
        for population in populations:
            place.trigger(population)
        runs = [place.completed(population) for population in populations]
        took = time.monotonic() - began
        for population, run in zip(populations, runs, strict=True):
            check(bench, place, population, run.number)
    cores = os.cpu_count() or 1
    predicted = seconds(
        ManyTenants(tenants=sizes, changed=ORDINARY / 100, latency=_LATENCY),
        Pool(cores=cores, threads=PROCESSES * bench.threads),
        Costs.measured(bench.known, cores),
    )
    return {"many-tenants: measured": took, "many-tenants: predicted": predicted}


MANY_TENANTS: Final = Group(
    name="many-tenants",
    figures=(
        Figure(
            name="many-tenants",
            ours="many-tenants: measured",
            theirs="many-tenants: predicted",
            unit="s",
            at_least=0.5,
            at_most=2,
            against="the model; tenants at once, 20 ms of latency",
        ),
    ),
    sides=(many_tenants,),
    rounds=1,
)
