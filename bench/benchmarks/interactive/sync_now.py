"""Measures how long the sync of one user takes, from its request on, while thousands of others wait."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Final

from bench.benchmarks.figure import Figure, Group
from bench.benchmarks.throughput import ORDINARY, PROCESSES
from bench.environment import product_environment
from bench.measures import BenchError
from bench.stubs.users import Population, entra_id

if TYPE_CHECKING:
    from bench.context import Bench
    from bench.environment import ProductEnvironment

_LATENCY: Final = 0.02
#: Users that are synced, one after the other; a small measurement has one for each thousand that wait.
_TIMES: Final = 20
_WAITING_FOR_EACH: Final = 1_000
#: Seconds that a person waits for one user at most.
_WANTED: Final = 5.0
#: Users that are queued beside those that are to wait, for each that is synced: the workers go on meanwhile.
_WORKED_OFF: Final = 3_000


def sync_now(bench: Bench) -> dict[str, float]:
    """Sync single users of a tenant whose run is open, and of another tenant, in turn.

    Raises BenchError if at the end of any fewer users wait than the figure says.
    """
    waiting = bench.sizes.sync_now
    times = min(_TIMES, max(2, waiting // _WAITING_FOR_EACH))
    busy = Population(number=230, people=waiting + times * _WORKED_OFF, stale=ORDINARY)
    other = Population(number=231, people=100, stale=100)
    bench.stand_ins.prepare(busy, other, latency=_LATENCY, graph_latency=_LATENCY)
    took: dict[str, list[float]] = {"own": [], "other": []}
    with product_environment(bench) as place, place.producer():
        place.add(busy)
        place.add(other)
        place.trigger(busy)
        full = place.published(busy).number
        with place.workers("--processes", str(PROCESSES)):
            # Not the start of the processes is measured.
            place.wait(lambda: place.finish_times_of(full), "the first outcome")
            for number in range(times):
                tenant, side = (busy, "own") if number % 2 == 0 else (other, "other")
                # Those at the end of the list still wait.
                user = entra_id(tenant.number, tenant.people - 1 - number)
                took[side].append(_seconds(place, tenant, user))
                if place.pending(full) < waiting:
                    raise BenchError(f"fewer than {waiting:,} users wait after {number + 1} users")
    both = [*took["own"], *took["other"]]
    return {
        "sync-now: median": statistics.median(both),
        "sync-now: longest": max(both),
        "sync-now: median of the tenant whose run is open": statistics.median(took["own"]),
        "sync-now: median of another tenant": statistics.median(took["other"]),
        "sync-now: wanted": _WANTED,
    }


def _seconds(place: ProductEnvironment, tenant: Population, user: str) -> float:
    before = place.run(tenant)
    began = time.monotonic()
    place.trigger(tenant, users=[user])
    place.completed(tenant, after=0 if before is None else before.number)
    return time.monotonic() - began


def _figure(name: str, value: str) -> Figure:
    return Figure(
        name=name,
        ours=f"sync-now: {value}",
        theirs="sync-now: wanted",
        unit="s",
        at_most=1,
        against=f"what a person waits for; {value} of {_TIMES} users, 20 ms of latency",
    )


SYNC_NOW: Final = Group(
    name="sync-now",
    figures=(_figure("sync-now", "median"), _figure("sync-now-longest", "longest")),
    sides=(sync_now,),
    rounds=1,
)
