"""A preview as people read it: what would become of everybody, and what the guard would say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.output import echo, print_json, print_table
from cli.runs.details import RunDetails, details_of, print_changes
from schemas.outcomes import FINAL_OUTCOMES, Outcome
from schemas.runs.changes import GuardCounts
from schemas.safe_text import one_line
from schemas.tenants.settings_override import apply_override, override_differences
from workers.rules.guard import violations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.runs.run import RunSummary
    from schemas.tenants.tenant import Tenant
    from store.store import Store


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A run that tried settings, what these change, and which limits the real run would pass."""

    summary: RunSummary
    details: RunDetails
    settings: Mapping[str, tuple[Any, Any]]
    counts: GuardCounts
    people: int | None
    would_halt: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Whether the real run would complete with nobody a dead letter."""
        return self.summary.succeeded and not self.would_halt

    def as_json(self) -> dict[str, Any]:
        """Return the contract's object of the run, and what is added to it."""
        return {
            **self.summary.as_json(),
            **self.details.as_json(),
            "settings": {
                name: {"saved": saved, "preview": new} for name, (saved, new) in self.settings.items()
            },
            "guard": {
                "counts": self.counts.as_json(),
                "directory_size": self.people,
                "would_halt": list(self.would_halt),
            },
        }


def preview_of(summary: RunSummary, saved: Tenant, store: Store) -> Preview:
    """Return what a run that tried settings has found out."""
    run, details = summary.run, details_of(summary.run.id, store)
    trial = store.trials.settings(run)
    counts = GuardCounts(
        changed=details.changes.users,
        identity_changed=details.changes.identity,
        not_found=summary.counts.get(Outcome.NOT_FOUND, 0),
    )
    people = store.guards.everybody(run.id)
    return Preview(
        summary=summary,
        details=details,
        settings=override_differences(saved, trial),
        counts=counts,
        people=people,
        would_halt=tuple(violations(apply_override(saved, trial).guard, counts, lambda: people)),
    )


def show_preview(preview: Preview, *, wants_json: bool) -> None:
    """Print a preview."""
    if wants_json:
        print_json(preview.as_json())
        return
    summary = preview.summary
    run = summary.run
    echo(f"Preview of {run.tenant}, as run {run.id}: {run.status}. Nothing has been changed.")
    if run.cause is not None:
        echo(f"{run.cause}: {one_line(run.detail)}")
    if preview.settings:
        echo("", "Tried, and not saved:")
    for name, (saved, new) in preview.settings.items():
        echo(f"  {name}: {_said(new)}", f"      saved: {_said(saved)}")
    echo()
    print_table(("outcome", "people"), _outcomes(summary))
    if preview.details.changes.attributes:
        echo("", "People whose attribute would be")
        print_changes(preview.details.changes)
    echo()
    for excess in preview.would_halt:
        echo(f"The guard would halt the real run: {excess}")
    if not preview.would_halt:
        echo("The guard would let the real run through.")


def _outcomes(summary: RunSummary) -> list[tuple[str, int]]:
    rows = [(str(name), count) for name in FINAL_OUTCOMES if (count := summary.counts.get(name, 0))]
    rows += [(f"  {reason}", count) for reason, count in sorted(summary.reasons.items())]
    return [*rows, ("pending", summary.pending)] if summary.pending else rows


def _said(value: Any) -> str:
    """Return a setting's value as one would write it."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value) or "nothing"
    if isinstance(value, list):
        return ", ".join(f"{each['source']}={each['equals']}" for each in value) or "nobody"
    if isinstance(value, dict):
        return f"{value['count']} and {value['share']:.0%}"
    return {True: "yes", False: "no", None: "none"}.get(value, one_line(value))
