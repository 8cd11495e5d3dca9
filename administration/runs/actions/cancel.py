"""Cancels runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from administration.hub.actions import carry_out
from schemas.errors import UsageError
from schemas.hub.action import Action, ActionRefusal, ActionRefusedError
from schemas.hub.session import AuditKind

if TYPE_CHECKING:
    from schemas.hub.action import Submission
    from schemas.runs.run import Run
    from store.store import Store


def cancel_run(run: int, *, store: Store) -> None:
    """Cancel a run that is open or halted: users without an outcome stay as they are.

    Raises `UsageError` for one that has ended.
    """
    status = store.runs.get(run).status
    if not store.runs.cancel(run):
        raise UsageError(f"Run {run} has ended already: {status}.")


def cancel_run_once(run: Run, submission: Submission, *, store: Store) -> None:
    """Cancel a run, once for each key of a submission; raises as `carry_out` does."""
    action = Action(kind=AuditKind.RUN_CANCELLED, tenant=run.tenant, key=submission.key, run=run.id)

    def cancel() -> dict[str, str]:
        try:
            cancel_run(run.id, store=store)
        except UsageError as error:
            raise ActionRefusedError(ActionRefusal.ENDED, str(error)) from None
        return {"run": str(run.id)}

    carry_out(action, submission.actor, cancel, store=store)
