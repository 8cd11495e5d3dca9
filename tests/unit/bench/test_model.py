"""The model of a night: what it foretells follows from what was measured."""

from __future__ import annotations

import pytest

from bench.model import (
    Costs,
    ManyTenants,
    Pool,
    core_seconds,
    municipalities,
    pool_for,
    seconds,
    waited_seconds,
)

MEASURED = {"publish: ours": 4000.0, "unchanged: ours": 1000.0, "changed: ours": 500.0}
COSTS = Costs.measured(MEASURED, cores=2)


def many_tenants(latency: float, changed: float = 0.0) -> ManyTenants:
    return ManyTenants(tenants=(6000, 4000), changed=changed, latency=latency)


def test_costs_are_cores_by_rates() -> None:
    """A machine of two cores that does 1,000 a second spends two milliseconds of a core on each."""
    assert (COSTS.published, COSTS.unchanged, COSTS.changed) == (0.0005, 0.002, 0.004)


def test_what_was_measured_is_foretold() -> None:
    """Ten thousand unchanged people on that same machine take publishing and working off together."""
    assert seconds(many_tenants(0.0), Pool(cores=2, threads=16), COSTS) == pytest.approx(10_000 / 4000 + 10)


def test_the_cost_grows_with_people_and_changes() -> None:
    """Twice the people cost twice as much, and a changed person more than an unchanged one."""
    whole = core_seconds(many_tenants(0.0), COSTS)
    assert core_seconds(ManyTenants(tenants=(20_000,), changed=0.0, latency=0.0), COSTS) == pytest.approx(
        2 * whole
    )
    assert core_seconds(many_tenants(0.0, changed=0.5), COSTS) == pytest.approx(whole + 5000 * 0.002)


def test_latency_costs_threads_and_not_cores() -> None:
    """At 100 ms a search and, for a changed person, a PATCH are waited for; twice the threads halve it."""
    slow = many_tenants(0.1, changed=0.5)
    assert waited_seconds(slow) == pytest.approx(10_000 * 1.5 * 0.1)
    assert seconds(slow, Pool(cores=64, threads=10), COSTS) == pytest.approx(150)
    assert seconds(slow, Pool(cores=64, threads=20), COSTS) == pytest.approx(75)


def test_one_tenant_is_read_page_after_page() -> None:
    """However large the pool, the largest tenant's pages come one after the other."""
    assert seconds(many_tenants(0.0), Pool(cores=1000, threads=10_000), COSTS) == pytest.approx(6000 / 4000)


def test_the_pool_that_it_names_is_enough() -> None:
    """The sizing rule and the model agree: that pool gets through in time, and one core less does not."""
    wanted = many_tenants(0.05, changed=0.05)
    pool = pool_for(wanted, COSTS, within=10)
    assert seconds(wanted, pool, COSTS) <= 10
    assert seconds(wanted, Pool(cores=pool.cores - 1, threads=pool.threads), COSTS) > 10
    assert seconds(wanted, Pool(cores=pool.cores, threads=pool.threads - 1), COSTS) > 10


def test_municipalities_are_a_few_large_ones_and_many_small_ones() -> None:
    """The sizes fall, and rounding loses no user."""
    sizes = municipalities(290, 2_000_000)
    assert (len(sizes), sum(sizes)) == (290, 2_000_000)
    assert list(sizes) == sorted(sizes, reverse=True)
    assert min(sizes) > 1000
