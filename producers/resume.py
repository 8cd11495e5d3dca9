"""Resumes halted runs: publishes their remaining work again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from producers.page_sources import PAGE_SIZE
from queues.message import tenant_page_message, user_sync_message
from schemas.errors import UpdateSyncError, UsageError
from schemas.messages.messages import TenantPage
from schemas.outcomes import ENDED_STATUSES, Cause, Status

if TYPE_CHECKING:
    from queues.interfaces import Publisher
    from schemas.runs.run import Run, RunSummary
    from store.store import Store


def resume_run(
    run_id: int, *, store: Store, publisher: Publisher, override_guard: bool = False
) -> tuple[Run, int]:
    """Resume a halted run; return it and how many users were published.

    What the guard has halted goes on only with `override_guard`, and then unwatched: otherwise it raises
    `UsageError`. So does a run that found suspiciously few users, and one whose tenant
    has another run that the guard has halted. Raises as `Runs.resume` and
    `Publisher.publish` do. When publishing fails, the run is halted again with the cause it had, so that it
    does not stay open without messages.
    """
    summary = store.runs.summary(run_id)
    halted = summary.run
    check_resumable(summary, store=store, override_guard=override_guard)
    if override_guard:
        store.guard_counters.override(run_id)
    run = store.runs.resume(run_id)
    try:
        return run, publish_pending(run, store=store, publisher=publisher)
    except UpdateSyncError:
        if halted.cause is not None:
            store.runs.halt(run_id, halted.cause, halted.detail or "")
        raise


def check_resumable(summary: RunSummary, *, store: Store, override_guard: bool) -> None:
    """Raise `UsageError` if a run cannot be resumed as things stand, as `resume_run` says."""
    run = summary.run
    if run.status in ENDED_STATUSES:
        raise UsageError(f"Run {run.id} is {run.status}: there is nothing to resume.")
    if not run.dry_run:
        store.runs.check_guard_answered(run.tenant, except_run=run.id)
    if override_guard:
        return
    if run.cause is Cause.GUARD_EXCEEDED:
        raise UsageError(
            f"The guard has halted run {run.id}: {run.detail}. "
            f"'runs resume {run.id} --override-guard' lets it go on, 'runs cancel {run.id}' ends it."
        )
    if run.cause is Cause.SUSPICIOUS_LIST and summary.published:
        raise UsageError(
            f"Run {run.id} may have found too few users: {run.detail}. If it is right, "
            f"'runs resume {run.id} --override-guard' completes it. Otherwise correct the cause, end it with "
            f"'runs cancel {run.id}' and start a new run."
        )


def publish_pending(run: Run, *, store: Store, publisher: Publisher) -> int:
    """Publish what a resumed run needs to go on, and return how many users that were.

    Pending users are published without payload, and so read afresh by id. A run whose list has
    not been read to its end reads it once more beside that: the list alone would not do, because
    a user who has left Entra since then is no longer on it and would stay pending for ever.
    All of it may be done twice without harm.
    """
    give_up = store.tenants.outline(run.tenant).give_up_after_hours
    if run.status is Status.READING:
        page = TenantPage(tenant=run.tenant, run=run.id, attempt=run.attempt, number=1, link=None)
        publisher.publish(
            [
                tenant_page_message(
                    store.message_cipher.sign_page(page),
                    give_up_after_hours=give_up,
                    is_quick=run.is_quick,
                )
            ]
        )
    published, last = 0, ""
    while users := store.runs.pending_users(run.id, after=last, limit=PAGE_SIZE):
        publisher.publish(
            [
                user_sync_message(user, give_up_after_hours=give_up, is_quick=run.is_quick)
                for user in store.message_cipher.encrypt_users(run.tenant, run.id, dict.fromkeys(users))
            ]
        )
        published, last = published + len(users), users[-1]
    store.runs.complete_if_done(run.id)
    return published
