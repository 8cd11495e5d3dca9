"""Counts HTTP requests to Graph and Skolon for each 1,000 users of a kind."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from bench.benchmarks.figure import Group
from bench.benchmarks.throughput import PROCESSES, check
from bench.environment import product_environment
from bench.stubs.users import Population

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.context import Bench

#: The prefix of values that count requests.
PREFIX: Final = "requests"

#: Each kind of user, and whether birthdays are read.
_KINDS: Final[dict[str, tuple[dict[str, Any], bool]]] = {
    "unchanged": ({}, False),
    "changed": ({"stale": 100}, False),
    "not_found": ({"absent": 100}, False),
    "unchanged_with_birthdays": ({}, True),
}


def count_requests(kind: str, bench: Bench) -> dict[str, float]:
    """Sync users of a kind and return the requests for each 1,000 of them, by service and kind of request.

    Raises BenchError unless every user has the expected outcome.
    """
    fields, birthdays = _KINDS[kind]
    population = Population(number=10, people=bench.sizes.requests, **fields)
    bench.stand_ins.prepare(population)
    with product_environment(bench) as place, place.producer(), place.workers("--processes", str(PROCESSES)):
        place.add(population, birthdays=birthdays)
        place.trigger(population)
        run = place.completed(population)
        asked = bench.stand_ins.requests()
        check(bench, place, population, run.number)
    return {
        f"{PREFIX}: {kind}: {service}: {what}": 1000 * count / population.people
        for service, counts in asked.items()
        for what, count in sorted(counts.items())
        if what != "user in batch"
    }


def nested(values: Mapping[str, float]) -> dict[str, dict[str, dict[str, float]]]:
    """Return the requests among all values, by kind of user, service and kind of request."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name, value in values.items():
        if name.startswith(f"{PREFIX}: "):
            _, kind, service, what = name.split(": ")
            found.setdefault(kind, {}).setdefault(service, {})[what] = round(value, 1)
    return found


REQUESTS: Final = Group(
    name=PREFIX, figures=(), sides=tuple(partial(count_requests, kind) for kind in _KINDS), rounds=1
)
