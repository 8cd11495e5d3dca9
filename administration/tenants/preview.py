"""What a run with settings that need not be saved would do, and whether the guard would halt it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from administration.runs.details import RunDetails, details_of
from administration.tenants.mapping.proposals import proposals
from administration.tenants.settings_check import lost_match_keys
from schemas.runs.totals.mapping_comparison import lost_attribute
from schemas.tenants.settings_override import apply_override, override_differences

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from administration.tenants.mapping.proposals import Proposal
    from schemas.runs.run import RunSummary
    from schemas.runs.totals.mapping_comparison import AttributeMapping
    from schemas.runs.totals.source_facts import SourceFacts
    from schemas.tenants.tenant import Tenant
    from schemas.users.attributes import Attribute
    from store.store import Store


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A finished dry run, and its settings that are not the saved ones.

    `mapping` says of each attribute where the values come from, and how that differs from the saved settings.
    `source_facts` say what each property of Entra holds, and `proposals` which one would fit better.
    `match_keys` are the saved ones; `keys_given_up` are those that the settings leave out, or give no source.
    """

    summary: RunSummary
    details: RunDetails
    mapping: Mapping[Attribute, AttributeMapping]
    settings: Mapping[str, tuple[Any, Any]]
    source_facts: SourceFacts
    proposals: Mapping[Attribute, Proposal]
    match_keys: Sequence[Attribute]
    keys_given_up: Sequence[Attribute]

    @property
    def lost_match_keys(self) -> tuple[Attribute, ...]:
        """The match keys by which the settings would find no user any more: without a source, or a value."""
        without_value = [key for key in self.match_keys if key in self.mapping and self.mapping[key].is_lost]
        return tuple(dict.fromkeys([*self.keys_given_up, *without_value]))

    @property
    def succeeds(self) -> bool:
        """Whether the real run would complete without a dead letter, and most users keep each attribute."""
        return self.summary.succeeded and not (self.would_halt or self.lost)

    @property
    def would_halt(self) -> tuple[str, ...]:
        """A sentence for each limit of the guard that the real run would exceed."""
        return self.details.guard.would_halt if self.details.guard else ()

    @property
    def lost(self) -> tuple[str, ...]:
        """A sentence for each attribute that would no longer be synced, or not for most users."""
        return tuple(lost_attribute(name, each) for name, each in self.mapping.items() if each.is_mostly_lost)

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
            "source_facts": self.source_facts.as_json(),
            "proposals": [each.as_json() for each in self.proposals.values()],
            "mapping": {str(name): each.as_json() for name, each in self.mapping.items()},
            "lost_match_keys": [str(key) for key in self.lost_match_keys],
            "lost_by_most": [str(name) for name, each in self.mapping.items() if each.is_mostly_lost],
            "no_longer_synced": [str(name) for name, each in self.mapping.items() if each.is_lost],
        }


def preview_of(summary: RunSummary, saved: Tenant, store: Store) -> Preview:
    """Return what a finished dry run found; `saved` are the tenant's own settings."""
    run = summary.run
    settings = store.settings_overrides.settings(run)
    facts, tried = store.source_facts.for_run(run.id), apply_override(saved, settings)
    return Preview(
        summary=summary,
        details=details_of(summary, store),
        mapping=store.mapping_comparisons.for_run(run.id),
        source_facts=facts,
        proposals=proposals(facts, tried.sources),
        settings=override_differences(saved, settings),
        match_keys=saved.match_keys,
        keys_given_up=lost_match_keys(tried, saved),
    )
