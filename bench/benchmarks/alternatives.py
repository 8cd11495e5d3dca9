"""Compares one worker process of default size with a script, a thread pool and Celery."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from bench.baselines.running import celery, plain_script
from bench.benchmarks.figure import Figure, Group
from bench.benchmarks.throughput import ORDINARY, PROCESSES, worked
from bench.stubs.users import Population

if TYPE_CHECKING:
    from bench.context import Bench

#: Milliseconds of Skolon's latency.
LATENCIES: Final = (0, 20, 100)
#: Skolon's latency for Celery's comparison, and for the bound of the sequential script.
_COMMON: Final = 20


def _ours(milliseconds: int, bench: Bench) -> dict[str, float]:
    population = Population(number=5, people=bench.sizes.worked // 2, stale=ORDINARY)
    latency = milliseconds / 1000
    return worked(bench, f"script_{milliseconds}ms: ours", population, processes=1, latency=latency)


def _script(milliseconds: int, bench: Bench) -> dict[str, float]:
    people: int = getattr(bench.sizes, f"script_{milliseconds}ms")
    population = Population(number=6, people=people, stale=ORDINARY)
    found = plain_script(bench, population, threads=1, latency=milliseconds / 1000)
    return {f"script_{milliseconds}ms: theirs": found}


def _threads(milliseconds: int, bench: Bench) -> dict[str, float]:
    population = Population(number=6, people=bench.sizes.threads, stale=ORDINARY)
    found = plain_script(bench, population, threads=bench.threads, latency=milliseconds / 1000)
    return {f"threads_{milliseconds}ms: theirs": found}


def _pool(bench: Bench) -> dict[str, float]:
    population = Population(number=5, people=bench.sizes.worked // 2, stale=ORDINARY)
    return worked(bench, "celery: ours", population, latency=_COMMON / 1000)


def _celery(bench: Bench) -> dict[str, float]:
    population = Population(number=6, people=bench.sizes.celery, stale=ORDINARY)
    found = celery(bench, population, processes=PROCESSES, threads=bench.threads, latency=_COMMON / 1000)
    return {"celery: theirs": found}


def _group(milliseconds: int) -> Group:
    name, threads = f"script_{milliseconds}ms", f"threads_{milliseconds}ms"
    return Group(
        name=name,
        figures=(
            Figure(
                name=name,
                ours=f"{name}: ours",
                theirs=f"{name}: theirs",
                unit="users/s",
                at_least=20 if milliseconds == _COMMON else 1,
                against=f"a sequential script, {milliseconds} ms of latency; ours one process",
            ),
            Figure(
                name=threads,
                ours=f"{name}: ours",
                theirs=f"{threads}: theirs",
                unit="users/s",
                at_least=1,
                against=f"the script in a pool of as many threads, {milliseconds} ms of latency",
            ),
        ),
        sides=tuple(partial(side, milliseconds) for side in (_ours, _script, _threads)),
    )


SCRIPTS: Final = tuple(map(_group, LATENCIES))

CELERY: Final = Group(
    name="celery",
    figures=(
        Figure(
            name="celery",
            ours="celery: ours",
            theirs="celery: theirs",
            unit="users/s",
            at_least=1.5,
            against="Celery, 20 ms of latency, same processes and threads",
        ),
    ),
    sides=(_pool, _celery),
)
