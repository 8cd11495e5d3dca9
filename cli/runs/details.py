"""Prints what a run changes in which attribute, and what the guard kept it from doing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.output import echo, print_fields, print_table
from schemas.outcomes import FINAL_OUTCOMES
from schemas.runs.changes import IDENTITY_ATTRIBUTES, ChangeKind
from schemas.users.attributes import ATTRIBUTE_TABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from administration.runs.details import RunDetails
    from administration.runs.guard_forecast import GuardForecast
    from schemas.reports.forecast import RunForecast
    from schemas.runs.changes import ChangeCounts
    from schemas.runs.totals.failure_group import FailureGroup
    from schemas.runs.totals.scope_exits import ScopeExits


def print_details(details: RunDetails, *, cancelled: bool) -> None:
    """Print a run's details, under its totals; `cancelled` of a run that was halted before."""
    if details.changes.attributes:
        echo()
        print_changes(details.changes)
    if any(group.attributes for group in details.failures):
        echo()
        print_failures(details.failures)
    if details.scope_exits:
        echo()
        print_scope_exits(details.scope_exits)
    if details.prospect is not None:
        echo()
        _print_prospect(details.prospect, cancelled=cancelled)
    if details.guard is not None:
        echo()
        print_guard(details.guard)


def print_guard(guard: GuardForecast) -> None:
    """Print whether the guard would halt the real run."""
    for excess in guard.would_halt:
        echo(f"The guard would halt the real run: {excess}")
    if not guard.complete:
        echo("Whether the guard would halt the real run is not known: this one has not looked at all users.")
    elif not guard.would_halt:
        echo("The guard would not halt the real run.")


def print_changes(changes: ChangeCounts) -> None:
    """Print how many users change in each attribute; those that are part of an identity are marked."""
    rows = [
        (
            f"{row.title}{' (identity)' if row.attribute in IDENTITY_ATTRIBUTES else ''}",
            *(changes.attributes[row.attribute].get(kind, 0) for kind in ChangeKind),
        )
        for row in ATTRIBUTE_TABLE.values()
        if row.attribute in changes.attributes
    ]
    print_table(("attribute", *map(str, ChangeKind)), rows)


def print_failures(groups: Sequence[FailureGroup]) -> None:
    """Print how many users failed for which reason, by the attributes that were not written."""
    rows = [
        (
            group.reason,
            ", ".join(ATTRIBUTE_TABLE[each].title for each in group.attributes) or "-",
            group.users,
        )
        for group in sorted(groups, key=lambda group: (group.reason, -group.users))
    ]
    print_table(("failed for", "attributes not written", "users"), rows)


def print_scope_exits(exits: Sequence[ScopeExits]) -> None:
    """Print how many users were synced before and are left out now, and by which rules."""
    users = sum(each.users for each in exits)
    echo(f"Users that were synced before and that the scope leaves out now: {users}")
    print_fields({f"  {each.rule}": each.users for each in exits})


def _print_prospect(prospect: RunForecast, *, cancelled: bool) -> None:
    halted = (
        "The run is cancelled; the guard had halted it." if cancelled else "The guard has halted the run."
    )
    if not prospect.outcomes:
        echo(f"{halted} {_unseen_text(prospect, cancelled=cancelled)}")
        return
    echo(f"{halted} It would have gone on to do at least this:")
    ordered = [name for name in FINAL_OUTCOMES if name in prospect.outcomes]
    fields: dict[str, object] = {f"  {name}": prospect.outcomes[name] for name in ordered}
    # Under the dead letters, which are the last of the outcomes.
    fields |= {f"    {reason}": count for reason, count in sorted(prospect.reasons.items())}
    if prospect.not_evaluated:
        # Workers go on to look at users that are published already, also after the halt.
        name = "  not evaluated" if cancelled else "  not evaluated so far"
        fields[name] = prospect.not_evaluated
    if prospect.not_listed != 0:
        fields["  not listed"] = "unknown" if prospect.not_listed is None else prospect.not_listed
    print_fields(fields)
    if prospect.changes.attributes:
        echo()
        print_changes(prospect.changes)


def _unseen_text(prospect: RunForecast, *, cancelled: bool) -> str:
    """Return how many users a halted run has not come to, if nothing is known of what it would do to them."""
    left = prospect.not_evaluated
    read = "1 user that it has read has" if left == 1 else f"{left} users that it has read have"
    so_far = "" if cancelled else " so far"
    parts = [f"{read} no outcome, and it is not known{so_far} what it would do."] if left else []
    if prospect.not_listed is None:
        parts.append("How many users it has not read is unknown.")
    elif prospect.not_listed:
        parts.append(f"It has not read {prospect.not_listed} users.")
    return " ".join(parts) or "All its users have an outcome: there was nothing left to do."
