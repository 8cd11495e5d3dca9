"""Estimates how long a night takes from measured rates: the sizing rule as code. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Seconds of one core that a user costs, with all servers on the machine included."""

    published: float
    unchanged: float
    changed: float
    #: Users that one producer thread publishes in a second: the pages of a tenant are read in sequence.
    published_a_second: float

    @classmethod
    def measured(cls, values: Mapping[str, float], cores: int) -> Self:
        """Return the costs from the bench's rates on a machine that ran nothing else."""
        return cls(
            published=cores / values["publish: ours"],
            unchanged=cores / values["unchanged: ours"],
            changed=cores / values["changed: ours"],
            published_a_second=values["publish: ours"],
        )


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The hardware: all cores, and the threads of all workers together."""

    cores: int
    threads: int


@dataclass(frozen=True, kw_only=True)
class ManyTenants:
    """The work: users by tenant, the share that has changed, Skolon's latency in seconds."""

    tenants: tuple[int, ...]
    changed: float
    latency: float

    @property
    def people(self) -> int:
        """The users of all tenants."""
        return sum(self.tenants)


def core_seconds(many_tenants: ManyTenants, costs: Costs) -> float:
    """Return the seconds of one core that a night costs."""
    each = (
        costs.published + (1 - many_tenants.changed) * costs.unchanged + many_tenants.changed * costs.changed
    )
    return many_tenants.people * each


def waited_seconds(many_tenants: ManyTenants) -> float:
    """Return the seconds for which threads wait for Skolon: one search a user, one PATCH if changed."""
    return many_tenants.people * (1 + many_tenants.changed) * many_tenants.latency


def seconds(many_tenants: ManyTenants, pool: Pool, costs: Costs) -> float:
    """Return how long a night takes, by its narrowest resource.

    The resources are the cores, the threads that wait for Skolon, and the pages of the largest tenant.
    """
    return max(
        core_seconds(many_tenants, costs) / pool.cores,
        waited_seconds(many_tenants) / pool.threads,
        max(many_tenants.tenants) / costs.published_a_second,
    )


def pool_for(many_tenants: ManyTenants, costs: Costs, within: float) -> Pool:
    """Return the smallest pool that completes a night within that many seconds."""
    cores = core_seconds(many_tenants, costs) / within
    threads = waited_seconds(many_tenants) / within
    return Pool(cores=max(1, -int(-cores // 1)), threads=max(1, -int(-threads // 1)))


def municipalities(count: int, people: int) -> tuple[int, ...]:
    """Return sizes of that many tenants and users: a few large tenants, many small ones.

    The n-th has a share that falls with n as Swedish municipalities' do, roughly as 1/(n + 5).
    """
    weights = [1 / (number + 5) for number in range(1, count + 1)]
    whole = sum(weights)
    sizes = [max(1, int(people * weight / whole)) for weight in weights]
    sizes[0] += people - sum(sizes)
    return tuple(sizes)
