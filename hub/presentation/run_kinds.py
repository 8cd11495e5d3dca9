"""What a run is, and how far it is, in a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import gettext, ngettext

from hub.presentation.words import KINDS, STATUSES
from schemas.outcomes import RunKind, Status

if TYPE_CHECKING:
    from schemas.runs.run import Run


def kind_text(run: Run) -> str:
    """Return a run's kind, how many users it names, and for an undo the run that it undoes."""
    if run.reverts_run_id is not None:
        text = gettext("Undo of run %(run)s", run=run.reverts_run_id)
        return f"{text} ({KINDS[RunKind.PREVIEW]})" if run.kind is RunKind.PREVIEW else str(text)
    if run.kind is RunKind.USERS:
        return str(ngettext("%(num)d named user", "%(num)d named users", len(run.users)))
    return str(KINDS[run.kind])


def status_text(run: Run) -> str:
    """Return how far a run is; one that is a preview or a dry run changes nothing in Skolon."""
    if run.dry_run and run.status is Status.UPDATING:
        return str(gettext("Comparing with Skolon"))
    return str(STATUSES[run.status])
