"""Prints undos that failed for users, and how a person decides about such a user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.output import echo, print_table
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import as_detail, texts_of
from schemas.reports.remedies import remedy_for
from schemas.reports.remedy import Language
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.tenants.match_decision import FailedUndo


def print_failed_undos(found: Sequence[FailedUndo], tenant: str) -> None:
    """Print the users for whom an undo failed, why, and how to decide."""
    if not found:
        return
    users = "1 user" if len(found) == 1 else f"{len(found)} users"
    echo("", f"An undo failed for {users}. Nothing is written for them before you decide.")
    rows = [
        (
            each.entra_id,
            each.skolon_id,
            each.run,
            each.undo_run,
            timestamp(each.failed_at),
            *texts_of(each.detail or "").values(),
        )
        for each in found
    ]
    details = (f"detail ({language})" for language in Language)
    print_table(("user", "skolon user", "undone run", "undo", "since", *details), rows)
    for language in Language:
        echo(f"{Reason.UNDO_FAILED} ({language}): {remedy_for(Reason.UNDO_FAILED).texts[language].fix}")
    one = found[0] if len(found) == 1 else None
    print_ways_out(
        tenant,
        user=one.entra_id if one else "USER",
        skolon_id=(one and one.skolon_id) or "SKOLON_USER",
        run=str(one.run) if one else "UNDONE_RUN",
    )


def undo_again(detail: str | None, tenant: str | None, user: str) -> dict[str, object]:
    """Return, as fields, the commands for a user for whom an undo failed; the detail names the undone run."""
    fields: dict[str, object] = {"compare": f"update-sync matches show {tenant} {user}"}
    run = as_detail(detail or "").parameters.get("run")
    if run is not None:
        fields["undo again"] = f"update-sync runs undo {run} --user {user}"
    return fields


def print_ways_out(tenant: str, *, user: str, skolon_id: str, run: str) -> None:
    """Print the commands that end the wait of a user for whom an undo failed."""
    echo(
        "To undo again, once Skolon is corrected:",
        f"  update-sync runs undo {run} --user {user}",
        "Or to decide:",
        f"  update-sync matches ignore {tenant} --user {user}    leaves this Entra user alone",
        f"  update-sync matches link {tenant} {user} {skolon_id}    this Entra user is that Skolon user",
        f"  update-sync matches forget {tenant} --user {user}    the next run matches this Entra user anew",
    )
