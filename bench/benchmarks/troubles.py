"""Measures the cost of faults for healthy tenants: broken tenants, restarts, a stop while Skolon hangs."""

from __future__ import annotations

import time
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Final

from bench.benchmarks.figure import Figure, Group
from bench.benchmarks.throughput import USERS, check
from bench.broker import consumers
from bench.environment import product_environment
from bench.measures import BenchError
from bench.stubs.troubles import Trouble
from bench.stubs.users import Population

if TYPE_CHECKING:
    from bench.context import Bench
    from bench.environment import ProductEnvironment

_HEALTHY: Final = Population(number=200, people=60)
#: Eight tenants of 60, each broken in one way.
_BROKEN: Final = tuple(
    (Population(number=201 + place, people=60), tuple(Trouble)[place % len(Trouble)]) for place in range(8)
)
#: The most seconds of a stop: compose's default grace period.
_GRACE: Final = 10.0
_LATENCY: Final = 0.02
#: The share of users (one in so many) that get an outcome between two restarts: a hundred users by default.
_SHARE: Final = 200
_ONE: Final = ("--processes", "1")


def _healthy(bench: Bench, side: str, *, beside_broken: bool) -> dict[str, float]:
    """Return how long the run of a healthy tenant takes, once the broken tenants fail."""
    bench.stand_ins.prepare(_HEALTHY, *(population for population, _ in _BROKEN), latency=_LATENCY)
    with product_environment(bench) as place, place.producer(), place.workers(*_ONE):
        for population, trouble in _BROKEN if beside_broken else ():
            bench.stand_ins.trouble(population, trouble)
            place.add(population)
            place.trigger(population)
            place.published(population)
        place.add(_HEALTHY)
        # The first run opens connections and fetches tokens.
        place.trigger(_HEALTHY)
        first = place.completed(_HEALTHY)
        place.trigger(_HEALTHY)
        second = place.completed(_HEALTHY, after=first.number)
        check(bench, place, _HEALTHY, second.number)
    return {side: _seconds(second.seconds)}


def alone(bench: Bench) -> dict[str, float]:
    """Measure the healthy tenant alone."""
    return _healthy(bench, "neighbours: alone", beside_broken=False)


def beside_broken(bench: Bench) -> dict[str, float]:
    """Measure the healthy tenant beside open runs of eight tenants with broken organisations."""
    return _healthy(bench, "neighbours: beside eight broken tenants", beside_broken=True)


def _restarted(bench: Bench, side: str, *, restarts: int) -> dict[str, float]:
    """Return how long two pools take for a run in which pools are restarted one after the other."""
    population = Population(number=220, people=bench.sizes.restarted, stale=5)
    bench.stand_ins.prepare(population, latency=_LATENCY)
    with product_environment(bench) as place, ExitStack() as stack:
        place.add(population)
        with place.producer():
            place.trigger(population)
            place.published(population)
        bench.stand_ins.requests()
        bench.stand_ins.hold()
        pools = [stack.enter_context(place.workers(*_ONE)) for _ in range(2)]
        place.wait(lambda: consumers(place.amqp_url, USERS) >= len(pools), "the last of the workers")
        began = time.monotonic()
        bench.stand_ins.release()
        number = place.published(population).number
        between = max(1, population.people // _SHARE)
        for pool in pools[:restarts]:
            wanted = min(len(place.finish_times_of(number)) + between, population.people)
            place.wait(partial(_reached, place, number, wanted), "outcomes")
            place.stop(pool)
            stack.enter_context(place.workers(*_ONE))
            place.wait(
                lambda: consumers(place.amqp_url, USERS) >= len(pools), "the pool that was started again"
            )
        run = place.completed(population)
        took = time.monotonic() - began
        check(bench, place, population, run.number)
    return {side: took}


def _reached(place: ProductEnvironment, run: int, outcomes: int) -> bool:
    """Say whether that many users of a run have an outcome."""
    return len(place.finish_times_of(run)) >= outcomes


def undisturbed(bench: Bench) -> dict[str, float]:
    """Measure without a restart."""
    return _restarted(bench, "rolling restart: undisturbed", restarts=0)


def rolling_restart(bench: Bench) -> dict[str, float]:
    """Measure with each pool ended by SIGTERM and started again, one after the other."""
    return _restarted(bench, "rolling restart: both pools restarted", restarts=2)


def stop(bench: Bench) -> dict[str, float]:
    """Return how long a worker needs to stop while Skolon does not answer."""
    population = Population(number=221, people=bench.sizes.stopped)
    bench.stand_ins.prepare(population)
    with product_environment(bench) as place:
        place.add(population)
        with place.producer():
            place.trigger(population)
            place.published(population)
        bench.stand_ins.requests()
        bench.stand_ins.trouble(population, Trouble.SILENT)
        with place.workers(*_ONE) as pool:
            place.wait(lambda: bench.stand_ins.requests()["skolon"].get("failed"), "the first search")
            began = time.monotonic()
            place.stop(pool)
            took = time.monotonic() - began
    return {"stop: while Skolon hangs": took, "stop: grace period": _GRACE}


def _seconds(seconds: float | None) -> float:
    if seconds is None:
        raise BenchError("a complete run does not say when it ended")
    return seconds


NEIGHBOURS: Final = Group(
    name="neighbourhood",
    figures=(
        Figure(
            name="neighbours",
            ours="neighbours: beside eight broken tenants",
            theirs="neighbours: alone",
            unit="s",
            at_most=2,
            against="a healthy tenant of 60 alone; ours beside eight of 60 that are broken in five ways",
        ),
    ),
    sides=(alone, beside_broken),
)
RESTART: Final = Group(
    name="restart",
    figures=(
        Figure(
            name="rolling_restart",
            ours="rolling restart: both pools restarted",
            theirs="rolling restart: undisturbed",
            unit="s",
            at_most=2,
            against="the same run undisturbed; two pools, ordinary users, 20 ms of latency",
        ),
    ),
    sides=(undisturbed, rolling_restart),
)
STOP: Final = Group(
    name="stopping",
    figures=(
        Figure(
            name="stop",
            ours="stop: while Skolon hangs",
            theirs="stop: grace period",
            unit="s",
            at_most=1,
            against="the grace period that containers have by default; Skolon does not answer",
        ),
    ),
    sides=(stop,),
)
