"""Compares the rate of syncing users with dramatiq and an actor that does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.baselines.running import dramatiq_noop
from bench.benchmarks.figure import Figure, Group
from bench.broker import consumers
from bench.environment import product_environment
from bench.measures import BenchError, rate
from bench.stubs.users import Population

if TYPE_CHECKING:
    from bench.context import Bench
    from bench.environment import ProductEnvironment

#: Worker processes: one for each core of the measuring machine.
PROCESSES: Final = 2
#: Percent of users that have changed on an ordinary night.
ORDINARY: Final = 5

USERS: Final = "user-sync"


def worked(  # noqa: PLR0913 - each is a choice of its own, by name
    bench: Bench,
    side: str,
    population: Population,
    *,
    processes: int = PROCESSES,
    threads: int | None = None,
    latency: float = 0.0,
) -> dict[str, float]:
    """Return how many users a second a pool of workers syncs, under the name `side`.

    The queue is full before the workers start. Skolon answers once all workers are connected. Raises
    BenchError unless every user has the expected outcome and the same values in Skolon as in Entra.
    """
    bench.stand_ins.prepare(population, latency=latency)
    options = ("--processes", str(processes), "--threads", str(threads or bench.threads))
    with product_environment(bench) as place:
        place.add(population)
        with place.producer():
            place.trigger(population)
            place.published(population)
        bench.stand_ins.requests()
        bench.stand_ins.hold()
        with place.workers(*options):
            place.wait(lambda: consumers(place.amqp_url, USERS) >= processes, "the last of the workers")
            with bench.shares(side) as shares:
                bench.stand_ins.release()
                run = place.completed(population)
        check(bench, place, population, run.number)
        finish_times = place.finish_times(run)
    return {side: rate(finish_times), **shares}


def check(bench: Bench, place: ProductEnvironment, population: Population, run: int) -> None:
    """Raise BenchError unless Skolon and the run's totals are as expected after a full run."""
    stale, absent = population.stale_people, population.absent_people
    place.expect(run, updated=stale, not_found=absent, unchanged=population.people - stale - absent)
    wrong = bench.stand_ins.wrong(population)
    if wrong:
        raise BenchError(f"{len(wrong)} users do not have Entra's values in Skolon")


def unchanged(bench: Bench) -> dict[str, float]:
    """Measure users that are the same in Skolon and Entra."""
    return worked(bench, "unchanged: ours", Population(number=3, people=bench.sizes.worked))


def changed(bench: Bench) -> dict[str, float]:
    """Measure users that all have a new address."""
    return worked(bench, "changed: ours", Population(number=4, people=bench.sizes.worked // 2, stale=100))


def noop(bench: Bench) -> dict[str, float]:
    """Measure messages that need no work, with the same processes and threads."""
    found = dramatiq_noop(bench, count=bench.sizes.noop, processes=PROCESSES, threads=bench.threads)
    return {"dramatiq doing nothing": found}


def _figure(name: str, at_least: float) -> Figure:
    return Figure(
        name=name,
        ours=f"{name}: ours",
        theirs="dramatiq doing nothing",
        unit="users/s",
        at_least=at_least,
        against="dramatiq doing nothing, same kind of queue, processes and threads",
    )


WORK: Final = Group(
    name="work",
    figures=(_figure("unchanged", 0.5), _figure("changed", 0.3)),
    sides=(unchanged, noop, changed),
)
