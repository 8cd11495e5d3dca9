"""Says what is known of sources that `tenants set` has changed, how to try them, and how to go back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from administration.tenants.mapping.source_changes import titles
from cli.output import echo
from schemas.users.attributes import ATTRIBUTE_TABLE

if TYPE_CHECKING:
    from administration.tenants.mapping.source_changes import SourceChange


def print_source_change(change: SourceChange, tenant: str) -> None:
    """Print it on standard error."""
    if not change.before:
        return
    if change.preview is None:
        echo(
            f"Warning: nothing has tried the sources of {titles(change)} so far. See before the next run for "
            f"how many users they give no value: update-sync tenants preview {tenant}",
            err=True,
        )
    elif change.lost:
        echo(f"Warning: run {change.preview}, a preview, tried these sources.", *change.lost, err=True)
    if change.kept is not None and change.kept.users:
        for name in change.before:
            lacked = change.kept.attributes[name]
            echo(
                f"By the sources before, {lacked} of {change.kept.users} users had no value of "
                f"{ATTRIBUTE_TABLE[name].title} (run {change.last_run}).",
                err=True,
            )
    back = " ".join(f"--source {name}={','.join(sources)}" for name, sources in change.before.items())
    echo(f"To go back: update-sync tenants set {tenant} {back}", err=True)
