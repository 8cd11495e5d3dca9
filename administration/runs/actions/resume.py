"""What it means to resume a halted run, and the resuming."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from administration.hub.actions import carry_out
from producers.resume import resume_run
from schemas.errors import UsageError
from schemas.hub.action import Action, ActionRefusal, ActionRefusedError
from schemas.hub.session import AuditKind
from schemas.outcomes import ENDED_STATUSES, OPEN_STATUSES, QUESTION_CAUSES, Cause, Mode, Status

if TYPE_CHECKING:
    from queues.interfaces import Publisher
    from schemas.hub.action import Submission
    from schemas.runs.run import Run, RunSummary
    from store.store import Store


@dataclass(frozen=True, kw_only=True)
class ResumePlan:
    """A halted run, and what resuming it means.

    `settled` users have an outcome and keep it. A run with a question goes on only if its guard is overridden
    (`needs_answer`). `has_other_settings` says that the tenant's settings have changed since it started.
    """

    summary: RunSummary
    settled: int
    needs_answer: bool
    has_other_settings: bool

    @property
    def is_halted(self) -> bool:
        """Whether the run can be resumed."""
        return self.summary.run.status is Status.HALTED


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was said to a halted run: that it may exceed the guard's limits, and that its settings are old."""

    override_guard: bool = False
    accepts_other_settings: bool = False


def plan_resume(summary: RunSummary, *, store: Store) -> ResumePlan:
    """Return what it means to resume a run as it is now."""
    return ResumePlan(
        summary=summary,
        settled=summary.published - summary.pending,
        needs_answer=_needs_answer(summary),
        has_other_settings=has_other_settings(summary.run, store=store),
    )


def has_other_settings(run: Run, *, store: Store) -> bool:
    """Say whether the tenant's settings have changed since a run started; an undo does not go by them."""
    return run.mode is not Mode.UNDO and store.tenants.changed_at(run.tenant) > run.started


def resume_run_once(
    run: Run, answer: Answer, submission: Submission, *, store: Store, publisher: Publisher
) -> None:
    """Resume a halted run, once for each key of a submission.

    Raises `ActionRefusedError` if it has ended or goes on already, if its question or that about its settings
    is not answered, or if another run comes first; and as `carry_out` and `resume_run` do.
    """
    action = Action(
        kind=AuditKind.GUARD_OVERRIDDEN if answer.override_guard else AuditKind.RUN_RESUMED,
        tenant=run.tenant,
        key=submission.key,
        run=run.id,
        fields={"accepts_other_settings": answer.accepts_other_settings},
    )
    if run.status in OPEN_STATUSES and not store.hub_actions.is_known(run.tenant, submission.key):
        # With a key that is known, the process that resumed it may have died before it was done.
        raise ActionRefusedError(ActionRefusal.GOES_ON, f"Run {run.id} goes on already.")

    def resume() -> dict[str, str]:
        _check(run.id, answer, store)
        try:
            resume_run(run.id, store=store, publisher=publisher, override_guard=answer.override_guard)
        except UsageError as error:
            raise ActionRefusedError(ActionRefusal.OTHER_RUN, str(error)) from None
        return {"run": str(run.id)}

    carry_out(action, submission.actor, resume, store=store)


def _check(run_id: int, answer: Answer, store: Store) -> None:
    summary = store.runs.summary(run_id)
    run = summary.run
    why = None
    if run.status in ENDED_STATUSES:
        why = ActionRefusal.ENDED
    elif not run.dry_run and store.runs.unanswered_guard(run.tenant, except_run=run_id) is not None:
        why = ActionRefusal.UNANSWERED
    elif _needs_answer(summary) and not answer.override_guard:
        why = ActionRefusal.NEEDS_ANSWER
    elif (
        run.cause in QUESTION_CAUSES
        and not answer.accepts_other_settings
        and has_other_settings(run, store=store)
    ):
        why = ActionRefusal.OTHER_SETTINGS
    if why is not None:
        raise ActionRefusedError(why, f"Run {run_id} cannot be resumed: {why}.")


def _needs_answer(summary: RunSummary) -> bool:
    """Say whether a run goes on only past the guard, as `resume_run` does."""
    cause = summary.run.cause
    return cause is Cause.GUARD_EXCEEDED or (cause is Cause.SUSPICIOUS_LIST and summary.published > 0)
