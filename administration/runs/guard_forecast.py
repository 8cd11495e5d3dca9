"""What a run counts for the guard, and which of its limits it would exceed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.details.detail import Detail, structured_json
from schemas.outcomes import Outcome, Status
from schemas.runs.changes import GuardCounts
from schemas.tenants.settings_override import apply_override
from workers.rules.guard import violations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.runs.changes import ChangeCounts
    from schemas.runs.run import RunSummary
    from schemas.runs.totals.scope_exits import ScopeExits
    from schemas.tenants.tenant import Guard
    from store.store import Store


@dataclass(frozen=True, kw_only=True)
class GuardForecast:
    """What a run counts, how many users its limits' shares are of, and a sentence for each exceeded limit.

    `synced_before` is how many users earlier runs have synced, of which the share of users is that left the
    scope. Each is None if it is not known: then no share of it is exceeded. `complete` says whether all users
    were counted: a dry run that goes on, or was cancelled, has not come to all.
    """

    counts: GuardCounts
    directory_size: int | None
    synced_before: int | None
    would_halt: tuple[Detail, ...]
    complete: bool = True

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "counts": self.counts.as_json(),
            "directory_size": self.directory_size,
            "synced_before": self.synced_before,
            "complete": self.complete,
            "would_halt": list(self.would_halt),
            "structured_would_halt": [structured_json(each) for each in self.would_halt],
        }


def guard_forecast(
    guard: Guard, counts: GuardCounts, directory_size: int | None, synced_before: int | None = None
) -> GuardForecast:
    """Compare what a run counts with a tenant's limits."""
    exceeded = tuple(violations(guard, counts, lambda: directory_size, lambda: synced_before))
    return GuardForecast(
        counts=counts, directory_size=directory_size, synced_before=synced_before, would_halt=exceeded
    )


def forecast_of_dry_run(
    summary: RunSummary, changes: ChangeCounts, exits: Sequence[ScopeExits], store: Store
) -> GuardForecast:
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
        left_scope=sum(each.users for each in exits),
    )
    counters = store.guard_counters
    forecast = guard_forecast(
        tenant.guard, counts, counters.directory_size(run.id), counters.synced_before(run.id)
    )
    return dataclasses.replace(forecast, complete=run.status is Status.COMPLETED)
