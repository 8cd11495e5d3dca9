"""How fast users are worked off with everything on, against dramatiq doing nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.figures.figure import Figure, Group
from bench.measures import BenchError, rate
from bench.people import Population
from bench.scene import scene
from bench.theirs.running import dramatiq_doing_nothing

if TYPE_CHECKING:
    from bench.context import Bench

#: One for each core of the machine that this is measured on.
PROCESSES: Final = 2


def worked(
    bench: Bench, side: str, population: Population, *options: str, latency: float = 0.0
) -> dict[str, float]:
    """Return how many users a second a pool of workers works off, under the name `side`.

    The queue is full before they start. Raises BenchError unless everybody came to what was to be expected,
    and is in Skolon as in Entra.
    """
    bench.stand_ins.prepare(population, latency=latency)
    with scene(bench) as place:
        place.add(population)
        with place.producer():
            place.trigger(population)
            place.published(population)
        bench.stand_ins.requests()
        with bench.shares(side) as shares, place.workers(*options):
            run = place.completed(population)
        stale, absent = population.stale_people, population.absent_people
        place.expect(run, updated=stale, not_found=absent, unchanged=population.people - stale - absent)
        moments = place.moments(run)
        patches = bench.stand_ins.requests()["skolon"].get("patch", 0)
    if patches != stale or bench.stand_ins.wrong(population):
        raise BenchError(f"{patches} PATCHes were sent for {stale} people, or somebody is wrong in Skolon")
    return {side: rate(moments), **shares}


def _options(bench: Bench) -> tuple[str, ...]:
    return ("--processes", str(PROCESSES), "--threads", str(bench.threads))


def unchanged(bench: Bench) -> dict[str, float]:
    """Everybody is in Skolon as in Entra."""
    population = Population(number=3, people=bench.sizes.worked)
    return worked(bench, "unchanged: ours", population, *_options(bench))


def changed(bench: Bench) -> dict[str, float]:
    """Everybody has moved house."""
    population = Population(number=4, people=bench.sizes.worked // 2, stale=100)
    return worked(bench, "changed: ours", population, *_options(bench))


def nothing(bench: Bench) -> dict[str, float]:
    """Give the same processes and threads messages that ask nothing of them."""
    count, threads = bench.sizes.nothing, bench.threads
    return {
        "dramatiq doing nothing": dramatiq_doing_nothing(
            bench, count=count, processes=PROCESSES, threads=threads
        )
    }


def _figure(name: str, at_least: float) -> Figure:
    return Figure(
        name=name,
        ours=f"{name}: ours",
        theirs="dramatiq doing nothing",
        unit="users/s",
        at_least=at_least,
        against="dramatiq doing nothing, same queue, processes and threads",
    )


WORK: Final = Group(
    name="work",
    figures=(_figure("unchanged", 0.5), _figure("changed", 0.3)),
    sides=(unchanged, nothing, changed),
)
