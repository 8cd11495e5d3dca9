"""What a run counts for the guard, and which of its limits it would exceed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.outcomes import Outcome
from schemas.runs.changes import GuardCounts
from schemas.tenants.settings_override import apply_override
from workers.rules.guard import violations

if TYPE_CHECKING:
    from schemas.runs.changes import ChangeCounts
    from schemas.runs.run import RunSummary
    from schemas.tenants.tenant import Guard
    from store.store import Store


@dataclass(frozen=True, kw_only=True)
class GuardForecast:
    """What a run counts, how many users its limits' shares are of, and a sentence for each exceeded limit.

    `directory_size` is None if it is not known: then no share of it is exceeded.
    """

    counts: GuardCounts
    directory_size: int | None
    would_halt: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "counts": self.counts.as_json(),
            "directory_size": self.directory_size,
            "would_halt": list(self.would_halt),
        }


def guard_forecast(guard: Guard, counts: GuardCounts, directory_size: int | None) -> GuardForecast:
    """Compare what a run counts with a tenant's limits."""
    exceeded = tuple(violations(guard, counts, lambda: directory_size))
    return GuardForecast(counts=counts, directory_size=directory_size, would_halt=exceeded)


def forecast_of_dry_run(summary: RunSummary, changes: ChangeCounts, store: Store) -> GuardForecast:
    """Return what the guard would say of the real run, with the settings that the dry run has."""
    run = summary.run
    tenant = store.tenants.outline(run.tenant)
    if run.settings_override is not None:
        tenant = apply_override(tenant, store.settings_overrides.settings(run))
    counts = GuardCounts(
        changed=changes.users,
        identity_changed=changes.identity,
        not_found=summary.counts.get(Outcome.NOT_FOUND, 0),
        failed=summary.counts.get(Outcome.DEAD_LETTERED, 0),
    )
    return guard_forecast(tenant.guard, counts, store.guard_counters.directory_size(run.id))
