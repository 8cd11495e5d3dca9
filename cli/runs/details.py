"""What a run's sums do not say: which attributes changed, and what the guard has kept it from doing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.output import echo, print_fields, print_table
from schemas.outcomes import FINAL_OUTCOMES
from schemas.runs.changes import IDENTITY_ATTRIBUTES, ChangeCounts, ChangeKind
from schemas.users.attributes import ATTRIBUTE_TABLE

if TYPE_CHECKING:
    from schemas.reports.forecast import RunForecast
    from store.store import Store


@dataclass(frozen=True, kw_only=True)
class RunDetails:
    """How many people a run changes in which attribute; `prospect` of a run that the guard has halted."""

    changes: ChangeCounts
    prospect: RunForecast | None

    def as_json(self) -> dict[str, Any]:
        """Return what is added to the contract's object."""
        prospect = {} if self.prospect is None else self.prospect.as_json()
        return {"attributes": self.changes.as_json(), **prospect}

    def print(self) -> None:
        """Print it, under the run's sums."""
        if self.changes.attributes:
            echo()
            print_changes(self.changes)
        if self.prospect is not None:
            echo()
            _print_prospect(self.prospect)


def details_of(run_id: int, store: Store) -> RunDetails:
    """Return a run's details as they are now."""
    return RunDetails(changes=store.changes_made.of(run_id), prospect=store.prospects.of(run_id))


def print_changes(changes: ChangeCounts) -> None:
    """Print how many people change in each attribute, those that are part of an identity marked."""
    rows = [
        (
            f"{row.title}{' (identity)' if row.attribute in IDENTITY_ATTRIBUTES else ''}",
            *(changes.attributes[row.attribute].get(kind, 0) for kind in ChangeKind),
        )
        for row in ATTRIBUTE_TABLE.values()
        if row.attribute in changes.attributes
    ]
    print_table(("attribute", *map(str, ChangeKind)), rows)


def _print_prospect(prospect: RunForecast) -> None:
    echo("The guard has halted the run. It would have gone on to do at least this:")
    ordered = [name for name in FINAL_OUTCOMES if name in prospect.outcomes]
    fields: dict[str, object] = {f"  {name}": prospect.outcomes[name] for name in ordered}
    # Right under the dead letters, which are the last of the outcomes.
    fields |= {f"    {reason}": count for reason, count in sorted(prospect.reasons.items())}
    fields["  not looked at"] = prospect.not_evaluated
    fields["  not read"] = "unknown" if prospect.not_listed is None else prospect.not_listed
    print_fields(fields)
    if prospect.changes.attributes:
        echo()
        print_changes(prospect.changes)
