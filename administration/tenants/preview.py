"""What a run with settings that need not be saved would do, and whether the guard would halt it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from administration.runs.details import RunDetails, details_of
from schemas.runs.totals.mapping_comparison import lost_attribute
from schemas.tenants.settings_override import override_differences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.runs.run import RunSummary
    from schemas.runs.totals.mapping_comparison import AttributeMapping
    from schemas.tenants.tenant import Tenant
    from schemas.users.attributes import Attribute
    from store.store import Store


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A finished dry run, and its settings that are not the saved ones.

    `mapping` says of each attribute where the values come from, and how that differs from the saved settings.
    """

    summary: RunSummary
    details: RunDetails
    mapping: Mapping[Attribute, AttributeMapping]
    settings: Mapping[str, tuple[Any, Any]]

    @property
    def succeeds(self) -> bool:
        """Whether the real run would complete without a dead letter, and no attribute is lost."""
        return self.summary.succeeded and not (self.would_halt or self.lost)

    @property
    def would_halt(self) -> tuple[str, ...]:
        """A sentence for each limit of the guard that the real run would exceed."""
        return self.details.guard.would_halt if self.details.guard else ()

    @property
    def lost(self) -> tuple[str, ...]:
        """A sentence for each attribute that would no longer be synced."""
        return tuple(lost_attribute(name, each) for name, each in self.mapping.items() if each.is_lost)

    def as_json(self) -> dict[str, Any]:
        """Return the run's object, with the settings added and what they change of the mapping."""
        return {
            **self.summary.as_json(),
            **self.details.as_json(),
            # It has ended: nothing keeps it from going on.
            "idle": [],
            "settings": {
                name: {"saved": saved, "preview": new} for name, (saved, new) in self.settings.items()
            },
            "mapping": {str(name): each.as_json() for name, each in self.mapping.items()},
            "no_longer_synced": [str(name) for name, each in self.mapping.items() if each.is_lost],
        }


def preview_of(summary: RunSummary, saved: Tenant, store: Store) -> Preview:
    """Return what a finished dry run found; `saved` are the tenant's own settings."""
    run = summary.run
    return Preview(
        summary=summary,
        details=details_of(summary, store),
        mapping=store.mapping_comparisons.for_run(run.id),
        settings=override_differences(saved, store.settings_overrides.settings(run)),
    )
