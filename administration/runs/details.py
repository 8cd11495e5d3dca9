"""What a run changes in which attribute, and what the guard kept it from doing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from administration.runs.guard_forecast import forecast_of_dry_run
from schemas.outcomes import OPEN_STATUSES, Mode, NotFoundReason, Outcome

if TYPE_CHECKING:
    from administration.runs.guard_forecast import GuardForecast
    from schemas.reports.forecast import RunForecast
    from schemas.runs.changes import ChangeCounts
    from schemas.runs.run import Run, RunSummary
    from schemas.runs.totals.failure_group import FailureGroup
    from schemas.runs.totals.run_undo import RunUndo
    from schemas.runs.totals.scope_change import ScopeChange
    from schemas.runs.totals.scope_exits import ScopeExits
    from store.store import Store


@dataclass(frozen=True, kw_only=True)
class RunDetails:
    """How many users a run changes in which attribute; `prospect` of a run that the guard has halted.

    `failures` are its dead letters by reason and attribute. Newer runs have settled `settled_later` of them:
    these need no person any more. `guard` is what the guard would say of the real run, of a dry run alone.
    `scope_exits` are the users that were synced before and that the scope leaves out, by the rule.
    `scope_change` compares a complete full run with the one before. `undos` have restored what it wrote, or
    are about to. `not_in_entra` are those of the users that the run names that Entra does not have.
    """

    changes: ChangeCounts
    prospect: RunForecast | None
    failures: tuple[FailureGroup, ...]
    scope_exits: tuple[ScopeExits, ...]
    scope_change: ScopeChange | None
    settled_later: int
    undos: tuple[RunUndo, ...]
    not_in_entra: tuple[str, ...] = ()
    guard: GuardForecast | None = None

    def can_be_undone(self, run: Run) -> bool:
        """Whether there is anything to undo, and no undo has done it for all users."""
        # A halted run may have changed users whose results are on their way.
        return (
            not run.dry_run
            and run.status not in OPEN_STATUSES
            and bool(self.changes.users)
            and not any(each.is_complete for each in self.undos)
        )

    def as_json(self) -> dict[str, Any]:
        """Return what is added to the contract's object."""
        return {
            "attributes": self.changes.as_json(),
            "failures": [group.as_json() for group in self.failures],
            "scope_exits": [each.as_json() for each in self.scope_exits],
            "scope_change": self.scope_change and self.scope_change.as_json(),
            "dead_letters_settled_later": self.settled_later,
            "undone_by": [undo.as_json() for undo in self.undos],
            "not_in_entra": list(self.not_in_entra),
            "guard": self.guard and self.guard.as_json(),
            "forecast": self.prospect and self.prospect.as_json(),
        }


def details_of(summary: RunSummary, store: Store) -> RunDetails:
    """Return a run's details as they are now."""
    run = summary.run
    changes = store.change_totals.for_run(run.id)
    exits = store.scope_exits.for_run(run.id)
    return RunDetails(
        changes=changes,
        prospect=store.forecasts.for_run(run.id),
        failures=store.failures.for_run(run.id),
        scope_exits=exits,
        scope_change=store.scope_changes.of_run(run),
        settled_later=store.replays.settled_later(run.id),
        undos=store.undo_records.undos_of(run.id),
        not_in_entra=_not_in_entra(run, store),
        guard=forecast_of_dry_run(summary, changes, exits, store) if run.dry_run else None,
    )


def _not_in_entra(run: Run, store: Store) -> tuple[str, ...]:
    """Return the users that a run names, and that Entra did not have."""
    if not run.users or run.mode is Mode.UNDO:
        return ()
    left_out = store.receipts.list(run.id, outcome=Outcome.OUT_OF_SCOPE, limit=len(run.users))
    return tuple(
        each.entra_id for each in left_out if each.not_found_reason is NotFoundReason.NO_LONGER_IN_ENTRA
    )
